// Bulk copies of tensors.
//
// Source: PTX ISA 9.0, section 9.7.9.25.5 (cp.async.bulk.tensor,
// cp.reduce.async.bulk.tensor, cp.async.bulk.prefetch.tensor).

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/BulkOperation.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers: the rank, and these.
static constexpr uint32_t rankBits = 7;
static constexpr uint32_t isIm2col = 8;
static constexpr uint32_t isMulticast = 16;
static constexpr uint32_t directionShift = 5; ///< A BulkDirection, 2 bits.
static constexpr uint32_t reductionShift = 8;

static BulkDirection directionOf(const Op &op) {
  return BulkDirection(op.modifiers >> directionShift & 3);
}

namespace {
/// One box. A store reads it from shared memory before it writes.
class BoxCopy : public AsyncOperation {
public:
  BoxTransfer transfer;
  BulkDirection direction = BulkDirection::Load;
  BulkReduction reduction = BulkReduction::Add;
  Block *source = nullptr;             ///< Of a store.
  std::vector<SharedPlace> targets;    ///< Of a load: where the box begins.
  std::vector<SharedPlace> barriers;
  std::vector<uint8_t> data;
  CarriedBytes carried; ///< Of a store.

  BoxCopy() { fencesWrites = true; }

  /// False if there are gaps between the units of a row in global memory.
  bool isDense() const { return transfer.unitStep == transfer.map.unitBytes(); }

  bool read(Worker &worker) override {
    if (direction == BulkDirection::Load)
      return true;
    if (!observeAsyncRead(worker, *this, AsyncKind::Bulk, *source,
                          transfer.sharedAddress, transfer.sharedBytes) ||
        !observeTileRead(worker, *this, *source, transfer))
      return false;
    const uint8_t *first = source->shared + transfer.sharedAddress;
    data.assign(first, first + transfer.sharedBytes);
    carried.read(*source, first, transfer.sharedBytes);
    return true;
  }

  /// Calls `function(address, bytes)` for the rows of the box in global memory,
  /// as far as they are inside; they are dense.
  template <typename Function> void forEachRow(Function &&function) const {
    forEachRun(transfer, [&](const RowRun &run) {
      for (uint32_t row = 0; row < run.rows && run.begin < run.end; ++row)
        function(run.global + row * run.step + run.begin, run.end - run.begin);
    });
  }

  /// True if a load fills all of its part of shared memory, and with bytes that
  /// are defined.
  bool isLoadDefined(const Block &block) const {
    uint64_t rows = 0;
    forEachRun(transfer, [&](const RowRun &run) { rows += run.rows; });
    if (transfer.rowPitch != transfer.rowBytes ||
        rows * transfer.rowPitch != transfer.sharedBytes)
      return false;
    CarriedBytes loaded; // Outside the tensor there are zeros.
    forEachRow([&](uint64_t address, uint32_t bytes) {
      if (loaded.isDefined())
        loaded.read(block, reinterpret_cast<uint8_t *>(address), bytes);
    });
    return loaded.isDefined();
  }

  /// Carries along what counts as written, if nothing is undefined.
  ///
  /// \returns false if each part must be looked at.
  bool carryDefined(const Block &block) const {
    if (!isDense() || direction == BulkDirection::Reduce || !carried.isDefined())
      return false;
    if (direction == BulkDirection::Store) {
      forEachRow([&](uint64_t address, uint32_t bytes) {
        carried.write(block, reinterpret_cast<uint8_t *>(address), bytes);
      });
      return true;
    }
    if (!isLoadDefined(block))
      return false;
    for (const SharedPlace &target : targets)
      carried.write(block, target.block->shared + transfer.sharedAddress,
                    transfer.sharedBytes);
    return true;
  }

