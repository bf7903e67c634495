// Counts what the accesses of a warp do to memory.

#include "tools/ptxsim/count/Counters.h"

#include <algorithm>

using namespace ptxsim;
using ptx::Space;

/// A counter of a group whose counters stand in one order.
static Count after(Count first, unsigned index) {
  return Count(unsigned(first) + index);
}

static_assert(unsigned(Count::GlobalLoadLines) ==
                      unsigned(Count::GlobalLoadRequests) + 4 &&
                  unsigned(Count::GlobalStoreLines) ==
                      unsigned(Count::GlobalStoreRequests) + 4 &&
                  unsigned(Count::GlobalAtomicLines) ==
                      unsigned(Count::GlobalAtomicRequests) + 4,
              "requests of global memory count alike");
static_assert(unsigned(Count::SharedLoadIdeal) ==
                      unsigned(Count::SharedLoadRequests) + 3 &&
                  unsigned(Count::SharedStoreIdeal) ==
                      unsigned(Count::SharedStoreRequests) + 3 &&
                  unsigned(Count::SharedAtomicIdeal) ==
                      unsigned(Count::SharedAtomicRequests) + 3,
              "requests of shared memory count alike");

static uint64_t lanesIn(LaneMask mask) {
  return uint64_t(__builtin_popcount(mask));
}

Counters::Spaces Counters::spacesOf(const Access &access) const {
  Spaces spaces;
  switch (access.space) {
  case Space::Shared:
  case Space::SharedCluster:
    spaces.shared = access.mask;
    return spaces;
  case Space::Local:
    spaces.local = access.mask;
    return spaces;
  case Space::Constant:
  case Space::Parameter:
    spaces.constant = access.mask;
    return spaces;
  case Space::Global:
    spaces.global = access.mask;
    return spaces;
  default:
    break;
  }
  forLanes(access.mask, [&](int lane) {
    uint64_t window =
        (access.addresses[lane] - memory.sharedWindow()) / Memory::windowBytes;
    LaneMask &lanes = window == 0   ? spaces.shared
                      : window == 1 ? spaces.local
                      : window == 2 ? spaces.constant
                                    : spaces.global;
    lanes |= LaneMask(1) << lane;
  });
  return spaces;
}

void Counters::access(const Warp &warp, const Access &access) {
  Spaces spaces = spacesOf(access);
  if (spaces.global != 0)
    global(warp, access, spaces.global);
  if (spaces.shared != 0)
    shared(warp, access, spaces.shared);
  if (spaces.local != 0)
    local(access, spaces.local);
  if (spaces.constant != 0)
    constant(access, spaces.constant);
  constexpr unsigned beyondBlock = 1; // Blocks of a multiprocessor share L1.
  if (access.acquires && access.scope >= beyondBlock)
    fence(warp);
}

void Counters::rows(const Warp &warp, const Access &access) {
  uint32_t offsets[32] = {};
  LaneMask mask = ownShared(warp, access, access.mask, offsets);
  sharedRequest(access.kind, lanesIn(mask) * access.bytes,
                matrixWavefronts(offsets, mask));
}

