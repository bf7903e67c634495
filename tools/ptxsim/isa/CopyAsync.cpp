// cp.async: copies of 4, 8 or 16 bytes of each lane from global to shared memory.
//
// Source: PTX ISA 9.0, sections 9.7.9.25.3 and 9.7.13.15.17.

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers.
static constexpr uint32_t hasSize = 1;
static constexpr uint32_t hasIgnore = 2;
static constexpr uint32_t noIncrement = 8;

namespace {
/// One instruction of a warp.
class LaneCopies : public AsyncOperation {
public:
  LaneMask mask = 0;
  uint32_t bytes = 0;        ///< Written by each lane.
  uint32_t sourceBytes[32];  ///< Read; the rest is zero.
  uint8_t *sources[32];
  uint8_t *targets[32];
  Block *block = nullptr;
  uint8_t data[32][16];
  std::vector<CarriedBytes> carried; ///< Of each lane, if values are checked.

  bool read(Worker &worker) override {
    for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
      int lane = __builtin_ctz(rest);
      std::memset(data[lane], 0, sizeof(data[lane]));
      if (sourceBytes[lane] == 0)
        continue;
      origin.lane = lane;
      if (!observeAsyncGlobal(worker, *this,
                              reinterpret_cast<uint64_t>(sources[lane]),
                              sourceBytes[lane], false))
        return false;
      std::memcpy(data[lane], sources[lane], sourceBytes[lane]);
      if (!carried.empty())
        carried[size_t(lane)].read(*block, sources[lane], sourceBytes[lane]);
    }
    return true;
  }

  bool write(Worker &worker) override {
    for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
      int lane = __builtin_ctz(rest);
      origin.lane = lane;
      uint32_t offset = uint32_t(targets[lane] - block->shared);
      if (!observeAsyncWrite(worker, *this, AsyncKind::Copies, *block, offset,
                             bytes, nullptr, 0))
        return false;
      std::memcpy(targets[lane], data[lane], bytes);
      if (!carried.empty())
        carried[size_t(lane)].write(*block, targets[lane], bytes);
    }
    return true;
  }
};

/// cp.async.mbarrier.arrive: arrives when the copies before it are done.
class CopiesArrive : public AsyncOperation {
public:
  std::vector<std::shared_ptr<AsyncOperation>> copies;
  Block *block = nullptr;
  uint32_t offset = 0;
  AsyncQueue *queue = nullptr;
  Warp *warp = nullptr;
  uint64_t group = 0; ///< The copies are those up to this one.

  bool read(Worker &worker) override {
    for (const std::shared_ptr<AsyncOperation> &copy : copies)
      if (!queue->finish(*copy, worker))
        return false;
    return true;
  }

  bool write(Worker &worker) override {
    Fault fault;
    MBarrier *barrier = findMBarrier(*block, offset, fault);
    if (barrier != nullptr)
      observeCopiesArrival(*warp, *block, offset, *barrier, group);
    if (barrier == nullptr ||
        !arriveMBarrier(*block, offset, *barrier, 1, false, fault))
      return worker.stopAt(origin, std::move(fault));
    return true;
  }
};
} // namespace

