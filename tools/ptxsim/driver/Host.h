// Functions of the host in streams.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_HOST_H
#define TCC_TOOLS_PTXSIM_DRIVER_HOST_H

#include "tools/ptxsim/driver/Task.h"
#include "tools/ptxsim/driver/baseline/HostMaps.h"

namespace ptxsim::driver {

/// False for null and for what cannot be called.
template <typename Function> bool isExecutable(Function *function) {
  return isExecutable(reinterpret_cast<uint64_t>(function));
}

class HostWork : public Work {
public:
  HostWork(CUhostFn function, void *data) : function(function), data(data) {}
  HostWork(CUstreamCallback callback, CUstream stream, void *data)
      : callback(callback), stream(stream), data(data) {}

  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_HOST; }
  Progress start(Task &task, Driver &driver) const override;
  Progress poll(Task &task, Driver &driver) const override;
  bool tellsHost() const override { return true; }
  /// A callback is told of errors, a function is not called.
  bool runsAfterFailure() const override { return callback != nullptr; }

  CUhostFn function = nullptr;
  CUstreamCallback callback = nullptr;
  CUstream stream = nullptr;
  void *data = nullptr;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_HOST_H
