// Setting memory to a value.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_SET_H
#define TCC_TOOLS_PTXSIM_DRIVER_SET_H

#include "tools/ptxsim/driver/Copy.h"

namespace ptxsim::driver {

/// Sets `width` elements of `elementBytes` in each of `height` rows to `value`.
class SetWork : public Work {
public:
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMSET; }
  Progress start(Task &task, Driver &driver) const override;
  /// Returns what it covers, as a copy would.
  CopyShape shape() const;

  uint64_t address = 0, pitch = 0;
  uint32_t value = 0;
  unsigned elementBytes = 1;
  uint64_t width = 0, height = 1;
  MemoryKind kind = MemoryKind::Device;
};

/// Checks `work` and what it covers.
CUresult resolveSet(Call &call, const char *name, SetWork &work);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_SET_H
