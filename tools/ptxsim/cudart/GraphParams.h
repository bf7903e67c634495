// Parameters of nodes as the driver wants them, and back.

#ifndef TCC_TOOLS_PTXSIM_CUDART_GRAPHPARAMS_H
#define TCC_TOOLS_PTXSIM_CUDART_GRAPHPARAMS_H

#include "tools/ptxsim/cudart/Copy.h"
#include "tools/ptxsim/cudart/Registry.h"

namespace ptxsim::cudart {

/// Translates what a kernel node does. The kernel is a function of the host.
Code toDriver(const cudaKernelNodeParams &parameters,
              CUDA_KERNEL_NODE_PARAMS_v2 &result);
cudaKernelNodeParams toRuntime(const CUDA_KERNEL_NODE_PARAMS_v2 &parameters);

/// Translates what any node does.
Code toDriver(const cudaGraphNodeParams &parameters, CUgraphNodeParams &result);

inline CUDA_MEMSET_NODE_PARAMS_v1 toDriver(const cudaMemsetParams &set) {
  return {toAddress(set.dst), set.pitch, set.value,
          set.elementSize,    set.width, set.height};
}

/// Describes a copy of bytes in a row to or from a variable. The address that
/// is not the variable's is `other`.
Code symbolCopy(const void *symbol, const void *other, size_t bytes,
                size_t offset, cudaMemcpyKind kind, bool toSymbol,
                CUDA_MEMCPY3D &result);

/// Returns the context of the thread.
CUcontext currentContext();

} // namespace ptxsim::cudart

#endif // TCC_TOOLS_PTXSIM_CUDART_GRAPHPARAMS_H
