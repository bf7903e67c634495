// Parameters of nodes: making work of them, and back.

#include "tools/ptxsim/driver/GraphParams.h"

#include "tools/ptxsim/driver/Copy.h"
#include "tools/ptxsim/driver/Event.h"
#include "tools/ptxsim/driver/GraphEdges.h"
#include "tools/ptxsim/driver/Host.h"
#include "tools/ptxsim/driver/Module.h"
#include "tools/ptxsim/driver/Pool.h"
#include "tools/ptxsim/driver/Set.h"
#include "tools/ptxsim/driver/StreamMemory.h"

#include <cstring>

namespace ptxsim::driver {

/// Graphs within graphs are walked by recursion.
static constexpr unsigned maxDepth = 64;

StoredRequest::StoredRequest(const KernelWork &work)
    : bytes(work.launch.parameters.size()) {
  request.function = work.function;
  request.grid = work.launch.grid;
  request.block = work.launch.block;
  request.sharedBytes = work.launch.dynamicSharedBytes;
  request.cluster = work.cluster;
  request.cooperative = work.launch.cooperative;
  request.programmatic = work.launch.programmatic;
  extra[0] = reinterpret_cast<void *>(launchParamBufferPointer);
  extra[1] = const_cast<uint8_t *>(work.launch.parameters.data());
  extra[2] = reinterpret_cast<void *>(launchParamBufferSize);
  extra[3] = &bytes;
  extra[4] = reinterpret_cast<void *>(launchParamEnd);
  if (bytes != 0)
    request.extra = extra;
}

/// Finds the context that parameters name, or the current one.
static CUresult findContext(Call &call, CUcontext handle) {
  if (!handle)
    return findCurrent(call.driver, call.context);
  call.context = call.driver.contexts.find(handle);
  return call.context ? call.context->error : CUDA_ERROR_INVALID_CONTEXT;
}

static CUresult makeKernel(Call &call, const char *name,
                           const GraphNode *before,
                           const CUDA_KERNEL_NODE_PARAMS_v2 &parameters,
                           NodeContents &contents) {
  CUresult result = findContext(call, parameters.ctx);
  if (result != CUDA_SUCCESS)
    return result;
  LaunchRequest request;
  if (before) {
    // What attributes said stays.
    auto &old = static_cast<const KernelWork &>(*before->work);
    request.cluster = old.cluster;
    request.cooperative = old.launch.cooperative;
    request.programmatic = old.launch.programmatic;
  }
  CUfunction handle = parameters.func
                          ? parameters.func
                          : reinterpret_cast<CUfunction>(parameters.kern);
  result = findFunction(call, handle, request.function);
  if (result != CUDA_SUCCESS)
    return result;
  request.grid = {parameters.gridDimX, parameters.gridDimY,
                  parameters.gridDimZ};
  request.block = {parameters.blockDimX, parameters.blockDimY,
                   parameters.blockDimZ};
  request.sharedBytes = parameters.sharedMemBytes;
  request.parameters = parameters.kernelParams;
  request.extra = parameters.extra;
  std::shared_ptr<KernelWork> work;
  result = makeKernelWork(call, name, request, work);
  contents.work = std::move(work);
  return result;
}

static CUresult makeCopy(Call &call, const char *name,
                         const CUDA_MEMCPY_NODE_PARAMS &parameters,
                         NodeContents &contents) {
  CUresult result = findContext(call, parameters.copyCtx);
  CopyRequest request;
  if (result == CUDA_SUCCESS)
    result = readCopy(call, name, parameters.copyParams, request);
  if (result == CUDA_SUCCESS)
    result = resolveCopy(call, name, request);
  contents.work = std::make_shared<CopyWork>(name, request.shape);
  return result;
}

static CUresult makeSet(Call &call, const char *name,
                        const CUDA_MEMSET_NODE_PARAMS_v2 &parameters,
                        NodeContents &contents) {
  CUresult result = findContext(call, parameters.ctx);
  if (result != CUDA_SUCCESS)
    return result;
  auto work = std::make_shared<SetWork>();
  work->address = parameters.dst;
  work->pitch = parameters.pitch;
  work->value = parameters.value;
  work->elementBytes = parameters.elementSize;
  work->width = parameters.width;
  work->height = parameters.height;
  result = resolveSet(call, name, *work);
  contents.work = std::move(work);
  return result;
}

static CUresult makeChild(Call &call,
                          const CUDA_CHILD_GRAPH_NODE_PARAMS &parameters,
                          NodeContents &contents) {
  std::shared_ptr<Graph> graph;
  CUresult result = findGraph(call, parameters.graph, graph);
  if (result != CUDA_SUCCESS)
    return result;
  if (graph->depth + 1 >= maxDepth)
    return CUDA_ERROR_INVALID_VALUE;
  if (parameters.ownership == CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE) {
    if (graph->isChild)
      return CUDA_ERROR_INVALID_VALUE;
    contents.child = std::move(graph);
  } else {
    for (const std::shared_ptr<GraphNode> &node : graph->nodes)
      if (node->type() == CU_GRAPH_NODE_TYPE_MEM_ALLOC ||
          node->type() == CU_GRAPH_NODE_TYPE_MEM_FREE)
        return CUDA_ERROR_NOT_SUPPORTED;
    contents.child = cloneGraph(*graph);
  }
  return CUDA_SUCCESS;
}

template <typename EventWork>
static CUresult makeEvent(Call &call, CUevent handle, NodeContents &contents) {
  std::shared_ptr<Event> event;
  CUresult result = findEvent(call, handle, event);
  if (result != CUDA_SUCCESS)
    return CUDA_ERROR_INVALID_VALUE;
  call.context = event->context;
  contents.work = std::make_shared<EventWork>(std::move(event));
  return CUDA_SUCCESS;
}

static CUresult makeMemOps(Call &call,
                           const CUDA_BATCH_MEM_OP_NODE_PARAMS &parameters,
                           NodeContents &contents) {
  CUresult result = findContext(call, parameters.ctx);
  std::shared_ptr<MemOpWork> work;
  if (result == CUDA_SUCCESS)
    result = makeMemOpWork(call, parameters.count, parameters.paramArray,
                           parameters.flags, work);
  contents.work = std::move(work);
  return result;
}

static CUresult makeAlloc(Call &call, CUDA_MEM_ALLOC_NODE_PARAMS &parameters,
                          NodeContents &contents) {
  const CUmemPoolProps &pool = parameters.poolProps;
  CUresult result = findCurrent(call.driver, call.context);
  if (result != CUDA_SUCCESS)
    return result;
  if (pool.allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
      pool.location.type != CU_MEM_LOCATION_TYPE_DEVICE ||
      pool.handleTypes != 0)
    return CUDA_ERROR_NOT_SUPPORTED;
  if (pool.location.id != 0)
    return CUDA_ERROR_INVALID_VALUE;
  std::shared_ptr<AllocWork> work;
  result = makeAllocWork(call, parameters, work);
  contents.work = std::move(work);
  return result;
}

static CUresult makeFree(Call &call, CUdeviceptr address,
                         NodeContents &contents) {
  CUresult result = findCurrent(call.driver, call.context);
  Allocation allocation;
  if (result == CUDA_SUCCESS &&
      (!call.driver.memory().find(address, allocation) ||
       allocation.address != address || allocation.kind != MemoryKind::Device))
    result = CUDA_ERROR_INVALID_VALUE;
  contents.work = std::make_shared<FreeWork>(address);
  return result;
}

static CUresult makeHost(Call &call, const CUDA_HOST_NODE_PARAMS &parameters,
                         NodeContents &contents) {
  if (!isExecutable(parameters.fn))
    return CUDA_ERROR_INVALID_VALUE;
  contents.work =
      std::make_shared<HostWork>(parameters.fn, parameters.userData);
  return findCurrent(call.driver, call.context);
}

static CUresult make(Call &call, const char *name, const GraphNode *before,
                     CUgraphNodeParams &parameters, NodeContents &contents) {
  switch (parameters.type) {
  case CU_GRAPH_NODE_TYPE_KERNEL:
    return makeKernel(call, name, before, parameters.kernel, contents);
  case CU_GRAPH_NODE_TYPE_MEMCPY:
    return makeCopy(call, name, parameters.memcpy, contents);
  case CU_GRAPH_NODE_TYPE_MEMSET:
    return makeSet(call, name, parameters.memset, contents);
  case CU_GRAPH_NODE_TYPE_HOST:
    return makeHost(call, parameters.host, contents);
  case CU_GRAPH_NODE_TYPE_GRAPH:
    return makeChild(call, parameters.graph, contents);
  case CU_GRAPH_NODE_TYPE_EMPTY:
    contents.work = std::make_shared<EmptyWork>();
    return findCurrent(call.driver, call.context);
  case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
    return makeEvent<WaitWork>(call, parameters.eventWait.event, contents);
  case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
    return makeEvent<RecordWork>(call, parameters.eventRecord.event, contents);
  case CU_GRAPH_NODE_TYPE_MEM_ALLOC:
    return makeAlloc(call, parameters.alloc, contents);
  case CU_GRAPH_NODE_TYPE_MEM_FREE:
    return makeFree(call, parameters.free.dptr, contents);
  case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP:
    return makeMemOps(call, parameters.memOp, contents);
  case CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL:
  case CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT:
  case CU_GRAPH_NODE_TYPE_CONDITIONAL:
    call.driver.complain(std::string(name) +
                         ": expected a node without external semaphores or "
                         "conditions, got one of type " +
                         std::to_string(parameters.type));
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult makeContents(Call &call, const char *name, const GraphNode *before,
                      CUgraphNodeParams &parameters, NodeContents &contents) {
  // The kind of a node never changes, nor does memory that it gave away.
  if (before && (before->type() != parameters.type ||
                 parameters.type == CU_GRAPH_NODE_TYPE_MEM_ALLOC ||
                 parameters.type == CU_GRAPH_NODE_TYPE_MEM_FREE))
    return CUDA_ERROR_INVALID_VALUE;
  CUresult result = make(call, name, before, parameters, contents);
  contents.context = call.context;
  return result;
}

void setContents(Call &call, GraphNode &node, NodeContents contents) {
  if (node.child) {
    releaseUserObjects(call, *node.child);
    withdraw(call.driver, *node.child);
  }
  node.work = std::move(contents.work);
  node.child = std::move(contents.child);
  if (node.child)
    node.child->isChild = true;
  node.context = std::move(contents.context);
}

static CUDA_KERNEL_NODE_PARAMS_v2 readKernel(const GraphNode &node) {
  auto &work = static_cast<const KernelWork &>(*node.work);
  const LaunchParameters &launch = work.launch;
  return {work.function->handle,
          launch.grid[0],
          launch.grid[1],
          launch.grid[2],
          launch.block[0],
          launch.block[1],
          launch.block[2],
          launch.dynamicSharedBytes,
          const_cast<void **>(work.parameterAddresses.data()),
          nullptr,
          nullptr,
          node.context->handle};
}

static CUDA_MEMSET_NODE_PARAMS_v2 readSet(const GraphNode &node) {
  auto &work = static_cast<const SetWork &>(*node.work);
  return {work.address, work.pitch,  work.value,          work.elementBytes,
          work.width,   work.height, node.context->handle};
}

/// Puts the parameters of the rarer kinds into `result`.
static void readOther(const GraphNode &node, CUgraphNodeParams &result) {
  switch (result.type) {
  case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
    result.eventWait.event =
        static_cast<const WaitWork &>(*node.work).event->handle;
    break;
  case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
    result.eventRecord.event =
        static_cast<const RecordWork &>(*node.work).event->handle;
    break;
  case CU_GRAPH_NODE_TYPE_MEM_ALLOC:
    result.alloc = static_cast<const AllocWork &>(*node.work).parameters;
    break;
  case CU_GRAPH_NODE_TYPE_MEM_FREE:
    result.free.dptr = static_cast<const FreeWork &>(*node.work).address;
    break;
  case CU_GRAPH_NODE_TYPE_BATCH_MEM_OP: {
    auto &work = static_cast<const MemOpWork &>(*node.work);
    result.memOp = {
        node.context->handle, static_cast<unsigned>(work.operations.size()),
        const_cast<CUstreamBatchMemOpParams *>(work.operations.data()),
        work.flags};
    break;
  }
  default:
    break;
  }
}

CUgraphNodeParams readParams(const GraphNode &node) {
  CUgraphNodeParams result;
  std::memset(&result, 0, sizeof(result));
  result.type = node.type();
  switch (result.type) {
  case CU_GRAPH_NODE_TYPE_KERNEL:
    result.kernel = readKernel(node);
    break;
  case CU_GRAPH_NODE_TYPE_MEMCPY:
    result.memcpy.copyCtx = node.context->handle;
    result.memcpy.copyParams =
        describeCopy(static_cast<const CopyWork &>(*node.work).shape);
    break;
  case CU_GRAPH_NODE_TYPE_MEMSET:
    result.memset = readSet(node);
    break;
  case CU_GRAPH_NODE_TYPE_HOST: {
    auto &work = static_cast<const HostWork &>(*node.work);
    result.host = {work.function, work.data};
    break;
  }
  case CU_GRAPH_NODE_TYPE_GRAPH:
    result.graph.graph = node.child->handle;
    break;
  default:
    readOther(node, result);
  }
  return result;
}

} // namespace ptxsim::driver
