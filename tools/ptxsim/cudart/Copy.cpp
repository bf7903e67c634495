// Copies and sets of memory.

#include "tools/ptxsim/cudart/Copy.h"

#include <cstring>

namespace ptxsim::cudart {

/// Says where `kind` tells that the two sides are.
static bool readKind(cudaMemcpyKind kind, CUmemorytype &destination,
                     CUmemorytype &source) {
  switch (kind) {
  case cudaMemcpyHostToHost:
    destination = source = CU_MEMORYTYPE_HOST;
    return true;
  case cudaMemcpyHostToDevice:
    destination = CU_MEMORYTYPE_DEVICE;
    source = CU_MEMORYTYPE_HOST;
    return true;
  case cudaMemcpyDeviceToHost:
    destination = CU_MEMORYTYPE_HOST;
    source = CU_MEMORYTYPE_DEVICE;
    return true;
  case cudaMemcpyDeviceToDevice:
    destination = source = CU_MEMORYTYPE_DEVICE;
    return true;
  case cudaMemcpyDefault:
    destination = source = CU_MEMORYTYPE_UNIFIED;
    return true;
  }
  return false;
}

Code toDriver(const Rows &rows, cudaMemcpyKind kind, CUDA_MEMCPY3D &result) {
  std::memset(&result, 0, sizeof(result));
  if (!readKind(kind, result.dstMemoryType, result.srcMemoryType))
    return cudaErrorInvalidMemcpyDirection;
  if (rows.height > 1 &&
      (rows.destinationPitch < rows.width || rows.sourcePitch < rows.width))
    return cudaErrorInvalidPitchValue;
  result.dstHost = rows.destination;
  result.dstDevice = toAddress(rows.destination);
  result.dstPitch = rows.destinationPitch;
  result.srcHost = rows.source;
  result.srcDevice = toAddress(rows.source);
  result.srcPitch = rows.sourcePitch;
  result.WidthInBytes = rows.width;
  result.Height = rows.height;
  result.Depth = 1;
  return cudaSuccess;
}

Code toDriver(const cudaMemcpy3DParms &box, CUDA_MEMCPY3D &result) {
  std::memset(&result, 0, sizeof(result));
  if (!readKind(box.kind, result.dstMemoryType, result.srcMemoryType))
    return cudaErrorInvalidMemcpyDirection;
  if (box.srcArray)
    result.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  if (box.dstArray)
    result.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  result.srcXInBytes = box.srcPos.x;
  result.srcY = box.srcPos.y;
  result.srcZ = box.srcPos.z;
  result.srcHost = box.srcPtr.ptr;
  result.srcDevice = toAddress(box.srcPtr.ptr);
  result.srcPitch = box.srcPtr.pitch;
  result.srcHeight = box.srcPtr.ysize;
  result.dstXInBytes = box.dstPos.x;
  result.dstY = box.dstPos.y;
  result.dstZ = box.dstPos.z;
  result.dstHost = box.dstPtr.ptr;
  result.dstDevice = toAddress(box.dstPtr.ptr);
  result.dstPitch = box.dstPtr.pitch;
  result.dstHeight = box.dstPtr.ysize;
  result.WidthInBytes = box.extent.width;
  result.Height = box.extent.height;
  result.Depth = box.extent.depth;
  return cudaSuccess;
}

cudaMemcpy3DParms toRuntime(const CUDA_MEMCPY3D &box) {
  cudaMemcpy3DParms result;
  std::memset(&result, 0, sizeof(result));
  result.srcPos = {box.srcXInBytes, box.srcY, box.srcZ};
  result.srcPtr = {toPointer(box.srcDevice), box.srcPitch, box.WidthInBytes,
                   box.srcHeight};
  result.dstPos = {box.dstXInBytes, box.dstY, box.dstZ};
  result.dstPtr = {toPointer(box.dstDevice), box.dstPitch, box.WidthInBytes,
                   box.dstHeight};
  result.extent = {box.WidthInBytes, box.Height, box.Depth};
  bool toHost = box.dstMemoryType == CU_MEMORYTYPE_HOST;
  bool fromHost = box.srcMemoryType == CU_MEMORYTYPE_HOST;
  result.kind =
      toHost ? (fromHost ? cudaMemcpyHostToHost : cudaMemcpyDeviceToHost)
             : (fromHost ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToDevice);
  return result;
}

/// Copies a box and waits as the driver does.
static Code copyBox(const CUDA_MEMCPY3D &box) {
  return CUDART_CALL_TWIN(cuMemcpy3D_v2, cuMemcpy3D_v2_ptds, &box);
}

static cudaError_t copyRows(const Rows &rows, cudaMemcpyKind kind) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = toDriver(rows, kind, box);
    return code == cudaSuccess ? copyBox(box) : code;
  });
}