  /// Carries along what counts as written.
  void carry() const {
    const Block &block = *origin.block;
    if (block.sharedWritten.empty() || carryDefined(block))
      return;
    forEachSpan(transfer, [&](const BulkSpan &span) {
      auto *global = reinterpret_cast<uint8_t *>(span.global);
      uint64_t offset = span.shared - transfer.sharedAddress;
      if (direction == BulkDirection::Store && span.isInside)
        carried.write(block, global, span.bytes, offset);
      if (direction == BulkDirection::Reduce && span.isInside)
        carried.reduce(block, global, span.bytes, offset);
      if (targets.empty())
        return;
      CarriedBytes loaded; // Outside the tensor there are zeros.
      if (span.isInside)
        loaded.read(block, global, span.bytes);
      for (const SharedPlace &target : targets)
        loaded.write(block, target.block->shared + span.shared, span.bytes);
    });
  }

  /// Checks the rows of the box in global memory for races.
  bool observeRows(Worker &worker) {
    if (knowledge == nullptr)
      return true;
    bool good = true;
    if (isDense())
      forEachRow([&](uint64_t address, uint32_t bytes) {
        good = good && observeAsyncGlobal(worker, *this, address, bytes,
                                          direction != BulkDirection::Load,
                                          direction == BulkDirection::Reduce);
      });
    return good;
  }

  bool write(Worker &worker) override {
    if (!observeRows(worker))
      return false;
    const uint8_t *base = data.data() - transfer.sharedAddress;
    if (direction == BulkDirection::Store)
      store(transfer, base);
    if (direction == BulkDirection::Reduce)
      reduce(transfer, reduction, base);
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!observeAsyncWrite(worker, *this, AsyncKind::MBarrier,
                             *targets[i].block, transfer.sharedAddress,
                             transfer.sharedBytes, barriers[i].block,
                             barriers[i].offset))
        return false;
      observeTileWrite(*targets[i].block, transfer);
      load(transfer, targets[i].block->shared);
    }
    carry();
    data = {};
    for (const SharedPlace &barrier : barriers)
      if (!completeBytes(worker, origin, *barrier.block, barrier.offset,
                         transfer.bytes))
        return false;
    return true;
  }
};
} // namespace

bool isa::failTensorMap(Warp &warp, const Op &op, int lane, std::string message,
                        std::string advice) {
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "tensor map";
  fault.message = std::move(message);
  fault.advice = std::move(advice);
  warp.worker->stop(warp, op, std::move(fault), lane);
  return false;
}

/// Checks that what lies inside the tensor is allocated.
static bool checkGlobal(Warp &warp, const Op &op, int lane,
                        const BoxTransfer &transfer, AccessKind kind) {
  bool good = true;
  forEachRun(transfer, [&](const RowRun &run) {
    if (!good || run.begin >= run.end)
      return;
    uint64_t first = run.global + run.begin;
    uint64_t units = (run.end - run.begin) / transfer.map.unitBytes();
    uint64_t last = run.global + (run.rows - 1) * run.step +
                    run.begin / transfer.map.unitBytes() * uint64_t(transfer.unitStep) +
                    (units - 1) * transfer.unitStep + transfer.map.unitBytes();
    uint64_t bytes = last - first;
    const Range *range = warp.worker->findRange(first, bytes);
    good = range != nullptr && (range->writable || kind == AccessKind::Read);
    if (good)
      return;
    Fault fault;
    fault.code = FaultCode::IllegalAddress;
    fault.check = "out of bounds";
    fault.message = "expected " + std::to_string(bytes) +
                    " bytes of the tensor in one allocation";
    Allocation found;
    bool begins = warp.worker->memory.find(first, found);
    fault.address = describeGlobal(warp.worker->memory, begins ? last - 1 : first);
    fault.advice = "compare globalDim and globalStrides of the tensor map with "
                   "the memory that it describes";
    warp.worker->stop(warp, op, std::move(fault), lane);
  });
  return good;
}

