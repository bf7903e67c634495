// st.async and red.async: stores into the shared memory of another block that
// tell an mbarrier there.
//
// Source: PTX ISA 9.0, sections 9.7.9.12 (st.async), 9.7.13.9 (red.async).

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/BulkOperation.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;

// Op::modifiers: bytes of an element, and these.
static constexpr uint32_t bytesBits = 15;
static constexpr uint32_t isReduction = 16;
static constexpr uint32_t reductionShift = 8;
static constexpr uint32_t typeShift = 16;

namespace {
class LaneStore : public AsyncOperation {
public:
  SharedPlace target, barrier;
  uint8_t data[16];
  uint32_t bytes = 0;
  bool reduces = false;
  BulkReduction reduction = BulkReduction::Add;
  TensorType type = TensorType::U8;
  CarriedBytes carried;

  /// The values were taken when the instruction was executed.
  bool read(Worker &) override { return true; }

  bool write(Worker &worker) override {
    uint8_t *place = target.block->shared + target.offset;
    if (!observeAsyncWrite(worker, *this, AsyncKind::MBarrier, *target.block,
                           target.offset, bytes, barrier.block, barrier.offset,
                           reduces))
      return false;
    if (reduces) {
      reduceElements(reduction, type, place, data, bytes);
      carried.reduce(*target.block, place, bytes);
    } else {
      std::memcpy(place, data, bytes);
      carried.write(*target.block, place, bytes);
    }
    return completeBytes(worker, origin, *barrier.block, barrier.offset, bytes);
  }
};
} // namespace

/// slots: address, values, barrier
static Next storeAsync(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t element = op.modifiers & bytesBits;
  for (; mask != 0; mask &= mask - 1) {
    int lane = __builtin_ctz(mask);
    auto operation = std::make_shared<LaneStore>();
    LaneStore &store = *operation;
    store.origin = Origin::of(warp, op, lane);
    store.bytes = element * op.count;
    store.reduces = op.modifiers & isReduction;
    store.reduction = BulkReduction(op.modifiers >> reductionShift & 0xff);
    store.type = TensorType(op.modifiers >> typeShift);
    if (!findShared(warp, op, lane, addressOfLane(warp, op, op.slots[0], lane),
                    store.bytes, store.bytes, AccessKind::Write, store.target) ||
        !findShared(warp, op, lane,
                    warp.at<uint64_t>(op.slots[1 + op.count])[lane], 8, 8,
                    AccessKind::Atomic, store.barrier) ||
        !checkSignals(warp, op, lane, {store.barrier}))
      return Next::Stop;
    for (unsigned i = 0; i < op.count; ++i) {
      std::memcpy(store.data + i * element,
                  warp.at<uint8_t>(op.slots[1 + i]) + size_t(lane) * element,
                  element);
      if (warp.checks != nullptr)
        store.carried.readRegister(warp, op.slots[1 + i], element, lane);
    }
    observeIssue(warp, store, AsyncKind::MBarrier, 0);
    if (warp.worker->counters != nullptr) {
      observeStoreAsync(warp, store.bytes);
      observePhaseIssue(warp, *store.barrier.block, store.barrier.offset);
    }
    if (!warp.block->cluster->async->add(operation, *warp.worker))
      return Next::Stop;
  }
  return Next::Advance;
}

static Handler selectStore(const Match &match, Op &op) {
  op.modifiers = ptx::bytesOf(match.type());
  return storeAsync;
}

static Handler selectReduction(const Match &match, Op &op) {
  BulkReduction reduction = BulkReduction::Add;
  if (!reductionOf(match, reduction))
    return nullptr;
  TensorType type = match.type() == ptx::Type::S32   ? TensorType::S32
                    : match.type() == ptx::Type::S64 ? TensorType::S64
                    : match.type() == ptx::Type::U64 ? TensorType::U64
                                                     : TensorType::U32;
  op.modifiers = ptx::bytesOf(match.type()) | isReduction |
                 uint32_t(reduction) << reductionShift |
                 uint32_t(type) << typeShift;
  return storeAsync;
}

static constexpr OpClass kind = OpClass::AsyncCopy;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_RED(types)                                                      \
  {"red.async .relaxed.cluster.mbarrier::complete_tx::bytes?.shared::cluster"  \
   types,                                                                      \
   "[a] T [a]", selectReduction, kind, 0, own}

static const Form forms[] = {
    {"st.async ?.weak?.shared::cluster.mbarrier::complete_tx::bytes?.(v2|v4)."
     "(b32|u32|s32|f32)",
     "[a] *T [a]", selectStore, kind, 0, own},
    {"st.async ?.weak?.shared::cluster.mbarrier::complete_tx::bytes?.v2."
     "(b64|u64|s64|f64)",
     "[a] *T [a]", selectStore, kind, 0, own},
    PTXSIM_RED(".(inc|dec).u32"),
    PTXSIM_RED(".(min|max).(u32|s32)"),
    PTXSIM_RED(".add.(u32|s32|u64|s64)"),
    PTXSIM_RED(".(and|or|xor).b32"),
};

Family isa::storeAsyncFamily() { return {forms, std::size(forms)}; }
