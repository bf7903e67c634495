// Streams and events.

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

CUDART_API cudaStreamCreate(CUstream *result) {
  return callContext(
      [&]() -> Code { return cuStreamCreate(result, CU_STREAM_DEFAULT); });
}

CUDART_API cudaStreamCreateWithFlags(CUstream *result, unsigned flags) {
  return callContext([&]() -> Code { return cuStreamCreate(result, flags); });
}

CUDART_API cudaStreamCreateWithPriority(CUstream *result, unsigned flags,
                                        int priority) {
  return callContext([&]() -> Code {
    return cuStreamCreateWithPriority(result, flags, priority);
  });
}

CUDART_API cudaStreamDestroy(CUstream stream) {
  return callContext([&]() -> Code { return cuStreamDestroy_v2(stream); });
}

/// Defines a call that only hands a stream and one more thing on.
#define CUDART_STREAM_GETTER(NAME, TWIN, DRIVER, TYPE)                         \
  CUDART_STREAM_API(NAME, TWIN, (CUstream stream, TYPE value),                 \
                    (stream, value)) {                                         \
    return callContext(                                                        \
        [&]() -> Code { return DRIVER(resolve(stream), value); });             \
  }

CUDART_STREAM_GETTER(cudaStreamGetPriority, cudaStreamGetPriority_ptsz,
                     cuStreamGetPriority, int *)
CUDART_STREAM_GETTER(cudaStreamGetFlags, cudaStreamGetFlags_ptsz,
                     cuStreamGetFlags, unsigned *)
CUDART_STREAM_GETTER(cudaStreamGetId, cudaStreamGetId_ptsz, cuStreamGetId,
                     unsigned long long *)
CUDART_STREAM_GETTER(cudaStreamGetDevice, cudaStreamGetDevice_ptsz,
                     cuStreamGetDevice, int *)
CUDART_STREAM_GETTER(cudaStreamIsCapturing, cudaStreamIsCapturing_ptsz,
                     cuStreamIsCapturing, CUstreamCaptureStatus *)
CUDART_STREAM_GETTER(cudaStreamEndCapture, cudaStreamEndCapture_ptsz,
                     cuStreamEndCapture, CUgraph *)
CUDART_STREAM_GETTER(cudaStreamBeginCapture, cudaStreamBeginCapture_ptsz,
                     cuStreamBeginCapture_v2, CUstreamCaptureMode)

CUDART_STREAM_API(cudaStreamSynchronize, cudaStreamSynchronize_ptsz,
                  (CUstream stream), (stream)) {
  return callContext(
      [&]() -> Code { return cuStreamSynchronize(resolve(stream)); });
}

CUDART_STREAM_API(cudaStreamQuery, cudaStreamQuery_ptsz, (CUstream stream),
                  (stream)) {
  return callContext([&]() -> Code { return cuStreamQuery(resolve(stream)); });
}

CUDART_STREAM_API(cudaStreamCopyAttributes, cudaStreamCopyAttributes_ptsz,
                  (CUstream destination, CUstream source),
                  (destination, source)) {
  return callContext([&]() -> Code {
    return cuStreamCopyAttributes(resolve(destination), resolve(source));
  });
}

CUDART_STREAM_API(cudaStreamGetAttribute, cudaStreamGetAttribute_ptsz,
                  (CUstream stream, CUlaunchAttributeID id,
                   CUlaunchAttributeValue *value),
                  (stream, id, value)) {
  return callContext([&]() -> Code {
    return cuStreamGetAttribute(resolve(stream), id, value);
  });
}

CUDART_STREAM_API(cudaStreamSetAttribute, cudaStreamSetAttribute_ptsz,
                  (CUstream stream, CUlaunchAttributeID id,
                   const CUlaunchAttributeValue *value),
                  (stream, id, value)) {
  return callContext([&]() -> Code {
    return cuStreamSetAttribute(resolve(stream), id, value);
  });
}

CUDART_STREAM_API(cudaStreamWaitEvent, cudaStreamWaitEvent_ptsz,
                  (CUstream stream, CUevent event, unsigned flags),
                  (stream, event, flags)) {
  return callContext([&]() -> Code {
    return cuStreamWaitEvent(resolve(stream), event, flags);
  });
}

