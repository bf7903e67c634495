// Streams and events: order, waiting, host functions, several threads.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <atomic>
#include <chrono>
#include <thread>

using namespace ptxsim;

class StreamTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    void *pointer = nullptr;
    ASSERT_OK(cuMemHostAlloc(&pointer, 4096, 0));
    pinned = static_cast<volatile uint32_t *>(pointer);
    address = reinterpret_cast<CUdeviceptr>(pointer);
  }

  CUstream makeStream(unsigned flags = CU_STREAM_NON_BLOCKING) {
    CUstream stream = nullptr;
    EXPECT_OK(cuStreamCreate(&stream, flags));
    return stream;
  }

  CUevent makeEvent(unsigned flags = 0) {
    CUevent event = nullptr;
    EXPECT_OK(cuEventCreate(&event, flags));
    return event;
  }

  /// Lets `stream` write `value` into word `index`.
  void put(CUstream stream, size_t index, uint32_t value) {
    EXPECT_OK(cuStreamWriteValue32_v2(stream, address + 4 * index, value, 0));
  }

  /// Lets `stream` copy word `from` to word `to`.
  void move(CUstream stream, size_t to, size_t from) {
    EXPECT_OK(
        cuMemcpyDtoDAsync_v2(address + 4 * to, address + 4 * from, 4, stream));
  }

  volatile uint32_t *pinned = nullptr;
  CUdeviceptr address = 0;
};

TEST_F(StreamTest, HandlesAreChecked) {
  CUstream stream = makeStream();
  unsigned flags = 9;
  EXPECT_OK(cuStreamGetFlags(stream, &flags));
  EXPECT_EQ(flags, 1u);
  int priority = 9;
  EXPECT_OK(cuStreamGetPriority(stream, &priority));
  EXPECT_EQ(priority, 0);
  unsigned long long first = 0, second = 0;
  EXPECT_OK(cuStreamGetId(stream, &first));
  EXPECT_OK(cuStreamGetId(nullptr, &second));
  EXPECT_NE(first, second);
  CUcontext owner = nullptr;
  EXPECT_OK(cuStreamGetCtx(stream, &owner));
  EXPECT_EQ(owner, context);
  EXPECT_OK(cuStreamDestroy_v2(stream));
  EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamCreate(&stream, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuStreamCreateWithPriority(&stream, 0, -99));
  EXPECT_OK(cuStreamGetPriority(stream, &priority));
  EXPECT_EQ(priority, -5);
}

TEST_F(StreamTest, WorkIsInOrder) {
  CUstream stream = makeStream();
  for (uint32_t i = 1; i < 100; ++i) {
    put(stream, 0, i);
    move(stream, i, 0);
  }
  EXPECT_OK(cuStreamSynchronize(stream));
  for (uint32_t i = 1; i < 100; ++i)
    EXPECT_EQ(pinned[i], i);
}

TEST_F(StreamTest, EventsOrderStreams) {
  CUstream first = makeStream(), second = makeStream();
  CUevent event = makeEvent();
  for (uint32_t round = 1; round < 20; ++round) {
    put(first, 0, round);
    EXPECT_OK(cuEventRecord(event, first));
    EXPECT_OK(cuStreamWaitEvent(second, event, 0));
    move(second, round, 0);
    // The next round's write waits for this round's read.
    EXPECT_OK(cuEventRecord(event, second));
    EXPECT_OK(cuStreamWaitEvent(first, event, 0));
  }
  EXPECT_OK(cuStreamSynchronize(second));
  for (uint32_t round = 1; round < 20; ++round)
    EXPECT_EQ(pinned[round], round);
}

