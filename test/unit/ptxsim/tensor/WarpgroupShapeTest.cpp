// Which wgmma instructions and operands are refused.

#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

#include "gtest/gtest.h"

using namespace ptxsim;

namespace {

WarpgroupShape shapeOf(WarpgroupType a, WarpgroupType b, WarpgroupSum d,
                       uint32_t n) {
  WarpgroupShape shape;
  shape.a = a;
  shape.b = b;
  shape.d = d;
  shape.n = n;
  return shape;
}

using T = WarpgroupType;
using S = WarpgroupSum;

TEST(WarpgroupShape, TakesTheTypesOfTheManual) {
  int taken = 0;
  for (T a : {T::F16, T::BF16, T::TF32, T::E4M3, T::E5M2, T::S8, T::U8, T::B1})
    for (T b :
         {T::F16, T::BF16, T::TF32, T::E4M3, T::E5M2, T::S8, T::U8, T::B1})
      for (S d : {S::F32, S::F16, S::S32})
        taken += checkShape(shapeOf(a, b, d, 64)).empty();
  // f16: 2, bf16, tf32, 8-bit floats: 4 pairs by 2, integers: 4 pairs, b1.
  EXPECT_EQ(taken, 2 + 1 + 1 + 8 + 4 + 1);
  EXPECT_EQ(checkShape(shapeOf(T::F16, T::BF16, S::F32, 64)),
            "expected A and B of the same type, or both of 8-bit floats or "
            "integers, got f16 and bf16");
  EXPECT_EQ(checkShape(shapeOf(T::BF16, T::BF16, S::F16, 64)),
            "expected accumulators of f32 for bf16, got f16");
  EXPECT_EQ(checkShape(shapeOf(T::E4M3, T::E5M2, S::S32, 64)),
            "expected accumulators of f16 or f32 for e4m3, got s32");
  EXPECT_EQ(checkShape(shapeOf(T::S8, T::U8, S::F32, 64)),
            "expected accumulators of s32 for s8, got f32");
}

TEST(WarpgroupShape, TakesTheNOfTheManual) {
  EXPECT_EQ(checkShape(shapeOf(T::F16, T::F16, S::F32, 12)),
            "expected N to be a multiple of 8 from 8 to 256, got 12");
  EXPECT_NE(checkShape(shapeOf(T::F16, T::F16, S::F32, 0)), "");
  EXPECT_NE(checkShape(shapeOf(T::F16, T::F16, S::F32, 264)), "");
  EXPECT_EQ(checkShape(shapeOf(T::F16, T::F16, S::F32, 248)), "");
  EXPECT_EQ(checkShape(shapeOf(T::S8, T::S8, S::S32, 24)), "");
  EXPECT_EQ(checkShape(shapeOf(T::S8, T::S8, S::S32, 40)),
            "expected N of integers above 32 to be a multiple of 16, got 40");
  EXPECT_EQ(checkShape(shapeOf(T::B1, T::B1, S::S32, 240)), "");
}

TEST(WarpgroupShape, TakesTheModifiersOfTheManual) {
  WarpgroupShape shape = shapeOf(T::B1, T::B1, S::S32, 64);
  shape.isSparse = true;
  EXPECT_EQ(checkShape(shape), "expected a type that .sp supports, got b1");
  shape = shapeOf(T::F16, T::F16, S::F32, 64);
  shape.saturates = true;
  EXPECT_EQ(checkShape(shape), "expected s8 or u8 for .satfinite, got f16");
}

TEST(WarpgroupShape, KnowsItsSizes) {
  EXPECT_EQ(shapeOf(T::BF16, T::BF16, S::F32, 64).k(), 16u);
  EXPECT_EQ(shapeOf(T::TF32, T::TF32, S::F32, 64).k(), 8u);
  EXPECT_EQ(shapeOf(T::B1, T::B1, S::S32, 64).k(), 256u);
  WarpgroupShape sparse = shapeOf(T::E4M3, T::E4M3, S::F16, 128);
  sparse.isSparse = true;
  EXPECT_EQ(sparse.k(), 64u);
  EXPECT_EQ(sparse.registersOfD(), 32u);
  EXPECT_EQ(shapeOf(T::S8, T::S8, S::S32, 128).registersOfD(), 64u);
}

TEST(WarpgroupShape, DecodesDescriptors) {
  uint64_t bits = 0x1234 | uint64_t(0x2345) << 16 | uint64_t(0x3456) << 32 |
                  uint64_t(5) << 49 | uint64_t(2) << 62;
  MatrixDescriptor descriptor = decodeDescriptor(bits);
  EXPECT_EQ(descriptor.start, 0x12340u);
  EXPECT_EQ(descriptor.leading, 0x23450u);
  EXPECT_EQ(descriptor.stride, 0x34560u);
  EXPECT_EQ(descriptor.baseOffset, 5u);
  EXPECT_EQ(descriptor.span, 64u);
  EXPECT_EQ(decodeDescriptor(uint64_t(1) << 62).span, 128u);
  EXPECT_EQ(decodeDescriptor(uint64_t(3) << 62).span, 32u);
  EXPECT_EQ(decodeDescriptor(0).span, 0u);
  // All bits set: addresses, but no undefined behaviour.
  MatrixDescriptor all = decodeDescriptor(~uint64_t(0));
  EXPECT_EQ(all.start, 0x3fff0u);
}

/// A step of bf16 whose operands are right.
WarpgroupStep rightStep() {
  WarpgroupStep step;
  uint64_t layout = uint64_t(1) << 62 | uint64_t(64) << 32 | 1 << 16;
  step.descriptorA = layout;
  step.descriptorB = layout | 16384 >> 4;
  return step;
}

TEST(WarpgroupShape, RefusesOperands) {
  WarpgroupShape shape = shapeOf(T::BF16, T::BF16, S::F32, 64);
  WarpgroupStep step = rightStep();
  EXPECT_EQ(checkStep(shape, step, 24576), "");
  step.descriptorB += 1024 >> 4;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected the descriptor of B to stay within the 24576 bytes of "
            "shared memory, got start 0x4400, leading offset 16, stride offset "
            "1024 and last address 0x63f0");
  step = rightStep();
  step.descriptorA = 1024 >> 4 | uint64_t(1) << 49;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected the descriptor of A to have base offset 0 without a "
            "swizzle, got 1");
  step.isAInRegisters = true;
  EXPECT_EQ(checkStep(shape, step, 24576), "");
  shape = shapeOf(T::E4M3, T::E4M3, S::F32, 64);
  step = rightStep();
  step.isBTransposed = true;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected f16 or bf16 for a transposed B, got e4m3");
  shape.isSparse = true;
  step = rightStep();
  step.descriptorB |= uint64_t(3) << 62;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected the descriptor of B to have a swizzle of at least the 64 "
            "bytes along K, got 32");
}

