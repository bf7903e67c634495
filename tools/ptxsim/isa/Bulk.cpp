// Bulk copies and reductions of contiguous bytes, and the groups of all bulk
// operations.
//
// Source: PTX ISA 9.0, sections 9.7.9.25.4 (cp.async.bulk, cp.reduce.async.bulk).

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/count/Counts.h"
#include "tools/ptxsim/isa/BulkOperation.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers.
static constexpr uint32_t fromShared = 1;
static constexpr uint32_t toGlobal = 2;
static constexpr uint32_t isMulticast = 4;
static constexpr uint32_t isReduction = 8;
static constexpr uint32_t onlyRead = 16;
static constexpr uint32_t reductionShift = 8;
static constexpr uint32_t typeShift = 16;

bool isa::completeBytes(Worker &worker, const Origin &origin, Block &block,
                        uint32_t offset, uint32_t bytes) {
  Fault fault;
  MBarrier *barrier = findMBarrier(block, offset, fault);
  uint64_t phase = barrier == nullptr ? 0 : barrier->phase;
  if (barrier == nullptr ||
      !expectMBarrier(block, offset, *barrier, -int64_t(bytes), fault))
    return worker.stopAt(origin, std::move(fault));
  if (barrier->phase != phase)
    barrier->phaseOfCopy = barrier->phase;
  return true;
}

bool isa::checkSignals(Warp &warp, const Op &op, int lane,
                       const std::vector<SharedPlace> &barriers) {
  if (!warp.worker->observes)
    return true;
  for (const SharedPlace &barrier : barriers)
    if (!observeMBarrierSignal(warp, op, *barrier.block, barrier.offset, lane))
      return false;
  return true;
}

bool isa::findShared(Warp &warp, const Op &op, int lane, uint64_t address,
                     uint32_t bytes, uint32_t alignment, AccessKind kind,
                     SharedPlace &result) {
  if (address >= warp.worker->memory.sharedWindow() &&
      address < warp.worker->memory.localWindow())
    address -= warp.worker->memory.sharedWindow();
  if (resolveRange(warp, op, lane, Space::SharedCluster, kind, address, bytes,
                   alignment) == nullptr)
    return false;
  result.block = blockOfShared(*warp.block, uint32_t(address), result.offset);
  return true;
}

namespace {
/// Copies or reduces `bytes` from one place to one or several.
class BulkCopy : public AsyncOperation {
public:
  uint8_t *source = nullptr;
  Block *sourceBlock = nullptr; ///< If the source is shared memory.
  std::vector<uint8_t *> targets;
  std::vector<Block *> targetBlocks; ///< If they are in shared memory.
  std::vector<SharedPlace> barriers; ///< One for each target, or none.
  uint32_t bytes = 0;
  bool reduces = false;
  BulkReduction reduction = BulkReduction::Add;
  TensorType type = TensorType::U8;
  std::vector<uint8_t> data;
  CarriedBytes carried;

  bool read(Worker &worker) override {
    AsyncKind kind = barriers.empty() ? AsyncKind::Bulk : AsyncKind::MBarrier;
    SharedPlace end = barriers.empty() ? SharedPlace() : barriers.front();
    if (sourceBlock != nullptr &&
        !observeAsyncRead(worker, *this, kind, *sourceBlock,
                          uint32_t(source - sourceBlock->shared), bytes,
                          end.block, end.offset))
      return false;
    if (sourceBlock == nullptr &&
        !observeAsyncGlobal(worker, *this, reinterpret_cast<uint64_t>(source),
                            bytes, false))
      return false;
    data.assign(source, source + bytes);
    carried.read(*origin.block, source, bytes);
    return true;
  }

  bool write(Worker &worker) override {
    for (size_t i = 0; i < targets.size(); ++i) {
      uint8_t *target = targets[i];
      if (!targetBlocks.empty() &&
          !observeAsyncWrite(worker, *this, AsyncKind::MBarrier,
                             *targetBlocks[i],
                             uint32_t(target - targetBlocks[i]->shared), bytes,
                             barriers[i].block, barriers[i].offset, reduces))
        return false;
      if (targetBlocks.empty() &&
          !observeAsyncGlobal(worker, *this, reinterpret_cast<uint64_t>(target),
                              bytes, true, reduces))
        return false;
      if (reduces) {
        reduceElements(reduction, type, target, data.data(), bytes);
        carried.reduce(*origin.block, target, bytes);
      } else {
        std::memcpy(target, data.data(), bytes);
        carried.write(*origin.block, target, bytes);
      }
    }
    data = {};
    for (const SharedPlace &barrier : barriers)
      if (!completeBytes(worker, origin, *barrier.block, barrier.offset, bytes))
        return false;
    return true;
  }
};
} // namespace

