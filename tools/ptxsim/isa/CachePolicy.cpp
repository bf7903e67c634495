// createpolicy: what instructions with .L2::cache_hint take.
//
// Hints change nothing here, so that any number will do as a policy.
//
// Source: PTX ISA 9.0, section 9.7.9.15 (createpolicy).

#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::isa;

/// slots[0] = a policy
static Next createPolicy(Warp &warp, const Op &op, LaneMask mask) {
  alignas(64) uint64_t policies[32];
  std::fill(std::begin(policies), std::end(policies), uint64_t(1) << 60);
  writeLanes(warp.at<uint64_t>(op.slots[0]), policies, mask);
  return Next::Advance;
}

static Handler selectCreate(const Match &, Op &) { return createPolicy; }

#define PTXSIM_PRIORITIES                                                      \
  ".(L2::evict_last|L2::evict_normal|L2::evict_first|L2::evict_unchanged)"     \
  "?.(L2::evict_first|L2::evict_unchanged).b64"

static const Form forms[] = {
    {"createpolicy.fractional" PTXSIM_PRIORITIES, "=b64 f32?", selectCreate,
     OpClass::Other},
    {"createpolicy.range?.global" PTXSIM_PRIORITIES, "=b64 [a] u32 u32",
     selectCreate, OpClass::Other},
    {"createpolicy.cvt.L2.b64", "=b64 b64", selectCreate, OpClass::Other},
};

Family isa::cachePolicyFamily() { return {forms, std::size(forms)}; }
