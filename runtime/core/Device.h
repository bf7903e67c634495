// What runs kernels and holds what they work on: the one interface between the
// executor and the devices.
//
// Memory of a device is named by pointers that only the device may follow: the
// host computes with them and hands them back. Work is in order: `zero`,
// `begin`, `launch` and `finish` see what the ones before them left, though all
// but `finish` may return before they are done. A failure may therefore be
// reported by a later call than the one that caused it.
//
// Not thread-safe.

#ifndef TCC_RUNTIME_CORE_DEVICE_H
#define TCC_RUNTIME_CORE_DEVICE_H

#include "runtime/support/Status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcc::rt {

class Executable;

/// A range of a device's memory, which its last owner gives back. The device
/// must outlive it.
using DeviceMemory = std::shared_ptr<uint8_t>;

/// `bytes` bytes at `data`, of the host or of a device.
struct ByteRange {
  const void *data = nullptr;
  int64_t bytes = 0;
};

/// What the largest step works in.
struct WorkBytes {
  int64_t arena = 0;
  int64_t scratch = 0; ///< Of each worker, in whole pages of memory.
  int64_t inputs = 0;  ///< What the host tells a step.

  /// Bytes for so many workers, or INT64_MAX if that overflows.
  int64_t total(int64_t workers) const {
    int64_t bytes;
    return __builtin_mul_overflow(scratch, workers, &bytes) ||
                   __builtin_add_overflow(bytes, arena, &bytes) ||
                   __builtin_add_overflow(bytes, inputs, &bytes)
               ? INT64_MAX
               : bytes;
  }
};

/// Where parts of a step's inputs begin on a device, in bytes.
constexpr int64_t inputAlignment = 256;

/// What kernels are told of a step: T, B, R, page table stride, X, E.
using KernelSizes = std::array<int64_t, 6>;

/// One launch of a step, all of it resolved.
struct Launch {
  uint32_t kernel = 0; ///< Into Plan::kernels.
  void *const *arguments = nullptr;
  size_t argumentCount = 0;
  int64_t tiles = 0; ///< At least 1.
  /// If not null, the seconds that it takes are added here before `finish`
  /// returns, or never if the step is given up.
  double *seconds = nullptr;
  // For messages:
  int64_t number = 0; ///< Among the launches of the step, from 1.
  int64_t layer = -1; ///< If it is one of a loop.
};

/// What a device can do at most; 0 if it is not known.
struct DevicePeaks {
  double bytesPerSecond = 0; ///< From and to memory.
  double flopsPerSecond = 0; ///< Of bf16, a multiply-add counting as two.
};

class Device {
public:
  virtual ~Device() = default;

  virtual DevicePeaks peaks() const { return {}; }

  /// Bytes that may still be reserved, weights included.
  virtual int64_t availableBytes() const = 0;

  /// How many parts of one launch run at once, each with scratch of its own.
  virtual int64_t workers() const = 0;

  /// Makes code and weights of `executable`, which must outlive the device,
  /// ready to run. Called once, before steps.
  ///
  /// \param weights Where the weights lie, or null if there are none.
  ///
  /// \returns DeviceUnavailable if the device lacks what the code needs, and
  ///          the message names it; BadData if the code is damaged;
  ///          OutOfMemory.
  virtual Status load(const Executable &executable,
                      const uint8_t *&weights) = 0;

  /// Reserves `bytes` bytes that are all zeros.
  ///
  /// \returns OutOfMemory if they are refused, with a message that it takes
  ///          them for `purpose` and that `advice` would help.
  virtual Status reserve(int64_t bytes, const std::string &purpose,
                         const std::string &advice, DeviceMemory &result) = 0;

  /// Reserves what steps of up to `tokens` tokens work in: an arena, whatever
  /// it holds, and room for inputs and the scratch of workers, which remain the
  /// device's own.
  ///
  /// \returns OutOfMemory.
  virtual Status reserveWork(const WorkBytes &work, int64_t tokens,
                             DeviceMemory &arena) = 0;

  /// Sets `bytes` bytes at `address` to zero.
  virtual Status zero(uint8_t *address, int64_t bytes) = 0;

  /// Begins a step. One that was begun before and not finished is given up.
  ///
  /// \param inputs    Of the host, unchanged until the step is finished or
  ///                  given up.
  /// \param addresses Where kernels find each of them.
  virtual Status begin(const KernelSizes &sizes,
                       const std::vector<ByteRange> &inputs,
                       std::vector<void *> &addresses) = 0;

  /// Runs a kernel of the step. What `launch` points at may change afterwards,
  /// except for `seconds`.
  virtual Status launch(const Launch &launch) = 0;

  /// Waits for the end of the step.
  ///
  /// \param results Ranges of the device's memory.
  /// \param host    Where the host finds each of them until the next step
  ///                begins.
  virtual Status finish(const std::vector<ByteRange> &results,
                        std::vector<const void *> &host) = 0;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_DEVICE_H
