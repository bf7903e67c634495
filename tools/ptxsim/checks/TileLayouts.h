// How bulk tensor copies have laid out the tiles that they brought to shared
// memory.
//
// Tensor maps exchange chunks of 16 bytes by bits of their address. Who reads
// the tile through the async proxy, a wgmma or a store by a tensor map, must
// exchange them back in the same way. Where both ways lead to the same address,
// as in the first row of a tile, nothing is said, and a program that writes the
// bytes by other means may lay them out as it likes.
//
// Source: PTX ISA 9.0, sections 5.5.7 (swizzling modes) and 9.7.15.5.1 (matrix
// descriptors).

#ifndef TCC_TOOLS_PTXSIM_CHECKS_TILELAYOUTS_H
#define TCC_TOOLS_PTXSIM_CHECKS_TILELAYOUTS_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ptxsim {

class ClusterRaces;
struct Block;
struct Fault;

/// How chunks are exchanged: chunk `address` lies at
/// `address ^ ((address >> 7) - baseOffset & span / 16 - 1) << 4`.
struct Swizzle {
  uint32_t span = 0;       ///< 0 (none), 32, 64 or 128 bytes.
  uint32_t baseOffset = 0; ///< Of a matrix descriptor, in lines of 128 bytes.

  /// One bit for each span.
  uint8_t bit() const { return span == 0 ? 1 : uint8_t(span / 16); }
};

/// The tiles in the shared memory of a block.
class TileLayouts {
public:
  /// Notes that a copy by a tensor map has written a range of whole chunks.
  void write(uint32_t offset, uint32_t bytes, uint32_t span,
             uint32_t sharedBytes);

  /// Notes that the async proxy has written a range otherwise.
  void forget(uint32_t offset, uint32_t bytes);

  /// True if no chunk can disagree with `swizzle`.
  bool agrees(const Swizzle &swizzle) const {
    return swizzle.baseOffset == 0 ? (spans & ~swizzle.bit()) == 0 : spans == 0;
  }

  /// Returns the first of addresses `begin` to `end` of a list at which
  /// `swizzle` finds another chunk than a copy has put there, or `end`. Others
  /// may have written there since.
  size_t findOther(const std::vector<uint32_t> &addresses, size_t begin,
                   size_t end, const Swizzle &swizzle) const;

  /// The span of the swizzle by which a chunk was copied.
  uint32_t spanAt(uint32_t address) const {
    uint8_t bit = chunks[address / 16];
    return bit == 1 ? 0 : bit * 16u;
  }

private:
  std::vector<uint8_t> chunks; ///< Swizzle::bit() of each; 0 if unknown.
  uint8_t spans = 0;           ///< Those of all copies, a bit each.
};

/// What reads a tile.
struct TileReader {
  const char *check; ///< Fault::check
  const char *name;  ///< "the descriptor of A"
  Swizzle swizzle;
};

/// Checks that no chunk that `reader` finds at addresses `begin` to `end` of a
/// list was laid out differently.
///
/// \returns false and a fault without a place if one was.
bool checkTile(ClusterRaces &races, const Block &block,
               const std::vector<uint32_t> &addresses, size_t begin, size_t end,
               const TileReader &reader, Fault &fault);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_TILELAYOUTS_H
