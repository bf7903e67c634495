// Functions of the host in streams.

#include "tools/ptxsim/driver/Host.h"

#include "tools/ptxsim/driver/Stream.h"

namespace ptxsim::driver {

Progress HostWork::start(Task &task, Driver &driver) const {
  std::function<void()> call;
  if (callback) {
    CUresult status = task.context->error;
    call = [callback = callback, stream = stream, status, data = data] {
      callback(stream, status, data);
    };
  } else {
    call = [function = function, data = data] { function(data); };
  }
  task.progressState = driver.scheduler.hostRunner().run(std::move(call));
  return Progress::InHost;
}

Progress HostWork::poll(Task &task, Driver &driver) const {
  auto call = std::static_pointer_cast<HostRunner::Call>(task.progressState);
  return driver.scheduler.hostRunner().isDone(*call) ? Progress::Done
                                                     : Progress::InHost;
}

PTXSIM_STREAM_API(cuLaunchHostFunc, cuLaunchHostFunc_ptsz,
                  (CUstream handle, CUhostFn function, void *data),
                  (handle, function, data)) {
  return withContext([&](Call &call) -> CUresult {
    if (!isExecutable(function))
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    return submitWork(call, stream, std::make_shared<HostWork>(function, data));
  });
}

PTXSIM_STREAM_API(cuStreamAddCallback, cuStreamAddCallback_ptsz,
                  (CUstream handle, CUstreamCallback callback, void *data,
                   unsigned flags),
                  (handle, callback, data, flags)) {
  return withContext([&](Call &call) -> CUresult {
    if (!isExecutable(callback) || flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    // Unlike functions, callbacks cannot become part of a graph.
    if (stream->capture) {
      stream->capture->isInvalidated = true;
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return submitWork(call, stream,
                      std::make_shared<HostWork>(callback, handle, data));
  });
}

} // namespace ptxsim::driver
