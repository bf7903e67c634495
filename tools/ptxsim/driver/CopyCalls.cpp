// The calls that copy: cuMemcpy*.

#include "tools/ptxsim/driver/Copy.h"
#include "tools/ptxsim/driver/Stream.h"

namespace ptxsim::driver {

/// A copy of bytes in a row.
static CopyRequest flat(CUdeviceptr destination, Where to, CUdeviceptr source,
                        Where from, size_t bytes) {
  CopyRequest request;
  request.shape.destination.address = destination;
  request.shape.source.address = source;
  request.shape.width = bytes;
  request.destination = to;
  request.source = from;
  return request;
}

static CUdeviceptr addressOf(const void *pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

static CUresult copy(const char *name, const CopyRequest &request,
                     CUstream stream, CopyMode mode) {
  return withContext(name, [&](Call &call) -> CUresult {
    return submitCopy(call, name, request, stream, mode);
  });
}

PTXSIM_STREAM_API(cuMemcpyHtoD_v2, cuMemcpyHtoD_v2_ptds,
                  (CUdeviceptr to, const void *from, size_t bytes),
                  (to, from, bytes)) {
  return copy("cuMemcpyHtoD",
              flat(to, Where::Device, addressOf(from), Where::Host, bytes),
              nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpyDtoH_v2, cuMemcpyDtoH_v2_ptds,
                  (void *to, CUdeviceptr from, size_t bytes),
                  (to, from, bytes)) {
  return copy("cuMemcpyDtoH",
              flat(addressOf(to), Where::Host, from, Where::Device, bytes),
              nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpyDtoD_v2, cuMemcpyDtoD_v2_ptds,
                  (CUdeviceptr to, CUdeviceptr from, size_t bytes),
                  (to, from, bytes)) {
  return copy("cuMemcpyDtoD",
              flat(to, Where::Device, from, Where::Device, bytes), nullptr,
              CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpy, cuMemcpy_ptds,
                  (CUdeviceptr to, CUdeviceptr from, size_t bytes),
                  (to, from, bytes)) {
  return copy("cuMemcpy", flat(to, Where::Either, from, Where::Either, bytes),
              nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpyHtoDAsync_v2, cuMemcpyHtoDAsync_v2_ptsz,
                  (CUdeviceptr to, const void *from, size_t bytes,
                   CUstream stream),
                  (to, from, bytes, stream)) {
  return copy("cuMemcpyHtoDAsync",
              flat(to, Where::Device, addressOf(from), Where::Host, bytes),
              stream, CopyMode::Async);
}

PTXSIM_STREAM_API(cuMemcpyDtoHAsync_v2, cuMemcpyDtoHAsync_v2_ptsz,
                  (void *to, CUdeviceptr from, size_t bytes, CUstream stream),
                  (to, from, bytes, stream)) {
  return copy("cuMemcpyDtoHAsync",
              flat(addressOf(to), Where::Host, from, Where::Device, bytes),
              stream, CopyMode::Async);
}

PTXSIM_STREAM_API(cuMemcpyDtoDAsync_v2, cuMemcpyDtoDAsync_v2_ptsz,
                  (CUdeviceptr to, CUdeviceptr from, size_t bytes,
                   CUstream stream),
                  (to, from, bytes, stream)) {
  return copy("cuMemcpyDtoDAsync",
              flat(to, Where::Device, from, Where::Device, bytes), stream,
              CopyMode::Async);
}

PTXSIM_STREAM_API(cuMemcpyAsync, cuMemcpyAsync_ptsz,
                  (CUdeviceptr to, CUdeviceptr from, size_t bytes,
                   CUstream stream),
                  (to, from, bytes, stream)) {
  return copy("cuMemcpyAsync",
              flat(to, Where::Either, from, Where::Either, bytes), stream,
              CopyMode::Async);
}

/// A copy between contexts, which share the one device.
static CUresult copyPeer(const char *name, const CopyRequest &request,
                         CUcontext to, CUcontext from, CUstream stream,
                         CopyMode mode) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!call.driver.contexts.find(to) || !call.driver.contexts.find(from))
      return CUDA_ERROR_INVALID_CONTEXT;
    return submitCopy(call, name, request, stream, mode);
  });
}

PTXSIM_STREAM_API(cuMemcpyPeer, cuMemcpyPeer_ptds,
                  (CUdeviceptr to, CUcontext toContext, CUdeviceptr from,
                   CUcontext fromContext, size_t bytes),
                  (to, toContext, from, fromContext, bytes)) {
  return copyPeer("cuMemcpyPeer",
                  flat(to, Where::Device, from, Where::Device, bytes),
                  toContext, fromContext, nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpyPeerAsync, cuMemcpyPeerAsync_ptsz,
                  (CUdeviceptr to, CUcontext toContext, CUdeviceptr from,
                   CUcontext fromContext, size_t bytes, CUstream stream),
                  (to, toContext, from, fromContext, bytes, stream)) {
  return copyPeer("cuMemcpyPeerAsync",
                  flat(to, Where::Device, from, Where::Device, bytes),
                  toContext, fromContext, stream, CopyMode::Async);
}

static CUresult copyBox(const char *name, const CUDA_MEMCPY3D *parameters,
                        CUstream stream, CopyMode mode) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!parameters)
      return CUDA_ERROR_INVALID_VALUE;
    CopyRequest request;
    CUresult result = readCopy(call, name, *parameters, request);
    return result == CUDA_SUCCESS
               ? submitCopy(call, name, request, stream, mode)
               : result;
  });
}