static Next badBytes(Warp &warp, const Op &op, int lane, uint32_t bytes) {
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "bulk copy size";
  fault.message =
      "expected a positive multiple of 16 bytes, got " + std::to_string(bytes);
  fault.advice = "round the size up, or copy the rest by ordinary instructions";
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// Finds the targets of a copy into shared memory and their barriers.
static bool findTargets(Warp &warp, const Op &op, int lane, uint64_t target,
                        uint64_t barrier, uint32_t mask, BulkCopy &copy) {
  SharedPlace place, signal;
  if (!findShared(warp, op, lane, target, copy.bytes, 16, AccessKind::Write,
                  place) ||
      !findShared(warp, op, lane, barrier, 8, 8, AccessKind::Atomic, signal))
    return false;
  if (!(op.modifiers & isMulticast)) {
    copy.targets.push_back(place.block->shared + place.offset);
    copy.targetBlocks.push_back(place.block);
    copy.barriers.push_back(signal);
    return true;
  }
  return forMulticast(warp, op, lane, mask, [&](Block &block, uint32_t rank) {
    SharedPlace there;
    if (!findShared(warp, op, lane, clusterAddress(rank, place.offset),
                    copy.bytes, 16, AccessKind::Write, there))
      return false;
    copy.targets.push_back(block.shared + place.offset);
    copy.targetBlocks.push_back(&block);
    copy.barriers.push_back({&block, signal.offset});
    return true;
  });
}

/// Counts a copy whose places are known.
static void count(Warp &warp, const Op &op, const BulkCopy &copy) {
  bool leaves = op.modifiers & toGlobal;
  BulkCount counted;
  counted.kind = leaves ? copy.reduces ? Count::BulkReductions : Count::BulkStores
                 : copy.sourceBlock != nullptr ? Count::BulkClusterCopies
                                               : Count::BulkLoads;
  counted.bytes = copy.bytes;
  counted.deliveries = uint32_t(copy.targetBlocks.size());
  counted.takes = copy.sourceBlock != nullptr;
  const uint8_t *global = leaves ? copy.targets[0] : copy.source;
  observeBulkCopy(warp, counted, reinterpret_cast<uint64_t>(global));
  for (const SharedPlace &barrier : copy.barriers)
    observePhaseIssue(warp, *barrier.block, barrier.offset);
}

/// slots: target, source, bytes [, barrier] [, mask] [, policy]
static Next bulkCopy(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    auto operation = std::make_shared<BulkCopy>();
    BulkCopy &copy = *operation;
    copy.origin = Origin::of(warp, op, lane);
    copy.bytes = warp.at<uint32_t>(op.slots[2])[lane];
    copy.reduces = op.modifiers & isReduction;
    copy.reduction = BulkReduction(op.modifiers >> reductionShift & 0xff);
    copy.type = TensorType(op.modifiers >> typeShift & 0xff);
    if (copy.bytes == 0 || copy.bytes % 16 != 0)
      return badBytes(warp, op, lane, copy.bytes);
    uint64_t target = addressOfLane(warp, op, op.slots[0], lane);
    uint64_t source = warp.at<uint64_t>(op.slots[1])[lane];
    if (op.modifiers & fromShared) {
      SharedPlace place;
      if (!findShared(warp, op, lane, source, copy.bytes, 16, AccessKind::Read,
                      place))
        return Next::Stop;
      copy.source = place.block->shared + place.offset;
      copy.sourceBlock = place.block;
    } else {
      copy.source = resolveRange(warp, op, lane, Space::Global, AccessKind::Read,
                                 source, copy.bytes, 16);
      if (copy.source == nullptr)
        return Next::Stop;
    }
    if (op.modifiers & toGlobal) {
      copy.targets.push_back(resolveRange(warp, op, lane, Space::Global,
                                          AccessKind::Write, target, copy.bytes,
                                          16));
      if (copy.targets[0] == nullptr)
        return Next::Stop;
      asyncOf(warp).bulk.add(operation, LaneMask(1) << lane);
    } else {
      uint32_t blocks = op.modifiers & isMulticast
                            ? warp.at<uint16_t>(op.slots[4])[lane]
                            : 0;
      if (!findTargets(warp, op, lane, target,
                       warp.at<uint64_t>(op.slots[3])[lane], blocks, copy) ||
          !checkSignals(warp, op, lane, copy.barriers))
        return Next::Stop;
    }
    if (warp.worker->counters != nullptr)
      count(warp, op, copy);
    observeIssue(warp, copy,
                 copy.barriers.empty() ? AsyncKind::Bulk : AsyncKind::MBarrier,
                 asyncOf(warp).bulk.committed[lane] + 1);
    if (!warp.block->cluster->async->add(operation, *warp.worker))
      return Next::Stop;
  }
  return Next::Advance;
}

