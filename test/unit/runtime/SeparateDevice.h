// A device whose memory the host cannot touch and whose kernels run when the
// host waits for them: what works with it follows no pointer of a device and
// keeps none of the host's too short.

#ifndef TCC_TEST_UNIT_RUNTIME_SEPARATEDEVICE_H
#define TCC_TEST_UNIT_RUNTIME_SEPARATEDEVICE_H

#include "runtime/core/Device.h"
#include "runtime/cpu/CpuDevice.h"

#include <map>

namespace tcc::rt {

class SeparateDevice final : public Device {
public:
  explicit SeparateDevice(std::vector<KernelFunction> kernels)
      : kernels(std::move(kernels)) {}

  /// So many calls still succeed, and one fails after them.
  int64_t callsBeforeFailure = INT64_MAX;

  int64_t availableBytes() const override { return INT64_MAX; }
  int64_t workers() const override { return 1; }
  Status load(const Executable &, const uint8_t *&) override;
  Status reserve(int64_t bytes, const std::string &purpose,
                 const std::string &advice, DeviceMemory &result) override;
  Status reserveWork(const WorkBytes &work, int64_t tokens,
                     DeviceMemory &arena) override;
  Status zero(uint8_t *address, int64_t bytes) override;
  Status begin(const KernelSizes &stepSizes,
               const std::vector<ByteRange> &stepInputs,
               std::vector<void *> &addresses) override;
  Status launch(const Launch &launch) override;
  /// Each launch takes one second.
  Status finish(const std::vector<ByteRange> &results,
                std::vector<const void *> &host) override;

private:
  struct Recorded {
    uint32_t kernel;
    std::vector<void *> arguments;
    int64_t tiles;
    double *seconds;
  };

  Status count();
  /// A range filled with `filler`.
  DeviceMemory allocate(int64_t bytes, uint8_t filler);
  bool holds(const void *address) const;
  void open(bool isOpen) const;

  std::vector<KernelFunction> kernels;
  std::map<uint8_t *, size_t> ranges;
  std::vector<uint8_t> scratch;
  KernelSizes sizes = {};
  std::vector<DeviceMemory> inputs;
  std::vector<Recorded> launches;
  std::vector<std::vector<uint8_t>> onHost;
};

} // namespace tcc::rt

#endif // TCC_TEST_UNIT_RUNTIME_SEPARATEDEVICE_H