void Counters::fragment(const Warp &warp, const std::vector<Access> &parts) {
  RequestLines lines;
  std::vector<uint32_t> words;
  uint64_t globalBytes = 0, sharedBytes = 0;
  for (const Access &part : parts) {
    Spaces spaces = spacesOf(part);
    forLanes(spaces.global, [&](int lane) {
      lines.add(part.addresses[lane], part.bytes);
    });
    forLanes(spaces.shared, [&](int lane) {
      uint32_t word = sharedOffset(part, lane) / 4;
      for (uint32_t next = 0; next < part.bytes; next += 4)
        words.push_back(word + next / 4);
    });
    globalBytes += lanesIn(spaces.global) * part.bytes;
    sharedBytes += lanesIn(spaces.shared) * part.bytes;
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  AccessKind kind = parts.front().kind;
  if (globalBytes != 0)
    loadOrStore(warp, kind, false, lines, globalBytes);
  if (sharedBytes != 0)
    sharedRequest(kind, sharedBytes, fragmentWavefronts(words));
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

/// Adds one request to the group that begins with `first`.
void Counters::request(Count first, const RequestLines &lines,
                       uint64_t bytes) {
  uint64_t sectors = 0, different = 0;
  for (const LineAccess &line : lines) {
    sectors += lanesIn(line.sectors());
    for (uint32_t mask : line.bytes)
      different += lanesIn(mask);
  }
  Counts &counts = detail();
  ++counts[first];
  counts[after(first, 1)] += bytes;
  counts[after(first, 2)] += sectors;
  counts[after(first, 3)] += (different + sectorBytes - 1) / sectorBytes;
  counts[after(first, 4)] += lines.size();
}

/// The lanes that have the most frequent address.
static uint64_t mostEqual(const uint64_t *addresses, LaneMask mask) {
  uint64_t most = 0;
  while (mask != 0) {
    uint64_t address = addresses[__builtin_ctz(mask)];
    LaneMask same = 0;
    forLanes(mask, [&](int lane) {
      same |= LaneMask(addresses[lane] == address) << lane;
    });
    most = std::max(most, lanesIn(same));
    mask &= ~same;
  }
  return most;
}

void Counters::global(const Warp &warp, const Access &access, LaneMask mask) {
  RequestLines lines;
  forLanes(mask, [&](int lane) {
    lines.add(access.addresses[lane], access.bytes);
  });
  uint64_t bytes = lanesIn(mask) * access.bytes;
  if (access.kind != AccessKind::Atomic) {
    loadOrStore(warp, access.kind, access.strong, lines, bytes);
    return;
  }
  request(Count::GlobalAtomicRequests, lines, bytes);
  detail()[Count::GlobalAtomicPasses] += mostEqual(access.addresses, mask);
  for (const LineAccess &line : lines)
    move(line, Traffic::Change);
}

/// One request of a load or a store.
void Counters::loadOrStore(const Warp &warp, AccessKind kind, bool strong,
                           const RequestLines &lines, uint64_t bytes) {
  if (kind == AccessKind::Read) {
    request(Count::GlobalLoadRequests, lines, bytes);
    load(*warp.block, lines, strong);
    return;
  }
  request(Count::GlobalStoreRequests, lines, bytes);
  for (const LineAccess &line : lines)
    move(line, Traffic::Write);
}

/// Address of the first byte that is wanted of a line.
static uint64_t firstByte(const LineAccess &line) {
  uint64_t address = line.line * lineBytes;
  for (uint32_t mask : line.bytes) {
    if (mask != 0)
      return address + uint64_t(__builtin_ctz(mask));
    address += sectorBytes;
  }
  return address;
}

/// Reads lines through L1.
void Counters::load(const Block &block, const RequestLines &lines,
                    bool strong) {
  OpCounts::Detail &op = detailOf(*current, *currentCode, *currentOp);
  bool usesL1 = !strong && !op.bypassesL1;
  for (LineAccess line : lines) {
    if (usesL1 && !isHost(firstByte(line))) {
      uint32_t hits = stateOf(block).l1.read(line.line, line.sectors(),
                                             op.allocates);
      op.counts[Count::L1Hits] += lanesIn(hits);
      for (unsigned sector = 0; sector < 4; ++sector)
        if (hits >> sector & 1)
          line.bytes[sector] = 0;
    }
    if (line.sectors() != 0)
      move(line, Traffic::Read);
  }
}

/// Moves sectors of a line between a multiprocessor and L2, or the host.
void Counters::move(const LineAccess &line, Traffic traffic) {
  Counts &counts = detail();
  uint32_t sectors = line.sectors();
  uint64_t count = lanesIn(sectors);
  if (isHost(firstByte(line))) {
    counts[traffic == Traffic::Read ? Count::HostReadSectors
                                    : Count::HostWriteSectors] += count;
    return;
  }
  if (traffic != Traffic::Write)
    counts[Count::CompulsoryReadSectors] += touched.read(line.line, sectors);
  if (traffic != Traffic::Read)
    counts[Count::CompulsoryWriteSectors] += touched.write(line.line, sectors);
  counts[traffic == Traffic::Read    ? Count::L2ReadSectors
         : traffic == Traffic::Write ? Count::L2WriteSectors
                                     : Count::L2AtomicSectors] += count;
  if (traffic != Traffic::Write)
    counts[Count::L2Hits] += accessL2(line, false).sectorHits;
  if (traffic != Traffic::Read)
    accessL2(line, true);
}

/// Reads the sectors of a line, or writes its bytes, in L2.
L2Counts Counters::accessL2(const LineAccess &line, bool isWrite) {
  // Addresses from the beginning of device memory on, so that they are the same
  // in every run.
  uint64_t sector = line.line * lineBytes - memory.trackedBegin();
  uint64_t begin = 0, end = 0; // What follows each other.
  L2Counts moved;
  for (uint32_t mask : line.bytes) {
    uint32_t rest = isWrite || mask == 0 ? mask : ~0u;
    while (rest != 0) {
      uint32_t first = uint32_t(__builtin_ctz(rest));
      // A run of ones ends at the first zero above it.
      uint32_t bytes = uint32_t(__builtin_ctzll(~uint64_t(rest >> first)));
      if (sector + first != end) {
        moved += l2.access(begin, end - begin, isWrite);
        begin = end = sector + first;
      }
      end += bytes;
      rest &= ~uint32_t(((uint64_t(1) << bytes) - 1) << first);
    }
    sector += sectorBytes;
  }
  moved += l2.access(begin, end - begin, isWrite);
  Counts &counts = detail();
  counts[Count::HbmReadSectors] += moved.hbmReadBytes / sectorBytes;
  counts[Count::HbmWriteSectors] += moved.hbmWriteBytes / sectorBytes;
  return moved;
}

bool Counters::isHost(uint64_t address) {
  if (generation != memory.generation()) {
    generation = memory.generation();
    std::fill(std::begin(ranges), std::end(ranges), KnownRange());
  }
  KnownRange &known = ranges[(address >> 12) % std::size(ranges)];
  if (address - known.begin < known.end - known.begin)
    return known.isHost;
  Allocation allocation;
  if (!memory.find(address, allocation))
    return false;
  known = {allocation.address, allocation.address + allocation.bytes,
           allocation.kind == MemoryKind::Pinned ||
               allocation.kind == MemoryKind::Registered};
  return known.isHost;
}

//===----------------------------------------------------------------------===//
// Other spaces
//===----------------------------------------------------------------------===//

uint32_t Counters::sharedOffset(const Access &access, int lane) const {
  uint64_t address = access.addresses[lane];
  return uint32_t(access.space == Space::Generic
                      ? address - memory.sharedWindow()
                      : address);
}

/// The offsets of lanes, and which of them are in the block's own memory.
LaneMask Counters::ownShared(const Warp &warp, const Access &access,
                             LaneMask mask, uint32_t *offsets) {
  LaneMask own = 0;
  forLanes(mask, [&](int lane) {
    uint32_t address = sharedOffset(access, lane);
    uint32_t rank = address >> clusterRankShift;
    offsets[lane] = address & ((1u << clusterRankShift) - 1);
    own |= LaneMask(rank == 0 || rank - 1 == warp.block->rank) << lane;
  });
  return own;
}

void Counters::shared(const Warp &warp, const Access &access, LaneMask mask) {
  uint32_t offsets[32] = {};
  LaneMask own = ownShared(warp, access, mask, offsets);
  detail()[Count::ClusterBytes] += lanesIn(mask & ~own) * access.bytes;
  Wavefronts wavefronts;
  if (own != 0)
    wavefronts = access.kind == AccessKind::Atomic
                     ? atomicWavefronts(offsets, access.bytes, own)
                     : wavefrontsOf(offsets, access.bytes, own);
  sharedRequest(access.kind, lanesIn(mask) * access.bytes, wavefronts);
}

void Counters::sharedRequest(AccessKind kind, uint64_t bytes,
                             Wavefronts wavefronts) {
  Count first = kind == AccessKind::Read    ? Count::SharedLoadRequests
                : kind == AccessKind::Write ? Count::SharedStoreRequests
                                            : Count::SharedAtomicRequests;
  Counts &counts = detail();
  ++counts[first];
  counts[after(first, 1)] += bytes;
  counts[after(first, 2)] += wavefronts.needed;
  counts[after(first, 3)] += wavefronts.ideal;
}

/// Words of 4 bytes at one address of all lanes follow each other, so that they
/// fill a line.
void Counters::local(const Access &access, LaneMask mask) {
  OpCounts::Detail &op = detailOf(*current, *currentCode, *currentOp);
  if (op.isAbi)
    return;
  uint64_t sectors[128];
  unsigned count = 0;
  forLanes(mask, [&](int lane) {
    uint64_t first = access.addresses[lane] / 4;
    uint64_t words = std::max(access.bytes / 4, 1u);
    for (uint64_t word = first; word < first + words && count < 128; ++word)
      sectors[count++] = word * 4 + uint64_t(lane) / 8;
  });
  std::sort(sectors, sectors + count);
  uint64_t different = uint64_t(std::unique(sectors, sectors + count) - sectors);
  bool reads = access.kind == AccessKind::Read;
  Count first = reads ? Count::LocalLoadRequests : Count::LocalStoreRequests;
  ++op.counts[first];
  op.counts[after(first, 1)] += lanesIn(mask) * access.bytes;
  op.counts[after(first, 2)] += different;
}

void Counters::constant(const Access &access, LaneMask mask) {
  Counts &counts = detail();
  ++counts[Count::ConstantRequests];
  while (mask != 0) {
    uint64_t address = access.addresses[__builtin_ctz(mask)];
    forLanes(mask, [&](int lane) {
      if (access.addresses[lane] == address)
        mask &= ~(LaneMask(1) << lane);
    });
    ++counts[Count::ConstantPasses];
  }
}
