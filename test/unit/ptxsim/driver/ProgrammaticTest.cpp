// Launches that begin before the one before them ends.

#include "test/unit/ptxsim/driver/DriverFixture.h"

using namespace ptxsim;

class ProgrammaticTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    // Triggers its dependents, goes on for a while and writes at its end.
    fake::define("first", {8}, [](fake::Run &run) {
      if (run.turn == 0)
        return fake::Turn::Trigger;
      if (run.turn < 3)
        return fake::Turn::Again;
      *reinterpret_cast<uint32_t *>(run.parameter<uint64_t>(0)) = 1;
      return fake::Turn::Done;
    });
    // Notes whether the first had ended when it began, and waits for it.
    fake::define("second", {8}, [](fake::Run &run) {
      auto *words = reinterpret_cast<uint32_t *>(run.parameter<uint64_t>(0));
      if (run.turn == 0) {
        words[1] = words[0] ? 1 : 2;
        return fake::Turn::Again;
      }
      if (run.launch.programmatic && !run.prerequisitesDone)
        return fake::Turn::Polls;
      words[2] = words[0] ? 1 : 2;
      return fake::Turn::Done;
    });
    first = load({"first", "second"});
    ASSERT_OK(cuModuleGetFunction(&second, module, "second"));
    ASSERT_OK(cuStreamCreate(&stream, 1));
    void *pointer = nullptr;
    ASSERT_OK(cuMemHostAlloc(&pointer, 64, 0));
    words = static_cast<uint32_t *>(pointer);
    address = reinterpret_cast<CUdeviceptr>(pointer);
  }

  CUresult launchWith(CUfunction function, CUstream where,
                      std::vector<CUlaunchAttribute> attributes) {
    CUlaunchConfig config = {1,
                             1,
                             1,
                             1,
                             1,
                             1,
                             0,
                             where,
                             attributes.data(),
                             static_cast<unsigned>(attributes.size())};
    void *parameters[] = {&address};
    return cuLaunchKernelEx(&config, function, parameters, nullptr);
  }

  static CUlaunchAttribute serialization() {
    CUlaunchAttribute attribute = {};
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    return attribute;
  }

  CUfunction first = nullptr, second = nullptr;
  CUstream stream = nullptr;
  uint32_t *words = nullptr;
  CUdeviceptr address = 0;
};

TEST_F(ProgrammaticTest, OrdinaryLaunchesWait) {
  EXPECT_OK(launchWith(first, stream, {}));
  EXPECT_OK(launchWith(second, stream, {}));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(words[1], 1u);
}

TEST_F(ProgrammaticTest, SecondBeginsWhenTheFirstIsTriggered) {
  EXPECT_OK(launchWith(first, stream, {}));
  EXPECT_OK(launchWith(second, stream, {serialization()}));
  EXPECT_OK(cuStreamSynchronize(stream));
  if (isLazy())
    EXPECT_EQ(words[1], 2u);
  // griddepcontrol.wait waits for the end whatever the schedule.
  EXPECT_EQ(words[2], 1u);
}

TEST_F(ProgrammaticTest, ThirdWaitsForBoth) {
  if (!isLazy())
    GTEST_SKIP() << "needs PTXSIM_SCHEDULE=lazy";
  // The second does not wait for the first, so it ends before it.
  fake::define("hasty", {8}, [](fake::Run &) { return fake::Turn::Done; });
  CUfunction hasty = load({"hasty"});
  EXPECT_OK(launchWith(first, stream, {}));
  EXPECT_OK(launchWith(hasty, stream, {serialization()}));
  EXPECT_OK(launchWith(second, stream, {}));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(words[1], 1u);
}

TEST_F(ProgrammaticTest, EventsOfTriggers) {
  CUevent event = nullptr;
  ASSERT_OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
  CUlaunchAttribute trigger = {};
  trigger.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT;
  trigger.value.programmaticEvent.event = event;
  CUstream other = nullptr;
  ASSERT_OK(cuStreamCreate(&other, 1));
  EXPECT_OK(launchWith(first, stream, {trigger}));
  EXPECT_OK(cuStreamWaitEvent(other, event, 0));
  EXPECT_OK(launchWith(second, other, {serialization()}));
  EXPECT_OK(cuStreamSynchronize(other));
  if (isLazy())
    EXPECT_EQ(words[1], 2u);
  EXPECT_EQ(words[2], 1u);
  EXPECT_OK(cuEventSynchronize(event));
  EXPECT_OK(cuEventQuery(event));
  trigger.value.programmaticEvent.event = nullptr;
  EXPECT_EQ(launchWith(first, stream, {trigger}), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ProgrammaticTest, EdgesOfGraphs) {
  CUgraph graph = nullptr;
  ASSERT_OK(cuGraphCreate(&graph, 0));
  CUgraphNode nodes[2] = {};
  void *parameters[] = {&address};
  CUDA_KERNEL_NODE_PARAMS_v2 kernel = {};
  kernel.gridDimX = kernel.gridDimY = kernel.gridDimZ = 1;
  kernel.blockDimX = kernel.blockDimY = kernel.blockDimZ = 1;
  kernel.kernelParams = parameters;
  kernel.func = first;
  ASSERT_OK(cuGraphAddKernelNode_v2(&nodes[0], graph, nullptr, 0, &kernel));
  kernel.func = second;
  ASSERT_OK(cuGraphAddKernelNode_v2(&nodes[1], graph, nullptr, 0, &kernel));
  CUgraphEdgeData data = {};
  data.from_port = portProgrammatic;
  data.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
  ASSERT_OK(cuGraphAddDependencies_v2(graph, &nodes[0], &nodes[1], &data, 1));
  CUgraphExec exec = nullptr;
  ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  // Both run at once in every schedule but one that happens to be slow.
  if (isLazy() || isEager())
    EXPECT_EQ(words[1], 2u);
  EXPECT_EQ(words[2], 1u);
  size_t count = 1;
  CUgraphNode from = nullptr, to = nullptr;
  EXPECT_EQ(cuGraphGetEdges(graph, &from, &to, &count), CUDA_ERROR_LOSSY_QUERY);
  CUgraphEdgeData found = {};
  EXPECT_OK(cuGraphGetEdges_v2(graph, &from, &to, &found, &count));
  EXPECT_EQ(found.from_port, portProgrammatic);
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_OK(cuGraphDestroy(graph));
}

TEST_F(ProgrammaticTest, CaptureKeepsTheEdge) {
  CUgraph graph = nullptr;
  ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_OK(launchWith(first, stream, {}));
  EXPECT_OK(launchWith(second, stream, {serialization()}));
  ASSERT_OK(cuStreamEndCapture(stream, &graph));
  size_t count = 1;
  CUgraphNode from = nullptr, to = nullptr;
  CUgraphEdgeData found = {};
  EXPECT_OK(cuGraphGetEdges_v2(graph, &from, &to, &found, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(found.from_port, portProgrammatic);
  CUgraphExec exec = nullptr;
  ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  EXPECT_OK(cuGraphLaunch(exec, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(words[2], 1u);
  EXPECT_OK(cuGraphExecDestroy(exec));
  EXPECT_OK(cuGraphDestroy(graph));
}
