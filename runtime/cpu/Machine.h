// What this process may use of the machine: CPUs, their features, memory.

#ifndef TCC_RUNTIME_CPU_MACHINE_H
#define TCC_RUNTIME_CPU_MACHINE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tcc::rt {

/// Numbers of the CPUs on which this thread may run, ascending.
std::vector<int> allowedCpus();

/// How many threads are worth starting: the allowed CPUs, or fewer if a cgroup
/// limits CPU time. At least 1.
///
/// \param root Where /proc and /sys are found.
int defaultThreads(const std::string &root = "");

/// Those of `features`, named as in /proc/cpuinfo, that this CPU lacks.
std::vector<std::string>
missingFeatures(const std::vector<std::string> &features);

/// Bytes that this process may still allocate: the least of what the system has
/// available and of what each enclosing cgroup leaves, page cache counted as
/// free. INT64_MAX if nothing can be found out.
///
/// \param root Where /proc and /sys are found.
int64_t availableMemoryBytes(const std::string &root = "");

/// A range of zeroed anonymous memory that is committed page by page as it is
/// written. Movable; returned to the system when destroyed.
class AnonymousMemory {
public:
  AnonymousMemory() = default;
  AnonymousMemory(AnonymousMemory &&other) noexcept {
    *this = std::move(other);
  }
  AnonymousMemory &operator=(AnonymousMemory &&other) noexcept;
  ~AnonymousMemory();

  /// Reserves `size` bytes. From 2 MiB on they are aligned to that and backed by
  /// pages of that size where the system has them.
  ///
  /// \returns false if the system refuses; `result` is then untouched.
  static bool reserve(size_t size, AnonymousMemory &result);

  uint8_t *data() const { return bytes; }
  size_t size() const { return length; }

private:
  uint8_t *bytes = nullptr;
  size_t length = 0;
  void *mapping = nullptr;
  size_t mappingBytes = 0;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CPU_MACHINE_H
