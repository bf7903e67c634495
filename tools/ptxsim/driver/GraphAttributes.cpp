// Attributes of kernel nodes.

#include "tools/ptxsim/driver/GraphParams.h"
#include "tools/ptxsim/driver/LaunchEx.h"

#include <cstring>

namespace ptxsim::driver {

/// Finds a kernel node.
static CUresult findKernelNode(Call &call, CUgraphNode handle,
                               std::shared_ptr<GraphNode> &node) {
  CUresult result = findNode(call, handle, node);
  if (result == CUDA_SUCCESS && node->type() != CU_GRAPH_NODE_TYPE_KERNEL)
    result = CUDA_ERROR_INVALID_VALUE;
  return result;
}

static CUresult setAttribute(Call &call, const char *name, GraphNode &node,
                             const CUlaunchAttribute &attribute) {
  auto &old = static_cast<const KernelWork &>(*node.work);
  StoredRequest stored(old);
  CUresult result =
      applyAttribute(call.driver, name, attribute, stored.request);
  if (result != CUDA_SUCCESS)
    return result;
  // Events have no place in a node; programmatic edges say the same.
  if (!stored.request.events.empty())
    return CUDA_ERROR_INVALID_VALUE;
  std::shared_ptr<KernelWork> work;
  call.context = node.context;
  result = makeKernelWork(call, name, stored.request, work);
  if (result != CUDA_SUCCESS)
    return result;
  node.work = std::move(work);
  node.attributes[attribute.id] = attribute.value;
  if (attribute.id == CU_LAUNCH_ATTRIBUTE_PRIORITY)
    node.priority = attribute.value.priority;
  return CUDA_SUCCESS;
}

/// Reads an attribute; those that were never set have their default.
static void getAttribute(const GraphNode &node, CUlaunchAttributeID id,
                         CUlaunchAttributeValue &value) {
  auto &work = static_cast<const KernelWork &>(*node.work);
  std::memset(&value, 0, sizeof(value));
  auto found = node.attributes.find(id);
  if (found != node.attributes.end())
    value = found->second;
  else if (id == CU_LAUNCH_ATTRIBUTE_COOPERATIVE)
    value.cooperative = work.launch.cooperative;
  else if (id == CU_LAUNCH_ATTRIBUTE_PRIORITY)
    value.priority = node.priority;
  else if (id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION && work.cluster)
    value.clusterDim = {(*work.cluster)[0], (*work.cluster)[1],
                        (*work.cluster)[2]};
}

PTXSIM_API cuGraphKernelNodeSetAttribute(CUgraphNode handle,
                                         CUlaunchAttributeID id,
                                         const CUlaunchAttributeValue *value) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult result = findKernelNode(call, handle, node);
    if (result == CUDA_SUCCESS && !value)
      result = CUDA_ERROR_INVALID_VALUE;
    if (result != CUDA_SUCCESS)
      return result;
    return setAttribute(call, "cuGraphKernelNodeSetAttribute", *node,
                        {id, {}, *value});
  });
}

PTXSIM_API cuGraphKernelNodeGetAttribute(CUgraphNode handle,
                                         CUlaunchAttributeID id,
                                         CUlaunchAttributeValue *value) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult result = findKernelNode(call, handle, node);
    if (result == CUDA_SUCCESS &&
        (!value || id > CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING))
      result = CUDA_ERROR_INVALID_VALUE;
    if (result == CUDA_SUCCESS)
      getAttribute(*node, id, *value);
    return result;
  });
}

PTXSIM_API cuGraphKernelNodeCopyAttributes(CUgraphNode destination,
                                           CUgraphNode source) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> to, from;
    CUresult result = findKernelNode(call, destination, to);
    if (result == CUDA_SUCCESS)
      result = findKernelNode(call, source, from);
    constexpr CUlaunchAttributeID felt[] = {
        CU_LAUNCH_ATTRIBUTE_COOPERATIVE, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
        CU_LAUNCH_ATTRIBUTE_PRIORITY};
    if (result != CUDA_SUCCESS)
      return result;
    for (const auto &entry : from->attributes)
      to->attributes[entry.first] = entry.second;
    for (CUlaunchAttributeID id : felt) {
      CUlaunchAttribute attribute = {id, {}, {}};
      getAttribute(*from, id, attribute.value);
      // A cluster that nobody asked for is none of size 0.
      if (id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION &&
          attribute.value.clusterDim.x == 0)
        continue;
      result =
          setAttribute(call, "cuGraphKernelNodeCopyAttributes", *to, attribute);
      if (result != CUDA_SUCCESS)
        return result;
    }
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
