// Memory that streams allocate and free, and pools of it.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_POOL_H
#define TCC_TOOLS_PTXSIM_DRIVER_POOL_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Allocates in the order of a stream. The address is known, and usable by the
/// host, as soon as the call returns, so that it has nothing to do when its
/// turn comes; in a graph it makes the memory of the node live.
class AllocWork : public Work {
public:
  AllocWork(std::shared_ptr<GraphAllocation> memory,
            CUDA_MEM_ALLOC_NODE_PARAMS parameters)
      : memory(std::move(memory)), parameters(parameters) {}
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEM_ALLOC; }
  Progress start(Task &task, Driver &driver) const override;

  std::shared_ptr<GraphAllocation> memory;
  CUDA_MEM_ALLOC_NODE_PARAMS parameters;
};

/// Frees in the order of a stream.
class FreeWork : public Work {
public:
  explicit FreeWork(uint64_t address) : address(address) {}
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEM_FREE; }
  Progress start(Task &task, Driver &driver) const override;

  uint64_t address;
};

/// Reserves the memory of a node of a graph.
CUresult makeAllocWork(Call &call, CUDA_MEM_ALLOC_NODE_PARAMS &parameters,
                       std::shared_ptr<AllocWork> &work);

/// Makes the memory of a node live, for a launch of its graph.
void makeLive(Driver &driver, const std::shared_ptr<GraphAllocation> &memory);

/// Returns the pool of the device, made when it is first asked for.
const std::shared_ptr<Pool> &currentPool(Driver &driver);
const std::shared_ptr<Pool> &defaultPool(Driver &driver);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_POOL_H
