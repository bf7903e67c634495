// Looking at and changing what a capture has recorded.

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Graph.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>

namespace ptxsim::driver {

/// Where a call wants the parts of a capture; null for those it does not want.
struct InfoResult {
  CUstreamCaptureStatus *status = nullptr;
  uint64_t *id = nullptr;
  CUgraph *graph = nullptr;
  const CUgraphNode **nodes = nullptr;
  const CUgraphEdgeData **data = nullptr;
  size_t *count = nullptr;
  bool losesData = false; ///< The call cannot tell edge data.
};

/// What the last call of the thread returned addresses of.
struct InfoLists {
  std::vector<CUgraphNode> nodes;
  std::vector<CUgraphEdgeData> data;
};

static InfoLists &infoLists() {
  // Never freed, since calls may come while a thread ends.
  static thread_local InfoLists *lists = new InfoLists;
  return *lists;
}

static CUresult getInfo(CUstream handle, const InfoResult &result,
                        const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!result.status)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    CUresult found = findStream(call, handle, stream);
    if (found == CUDA_SUCCESS)
      found = checkImplicit(call, *stream);
    if (found != CUDA_SUCCESS)
      return found;
    std::shared_ptr<Capture> capture = stream->capture;
    *result.status = !capture ? CU_STREAM_CAPTURE_STATUS_NONE
                     : capture->isInvalidated
                         ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                         : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    if (!capture || capture->isInvalidated)
      return CUDA_SUCCESS;
    if (result.id)
      *result.id = capture->id;
    // The program may add nodes to the graph and name those that are there.
    publish(call.driver, capture->graph);
    if (result.graph)
      *result.graph = capture->graph->handle;
    InfoLists &lists = infoLists();
    lists.nodes.clear();
    lists.data.clear();
    bool hasData = false;
    for (const NodeDependency &dependency : stream->captureLast) {
      lists.nodes.push_back(dependency.node->handle);
      lists.data.push_back(dependency.data);
      hasData |= kindOf(dependency.data) != EdgeKind::Full;
    }
    if (hasData && result.nodes && result.losesData)
      return CUDA_ERROR_LOSSY_QUERY;
    if (result.nodes)
      *result.nodes = lists.nodes.data();
    if (result.data)
      *result.data = lists.data.data();
    if (result.count)
      *result.count = lists.nodes.size();
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamGetCaptureInfo, cuStreamGetCaptureInfo_ptsz,
                  (CUstream stream, CUstreamCaptureStatus *status,
                   uint64_t *id),
                  (stream, status, id)) {
  InfoResult result;
  result.status = status;
  result.id = id;
  return getInfo(stream, result);
}

PTXSIM_STREAM_API(cuStreamGetCaptureInfo_v2, cuStreamGetCaptureInfo_v2_ptsz,
                  (CUstream stream, CUstreamCaptureStatus *status, uint64_t *id,
                   CUgraph *graph, const CUgraphNode **nodes, size_t *count),
                  (stream, status, id, graph, nodes, count)) {
  return getInfo(stream, {status, id, graph, nodes, nullptr, count, true});
}

PTXSIM_STREAM_API(cuStreamGetCaptureInfo_v3, cuStreamGetCaptureInfo_v3_ptsz,
                  (CUstream stream, CUstreamCaptureStatus *status, uint64_t *id,
                   CUgraph *graph, const CUgraphNode **nodes,
                   const CUgraphEdgeData **data, size_t *count),
                  (stream, status, id, graph, nodes, data, count)) {
  return getInfo(stream, {status, id, graph, nodes, data, count, !data});
}

static CUresult updateDependencies(CUstream handle, const CUgraphNode *nodes,
                                   const CUgraphEdgeData *data, size_t count,
                                   unsigned flags,
                                   const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult found = findStream(call, handle, stream);
    if (found != CUDA_SUCCESS)
      return found;
    if (!stream->capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    if (stream->capture->isInvalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (flags > CU_STREAM_SET_CAPTURE_DEPENDENCIES || (count != 0 && !nodes))
      return CUDA_ERROR_INVALID_VALUE;
    std::vector<NodeDependency> dependencies;
    if (flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES)
      dependencies = stream->captureLast;
    for (size_t i = 0; i < count; ++i) {
      std::shared_ptr<GraphNode> node;
      if (findNode(call, nodes[i], node) != CUDA_SUCCESS ||
          node->graph.lock() != stream->capture->graph)
        return CUDA_ERROR_INVALID_VALUE;
      dependencies.push_back({node, data ? data[i] : CUgraphEdgeData{}});
    }
    stream->captureLast = std::move(dependencies);
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamUpdateCaptureDependencies,
                  cuStreamUpdateCaptureDependencies_ptsz,
                  (CUstream stream, CUgraphNode *nodes, size_t count,
                   unsigned flags),
                  (stream, nodes, count, flags)) {
  return updateDependencies(stream, nodes, nullptr, count, flags);
}

PTXSIM_STREAM_API(cuStreamUpdateCaptureDependencies_v2,
                  cuStreamUpdateCaptureDependencies_v2_ptsz,
                  (CUstream stream, CUgraphNode *nodes,
                   const CUgraphEdgeData *data, size_t count, unsigned flags),
                  (stream, nodes, data, count, flags)) {
  return updateDependencies(stream, nodes, data, count, flags);
}

} // namespace ptxsim::driver
