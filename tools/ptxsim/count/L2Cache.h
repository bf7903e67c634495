// A model of the L2 cache of an H100, for counting what reaches HBM.
//
// 50 MB in lines of 128 bytes, each of 4 sectors of 32 bytes that are filled
// alone, 16 lines in a set, least recently used evicted, write-back. Capacity
// and sectors are documented (H100 white paper; CUDA C++ best practices guide).
// Ways are those of the Ampere and Hopper configurations of GPGPU-Sim
// (`S:64:128:16`); which line goes to which set is not public. Here, contiguous
// data fill all sets evenly, and no stride favours some. The two partitions of
// the real cache are one.

#ifndef TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H
#define TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H

#include <cstdint>
#include <vector>

namespace ptxsim {

/// What accesses cost.
struct L2Counts {
  uint64_t sectorHits = 0;
  uint64_t sectorMisses = 0;
  uint64_t hbmReadBytes = 0;
  uint64_t hbmWriteBytes = 0;

  L2Counts &operator+=(const L2Counts &other) {
    sectorHits += other.sectorHits;
    sectorMisses += other.sectorMisses;
    hbmReadBytes += other.hbmReadBytes;
    hbmWriteBytes += other.hbmWriteBytes;
    return *this;
  }
};

/// Not thread-safe: what hits depends on the order of accesses.
class L2Cache {
public:
  static constexpr uint32_t lineBytes = 128;
  static constexpr uint32_t sectorBytes = 32;
  static constexpr uint32_t sectors = lineBytes / sectorBytes;
  static constexpr uint32_t ways = 16;
  static constexpr uint64_t h100Bytes = 52428800;

  /// \param bytes a multiple of 2048, at least that.
  explicit L2Cache(uint64_t bytes = h100Bytes);

  /// Reads or writes `[address, address + bytes)`.
  ///
  /// A sector that is written in part is not fetched; it is completed by other
  /// writes, or from HBM when it is read or evicted.
  L2Counts access(uint64_t address, uint64_t bytes, bool isWrite);

private:
  /// Sectors of a line as masks of 4 bits.
  struct Line {
    uint8_t complete = 0; ///< All bytes are there.
    uint8_t partial = 0;  ///< Only bytes of `written` are there.
    uint8_t dirty = 0;
  };
  struct Set {
    uint32_t tags[ways];
    uint64_t order; ///< Ways in 4 bits each, the most recently used lowest.
    Line lines[ways];
  };

  uint32_t setOf(uint64_t line) const;
  uint32_t findWay(Set &set, uint32_t tag, L2Counts &counts);
  void evict(Line &line, L2Counts &counts);
  void readSector(Line &line, uint32_t sector, L2Counts &counts);
  void writeSector(Line &line, uint32_t sector, uint32_t bytes,
                   uint32_t &written, L2Counts &counts);

  uint32_t lowBits = 0; ///< Sets are 2^lowBits * oddSets.
  uint32_t oddSets = 1;
  std::vector<Set> sets;
  /// Bytes of partial sectors, for each [set][way][sector]; others are stale.
  std::vector<uint32_t> written;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_L2CACHE_H
