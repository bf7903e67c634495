// Allocations in one reserved range of addresses.
//
// The range is taken from its bottom upwards; what is freed goes back to the
// host at once and its addresses are handed out again only when the range is
// exhausted, the longest free first.

#include "tools/ptxsim/machine/Memory.h"

#include "tools/ptxsim/machine/WrittenBits.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <sys/mman.h>
#include <unistd.h>

namespace ptxsim {

static constexpr uint64_t granule = 256; ///< Of addresses and of gaps.
static constexpr size_t freedKept = 4096;
static constexpr uint64_t windowCount = 4;
/// Where the first memory and its windows are, unless something is there: each
/// run of a program has the same addresses.
static constexpr uint64_t usualBase = uint64_t(1) << 45;
static constexpr uint64_t usualWindows = usualBase + (uint64_t(1) << 43);

static uint64_t roundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

static void *reserveAddresses(uint64_t usual, uint64_t size) {
  return mmap(reinterpret_cast<void *>(usual), size, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/// The reserved addresses and which of them are free.
struct Memory::Arena {
  struct Range {
    uint64_t address = 0, bytes = 0;
  };

  uint64_t base = 0, bytes = 0; ///< 0 if the host gave none.
  uint64_t next = 0;            ///< Nothing at or above was ever handed out.
  uint64_t writable = 0;        ///< Pages below are readable and writable.
  uint64_t page = 4096;
  std::deque<Range> free;               ///< The longest free first.
  std::map<uint64_t, uint64_t> extents; ///< Bytes taken, by address.

  ~Arena() {
    if (base != 0)
      munmap(reinterpret_cast<void *>(base), bytes);
  }

  bool reserve(uint64_t size);
  bool makeWritable(uint64_t end);
  uint64_t take(uint64_t size, uint64_t alignment);
  uint64_t takeFreed(uint64_t extent, uint64_t alignment);
  void clear(uint64_t address, uint64_t size) const;
  void giveBack(uint64_t address);
};

bool Memory::Arena::reserve(uint64_t size) {
  void *range = reserveAddresses(usualBase, size);
  if (range == MAP_FAILED)
    return false;
  base = next = writable = reinterpret_cast<uint64_t>(range);
  bytes = size;
  page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return true;
}

/// Makes the addresses below `end` accessible, in steps of 64 MB: the kernel
/// bounds the number of mappings, not their size.
bool Memory::Arena::makeWritable(uint64_t end) {
  if (end <= writable)
    return true;
  uint64_t target =
      std::min(roundUp(end - base, uint64_t(64) << 20) + base, base + bytes);
  if (mprotect(reinterpret_cast<void *>(writable), target - writable,
               PROT_READ | PROT_WRITE) != 0)
    return false;
  writable = target;
  return true;
}

/// Zeroes what of `[address, address + size)` shares pages with others: whole
/// pages were given back to the host and read as zero.
void Memory::Arena::clear(uint64_t address, uint64_t size) const {
  uint64_t head = std::min(size, roundUp(address, page) - address);
  std::memset(reinterpret_cast<void *>(address), 0, head);
  uint64_t tail = std::max(address + head, (address + size) & ~(page - 1));
  std::memset(reinterpret_cast<void *>(tail), 0, address + size - tail);
}

/// Takes `extent` bytes from what was freed longest ago and is large enough.
uint64_t Memory::Arena::takeFreed(uint64_t extent, uint64_t alignment) {
  for (auto it = free.begin(); it != free.end(); ++it) {
    uint64_t address = roundUp(it->address, alignment);
    uint64_t lost = address - it->address;
    if (it->bytes < lost || it->bytes - lost < extent)
      continue;
    uint64_t rest = it->bytes - lost - extent;
    it->address = address + extent;
    it->bytes = rest;
    if (rest == 0)
      free.erase(it);
    extents[address] = extent;
    clear(address, extent);
    return address;
  }
  return 0;
}

/// Returns an address with `size` zero bytes, or 0.
uint64_t Memory::Arena::take(uint64_t size, uint64_t alignment) {
  // A gap behind each allocation, larger behind large ones, makes accesses
  // that miss by little land in none.
  uint64_t gap = size < page ? granule : size < (1u << 20) ? page : 16 * page;
  uint64_t extent = roundUp(size, granule) + gap;
  uint64_t end = base + bytes;
  uint64_t address =
      roundUp(next, size < page ? alignment : std::max(alignment, page));
  if (address < next || address > end || end - address < extent)
    return takeFreed(extent, alignment);
  if (!makeWritable(address + extent))
    return 0;
  next = address + extent;
  extents[address] = extent;
  return address;
}

void Memory::Arena::giveBack(uint64_t address) {
  auto it = extents.find(address);
  if (it == extents.end())
    return;
  uint64_t begin = roundUp(address, page);
  uint64_t end = (address + it->second) & ~(page - 1);
  if (begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
  free.push_back({address, it->second});
  extents.erase(it);
}

Memory::Memory() : arena(std::make_unique<Arena>()) {
  // Many times the capacity, so that addresses are not soon used again; less
  // where the host bounds the addresses of a process.
  for (uint64_t size = uint64_t(4) << 40; size >= (uint64_t(1) << 30);
       size /= 4)
    if (arena->reserve(size))
      break;
  void *range = reserveAddresses(usualWindows, windowCount * windowBytes);
  if (range != MAP_FAILED)
    windows = reinterpret_cast<uint64_t>(range);
}

Memory::~Memory() {
  if (written != nullptr)
    munmap(written, bitmapBytes(arena->bytes));
  if (windows != 0)
    munmap(reinterpret_cast<void *>(windows), windowCount * windowBytes);
}

/// True for kinds that take memory of the device.
static bool isOnDevice(MemoryKind kind) {
  switch (kind) {
  case MemoryKind::Device:
  case MemoryKind::Managed:
  case MemoryKind::Variable:
  case MemoryKind::Heap:
    return true;
  case MemoryKind::Pinned:
  case MemoryKind::Registered:
  case MemoryKind::Constant:
    return false;
  }
  return false;
}

uint64_t Memory::allocate(uint64_t bytes, uint64_t alignment, MemoryKind kind,
                          uint64_t context, std::string name) {
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes == 0 || bytes > capacity || alignment > capacity)
    return 0;
  if (isOnDevice(kind) && bytes > capacity - usedBytes)
    return 0;
  uint64_t address = arena->take(bytes, std::max(alignment, granule));
  if (address == 0)
    return 0;
  Allocation allocation;
  allocation.address = address;
  allocation.bytes = bytes;
  allocation.kind = kind;
  allocation.context = context;
  allocation.serial = nextSerial++;
  allocation.name = std::move(name);
  allocations.emplace(address, std::move(allocation));
  if (isOnDevice(kind))
    usedBytes += bytes;
  if (kind != MemoryKind::Device && kind != MemoryKind::Heap)
    noteWritten(address, bytes);
  changes.fetch_add(1, std::memory_order_release);
  return address;
}

bool Memory::registerHost(uint64_t address, uint64_t bytes, uint64_t context) {
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes == 0 || address > UINT64_MAX - bytes)
    return false;
  auto above = allocations.lower_bound(address);
  if (above != allocations.end() && above->first < address + bytes)
    return false;
  if (above != allocations.begin()) {
    const Allocation &below = std::prev(above)->second;
    if (below.address + below.bytes > address)
      return false;
  }
  Allocation allocation;
  allocation.address = address;
  allocation.bytes = bytes;
  allocation.kind = MemoryKind::Registered;
  allocation.context = context;
  allocation.serial = nextSerial++;
  allocations.emplace(address, std::move(allocation));
  changes.fetch_add(1, std::memory_order_release);
  return true;
}

bool Memory::free(uint64_t address) {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = allocations.find(address);
  if (it == allocations.end())
    return false;
  Allocation &allocation = it->second;
  if (isOnDevice(allocation.kind))
    usedBytes -= allocation.bytes;
  if (allocation.kind != MemoryKind::Registered) {
    arena->giveBack(address);
    forgetWritten(address, allocation.bytes);
    allocation.isFreed = true;
    if (freed.size() >= 2 * freedKept)
      freed.erase(freed.begin(), freed.begin() + freedKept);
    freed.push_back(std::move(allocation));
  }
  allocations.erase(it);
  changes.fetch_add(1, std::memory_order_release);
  return true;
}

void Memory::freeAll(uint64_t context) {
  for (const Allocation &allocation : live(context))
    free(allocation.address);
}

bool Memory::find(uint64_t address, Allocation &result) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto above = allocations.upper_bound(address);
  if (above == allocations.begin())
    return false;
  const Allocation &allocation = std::prev(above)->second;
  if (address - allocation.address >= allocation.bytes)
    return false;
  result = allocation;
  return true;
}

bool Memory::findFreed(uint64_t address, Allocation &result) const {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto it = freed.rbegin(); it != freed.rend(); ++it)
    if (address >= it->address && address - it->address < it->bytes) {
      result = *it;
      return true;
    }
  return false;
}

