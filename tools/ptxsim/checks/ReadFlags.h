// Reads that flags say are over.
//
// A relaxed store shows nobody what came before it, so it orders no writes. But a
// read that a barrier has completed before the store has its value: no write that
// depends on who saw the store can change that. CUB's scans in place hand tiles
// on so. What a warp has seen of such flags is kept beside its clock, and only
// asked for when a write would race with a read.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_READFLAGS_H
#define TCC_TOOLS_PTXSIM_CHECKS_READFLAGS_H

#include "tools/ptxsim/checks/Clock.h"

#include <atomic>
#include <mutex>

namespace ptxsim {

/// Thread-safe.
class ReadFlags {
public:
  /// Most sets of reads and most flags that are remembered, for their memory.
  static constexpr size_t limit = 1 << 20;

  /// Notes that a flag at each of the addresses that `put` gets says: what the
  /// warps from `firstWarp` on did up to `epochs` is over, and what `seen` says.
  ///
  /// \param last What this returned for the warp before; 0 at first.
  /// \returns the number of what is said; 0 if it is nothing.
  uint32_t add(uint32_t firstWarp, std::vector<Epoch> epochs,
               const SeenFlags &seen, uint32_t last);
  void put(uint64_t address, uint32_t number);
  /// What the flag at an address says; 0 for nothing.
  uint32_t at(uint64_t address) const;
  bool any() const { return hasAny.load(std::memory_order_relaxed); }

  /// True if what `seen` says tells that `warp` is past `epoch`.
  bool tells(const SeenFlags &seen, uint32_t warp, Epoch epoch) const;

  /// Forgets everything, while no grid runs.
  void clear();

private:
  struct Said {
    uint32_t firstWarp;
    std::vector<Epoch> epochs;
    std::vector<uint32_t> before; ///< What had been seen then.
  };

  mutable std::mutex mutex;
  std::vector<Said> said; ///< By number, from 1.
  std::unordered_map<uint64_t, uint32_t> flags; ///< By address.
  std::atomic<bool> hasAny{false};
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_READFLAGS_H