static Next commit(Warp &warp, const Op &, LaneMask mask) {
  asyncOf(warp).bulk.commit(mask);
  return Next::Advance;
}

static Next wait(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t keep = *warp.at<uint32_t>(op.slots[0]);
  AsyncGroups &groups = asyncOf(warp).bulk;
  if (!warp.block->cluster->async->wait(groups, mask, keep,
                                        op.modifiers & onlyRead, *warp.worker))
    return Next::Stop;
  uint64_t committed = groups.committed[__builtin_ctz(mask)];
  if (committed >= keep)
    observeGroupWait(warp, AsyncKind::Bulk, committed - keep,
                     op.modifiers & onlyRead);
  return Next::Advance;
}

static Next prefetch(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    uint32_t bytes = warp.at<uint32_t>(op.slots[1])[lane];
    if (bytes == 0 || bytes % 16 != 0)
      return badBytes(warp, op, lane, bytes);
    uint64_t address = addressOfLane(warp, op, op.slots[0], lane);
    if (resolveRange(warp, op, lane, Space::Global, AccessKind::Read, address,
                     bytes, 16) == nullptr)
      return Next::Stop;
    if (warp.worker->counters == nullptr)
      continue;
    BulkCount counted;
    counted.kind = Count::BulkPrefetches;
    counted.bytes = bytes;
    observeBulkCopy(warp, counted, address);
  }
  return Next::Advance;
}

bool isa::reductionOf(const Match &match, BulkReduction &result) {
  static constexpr std::pair<std::string_view, BulkReduction> names[] = {
      {"add", BulkReduction::Add}, {"min", BulkReduction::Min},
      {"max", BulkReduction::Max}, {"inc", BulkReduction::Inc},
      {"dec", BulkReduction::Dec}, {"and", BulkReduction::And},
      {"or", BulkReduction::Or},   {"xor", BulkReduction::Xor}};
  for (auto [name, reduction] : names) {
    if (!match.has(name))
      continue;
    result = reduction;
    return true;
  }
  return false;
}

/// The elements of a reduction; signed 64-bit ones and bits as what adds alike.
static bool elementOf(ptx::Type type, TensorType &result) {
  switch (type) {
  case ptx::Type::U32:
  case ptx::Type::B32:
    result = TensorType::U32;
    return true;
  case ptx::Type::S32:
    result = TensorType::S32;
    return true;
  case ptx::Type::U64:
  case ptx::Type::B64:
    result = TensorType::U64;
    return true;
  case ptx::Type::S64:
    result = TensorType::S64;
    return true;
  case ptx::Type::F16:
    result = TensorType::F16;
    return true;
  case ptx::Type::BF16:
    result = TensorType::BF16;
    return true;
  case ptx::Type::F32:
    result = TensorType::F32;
    return true;
  case ptx::Type::F64:
    result = TensorType::F64;
    return true;
  default:
    return false;
  }
}

