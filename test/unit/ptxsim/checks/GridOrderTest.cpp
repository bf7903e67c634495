// What is compared between transfers, without kernels: what is remembered of
// ranges, and what is forgotten.

#include "tools/ptxsim/machine/Engine.h"

#include <gtest/gtest.h>

using namespace ptxsim;

namespace {

constexpr uint64_t megabyte = 1 << 20;

class Transfers : public testing::Test {
protected:
  Transfers() {
    engine = Engine::create({});
    base = engine->memory().allocate(4 * megabyte, 256, MemoryKind::Device, 1);
  }

  /// Does a transfer behind those of its chain; by default that is a new one.
  bool transfer(uint64_t offset, uint64_t bytes, bool isWrite,
                uint32_t chain = 0) {
    HostTransfer transfer;
    transfer.name = "a copy";
    transfer.order.chain = chain != 0 ? chain : nextChain++;
    transfer.order.position = ++position;
    transfer.order.before.set(transfer.order.chain, position - 1);
    transfer.width = bytes;
    transfer.sides.push_back({base + offset, 0, 0, isWrite});
    fault = Fault();
    return engine->compare(transfer, fault);
  }
  bool write(uint64_t offset, uint64_t bytes) {
    return transfer(offset, bytes, true);
  }
  bool read(uint64_t offset, uint64_t bytes) {
    return transfer(offset, bytes, false);
  }

  std::unique_ptr<Engine> engine;
  uint64_t base = 0;
  uint32_t nextChain = 1;
  Epoch position = 0;
  Fault fault;
};

TEST_F(Transfers, RaceUnlessOneIsBefore) {
  ASSERT_TRUE(write(0, 256));
  EXPECT_FALSE(read(0, 256));
  EXPECT_EQ(fault.message,
            "expected an order between this read by a copy and a "
            "write by a copy in another stream");
  HostTransfer later;
  later.name = "a copy";
  later.order.chain = nextChain;
  later.order.position = 1;
  later.order.before.set(1, 1);
  later.width = 256;
  later.sides.push_back({base, 0, 0, true});
  EXPECT_TRUE(engine->compare(later, fault));
}

TEST_F(Transfers, CompareEachByte) {
  // Odd ends, and a middle that fills whole groups of two chunks.
  uint64_t begin = megabyte - 1001, end = megabyte + 999;
  ASSERT_TRUE(write(begin, end - begin));
  EXPECT_TRUE(write(begin - 16, 16));
  EXPECT_TRUE(write(end, 16));
  EXPECT_FALSE(read(begin - 16, 17));
  EXPECT_FALSE(read(end - 1, 17));
  EXPECT_FALSE(read(megabyte - 16, 16));
  EXPECT_FALSE(read(megabyte, 16));
  EXPECT_TRUE(read(begin - 100, 84));
}

TEST_F(Transfers, ForgetWhatIsBeforeAllThatComes) {
  ASSERT_TRUE(write(0, 64));
  ASSERT_TRUE(write(64, 64));
  Clock known;
  known.set(1, 1);
  engine->noteOrdered(known);
  EXPECT_TRUE(read(0, 64));
  EXPECT_FALSE(read(64, 64));
}

TEST_F(Transfers, ForgetMemoryThatIsGivenAnew) {
  ASSERT_TRUE(write(0, 3 * megabyte));
  engine->noteRenewed(base + 520, 2 * megabyte);
  EXPECT_TRUE(read(520, 2 * megabyte));
  EXPECT_FALSE(read(504, 16));
  EXPECT_FALSE(read(520 + 2 * megabyte, 16));
}

TEST_F(Transfers, ForgetTheOldestOfMany) {
  ASSERT_TRUE(write(0, 64));
  for (int i = 0; i < 5000; ++i)
    ASSERT_TRUE(transfer(1024, 64, true, 9));
  EXPECT_TRUE(read(0, 64));
  EXPECT_FALSE(read(1024, 64));
}

TEST_F(Transfers, ValuesAreSignals) {
  HostTransfer value;
  value.name = "a value";
  value.order.chain = nextChain++;
  value.order.position = 1;
  value.width = 4;
  value.sides.push_back({base, 0, 0, true});
  value.isValue = true;
  ASSERT_TRUE(engine->compare(value, fault));
  EXPECT_FALSE(read(0, 64));
  EXPECT_TRUE(engine->takeMeetings().empty());
  // What is as small may poll it; the host then knows what came before.
  EXPECT_TRUE(read(0, 4));
  EXPECT_EQ(engine->takeMeetings().size(), 1u);
  value.order.chain = nextChain++;
  EXPECT_TRUE(engine->compare(value, fault));
}

} // namespace
