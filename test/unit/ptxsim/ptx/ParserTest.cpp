// What the parser makes of the parts of a module.

#include "tools/ptxsim/ptx/Parser.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

TEST(Parser, kernel) {
  std::vector<Diagnostic> diagnostics;
  std::unique_ptr<Module> module = parse(R"(.version 9.0
.target sm_90a
.address_size 64
.visible .entry add(.param .u64 p)
{
  .reg .b32 %r<3>;
  .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [p];
  ld.global.u32 %r1, [%rd1+-16];
  add.s32 %r2, %r1, 7;
  ret;
}
)",
                                         "kernel.ptx", diagnostics);
  ASSERT_TRUE(module) << render(diagnostics[0], "kernel.ptx");
  ASSERT_EQ(module->functions.size(), 1U);
  const Function &add = module->functions[0];
  ASSERT_EQ(add.instructions.size(), 4U);
  const Instruction &load = add.instructions[1];
  EXPECT_EQ(load.text, "ld.global.u32 %r1, [%rd1+-16]");
  const Operand &address = add.elements[load.firstOperand + 1];
  EXPECT_EQ(address.kind, Operand::Kind::Address);
  EXPECT_EQ(int64_t(address.bits), -16);
  EXPECT_EQ(add.registers[add.elements[address.firstElement].index].name,
            "%rd1");
}
