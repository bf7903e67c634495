// The memory that kernels can address.

#include "tools/ptxsim/machine/Memory.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace ptxsim;

static uint8_t *bytesAt(uint64_t address) {
  return reinterpret_cast<uint8_t *>(address);
}

TEST(Memory, ContentsAreZeroAndAligned) {
  Memory memory;
  uint64_t address = memory.allocate(1000, 4096, MemoryKind::Device, 1);
  ASSERT_NE(address, 0u);
  EXPECT_EQ(address % 4096, 0u);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(bytesAt(address)[i], 0);
}

TEST(Memory, FindsByAnyByte) {
  Memory memory;
  uint64_t address = memory.allocate(10, 256, MemoryKind::Variable, 3, "x");
  Allocation found;
  EXPECT_FALSE(memory.find(address - 1, found));
  EXPECT_FALSE(memory.find(address + 10, found));
  ASSERT_TRUE(memory.find(address + 9, found));
  EXPECT_EQ(found.address, address);
  EXPECT_EQ(found.bytes, 10u);
  EXPECT_EQ(found.kind, MemoryKind::Variable);
  EXPECT_EQ(found.context, 3u);
  EXPECT_EQ(found.name, "x");
  EXPECT_TRUE(memory.contains(address, 10));
  EXPECT_TRUE(memory.contains(address + 4, 6));
  EXPECT_FALSE(memory.contains(address + 4, 7));
  EXPECT_FALSE(memory.contains(address - 1, 2));
  EXPECT_FALSE(memory.contains(address, UINT64_MAX));
}

TEST(Memory, NeighboursAreApart) {
  Memory memory;
  uint64_t first = memory.allocate(100, 256, MemoryKind::Device, 1);
  uint64_t second = memory.allocate(100, 256, MemoryKind::Device, 1);
  uint64_t large = memory.allocate(1 << 20, 256, MemoryKind::Device, 1);
  uint64_t last = memory.allocate(1, 256, MemoryKind::Device, 1);
  EXPECT_GE(second - first, 100u + 256u);
  EXPECT_GE(last - large, (1u << 20) + 4096u);
  Allocation below, above;
  memory.neighbours(first + 200, below, above);
  EXPECT_EQ(below.address, first);
  EXPECT_EQ(above.address, second);
  memory.neighbours(0, below, above);
  EXPECT_EQ(below.bytes, 0u);
  EXPECT_EQ(above.address, first);
}

TEST(Memory, FreedIsGoneButRemembered) {
  Memory memory;
  uint64_t address = memory.allocate(100, 256, MemoryKind::Device, 1);
  uint64_t before = memory.generation();
  EXPECT_FALSE(memory.free(address + 1));
  EXPECT_TRUE(memory.free(address));
  EXPECT_NE(memory.generation(), before);
  EXPECT_FALSE(memory.free(address));
  Allocation found;
  EXPECT_FALSE(memory.find(address, found));
  ASSERT_TRUE(memory.findFreed(address + 99, found));
  EXPECT_TRUE(found.isFreed);
  EXPECT_EQ(found.serial, 1u);
  EXPECT_FALSE(memory.findFreed(address + 100, found));
  // The address is not handed out again while there are others.
  EXPECT_NE(memory.allocate(100, 256, MemoryKind::Device, 1), address);
}

TEST(Memory, CountsWhatTheDeviceHolds) {
  Memory memory;
  uint64_t device = memory.allocate(1000, 256, MemoryKind::Device, 1);
  memory.allocate(500, 256, MemoryKind::Pinned, 1);
  EXPECT_EQ(memory.used(), 1000u);
  memory.allocate(24, 256, MemoryKind::Managed, 1);
  EXPECT_EQ(memory.used(), 1024u);
  memory.free(device);
  EXPECT_EQ(memory.used(), 24u);
}

TEST(Memory, RefusesMoreThanThereIs) {
  Memory memory;
  EXPECT_EQ(memory.allocate(0, 256, MemoryKind::Device, 1), 0u);
  EXPECT_EQ(memory.allocate(Memory::capacity + 1, 256, MemoryKind::Device, 1),
            0u);
  EXPECT_EQ(memory.allocate(UINT64_MAX, 256, MemoryKind::Pinned, 1), 0u);
  // Large allocations take no memory of the host until they are touched.
  uint64_t half =
      memory.allocate(Memory::capacity / 2, 256, MemoryKind::Device, 1);
  ASSERT_NE(half, 0u);
  bytesAt(half)[Memory::capacity / 2 - 1] = 1;
  EXPECT_EQ(
      memory.allocate(Memory::capacity / 2 + 1, 256, MemoryKind::Device, 1),
      0u);
}

TEST(Memory, AddressesAreUsedAgainWhenAllWere) {
  Memory memory;
  // 4 TB of addresses in pieces of 64 GB: each is free before the next.
  constexpr uint64_t piece = uint64_t(64) << 30;
  uint64_t first = memory.allocate(piece, 256, MemoryKind::Device, 1);
  ASSERT_NE(first, 0u);
  std::memset(bytesAt(first), 0xff, 100);
  std::memset(bytesAt(first) + piece - 100, 0xff, 100);
  ASSERT_TRUE(memory.free(first));
  uint64_t address = 0;
  for (int i = 0; i < 70; ++i) {
    address = memory.allocate(piece, 256, MemoryKind::Device, 1);
    ASSERT_NE(address, 0u) << i;
    if (address == first)
      break;
    memory.free(address);
  }
  ASSERT_EQ(address, first);
  EXPECT_EQ(bytesAt(first)[99], 0);
  EXPECT_EQ(bytesAt(first)[piece - 1], 0);
}

TEST(Memory, RegistersWhatIsNotYet) {
  Memory memory;
  static uint8_t buffer[1000];
  auto address = reinterpret_cast<uint64_t>(buffer);
  EXPECT_TRUE(memory.registerHost(address + 100, 100, 1));
  EXPECT_FALSE(memory.registerHost(address, 101, 1));
  EXPECT_FALSE(memory.registerHost(address + 199, 10, 1));
  EXPECT_FALSE(memory.registerHost(address + 120, 10, 1));
  EXPECT_FALSE(memory.registerHost(UINT64_MAX - 5, 100, 1));
  EXPECT_TRUE(memory.registerHost(address, 100, 1));
  EXPECT_TRUE(memory.registerHost(address + 200, 10, 1));
  buffer[150] = 7;
  EXPECT_TRUE(memory.free(address + 100));
  EXPECT_EQ(buffer[150], 7);
  EXPECT_TRUE(memory.registerHost(address + 100, 100, 1));
}

TEST(Memory, FreesAllOfAContext) {
  Memory memory;
  memory.allocate(1, 256, MemoryKind::Device, 1);
  memory.allocate(1, 256, MemoryKind::Pinned, 1);
  uint64_t other = memory.allocate(1, 256, MemoryKind::Device, 2);
  EXPECT_EQ(memory.live(1).size(), 2u);
  memory.freeAll(1);
  EXPECT_TRUE(memory.live(1).empty());
  EXPECT_TRUE(memory.contains(other, 1));
}

TEST(Memory, WindowsAreApart) {
  Memory memory;
  EXPECT_EQ(memory.localWindow() - memory.sharedWindow(), Memory::windowBytes);
  EXPECT_EQ(memory.parameterWindow() - memory.localWindow(),
            Memory::windowBytes);
  EXPECT_EQ(memory.functionWindow() - memory.parameterWindow(),
            Memory::windowBytes);
  Allocation found;
  EXPECT_FALSE(memory.find(memory.sharedWindow(), found));
}