TEST(WarpgroupShape, RefusesMetadata) {
  WarpgroupShape shape = shapeOf(T::F16, T::F16, S::F32, 64);
  shape.isSparse = true;
  uint32_t lanes[32];
  WarpgroupStep step = rightStep();
  for (const uint32_t *&warp : step.metadata)
    warp = lanes;
  // Lanes 2 and 3 of four do not count for selector 0.
  for (uint32_t lane = 0; lane < 32; ++lane)
    lanes[lane] = lane % 4 < 2 ? 0x4e4e4e4e : 0;
  EXPECT_EQ(checkStep(shape, step, 24576), "");
  step.selector = 1;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected metadata of two different positions, got 0x0 in bits 0 "
            "to 3 of lane 2 of warp 0 of the warpgroup");
  step.selector = 2;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected sparsity selector 0 or 1, got 2");
  step.selector = 0;
  lanes[5] = 0x4e4e5e4e;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected metadata of two different positions, got 0x5 in bits 12 "
            "to 15 of lane 5 of warp 0 of the warpgroup");
  shape = shapeOf(T::TF32, T::TF32, S::F32, 64);
  shape.isSparse = true;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected metadata of 0b0100 or 0b1110, got 0x5 in bits 12 to 15 "
            "of lane 5 of warp 0 of the warpgroup");
  lanes[5] = 0x4e4e4e4e;
  EXPECT_EQ(checkStep(shape, step, 24576), "");
  shape = shapeOf(T::S8, T::S8, S::S32, 64);
  shape.isSparse = true;
  step.selector = 1;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected sparsity selector 0, got 1");
  step.selector = 0;
  EXPECT_EQ(checkStep(shape, step, 24576),
            "expected metadata of two different positions, got 0x0 in bits 0 "
            "to 3 of lane 2 of warp 0 of the warpgroup");
}

} // namespace
