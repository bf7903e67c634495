// A GPU as a device, through the driver API: NVIDIA's driver, or the
// simulator's.
//
// One stream: work is in order. What a step needs from the host goes to the
// device in one copy, and the results come back in one each, through pinned
// memory.

#ifndef TCC_RUNTIME_CUDA_CUDADEVICE_H
#define TCC_RUNTIME_CUDA_CUDADEVICE_H

#include "runtime/core/Device.h"
#include "runtime/cuda/Driver.h"
#include "runtime/schema/Executable_generated.h"

#include <memory>
#include <string>
#include <vector>

namespace tcc::rt {

class CudaDevice final : public Device {
public:
  /// The kind of targets whose code it runs.
  static constexpr schema::TargetKind targetKind = schema::TargetKind::H100;

  /// Opens device number `ordinal` of the driver in the library `driverPath`.
  ///
  /// \returns DeviceUnavailable if there is no such driver or device, it is not
  ///          of compute capability 9.0, or the driver is older than PTX needs.
  static Status open(const std::string &driverPath, int ordinal,
                     std::unique_ptr<CudaDevice> &result);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice &) = delete;
  CudaDevice &operator=(const CudaDevice &) = delete;

  int64_t availableBytes() const override;
  /// Kernels of GPUs have no scratch.
  int64_t workers() const override { return 1; }
  /// Compiles the PTX, and copies the weights while the file is read.
  Status load(const Executable &executable, const uint8_t *&weights) override;
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
  /// Pinned memory of the host that grows.
  class HostBuffer;
  /// A function of the module, and how it is launched.
  struct Kernel {
    std::string name;
    cuda::Function function = nullptr;
    unsigned threads = 0;
  };
  /// What a launch took, to be added when the step ends.
  struct Timing {
    cuda::Event start = nullptr, end = nullptr;
    double *seconds = nullptr;
  };

  explicit CudaDevice(const cuda::Driver &driver);
  Status checkDevice(int ordinal);
  Status check(cuda::Result result, const std::string &call) const {
    return driver.statusOf(result, call);
  }
  Status loadCode(const Executable &executable);
  Status loadWeights(const Executable &executable, const uint8_t *&weights);
  /// Makes room for what a step is told, on both sides.
  Status reserveInputs(int64_t bytes);
  Status wait(const std::string &purpose);
  Status record(cuda::Event &event);
  Status addTimes();
  void forgetTimes();

  cuda::Driver driver;
  std::string name; ///< Of the GPU.
  cuda::Device device = 0;
  cuda::Context context = nullptr;
  cuda::Stream stream = nullptr;
  cuda::Module module = nullptr;
  std::vector<Kernel> kernels;
  DeviceMemory weightMemory;
  // Of the current step.
  DeviceMemory stepMemory; ///< Sizes, then inputs.
  int64_t stepMemoryBytes = 0;
  std::unique_ptr<HostBuffer> inputBuffer, resultBuffer;
  uint8_t *deviceSizes = nullptr;
  std::vector<Timing> timings;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CUDA_CUDADEVICE_H
