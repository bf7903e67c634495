// Streams: making, waiting, attributes.

#include "tools/ptxsim/driver/Stream.h"

#include "tools/ptxsim/driver/Capture.h"

#include <algorithm>
#include <cstring>

namespace ptxsim::driver {

static constexpr int greatestPriority = -5;

static CUresult create(CUstream *result, unsigned flags, int priority,
                       const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!result || (flags & ~CU_STREAM_NON_BLOCKING) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    auto stream = std::make_shared<Stream>();
    stream->context = call.context;
    stream->id = call.driver.nextStreamId++;
    stream->flags = flags;
    stream->priority = std::clamp(priority, greatestPriority, 0);
    *result = call.driver.streams.insert(stream);
    if (stream->isBlocking())
      call.context->blocking.emplace(stream->id, stream);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuStreamCreate(CUstream *result, unsigned flags) {
  return create(result, flags, 0);
}

PTXSIM_API cuStreamCreateWithPriority(CUstream *result, unsigned flags,
                                      int priority) {
  return create(result, flags, priority);
}

static CUresult destroy(CUstream handle,
                        const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream = call.driver.streams.find(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    // Its work goes on, and the default stream still waits for it.
    stream->isDestroyed = true;
    abandonCapture(*stream);
    call.driver.streams.erase(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuStreamDestroy(CUstream handle) { return destroy(handle); }
PTXSIM_API cuStreamDestroy_v2(CUstream handle) { return destroy(handle); }

/// Runs `body(call, stream)` for a call that names a stream.
template <typename Body>
static CUresult withStream(CUstream handle, Body body,
                           const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    return result == CUDA_SUCCESS ? body(call, stream) : result;
  });
}

using StreamRef = const std::shared_ptr<Stream> &;

PTXSIM_STREAM_API(cuStreamSynchronize, cuStreamSynchronize_ptsz,
                  (CUstream handle), (handle)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    CUresult allowed = checkNotCapturing(*stream);
    if (allowed == CUDA_SUCCESS)
      allowed = checkImplicit(call, *stream);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    call.scheduler().wait(call.lock, tailOf(*stream));
    return stream->context->error;
  });
}

PTXSIM_STREAM_API(cuStreamQuery, cuStreamQuery_ptsz, (CUstream handle),
                  (handle)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    CUresult allowed = checkNotCapturing(*stream);
    if (allowed == CUDA_SUCCESS)
      allowed = checkImplicit(call, *stream);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    bool isDone = call.scheduler().query(call.lock, tailOf(*stream));
    if (stream->context->error != CUDA_SUCCESS)
      return stream->context->error;
    return isDone ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

PTXSIM_STREAM_API(cuStreamGetFlags, cuStreamGetFlags_ptsz,
                  (CUstream handle, unsigned *result), (handle, result)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = stream->flags;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetPriority, cuStreamGetPriority_ptsz,
                  (CUstream handle, int *result), (handle, result)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = stream->priority;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetId, cuStreamGetId_ptsz,
                  (CUstream handle, unsigned long long *result),
                  (handle, result)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = stream->id;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetCtx, cuStreamGetCtx_ptsz,
                  (CUstream handle, CUcontext *result), (handle, result)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = stream->context->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetCtx_v2, cuStreamGetCtx_v2_ptsz,
                  (CUstream handle, CUcontext *result, void **greenContext),
                  (handle, result, greenContext)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = stream->context->handle;
    if (greenContext)
      *greenContext = nullptr;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetDevice, cuStreamGetDevice_ptsz,
                  (CUstream handle, CUdevice *result), (handle, result)) {
  return withStream(handle, [&](Call &, StreamRef) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = 0;
    return CUDA_SUCCESS;
  });
}

/// True for the attributes that a stream has; a priority is one of them.
static bool isStreamAttribute(CUlaunchAttributeID id) {
  return id == CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW ||
         id == CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY ||
         id == CU_LAUNCH_ATTRIBUTE_PRIORITY ||
         id == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP ||
         id == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN;
}

PTXSIM_STREAM_API(cuStreamSetAttribute, cuStreamSetAttribute_ptsz,
                  (CUstream handle, CUlaunchAttributeID id,
                   const CUlaunchAttributeValue *value),
                  (handle, id, value)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!value || !isStreamAttribute(id))
      return CUDA_ERROR_INVALID_VALUE;
    if (id == CU_LAUNCH_ATTRIBUTE_PRIORITY)
      stream->priority = std::clamp(value->priority, greatestPriority, 0);
    else
      stream->attributes[id] = *value;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetAttribute, cuStreamGetAttribute_ptsz,
                  (CUstream handle, CUlaunchAttributeID id,
                   CUlaunchAttributeValue *value),
                  (handle, id, value)) {
  return withStream(handle, [&](Call &, StreamRef stream) -> CUresult {
    if (!value || !isStreamAttribute(id))
      return CUDA_ERROR_INVALID_VALUE;
    std::memset(value, 0, sizeof(*value));
    auto found = stream->attributes.find(id);
    if (id == CU_LAUNCH_ATTRIBUTE_PRIORITY)
      value->priority = stream->priority;
    else if (found != stream->attributes.end())
      *value = found->second;
    else if (id == CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY)
      value->syncPolicy = 1; // CU_SYNC_POLICY_AUTO
    else if (id == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP)
      value->memSyncDomainMap.remote = 1;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamCopyAttributes, cuStreamCopyAttributes_ptsz,
                  (CUstream destination, CUstream source),
                  (destination, source)) {
  return withStream(destination, [&](Call &call, StreamRef to) -> CUresult {
    std::shared_ptr<Stream> from;
    CUresult found = findStream(call, source, from);
    if (found != CUDA_SUCCESS)
      return found;
    if (from->context != to->context)
      return CUDA_ERROR_INVALID_VALUE;
    to->attributes = from->attributes;
    to->priority = from->priority;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