static Next badSize(Warp &warp, const Op &op, int lane, uint32_t size,
                    uint32_t bytes) {
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "cp.async size";
  fault.message = "expected at most " + std::to_string(bytes) +
                  " bytes to read, got " + std::to_string(size);
  fault.advice = "clamp the size: what is not read is filled with zeros";
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// slots: target, source, bytes [, bytes to read | ignore]
static Next copy(Warp &warp, const Op &op, LaneMask mask) {
  auto operation = std::make_shared<LaneCopies>();
  operation->origin = Origin::of(warp, op, -1);
  operation->mask = mask;
  operation->block = warp.block;
  operation->carried.resize(warp.checks != nullptr ? 32 : 0);
  operation->bytes = *warp.at<uint32_t>(op.slots[2]);
  Access target, source;
  target.space = Space::Shared;
  target.kind = AccessKind::Write;
  target.bytes = target.alignment = operation->bytes;
  target.mask = mask;
  if (!resolve(warp, op, op.slots[0], target))
    return Next::Stop;
  source.space = Space::Global;
  source.alignment = operation->bytes;
  source.bytes = operation->bytes;
  uint64_t addresses[32]; // Those of `source` change where its mask lacks a lane.
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    uint32_t size = operation->bytes;
    if (op.modifiers & hasSize)
      size = warp.at<uint32_t>(op.slots[3])[lane];
    if (op.modifiers & hasIgnore && warp.predicate(op.slots[3]) >> lane & 1)
      size = 0;
    if (size > operation->bytes)
      return badSize(warp, op, lane, size, operation->bytes);
    operation->sourceBytes[lane] = size;
    addresses[lane] = warp.at<uint64_t>(op.slots[1])[lane];
    source.addresses[lane] = addresses[lane];
    source.mask |= LaneMask(size != 0) << lane;
    if (size != 0 && size != operation->bytes) {
      operation->sources[lane] =
          resolveRange(warp, op, lane, Space::Global, AccessKind::Read,
                       addresses[lane], size, 1);
      if (operation->sources[lane] == nullptr)
        return Next::Stop;
      source.mask &= ~(LaneMask(1) << lane);
    }
  }
  if (source.mask != 0 && !resolveAddresses(warp, op, source))
    return Next::Stop;
  forLanes(source.mask,
           [&](int lane) { operation->sources[lane] = source.pointers[lane]; });
  forLanes(mask,
           [&](int lane) { operation->targets[lane] = target.pointers[lane]; });
  if (warp.worker->counters != nullptr)
    observeLaneCopies(warp, target, addresses, operation->sourceBytes);
  AsyncGroups &groups = asyncOf(warp).copies;
  groups.add(operation, mask);
  observeIssue(warp, *operation, AsyncKind::Copies,
               groups.committed[__builtin_ctz(mask)] + 1);
  return warp.block->cluster->async->add(operation, *warp.worker) ? Next::Advance
                                                                  : Next::Stop;
}

static Next commit(Warp &warp, const Op &, LaneMask mask) {
  asyncOf(warp).copies.commit(mask);
  return Next::Advance;
}

static Next waitFor(Warp &warp, LaneMask mask, uint64_t keep) {
  AsyncGroups &groups = asyncOf(warp).copies;
  if (!warp.block->cluster->async->wait(groups, mask, keep, false, *warp.worker))
    return Next::Stop;
  uint64_t committed = groups.committed[__builtin_ctz(mask)];
  if (committed >= keep)
    observeGroupWait(warp, AsyncKind::Copies, committed - keep);
  return Next::Advance;
}

static Next wait(Warp &warp, const Op &op, LaneMask mask) {
  return waitFor(warp, mask, *warp.at<uint32_t>(op.slots[0]));
}

/// Waits for committed and uncommitted copies alike.
static Next waitAll(Warp &warp, const Op &op, LaneMask mask) {
  commit(warp, op, mask);
  return waitFor(warp, mask, 0);
}

static Next arrive(Warp &warp, const Op &op, LaneMask mask) {
  Cluster &cluster = *warp.block->cluster;
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    uint64_t address = addressOfLane(warp, op, op.slots[0], lane);
    Space space = Space(op.modifiers >> 8);
    if (resolveRange(warp, op, lane, space, AccessKind::Atomic, address, 8, 8) ==
        nullptr)
      return Next::Stop;
    auto operation = std::make_shared<CopiesArrive>();
    operation->origin = Origin::of(warp, op, lane);
    if (space == Space::Generic)
      address -= warp.worker->memory.sharedWindow();
    operation->block =
        blockOfShared(*warp.block, uint32_t(address), operation->offset);
    if (operation->block != nullptr && warp.worker->observes &&
        !observeMBarrierSignal(warp, op, *operation->block, operation->offset,
                               lane))
      return Next::Stop;
    operation->queue = cluster.async.get();
    operation->warp = &warp;
    operation->group = asyncOf(warp).copies.committed[lane] + 1;
    for (const AsyncGroups::Item &item : asyncOf(warp).copies.items)
      if (item.lanes >> lane & 1)
        operation->copies.push_back(item.operation);
    if (!(op.modifiers & noIncrement)) {
      Fault fault;
      MBarrier *barrier = operation->block == nullptr
                              ? nullptr
                              : findMBarrier(*operation->block,
                                             operation->offset, fault);
      if (barrier == nullptr)
        return warp.worker->stop(warp, op, std::move(fault), lane);
      incrementMBarrier(*operation->block, operation->offset, *barrier);
    }
    if (!cluster.async->add(operation, *warp.worker))
      return Next::Stop;
  }
  return Next::Advance;
}

