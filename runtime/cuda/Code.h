// Code of a model in the driver: PTX, which the driver compiles.

#ifndef TCC_RUNTIME_CUDA_CODE_H
#define TCC_RUNTIME_CUDA_CODE_H

#include "runtime/cuda/Driver.h"

#include <string>

namespace tcc::rt::cuda {

/// Compiles and loads `ptx`. The caller unloads `module`.
///
/// \returns DeviceUnavailable if the driver is too old for the version of PTX,
///          or its compiler refuses the text: the message has what it says.
Status loadPtx(const Driver &driver, const std::string &ptx, Module &module);

} // namespace tcc::rt::cuda

#endif // TCC_RUNTIME_CUDA_CODE_H