/// A copy of rows as one of a box with one layer.
static CUDA_MEMCPY3D toBox(const CUDA_MEMCPY2D &rows) {
  CUDA_MEMCPY3D box = {};
  box.srcXInBytes = rows.srcXInBytes;
  box.srcY = rows.srcY;
  box.srcMemoryType = rows.srcMemoryType;
  box.srcHost = rows.srcHost;
  box.srcDevice = rows.srcDevice;
  box.srcPitch = rows.srcPitch;
  box.dstXInBytes = rows.dstXInBytes;
  box.dstY = rows.dstY;
  box.dstMemoryType = rows.dstMemoryType;
  box.dstHost = rows.dstHost;
  box.dstDevice = rows.dstDevice;
  box.dstPitch = rows.dstPitch;
  box.WidthInBytes = rows.WidthInBytes;
  box.Height = rows.Height;
  box.Depth = 1;
  return box;
}

static CUresult copyRows(const char *name, const CUDA_MEMCPY2D *rows,
                         CUstream stream, CopyMode mode) {
  if (!isReadable(rows, name))
    return CUDA_ERROR_INVALID_VALUE;
  CUDA_MEMCPY3D box = toBox(*rows);
  return copyBox(name, &box, stream, mode);
}

PTXSIM_STREAM_API(cuMemcpy2D_v2, cuMemcpy2D_v2_ptds,
                  (const CUDA_MEMCPY2D *rows), (rows)) {
  return copyRows("cuMemcpy2D", rows, nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpy2DUnaligned_v2, cuMemcpy2DUnaligned_v2_ptds,
                  (const CUDA_MEMCPY2D *rows), (rows)) {
  return copyRows("cuMemcpy2DUnaligned", rows, nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpy2DAsync_v2, cuMemcpy2DAsync_v2_ptsz,
                  (const CUDA_MEMCPY2D *rows, CUstream stream),
                  (rows, stream)) {
  return copyRows("cuMemcpy2DAsync", rows, stream, CopyMode::Async);
}

PTXSIM_STREAM_API(cuMemcpy3D_v2, cuMemcpy3D_v2_ptds, (const CUDA_MEMCPY3D *box),
                  (box)) {
  return copyBox("cuMemcpy3D", box, nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpy3DAsync_v2, cuMemcpy3DAsync_v2_ptsz,
                  (const CUDA_MEMCPY3D *box, CUstream stream), (box, stream)) {
  return copyBox("cuMemcpy3DAsync", box, stream, CopyMode::Async);
}

static CUresult copyPeerBox(const char *name, const CUDA_MEMCPY3D_PEER *peer,
                            CUstream stream, CopyMode mode) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!peer)
      return CUDA_ERROR_INVALID_VALUE;
    if (!call.driver.contexts.find(peer->dstOwner) ||
        !call.driver.contexts.find(peer->srcOwner))
      return CUDA_ERROR_INVALID_CONTEXT;
    CUDA_MEMCPY3D box = {};
    static_assert(sizeof(box) == sizeof(*peer), "they differ in two types");
    __builtin_memcpy(&box, peer, sizeof(box));
    CopyRequest request;
    CUresult result = readCopy(call, name, box, request);
    return result == CUDA_SUCCESS
               ? submitCopy(call, name, request, stream, mode)
               : result;
  });
}

PTXSIM_STREAM_API(cuMemcpy3DPeer, cuMemcpy3DPeer_ptds,
                  (const CUDA_MEMCPY3D_PEER *box), (box)) {
  return copyPeerBox("cuMemcpy3DPeer", box, nullptr, CopyMode::Sync);
}

PTXSIM_STREAM_API(cuMemcpy3DPeerAsync, cuMemcpy3DPeerAsync_ptsz,
                  (const CUDA_MEMCPY3D_PEER *box, CUstream stream),
                  (box, stream)) {
  return copyPeerBox("cuMemcpy3DPeerAsync", box, stream, CopyMode::Async);
}

static CUresult copyBatch(CUdeviceptr *to, CUdeviceptr *from, size_t *bytes,
                          size_t count, const size_t *attributeIndices,
                          size_t attributeCount, CUstream stream,
                          const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (count == 0 || !to || !from || !bytes || attributeCount > count ||
        (attributeCount != 0 && !attributeIndices) || !stream)
      return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count; ++i) {
      CUresult result = submitCopy(
          call, "cuMemcpyBatchAsync",
          flat(to[i], Where::Either, from[i], Where::Either, bytes[i]), stream,
          CopyMode::Async);
      if (result != CUDA_SUCCESS)
        return result;
    }
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuMemcpyBatchAsync_v2, cuMemcpyBatchAsync_v2_ptsz,
                  (CUdeviceptr * to, CUdeviceptr *from, size_t *bytes,
                   size_t count, void *attributes, size_t *attributeIndices,
                   size_t attributeCount, CUstream stream),
                  (to, from, bytes, count, attributes, attributeIndices,
                   attributeCount, stream)) {
  (void)attributes; // Hints; staging has the strictest meaning of them.
  return copyBatch(to, from, bytes, count, attributeIndices, attributeCount,
                   stream);
}

PTXSIM_STREAM_API(cuMemcpyBatchAsync, cuMemcpyBatchAsync_ptsz,
                  (CUdeviceptr * to, CUdeviceptr *from, size_t *bytes,
                   size_t count, void *attributes, size_t *attributeIndices,
                   size_t attributeCount, size_t *failed, CUstream stream),
                  (to, from, bytes, count, attributes, attributeIndices,
                   attributeCount, failed, stream)) {
  (void)attributes;
  // All of them, or none in particular.
  if (failed && giveResult(failed, SIZE_MAX) != CUDA_SUCCESS)
    return CUDA_ERROR_INVALID_VALUE;
  return copyBatch(to, from, bytes, count, attributeIndices, attributeCount,
                   stream);
}

} // namespace ptxsim::driver
