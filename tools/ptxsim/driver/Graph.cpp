// Graphs: making, copying, taking apart.

#include "tools/ptxsim/driver/Graph.h"

#include "tools/ptxsim/driver/GraphEdges.h"

#include <algorithm>
#include <unordered_map>

namespace ptxsim::driver {

Graph::~Graph() {
  // Without this, the last node of a chain would free the one before it, and so
  // on, as deep as the chain is long.
  for (const std::shared_ptr<GraphNode> &node : nodes)
    node->dependencies.clear();
}

std::shared_ptr<GraphNode> addNode(const std::shared_ptr<Graph> &graph,
                                   std::shared_ptr<Context> context,
                                   WorkRef work,
                                   std::vector<NodeDependency> dependencies) {
  auto node = std::make_shared<GraphNode>();
  node->graph = graph;
  node->id = graph->nextId++;
  node->work = std::move(work);
  node->context = std::move(context);
  node->dependencies = std::move(dependencies);
  graph->nodes.push_back(node);
  return node;
}

EdgeKind kindOf(const CUgraphEdgeData &data) {
  switch (data.from_port) {
  case portProgrammatic:
    return EdgeKind::Triggered;
  case portLaunchOrder:
    return EdgeKind::Started;
  default:
    return EdgeKind::Full;
  }
}

CUgraphEdgeData edgeData(EdgeKind kind) {
  CUgraphEdgeData data = {};
  if (kind == EdgeKind::Full)
    return data;
  data.from_port =
      kind == EdgeKind::Triggered ? portProgrammatic : portLaunchOrder;
  data.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
  return data;
}

void publish(Driver &driver, const std::shared_ptr<Graph> &graph) {
  if (!graph->handle)
    driver.graphs.insert(graph);
  for (const std::shared_ptr<GraphNode> &node : graph->nodes) {
    if (!node->handle)
      driver.nodes.insert(node);
    if (node->child)
      publish(driver, node->child);
  }
}

void withdraw(Driver &driver, const Graph &graph) {
  for (const std::shared_ptr<GraphNode> &node : graph.nodes) {
    driver.nodes.erase(node->handle);
    if (node->child)
      withdraw(driver, *node->child);
  }
  driver.graphs.erase(graph.handle);
}

std::shared_ptr<Graph> cloneGraph(const Graph &graph) {
  auto copy = std::make_shared<Graph>();
  copy->original = graph.handle;
  copy->nextId = graph.nextId;
  copy->isChild = graph.isChild;
  copy->depth = graph.depth;
  copy->userObjects = graph.userObjects;
  for (const auto &entry : copy->userObjects)
    entry.first->references += entry.second;
  std::unordered_map<const GraphNode *, std::shared_ptr<GraphNode>> copies;
  for (const std::shared_ptr<GraphNode> &node : graph.nodes) {
    auto twin = std::make_shared<GraphNode>(*node);
    twin->handle = nullptr;
    twin->original = node->handle;
    twin->graph = copy;
    if (node->child)
      twin->child = cloneGraph(*node->child);
    copies.emplace(node.get(), twin);
    copy->nodes.push_back(std::move(twin));
  }
  for (const std::shared_ptr<GraphNode> &node : copy->nodes)
    for (NodeDependency &dependency : node->dependencies)
      dependency.node = copies.at(dependency.node.get());
  return copy;
}

void releaseUserObjects(Call &call, Graph &graph) {
  for (const auto &entry : graph.userObjects)
    dropReferences(call, entry.first, entry.second);
  graph.userObjects.clear();
  for (const std::shared_ptr<GraphNode> &node : graph.nodes)
    if (node->child)
      releaseUserObjects(call, *node->child);
}

std::vector<std::shared_ptr<GraphNode>> sortNodes(const Graph &graph) {
  // Kahn's method; nodes that are free at once come in order of creation.
  std::unordered_map<const GraphNode *, std::vector<size_t>> dependents;
  std::vector<size_t> unmet(graph.nodes.size());
  std::vector<size_t> free;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    unmet[i] = graph.nodes[i]->dependencies.size();
    for (const NodeDependency &dependency : graph.nodes[i]->dependencies)
      dependents[dependency.node.get()].push_back(i);
    if (unmet[i] == 0)
      free.push_back(i);
  }
  std::vector<std::shared_ptr<GraphNode>> sorted;
  for (size_t next = 0; next < free.size(); ++next) {
    const std::shared_ptr<GraphNode> &node = graph.nodes[free[next]];
    sorted.push_back(node);
    for (size_t dependent : dependents[node.get()])
      if (--unmet[dependent] == 0)
        free.push_back(dependent);
  }
  return sorted;
}

