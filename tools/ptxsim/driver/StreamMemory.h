// Waits for and writes of values in memory by streams.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_STREAMMEMORY_H
#define TCC_TOOLS_PTXSIM_DRIVER_STREAMMEMORY_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Does operations one after the other.
class MemOpWork : public Work {
public:
  CUgraphNodeType type() const override {
    return CU_GRAPH_NODE_TYPE_BATCH_MEM_OP;
  }
  Progress start(Task &task, Driver &driver) const override;
  Progress poll(Task &task, Driver &driver) const override;
  bool tellsHost() const override { return writesHost; }
  bool waitsForMemory() const override;

  std::vector<CUstreamBatchMemOpParams> operations;
  unsigned flags = 0;
  bool writesHost = false; ///< Memory that the host can read at any time.
};

/// Checks operations and the addresses that they name.
CUresult makeMemOpWork(Call &call, unsigned count,
                       const CUstreamBatchMemOpParams *operations,
                       unsigned flags, std::shared_ptr<MemOpWork> &work);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_STREAMMEMORY_H
