// The L2 cache.

#include "tools/ptxsim/count/L2Cache.h"

#include <algorithm>

using namespace ptxsim;

static constexpr uint32_t noTag = ~uint32_t(0);

L2Cache::L2Cache(uint64_t bytes) {
  uint64_t count = std::max<uint64_t>(bytes / (lineBytes * ways), 1);
  Set empty;
  std::fill(std::begin(empty.tags), std::end(empty.tags), noTag);
  empty.order = 0xfedcba9876543210;
  sets.assign(count, empty);
  written.assign(count * ways * sectors, 0);
  lowBits = uint32_t(__builtin_ctzll(count));
  oddSets = uint32_t(count >> lowBits);
}

/// Consecutive lines take consecutive sets, in an order that changes from one
/// block of 2^lowBits lines to the next.
uint32_t L2Cache::setOf(uint64_t line) const {
  uint64_t block = line >> lowBits;
  uint32_t mask = (uint32_t(1) << lowBits) - 1;
  uint32_t mixed = uint32_t(block * 0x9e3779b97f4a7c15 >> 40);
  return uint32_t(block % oddSets) << lowBits |
         ((uint32_t(line) ^ mixed) & mask);
}

void L2Cache::evict(Line &line, L2Counts &counts) {
  counts.hbmWriteBytes += sectorBytes * __builtin_popcount(line.dirty);
  // HBM with error correction takes whole sectors.
  counts.hbmReadBytes += sectorBytes * __builtin_popcount(line.partial);
  line = Line();
}

/// Returns the way that holds `tag`, after making room for it if none does, and
/// makes it the most recently used.
uint32_t L2Cache::findWay(Set &set, uint32_t tag, L2Counts &counts) {
  uint32_t found = 0;
  for (uint32_t way = 0; way < ways; ++way)
    found |= uint32_t(set.tags[way] == tag) << way;
  uint32_t place = 15; // In `order`.
  uint32_t way = uint32_t(set.order >> 60);
  if (found) {
    way = uint32_t(__builtin_ctz(found));
    // The lowest zero among groups of four bits.
    uint64_t other = set.order ^ way * 0x1111111111111111;
    uint64_t zeros = (other - 0x1111111111111111) & ~other & 0x8888888888888888;
    place = uint32_t(__builtin_ctzll(zeros)) / 4;
  } else {
    evict(set.lines[way], counts);
    set.tags[way] = tag;
  }
  uint64_t newer = set.order & ((uint64_t(1) << 4 * place) - 1);
  uint64_t older =
      place == 15 ? 0 : set.order >> 4 * (place + 1) << 4 * (place + 1);
  set.order = older | newer << 4 | way;
  return way;
}

void L2Cache::readSector(Line &line, uint32_t sector, L2Counts &counts) {
  uint8_t bit = uint8_t(1 << sector);
  if (line.complete & bit) {
    ++counts.sectorHits;
    return;
  }
  ++counts.sectorMisses;
  counts.hbmReadBytes += sectorBytes;
  line.complete |= bit;
  line.partial &= uint8_t(~bit);
}

void L2Cache::writeSector(Line &line, uint32_t sector, uint32_t bytes,
                          uint32_t &written, L2Counts &counts) {
  uint8_t bit = uint8_t(1 << sector);
  bool isThere = (line.complete | line.partial) & bit;
  ++(isThere ? counts.sectorHits : counts.sectorMisses);
  line.dirty |= bit;
  if (line.complete & bit)
    return;
  written = (line.partial & bit ? written : 0) | bytes;
  if (written == ~uint32_t(0)) {
    line.complete |= bit;
    line.partial &= uint8_t(~bit);
  } else {
    line.partial |= bit;
  }
}

L2Counts L2Cache::access(uint64_t address, uint64_t bytes, bool isWrite) {
  L2Counts counts;
  const uint64_t end = address + bytes;
  while (address < end) {
    uint64_t line = address / lineBytes;
    uint64_t index = setOf(line);
    Set &set = sets[index];
    uint32_t way = findWay(set, uint32_t(line >> lowBits), counts);
    uint32_t *masks = &written[(index * ways + way) * sectors];
    uint64_t lineEnd = std::min((line + 1) * lineBytes, end);
    while (address < lineEnd) {
      uint32_t sector = uint32_t(address % lineBytes / sectorBytes);
      uint64_t next = std::min((address / sectorBytes + 1) * sectorBytes, end);
      if (isWrite) {
        uint32_t count = uint32_t(next - address);
        uint32_t mask = uint32_t((uint64_t(1) << count) - 1)
                        << address % sectorBytes;
        writeSector(set.lines[way], sector, mask, masks[sector], counts);
      } else {
        readSector(set.lines[way], sector, counts);
      }
      address = next;
    }
  }
  return counts;
}
