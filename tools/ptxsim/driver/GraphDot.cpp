// Printing graphs for graphviz, and memory of graphs.

#include "tools/ptxsim/driver/Copy.h"
#include "tools/ptxsim/driver/Graph.h"
#include "tools/ptxsim/driver/Launch.h"
#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Set.h"

#include <cstdio>
#include <cstring>

namespace ptxsim::driver {

static const char *nameOf(CUgraphNodeType type) {
  static const char *const names[] = {
      "KERNEL",         "MEMCPY",       "MEMSET",
      "HOST",           "GRAPH",        "EMPTY",
      "WAIT_EVENT",     "EVENT_RECORD", "EXT_SEMAS_SIGNAL",
      "EXT_SEMAS_WAIT", "MEM_ALLOC",    "MEM_FREE",
      "BATCH_MEM_OP",   "CONDITIONAL"};
  return type < sizeof(names) / sizeof(*names) ? names[type] : "UNKNOWN";
}

/// Describes a node in one line.
static std::string labelOf(const GraphNode &node) {
  std::string label = nameOf(node.type());
  if (node.type() == CU_GRAPH_NODE_TYPE_KERNEL) {
    const LaunchParameters &launch =
        static_cast<const KernelWork &>(*node.work).launch;
    label += "\\n" + ptxsim::nameOf(*launch.kernel) + "\\n<<<" +
             tuple(launch.grid) + ", " + tuple(launch.block) + ", " +
             std::to_string(launch.dynamicSharedBytes) + ">>>";
  } else if (node.type() == CU_GRAPH_NODE_TYPE_MEMCPY) {
    const CopyShape &shape = static_cast<const CopyWork &>(*node.work).shape;
    label += "\\n" + std::to_string(shape.width * shape.height * shape.depth) +
             " bytes from " + hex(shape.source.address) + " to " +
             hex(shape.destination.address);
  } else if (node.type() == CU_GRAPH_NODE_TYPE_MEMSET) {
    auto &work = static_cast<const SetWork &>(*node.work);
    label += "\\n" + std::to_string(work.width * work.height) + " times " +
             hex(work.value) + " at " + hex(work.address);
  }
  return label;
}

/// Appends `graph`, whose nodes get names that begin with `prefix`.
static void print(const Graph &graph, const std::string &prefix,
                  std::string &text) {
  auto nameIn = [&](const GraphNode &node) {
    return "\"" + prefix + std::to_string(node.id) + "\"";
  };
  for (const std::shared_ptr<GraphNode> &node : graph.nodes) {
    text += "  " + nameIn(*node) + " [label=\"" + std::to_string(node->id) +
            " " + labelOf(*node) + "\"];\n";
    for (const NodeDependency &dependency : node->dependencies)
      text +=
          "  " + nameIn(*dependency.node) + " -> " + nameIn(*node) +
          (kindOf(dependency.data) == EdgeKind::Full ? ";\n"
                                                     : " [style=dashed];\n");
    if (!node->child)
      continue;
    text +=
        "  subgraph \"cluster_" + prefix + std::to_string(node->id) + "\" {\n";
    print(*node->child, prefix + std::to_string(node->id) + ".", text);
    text += "  }\n";
  }
}

PTXSIM_API cuGraphDebugDotPrint(CUgraph handle, const char *path, unsigned) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult found = findGraph(call, handle, graph);
    if (found != CUDA_SUCCESS || !path)
      return CUDA_ERROR_INVALID_VALUE;
    std::string text = "digraph {\n";
    print(*graph, "", text);
    text += "}\n";
    FILE *file = std::fopen(path, "w");
    if (!file)
      return CUDA_ERROR_OPERATING_SYSTEM;
    bool ok = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    ok &= std::fclose(file) == 0;
    return ok ? CUDA_SUCCESS : CUDA_ERROR_OPERATING_SYSTEM;
  });
}

PTXSIM_API cuDeviceGetGraphMemAttribute(CUdevice device,
                                        CUgraphMem_attribute attribute,
                                        void *value) {
  return withDriver([&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if (!value || attribute > CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH)
      return CUDA_ERROR_INVALID_VALUE;
    bool isHigh = attribute == CU_GRAPH_MEM_ATTR_USED_MEM_HIGH ||
                  attribute == CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH;
    uint64_t bytes =
        isHigh ? call.driver.graphMemoryHigh : call.driver.graphMemoryUsed;
    std::memcpy(value, &bytes, sizeof(bytes));
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceSetGraphMemAttribute(CUdevice device,
                                        CUgraphMem_attribute attribute,
                                        void *value) {
  return withDriver([&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    // Of the highest uses only a reset is possible.
    uint64_t bytes = 1;
    if (value)
      std::memcpy(&bytes, value, sizeof(bytes));
    if ((attribute != CU_GRAPH_MEM_ATTR_USED_MEM_HIGH &&
         attribute != CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH) ||
        bytes != 0)
      return CUDA_ERROR_INVALID_VALUE;
    call.driver.graphMemoryHigh = call.driver.graphMemoryUsed;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGraphMemTrim(CUdevice device) {
  return withDriver([&](Call &) -> CUresult {
    return device == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
  });
}

} // namespace ptxsim::driver
