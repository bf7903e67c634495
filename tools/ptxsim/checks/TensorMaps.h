// Tensor maps in global memory that kernels change.
//
// Copies read maps through a proxy of their own: a change is visible to them
// only after its writer has released it (fence.proxy.tensormap::generic.release
// or tensormap.cp_fenceproxy), and the copying block has then acquired the map
// (fence.proxy.tensormap::generic.acquire). What is acquired are the last
// writes of its words; any later write needs another fence.
//
// What is not seen: a change by the warp that has begun a copy with the map.
//
// Source: PTX ISA 9.0, sections 9.7.13.5 (fence.proxy.tensormap) and 9.7.13.17
// (tensormap.cp_fenceproxy).

#ifndef TCC_TOOLS_PTXSIM_CHECKS_TENSORMAPS_H
#define TCC_TOOLS_PTXSIM_CHECKS_TENSORMAPS_H

#include "tools/ptxsim/checks/GlobalRaces.h"

namespace ptxsim {

/// The maps that the warps of a cluster have acquired.
class TensorMaps {
public:
  /// Notes that a warp, which is `actor` in its cluster, acquires a map.
  void acquire(GlobalRaces &races, uint64_t address, Actor actor,
               const GlobalAccessor &by);

  /// Checks that a copy that `by` begins sees all changes of a map.
  ///
  /// \returns false and a fault without a place if not.
  bool use(GlobalRaces &races, uint64_t address, Actor actor,
           const GlobalAccessor &by, Fault &fault) const;

private:
  struct Acquired {
    Actor actor = 0;
    Epoch epoch = 0;
    GlobalRaces::MapWrites writes; ///< That are visible to copies.
  };
  std::unordered_map<uint64_t, std::vector<Acquired>> acquired;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_TENSORMAPS_H
