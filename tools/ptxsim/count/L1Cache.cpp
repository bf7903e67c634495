// Keeps which sectors a block has read.

#include "tools/ptxsim/count/L1Cache.h"

#include "tools/ptxsim/count/Lines.h"

#include <algorithm>

using namespace ptxsim;

L1Cache::L1Cache(uint64_t bytes)
    : sets(bytes / (ways * lineBytes)), entries(sets * ways) {}

uint32_t L1Cache::read(uint64_t line, uint32_t sectors, bool allocates) {
  if (sets == 0)
    return 0;
  Way *first = &entries[(line + line / sets) % sets * ways];
  Way *victim = first;
  ++time;
  for (Way *way = first; way < first + ways; ++way) {
    if (way->used > cleared && way->line == line) {
      uint32_t hits = way->sectors & sectors;
      way->used = time;
      if (allocates)
        way->sectors |= sectors;
      return hits;
    }
    if (way->used < victim->used)
      victim = way;
  }
  if (allocates)
    *victim = {line, time, sectors};
  return 0;
}

void L1Cache::clear() { cleared = time; }

uint64_t ptxsim::l1BytesOfBlock(uint64_t blocks, uint64_t sharedBytes) {
  // Source: CUDA C++ Programming Guide, compute capability 9.0: 256 KB for both,
  // and the sizes that shared memory can have.
  constexpr uint64_t kilobyte = 1024;
  constexpr uint64_t sizes[] = {0, 8, 16, 32, 64, 100, 132, 164, 196, 228};
  uint64_t wanted = blocks * sharedBytes, shared = 228 * kilobyte;
  for (uint64_t size : sizes)
    if (size * kilobyte >= wanted)
      shared = std::min(shared, size * kilobyte);
  return (256 * kilobyte - shared) / std::max<uint64_t>(blocks, 1);
}
