// Streams.

#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>

namespace ptxsim {

static std::shared_ptr<Stream> perThreadStream(Call &call) {
  std::shared_ptr<Stream> &stream =
      call.context->perThread[threadNumber()];
  if (!stream) {
    stream = std::make_shared<Stream>();
    stream->context = call.context;
    stream->id = call.driver.nextStreamId++;
    stream->isPerThread = true;
    call.context->blocking.emplace(stream->id, stream);
  }
  return stream;
}

CUresult findStream(Call &call, CUstream handle,
                    std::shared_ptr<Stream> &stream) {
  uintptr_t value = reinterpret_cast<uintptr_t>(handle);
  if (value == 0)
    value = PerThreadDefault::isActive() ? streamPerThread : streamLegacy;
  if (value == streamLegacy)
    stream = call.context->legacy;
  else if (value == streamPerThread)
    stream = perThreadStream(call);
  else
    stream = call.driver.streams.find(handle);
  if (!stream)
    return CUDA_ERROR_INVALID_HANDLE;
  return stream->context->error;
}

CUresult findOwnStream(Call &call, CUstream handle,
                       std::shared_ptr<Stream> &stream) {
  CUresult result = findStream(call, handle, stream);
  if (result != CUDA_SUCCESS)
    return result;
  return stream->context == call.context ? CUDA_SUCCESS
                                         : CUDA_ERROR_INVALID_HANDLE;
}

static void addTail(std::vector<Dependency> &dependencies, const Stream &stream,
                    EdgeKind kind) {
  for (const std::shared_ptr<Task> &task : stream.last)
    dependencies.push_back({task, kind});
}

std::shared_ptr<Task> enqueue(Call &call, Stream &stream, WorkRef work,
                              EdgeKind kind, std::vector<Dependency> extra,
                              int priority) {
  std::vector<Dependency> dependencies = std::move(extra);
  addTail(dependencies, stream, kind);
  // The default stream waits for all others that do not opt out, and they for
  // it.
  if (stream.isLegacy)
    for (const auto &entry : stream.context->blocking)
      addTail(dependencies, *entry.second, EdgeKind::Full);
  else if (stream.isBlocking())
    addTail(dependencies, *stream.context->legacy, EdgeKind::Full);
  std::shared_ptr<Task> task = call.scheduler().submit(
      stream.context, std::move(work), std::move(dependencies),
      priority != 0 ? priority : stream.priority);
  // What a kernel does not wait for must still be waited for by what follows
  // that kernel.
  if (kind == EdgeKind::Full)
    stream.last.clear();
  else
    stream.last.erase(std::remove_if(stream.last.begin(), stream.last.end(),
                                     [](auto &task) { return task->isDone(); }),
                      stream.last.end());
  stream.last.push_back(task);
  return task;
}

std::vector<std::shared_ptr<Task>> tailOf(const Stream &stream) {
  std::vector<std::shared_ptr<Task>> tasks = stream.last;
  if (stream.isLegacy)
    for (const auto &entry : stream.context->blocking)
      tasks.insert(tasks.end(), entry.second->last.begin(),
                   entry.second->last.end());
  return tasks;
}

static CUresult create(CUstream *result, unsigned flags, int priority) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || (flags & ~CU_STREAM_NON_BLOCKING) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    auto stream = std::make_shared<Stream>();
    stream->context = call.context;
    stream->id = call.driver.nextStreamId++;
    stream->flags = flags;
    stream->priority = priority;
    *result = call.driver.streams.insert(stream);
    if (stream->isBlocking())
      call.context->blocking.emplace(stream->id, stream);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuStreamCreate(CUstream *result, unsigned flags) {
  return create(result, flags, 0);
}

PTXSIM_STREAM_API(cuStreamSynchronize, cuStreamSynchronize_ptsz,
                  (CUstream handle), (handle)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    call.scheduler().wait(call.lock, tailOf(*stream));
    return stream->context->error;
  });
}

} // namespace ptxsim