static Handler selectCopy(const Match &match, Op &op) {
  op.modifiers = 0;
  if (match.has("shared::cta") && !match.has("global"))
    op.modifiers |= fromShared;
  if (match.has("bulk_group"))
    op.modifiers |= fromShared | toGlobal;
  if (match.has("multicast::cluster"))
    op.modifiers |= isMulticast;
  if (match.instruction->opcode == "cp" && !match.has("reduce"))
    return bulkCopy;
  BulkReduction reduction = BulkReduction::Add;
  TensorType type = TensorType::U8;
  if (!reductionOf(match, reduction) || !elementOf(match.type(), type))
    return nullptr;
  op.modifiers |= isReduction | uint32_t(reduction) << reductionShift |
                  uint32_t(type) << typeShift;
  return bulkCopy;
}

static Handler selectCommit(const Match &, Op &) { return commit; }
static Handler selectWait(const Match &match, Op &op) {
  op.modifiers = match.has("read") ? onlyRead : 0;
  return wait;
}
static Handler selectPrefetch(const Match &, Op &) { return prefetch; }

static constexpr OpClass kind = OpClass::AsyncCopy;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_LOAD                                                            \
  "cp.async.bulk .(shared::cluster|shared::cta).global"                        \
  ".mbarrier::complete_tx::bytes"
#define PTXSIM_MULTICAST                                                       \
  "cp.async.bulk .shared::cluster.global.mbarrier::complete_tx::bytes"         \
  ".multicast::cluster"
#define PTXSIM_REMOTE_REDUCE(op, types)                                        \
  {"cp.reduce.async.bulk .shared::cluster.shared::cta."                         \
   "mbarrier::complete_tx::bytes" op types,                                    \
   "[a] [a] u32 [a]", selectCopy, kind, 0, own}
#define PTXSIM_REDUCE(op, types)                                               \
  {"cp.reduce.async.bulk .global.shared::cta.bulk_group" op types,              \
   "[a] [a] u32", selectCopy, kind, 0, own},                                   \
  {                                                                            \
    "cp.reduce.async.bulk .global.shared::cta.bulk_group.L2::cache_hint" op     \
    types,                                                                     \
        "[a] [a] u32 u64", selectCopy, kind, 0, own                            \
  }

static const Form forms[] = {
    {PTXSIM_LOAD, "[a] [a] u32 [a]", selectCopy, kind, 0, own},
    {PTXSIM_LOAD ".L2::cache_hint", "[a] [a] u32 [a] u64", selectCopy, kind, 0,
     own},
    {PTXSIM_MULTICAST, "[a] [a] u32 [a] b16", selectCopy, kind,
     0, own},
    {PTXSIM_MULTICAST ".L2::cache_hint", "[a] [a] u32 [a] b16 u64",
     selectCopy, kind, 0, own},
    {"cp.async.bulk .shared::cluster.shared::cta.mbarrier::complete_tx::bytes",
     "[a] [a] u32 [a]", selectCopy, kind, 0, own},
    {"cp.async.bulk .global.shared::cta.bulk_group", "[a] [a] u32", selectCopy,
     kind, 0, own},
    {"cp.async.bulk .global.shared::cta.bulk_group.L2::cache_hint",
     "[a] [a] u32 u64", selectCopy, kind, 0, own},
    PTXSIM_REMOTE_REDUCE(".(and|or|xor)", ".b32"),
    PTXSIM_REMOTE_REDUCE(".add", ".(u32|s32|u64)"),
    PTXSIM_REMOTE_REDUCE(".(inc|dec)", ".u32"),
    PTXSIM_REMOTE_REDUCE(".(min|max)", ".(u32|s32)"),
    PTXSIM_REDUCE(".(and|or|xor)", ".(b32|b64)"),
    PTXSIM_REDUCE(".add", ".(u32|s32|u64|f32|f64)"),
    PTXSIM_REDUCE(".add", ".noftz.(f16|bf16)"),
    PTXSIM_REDUCE(".(inc|dec)", ".u32"),
    PTXSIM_REDUCE(".(min|max)", ".(u32|s32|u64|s64|f16|bf16)"),
    {"cp.async.bulk.prefetch .L2.global", "[a] u32", selectPrefetch, kind, 0, own},
    {"cp.async.bulk.prefetch .L2.global.L2::cache_hint", "[a] u32 u64",
     selectPrefetch, kind, 0, own},
    {"cp.async.bulk.commit_group", "", selectCommit, kind, 0, own},
    {"cp.async.bulk.wait_group?.read", "#", selectWait, kind, 0, own},
};

Family isa::bulkFamily() { return {forms, std::size(forms)}; }
