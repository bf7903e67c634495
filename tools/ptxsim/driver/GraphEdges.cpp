// Edges of graphs: adding, removing, listing.

#include "tools/ptxsim/driver/GraphEdges.h"

#include "tools/ptxsim/driver/baseline/HostMaps.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace ptxsim::driver {

void removeNode(Graph &graph, const std::shared_ptr<GraphNode> &node) {
  for (const std::shared_ptr<GraphNode> &other : graph.nodes) {
    std::vector<NodeDependency> &list = other->dependencies;
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const NodeDependency &dependency) {
                                return dependency.node == node;
                              }),
               list.end());
  }
  node->dependencies.clear();
  graph.nodes.erase(std::remove(graph.nodes.begin(), graph.nodes.end(), node),
                    graph.nodes.end());
}

/// True if `data` is what an edge from `node` may have.
static bool isValid(const GraphNode &node, const CUgraphEdgeData &data) {
  static constexpr unsigned char zeros[sizeof(data.reserved)] = {};
  if (std::memcmp(data.reserved, zeros, sizeof(zeros)) != 0 ||
      data.to_port != 0 || data.from_port > portLaunchOrder ||
      data.type > CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC)
    return false;
  return data.from_port == portDefault ||
         node.type() == CU_GRAPH_NODE_TYPE_KERNEL;
}

CUresult readDependencies(Call &call, const Graph &graph,
                          const CUgraphNode *nodes, const CUgraphEdgeData *data,
                          size_t count, std::vector<NodeDependency> &result) {
  if (count != 0 && !nodes)
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) {
    NodeDependency dependency;
    if (findNode(call, nodes[i], dependency.node) != CUDA_SUCCESS ||
        dependency.node->graph.lock().get() != &graph)
      return CUDA_ERROR_INVALID_VALUE;
    if (data)
      dependency.data = data[i];
    if (!isValid(*dependency.node, dependency.data) ||
        std::any_of(result.begin(), result.end(),
                    [&](auto &other) { return other.node == dependency.node; }))
      return CUDA_ERROR_INVALID_VALUE;
    result.push_back(std::move(dependency));
  }
  return CUDA_SUCCESS;
}

/// Runs `body(graph, from, to, data)` for each edge that a call names; stops at
/// the first that fails.
template <typename Body>
static CUresult forEdges(CUgraph handle, const CUgraphNode *from,
                         const CUgraphNode *to, const CUgraphEdgeData *data,
                         size_t count, Body body,
                         const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult result = findGraph(call, handle, graph);
    if (result == CUDA_SUCCESS && count != 0 && (!from || !to))
      result = CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count && result == CUDA_SUCCESS; ++i) {
      std::vector<NodeDependency> source;
      std::shared_ptr<GraphNode> target;
      result = readDependencies(call, *graph, &from[i],
                                data ? &data[i] : nullptr, 1, source);
      if (result == CUDA_SUCCESS)
        result = findNode(call, to[i], target);
      if (result == CUDA_SUCCESS && target->graph.lock() != graph)
        result = CUDA_ERROR_INVALID_VALUE;
      if (result == CUDA_SUCCESS)
        result = body(*graph, source[0], *target);
    }
    return result;
  });
}

/// True if `node` is `other` or depends on it.
static bool isBehind(const GraphNode &node, const GraphNode &other) {
  std::vector<const GraphNode *> worklist = {&node};
  std::set<const GraphNode *> seen;
  while (!worklist.empty()) {
    const GraphNode *next = worklist.back();
    worklist.pop_back();
    if (next == &other)
      return true;
    if (!seen.insert(next).second)
      continue;
    for (const NodeDependency &dependency : next->dependencies)
      worklist.push_back(dependency.node.get());
  }
  return false;
}

static CUresult addEdge(Graph &, NodeDependency &source, GraphNode &target) {
  if (isBehind(*source.node, target))
    return CUDA_ERROR_INVALID_VALUE;
  for (const NodeDependency &dependency : target.dependencies)
    if (dependency.node == source.node)
      return CUDA_ERROR_INVALID_VALUE;
  target.dependencies.push_back(source);
  return CUDA_SUCCESS;
}

static CUresult removeEdge(Graph &, NodeDependency &source, GraphNode &target) {
  for (auto it = target.dependencies.begin(); it != target.dependencies.end();
       ++it)
    if (it->node == source.node &&
        it->data.from_port == source.data.from_port) {
      target.dependencies.erase(it);
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_VALUE;
}

PTXSIM_API cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from,
                                  const CUgraphNode *to, size_t count) {
  return forEdges(graph, from, to, nullptr, count, addEdge);
}

PTXSIM_API cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode *from,
                                     const CUgraphNode *to,
                                     const CUgraphEdgeData *data,
                                     size_t count) {
  return forEdges(graph, from, to, data, count, addEdge);
}

