// What the words of instructions say.

#include "tools/ptxsim/count/Facts.h"
#include "tools/ptxsim/ptx/Parser.h"

#include <gtest/gtest.h>

using namespace ptxsim;

namespace {

/// The facts of one instruction, whose operands are registers %r, %f, %d, %p.
InstructionFacts facts(const std::string &text) {
  std::string source = ".version 8.6\n.target sm_90a\n.address_size 64\n"
                       ".visible .entry k()\n{\n.reg .b32 %r;\n.reg .b64 %d;\n"
                       ".reg .f32 %f;\n.reg .f64 %e;\n.reg .pred %p;\n"
                       ".reg .b16 %h;\n" +
                       text + ";\nret;\n}\n";
  std::vector<ptx::Diagnostic> diagnostics;
  std::unique_ptr<ptx::Module> module =
      ptx::parse(source, "facts", diagnostics);
  if (module == nullptr) {
    ADD_FAILURE() << text;
    return {};
  }
  const ptx::Function &function = module->functions[0];
  return factsOf(function, function.instructions[0]);
}

TEST(Facts, Products) {
  InstructionFacts fact =
      facts("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
            "{%f,%f,%f,%f}, {%r,%r,%r,%r}, {%r,%r}, {%f,%f,%f,%f}");
  EXPECT_EQ(fact.tensorType, "bf16");
  EXPECT_EQ(fact.tensorOperations, 2u * 16 * 8 * 16);
  EXPECT_EQ(fact.tensorSharedBytes, 0u);
  fact = facts("mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc "
               "{%r,%r}, {%r}, {%r}, {%r,%r}");
  EXPECT_EQ(fact.tensorType, "b1");
  EXPECT_EQ(fact.tensorOperations, 2u * 8 * 8 * 128);
  fact = facts("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f16 "
               "{%f,%f,%f,%f,%f,%f,%f,%f}, {%r,%r,%r,%r,%r,%r,%r,%r}, "
               "{%r,%r,%r,%r,%r,%r,%r,%r}, {%f,%f,%f,%f,%f,%f,%f,%f}");
  EXPECT_EQ(fact.tensorType, "f16");
  EXPECT_EQ(fact.tensorOperations, 2u * 16 * 16 * 16);
}

TEST(Facts, ProductsOfWarpgroups) {
  // A warp does a quarter. A: 64 x 32 bytes, B: 8 x 32.
  InstructionFacts fact = facts("wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3."
                                "e5m2 {%f,%f,%f,%f}, %d, %d, %p, 1, 1");
  EXPECT_EQ(fact.tensorType, "e4m3");
  EXPECT_EQ(fact.tensorOperations, 2u * 64 * 8 * 32 / 4);
  EXPECT_EQ(fact.tensorSharedBytes, (64u + 8) * 32 / 4);
  // Sparse, k = 64: half of A is there.
  fact = facts("wgmma.mma_async.sp.sync.aligned.m64n8k64.s32.s8.u8 "
               "{%r,%r,%r,%r}, %d, %d, %r, 0, %p");
  EXPECT_EQ(fact.tensorType, "s8 sparse");
  EXPECT_EQ(fact.tensorOperations, 2u * 64 * 8 * 64 / 4);
  EXPECT_EQ(fact.tensorSharedBytes, (32u + 8) * 64 / 4);
  // A in registers.
  fact = facts("wgmma.mma_async.sync.aligned.m64n8k8.f32.tf32.tf32 "
               "{%f,%f,%f,%f}, {%r,%r,%r,%r}, %d, %p, 1, 1");
  EXPECT_EQ(fact.tensorSharedBytes, 8u * 8 * 4 / 4);
  EXPECT_EQ(facts("wgmma.fence.sync.aligned").tensorOperations, 0u);
}

TEST(Facts, ScalarOperations) {
  InstructionFacts fact = facts("fma.rn.ftz.f32 %f, %f, %f, %f");
  EXPECT_EQ(fact.scalarType, "f32");
  EXPECT_EQ(fact.scalarOperations, 2u);
  fact = facts("mul.rn.bf16x2 %r, %r, %r");
  EXPECT_EQ(fact.scalarType, "bf16");
  EXPECT_EQ(fact.scalarOperations, 2u);
  EXPECT_EQ(facts("sub.f64 %e, %e, %e").scalarOperations, 1u);
  EXPECT_EQ(facts("add.u32 %r, %r, %r").scalarOperations, 0u);
  EXPECT_EQ(facts("mad.lo.u32 %r, %r, %r, %r").scalarOperations, 0u);
  EXPECT_EQ(facts("max.f32 %f, %f, %f").scalarOperations, 0u);
}

TEST(Facts, Waits) {
  for (const char *text :
       {"bar.sync 0", "barrier.sync 0", "bar.red.popc.u32 %r, 0, %p",
        "barrier.cluster.wait", "cp.async.wait_group 0", "cp.async.wait_all",
        "cp.async.bulk.wait_group.read 0", "wgmma.wait_group.sync.aligned 0",
        "mbarrier.try_wait.parity.shared.b64 %p, [%r], 0",
        "mbarrier.test_wait.shared.b64 %p, [%r], %d", "griddepcontrol.wait",
        "nanosleep.u32 10"})
    EXPECT_TRUE(facts(text).isWait) << text;
  for (const char *text :
       {"bar.arrive 0, 64", "bar.warp.sync 1", "barrier.cluster.arrive",
        "cp.async.commit_group", "mbarrier.arrive.shared.b64 %d, [%r]",
        "griddepcontrol.launch_dependents", "ret"})
    EXPECT_FALSE(facts(text).isWait) << text;
}

} // namespace
