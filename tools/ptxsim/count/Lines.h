// Coalescing: the lines and sectors of global memory that a request touches.
//
// A request is what one execution of a warp wants. Its unit is the sector of 32
// bytes, four of which are a line of 128 bytes with one tag in L1 and L2.
//
// Source: Nsight Compute, Kernel Profiling Guide, "Metrics Decoder".

#ifndef TCC_TOOLS_PTXSIM_COUNT_LINES_H
#define TCC_TOOLS_PTXSIM_COUNT_LINES_H

#include <cstdint>

namespace ptxsim {

constexpr uint32_t lineBytes = 128;
constexpr uint32_t sectorBytes = 32;

/// What is wanted of one line.
struct LineAccess {
  uint64_t line = 0;       ///< Its address divided by 128.
  uint32_t bytes[4] = {};  ///< Of each sector, a bit each.

  /// The sectors, a bit each.
  uint32_t sectors() const {
    return uint32_t(bytes[0] != 0) | uint32_t(bytes[1] != 0) << 1 |
           uint32_t(bytes[2] != 0) << 2 | uint32_t(bytes[3] != 0) << 3;
  }
};

/// Calls `body(line)` for the lines of `[address, address + bytes)`.
template <typename Body>
void forEachLine(uint64_t address, uint64_t bytes, Body body) {
  uint64_t end = address + bytes;
  while (address < end) {
    LineAccess access;
    access.line = address / lineBytes;
    uint64_t lineEnd = (access.line + 1) * lineBytes;
    while (address < end && address < lineEnd) {
      uint64_t sectorEnd = address / sectorBytes * sectorBytes + sectorBytes;
      uint64_t last = sectorEnd < end ? sectorEnd : end;
      uint64_t ones = (uint64_t(1) << (last - address)) - 1;
      access.bytes[address / sectorBytes % 4] =
          uint32_t(ones << (address % sectorBytes));
      address = last;
    }
    body(access);
  }
}

/// The lines of one request of a warp, in the order in which they are added.
class RequestLines {
public:
  /// Adds the bytes of one lane, which lie in one sector.
  void add(uint64_t address, uint32_t bytes) {
    uint64_t line = address / lineBytes;
    uint32_t sector = uint32_t(address / sectorBytes % 4);
    uint32_t mask = ((bytes < 32 ? 1u << bytes : 0) - 1)
                    << (address % sectorBytes);
    find(line).bytes[sector] |= mask;
  }

  const LineAccess *begin() const { return lines; }
  const LineAccess *end() const { return lines + count; }
  uint32_t size() const { return count; }

private:
  LineAccess &find(uint64_t line) {
    // Mostly that of the lane before.
    for (unsigned i = count; i-- > 0;)
      if (lines[i].line == line)
        return lines[i];
    lines[count] = LineAccess();
    lines[count].line = line;
    return lines[count++];
  }

  LineAccess lines[64]; ///< wmma: 32 rows that cross a line each.
  unsigned count = 0;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_LINES_H