/// Reads the tensor map at `address` and prepares the box.
static bool prepareBox(Warp &warp, const Op &op, int lane, uint64_t address,
                       BulkRequest &request, BoxTransfer &transfer) {
  // The windows of shared and local memory follow each other.
  if (address - warp.worker->memory.sharedWindow() < 2 * Memory::windowBytes)
    return failTensorMap(
        warp, op, lane,
        "expected a tensor map in global, constant or parameter memory, "
        "got one in shared or local memory",
        "copy it to global memory with tensormap.cp_fenceproxy");
  const uint8_t *map = resolveRange(warp, op, lane, Space::Generic,
                                    AccessKind::Read, address, tensorMapBytes, 64);
  if (map == nullptr)
    return false;
  if (warp.worker->observes && !observeTensorMap(warp, op, lane, map))
    return false;
  TensorMap decoded;
  std::string message = decode(map, decoded);
  if (!message.empty())
    return failTensorMap(warp, op, lane, message,
                "encode it with cuTensorMapEncodeTiled and pass it as "
                "__grid_constant__");
  message = prepare(decoded, request, transfer);
  return message.empty() || failTensorMap(warp, op, lane, message);
}

static void readCoordinates(const Warp &warp, const Slot *slots, int lane,
                            BulkRequest &request) {
  for (uint32_t i = 0; i < request.rank; ++i)
    request.coordinates[i] = warp.at<int32_t>(slots[i])[lane];
}

static bool submit(Warp &warp, std::shared_ptr<BoxCopy> box, int lane) {
  bool inGroup = box->barriers.empty();
  if (warp.worker->counters != nullptr) {
    observeBoxCopy(warp, box->transfer, box->direction,
                   uint32_t(box->targets.size()));
    for (const SharedPlace &barrier : box->barriers)
      observePhaseIssue(warp, *barrier.block, barrier.offset);
  }
  observeIssue(warp, *box, inGroup ? AsyncKind::Bulk : AsyncKind::MBarrier,
               asyncOf(warp).bulk.committed[lane] + 1);
  if (inGroup)
    asyncOf(warp).bulk.add(box, LaneMask(1) << lane);
  return warp.block->cluster->async->add(std::move(box), *warp.worker);
}

/// slots: target, map, coordinates, barrier [, offsets] [, mask] [, policy]
static bool loadBox(Warp &warp, const Op &op, int lane) {
  const Slot *slots = warp.slotsOf(op);
  auto box = std::make_shared<BoxCopy>();
  box->origin = Origin::of(warp, op, lane);
  BulkRequest request;
  request.rank = op.modifiers & rankBits;
  request.isIm2col = op.modifiers & isIm2col;
  readCoordinates(warp, slots + 2, lane, request);
  uint32_t next = 3 + request.rank;
  if (request.isIm2col)
    for (uint32_t i = 0; i + 2 < request.rank; ++i)
      request.offsets[i] = warp.at<uint16_t>(slots[next++])[lane];
  SharedPlace target, barrier;
  uint64_t address = addressOfLane(warp, op, slots[0], lane);
  if (!findShared(warp, op, lane, address, 16, 16, AccessKind::Write, target) ||
      !findShared(warp, op, lane, warp.at<uint64_t>(slots[2 + request.rank])[lane],
                  8, 8, AccessKind::Atomic, barrier))
    return false;
  request.sharedAddress = target.offset;
  request.sharedBytes = target.block->sharedBytes;
  if (!prepareBox(warp, op, lane, warp.at<uint64_t>(slots[1])[lane], request,
                  box->transfer) ||
      !checkGlobal(warp, op, lane, box->transfer, AccessKind::Read))
    return false;
  if (op.modifiers & isMulticast) {
    uint32_t mask = warp.at<uint16_t>(slots[next])[lane];
    bool good = forMulticast(warp, op, lane, mask, [&](Block &block, uint32_t) {
      box->targets.push_back({&block, target.offset});
      box->barriers.push_back({&block, barrier.offset});
      return true;
    });
    if (!good)
      return false;
  } else {
    box->targets.push_back(target);
    box->barriers.push_back(barrier);
  }
  return checkSignals(warp, op, lane, box->barriers) &&
         submit(warp, std::move(box), lane);
}

