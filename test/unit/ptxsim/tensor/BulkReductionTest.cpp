// Bulk reductions: each operation by example, and boxes by definition.

#include "BulkTesting.h"

using namespace ptxsim;
using namespace ptxsim::testing;

namespace {

/// Reduces one element with each operation.
template <typename Bits>
Bits reduced(BulkReduction reduction, TensorType type, Bits at, Bits value) {
  EXPECT_EQ(checkReduction(reduction, type), "");
  alignas(16) Bits memory[2] = {at, 7};
  Bits source[2] = {value, 0};
  reduceElements(reduction, type, reinterpret_cast<uint8_t *>(memory),
                 reinterpret_cast<const uint8_t *>(source), sizeof(Bits));
  EXPECT_EQ(memory[1], 7);
  return memory[0];
}

TEST(BulkReduction, ReducesIntegers) {
  using R = BulkReduction;
  auto u32 = [](R r, uint32_t a, uint32_t b) {
    return reduced<uint32_t>(r, TensorType::U32, a, b);
  };
  EXPECT_EQ(u32(R::Add, 0xffffffff, 2), 1u);
  EXPECT_EQ(u32(R::Min, 0x80000000, 1), 1u);
  EXPECT_EQ(u32(R::Max, 0x80000000, 1), 0x80000000u);
  EXPECT_EQ(u32(R::Inc, 4, 5), 5u);
  EXPECT_EQ(u32(R::Inc, 5, 5), 0u);
  EXPECT_EQ(u32(R::Inc, 9, 5), 0u);
  EXPECT_EQ(u32(R::Dec, 4, 5), 3u);
  EXPECT_EQ(u32(R::Dec, 0, 5), 5u);
  EXPECT_EQ(u32(R::Dec, 9, 5), 5u);
  EXPECT_EQ(u32(R::And, 0xc, 0xa), 8u);
  EXPECT_EQ(u32(R::Or, 0xc, 0xa), 0xeu);
  EXPECT_EQ(u32(R::Xor, 0xc, 0xa), 6u);
  EXPECT_EQ(reduced<int32_t>(R::Min, TensorType::S32, -5, 3), -5);
  EXPECT_EQ(reduced<int32_t>(R::Max, TensorType::S32, -5, 3), 3);
  EXPECT_EQ(reduced<int32_t>(R::Add, TensorType::S32, INT32_MAX, 1), INT32_MIN);
  EXPECT_EQ(reduced<int64_t>(R::Min, TensorType::S64, -5, 3), -5);
  EXPECT_EQ(reduced<uint64_t>(R::Add, TensorType::U64, 1ull << 63, 1ull << 63),
            0u);
  EXPECT_EQ(reduced<uint64_t>(R::Xor, TensorType::U64, 1ull << 63, 1),
            (1ull << 63) + 1);
}

TEST(BulkReduction, ReducesFloats) {
  using R = BulkReduction;
  auto f16 = [](R r, uint16_t a, uint16_t b) {
    return reduced<uint16_t>(r, TensorType::F16, a, b);
  };
  auto bf16 = [](R r, uint16_t a, uint16_t b) {
    return reduced<uint16_t>(r, TensorType::BF16, a, b);
  };
  auto f32 = [](R r, uint32_t a, uint32_t b) {
    return reduced<uint32_t>(r, TensorType::F32, a, b);
  };
  EXPECT_EQ(f16(R::Add, 0x3c00, 0x3c00), 0x4000); // 1 + 1
  EXPECT_EQ(f16(R::Add, 0x6800, 0x3c00), 0x6800); // 2048 + 1 ties to even.
  EXPECT_EQ(f16(R::Add, 0x6801, 0x3c00), 0x6802);
  EXPECT_EQ(f16(R::Add, 0x7bff, 0x7bff), 0x7c00); // Too large.
  EXPECT_EQ(f16(R::Add, 0x0001, 0x0001), 0x0002); // Subnormals stay.
  EXPECT_EQ(f16(R::Add, 0x7c00, 0xfc00), 0x7fff);
  EXPECT_EQ(f16(R::Min, 0x8000, 0x0000), 0x8000);
  EXPECT_EQ(f16(R::Max, 0x8000, 0x0000), 0x0000);
  EXPECT_EQ(f16(R::Min, 0x7e00, 0x3c00), 0x3c00); // NaN loses.
  EXPECT_EQ(f16(R::Max, 0x3c00, 0x7e00), 0x3c00);
  EXPECT_EQ(f16(R::Max, 0x7e00, 0xfe00), 0x7fff);
  EXPECT_EQ(bf16(R::Add, 0x3f80, 0x3f80), 0x4000);
  EXPECT_EQ(bf16(R::Add, 0x4380, 0x3f80), 0x4380); // 256 + 1 ties to even.
  EXPECT_EQ(bf16(R::Add, 0x0001, 0x0002), 0x0003);
  EXPECT_EQ(bf16(R::Max, 0xbf80, 0x3f00), 0x3f00);
  EXPECT_EQ(f32(R::Add, 0x3f800000, 0x3f800000), 0x40000000u);
  EXPECT_EQ(f32(R::Add, 0x00000001, 0x80000001), 0u); // Flushed: 0 + -0.
  EXPECT_EQ(f32(R::Add, 0x80000001, 0x80000001), 0x80000000u);
  EXPECT_EQ(f32(R::Add, 0x00800001, 0x80800000), 0u); // The result, too.
  EXPECT_EQ(reduced<uint64_t>(R::Add, TensorType::F64, 0x3ff0000000000000,
                              0x3ff0000000000000),
            0x4000000000000000u);
}

TEST(BulkReduction, RefusesReductions) {
  EXPECT_EQ(checkReduction(BulkReduction::Add, TensorType::U8),
            "expected elements of u32, s32, u64, f32, f64, f16 or bf16 for "
            "add, got u8");
  EXPECT_NE(checkReduction(BulkReduction::Add, TensorType::S64), "");
  EXPECT_NE(checkReduction(BulkReduction::Add, TensorType::TF32), "");
  EXPECT_EQ(checkReduction(BulkReduction::Min, TensorType::F32),
            "expected elements of u32, s32, u64, s64, f16 or bf16 for min and "
            "max, got f32");
  EXPECT_EQ(checkReduction(BulkReduction::Inc, TensorType::S32),
            "expected elements of u32 for inc and dec, got s32");
  EXPECT_EQ(checkReduction(BulkReduction::Xor, TensorType::F64),
            "expected elements of 32 or 64 bits for and, or and xor, got f64");
}

TEST(BulkReduction, ReducesBoxes) {
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    Case test = randomTiled(random, false, true);
    if (test.map.type != TensorType::U32)
      continue;
    test.request.direction = BulkDirection::Reduce;
    BoxTransfer transfer;
    ASSERT_EQ(prepare(test.map, test.request, transfer), "");
    std::vector<uint8_t> shared(sharedSize), want = test.memory;
    for (uint8_t &byte : shared)
      byte = uint8_t(random());
    uint64_t base = uint64_t(test.base() - test.memory.data());
    for (const Unit &unit : unitsOf(test)) {
      if (unit.global < 0)
        continue;
      uint32_t a, b;
      std::memcpy(&a, &want[base + unit.global], 4);
      std::memcpy(&b, &shared[placeOf(test.map.swizzle, unit.shared)], 4);
      a += b;
      std::memcpy(&want[base + unit.global], &a, 4);
    }
    reduce(transfer, BulkReduction::Add, shared.data());
    ASSERT_TRUE(test.memory == want);
  }
}

} // namespace
