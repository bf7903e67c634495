// A GPU as a device, through the driver API: NVIDIA's driver, or the
// simulator's.
//
// One stream: work is in order. What a step needs from the host goes to the
// device in one copy, and the results come back in one each, through pinned
// memory. Launches are collected and go to the device when the step is
// finished: one by one, or as a graph if the step came before.

#ifndef TCC_RUNTIME_CUDA_CUDADEVICE_H
#define TCC_RUNTIME_CUDA_CUDADEVICE_H

#include "runtime/core/Device.h"
#include "runtime/cuda/HostBuffer.h"
#include "runtime/cuda/KernelLaunch.h"
#include "runtime/cuda/StepGraphs.h"
#include "runtime/schema/Executable_generated.h"

#include <memory>
#include <string>
#include <vector>

namespace tcc::rt {

/// Which device is opened, and how it runs.
struct CudaOptions {
  std::string driver; ///< The path of its library.
  int ordinal = 0;    ///< Of the GPU.
  /// Wait for each launch, so that an error is that of the launch that it
  /// names.
  bool checksLaunches = false;
};

class CudaDevice final : public Device {
public:
  /// The kind of targets whose code it runs.
  static constexpr schema::TargetKind targetKind = schema::TargetKind::H100;

  /// Opens a device.
  ///
  /// \returns DeviceUnavailable if there is no such driver or device, it is not
  ///          of compute capability 9.0, or the driver is older than PTX needs.
  static Status open(const CudaOptions &options,
                     std::unique_ptr<CudaDevice> &result);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice &) = delete;
  CudaDevice &operator=(const CudaDevice &) = delete;

  /// At the clocks that the driver says.
  DevicePeaks peaks() const override;
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
  /// A function of the module, and how it is launched.
  struct Kernel {
    const KernelPlan *plan = nullptr; ///< Of the executable.
    cuda::Function function = nullptr;
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
  /// `status` with the launch that it comes from behind it.
  Status inLaunch(const Launch &launch, const Status &status) const;
  Status launchNow(const Launch &launch);
  Status launchAll();
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
  std::unique_ptr<cuda::HostBuffer> inputBuffer, resultBuffer;
  StepSizes sizes;
  cuda::StepRecord step;
  bool isFirst = true; ///< No launch of the step went to the device.
  std::vector<Timing> timings;
  std::unique_ptr<cuda::StepGraphs> graphs;
  bool checksLaunches = false;
  bool overlapsLaunches = false; ///< Of kernels that wait.
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CUDA_CUDADEVICE_H
