// Launching kernels: every check that does not need the engine.

#include "tools/ptxsim/driver/Launch.h"

#include "tools/ptxsim/driver/Event.h"
#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Module.h"
#include "tools/ptxsim/driver/Report.h"

#include <cstring>

namespace ptxsim::driver {

Progress KernelWork::start(Task &task, Driver &driver) const {
  LaunchParameters parameters = launch;
  parameters.context = task.context->id;
  parameters.serial = driver.nextLaunchSerial++;
  parameters.order = task.order;
  Fault fault;
  task.grid = driver.engine().start(parameters, task.context->limits,
                                    task.prerequisites, fault);
  if (task.grid)
    return poll(task, driver);
  driver.complain(fault);
  task.result = resultOf(fault.code);
  return Progress::Done;
}

Progress KernelWork::poll(Task &task, Driver &driver) const {
  if (!task.grid->isFinished())
    return Progress::InEngine;
  if (const Fault *fault = task.grid->fault()) {
    driver.complain(*fault);
    task.result = resultOf(fault->code);
    writeReport(driver); // The program may not end as it should.
  }
  return Progress::Done;
}

namespace {

/// Says what is wrong with a launch of a kernel.
class LaunchChecker {
public:
  LaunchChecker(Call &call, const char *name, const LaunchRequest &request)
      : call(call), name(name), request(request),
        attributes(attributesOf(*request.function->kernel)),
        settings(*request.function->settings) {}

  CUresult check();
  std::array<uint32_t, 3> clusterSize() const { return cluster; }
  bool hasCluster() const { return isClustered; }

private:
  CUresult fail(CUresult result, const std::string &expected,
                const std::string &got);
  CUresult checkGrid();
  CUresult checkBlock();
  CUresult checkShared();
  CUresult findCluster();
  CUresult checkCluster();
  CUresult checkCooperative();

  Call &call;
  const char *name;
  const LaunchRequest &request;
  const KernelAttributes &attributes;
  const FunctionSettings &settings;
  std::array<uint32_t, 3> cluster = {1, 1, 1};
  bool isClustered = false;
};

} // namespace

CUresult LaunchChecker::fail(CUresult result, const std::string &expected,
                             const std::string &got) {
  call.driver.complain(std::string(name) + ": kernel '" +
                       nameOf(*request.function->kernel) + "': expected " +
                       expected + ", got " + got);
  return result;
}

static uint64_t product(const std::array<uint32_t, 3> &values) {
  return uint64_t(values[0]) * values[1] * values[2];
}

CUresult LaunchChecker::checkGrid() {
  constexpr uint32_t limits[3] = {0x7fffffff, 65535, 65535};
  for (int i = 0; i < 3; ++i)
    if (request.grid[i] == 0 || request.grid[i] > limits[i])
      return fail(CUDA_ERROR_INVALID_VALUE,
                  "a grid from (1, 1, 1) to (2147483647, 65535, 65535) blocks",
                  tuple(request.grid));
  return CUDA_SUCCESS;
}

CUresult LaunchChecker::checkBlock() {
  const std::array<uint32_t, 3> &block = request.block;
  if (product(block) == 0 || block[0] > 1024 || block[1] > 1024 ||
      block[2] > 64 || product(block) > h100::threadsPerBlock)
    return fail(CUDA_ERROR_INVALID_VALUE,
                "a block of 1 to 1024 threads, at most (1024, 1024, 64)",
                tuple(block));
  const uint32_t *required = attributes.requiredThreads;
  if (required[0] != 0)
    for (int i = 0; i < 3; ++i)
      if (block[i] != std::max(required[i], 1u))
        return fail(CUDA_ERROR_INVALID_VALUE,
                    "the block of .reqntid " +
                        tuple({required[0], required[1], required[2]}),
                    tuple(block));
  if (product(block) > attributes.maxThreads)
    return fail(CUDA_ERROR_INVALID_VALUE,
                "at most " + std::to_string(attributes.maxThreads) +
                    " threads in a block, by .maxntid or registers",
                std::to_string(product(block)));
  if (attributes.registers == 0)
    return CUDA_SUCCESS;
  uint64_t warps = (product(block) + 31) / 32;
  uint32_t most = h100::warpsByRegisters(attributes.registers);
  if (warps > most)
    return fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                "at most " + std::to_string(most) + " warps in a block of " +
                    std::to_string(attributes.registers) +
                    " registers for a thread",
                std::to_string(warps));
  return CUDA_SUCCESS;
}

