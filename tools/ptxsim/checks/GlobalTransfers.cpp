// Comparing what the host asked for with what nothing orders with it: copies,
// sets and frees, each an accessor of one number, and the words for such races.

#include "tools/ptxsim/checks/GlobalRaces.h"

#include <algorithm>

using namespace ptxsim;

/// What a transfer leaves in histories.
static GlobalStamp stampOf(uint32_t warp) {
  GlobalStamp stamp = {};
  stamp.number = warp & nobody<globalLayout>;
  stamp.epoch = 1;
  stamp.mask = 0xff;
  stamp.parts = true;
  return stamp;
}

/// Compares and remembers whole words of a chunk.
bool GlobalRaces::transferWords(uint64_t address, uint64_t bytes, bool isWrite,
                                const Sender &by, Fault &fault) {
  constexpr uint64_t groupBytes = GlobalChunk::groupBytes;
  uint64_t end = address + bytes,
           middle = (address + groupBytes - 1) & -groupBytes;
  if (middle > address) {
    uint64_t head = std::min(end, middle) - address;
    if (!access(address, head, isWrite, by.accessor, fault))
      return false;
    address += head;
  }
  while (end - address >= groupBytes) {
    auto group = unsigned(address % GlobalChunk::bytes / groupBytes);
    unsigned done = chunkOf(address).replace(
        group, unsigned((end - address) / groupBytes),
        isWrite ? GlobalChunk::Writes : GlobalChunk::Reads,
        stampOf(by.accessor.warp), by.firstRival);
    address += done * groupBytes;
    if (end - address < groupBytes)
      break;
    if (!access(address, groupBytes, isWrite, by.accessor, fault))
      return false;
    address += groupBytes;
  }
  return end == address ||
         access(address, end - address, isWrite, by.accessor, fault);
}

/// The same for bytes.
bool GlobalRaces::transferBytes(uint64_t address, uint64_t bytes, bool isWrite,
                                const Sender &by, Fault &fault) {
  uint64_t end = address + bytes;
  uint64_t first = std::min(end, (address + 7) & ~uint64_t(7));
  uint64_t last = std::max(first, end & ~uint64_t(7));
  return (first == address ||
          access(address, first - address, isWrite, by.accessor, fault)) &&
         transferWords(first, last - first, isWrite, by, fault) &&
         (end == last || access(last, end - last, isWrite, by.accessor, fault));
}

bool GlobalRaces::transferSide(const HostTransfer &transfer,
                               const TransferSide &side, const Sender &by,
                               Fault &fault) {
  for (uint64_t layer = 0; layer < transfer.depth; ++layer)
    for (uint64_t row = 0; row < transfer.height; ++row) {
      uint64_t at = side.address + layer * side.slice + row * side.pitch;
      for (uint64_t end = at + transfer.width, part; at < end; at += part) {
        part = std::min(end - at, GlobalChunk::bytes - at % GlobalChunk::bytes);
        // What comes last need not be remembered.
        if (transfer.isLast && chunks.count(at / GlobalChunk::bytes) == 0)
          continue;
        if (!transferBytes(at, part, side.isWrite, by, fault))
          return false;
      }
    }
  return true;
}

bool GlobalRaces::transfer(const HostTransfer &transfer, const Memory &store,
                           Fault &fault) {
  Sender by;
  {
    std::lock_guard<std::mutex> lock(mutex);
    makeRoom(1);
    memory = &store;
    by.accessor.warp = nextWarp++;
    by.firstRival = order.firstRival(order.add(transfer, by.accessor.warp));
  }
  bool hasRivals = by.firstRival != by.accessor.warp;
  by.accessor.epoch = 1;
  if ((transfer.isLast && !hasRivals) || !fits(numberOf(by.accessor.warp, 1)))
    return true;
  by.accessor.many = true;
  return std::all_of(transfer.sides.begin(), transfer.sides.end(),
                     [&](const TransferSide &side) {
                       return transferSide(transfer, side, by, fault);
                     });
}

void GlobalRaces::forgetRange(uint64_t address, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t end = (address + bytes + 7) & ~uint64_t(7);
  address &= ~uint64_t(7);
  for (uint64_t part; address < end; address += part) {
    uint64_t offset = address % GlobalChunk::bytes;
    part = std::min(end - address, GlobalChunk::bytes - offset);
    auto chunk = chunks.find(address / GlobalChunk::bytes);
    if (chunk == chunks.end())
      continue;
    if (part == GlobalChunk::bytes) {
      generation = nextGeneration();
      chunks.erase(chunk);
    } else {
      chunk->second->clear(unsigned(offset / 8), unsigned(part / 8));
    }
  }
}

void GlobalRaces::describeUnordered(const KnownGrid &own,
                                    const KnownGrid &theirs, bool isWrite,
                                    bool stampIsWrite, Fault &fault) {
  bool inGraph = own.order.graph != 0 && own.order.graph == theirs.order.graph;
  fault.message = std::string("expected an order between this ") +
                  (isWrite ? "write" : "read") +
                  (own.isTransfer() ? " by " + own.name : "") + " and a " +
                  (stampIsWrite ? "write" : "read") + " by " + theirs.name +
                  (inGraph ? " of the same graph" : " in another stream");
  fault.advice =
      inGraph
          ? "let one node depend on the other"
          : "order the streams by an event, or wait for the first one before "
            "the other is given its work";
}
