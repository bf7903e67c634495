// Observers of ops and accesses.

#include "tools/ptxsim/core/Observe.h"

using namespace ptxsim;

bool ptxsim::observeGuard(Warp &, const Op &) { return true; }
bool ptxsim::observe(Warp &, const Op &, LaneMask) { return true; }
bool ptxsim::observeLoad(Warp &, const Op &, const Access &) { return true; }
bool ptxsim::observeStore(Warp &, const Op &, const Access &, const Slot *) {
  return true;
}
void ptxsim::observeWarpBarrier(Warp &, LaneMask) {}
void ptxsim::observeBarrierArrival(Warp &, NamedBarrier &, bool) {}
void ptxsim::observeBarrierLeave(Warp &, NamedBarrier &, uint64_t) {}
void ptxsim::observeClusterArrival(Warp &, bool) {}
void ptxsim::observeClusterLeave(Warp &) {}
bool ptxsim::observeMBarrierInit(Warp &, const Op &, Block &, uint32_t, int) {
  return true;
}
bool ptxsim::observeMBarrierInval(Warp &, const Op &, Block &, uint32_t, int) {
  return true;
}
void ptxsim::observeMBarrierArrival(Warp &, MBarrier &, int, bool, bool) {}
void ptxsim::observeMBarrierWait(Warp &, MBarrier &, int, bool) {}
bool ptxsim::observeAtomic(Warp &, const Op &, const Access &) { return true; }
void ptxsim::observeFence(Warp &, LaneMask, FenceKind) {}
void ptxsim::observeProxyFence(Warp &, LaneMask) {}
bool ptxsim::observeTensorMap(Warp &, const Op &, int, const uint8_t *) {
  return true;
}
bool ptxsim::observeTensorMapChange(Warp &, const Op &, int, uint8_t *) {
  return true;
}
void ptxsim::observeTensorMapAcquire(Warp &, const uint8_t *) {}