PTXSIM_API cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode *from,
                                     const CUgraphNode *to, size_t count) {
  return forEdges(graph, from, to, nullptr, count, removeEdge);
}

PTXSIM_API cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode *from,
                                        const CUgraphNode *to,
                                        const CUgraphEdgeData *data,
                                        size_t count) {
  return forEdges(graph, from, to, data, count, removeEdge);
}

bool hasRoom(const void *array, size_t entryBytes, size_t count, size_t used) {
  constexpr size_t mostBelieved = 4096;
  if (!array || count <= used || count - used <= mostBelieved)
    return true;
  return count <= SIZE_MAX / entryBytes &&
         isWritable(reinterpret_cast<uint64_t>(array), count * entryBytes);
}

/// An edge as a call returns it.
struct Edge {
  CUgraphNode from, to;
  CUgraphEdgeData data;
};

/// Writes as many edges as there is room for and nulls behind them, into those
/// of the arrays that are there; only counts if none is.
static CUresult writeEdges(const std::vector<Edge> &edges, CUgraphNode *from,
                           CUgraphNode *to, CUgraphEdgeData *data,
                           size_t *count) {
  if (!count)
    return CUDA_ERROR_INVALID_VALUE;
  size_t used = edges.size();
  if (!hasRoom(from, sizeof(*from), *count, used) ||
      !hasRoom(to, sizeof(*to), *count, used) ||
      !hasRoom(data, sizeof(*data), *count, used))
    return CUDA_ERROR_INVALID_VALUE;
  bool counts = !from && !to && !data;
  size_t written = counts ? edges.size() : std::min(*count, edges.size());
  for (size_t i = 0; !counts && i < *count; ++i) {
    Edge edge = i < edges.size() ? edges[i] : Edge{};
    // Without a place for it, data must not be lost.
    if (!data && kindOf(edge.data) != EdgeKind::Full)
      return CUDA_ERROR_LOSSY_QUERY;
    if (from)
      from[i] = edge.from;
    if (to)
      to[i] = edge.to;
    if (data)
      data[i] = edge.data;
  }
  *count = written;
  return CUDA_SUCCESS;
}

static CUresult getEdges(CUgraph handle, CUgraphNode *from, CUgraphNode *to,
                         CUgraphEdgeData *data, size_t *count,
                         const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult result = findGraph(call, handle, graph);
    if (result != CUDA_SUCCESS)
      return result;
    if (!from != !to)
      return CUDA_ERROR_INVALID_VALUE;
    std::vector<Edge> edges;
    for (const std::shared_ptr<GraphNode> &node : graph->nodes)
      for (const NodeDependency &dependency : node->dependencies)
        edges.push_back(
            {dependency.node->handle, node->handle, dependency.data});
    return writeEdges(edges, from, to, data, count);
  });
}

PTXSIM_API cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                           size_t *count) {
  return getEdges(graph, from, to, nullptr, count);
}

PTXSIM_API cuGraphGetEdges_v2(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                              CUgraphEdgeData *data, size_t *count) {
  return getEdges(graph, from, to, data, count);
}

static CUresult getDependencies(CUgraphNode handle, CUgraphNode *result,
                                CUgraphEdgeData *data, size_t *count,
                                const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult found = findNode(call, handle, node);
    if (found != CUDA_SUCCESS)
      return found;
    std::vector<Edge> edges;
    for (const NodeDependency &dependency : node->dependencies)
      edges.push_back({dependency.node->handle, handle, dependency.data});
    return writeEdges(edges, result, nullptr, data, count);
  });
}

PTXSIM_API cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *result,
                                      size_t *count) {
  return getDependencies(node, result, nullptr, count);
}

PTXSIM_API cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode *result,
                                         CUgraphEdgeData *data, size_t *count) {
  return getDependencies(node, result, data, count);
}

static CUresult getDependents(CUgraphNode handle, CUgraphNode *result,
                              CUgraphEdgeData *data, size_t *count,
                              const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult found = findNode(call, handle, node);
    if (found != CUDA_SUCCESS)
      return found;
    std::vector<Edge> edges;
    for (const std::shared_ptr<GraphNode> &other : node->graph.lock()->nodes)
      for (const NodeDependency &dependency : other->dependencies)
        if (dependency.node == node)
          edges.push_back({handle, other->handle, dependency.data});
    return writeEdges(edges, nullptr, result, data, count);
  });
}

PTXSIM_API cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode *result,
                                        size_t *count) {
  return getDependents(node, result, nullptr, count);
}

PTXSIM_API cuGraphNodeGetDependentNodes_v2(CUgraphNode node,
                                           CUgraphNode *result,
                                           CUgraphEdgeData *data,
                                           size_t *count) {
  return getDependents(node, result, data, count);
}

} // namespace ptxsim::driver