/// slots: map, coordinates, source [, policy]; or of a prefetch without source
static bool storeBox(Warp &warp, const Op &op, int lane) {
  const Slot *slots = warp.slotsOf(op);
  BulkDirection direction = directionOf(op);
  auto box = std::make_shared<BoxCopy>();
  box->origin = Origin::of(warp, op, lane);
  box->direction = direction;
  box->reduction = BulkReduction(op.modifiers >> reductionShift & 0xff);
  BulkRequest request;
  request.direction = direction;
  request.rank = op.modifiers & rankBits;
  request.isIm2col = op.modifiers & isIm2col;
  readCoordinates(warp, slots + 1, lane, request);
  request.sharedAddress = h100::reservedSharedBytesPerBlock;
  request.sharedBytes = warp.block->sharedBytes;
  if (direction == BulkDirection::Prefetch) {
    if (request.isIm2col)
      for (uint32_t i = 0; i + 2 < request.rank; ++i)
        request.offsets[i] =
            warp.at<uint16_t>(slots[1 + request.rank + i])[lane];
  } else {
    SharedPlace place;
    if (!findShared(warp, op, lane,
                    warp.at<uint64_t>(slots[1 + request.rank])[lane], 16, 16,
                    AccessKind::Read, place))
      return false;
    box->source = place.block;
    request.sharedAddress = place.offset;
    request.sharedBytes = place.block->sharedBytes;
  }
  AccessKind kind = direction == BulkDirection::Prefetch ? AccessKind::Read
                                                         : AccessKind::Write;
  if (!prepareBox(warp, op, lane, addressOfLane(warp, op, slots[0], lane),
                  request, box->transfer) ||
      !checkGlobal(warp, op, lane, box->transfer, kind))
    return false;
  if (direction == BulkDirection::Reduce) {
    std::string message = checkReduction(box->reduction, box->transfer.map.type);
    if (!message.empty())
      return failTensorMap(warp, op, lane, message);
  }
  if (direction != BulkDirection::Prefetch)
    return submit(warp, std::move(box), lane);
  if (warp.worker->counters != nullptr)
    observeBoxCopy(warp, box->transfer, direction, 0);
  return true;
}

static void noteModifiers(const Match &match, Op &op, BulkDirection direction) {
  op.modifiers = uint32_t(direction) << directionShift;
  for (uint32_t rank = 1; rank <= 5; ++rank) {
    const char name[] = {char('0' + rank), 'd', 0};
    if (match.has(name))
      op.modifiers |= rank;
  }
  if (match.has("im2col") || match.has("im2col_no_offs"))
    op.modifiers |= isIm2col;
  if (match.has("multicast::cluster"))
    op.modifiers |= isMulticast;
}

/// Says what is wrong with the rank, or nothing.
static std::string checkRank(const Match &match, const Op &op) {
  uint32_t rank = op.modifiers & rankBits;
  if (op.modifiers & isIm2col && rank < 3)
    return ".3d, .4d or .5d beside im2col";
  const ptx::Function &function = *match.function;
  for (uint32_t i = 0; i < match.instruction->operandCount; ++i) {
    const ptx::Operand &operand =
        function.elements[match.instruction->firstOperand + i];
    if (operand.kind == ptx::Operand::Kind::Tensor)
      return function.elements[operand.firstElement + 1].elementCount == rank
                 ? ""
                 : "a vector of " + std::to_string(rank) + " coordinates";
  }
  return "a tensor map with coordinates";
}

/// The handler, if the rank is right.
static Handler ifRanked(const Match &match, const Op &op, Handler handler) {
  std::string message = checkRank(match, op);
  return message.empty() ? handler : match.refuse(std::move(message));
}

static Handler selectLoad(const Match &match, Op &op) {
  noteModifiers(match, op, BulkDirection::Load);
  return ifRanked(match, op, eachLane<loadBox>);
}
static Handler selectStore(const Match &match, Op &op) {
  noteModifiers(match, op, BulkDirection::Store);
  return ifRanked(match, op, eachLane<storeBox>);
}
static Handler selectPrefetch(const Match &match, Op &op) {
  noteModifiers(match, op, BulkDirection::Prefetch);
  return ifRanked(match, op, eachLane<storeBox>);
}
static Handler selectReduce(const Match &match, Op &op) {
  noteModifiers(match, op, BulkDirection::Reduce);
  BulkReduction reduction = BulkReduction::Add;
  if (!reductionOf(match, reduction))
    return nullptr;
  op.modifiers |= uint32_t(reduction) << reductionShift;
  return ifRanked(match, op, eachLane<storeBox>);
}

