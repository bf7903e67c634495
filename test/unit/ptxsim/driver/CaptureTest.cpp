// Capturing streams into graphs.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <thread>

using namespace ptxsim;

class CaptureTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    addOne = load({"add_one"});
    data = alloc(64);
    write(data, std::vector<uint32_t>(16));
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuEventCreate(&event, 0));
    ASSERT_OK(cuEventCreate(&join, 0));
  }

  CUresult add(CUstream where) { return launch(addOne, 1, {&data, &n}, where); }

  CUresult begin(CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED) {
    return cuStreamBeginCapture_v2(stream, mode);
  }

  size_t nodesOf(CUgraph graph) {
    size_t count = 0;
    EXPECT_OK(cuGraphGetNodes(graph, nullptr, &count));
    return count;
  }

  CUfunction addOne = nullptr;
  CUdeviceptr data = 0;
  uint32_t n = 1;
  CUstream stream = nullptr, other = nullptr;
  CUevent event = nullptr, join = nullptr;
  CUgraph graph = nullptr;
};

TEST_F(CaptureTest, RecordsAndDoesNotRun) {
  ASSERT_OK(begin());
  CUstreamCaptureStatus status;
  EXPECT_OK(cuStreamIsCapturing(stream, &status));
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_OK(add(stream));
  EXPECT_OK(cuMemsetD32Async(data + 4, 9, 1, stream));
  EXPECT_OK(cuMemcpyDtoDAsync_v2(data + 8, data + 4, 4, stream));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  EXPECT_OK(cuStreamIsCapturing(stream, &status));
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(nodesOf(graph), 3u);
  EXPECT_EQ(read(data, 3), (std::vector<uint32_t>{0, 0, 0}));
  CUgraphExec exec = nullptr;
  ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  EXPECT_OK(cuGraphDestroy(graph));
  for (int i = 0; i < 3; ++i)
    EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(read(data, 3), (std::vector<uint32_t>{3, 9, 9}));
  EXPECT_OK(cuGraphExecDestroy(exec));
}

TEST_F(CaptureTest, ForksAndJoins) {
  ASSERT_OK(begin());
  EXPECT_OK(add(stream));
  EXPECT_OK(cuEventRecord(event, stream));
  EXPECT_OK(cuStreamWaitEvent(other, event, 0));
  EXPECT_OK(cuMemsetD32Async(data + 4, 1, 1, other));
  EXPECT_OK(cuEventRecord(join, other));
  EXPECT_OK(cuMemsetD32Async(data + 8, 1, 1, stream));
  EXPECT_OK(cuStreamWaitEvent(stream, join, 0));
  EXPECT_OK(cuMemcpyDtoDAsync_v2(data + 12, data + 4, 4, stream));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  size_t edges = 0;
  EXPECT_OK(cuGraphGetEdges(graph, nullptr, nullptr, &edges));
  EXPECT_EQ(edges, 4u);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_CAPTURED_EVENT);
  // It has ended, though events know of it.
  CUdeviceptr address = 0;
  EXPECT_OK(cuMemAlloc_v2(&address, 4));
  EXPECT_OK(cuMemFree_v2(address));
  EXPECT_OK(cuGraphDestroy(graph));
  // The other stream runs again.
  EXPECT_OK(add(other));
  EXPECT_OK(cuStreamSynchronize(other));
}