CUDART_STREAM_API(cudaStreamAddCallback, cudaStreamAddCallback_ptsz,
                  (CUstream stream, CUstreamCallback callback, void *data,
                   unsigned flags),
                  (stream, callback, data, flags)) {
  // The results that a callback is told have the same numbers in both.
  return callContext([&]() -> Code {
    return cuStreamAddCallback(resolve(stream), callback, data, flags);
  });
}

CUDART_STREAM_API(cudaStreamAttachMemAsync, cudaStreamAttachMemAsync_ptsz,
                  (CUstream stream, void *pointer, size_t bytes,
                   unsigned flags),
                  (stream, pointer, bytes, flags)) {
  return callContext([&]() -> Code {
    return cuStreamAttachMemAsync(resolve(stream), toAddress(pointer), bytes,
                                  flags);
  });
}

CUDART_STREAM_API(cudaStreamBeginCaptureToGraph,
                  cudaStreamBeginCaptureToGraph_ptsz,
                  (CUstream stream, CUgraph graph, const CUgraphNode *nodes,
                   const CUgraphEdgeData *data, size_t count,
                   CUstreamCaptureMode mode),
                  (stream, graph, nodes, data, count, mode)) {
  return callContext([&]() -> Code {
    return cuStreamBeginCaptureToGraph(resolve(stream), graph, nodes, data,
                                       count, mode);
  });
}

CUDART_API cudaThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  return callDriver(
      [&]() -> Code { return cuThreadExchangeStreamCaptureMode(mode); });
}

CUDART_STREAM_API(cudaStreamGetCaptureInfo, cudaStreamGetCaptureInfo_ptsz,
                  (CUstream stream, CUstreamCaptureStatus *status, uint64_t *id,
                   CUgraph *graph, const CUgraphNode **nodes,
                   const CUgraphEdgeData **data, size_t *count),
                  (stream, status, id, graph, nodes, data, count)) {
  return callContext([&]() -> Code {
    return cuStreamGetCaptureInfo_v3(resolve(stream), status, id, graph, nodes,
                                     data, count);
  });
}

CUDART_STREAM_API(cudaStreamUpdateCaptureDependencies,
                  cudaStreamUpdateCaptureDependencies_ptsz,
                  (CUstream stream, CUgraphNode *nodes,
                   const CUgraphEdgeData *data, size_t count, unsigned flags),
                  (stream, nodes, data, count, flags)) {
  return callContext([&]() -> Code {
    return cuStreamUpdateCaptureDependencies_v2(resolve(stream), nodes, data,
                                                count, flags);
  });
}

CUDART_API cudaEventCreate(CUevent *result) {
  return callContext(
      [&]() -> Code { return cuEventCreate(result, CU_EVENT_DEFAULT); });
}

CUDART_API cudaEventCreateWithFlags(CUevent *result, unsigned flags) {
  return callContext([&]() -> Code { return cuEventCreate(result, flags); });
}

CUDART_STREAM_API(cudaEventRecord, cudaEventRecord_ptsz,
                  (CUevent event, CUstream stream), (event, stream)) {
  return callContext(
      [&]() -> Code { return cuEventRecord(event, resolve(stream)); });
}

CUDART_STREAM_API(cudaEventRecordWithFlags, cudaEventRecordWithFlags_ptsz,
                  (CUevent event, CUstream stream, unsigned flags),
                  (event, stream, flags)) {
  return callContext([&]() -> Code {
    return cuEventRecordWithFlags(event, resolve(stream), flags);
  });
}

CUDART_API cudaEventQuery(CUevent event) {
  return callContext([&]() -> Code { return cuEventQuery(event); });
}

CUDART_API cudaEventSynchronize(CUevent event) {
  return callContext([&]() -> Code { return cuEventSynchronize(event); });
}

CUDART_API cudaEventDestroy(CUevent event) {
  return callContext([&]() -> Code { return cuEventDestroy_v2(event); });
}

CUDART_API cudaEventElapsedTime(float *result, CUevent first, CUevent second) {
  return callContext(
      [&]() -> Code { return cuEventElapsedTime_v2(result, first, second); });
}

} // namespace ptxsim::cudart