CUresult LaunchChecker::checkShared() {
  uint64_t total = attributes.sharedBytes + request.sharedBytes;
  if (request.sharedBytes > settings.maxDynamicShared)
    return fail(CUDA_ERROR_INVALID_VALUE,
                "at most " + std::to_string(settings.maxDynamicShared) +
                    " bytes of dynamic shared memory, as the attribute "
                    "MAX_DYNAMIC_SHARED_SIZE_BYTES of the function says",
                std::to_string(request.sharedBytes));
  if (total > h100::sharedBytesPerBlockOptIn)
    return fail(CUDA_ERROR_INVALID_VALUE,
                "at most 232448 bytes of static and dynamic shared memory",
                std::to_string(total));
  return CUDA_SUCCESS;
}

/// Takes the size of the cluster from the kernel, its attributes or the launch.
CUresult LaunchChecker::findCluster() {
  std::array<uint32_t, 3> fixed = {attributes.requiredCluster[0],
                                   attributes.requiredCluster[1],
                                   attributes.requiredCluster[2]};
  if (fixed[0] == 0)
    fixed = {settings.cluster[0], settings.cluster[1], settings.cluster[2]};
  for (uint32_t &size : fixed)
    if (fixed[0] != 0 && size == 0)
      size = 1;
  isClustered = fixed[0] != 0 || request.cluster.has_value();
  if (fixed[0] != 0)
    cluster = fixed;
  if (!request.cluster) {
    if (fixed[0] == 0 && attributes.explicitCluster)
      return fail(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                  "a launch with a cluster, by .explicitcluster", "none");
    return CUDA_SUCCESS;
  }
  if (attributes.requiredCluster[0] != 0 && *request.cluster != fixed)
    return fail(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                "the cluster of .reqnctapercluster " + tuple(fixed),
                tuple(*request.cluster));
  cluster = *request.cluster;
  return CUDA_SUCCESS;
}

CUresult LaunchChecker::checkCluster() {
  if (!isClustered)
    return CUDA_SUCCESS;
  uint64_t size = product(cluster);
  uint32_t limit = settings.nonPortableCluster ? h100::maxClusterSize
                                               : h100::portableClusterSize;
  if (size == 0 || size > limit)
    return fail(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                "a cluster of 1 to " + std::to_string(limit) + " blocks" +
                    (settings.nonPortableCluster
                         ? ""
                         : " (16 with the attribute "
                           "NON_PORTABLE_CLUSTER_SIZE_ALLOWED)"),
                tuple(cluster));
  if (attributes.maxClusterRank != 0 && size > attributes.maxClusterRank)
    return fail(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                "a cluster of at most " +
                    std::to_string(attributes.maxClusterRank) +
                    " blocks, by .maxclusterrank",
                tuple(cluster));
  for (int i = 0; i < 3; ++i)
    if (request.grid[i] % cluster[i] != 0)
      return fail(CUDA_ERROR_INVALID_VALUE,
                  "a grid that is a multiple of the cluster " + tuple(cluster),
                  tuple(request.grid));
  return CUDA_SUCCESS;
}

CUresult LaunchChecker::checkCooperative() {
  if (!request.cooperative)
    return CUDA_SUCCESS;
  uint64_t room = uint64_t(h100::multiprocessors) *
                  blocksPerMultiprocessor(
                      attributes, static_cast<uint32_t>(product(request.block)),
                      attributes.sharedBytes + request.sharedBytes);
  if (product(request.grid) > room)
    return fail(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
                "at most " + std::to_string(room) +
                    " blocks, which is what runs at once",
                std::to_string(product(request.grid)));
  return CUDA_SUCCESS;
}

CUresult LaunchChecker::check() {
  CUresult result = checkGrid();
  if (result == CUDA_SUCCESS)
    result = checkBlock();
  if (result == CUDA_SUCCESS)
    result = checkShared();
  if (result == CUDA_SUCCESS)
    result = findCluster();
  if (result == CUDA_SUCCESS)
    result = checkCluster();
  if (result == CUDA_SUCCESS)
    result = checkCooperative();
  return result;
}

/// Finds the buffer that the names and values of `extra` describe.
static bool readExtra(void **extra, const void *&buffer, size_t &bytes) {
  bool hasSize = false;
  buffer = nullptr;
  while (reinterpret_cast<uintptr_t>(*extra) != launchParamEnd) {
    switch (reinterpret_cast<uintptr_t>(*extra)) {
    case launchParamBufferPointer:
      buffer = extra[1];
      break;
    case launchParamBufferSize:
      if (!extra[1])
        return false;
      bytes = *static_cast<const size_t *>(extra[1]);
      hasSize = true;
      break;
    default:
      return false;
    }
    extra += 2;
  }
  return buffer && hasSize;
}