TEST_F(StreamTest, UnrecordedEventsOrderNothing) {
  CUevent event = makeEvent();
  EXPECT_OK(cuEventQuery(event));
  EXPECT_OK(cuEventSynchronize(event));
  EXPECT_OK(cuStreamWaitEvent(makeStream(), event, 0));
  float time = 0;
  EXPECT_EQ(cuEventElapsedTime_v2(&time, event, event),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, DefaultStreamWaitsForBlockingOnes) {
  CUstream blocking = makeStream(CU_STREAM_DEFAULT);
  put(blocking, 0, 1);
  move(nullptr, 1, 0);
  put(blocking, 0, 2);
  move(nullptr, 2, 0);
  // A stream that is gone still counts.
  put(blocking, 0, 3);
  EXPECT_OK(cuStreamDestroy_v2(blocking));
  move(nullptr, 3, 0);
  EXPECT_OK(cuStreamSynchronize(nullptr));
  EXPECT_EQ(pinned[1], 1u);
  EXPECT_EQ(pinned[2], 2u);
  EXPECT_EQ(pinned[3], 3u);
}

TEST_F(StreamTest, LazyOrderShowsMissingWaits) {
  if (!isLazy())
    GTEST_SKIP() << "needs PTXSIM_SCHEDULE=lazy";
  CUstream first = makeStream(), second = makeStream();
  put(first, 0, 1);
  move(second, 1, 0);
  EXPECT_OK(cuStreamSynchronize(second));
  EXPECT_EQ(pinned[1], 0u); // Nothing made the second wait for the first.
  EXPECT_EQ(pinned[0], 0u);
  EXPECT_OK(cuStreamSynchronize(first));
  EXPECT_EQ(pinned[0], 1u);
}

TEST_F(StreamTest, EagerWorkIsDoneAtOnce) {
  if (!isEager())
    GTEST_SKIP() << "needs PTXSIM_SCHEDULE=eager";
  put(makeStream(), 0, 1);
  EXPECT_EQ(pinned[0], 1u);
}

TEST_F(StreamTest, QueriesMakeProgress) {
  CUstream stream = makeStream();
  put(stream, 0, 1);
  CUresult result = CUDA_ERROR_NOT_READY;
  for (int i = 0; i < 1000 && result == CUDA_ERROR_NOT_READY; ++i)
    result = cuStreamQuery(stream);
  EXPECT_OK(result);
  EXPECT_EQ(pinned[0], 1u);
  CUevent event = makeEvent();
  put(stream, 0, 2);
  EXPECT_OK(cuEventRecord(event, stream));
  result = CUDA_ERROR_NOT_READY;
  for (int i = 0; i < 1000 && result == CUDA_ERROR_NOT_READY; ++i)
    result = cuEventQuery(event);
  EXPECT_OK(result);
  EXPECT_EQ(pinned[0], 2u);
}

TEST_F(StreamTest, EventsMeasureTime) {
  CUstream stream = makeStream();
  CUevent first = makeEvent(), second = makeEvent(),
          silent = makeEvent(CU_EVENT_DISABLE_TIMING);
  EXPECT_OK(cuEventRecord(first, stream));
  EXPECT_OK(cuLaunchHostFunc(
      stream,
      [](void *) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      },
      nullptr));
  EXPECT_OK(cuEventRecord(second, stream));
  EXPECT_OK(cuEventRecord(silent, stream));
  EXPECT_OK(cuStreamSynchronize(stream));
  float time = 0;
  EXPECT_OK(cuEventElapsedTime_v2(&time, first, second));
  EXPECT_GE(time, 19.0f);
  EXPECT_LT(time, 2000.0f);
  EXPECT_EQ(cuEventElapsedTime_v2(&time, first, silent),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_OK(cuEventDestroy_v2(first));
  EXPECT_EQ(cuEventElapsedTime_v2(&time, first, second),
            CUDA_ERROR_INVALID_HANDLE);
  stderrOf([&] {
    EXPECT_EQ(cuEventCreate(&first, CU_EVENT_INTERPROCESS),
              CUDA_ERROR_NOT_SUPPORTED);
  });
  EXPECT_EQ(cuEventCreate(&first, 8), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, PerThreadStreams) {
  auto perThread = reinterpret_cast<CUstream>(streamPerThread);
  unsigned long long here = 0, there = 0, null = 0, twin = 0;
  EXPECT_OK(cuStreamGetId(perThread, &here));
  std::thread([&] {
    EXPECT_OK(cuCtxSetCurrent(context));
    EXPECT_OK(cuStreamGetId(perThread, &there));
  }).join();
  EXPECT_OK(cuStreamGetId(nullptr, &null));
  EXPECT_OK(cuStreamGetId_ptsz(nullptr, &twin));
  EXPECT_NE(here, there);
  EXPECT_NE(here, null);
  EXPECT_EQ(here, twin);
  EXPECT_OK(cuStreamGetId(reinterpret_cast<CUstream>(streamLegacy), &twin));
  EXPECT_EQ(null, twin);
}

static void callsTheDriver(void *result) {
  CUdeviceptr address = 0;
  *static_cast<CUresult *>(result) = cuMemAlloc_v2(&address, 4);
}

TEST_F(StreamTest, HostFunctionsMayNotCallTheDriver) {
  CUstream stream = makeStream();
  CUresult result = CUDA_SUCCESS;
  EXPECT_OK(cuLaunchHostFunc(stream, callsTheDriver, &result));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(result, CUDA_ERROR_NOT_PERMITTED);
  EXPECT_EQ(cuLaunchHostFunc(stream, nullptr, nullptr),
            CUDA_ERROR_INVALID_VALUE);
}

struct CallbackRecord {
  CUstream stream = nullptr;
  CUresult status = CUDA_ERROR_UNKNOWN;
};

static void onDone(CUstream stream, CUresult status, void *data) {
  *static_cast<CallbackRecord *>(data) = {stream, status};
}

TEST_F(StreamTest, CallbacksAreToldTheResult) {
  CUstream stream = makeStream();
  CallbackRecord good, bad;
  EXPECT_OK(cuStreamAddCallback(stream, onDone, &good, 0));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(good.stream, stream);
  EXPECT_OK(good.status);
  EXPECT_EQ(cuStreamAddCallback(stream, onDone, &good, 1),
            CUDA_ERROR_INVALID_VALUE);
  CUfunction fails = load({"fails"});
  if (isEager())
    return; // The failure comes before the callback can be added.
  stderrOf([&] {
    EXPECT_OK(launch(fails, 1, {}, stream));
    if (cuStreamAddCallback(stream, onDone, &bad, 0) != CUDA_SUCCESS)
      bad.status = CUDA_ERROR_ASSERT; // A random schedule was faster.
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ASSERT);
  });
  EXPECT_EQ(bad.status, CUDA_ERROR_ASSERT);
}

TEST_F(StreamTest, HostFunctionsThatWaitForTheCallerDoNotHang) {
  CUstream stream = makeStream();
  static std::atomic<bool> go{false};
  go = false;
  EXPECT_OK(cuLaunchHostFunc(
      stream,
      [](void *) {
        while (!go)
          std::this_thread::yield();
      },
      nullptr));
  put(stream, 0, 1);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(pinned[0], 0u);
  go = true;
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(pinned[0], 1u);
}

TEST_F(StreamTest, KernelsWaitForTheHost) {
  CUfunction spin = load({"spin"});
  CUstream stream = makeStream();
  EXPECT_OK(launch(spin, 1, {&address}, stream));
  put(stream, 1, 5);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  pinned[0] = 1;
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(pinned[1], 5u);
}

TEST_F(StreamTest, KernelsWaitForOtherStreams) {
  CUfunction spin = load({"spin", "set"}), set = nullptr;
  ASSERT_OK(cuModuleGetFunction(&set, module, "set"));
  CUstream first = makeStream(), second = makeStream();
  uint32_t one = 1;
  EXPECT_OK(launch(spin, 1, {&address}, first));
  EXPECT_OK(launch(set, 1, {&address, &one}, second));
  // Only the first is waited for, but it needs the second.
  EXPECT_OK(cuStreamSynchronize(first));
  EXPECT_EQ(pinned[0], 1u);
}

TEST_F(StreamTest, WaitsForWhatNobodyWritesEnd) {
  CUfunction spin = load({"spin"});
  EXPECT_OK(launch(spin, 1, {&address}, makeStream()));
  std::string report = stderrOf(
      [&] { EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_LAUNCH_TIMEOUT); });
  EXPECT_NE(report.find("livelock"), std::string::npos) << report;
  EXPECT_EQ(fake::log().stallsFailed, 1u);
}

