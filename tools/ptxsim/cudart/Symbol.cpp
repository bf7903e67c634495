// Variables of the device by their names in the host's code.

#include "tools/ptxsim/cudart/Registry.h"

namespace ptxsim::cudart {

CUDART_API cudaGetSymbolAddress(void **result, const void *symbol) {
  return callContext([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    CUdeviceptr address = 0;
    size_t bytes = 0;
    Code code = findVariable(symbol, address, bytes);
    if (code == cudaSuccess)
      *result = toPointer(address);
    return code;
  });
}

CUDART_API cudaGetSymbolSize(size_t *result, const void *symbol) {
  return callContext([&]() -> Code {
    CUdeviceptr address = 0;
    return result ? findVariable(symbol, address, *result)
                  : static_cast<Code>(cudaErrorInvalidValue);
  });
}

/// Finds `bytes` from `offset` on in the variable of `symbol`.
static Code findPart(const void *symbol, size_t bytes, size_t offset,
                     void *&pointer) {
  CUdeviceptr address = 0;
  size_t size = 0;
  Code code = prepare();
  if (code == cudaSuccess)
    code = findVariable(symbol, address, size);
  if (code == cudaSuccess && (offset > size || bytes > size - offset))
    code = cudaErrorInvalidValue;
  pointer = toPointer(address + offset);
  return code;
}

extern "C" {
cudaError_t cudaMemcpy(void *, const void *, size_t, cudaMemcpyKind);
cudaError_t cudaMemcpyAsync(void *, const void *, size_t, cudaMemcpyKind,
                            CUstream);
}

/// True if `kind` leads to the device, or from it.
static bool leadsTo(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}
static bool leadsFrom(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}

/// Runs `copy(pointer)` for a part of a variable.
template <typename Body>
static cudaError_t withPart(const void *symbol, size_t bytes, size_t offset,
                            bool isPossible, Body copy) {
  if (!isPossible)
    return record(cudaErrorInvalidMemcpyDirection);
  void *pointer = nullptr;
  Code code = findPart(symbol, bytes, offset, pointer);
  return code == cudaSuccess ? copy(pointer) : record(code);
}

CUDART_STREAM_API(cudaMemcpyToSymbol, cudaMemcpyToSymbol_ptds,
                  (const void *symbol, const void *from, size_t bytes,
                   size_t offset, cudaMemcpyKind kind),
                  (symbol, from, bytes, offset, kind)) {
  return withPart(symbol, bytes, offset, leadsTo(kind), [&](void *pointer) {
    return cudaMemcpy(pointer, from, bytes, kind);
  });
}

CUDART_STREAM_API(cudaMemcpyFromSymbol, cudaMemcpyFromSymbol_ptds,
                  (void *to, const void *symbol, size_t bytes, size_t offset,
                   cudaMemcpyKind kind),
                  (to, symbol, bytes, offset, kind)) {
  return withPart(symbol, bytes, offset, leadsFrom(kind), [&](void *pointer) {
    return cudaMemcpy(to, pointer, bytes, kind);
  });
}

CUDART_STREAM_API(cudaMemcpyToSymbolAsync, cudaMemcpyToSymbolAsync_ptsz,
                  (const void *symbol, const void *from, size_t bytes,
                   size_t offset, cudaMemcpyKind kind, CUstream stream),
                  (symbol, from, bytes, offset, kind, stream)) {
  return withPart(symbol, bytes, offset, leadsTo(kind), [&](void *pointer) {
    return cudaMemcpyAsync(pointer, from, bytes, kind, stream);
  });
}

CUDART_STREAM_API(cudaMemcpyFromSymbolAsync, cudaMemcpyFromSymbolAsync_ptsz,
                  (void *to, const void *symbol, size_t bytes, size_t offset,
                   cudaMemcpyKind kind, CUstream stream),
                  (to, symbol, bytes, offset, kind, stream)) {
  return withPart(symbol, bytes, offset, leadsFrom(kind), [&](void *pointer) {
    return cudaMemcpyAsync(to, pointer, bytes, kind, stream);
  });
}

} // namespace ptxsim::cudart
