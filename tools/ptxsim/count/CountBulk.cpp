// Counts asynchronous copies.

#include "tools/ptxsim/count/Counters.h"
#include "tools/ptxsim/tensor/BulkTensor.h"

using namespace ptxsim;

void Counters::copyLanes(const Warp &warp, const Access &target,
                         const uint64_t *sources, const uint32_t *sourceBytes) {
  RequestLines lines;
  uint64_t bytes = 0;
  forLanes(target.mask, [&](int lane) {
    if (sourceBytes[lane] == 0)
      return;
    lines.add(sources[lane], sourceBytes[lane]);
    bytes += sourceBytes[lane];
  });
  if (bytes != 0) {
    request(Count::GlobalLoadRequests, lines, bytes);
    load(*warp.block, lines, false);
  }
  shared(warp, target, target.mask);
}

/// Adds one operation without its traffic.
void Counters::bulk(const BulkCount &copy) {
  Counts &counts = detail();
  ++counts[copy.kind];
  counts[Count::BulkBoxes] += copy.isBox;
  counts[Count::BulkBytes] += copy.bytes;
  counts[Count::BulkDeliveredBytes] += copy.bytes * copy.deliveries;
  counts[Count::BulkTakenBytes] += copy.takes ? copy.bytes : 0;
  if (copy.kind == Count::BulkClusterCopies)
    counts[Count::ClusterBytes] += copy.bytes;
}

/// Bulk operations go to L2 and not through L1.
void Counters::moveBulk(const LineAccess &line, Traffic traffic) {
  detail()[Count::BulkSectors] +=
      uint64_t(__builtin_popcount(line.sectors()));
  move(line, traffic);
}

void Counters::bulkCopy(const BulkCount &copy, uint64_t global) {
  bulk(copy);
  if (copy.kind == Count::BulkClusterCopies)
    return;
  Traffic traffic = copy.kind == Count::BulkStores       ? Traffic::Write
                    : copy.kind == Count::BulkReductions ? Traffic::Change
                                                         : Traffic::Read;
  forEachLine(global, copy.bytes,
              [&](const LineAccess &line) { moveBulk(line, traffic); });
}

void Counters::storeAsync(uint32_t bytes) {
  BulkCount copy;
  copy.kind = Count::BulkClusterCopies;
  copy.bytes = bytes;
  copy.deliveries = 1;
  bulk(copy);
}

namespace {
/// Joins pieces of a row that lie in one line.
template <typename Body> class LineJoiner {
public:
  explicit LineJoiner(Body body) : body(body) {}

  void add(uint64_t address, uint64_t bytes) {
    forEachLine(address, bytes, [&](const LineAccess &line) {
      if (isPending && line.line != pending.line)
        flush();
      if (!isPending)
        pending = {line.line, {}};
      isPending = true;
      for (unsigned sector = 0; sector < 4; ++sector)
        pending.bytes[sector] |= line.bytes[sector];
    });
  }

  void flush() {
    if (isPending)
      body(pending);
    isPending = false;
  }

private:
  Body body;
  LineAccess pending;
  bool isPending = false;
};
} // namespace

/// Calls `body(line)` for the lines that a box takes of global memory, row by row;
/// rows that follow each other in memory are one.
template <typename Body>
static void forEachBoxLine(const BoxTransfer &transfer, Body body) {
  uint32_t unit = transfer.map.unitBytes();
  bool isDense = transfer.unitStep == unit;
  LineJoiner<Body> joiner(body);
  forEachRun(transfer, [&](const RowRun &run) {
    uint32_t bytes = run.end - run.begin;
    if (run.begin >= run.end)
      return;
    if (isDense && run.step == bytes) {
      joiner.add(run.global + run.begin, uint64_t(run.rows) * bytes);
      joiner.flush();
      return;
    }
    for (uint32_t row = 0; row < run.rows; ++row) {
      uint64_t start = run.global + row * run.step;
      if (isDense)
        joiner.add(start + run.begin, bytes);
      for (uint32_t at = run.begin; !isDense && at < run.end; at += unit)
        joiner.add(start + uint64_t(at / unit) * transfer.unitStep, unit);
      joiner.flush();
    }
  });
}

void Counters::boxCopy(const BoxTransfer &transfer, BulkDirection direction,
                       uint32_t deliveries) {
  BulkCount copy;
  copy.kind = direction == BulkDirection::Load     ? Count::BulkLoads
              : direction == BulkDirection::Store  ? Count::BulkStores
              : direction == BulkDirection::Reduce ? Count::BulkReductions
                                                   : Count::BulkPrefetches;
  copy.bytes = transfer.bytes;
  copy.deliveries = deliveries;
  copy.takes = direction == BulkDirection::Store ||
               direction == BulkDirection::Reduce;
  copy.isBox = true;
  bulk(copy);
  Traffic traffic = direction == BulkDirection::Store    ? Traffic::Write
                    : direction == BulkDirection::Reduce ? Traffic::Change
                                                         : Traffic::Read;
  forEachBoxLine(transfer,
                 [&](const LineAccess &line) { moveBulk(line, traffic); });
}