static cudaError_t copyRowsAsync(const Rows &rows, cudaMemcpyKind kind,
                                 CUstream stream) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = toDriver(rows, kind, box);
    return code == cudaSuccess ? cuMemcpy3DAsync_v2(&box, resolve(stream))
                               : code;
  });
}

CUDART_STREAM_API(cudaMemcpy, cudaMemcpy_ptds,
                  (void *to, const void *from, size_t bytes,
                   cudaMemcpyKind kind),
                  (to, from, bytes, kind)) {
  return copyRows({to, 0, from, 0, bytes, 1}, kind);
}

CUDART_STREAM_API(cudaMemcpyAsync, cudaMemcpyAsync_ptsz,
                  (void *to, const void *from, size_t bytes,
                   cudaMemcpyKind kind, CUstream stream),
                  (to, from, bytes, kind, stream)) {
  return copyRowsAsync({to, 0, from, 0, bytes, 1}, kind, stream);
}

CUDART_STREAM_API(cudaMemcpy2D, cudaMemcpy2D_ptds,
                  (void *to, size_t toPitch, const void *from, size_t fromPitch,
                   size_t width, size_t height, cudaMemcpyKind kind),
                  (to, toPitch, from, fromPitch, width, height, kind)) {
  return copyRows({to, toPitch, from, fromPitch, width, height}, kind);
}

CUDART_STREAM_API(cudaMemcpy2DAsync, cudaMemcpy2DAsync_ptsz,
                  (void *to, size_t toPitch, const void *from, size_t fromPitch,
                   size_t width, size_t height, cudaMemcpyKind kind,
                   CUstream stream),
                  (to, toPitch, from, fromPitch, width, height, kind, stream)) {
  return copyRowsAsync({to, toPitch, from, fromPitch, width, height}, kind,
                       stream);
}

CUDART_STREAM_API(cudaMemcpy3D, cudaMemcpy3D_ptds,
                  (const cudaMemcpy3DParms *parameters), (parameters)) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = parameters ? toDriver(*parameters, box)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess ? copyBox(box) : code;
  });
}

CUDART_STREAM_API(cudaMemcpy3DAsync, cudaMemcpy3DAsync_ptsz,
                  (const cudaMemcpy3DParms *parameters, CUstream stream),
                  (parameters, stream)) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = parameters ? toDriver(*parameters, box)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess ? cuMemcpy3DAsync_v2(&box, resolve(stream))
                               : code;
  });
}

CUDART_API cudaMemcpyPeer(void *to, int toDevice, const void *from,
                          int fromDevice, size_t bytes) {
  if (toDevice != 0 || fromDevice != 0)
    return record(cudaErrorInvalidDevice);
  return copyRows({to, 0, from, 0, bytes, 1}, cudaMemcpyDeviceToDevice);
}

CUDART_API cudaMemcpyPeerAsync(void *to, int toDevice, const void *from,
                               int fromDevice, size_t bytes, CUstream stream) {
  if (toDevice != 0 || fromDevice != 0)
    return record(cudaErrorInvalidDevice);
  return copyRowsAsync({to, 0, from, 0, bytes, 1}, cudaMemcpyDeviceToDevice,
                       stream);
}

/// Describes a copy between devices as one of the device.
static cudaError_t toBox(const cudaMemcpy3DPeerParms *peer,
                         cudaMemcpy3DParms &box,
                         const char *name = __builtin_FUNCTION()) {
  auto read = [&]() -> Code {
    if (!peer)
      return cudaErrorInvalidValue;
    if (peer->srcDevice != 0 || peer->dstDevice != 0)
      return cudaErrorInvalidDevice;
    box = {
        peer->srcArray, peer->srcPos, peer->srcPtr, peer->dstArray,
        peer->dstPos,   peer->dstPtr, peer->extent, cudaMemcpyDeviceToDevice};
    return cudaSuccess;
  };
  return callAlone(read, name);
}

CUDART_STREAM_API(cudaMemcpy3DPeer, cudaMemcpy3DPeer_ptds,
                  (const cudaMemcpy3DPeerParms *peer), (peer)) {
  cudaMemcpy3DParms box;
  cudaError_t read = toBox(peer, box);
  return read == cudaSuccess ? cudaMemcpy3D(&box) : read;
}

CUDART_STREAM_API(cudaMemcpy3DPeerAsync, cudaMemcpy3DPeerAsync_ptsz,
                  (const cudaMemcpy3DPeerParms *peer, CUstream stream),
                  (peer, stream)) {
  cudaMemcpy3DParms box;
  cudaError_t read = toBox(peer, box);
  return read == cudaSuccess ? cudaMemcpy3DAsync(&box, stream) : read;
}

