// The memory that kernels can address: device, pinned, managed and registered
// host memory.
//
// A device address is the host address of the same byte, so that copies are
// copies and pinned memory needs no second address. Everything but registered
// host memory lies in one reserved range of addresses. Freed ranges become
// inaccessible and are reused last, so that a use after free finds nothing.
// Three further windows of addresses without memory behind them stand for the
// shared, local and parameter spaces as generic addresses.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_MEMORY_H
#define TCC_TOOLS_PTXSIM_MACHINE_MEMORY_H

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ptxsim {

/// What a range of addresses is.
enum class MemoryKind : uint8_t {
  Device,
  Pinned,     ///< cuMemHostAlloc: readable by the host at the same address.
  Managed,
  Registered, ///< cuMemHostRegister: the host's own memory.
  Variable,   ///< A `.global` variable of a module.
  Constant,   ///< A `.const` variable: kernels may not write it.
  Heap,       ///< malloc in a kernel.
};

/// True for memory that the host may access while kernels do.
constexpr bool isOfHost(MemoryKind kind) {
  return kind == MemoryKind::Pinned || kind == MemoryKind::Registered ||
         kind == MemoryKind::Managed;
}

struct Allocation {
  uint64_t address = 0;
  uint64_t bytes = 0; ///< As asked for; addresses above are out of bounds.
  MemoryKind kind = MemoryKind::Device;
  uint64_t context = 0; ///< Who owns it; 0 for nobody.
  uint64_t serial = 0;  ///< Counts allocations from 1, for messages.
  std::string name;     ///< Of a variable.
  bool isFreed = false; ///< Of one that is kept for messages.
};

/// Thread-safe. Kernels look addresses up in a snapshot, see `snapshot`.
class Memory {
public:
  static constexpr uint64_t windowBytes = uint64_t(1) << 32;
  static constexpr uint64_t capacity = uint64_t(80) << 30;

  Memory();
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  /// Allocates `bytes` (at least 1) aligned to `alignment`, a power of two of
  /// at least 256; contents are zero but count as not written.
  ///
  /// \returns 0 if more than `capacity` would be in use or the host has none.
  uint64_t allocate(uint64_t bytes, uint64_t alignment, MemoryKind kind,
                    uint64_t context, std::string name = "");

  /// Makes `[address, address + bytes)` of the host addressable.
  ///
  /// \returns false if part of it is already.
  bool registerHost(uint64_t address, uint64_t bytes, uint64_t context);

  /// Frees what begins at `address`, of any kind.
  ///
  /// \returns false if nothing does.
  bool free(uint64_t address);

  /// Frees all that `context` owns.
  void freeAll(uint64_t context);

  /// Finds the live allocation that contains `address`.
  bool find(uint64_t address, Allocation &result) const;

  /// Finds what was freed last around `address`.
  bool findFreed(uint64_t address, Allocation &result) const;

  /// Finds the live allocations before and after `address`, for messages;
  /// `bytes` 0 where there is none.
  void neighbours(uint64_t address, Allocation &below, Allocation &above) const;

  /// True if `[address, address + bytes)` lies in one live allocation.
  bool contains(uint64_t address, uint64_t bytes) const;

  /// Bytes in use by allocations of kind Device, Managed, Variable and Heap.
  uint64_t used() const;

  /// All live allocations of `context`, for the warning at exit.
  std::vector<Allocation> live(uint64_t context) const;

  /// Changes whenever an allocation is made or freed; caches of `find` hold as
  /// long as it stays.
  uint64_t generation() const { return changes.load(std::memory_order_acquire); }

  /// Keeps from now on, for each byte, whether it was written. Device memory and
  /// the kernels' heap are not until somebody does; everything else is.
  ///
  /// \returns false if the host has no addresses for it.
  bool trackWrites();

  /// Notes that `[address, address + bytes)` was written; or copied from `source`
  /// with what counts as written there. Bytes of the host count as written.
  void noteWritten(uint64_t address, uint64_t bytes);
  void noteCopied(uint64_t address, uint64_t source, uint64_t bytes);

  /// The addresses of which `writtenBits` knows: a bit for each byte from
  /// `trackedBegin` on. Null if writes are not tracked.
  uint64_t trackedBegin() const;
  uint64_t trackedBytes() const;
  uint8_t *writtenBits() const { return written; }

  /// Bases of the windows of `windowBytes` each.
  uint64_t sharedWindow() const { return windows; }
  uint64_t localWindow() const { return windows + windowBytes; }
  uint64_t parameterWindow() const { return windows + 2 * windowBytes; }
  /// Addresses of functions: `functionWindow() + 16 * index`.
  uint64_t functionWindow() const { return windows + 3 * windowBytes; }

private:
  struct Arena;
  bool isTracked(uint64_t address, uint64_t bytes) const;
  void forgetWritten(uint64_t address, uint64_t bytes);

  mutable std::mutex mutex;
  std::map<uint64_t, Allocation> allocations; ///< Live, by address.
  std::vector<Allocation> freed;              ///< The latest, oldest first.
  std::unique_ptr<Arena> arena;
  std::atomic<uint64_t> changes{1};
  uint64_t windows = 0;
  uint64_t usedBytes = 0;
  uint64_t nextSerial = 1;
  uint8_t *written = nullptr; ///< Of the arena; see `writtenBits`.
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_MEMORY_H
