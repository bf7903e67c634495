// Edges of graphs.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_GRAPHEDGES_H
#define TCC_TOOLS_PTXSIM_DRIVER_GRAPHEDGES_H

#include "tools/ptxsim/driver/Graph.h"

namespace ptxsim::driver {

/// True if a caller's array may have `count` entries, where `used` of them get
/// values and nulls go behind: a count that is none must not be written through
/// the memory of the program.
bool hasRoom(const void *array, size_t entryBytes, size_t count, size_t used);

/// Removes `node` from `graph` with its edges.
void removeNode(Graph &graph, const std::shared_ptr<GraphNode> &node);

/// Gives back `count` references of `object`; the last one destroys it.
void dropReferences(Call &call, const std::shared_ptr<UserObject> &object,
                    unsigned count);

/// Reads the dependencies that a call gives a new node of `graph`. `data` may
/// be null for edges that wait for all of a node.
CUresult readDependencies(Call &call, const Graph &graph,
                          const CUgraphNode *nodes, const CUgraphEdgeData *data,
                          size_t count, std::vector<NodeDependency> &result);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_GRAPHEDGES_H
