// Launching kernels.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_LAUNCH_H
#define TCC_TOOLS_PTXSIM_DRIVER_LAUNCH_H

#include "tools/ptxsim/driver/Driver.h"

#include <optional>

namespace ptxsim::driver {

class KernelWork : public Work {
public:
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_KERNEL; }
  Progress start(Task &task, Driver &driver) const override;
  Progress poll(Task &task, Driver &driver) const override;

  std::shared_ptr<Module> module; ///< Keeps the kernel alive.
  std::shared_ptr<Function> function;
  LaunchParameters launch;
  /// The cluster that the launch, not the kernel, asked for.
  std::optional<std::array<uint32_t, 3>> cluster;
  /// Addresses of the parameters in `launch`, for who asks a node for them.
  std::vector<void *> parameterAddresses;
};

/// An event that a launch records on its way.
struct LaunchEvent {
  CUevent event = nullptr;
  EdgeKind kind = EdgeKind::Triggered;
};

/// A launch as a program asks for it.
struct LaunchRequest {
  std::shared_ptr<Function> function;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::array<uint32_t, 3> block = {1, 1, 1};
  uint32_t sharedBytes = 0;
  std::optional<std::array<uint32_t, 3>> cluster;
  bool cooperative = false;
  bool programmatic = false;
  int priority = 0;
  std::vector<LaunchEvent> events;
  void **parameters = nullptr; ///< One address for each parameter, or
  void **extra = nullptr;      ///< names and values of a buffer.
};

/// Checks `request` against the kernel and the device and copies the
/// parameters. Writes what is wrong to stderr, beginning with `name`.
CUresult makeKernelWork(Call &call, const char *name,
                        const LaunchRequest &request,
                        std::shared_ptr<KernelWork> &work);

/// Checks `request` and puts it into the stream that `handle` means.
CUresult submitLaunch(Call &call, const char *name,
                      const LaunchRequest &request, CUstream handle);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_LAUNCH_H
