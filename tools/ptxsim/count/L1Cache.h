// The L1 cache, as far as it keeps loads from L2: which sectors a block has read.
//
// Each block has its share of what shared memory leaves of the 256 KB of a
// multiprocessor, and begins with it empty; what a block finds there because
// another one on its multiprocessor has read it is not modelled. Lines of four
// sectors, 16 ways, least recently used. Stores go through it and change nothing.

#ifndef TCC_TOOLS_PTXSIM_COUNT_L1CACHE_H
#define TCC_TOOLS_PTXSIM_COUNT_L1CACHE_H

#include <cstdint>
#include <vector>

namespace ptxsim {

class L1Cache {
public:
  explicit L1Cache(uint64_t bytes = 0);

  /// Reads sectors of a line and keeps them if `allocates`.
  ///
  /// \returns those of `sectors` that were there, a bit each.
  uint32_t read(uint64_t line, uint32_t sectors, bool allocates);

  /// Forgets everything: what a fence of the device or an acquire does.
  void clear();

private:
  struct Way {
    uint64_t line = 0;
    uint64_t used = 0; ///< When last; 0 if never.
    uint32_t sectors = 0;
  };
  static constexpr uint64_t ways = 16;

  uint64_t sets = 0; ///< 0 for no cache.
  uint64_t time = 0;
  uint64_t cleared = 0; ///< What was used before is not there.
  std::vector<Way> entries;
};

/// Returns the bytes of L1 for each of `blocks` blocks of a multiprocessor that
/// use `sharedBytes` each, with the reserved ones.
uint64_t l1BytesOfBlock(uint64_t blocks, uint64_t sharedBytes);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_L1CACHE_H
