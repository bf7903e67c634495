// Finds lines, and makes room for others.

#include "tools/ptxsim/count/L2Cache.h"

#include "tools/ptxsim/count/Lines.h"

using namespace ptxsim;

static constexpr uint64_t none = ~uint64_t(0);

static uint32_t sectorsIn(uint32_t mask) {
  return uint32_t(__builtin_popcount(mask));
}

L2Cache::L2Cache(uint64_t bytes)
    : sets(bytes / (ways * lineBytes)), numbers(sets * ways, none),
      lines(sets * ways) {}

/// Returns the entry of a line, made if there is none.
L2Cache::Line &L2Cache::find(uint64_t number, L2Result &result) {
  // Turning the sets from one stretch of memory to the next spreads strides of
  // powers of two, and leaves a range of the size of the cache without conflict.
  uint64_t first = (number + number / sets * 7919) % sets * ways;
  ++time;
  uint64_t oldest = first;
  for (uint64_t way = first; way < first + ways; ++way) {
    if (numbers[way] == number) {
      lines[way].used = time;
      return lines[way];
    }
    if (lines[way].used < lines[oldest].used)
      oldest = way;
  }
  Line &line = lines[oldest];
  result.written = sectorsIn(line.changed);
  changed -= result.written;
  line = Line();
  numbers[oldest] = number;
  line.used = time;
  return line;
}

L2Result L2Cache::get(uint64_t number, uint32_t sectors, bool changes) {
  L2Result result;
  Line &line = find(number, result);
  result.hits = sectorsIn(line.present & sectors);
  result.fetched = sectorsIn(sectors & ~uint32_t(line.present));
  line.present |= uint8_t(sectors);
  if (!changes)
    return result;
  changed += sectorsIn(sectors & ~uint32_t(line.changed));
  line.changed |= uint8_t(sectors);
  return result;
}

L2Result L2Cache::write(uint64_t number, const uint32_t (&bytes)[4]) {
  L2Result result;
  Line &line = find(number, result);
  for (unsigned sector = 0; sector < 4; ++sector) {
    if (bytes[sector] == 0)
      continue;
    uint8_t bit = uint8_t(1u << sector);
    changed += (line.changed & bit) == 0;
    line.changed |= bit;
    line.bytes[sector] |= bytes[sector];
    if (line.bytes[sector] == ~0u)
      line.present |= bit;
  }
  return result;
}
