// Graphs: nodes, edges, executing, changing.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace ptxsim;

class GraphTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    set = load({"set", "add_one", "fails"});
    ASSERT_OK(cuModuleGetFunction(&addOne, module, "add_one"));
    data = alloc(64);
    write(data, std::vector<uint32_t>(16));
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuGraphCreate(&graph, 0));
  }

  /// Describes `set` of word `index`.
  CUDA_KERNEL_NODE_PARAMS_v2 setOf(size_t index, uint32_t value) {
    target = data + 4 * index;
    number = value;
    CUDA_KERNEL_NODE_PARAMS_v2 kernel = {};
    kernel.func = set;
    kernel.gridDimX = kernel.gridDimY = kernel.gridDimZ = 1;
    kernel.blockDimX = kernel.blockDimY = kernel.blockDimZ = 1;
    kernel.kernelParams = parameters;
    return kernel;
  }

  CUgraphNode addSet(size_t index, uint32_t value,
                     std::vector<CUgraphNode> after = {}) {
    CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(index, value);
    CUgraphNode node = nullptr;
    EXPECT_OK(cuGraphAddKernelNode_v2(&node, graph, after.data(), after.size(),
                                      &kernel));
    return node;
  }

  CUDA_MEMCPY3D copyOf(size_t to, size_t from) {
    CUDA_MEMCPY3D copy = {};
    copy.dstMemoryType = copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = data + 4 * to;
    copy.srcDevice = data + 4 * from;
    copy.WidthInBytes = 4;
    copy.Height = copy.Depth = 1;
    return copy;
  }

  CUgraphNode addCopy(size_t to, size_t from, std::vector<CUgraphNode> after) {
    CUDA_MEMCPY3D copy = copyOf(to, from);
    CUgraphNode node = nullptr;
    EXPECT_OK(cuGraphAddMemcpyNode(&node, graph, after.data(), after.size(),
                                   &copy, context));
    return node;
  }

  CUgraphExec instantiate() {
    CUgraphExec exec = nullptr;
    EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    return exec;
  }

  /// Launches and returns the first `count` words.
  std::vector<uint32_t> run(CUgraphExec exec, size_t count) {
    EXPECT_OK(cuGraphLaunch(exec, stream));
    EXPECT_OK(cuStreamSynchronize(stream));
    return read(data, count);
  }

  CUfunction set = nullptr, addOne = nullptr;
  CUdeviceptr data = 0, target = 0;
  uint32_t number = 0;
  void *parameters[2] = {&target, &number};
  CUstream stream = nullptr;
  CUgraph graph = nullptr;
};

using Words = std::vector<uint32_t>;

TEST_F(GraphTest, RunsInOrderOfItsEdges) {
  CUgraphNode copy = addCopy(1, 0, {});
  CUgraphNode first = addSet(0, 5);
  // Added before what it depends on, and behind it nevertheless.
  EXPECT_OK(cuGraphAddDependencies(graph, &first, &copy, 1));
  EXPECT_EQ(run(instantiate(), 2), (Words{5, 5}));
}

TEST_F(GraphTest, EveryKindOfNode) {
  CUgraphNode kernel = addSet(0, 5), last = nullptr, node = nullptr;
  CUDA_MEMSET_NODE_PARAMS_v1 fill = {data + 4, 0, 0xabcd, 2, 2, 1};
  EXPECT_OK(cuGraphAddMemsetNode(&node, graph, &kernel, 1, &fill, context));
  last = addCopy(2, 1, {node});
  static int calls = 0;
  calls = 0;
  CUDA_HOST_NODE_PARAMS host = {[](void *) { ++calls; }, nullptr};
  EXPECT_OK(cuGraphAddHostNode(&node, graph, &last, 1, &host));
  EXPECT_OK(cuGraphAddEmptyNode(&last, graph, &node, 1));
  CUevent event = nullptr;
  ASSERT_OK(cuEventCreate(&event, 0));
  EXPECT_OK(cuGraphAddEventRecordNode(&node, graph, &last, 1, event));
  EXPECT_OK(cuGraphAddEventWaitNode(&last, graph, &node, 1, event));
  CUstreamBatchMemOpParams operation = {};
  operation.writeValue.operation = CU_STREAM_MEM_OP_WRITE_VALUE_32;
  operation.writeValue.address = data + 12;
  operation.writeValue.value = 77;
  CUDA_BATCH_MEM_OP_NODE_PARAMS operations = {context, 1, &operation, 0};
  EXPECT_OK(cuGraphAddBatchMemOpNode(&node, graph, &last, 1, &operations));
  EXPECT_EQ(run(instantiate(), 4), (Words{5, 0xabcdabcd, 0xabcdabcd, 77}));
  EXPECT_EQ(calls, 1);
  EXPECT_OK(cuEventQuery(event));
}

