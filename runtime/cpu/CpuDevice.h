// The CPU as a device: threads of this process, memory of the system. Kernels
// read inputs where the host has them, and the host reads results where kernels
// left them.

#ifndef TCC_RUNTIME_CPU_CPUDEVICE_H
#define TCC_RUNTIME_CPU_CPUDEVICE_H

#include "runtime/core/Device.h"
#include "runtime/cpu/Machine.h"
#include "runtime/cpu/ThreadPool.h"
#include "runtime/schema/Executable_generated.h"

namespace tcc::rt {

/// A compiled kernel; see table Launch in runtime/schema/Executable.fbs.
using KernelFunction = void (*)(void *const *arguments, const int64_t *sizes,
                                int64_t begin, int64_t end, void *scratch);

class CpuDevice final : public Device {
public:
  /// The kind of targets whose code it runs.
  static constexpr schema::TargetKind targetKind = schema::TargetKind::X86_64;

  /// \param threads Started by `load`, or as many of them as the system allows.
  explicit CpuDevice(int threads) : threads(threads) {}
  ~CpuDevice() override;
  CpuDevice(const CpuDevice &) = delete;
  CpuDevice &operator=(const CpuDevice &) = delete;

  /// Starts the threads, for kernels at `entries`: what `load` ends with.
  void start(std::vector<KernelFunction> entries);

  /// Weights are mapped: the system counts their pages as available.
  int64_t availableBytes() const override;
  /// The threads that run, or before there are any, those that were asked for.
  int64_t workers() const override { return pool ? pool->size() : threads; }
  /// Checks that the CPU has the features that the code was compiled for,
  /// copies it to memory of its own, compares that with the digest and makes it
  /// executable; asks the system to read the weights.
  Status load(const Executable &executable, const uint8_t *&weights) override;
  /// The bytes are committed as they are written.
  Status reserve(int64_t bytes, const std::string &purpose,
                 const std::string &advice, DeviceMemory &result) override;
  Status reserveWork(const WorkBytes &work, int64_t tokens,
                     DeviceMemory &arena) override;
  Status zero(uint8_t *address, int64_t bytes) override;
  Status begin(const KernelSizes &stepSizes,
               const std::vector<ByteRange> &inputs,
               std::vector<void *> &addresses) override;
  Status launch(const Launch &launch) override;
  Status finish(const std::vector<ByteRange> &results,
                std::vector<const void *> &host) override;

private:
  Status mapCode(const Executable &executable);

  int threads;
  void *code = nullptr;
  size_t codeBytes = 0;
  std::vector<KernelFunction> kernels;
  std::unique_ptr<ThreadPool> pool;
  AnonymousMemory scratch;
  int64_t scratchBytes = 0; ///< Of one thread.
  KernelSizes sizes = {};   ///< Of the current step.
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CPU_CPUDEVICE_H