static constexpr OpClass kind = OpClass::AsyncCopy;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_RANKS ".(1d|2d|3d|4d|5d)"
#define PTXSIM_LOAD                                                            \
  "cp.async.bulk.tensor " PTXSIM_RANKS ".(shared::cluster|shared::cta).global"
#define PTXSIM_CLUSTER_LOAD                                                    \
  "cp.async.bulk.tensor " PTXSIM_RANKS ".shared::cluster.global"
#define PTXSIM_DONE ".mbarrier::complete_tx::bytes"
#define PTXSIM_STORE                                                           \
  "cp.async.bulk.tensor " PTXSIM_RANKS                                          \
  ".global.shared::cta?.(tile|im2col_no_offs).bulk_group"
#define PTXSIM_REDUCE                                                          \
  "cp.reduce.async.bulk.tensor " PTXSIM_RANKS                                   \
  ".global.shared::cta.(add|min|max|inc|dec|and|or|xor)"                       \
  "?.(tile|im2col_no_offs).bulk_group"
#define PTXSIM_PREFETCH "cp.async.bulk.prefetch.tensor " PTXSIM_RANKS ".L2.global"

static const Form forms[] = {
    {PTXSIM_LOAD "?.tile" PTXSIM_DONE, "[a] [t] [a]", selectLoad, kind, 0, own},
    {PTXSIM_LOAD "?.tile" PTXSIM_DONE ".L2::cache_hint", "[a] [t] [a] u64",
     selectLoad, kind, 0, own},
    {PTXSIM_CLUSTER_LOAD "?.tile" PTXSIM_DONE ".multicast::cluster", "[a] [t] [a] b16",
     selectLoad, kind, 0, own},
    {PTXSIM_CLUSTER_LOAD "?.tile" PTXSIM_DONE ".multicast::cluster.L2::cache_hint",
     "[a] [t] [a] b16 u64", selectLoad, kind, 0, own},
    {PTXSIM_LOAD ".im2col" PTXSIM_DONE, "[a] [t] [a] {b16}", selectLoad, kind, 0,
     own},
    {PTXSIM_LOAD ".im2col" PTXSIM_DONE ".L2::cache_hint",
     "[a] [t] [a] {b16} u64", selectLoad, kind, 0, own},
    {PTXSIM_CLUSTER_LOAD ".im2col" PTXSIM_DONE ".multicast::cluster",
     "[a] [t] [a] {b16} b16", selectLoad, kind, 0, own},
    {PTXSIM_CLUSTER_LOAD ".im2col" PTXSIM_DONE ".multicast::cluster.L2::cache_hint",
     "[a] [t] [a] {b16} b16 u64", selectLoad, kind, 0, own},
    {PTXSIM_STORE, "[t] [a]", selectStore, kind, 0, own},
    {PTXSIM_STORE ".L2::cache_hint", "[t] [a] u64", selectStore, kind, 0, own},
    {PTXSIM_REDUCE, "[t] [a]", selectReduce, kind, 0, own},
    {PTXSIM_REDUCE ".L2::cache_hint", "[t] [a] u64", selectReduce, kind, 0, own},
    {PTXSIM_PREFETCH "?.tile", "[t]", selectPrefetch, kind, 0, own},
    {PTXSIM_PREFETCH "?.tile.L2::cache_hint", "[t] u64", selectPrefetch, kind, 0,
     own},
    {PTXSIM_PREFETCH ".im2col", "[t] {b16}", selectPrefetch, kind, 0, own},
    {PTXSIM_PREFETCH ".im2col.L2::cache_hint", "[t] {b16} u64", selectPrefetch,
     kind, 0, own},
};

Family isa::bulkTensorFamily() { return {forms, std::size(forms)}; }