CUDART_STREAM_API(cudaMemcpyBatchAsync, cudaMemcpyBatchAsync_ptsz,
                  (void *const *to, const void *const *from,
                   const size_t *bytes, size_t count, void *attributes,
                   size_t *attributeIndices, size_t attributeCount,
                   CUstream stream),
                  (to, from, bytes, count, attributes, attributeIndices,
                   attributeCount, stream)) {
  return callContext([&]() -> Code {
    auto addresses = [](const void *pointers) {
      return const_cast<CUdeviceptr *>(
          static_cast<const CUdeviceptr *>(pointers));
    };
    return cuMemcpyBatchAsync_v2(
        addresses(to), addresses(from), const_cast<size_t *>(bytes), count,
        attributes, attributeIndices, attributeCount, resolve(stream));
  });
}

/// Sets `height` rows of `width` bytes.
static Code setRows(void *pointer, size_t pitch, int value, size_t width,
                    size_t height) {
  auto byte = static_cast<unsigned char>(value);
  return CUDART_CALL_TWIN(cuMemsetD2D8_v2, cuMemsetD2D8_v2_ptds,
                          toAddress(pointer), pitch, byte, width, height);
}

static Code setRowsAsync(void *pointer, size_t pitch, int value, size_t width,
                         size_t height, CUstream stream) {
  return cuMemsetD2D8Async(toAddress(pointer), pitch,
                           static_cast<unsigned char>(value), width, height,
                           resolve(stream));
}

CUDART_STREAM_API(cudaMemset, cudaMemset_ptds,
                  (void *pointer, int value, size_t bytes),
                  (pointer, value, bytes)) {
  return callContext(
      [&]() -> Code { return setRows(pointer, bytes, value, bytes, 1); });
}

CUDART_STREAM_API(cudaMemsetAsync, cudaMemsetAsync_ptsz,
                  (void *pointer, int value, size_t bytes, CUstream stream),
                  (pointer, value, bytes, stream)) {
  return callContext([&]() -> Code {
    return setRowsAsync(pointer, bytes, value, bytes, 1, stream);
  });
}

CUDART_STREAM_API(cudaMemset2D, cudaMemset2D_ptds,
                  (void *pointer, size_t pitch, int value, size_t width,
                   size_t height),
                  (pointer, pitch, value, width, height)) {
  return callContext(
      [&]() -> Code { return setRows(pointer, pitch, value, width, height); });
}

CUDART_STREAM_API(cudaMemset2DAsync, cudaMemset2DAsync_ptsz,
                  (void *pointer, size_t pitch, int value, size_t width,
                   size_t height, CUstream stream),
                  (pointer, pitch, value, width, height, stream)) {
  return callContext([&]() -> Code {
    return setRowsAsync(pointer, pitch, value, width, height, stream);
  });
}

/// Runs `set(layer)` for each layer of a box, which need not touch each other.
/// They lie behind each other, so that memory ends before they do.
template <typename Body>
static Code forLayers(const cudaPitchedPtr &box, const cudaExtent &extent,
                      Body set) {
  if (extent.width == 0 || extent.height == 0 || extent.depth == 0)
    return cudaSuccess;
  bool liesBehind = extent.width <= box.pitch && extent.height <= box.ysize;
  if (extent.depth > 1 && !liesBehind)
    return cudaErrorInvalidValue;
  for (size_t layer = 0; layer < extent.depth; ++layer) {
    void *pointer =
        static_cast<char *>(box.ptr) + layer * box.pitch * box.ysize;
    Code code = set(pointer);
    if (code != cudaSuccess)
      return code;
  }
  return cudaSuccess;
}

CUDART_STREAM_API(cudaMemset3D, cudaMemset3D_ptds,
                  (cudaPitchedPtr box, int value, cudaExtent extent),
                  (box, value, extent)) {
  return callContext([&]() -> Code {
    return forLayers(box, extent, [&](void *pointer) {
      return setRows(pointer, box.pitch, value, extent.width, extent.height);
    });
  });
}

CUDART_STREAM_API(cudaMemset3DAsync, cudaMemset3DAsync_ptsz,
                  (cudaPitchedPtr box, int value, cudaExtent extent,
                   CUstream stream),
                  (box, value, extent, stream)) {
  return callContext([&]() -> Code {
    return forLayers(box, extent, [&](void *pointer) {
      return setRowsAsync(pointer, box.pitch, value, extent.width,
                          extent.height, stream);
    });
  });
}

} // namespace ptxsim::cudart