TEST_F(GraphTest, EdgesAreChecked) {
  CUgraphNode first = addSet(0, 1), second = addSet(1, 2, {first}),
              third = addSet(2, 3, {second});
  EXPECT_EQ(cuGraphAddDependencies(graph, &third, &first, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddDependencies(graph, &first, &first, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddDependencies(graph, &first, &second, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuGraphAddDependencies(graph, &first, &third, 1));
  EXPECT_OK(cuGraphRemoveDependencies(graph, &first, &third, 1));
  EXPECT_EQ(cuGraphRemoveDependencies(graph, &first, &third, 1),
            CUDA_ERROR_INVALID_VALUE);
  size_t count = 0;
  EXPECT_OK(cuGraphGetRootNodes(graph, nullptr, &count));
  EXPECT_EQ(count, 1u);
  CUgraphNode nodes[5] = {};
  count = 5;
  EXPECT_OK(cuGraphGetNodes(graph, nodes, &count));
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(nodes[2], third);
  EXPECT_EQ(nodes[3], nullptr);
  count = 1;
  EXPECT_OK(cuGraphNodeGetDependencies(third, nodes, &count));
  EXPECT_EQ(nodes[0], second);
  CUgraphEdgeData data = {};
  data.from_port = 9;
  EXPECT_EQ(cuGraphAddDependencies_v2(graph, &first, &third, &data, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuGraphDestroyNode(second));
  EXPECT_EQ(cuGraphDestroyNode(second), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuGraphNodeGetDependencies(third, nullptr, &count));
  EXPECT_EQ(count, 0u);
}

TEST_F(GraphTest, NodesOfOthersAreRefused) {
  CUgraphNode mine = addSet(0, 1), foreign = nullptr;
  CUgraph other = nullptr;
  ASSERT_OK(cuGraphCreate(&other, 0));
  EXPECT_OK(cuGraphAddEmptyNode(&foreign, other, nullptr, 0));
  EXPECT_EQ(cuGraphAddDependencies(graph, &foreign, &mine, 1),
            CUDA_ERROR_INVALID_VALUE);
  CUgraphNode node = nullptr;
  EXPECT_EQ(cuGraphAddEmptyNode(&node, graph, &foreign, 1),
            CUDA_ERROR_INVALID_VALUE);
  CUgraphNode twice[] = {mine, mine};
  EXPECT_EQ(cuGraphAddEmptyNode(&node, graph, twice, 2),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(nullptr, graph, nullptr, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddEmptyNode(&node, nullptr, nullptr, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuGraphDestroy(other));
  EXPECT_EQ(cuGraphDestroy(other), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, ParametersAreReadAndSet) {
  CUgraphNode kernel = addSet(3, 9);
  CUDA_KERNEL_NODE_PARAMS_v2 found = {};
  EXPECT_OK(cuGraphKernelNodeGetParams_v2(kernel, &found));
  EXPECT_EQ(found.func, set);
  EXPECT_EQ(*static_cast<CUdeviceptr *>(found.kernelParams[0]), data + 12);
  EXPECT_EQ(*static_cast<uint32_t *>(found.kernelParams[1]), 9u);
  CUDA_KERNEL_NODE_PARAMS_v2 changed = setOf(0, 4);
  EXPECT_OK(cuGraphKernelNodeSetParams_v2(kernel, &changed));
  CUgraphNode copy = addCopy(1, 0, {kernel});
  CUDA_MEMCPY3D box = {};
  EXPECT_OK(cuGraphMemcpyNodeGetParams(copy, &box));
  EXPECT_EQ(box.srcDevice, data);
  EXPECT_EQ(box.WidthInBytes, 4u);
  box = copyOf(2, 0);
  EXPECT_OK(cuGraphMemcpyNodeSetParams(copy, &box));
  EXPECT_EQ(run(instantiate(), 4), (Words{4, 0, 4, 0}));
  EXPECT_EQ(cuGraphMemcpyNodeGetParams(kernel, &box), CUDA_ERROR_INVALID_VALUE);
  CUgraphNodeParams wrong = {};
  wrong.type = CU_GRAPH_NODE_TYPE_EMPTY;
  EXPECT_EQ(cuGraphNodeSetParams(kernel, &wrong), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, GenericNodes) {
  CUgraphNodeParams node = {};
  node.type = CU_GRAPH_NODE_TYPE_KERNEL;
  node.kernel = setOf(0, 3);
  CUgraphNode first = nullptr, second = nullptr;
  EXPECT_OK(cuGraphAddNode_v2(&first, graph, nullptr, nullptr, 0, &node));
  node = {};
  node.type = CU_GRAPH_NODE_TYPE_MEMCPY;
  node.memcpy.copyParams = copyOf(1, 0);
  EXPECT_OK(cuGraphAddNode_v2(&second, graph, &first, nullptr, 1, &node));
  EXPECT_EQ(run(instantiate(), 2), (Words{3, 3}));
  node.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
  stderrOf([&] {
    EXPECT_EQ(cuGraphAddNode_v2(&second, graph, nullptr, nullptr, 0, &node),
              CUDA_ERROR_NOT_SUPPORTED);
  });
  node.type = static_cast<CUgraphNodeType>(99);
  EXPECT_EQ(cuGraphAddNode_v2(&second, graph, nullptr, nullptr, 0, &node),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, ChildGraphsAreCopies) {
  CUgraph child = nullptr, inner = nullptr;
  ASSERT_OK(cuGraphCreate(&child, 0));
  std::swap(graph, child);
  CUgraphNode own = addSet(1, 6);
  std::swap(graph, child);
  CUgraphNode first = addSet(0, 5), node = nullptr;
  EXPECT_OK(cuGraphAddChildGraphNode(&node, graph, &first, 1, child));
  addCopy(2, 1, {node});
  // What happens to the original later does not matter.
  EXPECT_OK(cuGraphDestroyNode(own));
  EXPECT_OK(cuGraphDestroy(child));
  EXPECT_EQ(run(instantiate(), 3), (Words{5, 6, 6}));
  EXPECT_OK(cuGraphChildGraphNodeGetGraph(node, &inner));
  size_t count = 0;
  EXPECT_OK(cuGraphGetNodes(inner, nullptr, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(cuGraphDestroy(inner), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, ClonesAreApart) {
  CUgraphNode node = addSet(0, 5), twin = nullptr;
  CUgraph clone = nullptr;
  EXPECT_OK(cuGraphClone(&clone, graph));
  EXPECT_OK(cuGraphNodeFindInClone(&twin, node, clone));
  EXPECT_NE(twin, node);
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(0, 8);
  EXPECT_OK(cuGraphKernelNodeSetParams_v2(twin, &kernel));
  EXPECT_EQ(run(instantiate(), 1), (Words{5}));
  EXPECT_EQ(cuGraphNodeFindInClone(&twin, node, graph),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuGraphDestroy(clone));
}

TEST_F(GraphTest, ExecutablesOutliveTheirGraphs) {
  addSet(0, 5);
  CUgraphExec exec = instantiate();
  EXPECT_OK(cuGraphDestroy(graph));
  EXPECT_OK(cuModuleUnload(module));
  EXPECT_EQ(run(exec, 1), (Words{5}));
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_EQ(cuGraphLaunch(exec, stream), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, SingleNodesOfExecutablesChange) {
  CUgraphNode node = addSet(0, 5), copy = addCopy(1, 0, {node});
  CUgraphExec exec = instantiate();
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(0, 8);
  // A launch that waits keeps what it was launched with.
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuMemcpyDtoDAsync_v2(data + 8, data, 4, stream));
  EXPECT_OK(cuGraphExecKernelNodeSetParams_v2(exec, node, &kernel));
  EXPECT_EQ(run(exec, 3), (Words{8, 8, 5}));
  EXPECT_OK(cuGraphNodeSetEnabled(exec, copy, 0));
  kernel = setOf(0, 9);
  EXPECT_OK(cuGraphExecKernelNodeSetParams_v2(exec, node, &kernel));
  unsigned enabled = 9;
  EXPECT_OK(cuGraphNodeGetEnabled(exec, copy, &enabled));
  EXPECT_EQ(enabled, 0u);
  EXPECT_EQ(run(exec, 2), (Words{9, 8}));
  CUDA_MEMCPY3D box = copyOf(3, 0);
  EXPECT_OK(cuGraphNodeSetEnabled(exec, copy, 1));
  EXPECT_OK(cuGraphExecMemcpyNodeSetParams(exec, copy, &box, context));
  EXPECT_EQ(run(exec, 4), (Words{9, 8, 5, 9}));
  EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(exec, copy, &kernel),
            CUDA_ERROR_INVALID_VALUE);
  stderrOf([&] {
    kernel.blockDimX = 5000;
    EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(exec, node, &kernel),
              CUDA_ERROR_INVALID_VALUE);
  });
}

TEST_F(GraphTest, WholeExecutablesAreUpdated) {
  CUgraphNode first = addSet(0, 5);
  addCopy(1, 0, {first});
  CUgraphExec exec = instantiate();
  CUgraph old = graph;
  ASSERT_OK(cuGraphCreate(&graph, 0));
  first = addSet(0, 6);
  CUgraphNode second = addCopy(2, 0, {first});
  CUgraphExecUpdateResultInfo info = {};
  EXPECT_OK(cuGraphExecUpdate_v2(exec, graph, &info));
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  EXPECT_EQ(run(exec, 3), (Words{6, 0, 6}));
  // Another edge, another node, another kind of node.
  EXPECT_OK(cuGraphRemoveDependencies(graph, &first, &second, 1));
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, graph, &info),
            CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  EXPECT_EQ(info.errorNode, second);
  EXPECT_OK(cuGraphAddDependencies(graph, &first, &second, 1));
  addSet(4, 4);
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, graph, &info),
            CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_OK(cuGraphDestroy(graph));
  ASSERT_OK(cuGraphCreate(&graph, 0));
  first = addSet(0, 6);
  addSet(2, 1, {first});
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, graph, &info),
            CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED);
  // A failed update changes nothing.
  EXPECT_EQ(run(exec, 3), (Words{6, 0, 6}));
  EXPECT_OK(cuGraphDestroy(old));
}

TEST_F(GraphTest, LaunchesOfOneDoNotOverlap) {
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(0, 0);
  kernel.func = addOne;
  number = 1;
  CUgraphNode node = nullptr;
  EXPECT_OK(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, &kernel));
  CUgraphExec exec = instantiate();
  CUstream other = nullptr;
  ASSERT_OK(cuStreamCreate(&other, 1));
  for (int i = 0; i < 10; ++i) {
    EXPECT_OK(cuGraphLaunch(exec, stream));
    EXPECT_OK(cuGraphLaunch(exec, other));
  }
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_EQ(read(data, 1)[0], 20u);
}

TEST_F(GraphTest, LongChainsDoNotOverflowTheStack) {
  CUgraphNode last = addSet(0, 1);
  for (int i = 0; i < 20000; ++i) {
    CUgraphNode next = nullptr;
    ASSERT_OK(cuGraphAddEmptyNode(&next, graph, &last, 1));
    last = next;
  }
  CUgraphExec exec = instantiate();
  EXPECT_EQ(run(exec, 1), (Words{1}));
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_OK(cuGraphDestroy(graph));
}

TEST_F(GraphTest, MemoryNodes) {
  CUDA_MEM_ALLOC_NODE_PARAMS alloc = {};
  alloc.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  alloc.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  alloc.bytesize = 4;
  CUgraphNode node = nullptr, copy = nullptr;
  EXPECT_OK(cuGraphAddMemAllocNode(&node, graph, nullptr, 0, &alloc));
  ASSERT_NE(alloc.dptr, 0u);
  CUDA_MEMSET_NODE_PARAMS_v1 fill = {alloc.dptr, 0, 7, 4, 1, 1};
  EXPECT_OK(cuGraphAddMemsetNode(&copy, graph, &node, 1, &fill, context));
  CUgraphExec exec = instantiate();
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(read(alloc.dptr, 1)[0], 7u);
  std::string message = stderrOf([&] {
    EXPECT_EQ(cuGraphLaunch(exec, stream), CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_NE(message.find("got an allocation that was not"), std::string::npos)
      << message;
  EXPECT_OK(cuMemFree_v2(alloc.dptr));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuMemFreeAsync(alloc.dptr, stream));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  CUgraphExec autoFree = nullptr;
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_OK(cuGraphInstantiateWithFlags(
      &autoFree, graph, CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH));
  EXPECT_OK(cuGraphLaunch(autoFree, stream));
  EXPECT_OK(cuGraphLaunch(autoFree, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_OK(cuMemFree_v2(alloc.dptr));
  EXPECT_OK(cuGraphExecDestroy(autoFree));
  EXPECT_OK(cuGraphDestroy(graph));
  stderrOf([&] {
    uint32_t value = 0;
    EXPECT_EQ(cuMemcpyDtoH_v2(&value, alloc.dptr, 4), CUDA_ERROR_INVALID_VALUE);
  });
}

TEST_F(GraphTest, KernelAttributes) {
  CUgraphNode node = addSet(0, 5), other = addSet(1, 5);
  CUlaunchAttributeValue value = {};
  value.cooperative = 1;
  EXPECT_OK(cuGraphKernelNodeSetAttribute(node, CU_LAUNCH_ATTRIBUTE_COOPERATIVE,
                                          &value));
  value = {};
  value.priority = -2;
  EXPECT_OK(cuGraphKernelNodeSetAttribute(node, CU_LAUNCH_ATTRIBUTE_PRIORITY,
                                          &value));
  EXPECT_OK(cuGraphKernelNodeCopyAttributes(other, node));
  value = {};
  EXPECT_OK(cuGraphKernelNodeGetAttribute(
      other, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &value));
  EXPECT_EQ(value.cooperative, 1);
  EXPECT_OK(cuGraphKernelNodeGetAttribute(other, CU_LAUNCH_ATTRIBUTE_PRIORITY,
                                          &value));
  EXPECT_EQ(value.priority, -2);
  // Parameters that are set later keep the attributes.
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(1, 6);
  EXPECT_OK(cuGraphKernelNodeSetParams_v2(other, &kernel));
  EXPECT_EQ(run(instantiate(), 2), (Words{5, 6}));
  EXPECT_TRUE(fake::log().launches.back().cooperative);
}

TEST_F(GraphTest, UserObjectsLiveWithTheGraph) {
  static std::atomic<int> destroyed{0};
  destroyed = 0;
  CUuserObject object = nullptr;
  CUhostFn destroy = [](void *) { ++destroyed; };
  EXPECT_EQ(cuUserObjectCreate(&object, nullptr, destroy, 1, 0),
            CUDA_ERROR_INVALID_VALUE);
  ASSERT_OK(cuUserObjectCreate(&object, nullptr, destroy, 1,
                               userObjectNoDestructorSync));
  EXPECT_OK(cuGraphRetainUserObject(graph, object, 1, graphUserObjectMove));
  CUgraphExec exec = instantiate();
  EXPECT_OK(cuGraphDestroy(graph));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(destroyed, 0);
  EXPECT_OK(cuGraphExecDestroy(exec));
  for (int i = 0; i < 200 && destroyed == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(cuUserObjectRelease(object, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, PrintsItself) {
  CUgraphNode first = addSet(0, 5);
  addCopy(1, 0, {first});
  char path[] = "/tmp/ptxsim-dot-XXXXXX";
  close(mkstemp(path));
  EXPECT_OK(cuGraphDebugDotPrint(graph, path, 0));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path);
  EXPECT_EQ(text.str().substr(0, 80),
            "digraph {\n  \"0\" [label=\"0 KERNEL\\nset\\n<<<(1, 1, 1), (1, 1, "
            "1), 0>>>\"];\n  \"1\" [l");
  EXPECT_NE(text.str().find("\"0\" -> \"1\";"), std::string::npos);
  EXPECT_EQ(cuGraphDebugDotPrint(graph, "/nowhere/x", 0),
            CUDA_ERROR_OPERATING_SYSTEM);
}

TEST_F(GraphTest, FaultsStopTheRest) {
  CUfunction fails = nullptr;
  ASSERT_OK(cuModuleGetFunction(&fails, module, "fails"));
  void *flag = nullptr;
  ASSERT_OK(cuMemHostAlloc(&flag, 4, 0));
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = setOf(0, 1);
  kernel.func = fails;
  CUgraphNode node = nullptr, after = nullptr;
  EXPECT_OK(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, &kernel));
  kernel = setOf(0, 1);
  target = reinterpret_cast<CUdeviceptr>(flag);
  EXPECT_OK(cuGraphAddKernelNode_v2(&after, graph, &node, 1, &kernel));
  CUgraphExec exec = instantiate();
  stderrOf([&] {
    EXPECT_OK(cuGraphLaunch(exec, stream));
    EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_ASSERT);
  });
  EXPECT_EQ(*static_cast<uint32_t *>(flag), 0u);
}
