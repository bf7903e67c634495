// Making tasks of executable graphs.

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/GraphExec.h"
#include "tools/ptxsim/driver/Launch.h"
#include "tools/ptxsim/driver/Pool.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>
#include <unordered_map>

namespace ptxsim::driver {

namespace {

/// What has become of a node in a launch.
struct LaunchedNode {
  std::shared_ptr<Task> task;
  /// Tasks that need not be done when `task` is, since it did not wait for all
  /// of them; what waits for all of the node waits for these, too.
  std::vector<std::shared_ptr<Task>> unfinished;
  bool hasDependents = false;
};

using LaunchedNodes = std::unordered_map<const GraphNode *, LaunchedNode>;

} // namespace

/// Returns what `node` does now; nothing if it is disabled. A kernel that does
/// not wait for all of another must know it.
static WorkRef workFor(const GraphNode &node) {
  if (!node.isEnabled)
    return std::make_shared<EmptyWork>();
  bool isProgrammatic =
      std::any_of(node.dependencies.begin(), node.dependencies.end(),
                  [](const NodeDependency &dependency) {
                    return kindOf(dependency.data) != EdgeKind::Full;
                  });
  if (!isProgrammatic || node.type() != CU_GRAPH_NODE_TYPE_KERNEL)
    return node.work;
  auto work =
      std::make_shared<KernelWork>(static_cast<const KernelWork &>(*node.work));
  work->launch.programmatic = true;
  return work;
}

/// Collects what the task of `node` waits for, and what of that need not be
/// done when it is.
static std::vector<Dependency>
collectDependencies(const GraphNode &node, LaunchedNodes &launched,
                    const std::shared_ptr<Task> &entry,
                    std::vector<std::shared_ptr<Task>> &unfinished) {
  std::vector<Dependency> dependencies;
  if (node.dependencies.empty())
    dependencies.push_back({entry, EdgeKind::Full});
  for (const NodeDependency &dependency : node.dependencies) {
    LaunchedNode &before = launched[dependency.node.get()];
    EdgeKind kind = kindOf(dependency.data);
    before.hasDependents = true;
    dependencies.push_back({before.task, kind});
    for (const std::shared_ptr<Task> &task : before.unfinished)
      dependencies.push_back({task, kind});
    if (kind == EdgeKind::Full)
      continue;
    unfinished.push_back(before.task);
    unfinished.insert(unfinished.end(), before.unfinished.begin(),
                      before.unfinished.end());
  }
  return dependencies;
}

std::shared_ptr<Task> submitGraph(Call &call,
                                  const std::shared_ptr<Context> &context,
                                  const Graph &graph,
                                  std::vector<Dependency> before,
                                  uint64_t launch) {
  std::shared_ptr<Task> entry = call.scheduler().submit(
      context, std::make_shared<EmptyWork>(), std::move(before));
  if (launch == 0)
    launch = entry->serial;
  LaunchedNodes launched;
  std::vector<std::shared_ptr<GraphNode>> nodes = sortNodes(graph);
  for (const std::shared_ptr<GraphNode> &node : nodes) {
    std::vector<std::shared_ptr<Task>> unfinished;
    std::vector<Dependency> dependencies =
        collectDependencies(*node, launched, entry, unfinished);
    if (node->type() == CU_GRAPH_NODE_TYPE_MEM_ALLOC)
      makeLive(call.driver, static_cast<const AllocWork &>(*node->work).memory);
    LaunchedNode &result = launched[node.get()];
    result.unfinished = std::move(unfinished);
    result.task =
        node->child && node->isEnabled
            ? submitGraph(call, node->context ? node->context : context,
                          *node->child, std::move(dependencies), launch)
            : call.scheduler().submit(node->context ? node->context : context,
                                      workFor(*node), std::move(dependencies),
                                      node->priority);
    result.task->order.graph = launch;
  }
  std::vector<Dependency> ends = {{entry, EdgeKind::Full}};
  for (const std::shared_ptr<GraphNode> &node : nodes) {
    const LaunchedNode &result = launched[node.get()];
    if (result.hasDependents && result.unfinished.empty())
      continue;
    ends.push_back({result.task, EdgeKind::Full});
    for (const std::shared_ptr<Task> &task : result.unfinished)
      ends.push_back({task, EdgeKind::Full});
  }
  return call.scheduler().submit(context, std::make_shared<EmptyWork>(),
                                 std::move(ends));
}

/// Checks that the contexts of `graph` are there and that memory that a launch
/// allocates was freed since the launch before, unless that is done for it.
static CUresult checkLaunch(Call &call, const Graph &graph, bool autoFree) {
  for (const std::shared_ptr<GraphNode> &node : graph.nodes) {
    if (node->context && node->context->isDestroyed)
      return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    if (node->child) {
      CUresult result = checkLaunch(call, *node->child, autoFree);
      if (result != CUDA_SUCCESS)
        return result;
    }
    if (node->type() != CU_GRAPH_NODE_TYPE_MEM_ALLOC)
      continue;
    auto &work = static_cast<const AllocWork &>(*node->work);
    if (work.memory->isLive && !autoFree) {
      call.driver.complain("cuGraphLaunch: expected memory of the graph that "
                           "was freed since the launch before, got an "
                           "allocation that was not");
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  return CUDA_SUCCESS;
}

PTXSIM_STREAM_API(cuGraphLaunch, cuGraphLaunch_ptsz,
                  (CUgraphExec handle, CUstream streamHandle),
                  (handle, streamHandle)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult result = findExec(call, handle, exec);
    std::shared_ptr<Stream> stream;
    if (result == CUDA_SUCCESS)
      result = findStream(call, streamHandle, stream);
    if (result == CUDA_SUCCESS)
      result = checkImplicit(call, *stream);
    if (result != CUDA_SUCCESS)
      return result;
    if (stream->capture) {
      // As on hardware, the launch becomes a node of the graph that is
      // captured.
      std::shared_ptr<GraphNode> node;
      result = captureWork(*stream, std::make_shared<EmptyWork>(),
                           EdgeKind::Full, node);
      if (result == CUDA_SUCCESS) {
        node->child = cloneGraph(*exec->graph);
        node->child->isChild = true;
      }
      return result;
    }
    // A free of the launch before may still wait in a stream.
    if (exec->lastLaunch && call.driver.graphMemoryUsed != 0) {
      std::vector<std::shared_ptr<Task>> tasks = tailOf(*stream);
      tasks.push_back(exec->lastLaunch);
      call.scheduler().wait(call.lock, tasks);
    }
    bool autoFree =
        exec->flags & CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    result = checkLaunch(call, *exec->graph, autoFree);
    if (result != CUDA_SUCCESS)
      return result;
    std::vector<Dependency> before = dependenciesIn(*stream, EdgeKind::Full);
    if (exec->lastLaunch)
      before.push_back({exec->lastLaunch, EdgeKind::Full});
    exec->lastLaunch =
        submitGraph(call, stream->context, *exec->graph, std::move(before));
    setLast(*stream, exec->lastLaunch, EdgeKind::Full);
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuGraphUpload, cuGraphUpload_ptsz,
                  (CUgraphExec handle, CUstream streamHandle),
                  (handle, streamHandle)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult result = findExec(call, handle, exec);
    std::shared_ptr<Stream> stream;
    if (result == CUDA_SUCCESS)
      result = findStream(call, streamHandle, stream);
    // There is nothing to move, but a stream under capture refuses it.
    return result == CUDA_SUCCESS ? checkNotCapturing(*stream) : result;
  });
}

} // namespace ptxsim::driver
