// Putting work into streams.

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Graph.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>

namespace ptxsim::driver {

static std::shared_ptr<Stream> perThreadStream(Call &call) {
  std::shared_ptr<Stream> &stream = call.context->perThread[threadNumber()];
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
  // Of kernels that may overlap, the next one only waits for the last.
  for (const std::shared_ptr<Task> &task : stream.last)
    dependencies.push_back({task, kind, task == stream.last.back()});
}

std::vector<Dependency> dependenciesIn(const Stream &stream, EdgeKind kind) {
  std::vector<Dependency> dependencies;
  addTail(dependencies, stream, kind);
  // The default stream waits for all others that do not opt out, and they for
  // it.
  if (stream.isLegacy)
    for (const auto &entry : stream.context->blocking)
      addTail(dependencies, *entry.second, EdgeKind::Full);
  else if (stream.isBlocking())
    addTail(dependencies, *stream.context->legacy, EdgeKind::Full);
  return dependencies;
}

/// Forgets streams that were destroyed and whose work is done.
static void pruneDestroyed(Context &context) {
  for (auto it = context.blocking.begin(); it != context.blocking.end();) {
    const Stream &stream = *it->second;
    bool isGone = stream.isDestroyed &&
                  std::all_of(stream.last.begin(), stream.last.end(),
                              [](auto &task) { return task->isDone(); });
    it = isGone ? context.blocking.erase(it) : std::next(it);
  }
}

void setLast(Stream &stream, const std::shared_ptr<Task> &task, EdgeKind kind) {
  if (stream.isLegacy)
    pruneDestroyed(*stream.context);
  // What a kernel does not wait for must still be waited for by what follows
  // that kernel.
  if (kind == EdgeKind::Full)
    stream.last.clear();
  else
    stream.last.erase(std::remove_if(stream.last.begin(), stream.last.end(),
                                     [](auto &task) { return task->isDone(); }),
                      stream.last.end());
  stream.last.push_back(task);
}

std::vector<std::shared_ptr<Task>> tailOf(const Stream &stream) {
  std::vector<std::shared_ptr<Task>> tasks;
  for (Dependency &dependency : dependenciesIn(stream, EdgeKind::Full))
    tasks.push_back(std::move(dependency.task));
  return tasks;
}

CUresult submitWork(Call &call, const std::shared_ptr<Stream> &stream,
                    WorkRef work, Submitted &submitted, EdgeKind kind,
                    int priority) {
  CUresult allowed = checkImplicit(call, *stream);
  if (allowed != CUDA_SUCCESS)
    return allowed;
  if (stream->capture) {
    CUresult captured =
        captureWork(*stream, std::move(work), kind, submitted.node);
    if (captured == CUDA_SUCCESS)
      submitted.node->priority = priority;
    return captured;
  }
  submitted.task = call.scheduler().submit(
      stream->context, std::move(work), dependenciesIn(*stream, kind),
      priority != 0 ? priority : stream->priority);
  setLast(*stream, submitted.task, kind);
  return CUDA_SUCCESS;
}

CUresult submitWork(Call &call, const std::shared_ptr<Stream> &stream,
                    WorkRef work) {
  Submitted submitted;
  return submitWork(call, stream, std::move(work), submitted);
}

} // namespace ptxsim::driver
