// Memory of the host that the driver can copy while the host goes on.

#ifndef TCC_RUNTIME_CUDA_HOSTBUFFER_H
#define TCC_RUNTIME_CUDA_HOSTBUFFER_H

#include "runtime/cuda/Driver.h"

namespace tcc::rt::cuda {

/// Pinned memory that grows.
class HostBuffer {
public:
  explicit HostBuffer(const Driver &driver) : driver(driver) {}
  ~HostBuffer() {
    if (memory)
      (void)driver.freeHost(memory);
  }
  HostBuffer(const HostBuffer &) = delete;
  HostBuffer &operator=(const HostBuffer &) = delete;

  /// Makes room for `bytes` bytes; what was there is lost if it grows.
  Status resize(int64_t bytes) {
    if (bytes <= size)
      return {};
    if (memory)
      (void)driver.freeHost(memory);
    memory = nullptr;
    size = 0;
    if (Result result =
            driver.allocateHost(&memory, static_cast<size_t>(bytes), 0);
        result != success)
      return driver.statusOf(result, "cuMemHostAlloc of " +
                                         std::to_string(bytes) + " bytes");
    size = bytes;
    return {};
  }

  uint8_t *data() const { return static_cast<uint8_t *>(memory); }

private:
  const Driver &driver;
  void *memory = nullptr;
  int64_t size = 0;
};

} // namespace tcc::rt::cuda

#endif // TCC_RUNTIME_CUDA_HOSTBUFFER_H
