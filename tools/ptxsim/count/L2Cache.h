// The L2 cache: which accesses reach HBM.
//
// 50 MB in lines of 128 bytes with four sectors, 16 ways, least recently used.
// Reads fetch the sectors that are missing. Writes go back when their line has to
// make room, and fetch nothing: bytes that were written are remembered, and a
// sector is whole once all of them were. What is in the cache stays there from
// launch to launch; copies of the host do not go through it.
//
// The real cache has two halves, and hashes addresses in a way that is not
// published; which half holds a line, and whether the other one has a copy, is
// not modelled. Sources: NVIDIA H100 Tensor Core GPU Architecture (size), Nsight
// Compute's Kernel Profiling Guide (lines and sectors), arXiv:1810.07269 (the policy
// of writes, measured on Volta). The number of ways is an assumption.

#ifndef TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H
#define TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H

#include <cstdint>
#include <vector>

namespace ptxsim {

/// Sectors that an access of a line found and moved.
struct L2Result {
  uint32_t hits = 0;    ///< Were there; of a write always 0.
  uint32_t fetched = 0; ///< From HBM.
  uint32_t written = 0; ///< To HBM: changed ones of the line that made room.
};

class L2Cache {
public:
  static constexpr uint64_t ways = 16;

  /// \param bytes a multiple of 16 lines.
  explicit L2Cache(uint64_t bytes);

  /// Reads `sectors`, a bit each, of line number `line`.
  L2Result read(uint64_t line, uint32_t sectors) {
    return get(line, sectors, false);
  }

  /// Reads and writes them, as an atomic does.
  L2Result change(uint64_t line, uint32_t sectors) {
    return get(line, sectors, true);
  }

  /// Writes bytes of the four sectors, a bit each.
  L2Result write(uint64_t line, const uint32_t (&bytes)[4]);

  /// Returns the sectors that are changed and not in HBM.
  uint64_t changedSectors() const { return changed; }

private:
  struct Line {
    uint64_t used = 0;      ///< When last; 0 if never.
    uint8_t present = 0;    ///< Sectors that can be read,
    uint8_t changed = 0;    ///< and those that HBM does not have.
    uint32_t bytes[4] = {}; ///< Written, of those that are not present.
  };

  Line &find(uint64_t number, L2Result &result);
  L2Result get(uint64_t line, uint32_t sectors, bool changes);

  uint64_t sets;
  uint64_t time = 0;
  uint64_t changed = 0;
  std::vector<uint64_t> numbers; ///< Of all lines, so that a search is short.
  std::vector<Line> lines;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H