static CUresult copyParameters(const LaunchRequest &request,
                               std::vector<uint8_t> &result) {
  const KernelAttributes &attributes = attributesOf(*request.function->kernel);
  result.assign(attributes.parameterBytes, 0);
  if (request.extra) {
    const void *buffer = nullptr;
    size_t bytes = 0;
    if (request.parameters || !readExtra(request.extra, buffer, bytes) ||
        bytes > result.size())
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(result.data(), buffer, bytes);
    return CUDA_SUCCESS;
  }
  if (attributes.parameters.empty())
    return CUDA_SUCCESS;
  if (!request.parameters)
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < attributes.parameters.size(); ++i) {
    const ParameterLayout &layout = attributes.parameters[i];
    if (!request.parameters[i])
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(result.data() + layout.offset, request.parameters[i],
                layout.bytes);
  }
  return CUDA_SUCCESS;
}

CUresult makeKernelWork(Call &call, const char *name,
                        const LaunchRequest &request,
                        std::shared_ptr<KernelWork> &work) {
  LaunchChecker checker(call, name, request);
  CUresult result = checker.check();
  if (result != CUDA_SUCCESS)
    return result;
  auto made = std::make_shared<KernelWork>();
  LaunchParameters &launch = made->launch;
  result = copyParameters(request, launch.parameters);
  if (result != CUDA_SUCCESS) {
    call.driver.complain(std::string(name) + ": kernel '" +
                         nameOf(*request.function->kernel) +
                         "': expected an address for each of its parameters, "
                         "or a buffer that is not larger than they are");
    return result;
  }
  made->function = request.function;
  made->module = request.function->module.lock();
  launch.kernel = request.function->kernel;
  launch.grid = request.grid;
  launch.block = request.block;
  launch.cluster = checker.clusterSize();
  launch.hasCluster = checker.hasCluster();
  launch.dynamicSharedBytes = request.sharedBytes;
  launch.cooperative = request.cooperative;
  launch.programmatic = request.programmatic;
  made->cluster = request.cluster;
  for (const ParameterLayout &layout : attributesOf(*launch.kernel).parameters)
    made->parameterAddresses.push_back(launch.parameters.data() +
                                       layout.offset);
  work = std::move(made);
  return CUDA_SUCCESS;
}

CUresult submitLaunch(Call &call, const char *name,
                      const LaunchRequest &request, CUstream handle) {
  std::shared_ptr<Stream> stream;
  CUresult result = findOwnStream(call, handle, stream);
  if (result != CUDA_SUCCESS)
    return result;
  std::vector<std::shared_ptr<Event>> events(request.events.size());
  for (size_t i = 0; i < events.size(); ++i)
    if (findEvent(call, request.events[i].event, events[i]) != CUDA_SUCCESS ||
        events[i]->context != stream->context)
      return CUDA_ERROR_INVALID_HANDLE;
  std::shared_ptr<KernelWork> work;
  result = makeKernelWork(call, name, request, work);
  if (result != CUDA_SUCCESS)
    return result;
  Submitted submitted;
  EdgeKind kind = request.programmatic ? EdgeKind::Triggered : EdgeKind::Full;
  result = submitWork(call, stream, std::move(work), submitted, kind,
                      request.priority);
  for (size_t i = 0; i < events.size() && result == CUDA_SUCCESS; ++i)
    noteRecorded(*stream, submitted, request.events[i].kind, *events[i]);
  return result;
}

PTXSIM_STREAM_API(cuLaunchKernel, cuLaunchKernel_ptsz,
                  (CUfunction function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, CUstream stream,
                   void **parameters, void **extra),
                  (function, gridX, gridY, gridZ, blockX, blockY, blockZ,
                   sharedBytes, stream, parameters, extra)) {
  return withContext([&](Call &call) -> CUresult {
    LaunchRequest request;
    CUresult result = findFunction(call, function, request.function);
    if (result != CUDA_SUCCESS)
      return result;
    request.grid = {gridX, gridY, gridZ};
    request.block = {blockX, blockY, blockZ};
    request.sharedBytes = sharedBytes;
    request.parameters = parameters;
    request.extra = extra;
    return submitLaunch(call, "cuLaunchKernel", request, stream);
  });
}

} // namespace ptxsim::driver
