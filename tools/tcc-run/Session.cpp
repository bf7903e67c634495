#include "tools/tcc-run/Session.h"

#include "runtime/cpu/CpuDevice.h"

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
  return rt::Executable::load(options.model, rt::CpuDevice::targetKind, result);
}

Status
tcc::run::startGenerator(rt::Executable &executable, const Options &options,
                         const std::vector<std::vector<int32_t>> &prompts,
                         const rt::GenerationOptions &generation,
                         std::unique_ptr<rt::Device> &device,
                         std::unique_ptr<rt::Generator> &result) {
  device = std::make_unique<rt::CpuDevice>(
      options.threads ? options.threads : rt::defaultThreads());
  const auto &weights = executable.manifest().weights;
  rt::Requirements needed;
  if (Status status = rt::planRequests(
          executable.plan(), prompts, generation, device->workers(),
          weights ? static_cast<int64_t>(weights->bytes) : 0,
          device->availableBytes(), needed);
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
