// Graphs: nodes of work and what they depend on.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_GRAPH_H
#define TCC_TOOLS_PTXSIM_DRIVER_GRAPH_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

struct UserObject;

struct GraphNode {
  CUgraphNode handle = nullptr;
  std::weak_ptr<Graph> graph;
  uint64_t id = 0; ///< Counts the nodes of a graph and of its clones.
  WorkRef work;    ///< What it does; a child graph's is empty.
  std::shared_ptr<Context> context; ///< In which it does it.
  std::shared_ptr<Graph> child;     ///< Of a child graph node.
  bool isEnabled = true;
  int priority = 0;
  /// Attributes that nothing feels, by CUlaunchAttributeID.
  std::map<uint32_t, CUlaunchAttributeValue> attributes;
  std::vector<NodeDependency> dependencies;
  CUgraphNode original = nullptr; ///< The node that it is a clone of.

  CUgraphNodeType type() const {
    return child ? CU_GRAPH_NODE_TYPE_GRAPH : work->type();
  }
};

struct Graph {
  Graph() = default;
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  CUgraph handle = nullptr;
  CUgraph original = nullptr; ///< The graph that it is a clone of.
  std::vector<std::shared_ptr<GraphNode>> nodes; ///< In order of creation.
  uint64_t nextId = 0;
  bool isChild = false; ///< Of a node, which owns it.
  unsigned depth = 0;   ///< Of the graphs within it.
  /// User objects and how often the graph holds them.
  std::map<std::shared_ptr<UserObject>, unsigned> userObjects;
};

/// An executable graph.
struct GraphExec {
  CUgraphExec handle = nullptr;
  std::shared_ptr<Context> context;
  std::shared_ptr<Graph> graph; ///< Its own copy, without handles.
  uint64_t flags = 0;
  std::shared_ptr<Task> lastLaunch; ///< Launches of one graph do not overlap.
};

/// An object of the program that graphs keep alive.
struct UserObject {
  CUuserObject handle = nullptr;
  CUhostFn destroy = nullptr;
  void *pointer = nullptr;
  unsigned references = 0; ///< Of the program and of graphs.
};

/// Adds a node without a handle to `graph`.
std::shared_ptr<GraphNode> addNode(const std::shared_ptr<Graph> &graph,
                                   std::shared_ptr<Context> context,
                                   WorkRef work,
                                   std::vector<NodeDependency> dependencies);

/// Says what an edge of a graph waits for.
EdgeKind kindOf(const CUgraphEdgeData &data);

/// Makes the data of an edge that waits for `kind`.
CUgraphEdgeData edgeData(EdgeKind kind);

/// Gives the nodes of `graph` and of the graphs within it handles, or takes
/// them away.
void publish(Driver &driver, const std::shared_ptr<Graph> &graph);
void withdraw(Driver &driver, const Graph &graph);

/// Copies `graph` with its nodes, without handles.
std::shared_ptr<Graph> cloneGraph(const Graph &graph);

/// Gives back the user objects of `graph` and of the graphs within it.
void releaseUserObjects(Call &call, Graph &graph);

/// Returns the nodes so that each comes behind what it depends on.
std::vector<std::shared_ptr<GraphNode>> sortNodes(const Graph &graph);

/// Finds what a call names.
CUresult findGraph(Call &call, CUgraph handle, std::shared_ptr<Graph> &graph);
CUresult findNode(Call &call, CUgraphNode handle,
                  std::shared_ptr<GraphNode> &node);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_GRAPH_H
