// Counts words in banks.

#include "tools/ptxsim/count/Banks.h"

#include <algorithm>

using namespace ptxsim;

namespace {
/// The words that one part of a warp wants.
class BankWords {
public:
  /// Adds a word unless it is there.
  void add(uint32_t word) {
    uint32_t bank = word % 32;
    if (depth[bank] == 0) {
      first[bank] = word;
    } else {
      if (first[bank] == word ||
          std::find(other, other + others, word) != other + others)
        return;
      other[others++] = word;
    }
    most = std::max(most, uint32_t(++depth[bank]));
  }

  /// Adds a word that shares a wavefront with no other of its bank.
  void addAlone(uint32_t word) {
    most = std::max(most, uint32_t(++depth[word % 32]));
  }

  uint32_t wavefronts() const { return most; }

private:
  uint32_t first[32];
  uint32_t other[128]; ///< Further words of banks that have one.
  unsigned others = 0;
  uint8_t depth[32] = {};
  uint32_t most = 0;
};
} // namespace

/// Wavefronts of the lanes of `mask` together.
static uint32_t together(const uint32_t *offsets, uint32_t bytes,
                         uint32_t mask) {
  BankWords words;
  for (; mask != 0; mask &= mask - 1) {
    uint32_t offset = offsets[__builtin_ctz(mask)];
    words.add(offset / 4);
    for (uint32_t next = 4; next < bytes; next += 4)
      words.add((offset + next) / 4);
  }
  return words.wavefronts();
}

/// True if lanes whose numbers differ by `bit` want the same address wherever
/// both take part.
static bool arePaired(const uint32_t *offsets, uint32_t mask, unsigned bit) {
  for (unsigned lane = 0; lane < 32; ++lane)
    if (mask >> lane & 1 && mask >> (lane ^ bit) & 1 &&
        offsets[lane] != offsets[lane ^ bit])
      return false;
  return true;
}

/// Wavefronts of each `lanes` lanes behind each other.
static Wavefronts inParts(const uint32_t *offsets, uint32_t bytes, uint32_t mask,
                          unsigned lanes) {
  Wavefronts result;
  for (unsigned first = 0; first < 32; first += lanes) {
    uint32_t part = mask & (lanes == 32 ? ~0u : ((1u << lanes) - 1) << first);
    if (part == 0)
      continue;
    result.needed += together(offsets, bytes, part);
    ++result.ideal;
  }
  return result;
}

Wavefronts ptxsim::wavefrontsOf(const uint32_t *offsets, uint32_t bytes,
                                uint32_t mask) {
  unsigned lanes = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  if (lanes != 32 &&
      (arePaired(offsets, mask, 1) || arePaired(offsets, mask, 2)))
    lanes *= 2;
  return inParts(offsets, bytes, mask, lanes);
}

Wavefronts ptxsim::matrixWavefronts(const uint32_t *offsets, uint32_t mask) {
  return inParts(offsets, 16, mask, 8);
}

Wavefronts ptxsim::fragmentWavefronts(const std::vector<uint32_t> &words) {
  uint32_t depth[32] = {};
  for (uint32_t word : words)
    ++depth[word % 32];
  return {*std::max_element(depth, depth + 32),
          uint32_t(words.size() + 31) / 32};
}

Wavefronts ptxsim::atomicWavefronts(const uint32_t *offsets, uint32_t bytes,
                                    uint32_t mask) {
  unsigned lanes = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  Wavefronts result;
  for (unsigned first = 0; first < 32; first += lanes) {
    uint32_t part = mask & (lanes == 32 ? ~0u : ((1u << lanes) - 1) << first);
    if (part == 0)
      continue;
    BankWords words;
    for (; part != 0; part &= part - 1) {
      uint32_t offset = offsets[__builtin_ctz(part)];
      for (uint32_t next = 0; next < std::max(bytes, 4u); next += 4)
        words.addAlone((offset + next) / 4);
    }
    result.needed += words.wavefronts();
    ++result.ideal;
  }
  return result;
}
