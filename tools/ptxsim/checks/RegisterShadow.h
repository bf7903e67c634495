// Which bits of a warp's registers are undefined.
//
// A shadow of the register file has the layout of the file: a bit is 1 where that
// of the register is undefined. A byte for each line of 64 bytes says whether any
// bit of the line is, so that ordinary instructions look at a byte or two for each
// operand, and at one number if nothing is undefined at all.
//
// An undefined value that was only moved may be padding or the payload of an empty
// std::optional, and a correct program may store it. One that was computed from
// undefined bits, or is of a register that nothing ever writes, is not: it is
// `computed`, which is kept for each byte.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_REGISTERSHADOW_H
#define TCC_TOOLS_PTXSIM_CHECKS_REGISTERSHADOW_H

#include "tools/ptxsim/core/Warp.h"

#include <cstring>
#include <unordered_map>
#include <vector>

namespace ptxsim {

/// Where undefined bits came into a register.
struct UndefinedOrigin {
  enum class Kind : uint8_t {
    Unknown,
    Register, ///< It held nothing when its function began.
    Memory,   ///< It was loaded from memory that nothing wrote.
    Lane,     ///< It was read of a lane that did not take part.
  };
  Kind kind = Kind::Unknown;
  ptx::Space space = ptx::Space::Generic; ///< Of the address.
  const Code *code = nullptr;
  const Op *op = nullptr; ///< Null for a register.
  int32_t reg = -1;       ///< In ptx::Function::registers.
  bool isWritten = true;  ///< Some instruction writes the register.
  uint64_t address = 0;   ///< Of the first undefined byte, as the program has it.
};

/// The 32 lanes of a register of any width; of a predicate, one mask.
struct alignas(64) LaneBytes {
  uint8_t bytes[512] = {};

  template <typename T> T *as() { return reinterpret_cast<T *>(bytes); }
  template <typename T> const T *as() const {
    return reinterpret_cast<const T *>(bytes);
  }
};

/// What checks of values keep of a warp. Its lines, bits and offsets are those of
/// Warp::registers.
struct WarpChecks {
  static constexpr uint32_t line = 64;

  std::vector<uint8_t> storage;
  uint8_t *shadow = nullptr; ///< 64-byte aligned.
  uint64_t bytes = 0;
  std::vector<uint8_t> dirty; ///< 1 for a line with undefined bits.
  std::vector<uint64_t> computed; ///< For each line, a bit for each byte.
  uint32_t dirtyLines = 0;
  /// How many dirty lines there are of each number modulo 64, and which of these
  /// numbers are not 0.
  uint32_t dirtyCounts[64] = {};
  uint64_t dirtyNumbers = 0;
  LaneMask carry = 0; ///< Lanes whose Warp::carry is undefined.
  std::unordered_map<uint64_t, UndefinedOrigin> origins; ///< By offset.

  /// For the lanes' local memory, a bit for each byte: it was written, and what
  /// was written was computed from undefined bits.
  std::vector<uint8_t> localWritten, localComputed;

  /// Makes room for registers, keeping what is there.
  void reserve(uint64_t registerBytes);
  void reserveLocal(uint64_t localBytes);
  /// Makes everything defined.
  void clear();
  bool isClean() const { return dirtyNumbers == 0 && carry == 0; }
  void setDirty(uint64_t index, bool isDirty);

  /// True if registers in the lines OpInfo::lines of a frame may be undefined.
  bool mayTouch(uint64_t lines, uint32_t frame) const {
    unsigned shift = frame / line % 64;
    uint64_t rotated = lines << shift | lines >> ((64 - shift) % 64);
    return (rotated & dirtyNumbers) != 0 || carry != 0;
  }
};

/// Bytes of all lanes of a register; `bytes` is that of one lane.
constexpr uint32_t fileBytes(uint32_t bytes) {
  return bytes == 0 ? 4 : 32 * bytes;
}

/// True if the register at `offset` of the file may have undefined bits. Always
/// right for predicates.
inline bool mayBeUndefined(const WarpChecks &checks, uint64_t offset,
                           uint32_t bytes) {
  const uint8_t *dirty = checks.dirty.data() + offset / WarpChecks::line;
  uint64_t wide = 0;
  switch (bytes) {
  case 0: {
    LaneMask mask;
    std::memcpy(&mask, checks.shadow + offset, sizeof(mask));
    return mask != 0;
  }
  case 4:
    return (dirty[0] | dirty[1]) != 0;
  case 8:
    std::memcpy(&wide, dirty, 4);
    return wide != 0;
  case 16:
    std::memcpy(&wide, dirty, 8);
    return wide != 0;
  }
  return dirty[0] != 0;
}

inline bool mayBeUndefined(const Warp &warp, Slot slot, uint32_t bytes) {
  return slot >= 0 &&
         mayBeUndefined(*warp.checks, warp.now.frame + uint64_t(slot), bytes);
}

/// Reads the shadow of a register; constants are defined.
void readShadow(const Warp &warp, Slot slot, uint32_t bytes, LaneBytes &bits);

/// Reads 0xff for each byte of a register with undefined bits that are computed.
void readComputed(const Warp &warp, Slot slot, uint32_t bytes,
                  LaneBytes &computed);

/// The lanes of a register with undefined bits.
LaneMask undefinedLanes(const Warp &warp, Slot slot, uint32_t bytes);
LaneMask undefinedLanes(const LaneBytes &bits, uint32_t bytes);

/// Writes the shadow of the register at `offset` of the file. Undefined bits are
/// computed in the bytes that are not 0 in `computed`, or moved if that is null.
void writeShadow(WarpChecks &checks, uint64_t offset, uint32_t bytes,
                 LaneMask lanes, const LaneBytes &bits,
                 const LaneBytes *computed, const UndefinedOrigin &origin);
inline void writeShadow(const Warp &warp, Slot slot, uint32_t bytes,
                        LaneMask lanes, const LaneBytes &bits,
                        const LaneBytes *computed,
                        const UndefinedOrigin &origin) {
  writeShadow(*warp.checks, warp.now.frame + uint64_t(slot), bytes, lanes, bits,
              computed, origin);
}

/// Makes all bits of the lanes of `undefined` computed undefined ones and those of
/// the other lanes of `lanes` defined.
void setUndefined(const Warp &warp, Slot slot, uint32_t bytes, LaneMask undefined,
                  LaneMask lanes, const UndefinedOrigin &origin);

/// Makes the lanes of a register defined.
void setDefined(const Warp &warp, Slot slot, uint32_t bytes, LaneMask lanes);

/// Copies what is known of lanes of a register to another one of the same width.
void copyShadow(WarpChecks &checks, uint64_t to, uint64_t from, uint32_t bytes,
                LaneMask lanes);

/// Where the undefined bits of a register came from, as far as is known.
UndefinedOrigin originOf(const Warp &warp, Slot slot);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_REGISTERSHADOW_H
