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

bool TileLayouts::disagrees(uint32_t address, const Swizzle &swizzle,
                            uint32_t &span) const {
  uint8_t bit = chunks[address / 16];
  if (bit == 0 || (bit == swizzle.bit() && swizzle.baseOffset == 0))
    return false;
  span = bit == 1 ? 0 : bit * 16u;
  uint32_t line = address >> 7;
  return (line & (bit - 1u)) !=
         ((line - swizzle.baseOffset) & (swizzle.bit() - 1u));
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
                       uint32_t address, const TileReader &reader,
                       Fault &fault) {
  const Swizzle &swizzle = reader.swizzle;
  uint32_t span = 0;
  const BlockRaces &history = races.racesOf(block);
  if (!history.layouts.disagrees(address, swizzle, span) ||
      !isCopied(history, address))
    return true;
  fault.code = FaultCode::LaunchFailed;
  fault.check = reader.check;
  bool isSpan = span != swizzle.span;
  fault.message = std::string("expected ") + reader.name + " to have " +
                  (isSpan ? inWords(span) : "base offset 0") +
                  ", as the tensor map of the copy has, got " +
                  (isSpan ? inWords(swizzle.span)
                          : std::to_string(swizzle.baseOffset));
  fault.advice = isSpan ? "read a tile with the swizzle with which it was copied"
                        : "copies swizzle by the shared address: leave the base "
                          "offset 0 wherever the tile begins";
  races.noteOther(block, address, history.words[address / 4].write, true, fault);
  return false;
}