void Memory::neighbours(uint64_t address, Allocation &below,
                        Allocation &above) const {
  std::lock_guard<std::mutex> lock(mutex);
  below = above = Allocation();
  auto next = allocations.upper_bound(address);
  if (next != allocations.end())
    above = next->second;
  if (next != allocations.begin())
    below = std::prev(next)->second;
}

bool Memory::contains(uint64_t address, uint64_t bytes) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto above = allocations.upper_bound(address);
  if (above == allocations.begin())
    return false;
  const Allocation &allocation = std::prev(above)->second;
  uint64_t offset = address - allocation.address;
  return offset < allocation.bytes && bytes <= allocation.bytes - offset;
}

uint64_t Memory::used() const {
  std::lock_guard<std::mutex> lock(mutex);
  return usedBytes;
}

std::vector<Allocation> Memory::live(uint64_t context) const {
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<Allocation> result;
  for (const auto &entry : allocations)
    if (entry.second.context == context)
      result.push_back(entry.second);
  return result;
}

//===----------------------------------------------------------------------===//
// What was written
//===----------------------------------------------------------------------===//

bool Memory::trackWrites() {
  // Pages of the map that nobody touches take no memory and read as zero.
  void *map = mmap(nullptr, bitmapBytes(arena->bytes), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED)
    return false;
  written = static_cast<uint8_t *>(map);
  return true;
}