CUresult findGraph(Call &call, CUgraph handle, std::shared_ptr<Graph> &graph) {
  graph = call.driver.graphs.find(handle);
  return graph ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult findNode(Call &call, CUgraphNode handle,
                  std::shared_ptr<GraphNode> &node) {
  node = call.driver.nodes.find(handle);
  return node ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

PTXSIM_API cuGraphCreate(CUgraph *result, unsigned flags) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result || flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    *result = call.driver.graphs.insert(std::make_shared<Graph>());
    return CUDA_SUCCESS;
  });
}

/// Runs `body(call, graph)` for a call that names a graph.
template <typename Body>
static CUresult withGraph(CUgraph handle, Body body,
                          const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult result = findGraph(call, handle, graph);
    return result == CUDA_SUCCESS ? body(call, graph) : result;
  });
}

using GraphRef = const std::shared_ptr<Graph> &;

PTXSIM_API cuGraphDestroy(CUgraph handle) {
  return withGraph(handle, [&](Call &call, GraphRef graph) -> CUresult {
    if (graph->isChild)
      return CUDA_ERROR_INVALID_VALUE;
    releaseUserObjects(call, *graph);
    withdraw(call.driver, *graph);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphClone(CUgraph *result, CUgraph handle) {
  return withGraph(handle, [&](Call &call, GraphRef graph) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Graph> copy = cloneGraph(*graph);
    copy->isChild = false;
    publish(call.driver, copy);
    *result = copy->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphNodeFindInClone(CUgraphNode *result, CUgraphNode handle,
                                  CUgraph clone) {
  return withGraph(clone, [&](Call &, GraphRef graph) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    for (const std::shared_ptr<GraphNode> &node : graph->nodes)
      if (handle && node->original == handle) {
        *result = node->handle;
        return CUDA_SUCCESS;
      }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

/// Writes as many handles as there is room for and nulls behind them, or only
/// counts if `result` is null.
static CUresult
writeNodes(const std::vector<std::shared_ptr<GraphNode>> &nodes,
           CUgraphNode *result, size_t *count) {
  if (!count || !hasRoom(result, sizeof(*result), *count, nodes.size()))
    return CUDA_ERROR_INVALID_VALUE;
  if (result)
    for (size_t i = 0; i < *count; ++i)
      result[i] = i < nodes.size() ? nodes[i]->handle : nullptr;
  *count = result ? std::min(*count, nodes.size()) : nodes.size();
  return CUDA_SUCCESS;
}

PTXSIM_API cuGraphGetNodes(CUgraph handle, CUgraphNode *result, size_t *count) {
  return withGraph(handle, [&](Call &, GraphRef graph) -> CUresult {
    return writeNodes(graph->nodes, result, count);
  });
}

PTXSIM_API cuGraphGetRootNodes(CUgraph handle, CUgraphNode *result,
                               size_t *count) {
  return withGraph(handle, [&](Call &, GraphRef graph) -> CUresult {
    std::vector<std::shared_ptr<GraphNode>> roots;
    for (const std::shared_ptr<GraphNode> &node : graph->nodes)
      if (node->dependencies.empty())
        roots.push_back(node);
    return writeNodes(roots, result, count);
  });
}

PTXSIM_API cuGraphDestroyNode(CUgraphNode handle) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult result = findNode(call, handle, node);
    if (result != CUDA_SUCCESS)
      return result;
    std::shared_ptr<Graph> graph = node->graph.lock();
    if (node->type() == CU_GRAPH_NODE_TYPE_MEM_ALLOC ||
        node->type() == CU_GRAPH_NODE_TYPE_MEM_FREE || graph->isChild)
      return CUDA_ERROR_NOT_SUPPORTED;
    removeNode(*graph, node);
    if (node->child) {
      releaseUserObjects(call, *node->child);
      withdraw(call.driver, *node->child);
    }
    call.driver.nodes.erase(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType *result) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<GraphNode> node;
    CUresult found = findNode(call, handle, node);
    if (found == CUDA_SUCCESS)
      *result = node->type();
    return found;
  });
}

} // namespace ptxsim::driver