TEST_F(CaptureTest, UnjoinedWorkIsRefused) {
  ASSERT_OK(begin());
  EXPECT_OK(add(stream));
  EXPECT_OK(cuEventRecord(event, stream));
  EXPECT_OK(cuStreamWaitEvent(other, event, 0));
  EXPECT_OK(add(other));
  EXPECT_EQ(cuStreamEndCapture(other, &graph),
            CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_EQ(graph, nullptr);
  EXPECT_OK(cuStreamSynchronize(other));
}

TEST_F(CaptureTest, StreamsMayGoOnceTheyAreJoined) {
  for (bool joins : {true, false}) {
    CUstream forked = nullptr;
    ASSERT_OK(cuStreamCreate(&forked, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(begin());
    EXPECT_OK(add(stream));
    EXPECT_OK(cuEventRecord(event, stream));
    EXPECT_OK(cuStreamWaitEvent(forked, event, 0));
    EXPECT_OK(add(forked));
    if (joins) {
      EXPECT_OK(cuEventRecord(join, forked));
      EXPECT_OK(cuStreamWaitEvent(stream, join, 0));
    }
    EXPECT_OK(cuStreamDestroy_v2(forked));
    EXPECT_EQ(cuStreamEndCapture(stream, &graph),
              joins ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  }
}

TEST_F(CaptureTest, WaitingInvalidates) {
  ASSERT_OK(begin());
  EXPECT_OK(add(stream));
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUstreamCaptureStatus status;
  EXPECT_OK(cuStreamIsCapturing(stream, &status));
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(add(stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_ERROR_ILLEGAL_STATE);
  ASSERT_OK(begin());
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  cuStreamEndCapture(stream, &graph);
}

TEST_F(CaptureTest, ModesForbidUnsafeCalls) {
  CUdeviceptr address = 0;
  ASSERT_OK(begin(CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_OK(cuMemAlloc_v2(&address, 4));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  ASSERT_OK(begin(CU_STREAM_CAPTURE_MODE_GLOBAL));
  std::thread([&] {
    EXPECT_OK(cuCtxSetCurrent(context));
    EXPECT_EQ(cuMemAlloc_v2(&address, 4),
              CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }).join();
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_OK(begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  std::thread([&] {
    EXPECT_OK(cuCtxSetCurrent(context));
    EXPECT_OK(cuMemAlloc_v2(&address, 4));
    EXPECT_EQ(cuStreamEndCapture(stream, &graph),
              CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  }).join();
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  EXPECT_OK(cuThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
  EXPECT_OK(cuMemAlloc_v2(&address, 4));
  EXPECT_OK(cuThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(CaptureTest, DefaultStreamIsRefused) {
  EXPECT_EQ(cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUstream blocking = nullptr;
  ASSERT_OK(cuStreamCreate(&blocking, 0));
  ASSERT_OK(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_EQ(add(nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(cuStreamEndCapture(blocking, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  // A stream that does not order itself with it does not care.
  ASSERT_OK(begin());
  EXPECT_OK(add(nullptr));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
}

TEST_F(CaptureTest, CapturesStayApart) {
  EXPECT_OK(add(other));
  EXPECT_OK(cuEventRecord(event, other));
  ASSERT_OK(begin());
  EXPECT_EQ(begin(), CUDA_ERROR_ILLEGAL_STATE);
  EXPECT_EQ(cuStreamWaitEvent(stream, event, 0),
            CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_OK(begin());
  ASSERT_OK(cuStreamBeginCapture_v2(other, CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_OK(cuEventRecord(event, other));
  EXPECT_EQ(cuStreamWaitEvent(stream, event, 0),
            CUDA_ERROR_STREAM_CAPTURE_MERGE);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuStreamEndCapture(other, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  // The event's capture is over.
  EXPECT_NE(cuStreamWaitEvent(stream, event, 0), CUDA_SUCCESS);
}

TEST_F(CaptureTest, ExternalEventsBecomeNodes) {
  EXPECT_EQ(cuEventRecordWithFlags(event, stream, eventExternal),
            CUDA_ERROR_INVALID_VALUE);
  ASSERT_OK(begin());
  EXPECT_OK(add(stream));
  EXPECT_OK(cuEventRecordWithFlags(event, stream, eventExternal));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  EXPECT_EQ(nodesOf(graph), 2u);
  CUgraphExec exec = nullptr;
  ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuEventSynchronize(event));
  EXPECT_EQ(read(data, 1)[0], 1u);
}

TEST_F(CaptureTest, InfoAndDependencies) {
  CUstreamCaptureStatus status;
  uint64_t id = 0;
  CUgraph captured = nullptr;
  const CUgraphNode *nodes = nullptr;
  size_t count = 9;
  EXPECT_OK(cuStreamGetCaptureInfo_v2(stream, &status, &id, &captured, &nodes,
                                      &count));
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_NONE);
  ASSERT_OK(begin());
  EXPECT_OK(add(stream));
  EXPECT_OK(cuStreamGetCaptureInfo_v2(stream, &status, &id, &captured, &nodes,
                                      &count));
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_NE(id, 0u);
  ASSERT_EQ(count, 1u);
  CUgraphNode kernel = nodes[0], own = nullptr;
  CUgraphNodeType type;
  EXPECT_OK(cuGraphNodeGetType(kernel, &type));
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_KERNEL);
  EXPECT_OK(cuGraphAddEmptyNode(&own, captured, &kernel, 1));
  EXPECT_OK(cuStreamUpdateCaptureDependencies(
      stream, &own, 1, CU_STREAM_SET_CAPTURE_DEPENDENCIES));
  EXPECT_OK(add(stream));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  EXPECT_EQ(graph, captured);
  EXPECT_EQ(nodesOf(graph), 3u);
  size_t dependents = 0;
  EXPECT_OK(cuGraphNodeGetDependentNodes(own, nullptr, &dependents));
  EXPECT_EQ(dependents, 1u);
}

TEST_F(CaptureTest, IntoAGraphThatIsThere) {
  ASSERT_OK(cuGraphCreate(&graph, 0));
  CUgraphNode root = nullptr;
  EXPECT_OK(cuGraphAddEmptyNode(&root, graph, nullptr, 0));
  EXPECT_OK(cuStreamBeginCaptureToGraph(stream, graph, &root, nullptr, 1,
                                        CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_OK(add(stream));
  CUgraph result = nullptr;
  EXPECT_OK(cuStreamEndCapture(stream, &result));
  EXPECT_EQ(result, graph);
  size_t dependents = 0;
  EXPECT_OK(cuGraphNodeGetDependentNodes(root, nullptr, &dependents));
  EXPECT_EQ(dependents, 1u);
}

TEST_F(CaptureTest, MemoryOfStreams) {
  ASSERT_OK(begin());
  CUdeviceptr address = 0;
  EXPECT_OK(cuMemAllocAsync(&address, 4, stream));
  EXPECT_OK(cuMemsetD32Async(address, 41, 1, stream));
  EXPECT_OK(launch(addOne, 1, {&address, &n}, stream));
  EXPECT_OK(cuMemcpyDtoDAsync_v2(data, address, 4, stream));
  EXPECT_OK(cuMemFreeAsync(address, stream));
  EXPECT_OK(cuStreamEndCapture(stream, &graph));
  CUgraphExec exec = nullptr;
  ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(read(data, 1)[0], 42u);
  uint64_t used = 9;
  EXPECT_OK(cuDeviceGetGraphMemAttribute(0, CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT,
                                         &used));
  EXPECT_EQ(used, 0u);
  EXPECT_OK(
      cuDeviceGetGraphMemAttribute(0, CU_GRAPH_MEM_ATTR_USED_MEM_HIGH, &used));
  EXPECT_EQ(used, 4u);
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_OK(cuGraphDestroy(graph));
}

TEST_F(CaptureTest, CallbacksAreRefused) {
  ASSERT_OK(begin());
  EXPECT_EQ(cuStreamAddCallback(
                stream, [](CUstream, CUresult, void *) {}, nullptr, 0),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph),
            CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(CaptureTest, DestroyingTheStreamEndsIt) {
  ASSERT_OK(begin());
  EXPECT_OK(cuEventRecord(event, stream));
  EXPECT_OK(cuStreamWaitEvent(other, event, 0));
  EXPECT_OK(cuStreamDestroy_v2(stream));
  EXPECT_OK(add(other));
  EXPECT_OK(cuStreamSynchronize(other));
}
