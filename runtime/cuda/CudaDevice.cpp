#include "runtime/cuda/CudaDevice.h"

#include "runtime/core/Executable.h"
#include "runtime/cuda/Code.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cstring>

using namespace tcc;
using namespace tcc::rt;

/// The weights come to the device in pieces of this size, one of which is read
/// while the one before is copied.
static constexpr int64_t pieceBytes = int64_t(8) << 20;

/// Operations of a multiprocessor in a clock, dense and in bf16: 989.4 TFLOP/s
/// of 132 at 1,830 MHz (NVIDIA H100 Tensor Core GPU Architecture, table 2).
static constexpr double multiprocessorFlops = 4096;

/// Kept free for code, graphs and what the driver takes for itself.
static constexpr int64_t ownBytes = int64_t(64) << 20;

/// PTX of version 8.0 is taken by drivers from CUDA 12.0 on.
static constexpr int oldestDriver = 12000;

/// Graphs have launches that overlap from this version on.
static constexpr int oldestOverlap = 12030;

static int64_t alignPart(int64_t bytes) {
  return (bytes + inputAlignment - 1) / inputAlignment * inputAlignment;
}

static Status unavailable(const std::string &what) {
  return {Status::Code::DeviceUnavailable, what};
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

CudaDevice::CudaDevice(const cuda::Driver &driver)
    : driver(driver),
      inputBuffer(std::make_unique<cuda::HostBuffer>(this->driver)),
      resultBuffer(std::make_unique<cuda::HostBuffer>(this->driver)) {}

Status CudaDevice::checkDevice(int ordinal) {
  int count = 0, version = 0, major = 0, minor = 0;
  if (Status status = check(driver.deviceCount(&count), "cuDeviceGetCount");
      !status.ok())
    return status;
  if (count == 0)
    return unavailable("cuda: expected a GPU, got a driver that sees none");
  if (ordinal >= count)
    return unavailable("--device=cuda:" + std::to_string(ordinal) +
                       ": expected a device below " + std::to_string(count) +
                       ", the number that the driver sees");
  if (Status status = check(driver.deviceGet(&device, ordinal), "cuDeviceGet");
      !status.ok())
    return status;
  char text[256] = {};
  for (Status status :
       {check(driver.deviceName(text, sizeof(text) - 1, device),
              "cuDeviceGetName"),
        check(driver.driverVersion(&version), "cuDriverGetVersion"),
        check(driver.deviceAttribute(&major, cuda::ComputeCapabilityMajor,
                                     device),
              "cuDeviceGetAttribute"),
        check(driver.deviceAttribute(&minor, cuda::ComputeCapabilityMinor,
                                     device),
              "cuDeviceGetAttribute")})
    if (!status.ok())
      return status;
  name = printable(text);
  if (major != 9 || minor != 0)
    return unavailable(
        "cuda: expected a GPU of compute capability 9.0, such as "
        "an H100, got " +
        name + " of " + std::to_string(major) + "." + std::to_string(minor));
  if (version < oldestDriver)
    return unavailable(
        "cuda: expected a driver of CUDA 12.0 or newer, got one of " +
        cuda::nameOfVersion(version) + "; install a newer driver");
  overlapsLaunches = version >= oldestOverlap;
  return {};
}

Status CudaDevice::open(const CudaOptions &options,
                        std::unique_ptr<CudaDevice> &result) {
  cuda::Driver driver;
  if (Status status = cuda::Driver::open(options.driver, driver); !status.ok())
    return status;
  std::unique_ptr<CudaDevice> opened(new CudaDevice(driver));
  opened->checksLaunches = options.checksLaunches;
  if (Status status = opened->checkDevice(options.ordinal); !status.ok())
    return status;
  if (Status status =
          opened->check(driver.retainContext(&opened->context, opened->device),
                        "cuDevicePrimaryCtxRetain");
      !status.ok())
    return status;
  if (Status status =
          opened->check(driver.setContext(opened->context), "cuCtxSetCurrent");
      !status.ok())
    return status;
  if (Status status = opened->check(driver.createStream(&opened->stream, 1),
                                    "cuStreamCreate");
      !status.ok())
    return status;
  opened->graphs =
      std::make_unique<cuda::StepGraphs>(opened->driver, opened->stream);
  result = std::move(opened);
  return {};
}

CudaDevice::~CudaDevice() {
  if (!context)
    return;
  if (stream)
    (void)driver.waitForStream(stream);
  forgetTimes();
  graphs.reset();
  weightMemory.reset();
  stepMemory.reset();
  inputBuffer.reset();
  resultBuffer.reset();
  if (module)
    (void)driver.unloadModule(module);
  if (stream)
    (void)driver.destroyStream(stream);
  (void)driver.releaseContext(device);
}

DevicePeaks CudaDevice::peaks() const {
  auto attribute = [&](cuda::DeviceAttribute which) -> double {
    int value = 0;
    return driver.deviceAttribute(&value, which, device) == cuda::success
               ? value
               : 0;
  };
  double memoryHertz = 1000 * attribute(cuda::MemoryClockRate);
  double hertz = 1000 * attribute(cuda::ClockRate);
  // Two transfers a clock.
  return {2 * memoryHertz * attribute(cuda::MemoryBusWidth) / 8,
          hertz * attribute(cuda::MultiprocessorCount) * multiprocessorFlops};
}

/// Bytes that `driver` says are free, or INT64_MAX if it does not know: then it
/// says so when it is asked for memory.
static int64_t freeBytes(const cuda::Driver &driver) {
  size_t free = 0, total = 0;
  if (driver.memoryInfo(&free, &total) != cuda::success)
    return INT64_MAX;
  return static_cast<int64_t>(free);
}

int64_t CudaDevice::availableBytes() const {
  return std::max<int64_t>(freeBytes(driver) - ownBytes, 0);
}

Status CudaDevice::wait(const std::string &purpose) {
  return check(driver.waitForStream(stream), purpose);
}

//===----------------------------------------------------------------------===//
// Code and weights
//===----------------------------------------------------------------------===//

/// `status` with the names of the file and of the kernel before it.
static Status inKernel(const Executable &executable, const KernelPlan &kernel,
                       const Status &status) {
  return {status.code(), executable.path() + ": kernel " +
                             printable(kernel.name) + ": " + status.message()};
}

Status CudaDevice::loadCode(const Executable &executable) {
  const SegmentRange &segment = executable.manifest().code;
  // The driver wants a NUL behind the text.
  std::string text(reinterpret_cast<const char *>(executable.bytesOf(segment)),
                   segment.bytes);
  if (Status status = executable.checkCode(text.data()); !status.ok())
    return status;
  if (Status status = cuda::loadPtx(driver, text, module); !status.ok())
    return {status.code(), executable.path() + ": code: " + status.message()};
  for (const KernelPlan &plan : executable.plan().kernels) {
    Kernel kernel;
    kernel.plan = &plan;
    if (cuda::Result result =
            driver.getFunction(&kernel.function, module, plan.name.c_str());
        result != cuda::success)
      return inKernel(executable, plan, check(result, "cuModuleGetFunction"));
    if (Status status = cuda::prepare(driver, kernel.function, plan);
        !status.ok())
      return inKernel(executable, plan, status);
    kernels.push_back(kernel);
  }
  return {};
}

Status CudaDevice::loadWeights(const Executable &executable,
                               const uint8_t *&weights) {
  weights = nullptr;
  if (!executable.manifest().weights)
    return {};
  const SegmentRange &segment = *executable.manifest().weights;
  auto bytes = static_cast<int64_t>(segment.bytes);
  if (Status status =
          reserve(bytes, "the weights", "use a smaller model", weightMemory);
      !status.ok())
    return status;
  cuda::HostBuffer pieces(driver);
  if (Status status = pieces.resize(2 * pieceBytes); !status.ok())
    return status;
  cuda::Event copied[2] = {};
  Status status;
  const uint8_t *source = executable.bytesOf(segment);
  for (int64_t done = 0, i = 0; done < bytes && status.ok(); ++i) {
    int64_t count = std::min(pieceBytes, bytes - done);
    uint8_t *piece = pieces.data() + i % 2 * pieceBytes;
    cuda::Event &event = copied[i % 2];
    if (event)
      status = check(driver.waitForEvent(event), "cuEventSynchronize");
    else
      status = check(driver.createEvent(&event, 0), "cuEventCreate");
    if (!status.ok())
      break;
    std::memcpy(piece, source + done, static_cast<size_t>(count));
    status =
        check(driver.copyToDevice(
                  reinterpret_cast<cuda::Address>(weightMemory.get() + done),
                  piece, static_cast<size_t>(count), stream),
              "cuMemcpyHtoDAsync of weights");
    if (status.ok())
      status = check(driver.recordEvent(event, stream), "cuEventRecord");
    done += count;
  }
  Status waited = wait("cuStreamSynchronize after the weights");
  for (cuda::Event event : copied)
    if (event)
      (void)driver.destroyEvent(event);
  if (status.ok())
    status = waited;
  if (status.ok())
    weights = weightMemory.get();
  return status;
}

Status CudaDevice::load(const Executable &executable, const uint8_t *&weights) {
  if (executable.manifest().kind != targetKind)
    return {Status::Code::Internal, executable.path() +
                                        ": code: expected it for " +
                                        nameOf(targetKind) + ", got it for " +
                                        nameOf(executable.manifest().kind)};
  if (Status status = loadCode(executable); !status.ok())
    return status;
  return loadWeights(executable, weights);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Status CudaDevice::reserve(int64_t bytes, const std::string &purpose,
                           const std::string &advice, DeviceMemory &result) {
  cuda::Address address = 0;
  auto count = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  if (cuda::Result code = driver.allocate(&address, count);
      code != cuda::success) {
    if (code != cuda::outOfMemory)
      return check(code, "cuMemAlloc of " + std::to_string(bytes) +
                             " bytes for " + purpose);
    return {Status::Code::OutOfMemory,
            "memory: cannot reserve " + std::to_string(bytes) + " bytes of " +
                name + " for " + purpose + "; " + advice + " (" +
                std::to_string(freeBytes(driver)) + " bytes are free)"};
  }
  DeviceMemory memory(reinterpret_cast<uint8_t *>(address),
                      [free = driver.free](uint8_t *pointer) {
                        (void)free(reinterpret_cast<cuda::Address>(pointer));
                      });
  if (Status status = zero(memory.get(), bytes); !status.ok())
    return status;
  result = std::move(memory);
  return {};
}

Status CudaDevice::reserveWork(const WorkBytes &work, int64_t tokens,
                               DeviceMemory &arena) {
  constexpr const char *advice = "use fewer prompts at once";
  if (Status status =
          reserve(work.arena, "a step of " + std::to_string(tokens) + " tokens",
                  advice, arena);
      !status.ok())
    return status;
  return reserveInputs(work.inputs);
}

Status CudaDevice::reserveInputs(int64_t bytes) {
  if (Status status = inputBuffer->resize(bytes); !status.ok())
    return status;
  if (bytes <= stepMemoryBytes)
    return {};
  stepMemory.reset();
  stepMemoryBytes = 0;
  if (Status status = reserve(bytes, "what a step is told",
                              "use fewer prompts at once", stepMemory);
      !status.ok())
    return status;
  stepMemoryBytes = bytes;
  return {};
}

Status CudaDevice::zero(uint8_t *address, int64_t bytes) {
  if (bytes == 0)
    return {};
  return check(driver.setBytes(reinterpret_cast<cuda::Address>(address), 0,
                               static_cast<size_t>(bytes), stream),
               "cuMemsetD8Async");
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Status CudaDevice::begin(const KernelSizes &stepSizes,
                         const std::vector<ByteRange> &inputs,
                         std::vector<void *> &addresses) {
  // A copy of a step that was given up may still read the buffer.
  if (Status status = wait("cuStreamSynchronize before a step"); !status.ok())
    return status;
  forgetTimes();
  int64_t bytes = alignPart(sizeof(stepSizes));
  std::vector<int64_t> offsets;
  for (const ByteRange &input : inputs) {
    offsets.push_back(bytes);
    bytes += alignPart(input.bytes);
  }
  if (Status status = reserveInputs(bytes); !status.ok())
    return status;
  sizes = {stepSizes[0], stepSizes[1], stepSizes[2], stepSizes[4],
           stepSizes[5]};
  std::memcpy(inputBuffer->data(), stepSizes.data(), sizeof(stepSizes));
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].bytes != 0)
      std::memcpy(inputBuffer->data() + offsets[i], inputs[i].data,
                  static_cast<size_t>(inputs[i].bytes));
  if (Status status =
          check(driver.copyToDevice(
                    reinterpret_cast<cuda::Address>(stepMemory.get()),
                    inputBuffer->data(), static_cast<size_t>(bytes), stream),
                "cuMemcpyHtoDAsync of a step");
      !status.ok())
    return status;
  step = cuda::StepRecord(sizes, stepMemory.get());
  isFirst = true;
  addresses.clear();
  for (int64_t offset : offsets)
    addresses.push_back(stepMemory.get() + offset);
  return {};
}

Status CudaDevice::record(cuda::Event &event) {
  if (Status status = check(driver.createEvent(&event, 0), "cuEventCreate");
      !status.ok())
    return status;
  return check(driver.recordEvent(event, stream), "cuEventRecord");
}

Status CudaDevice::inLaunch(const Launch &launch, const Status &status) const {
  std::string place = "launch " + std::to_string(launch.number) +
                      " of the step, kernel " +
                      printable(kernels[launch.kernel].plan->name);
  if (launch.layer >= 0)
    place += ", layer " + std::to_string(launch.layer);
  return {status.code(), status.message() + "; in " + place};
}

Status CudaDevice::launchNow(const Launch &launch) {
  const Kernel &kernel = kernels[launch.kernel];
  // The first launch of a step waits for the copy of its inputs, and what is
  // measured should have the device to itself.
  bool isDependent = overlapsLaunches && kernel.plan->waits && !isFirst &&
                     !launch.seconds && !checksLaunches;
  isFirst = false;
  cuda::KernelParameters parameters;
  Status status = parameters.set(driver, *kernel.plan, launch.arguments,
                                 launch.argumentCount, stepMemory.get(),
                                 launch.tiles, sizes);
  if (status.ok() && launch.seconds) {
    timings.push_back({nullptr, nullptr, launch.seconds});
    status = record(timings.back().start);
  }
  if (status.ok())
    status = cuda::launch(driver, kernel.function, *kernel.plan,
                          cuda::blocksOf(*kernel.plan, launch.tiles), stream,
                          parameters.pointers(), isDependent);
  if (status.ok() && launch.seconds)
    status = record(timings.back().end);
  if (status.ok() && checksLaunches)
    status = wait("cuStreamSynchronize");
  return status.ok() ? status : inLaunch(launch, status);
}

Status CudaDevice::launchAll() {
  isFirst = true;
  for (size_t i = 0; i < step.size(); ++i)
    if (Status status = launchNow(step.launch(i)); !status.ok())
      return status;
  return {};
}

Status CudaDevice::launch(const Launch &launch) {
  // What is measured or checked cannot be part of a graph.
  if (launch.seconds || checksLaunches)
    return launchNow(launch);
  step.add(launch);
  return {};
}

Status CudaDevice::addTimes() {
  for (const Timing &timing : timings) {
    float milliseconds = 0;
    if (Status status =
            check(driver.elapsedTime(&milliseconds, timing.start, timing.end),
                  "cuEventElapsedTime");
        !status.ok())
      return status;
    *timing.seconds += milliseconds / 1000;
  }
  forgetTimes();
  return {};
}

void CudaDevice::forgetTimes() {
  for (const Timing &timing : timings)
    for (cuda::Event event : {timing.start, timing.end})
      if (event)
        (void)driver.destroyEvent(event);
  timings.clear();
}

Status CudaDevice::finish(const std::vector<ByteRange> &results,
                          std::vector<const void *> &host) {
  int64_t bytes = 0;
  std::vector<int64_t> offsets;
  for (const ByteRange &result : results) {
    offsets.push_back(bytes);
    bytes += alignPart(result.bytes);
  }
  if (Status status = resultBuffer->resize(std::max<int64_t>(bytes, 1));
      !status.ok())
    return status;
  if (step.size() != 0)
    if (Status status = graphs->run(step, [&] { return launchAll(); });
        !status.ok())
      return status;
  for (size_t i = 0; i < results.size(); ++i)
    if (results[i].bytes != 0)
      if (Status status =
              check(driver.copyToHost(
                        resultBuffer->data() + offsets[i],
                        reinterpret_cast<cuda::Address>(results[i].data),
                        static_cast<size_t>(results[i].bytes), stream),
                    "cuMemcpyDtoHAsync of results");
          !status.ok())
        return status;
  if (Status status = wait("cuStreamSynchronize after the launches of a step");
      !status.ok())
    return {status.code(), status.message() + "; --check-launches says which"};
  host.clear();
  for (int64_t offset : offsets)
    host.push_back(resultBuffer->data() + offset);
  return addTimes();
}