static Handler selectCopy(const Match &match, Op &op) {
  const ptx::Instruction &instruction = *match.instruction;
  const ptx::Operand *operands =
      &match.function->elements[instruction.firstOperand];
  uint64_t bytes = operands[2].bits;
  bool good = match.has("cg") ? bytes == 16
                              : bytes == 4 || bytes == 8 || bytes == 16;
  if (!good)
    return match.refuse(match.has("cg") ? "16 bytes" : "4, 8 or 16 bytes");
  uint32_t others = instruction.operandCount - (match.has("L2::cache_hint") ? 4 : 3);
  bool ignore = std::string_view(match.form->operands).find(" p") !=
                std::string_view::npos;
  bool isNumber = others != 0 && operands[3].kind == ptx::Operand::Kind::Integer;
  if (isNumber && !ignore && operands[3].bits > bytes)
    return match.refuse("at most " + std::to_string(bytes) + " bytes to read");
  op.modifiers = others == 0 ? 0 : ignore ? hasIgnore : hasSize;
  return copy;
}

static Handler selectCommit(const Match &, Op &) { return commit; }
static Handler selectWait(const Match &, Op &) { return wait; }
static Handler selectWaitAll(const Match &, Op &) { return waitAll; }
static Handler selectArrive(const Match &match, Op &op) {
  const ptx::Operand &address = match.function->elements[match.operand(0).firstElement];
  bool isShort = address.kind == ptx::Operand::Kind::Register &&
                 ptx::bitsOf(match.function->registers[address.index].type) == 32;
  Space space = isShort ? Space::Shared : match.space;
  op.modifiers = uint32_t(space) << 8 | (match.has("noinc") ? noIncrement : 0);
  return arrive;
}

static constexpr OpClass kind = OpClass::AsyncCopy;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_COPY "cp.async .(ca|cg).(shared|shared::cta).global"
#define PTXSIM_PREFETCH "?.(L2::64B|L2::128B|L2::256B)"

static const Form forms[] = {
    {PTXSIM_COPY PTXSIM_PREFETCH, "[a] [a] # u32?", selectCopy, kind, 0, own},
    {PTXSIM_COPY PTXSIM_PREFETCH, "[a] [a] # p", selectCopy, kind, 0, own},
    {PTXSIM_COPY ".L2::cache_hint" PTXSIM_PREFETCH, "[a] [a] # u64", selectCopy,
     kind, 0, own},
    {PTXSIM_COPY ".L2::cache_hint" PTXSIM_PREFETCH, "[a] [a] # u32 u64",
     selectCopy, kind, 0, own},
    {PTXSIM_COPY ".L2::cache_hint" PTXSIM_PREFETCH, "[a] [a] # p u64", selectCopy,
     kind, 0, own},
    {"cp.async.commit_group", "", selectCommit, kind, 0, own},
    {"cp.async.wait_group", "#", selectWait, kind, 0, own},
    {"cp.async.wait_all", "", selectWaitAll, kind, 0, own},
    {"cp.async.mbarrier.arrive?.noinc?.(shared|shared::cta).b64", "[s]",
     selectArrive, kind, 0, own},
};

Family isa::copyAsyncFamily() { return {forms, std::size(forms)}; }