TEST_F(StreamTest, ValuesThatNobodyWritesEnd) {
  CUstream stream = makeStream();
  EXPECT_OK(
      cuStreamWaitValue32_v2(stream, address, 1, CU_STREAM_WAIT_VALUE_EQ));
  std::string report = stderrOf([&] {
    EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_LAUNCH_TIMEOUT);
  });
  EXPECT_EQ(report,
            "ptxsim: a wait of a stream for a value in memory has no end: "
            "expected work or a thread that writes it, got none\n");
}

TEST_F(StreamTest, ComparesValues) {
  CUstream stream = makeStream();
  const struct {
    uint32_t flags, memory, value;
    bool passes;
  } cases[] = {
      {CU_STREAM_WAIT_VALUE_GEQ, 5, 5, true},
      {CU_STREAM_WAIT_VALUE_GEQ, 4, 5, false},
      {CU_STREAM_WAIT_VALUE_GEQ, 1, 0xffffffff, true}, // It wrapped around.
      {CU_STREAM_WAIT_VALUE_EQ, 5, 5, true},
      {CU_STREAM_WAIT_VALUE_EQ, 6, 5, false},
      {CU_STREAM_WAIT_VALUE_AND, 6, 4, true},
      {CU_STREAM_WAIT_VALUE_AND, 6, 1, false},
      {CU_STREAM_WAIT_VALUE_NOR, 0xf0f0f0f0, 0x0f0f0f0f, false},
      {CU_STREAM_WAIT_VALUE_NOR, 0xf0f0f0f0, 0x0f0f0f0e, true},
  };
  for (const auto &entry : cases) {
    pinned[0] = entry.memory;
    EXPECT_OK(
        cuStreamWaitValue32_v2(stream, address, entry.value, entry.flags));
    bool passed = false;
    for (int i = 0; i < 50 && !passed; ++i)
      passed = cuStreamQuery(stream) == CUDA_SUCCESS;
    EXPECT_EQ(passed, entry.passes) << entry.flags;
    if (!passed) {
      pinned[0] = entry.flags == CU_STREAM_WAIT_VALUE_NOR ? 0 : entry.value;
      EXPECT_OK(cuStreamSynchronize(stream));
    }
  }
  EXPECT_EQ(cuStreamWaitValue32_v2(stream, address + 2, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamWaitValue32_v2(stream, 16, 0, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, BatchesAreInOrder) {
  CUstream stream = makeStream();
  CUstreamBatchMemOpParams operations[3] = {};
  operations[0].writeValue.operation = CU_STREAM_MEM_OP_WRITE_VALUE_32;
  operations[0].writeValue.address = address;
  operations[0].writeValue.value = 3;
  operations[1].waitValue.operation = CU_STREAM_MEM_OP_WAIT_VALUE_32;
  operations[1].waitValue.address = address;
  operations[1].waitValue.value = 3;
  operations[1].waitValue.flags = CU_STREAM_WAIT_VALUE_EQ;
  operations[2].writeValue.operation = CU_STREAM_MEM_OP_WRITE_VALUE_64;
  operations[2].writeValue.address = address + 8;
  operations[2].writeValue.value64 = 0x123456789;
  EXPECT_OK(cuStreamBatchMemOp_v2(stream, 3, operations, 0));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(pinned[2], 0x23456789u);
  EXPECT_EQ(pinned[3], 1u);
  operations[0].operation = static_cast<CUstreamBatchMemOpType>(9);
  EXPECT_EQ(cuStreamBatchMemOp_v2(stream, 1, operations, 0),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, WatchdogGoesOnWithoutCalls) {
  CUstream stream = makeStream();
  put(stream, 0, 1);
  // The program polls memory and calls nothing.
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (pinned[0] == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(pinned[0], 1u);
}

TEST_F(StreamTest, ThreadsShareTheDevice) {
  CUfunction addOne = load({"add_one"});
  constexpr int threads = 8, rounds = 50;
  CUdeviceptr data = alloc(4 * threads);
  EXPECT_OK(cuMemsetD32_v2(data, 0, threads));
  EXPECT_OK(cuCtxSynchronize());
  std::vector<std::thread> workers;
  std::atomic<int> failures{0};
  for (int i = 0; i < threads; ++i)
    workers.emplace_back([&, i] {
      failures += cuCtxSetCurrent(context) != CUDA_SUCCESS;
      CUstream stream = nullptr;
      failures += cuStreamCreate(&stream, 1) != CUDA_SUCCESS;
      CUdeviceptr own = data + 4 * static_cast<unsigned>(i);
      uint32_t one = 1;
      for (int round = 0; round < rounds; ++round)
        failures += launch(addOne, 1, {&own, &one}, stream) != CUDA_SUCCESS;
      failures += cuStreamSynchronize(stream) != CUDA_SUCCESS;
      failures += cuStreamDestroy_v2(stream) != CUDA_SUCCESS;
    });
  for (std::thread &worker : workers)
    worker.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(read(data, threads), std::vector<uint32_t>(threads, rounds));
}

TEST_F(StreamTest, LongQueuesAreBounded) {
  CUstream stream = makeStream();
  for (uint32_t i = 0; i < 40000; ++i)
    put(stream, 0, i);
  // Whatever the schedule, most of it is done by now.
  EXPECT_GE(pinned[0] + (pinned[0] == 0 ? 1u : 0u), 20000u);
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(pinned[0], 39999u);
}

TEST_F(StreamTest, Attributes) {
  CUstream stream = makeStream(), other = makeStream();
  CUlaunchAttributeValue value = {};
  value.priority = -3;
  EXPECT_OK(cuStreamSetAttribute(stream, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));
  value.syncPolicy = 4;
  EXPECT_OK(cuStreamSetAttribute(
      stream, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
  EXPECT_OK(cuStreamCopyAttributes(other, stream));
  EXPECT_OK(cuStreamGetAttribute(other, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));
  EXPECT_EQ(value.priority, -3);
  EXPECT_OK(cuStreamGetAttribute(
      other, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
  EXPECT_EQ(value.syncPolicy, 4u);
  EXPECT_EQ(
      cuStreamGetAttribute(other, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &value),
      CUDA_ERROR_INVALID_VALUE);
}
