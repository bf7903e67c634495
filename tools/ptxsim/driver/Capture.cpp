// Capturing streams into graphs.

#include "tools/ptxsim/driver/Capture.h"

#include "tools/ptxsim/driver/GraphEdges.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>

namespace ptxsim::driver {

/// What the calling thread may do while captures go on.
static thread_local CUstreamCaptureMode threadMode =
    CU_STREAM_CAPTURE_MODE_GLOBAL;

CUresult checkImplicit(Call &, const Stream &stream) {
  if (!stream.isLegacy)
    return CUDA_SUCCESS;
  CUresult result = CUDA_SUCCESS;
  for (const auto &entry : stream.context->blocking)
    if (entry.second->capture) {
      entry.second->capture->isInvalidated = true;
      result = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    }
  return result;
}

CUresult checkNotCapturing(const Stream &stream) {
  if (!stream.capture)
    return CUDA_SUCCESS;
  stream.capture->isInvalidated = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

/// False if a capture has ended; events may still hold it.
static bool goesOn(const std::shared_ptr<Capture> &capture) {
  std::shared_ptr<Stream> origin = capture->origin.lock();
  return origin && origin->capture == capture;
}

CUresult checkUnsafe(Call &call) {
  if (threadMode == CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_SUCCESS;
  CUresult result = CUDA_SUCCESS;
  for (const std::weak_ptr<Capture> &entry : call.driver.captures) {
    std::shared_ptr<Capture> capture = entry.lock();
    if (!capture || !goesOn(capture) ||
        capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED)
      continue;
    bool isOwn = capture->thread == threadNumber();
    if (!isOwn && (threadMode != CU_STREAM_CAPTURE_MODE_GLOBAL ||
                   capture->mode != CU_STREAM_CAPTURE_MODE_GLOBAL))
      continue;
    capture->isInvalidated = true;
    result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  return result;
}

CUresult captureWork(Stream &stream, WorkRef work, EdgeKind kind,
                     std::shared_ptr<GraphNode> &node) {
  Capture &capture = *stream.capture;
  if (capture.isInvalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  std::vector<NodeDependency> dependencies = stream.captureLast;
  if (kind != EdgeKind::Full)
    for (NodeDependency &dependency : dependencies)
      if (dependency.node->type() == CU_GRAPH_NODE_TYPE_KERNEL)
        dependency.data = edgeData(kind);
  node = addNode(capture.graph, stream.context, std::move(work),
                 std::move(dependencies));
  capture.nodes.push_back(node);
  stream.captureLast = {{node, {}}};
  return CUDA_SUCCESS;
}

/// Adds to `list` what it does not hold.
static void merge(std::vector<NodeDependency> &list,
                  const std::vector<NodeDependency> &others) {
  for (const NodeDependency &other : others)
    if (std::none_of(list.begin(), list.end(), [&](const NodeDependency &own) {
          return own.node == other.node &&
                 own.data.from_port == other.data.from_port;
        }))
      list.push_back(other);
}

CUresult joinCapture(Call &call, const std::shared_ptr<Stream> &stream,
                     const std::shared_ptr<Capture> &capture,
                     const std::vector<NodeDependency> &dependencies) {
  if (capture->isInvalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  // An event of a capture that has ended stands for nothing that runs.
  if (!goesOn(capture))
    return CUDA_ERROR_CAPTURED_EVENT;
  if (stream->isLegacy) {
    capture->isInvalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  if (stream->capture && stream->capture != capture) {
    stream->capture->isInvalidated = capture->isInvalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  (void)call;
  if (!stream->capture) {
    stream->capture = capture;
    capture->streams.push_back(stream);
  }
  merge(stream->captureLast, dependencies);
  return CUDA_SUCCESS;
}

/// Lets the streams of `capture` run again.
static void end(Capture &capture) {
  for (const std::weak_ptr<Stream> &entry : capture.streams)
    if (std::shared_ptr<Stream> stream = entry.lock()) {
      stream->capture.reset();
      stream->captureLast.clear();
    }
}

void abandonCapture(const Stream &stream) {
  // Another stream than the origin may have been joined.
  if (!stream.capture || stream.capture->origin.lock().get() != &stream)
    return;
  std::shared_ptr<Capture> capture = stream.capture;
  capture->isInvalidated = true;
  end(*capture);
}

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

static CUresult begin(Call &call, StreamRef stream,
                      std::shared_ptr<Graph> graph,
                      std::vector<NodeDependency> dependencies,
                      CUstreamCaptureMode mode) {
  if (mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return CUDA_ERROR_INVALID_VALUE;
  if (stream->isLegacy)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->capture)
    return CUDA_ERROR_ILLEGAL_STATE;
  auto capture = std::make_shared<Capture>();
  capture->id = call.driver.nextCaptureId++;
  capture->graph = std::move(graph);
  capture->mode = mode;
  capture->thread = threadNumber();
  capture->origin = stream;
  capture->streams = {stream};
  stream->capture = capture;
  stream->captureLast = std::move(dependencies);
  std::vector<std::weak_ptr<Capture>> &captures = call.driver.captures;
  captures.erase(std::remove_if(captures.begin(), captures.end(),
                                [](auto &entry) { return entry.expired(); }),
                 captures.end());
  captures.push_back(capture);
  return CUDA_SUCCESS;
}

PTXSIM_STREAM_API(cuStreamBeginCapture_v2, cuStreamBeginCapture_v2_ptsz,
                  (CUstream handle, CUstreamCaptureMode mode), (handle, mode)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    return begin(call, stream, std::make_shared<Graph>(), {}, mode);
  });
}

PTXSIM_STREAM_API(cuStreamBeginCapture, cuStreamBeginCapture_ptsz,
                  (CUstream handle), (handle)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    return begin(call, stream, std::make_shared<Graph>(), {},
                 CU_STREAM_CAPTURE_MODE_GLOBAL);
  });
}

PTXSIM_STREAM_API(cuStreamBeginCaptureToGraph, cuStreamBeginCaptureToGraph_ptsz,
                  (CUstream handle, CUgraph graphHandle,
                   const CUgraphNode *nodes, const CUgraphEdgeData *data,
                   size_t count, CUstreamCaptureMode mode),
                  (handle, graphHandle, nodes, data, count, mode)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult result = findGraph(call, graphHandle, graph);
    std::vector<NodeDependency> dependencies;
    if (result == CUDA_SUCCESS)
      result = readDependencies(call, *graph, nodes, data, count, dependencies);
    if (result != CUDA_SUCCESS)
      return result;
    return begin(call, stream, graph, std::move(dependencies), mode);
  });
}

/// True if every captured node is behind the origin's last ones: what other
/// streams did was joined again.
static bool isJoined(const Capture &capture, const Stream &origin) {
  std::vector<const GraphNode *> inner;
  for (const std::shared_ptr<GraphNode> &node : capture.graph->nodes)
    for (const NodeDependency &dependency : node->dependencies)
      inner.push_back(dependency.node.get());
  for (const NodeDependency &last : origin.captureLast)
    inner.push_back(last.node.get());
  std::sort(inner.begin(), inner.end());
  return std::all_of(
      capture.nodes.begin(), capture.nodes.end(), [&](const auto &node) {
        return std::binary_search(inner.begin(), inner.end(), node.get());
      });
}

PTXSIM_STREAM_API(cuStreamEndCapture, cuStreamEndCapture_ptsz,
                  (CUstream handle, CUgraph *result), (handle, result)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = nullptr;
    std::shared_ptr<Capture> capture = stream->capture;
    if (!capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    if (capture->origin.lock() != stream)
      return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
        capture->thread != threadNumber())
      return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    bool joined = isJoined(*capture, *stream);
    end(*capture);
    if (capture->isInvalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (!joined)
      return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    publish(call.driver, capture->graph);
    *result = capture->graph->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamIsCapturing, cuStreamIsCapturing_ptsz,
                  (CUstream handle, CUstreamCaptureStatus *result),
                  (handle, result)) {
  return withStream(handle, [&](Call &call, StreamRef stream) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    CUresult allowed = checkImplicit(call, *stream);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    *result = !stream->capture ? CU_STREAM_CAPTURE_STATUS_NONE
              : stream->capture->isInvalidated
                  ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                  : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  return withDriver([&](Call &) -> CUresult {
    if (!mode || *mode > CU_STREAM_CAPTURE_MODE_RELAXED)
      return CUDA_ERROR_INVALID_VALUE;
    std::swap(*mode, threadMode);
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
