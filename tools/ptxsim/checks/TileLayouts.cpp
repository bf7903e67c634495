// Comparing how tiles are read with how they were written.

#include "tools/ptxsim/checks/TileLayouts.h"

#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/machine/Fault.h"

#include <algorithm>

using namespace ptxsim;

void TileLayouts::write(uint32_t offset, uint32_t bytes, uint32_t span,
                        uint32_t sharedBytes) {
  uint8_t bit = Swizzle{span}.bit();
  chunks.resize((sharedBytes + 15) / 16, 0);
  spans |= bit;
  std::fill_n(chunks.begin() + offset / 16, bytes / 16, bit);
}

void TileLayouts::forget(uint32_t offset, uint32_t bytes) {
  if (!chunks.empty())
    std::fill(chunks.begin() + offset / 16,
              chunks.begin() + (offset + bytes + 15) / 16, 0);
}

size_t TileLayouts::findOther(const std::vector<uint32_t> &addresses,
                              size_t begin, size_t end,
                              const Swizzle &swizzle) const {
  uint32_t mask = swizzle.bit() - 1u, baseOffset = swizzle.baseOffset;
  for (size_t i = begin; i < end; ++i) {
    uint32_t bit = chunks[addresses[i] / 16], line = addresses[i] >> 7;
    if (bit != 0 && (line & (bit - 1)) != ((line - baseOffset) & mask))
      return i;
  }
  return end;
}

/// True if the async proxy has written the chunk, and nobody since.
static bool isCopied(const BlockRaces &history, uint32_t address) {
  for (uint32_t word = address / 4; word < address / 4 + 4; ++word) {
    const Stamp &write = history.words[word].write;
    if (BlockRaces::isSplit(write) || write.epoch == 0 || !write.async)
      return false;
  }
  return true;
}

static std::string inWords(uint32_t span) {
  return span == 0 ? "no swizzle"
                   : "a swizzle of " + std::to_string(span) + " bytes";
}

bool ptxsim::checkTile(ClusterRaces &races, const Block &block,
                       const std::vector<uint32_t> &addresses, size_t begin,
                       size_t end, const TileReader &reader, Fault &fault) {
  const BlockRaces &history = races.racesOf(block);
  const TileLayouts &layouts = history.layouts;
  const Swizzle &swizzle = reader.swizzle;
  if (layouts.agrees(swizzle))
    return true;
  size_t other = layouts.findOther(addresses, begin, end, swizzle);
  while (other < end && !isCopied(history, addresses[other]))
    other = layouts.findOther(addresses, other + 1, end, swizzle);
  if (other == end)
    return true;
  uint32_t address = addresses[other], span = layouts.spanAt(address);
  bool isSpan = span != swizzle.span;
  fault.code = FaultCode::LaunchFailed;
  fault.check = reader.check;
  fault.message =
      std::string("expected ") + reader.name + " to have " +
      (isSpan ? inWords(span) : "base offset 0") +
      ", as the tensor map of the copy has, got " +
      (isSpan ? inWords(swizzle.span) : std::to_string(swizzle.baseOffset));
  fault.advice = isSpan
                     ? "read a tile with the swizzle with which it was copied"
                     : "copies swizzle by the shared address: leave the base "
                       "offset 0 wherever the tile begins";
  races.noteOther(block, address, history.words[address / 4].write, true,
                  fault);
  return false;
}
