// Events: recording, waiting, time.

#include "tools/ptxsim/driver/Event.h"

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Graph.h"

namespace ptxsim::driver {

void RecordWork::noteSubmitted(const std::shared_ptr<Task> &task) const {
  event->task = task;
  event->kind = EdgeKind::Full;
  event->capture.reset();
  event->captureLast.clear();
}

void WaitWork::addDependencies(std::vector<Dependency> &dependencies) const {
  if (event->task)
    dependencies.push_back({event->task, event->kind});
}

CUresult findEvent(Call &call, CUevent handle, std::shared_ptr<Event> &event) {
  event = call.driver.events.find(handle);
  return event ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

void noteRecorded(const Stream &stream, const Submitted &submitted,
                  EdgeKind kind, Event &event) {
  event.task = submitted.task;
  event.kind = kind;
  event.capture.reset();
  event.captureLast.clear();
  if (submitted.node) {
    event.capture = stream.capture;
    event.captureLast = {{submitted.node, edgeData(kind)}};
  }
}

PTXSIM_API cuEventCreate(CUevent *result, unsigned flags) {
  return withContext([&](Call &call) -> CUresult {
    constexpr unsigned known = CU_EVENT_BLOCKING_SYNC |
                               CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;
    if (!result || (flags & ~known) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (flags & CU_EVENT_INTERPROCESS) {
      call.driver.complain("cuEventCreate: expected an event of this process, "
                           "got CU_EVENT_INTERPROCESS");
      return CUDA_ERROR_NOT_SUPPORTED;
    }
    auto event = std::make_shared<Event>();
    event->context = call.context;
    event->flags = flags;
    *result = call.driver.events.insert(event);
    return CUDA_SUCCESS;
  });
}

/// Runs `body(call, event)` for a call that names an event.
template <typename Body>
static CUresult withEvent(CUevent handle, Body body,
                          const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Event> event;
    CUresult result = findEvent(call, handle, event);
    return result == CUDA_SUCCESS ? body(call, event) : result;
  });
}

using EventRef = const std::shared_ptr<Event> &;

static CUresult destroy(CUevent handle) {
  return withEvent(handle, [&](Call &call, EventRef) -> CUresult {
    call.driver.events.erase(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuEventDestroy(CUevent handle) { return destroy(handle); }
PTXSIM_API cuEventDestroy_v2(CUevent handle) { return destroy(handle); }

static CUresult record(CUevent handle, CUstream streamHandle, unsigned flags) {
  return withEvent(handle, [&](Call &call, EventRef event) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, streamHandle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    if ((flags & ~eventExternal) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (event->context != stream->context)
      return CUDA_ERROR_INVALID_HANDLE;
    result = checkImplicit(call, *stream);
    if (result != CUDA_SUCCESS)
      return result;
    if (!stream->capture || (flags & eventExternal)) {
      // Outside a capture there is nothing to be external to.
      if (!stream->capture && (flags & eventExternal))
        return CUDA_ERROR_INVALID_VALUE;
      return submitWork(call, stream, std::make_shared<RecordWork>(event));
    }
    if (stream->capture->isInvalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    event->task.reset();
    event->capture = stream->capture;
    event->captureLast = stream->captureLast;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuEventRecord, cuEventRecord_ptsz,
                  (CUevent event, CUstream stream), (event, stream)) {
  return record(event, stream, 0);
}

PTXSIM_STREAM_API(cuEventRecordWithFlags, cuEventRecordWithFlags_ptsz,
                  (CUevent event, CUstream stream, unsigned flags),
                  (event, stream, flags)) {
  return record(event, stream, flags);
}

PTXSIM_API cuEventQuery(CUevent handle) {
  return withEvent(handle, [&](Call &call, EventRef event) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    if (event->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    if (event->task && event->task->has(event->kind))
      call.scheduler().noteKnown(*event->task, event->kind);
    if (!event->task || event->task->has(event->kind))
      return event->context->error;
    call.scheduler().query(call.lock, {event->task});
    if (event->context->error != CUDA_SUCCESS)
      return event->context->error;
    return CUDA_ERROR_NOT_READY;
  });
}

PTXSIM_API cuEventSynchronize(CUevent handle) {
  return withEvent(handle, [&](Call &call, EventRef event) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    if (event->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    if (std::shared_ptr<Task> task = event->task)
      call.scheduler().wait(call.lock, {task}, event->kind);
    return event->context->error;
  });
}

PTXSIM_STREAM_API(cuStreamWaitEvent, cuStreamWaitEvent_ptsz,
                  (CUstream streamHandle, CUevent handle, unsigned flags),
                  (streamHandle, handle, flags)) {
  return withEvent(handle, [&](Call &call, EventRef event) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, streamHandle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    if ((flags & ~eventExternal) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (flags & eventExternal)
      return stream->capture
                 ? submitWork(call, stream, std::make_shared<WaitWork>(event))
                 : CUDA_ERROR_INVALID_VALUE;
    if (event->capture)
      return joinCapture(call, stream, event->capture, event->captureLast);
    if (stream->capture) {
      // An event that was never recorded orders nothing.
      if (!event->task)
        return CUDA_SUCCESS;
      stream->capture->isInvalidated = true;
      return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
    }
    return submitWork(call, stream, std::make_shared<WaitWork>(event));
  });
}

static CUresult elapsedTime(float *result, CUevent firstHandle,
                            CUevent secondHandle) {
  return withEvent(firstHandle, [&](Call &call, EventRef first) -> CUresult {
    std::shared_ptr<Event> second;
    CUresult found = findEvent(call, secondHandle, second);
    if (found != CUDA_SUCCESS)
      return found;
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    for (const Event *event : {first.get(), second.get()})
      if ((event->flags & CU_EVENT_DISABLE_TIMING) ||
          (!event->task && !event->capture) || event->context != first->context)
        return CUDA_ERROR_INVALID_HANDLE;
    if (first->capture || second->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    if (!first->task->isDone() || !second->task->isDone()) {
      call.scheduler().query(call.lock, {first->task, second->task});
      return CUDA_ERROR_NOT_READY;
    }
    for (const Event *event : {first.get(), second.get()})
      call.scheduler().noteKnown(*event->task, event->kind);
    *result = std::chrono::duration<float, std::milli>(second->task->finished -
                                                       first->task->finished)
                  .count();
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuEventElapsedTime(float *result, CUevent first, CUevent second) {
  return elapsedTime(result, first, second);
}

PTXSIM_API cuEventElapsedTime_v2(float *result, CUevent first, CUevent second) {
  return elapsedTime(result, first, second);
}

} // namespace ptxsim::driver