uint64_t Memory::trackedBegin() const { return arena->base; }
uint64_t Memory::trackedBytes() const { return arena->bytes; }

bool Memory::isTracked(uint64_t address, uint64_t bytes) const {
  uint64_t offset = address - arena->base;
  return written != nullptr && offset < arena->bytes &&
         bytes <= arena->bytes - offset;
}

void Memory::noteWritten(uint64_t address, uint64_t bytes) {
  if (isTracked(address, bytes))
    setBits(written, address - arena->base, bytes);
}

void Memory::noteCopied(uint64_t address, uint64_t source, uint64_t bytes) {
  if (!isTracked(address, bytes))
    return;
  if (isTracked(source, bytes))
    copyBits(written, address - arena->base, written, source - arena->base,
             bytes);
  else
    noteWritten(address, bytes);
}

/// Whole pages of the map go back to the host, where they read as zero.
void Memory::forgetWritten(uint64_t address, uint64_t bytes) {
  if (!isTracked(address, bytes))
    return;
  uint64_t first = address - arena->base, pageBits = 8 * arena->page;
  uint64_t begin = roundUp(first, pageBits);
  uint64_t end = (first + bytes) / pageBits * pageBits;
  if (begin >= end) {
    clearBits(written, first, bytes);
    return;
  }
  clearBits(written, first, begin - first);
  madvise(written + begin / 8, (end - begin) / 8, MADV_DONTNEED);
  clearBits(written, end, first + bytes - end);
}

} // namespace ptxsim
