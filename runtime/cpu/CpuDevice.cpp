#include "runtime/cpu/CpuDevice.h"

#include "runtime/core/Executable.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sys/mman.h>

using namespace tcc;
using namespace tcc::rt;

/// From this many tokens on a launch is long enough for dynamic ranges; below,
/// each thread streams its own part of the weights.
static constexpr int64_t dynamicTokens = 32;

CpuDevice::~CpuDevice() {
  if (code)
    munmap(code, codeBytes);
}

void CpuDevice::start(std::vector<KernelFunction> entries) {
  kernels = std::move(entries);
  pool = std::make_unique<ThreadPool>(threads);
}

//===----------------------------------------------------------------------===//
// Code and weights
//===----------------------------------------------------------------------===//

static Status checkCpu(const Executable &executable) {
  const Manifest &manifest = executable.manifest();
  std::vector<std::string> missing = missingFeatures(manifest.features);
  if (missing.empty())
    return {};
  std::string names;
  for (const std::string &name : missing)
    names += (names.empty() ? "" : ", ") + printable(name);
  return {Status::Code::DeviceUnavailable,
          executable.path() +
              ": code: expected a CPU with what it was compiled for (" +
              printable(manifest.cpu) + "), got one that lacks " + names +
              "; compile the model again with --march=native on this machine "
              "or --march=x86-64-v3"};
}

Status CpuDevice::mapCode(const Executable &executable) {
  const SegmentRange &segment = executable.manifest().code;
  codeBytes = std::max<size_t>(segment.bytes, 1);
  // A copy, checked after copying: what runs is what was checked, even if
  // somebody writes to the file, and it runs from file systems mounted noexec.
  code = mmap(nullptr, codeBytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) {
    code = nullptr;
    return {Status::Code::OutOfMemory,
            executable.path() + ": code: cannot map its " +
                std::to_string(codeBytes) + " bytes: " + strerror(errno)};
  }
  memcpy(code, executable.bytesOf(segment), segment.bytes);
  if (Status status = executable.checkCode(code); !status.ok())
    return status;
  if (mprotect(code, codeBytes, PROT_READ | PROT_EXEC) != 0)
    return {Status::Code::DeviceUnavailable,
            executable.path() +
                ": code: the system refuses to make it executable: " +
                strerror(errno)};
  return {};
}

Status CpuDevice::load(const Executable &executable, const uint8_t *&weights) {
  const Manifest &manifest = executable.manifest();
  if (manifest.kind != targetKind)
    return {Status::Code::Internal,
            executable.path() + ": code: expected it for " +
                nameOf(targetKind) + ", got it for " + nameOf(manifest.kind)};
  if (Status status = checkCpu(executable); !status.ok())
    return status;
  if (Status status = mapCode(executable); !status.ok())
    return status;
  std::vector<KernelFunction> entries;
  for (const KernelPlan &kernel : manifest.plan.kernels)
    entries.push_back(reinterpret_cast<KernelFunction>(
        static_cast<uint8_t *>(code) + kernel.entry));
  weights = nullptr;
  if (manifest.weights) {
    weights = executable.bytesOf(*manifest.weights);
    // Hints: the file is read ahead while the first step already runs.
    void *first = const_cast<uint8_t *>(weights);
    madvise(first, manifest.weights->bytes, MADV_WILLNEED);
    madvise(first, manifest.weights->bytes, MADV_HUGEPAGE);
  }
  start(std::move(entries));
  return {};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t CpuDevice::availableBytes() const { return availableMemoryBytes(); }

static Status refused(int64_t bytes, const std::string &purpose,
                      const std::string &advice) {
  return {Status::Code::OutOfMemory,
          "memory: cannot reserve " + std::to_string(bytes) + " bytes for " +
              purpose + "; " + advice +
              " or raise the limit of address space (ulimit -v)"};
}

/// False if the system refuses.
static bool reserveShared(int64_t bytes, DeviceMemory &result) {
  AnonymousMemory memory;
  if (!AnonymousMemory::reserve(static_cast<size_t>(bytes), memory))
    return false;
  auto owner = std::make_shared<AnonymousMemory>(std::move(memory));
  result = DeviceMemory(owner, owner->data());
  return true;
}

Status CpuDevice::reserve(int64_t bytes, const std::string &purpose,
                          const std::string &advice, DeviceMemory &result) {
  return reserveShared(bytes, result) ? Status()
                                      : refused(bytes, purpose, advice);
}

Status CpuDevice::reserveWork(const WorkBytes &work, int64_t tokens,
                              DeviceMemory &arena) {
  int64_t total = work.total(workers());
  DeviceMemory reserved;
  AnonymousMemory larger;
  bool grows = !scratch.data() || work.scratch > scratchBytes;
  if (total == INT64_MAX || !reserveShared(work.arena, reserved) ||
      (grows && !AnonymousMemory::reserve(
                    static_cast<size_t>(work.scratch * workers()), larger)))
    return refused(total, "a step of " + std::to_string(tokens) + " tokens",
                   "use fewer --threads");
  if (grows) {
    scratch = std::move(larger);
    scratchBytes = work.scratch;
  }
  arena = std::move(reserved);
  return {};
}

Status CpuDevice::zero(uint8_t *address, int64_t bytes) {
  memset(address, 0, static_cast<size_t>(bytes));
  return {};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Status CpuDevice::begin(const KernelSizes &stepSizes,
                        const std::vector<ByteRange> &inputs,
                        std::vector<void *> &addresses) {
  sizes = stepSizes;
  addresses.clear();
  // Kernels take void * for inputs too; they do not write to them.
  for (const ByteRange &input : inputs)
    addresses.push_back(const_cast<void *>(input.data));
  return {};
}

namespace {
/// What the threads of one launch share.
struct LaunchContext {
  KernelFunction kernel;
  void *const *arguments;
  const int64_t *sizes;
  uint8_t *scratch;
  int64_t scratchBytes;
};
} // namespace

static void runTiles(const void *context, int64_t begin, int64_t end,
                     int thread) {
  const auto &launch = *static_cast<const LaunchContext *>(context);
  launch.kernel(launch.arguments, launch.sizes, begin, end,
                launch.scratch + thread * launch.scratchBytes);
}

Status CpuDevice::launch(const Launch &launch) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = launch.seconds ? Clock::now() : Clock::time_point();
  LaunchContext context = {kernels[launch.kernel], launch.arguments,
                           sizes.data(), scratch.data(), scratchBytes};
  int64_t tokens = sizes[0];
  pool->run(launch.tiles,
            tokens < dynamicTokens ? Split::Static : Split::Dynamic, runTiles,
            &context);
  if (launch.seconds)
    *launch.seconds +=
        std::chrono::duration<double>(Clock::now() - start).count();
  return {};
}

Status CpuDevice::finish(const std::vector<ByteRange> &results,
                         std::vector<const void *> &host) {
  host.clear();
  for (const ByteRange &result : results)
    host.push_back(result.data);
  return {};
}
