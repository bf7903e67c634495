// Conversions between address spaces.
//
// Source: PTX ISA 9.0, sections 9.7.9.20 (cvta), 9.7.9.18 (isspacep), 9.7.9.25
// (mapa), 9.7.9.26 (getctarank).

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

/// What is added to an address of a space to make it generic.
static uint64_t windowOf(const Memory &memory, Space space) {
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster:
    return memory.sharedWindow();
  case Space::Local:
    return memory.localWindow();
  case Space::Parameter:
    return memory.parameterWindow();
  default:
    return 0;
  }
}

/// slots: d, a. Op::modifiers is the space, and 16 if the result is generic.
template <typename D, typename A>
static Next convert(Warp &warp, const Op &op, LaneMask mask) {
  uint64_t window = windowOf(warp.worker->memory, Space(op.modifiers & 15));
  const A *source = warp.at<A>(op.slots[1]);
  uint64_t difference = op.modifiers & 16 ? window : 0 - window;
  alignas(64) D values[32];
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = D(source[lane] + difference);
  writeLanes(warp.at<D>(op.slots[0]), values, mask);
  return Next::Advance;
}

static Handler selectConvert(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.space) | (match.has("to") ? 0 : 16);
  return convert<uint64_t, uint64_t>;
}

/// slots: p, a
template <typename T>
static Next isInSpace(Warp &warp, const Op &op, LaneMask mask) {
  const Memory &memory = warp.worker->memory;
  const T *addresses = warp.at<T>(op.slots[1]);
  Space space = Space(op.modifiers);
  LaneMask result = lanesWhere(mask, [&](int lane) {
    uint64_t offset = addresses[lane] - memory.sharedWindow();
    uint64_t window = offset / Memory::windowBytes;
    uint32_t rank = uint32_t(offset % Memory::windowBytes) >> clusterRankShift;
    switch (space) {
    case Space::Shared:
      return window == 0 && (rank == 0 || rank == warp.block->rank + 1);
    case Space::SharedCluster:
      return window == 0;
    case Space::Local:
      return window == 1;
    case Space::Parameter:
      return window == 2;
    case Space::Global:
      return window > 2;
    default:
      break;
    }
    Allocation allocation;
    return memory.find(addresses[lane], allocation) &&
           allocation.kind == MemoryKind::Constant;
  });
  warp.setPredicate(op.slots[0], result, mask);
  return Next::Advance;
}

template <typename T>
static Handler selectIsInSpace(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.space);
  return isInSpace<T>;
}

/// slots: d, a, rank. Generic addresses are in the window, others are not; of 32
/// bits they have the lower half.
template <typename T, bool Generic>
static Next mapRank(Warp &warp, const Op &op, LaneMask mask) {
  const T *addresses = warp.at<T>(op.slots[1]);
  const uint32_t *ranks = warp.at<uint32_t>(op.slots[2]);
  uint64_t window = Generic ? warp.worker->memory.sharedWindow() : 0;
  uint32_t blocks = uint32_t(warp.block->cluster->blocks.size());
  int bad = -1;
  T *target = warp.at<T>(op.slots[0]);
  forLanes(mask, [&](int lane) {
    if (ranks[lane] >= blocks && bad < 0)
      bad = lane;
    uint32_t offset =
        uint32_t(addresses[lane] - window) & ((1u << clusterRankShift) - 1);
    target[lane] = T(window + clusterAddress(ranks[lane], offset));
  });
  if (bad < 0)
    return Next::Advance;
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "rank out of cluster";
  fault.message = "expected a rank below " + std::to_string(blocks) + ", got " +
                  std::to_string(ranks[bad]);
  fault.advice = "compare the rank with %cluster_nctarank";
  return warp.worker->stop(warp, op, std::move(fault), bad);
}

static Handler selectMapRank(const Match &match, Op &) {
  bool generic = match.space == Space::Generic;
  if (ptx::bytesOf(match.type()) == 8)
    return generic ? mapRank<uint64_t, true> : mapRank<uint64_t, false>;
  return generic ? mapRank<uint32_t, true> : mapRank<uint32_t, false>;
}

/// slots: d, a
template <typename T, bool Generic>
static Next readRank(Warp &warp, const Op &op, LaneMask mask) {
  const T *addresses = warp.at<T>(op.slots[1]);
  uint64_t window = Generic ? warp.worker->memory.sharedWindow() : 0;
  uint32_t *target = warp.at<uint32_t>(op.slots[0]);
  forLanes(mask, [&](int lane) {
    uint32_t rank = uint32_t(addresses[lane] - window) >> clusterRankShift;
    target[lane] = rank == 0 ? warp.block->rank : rank - 1;
  });
  return Next::Advance;
}

static Handler selectReadRank(const Match &match, Op &) {
  bool generic = match.space == Space::Generic;
  if (ptx::bytesOf(match.type()) == 8)
    return generic ? readRank<uint64_t, true> : readRank<uint64_t, false>;
  return generic ? readRank<uint32_t, true> : readRank<uint32_t, false>;
}

#define PTXSIM_SPACES                                                          \
  ".(const|global|local|shared|shared::cta|shared::cluster|param|param::entry)"

static const Form forms[] = {
    {"cvta " PTXSIM_SPACES ".u64", "=T T", selectConvert, OpClass::Integer, 0,
     Transfer::Move},
    {"cvta.to " PTXSIM_SPACES ".u64", "=T T", selectConvert, OpClass::Integer, 0,
     Transfer::Move},
    {"isspacep" PTXSIM_SPACES, "=p u64", selectIsInSpace<uint64_t>,
     OpClass::Integer},
    {"isspacep" PTXSIM_SPACES, "=p u32", selectIsInSpace<uint32_t>,
     OpClass::Integer},
    {"mapa ?.shared::cluster.(u32|u64)", "=T T u32", selectMapRank,
     OpClass::Integer},
    {"getctarank ?.shared::cluster.(u32|u64)", "=u32 T", selectReadRank,
     OpClass::Integer},
};

Family isa::addressFamily() { return {forms, std::size(forms)}; }
