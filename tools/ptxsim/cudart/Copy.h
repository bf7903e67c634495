// Copies as the driver wants them.

#ifndef TCC_TOOLS_PTXSIM_CUDART_COPY_H
#define TCC_TOOLS_PTXSIM_CUDART_COPY_H

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

/// Rows of memory that are copied: `height` of `width` bytes each.
struct Rows {
  void *destination;
  size_t destinationPitch;
  const void *source;
  size_t sourcePitch;
  size_t width, height;
};

/// Describes a copy of rows.
Code toDriver(const Rows &rows, cudaMemcpyKind kind, CUDA_MEMCPY3D &result);

/// Describes a copy of a box.
Code toDriver(const cudaMemcpy3DParms &box, CUDA_MEMCPY3D &result);

/// Returns what a program would have asked for.
cudaMemcpy3DParms toRuntime(const CUDA_MEMCPY3D &box);

} // namespace ptxsim::cudart

#endif // TCC_TOOLS_PTXSIM_CUDART_COPY_H
