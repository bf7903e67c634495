// Fences. Memory is one and in order here: fences matter to the checks alone.
//
// Source: PTX ISA 9.0, section 9.7.13.5 (membar, fence).

#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"

using namespace ptxsim;
using namespace ptxsim::isa;

// Op::modifiers: the FenceKind, and this of fence.sc.
static constexpr uint32_t kindBits = 3, isSequential = 4;

static Next fence(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.worker->observes)
    observeFence(warp, mask, FenceKind(op.modifiers & kindBits),
                 op.modifiers & isSequential);
  return Next::Advance;
}

// Op::modifiers of a proxy fence: of which memory.
static constexpr uint32_t ofShared = 1, ofGlobal = 2;

static Next fenceProxy(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.worker->observes && op.modifiers != 0)
    observeProxyFence(warp, mask, op.modifiers & ofShared,
                      op.modifiers & ofGlobal);
  return Next::Advance;
}

static Handler selectFence(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.has("cta")       ? FenceKind::Block
                          : match.has("cluster") ? FenceKind::Cluster
                          : match.has("sys")     ? FenceKind::System
                                                 : FenceKind::Device);
  if (match.has("sc"))
    op.modifiers |= isSequential;
  return fence;
}

/// membar is another name of fence.sc.
static Handler selectMembar(const Match &match, Op &op) {
  selectFence(match, op);
  op.modifiers |= isSequential;
  return fence;
}

static Handler selectProxy(const Match &match, Op &op) {
  bool isShared = match.has("shared::cta") || match.has("shared::cluster") ||
                  match.has("async::generic");
  op.modifiers = match.has("alias")    ? 0
                 : match.has("global") ? ofGlobal
                 : isShared            ? ofShared
                                       : ofShared | ofGlobal;
  return fenceProxy;
}

/// fence.proxy.tensormap::generic.release: for copies that use a changed map.
static Next releaseMaps(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.worker->observes)
    observeTensorMapRelease(warp);
  return fence(warp, op, mask);
}

static Handler selectMapRelease(const Match &match, Op &op) {
  selectFence(match, op);
  return releaseMaps;
}

static constexpr OpClass kind = OpClass::Barrier;

static const Form forms[] = {
    {"membar.(cta|gl|sys)", "", selectMembar, kind},
    {"fence ?.(sc|acq_rel|acquire|release).(cta|cluster|gpu|sys)", "", selectFence,
     kind},
    {"fence .acquire.sync_restrict::shared::cluster.cluster", "", selectFence,
     kind},
    {"fence .release.sync_restrict::shared::cta.cluster", "", selectFence, kind},
    {"fence .mbarrier_init.release.cluster", "", selectFence, kind},
    {"fence.proxy.alias", "", selectProxy, kind},
    {"fence.proxy .async?.(global|shared::cta|shared::cluster)", "", selectProxy,
     kind},
    {"membar.proxy.alias", "", selectProxy, kind},
    {"fence.proxy .async::generic.acquire.sync_restrict::shared::cluster.cluster",
     "", selectProxy, kind},
    {"fence.proxy .async::generic.release.sync_restrict::shared::cta.cluster", "",
     selectProxy, kind},
    {"fence.proxy .tensormap::generic.release.(cta|cluster|gpu|sys)", "",
     selectMapRelease, kind},
};

Family isa::fenceFamily() { return {forms, std::size(forms)}; }
