// Ranges of a bitmap that says of each byte of a memory whether it was written.
//
// Threads of the host that run different blocks may change bits of one byte of the
// map at once, so that bits that do not fill a byte are changed atomically, and
// only if they have to be.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_WRITTENBITS_H
#define TCC_TOOLS_PTXSIM_MACHINE_WRITTENBITS_H

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ptxsim {

/// Bytes of a bitmap for `count` bytes of memory; a word more than needed, so
/// that eight bytes may be read from anywhere.
constexpr uint64_t bitmapBytes(uint64_t count) { return count / 8 + 9; }

/// Returns up to 32 bits from `first` on, the first in bit 0.
inline uint32_t bitsAt(const uint8_t *bits, uint64_t first, unsigned count) {
  uint64_t word;
  std::memcpy(&word, bits + first / 8, sizeof(word));
  return uint32_t(word >> (first % 8)) &
         uint32_t((uint64_t(1) << count) - 1);
}

/// Calls `part(byte, mask)` for the bytes of the map that hold some of the bits,
/// and `whole(byte, bytes)` for a run of those that hold nothing else.
template <typename Part, typename Whole>
inline void forBitRange(uint64_t first, uint64_t count, Part part, Whole whole) {
  unsigned shift = first % 8;
  if (shift != 0) {
    unsigned head = unsigned(std::min<uint64_t>(8 - shift, count));
    part(first / 8, uint8_t(((1u << head) - 1) << shift));
    first += head;
    count -= head;
  }
  if (count >= 8)
    whole(first / 8, count / 8);
  if (count % 8 != 0)
    part(first / 8 + count / 8, uint8_t((1u << (count % 8)) - 1));
}

inline bool areAllOnes(const uint8_t *bytes, uint64_t count) {
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    if (word != ~uint64_t(0))
      return false;
  }
  for (; count != 0; --count)
    if (*bytes++ != 0xff)
      return false;
  return true;
}

/// True if all bits of the range are set.
inline bool areBitsSet(const uint8_t *bits, uint64_t first, uint64_t count) {
  bool all = true;
  forBitRange(
      first, count,
      [&](uint64_t byte, uint8_t mask) { all &= (bits[byte] & mask) == mask; },
      [&](uint64_t byte, uint64_t bytes) {
        all &= areAllOnes(bits + byte, bytes);
      });
  return all;
}

inline void setBits(uint8_t *bits, uint64_t first, uint64_t count) {
  forBitRange(
      first, count,
      [=](uint64_t byte, uint8_t mask) {
        if ((bits[byte] & mask) != mask)
          __atomic_fetch_or(&bits[byte], mask, __ATOMIC_RELAXED);
      },
      [=](uint64_t byte, uint64_t bytes) {
        std::memset(bits + byte, 0xff, bytes);
      });
}

inline void clearBits(uint8_t *bits, uint64_t first, uint64_t count) {
  forBitRange(
      first, count,
      [=](uint64_t byte, uint8_t mask) {
        if ((bits[byte] & mask) != 0)
          __atomic_fetch_and(&bits[byte], uint8_t(~mask), __ATOMIC_RELAXED);
      },
      [=](uint64_t byte, uint64_t bytes) {
        std::memset(bits + byte, 0, bytes);
      });
}

/// Sets up to 32 bits from `first` on to `value`.
inline void putBits(uint8_t *bits, uint64_t first, unsigned count,
                    uint32_t value) {
  for (unsigned i = 0; i < count;) {
    uint64_t at = first + i;
    unsigned shift = at % 8, part = std::min(8 - shift, count - i);
    uint8_t mask = uint8_t(((1u << part) - 1) << shift);
    uint8_t wanted = uint8_t(uint64_t(value) >> i << shift) & mask;
    uint8_t have = bits[at / 8] & mask;
    if (wanted & ~have)
      __atomic_fetch_or(&bits[at / 8], wanted, __ATOMIC_RELAXED);
    if (have & ~wanted)
      __atomic_fetch_and(&bits[at / 8], uint8_t(~mask | wanted),
                         __ATOMIC_RELAXED);
    i += part;
  }
}

/// Copies a range of one map to one of another, or of the same if they do not
/// overlap.
inline void copyBits(uint8_t *to, uint64_t first, const uint8_t *from,
                     uint64_t source, uint64_t count) {
  if (first % 8 == source % 8 && count >= 16) {
    unsigned head = (8 - first % 8) % 8;
    putBits(to, first, head, bitsAt(from, source, head));
    uint64_t bytes = (count - head) / 8;
    std::memmove(to + (first + head) / 8, from + (source + head) / 8, bytes);
    uint64_t done = head + 8 * bytes;
    first += done;
    source += done;
    count -= done;
  }
  while (count != 0) {
    unsigned part = unsigned(std::min<uint64_t>(count, 32));
    putBits(to, first, part, bitsAt(from, source, part));
    first += part;
    source += part;
    count -= part;
  }
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_WRITTENBITS_H
