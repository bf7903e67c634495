#include "tools/tcc-run/Session.h"

#include "runtime/cpu/CpuDevice.h"
#include "runtime/cuda/CudaDevice.h"

#include <algorithm>
#include <filesystem>

using namespace tcc;
using namespace tcc::run;

std::chrono::steady_clock::time_point tcc::run::startTime() {
  static const auto start = std::chrono::steady_clock::now();
  return start;
}

double tcc::run::secondsSince(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time)
      .count();
}

static std::atomic<bool> interrupted{false};

static void handleInterrupt(int) {
  if (interrupted.exchange(true))
    endInterrupted();
}

const std::atomic<bool> *tcc::run::installInterrupt() {
  onInterrupt(handleInterrupt);
  return &interrupted;
}

Status tcc::run::inFile(const rt::Executable &executable,
                        const Status &status) {
  return {status.code(), executable.path() + ": " + status.message()};
}

Status tcc::run::loadTokenizer(const rt::Executable &executable,
                               std::unique_ptr<rt::Tokenizer> &result) {
  const schema::Tokenizer *table = executable.root().tokenizer();
  if (!table)
    return Status::badData(executable.path() +
                           ": it has no tokenizer; use --tokens");
  return rt::Tokenizer::create(*table, executable.path(), result);
}

Status tcc::run::loadExecutable(const Options &options,
                                std::unique_ptr<rt::Executable> &result) {
  bool runs = options.mode == Mode::Generate || options.mode == Mode::Bench;
  std::optional<schema::TargetKind> kind;
  if (runs || (options.mode == Mode::Info && options.isDeviceGiven))
    kind = options.device == Options::Device::Cpu ? rt::CpuDevice::targetKind
                                                  : rt::CudaDevice::targetKind;
  return rt::Executable::load(options.model, kind, result);
}

/// The driver of the simulator, which stands beside this program.
static std::string simulatorPath() {
  std::error_code error;
  std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path folder =
      program.parent_path().parent_path() / "lib" / "ptxsim";
  // The loader takes the twin for AVX-512 only where it looks for a name
  // itself.
  std::filesystem::path twin =
      folder / "glibc-hwcaps" / "x86-64-v4" / "libcuda.so.1";
  if (__builtin_cpu_supports("x86-64-v4") &&
      std::filesystem::exists(twin, error))
    return twin;
  return folder / "libcuda.so.1";
}

static Status openDevice(const Options &options,
                         std::unique_ptr<rt::Device> &result) {
  if (options.device == Options::Device::Cpu) {
    result = std::make_unique<rt::CpuDevice>(
        options.threads ? options.threads : rt::defaultThreads());
    return {};
  }
  std::unique_ptr<rt::CudaDevice> device;
  rt::CudaOptions cuda = {"libcuda.so.1", options.ordinal,
                          options.checksLaunches};
  if (options.device == Options::Device::Simulator) {
    cuda.driver = simulatorPath();
    std::error_code error;
    if (!std::filesystem::exists(cuda.driver, error))
      return {Status::Code::DeviceUnavailable,
              "--device=h100-sim: expected the simulator in " + cuda.driver +
                  ", got none; build it (ninja ptxsim-cuda)"};
  }
  Status status = rt::CudaDevice::open(cuda, device);
  result = std::move(device);
  return status;
}

Status
tcc::run::startGenerator(rt::Executable &executable, const Options &options,
                         const std::vector<std::vector<int32_t>> &prompts,
                         const rt::GenerationOptions &generation,
                         std::unique_ptr<rt::Device> &device,
                         std::unique_ptr<rt::Generator> &result) {
  if (Status status = openDevice(options, device); !status.ok())
    return status;
  const auto &weights = executable.manifest().weights;
  rt::Capacity capacity = {
      device->workers(), device->availableBytes(),
      weights ? static_cast<int64_t>(weights->bytes) : 0,
      // A file may claim any number.
      static_cast<int64_t>(
          std::min(executable.root().parameters(), uint64_t(1) << 60))};
  rt::Requirements needed;
  if (Status status = rt::planRequests(executable.plan(), prompts, generation,
                                       capacity, needed);
      !status.ok())
    return status.code() == Status::Code::OutOfMemory
               ? inFile(executable, status)
               : status;
  if (Status status = executable.prepare(*device); !status.ok())
    return status;
  if (Status status =
          rt::Generator::create(executable.program(), needed, *device, result);
      !status.ok())
    return inFile(executable, status);
  return {};
}
