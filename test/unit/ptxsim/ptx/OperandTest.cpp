// Operands of instructions.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

TEST(Operand, NamesAreResolved) {
  std::unique_ptr<Module> module = parseModule(R"(
.global .u32 g[4];
.func (.param .b32 r) f (.param .b32 q) {
  .reg .b64 %rd<2>; .local .b8 l[4];
  mov.b64 %rd1, g; mov.b64 %rd1, l; mov.b64 %rd1, q; mov.b64 %rd1, r;
  mov.b64 %rd1, f; mov.b64 %rd1, g+8; mov.b64 %rd1, q+-4; ret;
})");
  const Function &f = lastFunction(*module);
  ASSERT_EQ(f.instructions.size(), 8U);
  const char *expected[] = {"variable g",      "local l",    "parameter q",
                            "result r",        "function f", "variable g + 8",
                            "parameter q + -4"};
  for (size_t i = 0; i < 7; ++i)
    EXPECT_EQ(operandsOf(*module, f, f.instructions[i]),
              "%rd1, " + std::string(expected[i]));
}

TEST(Operand, VectorsPairsAndSinks) {
  EXPECT_EQ(operandsOf("mov.b64 {_, %r1}, %rd1;"), "{_, %r1}, %rd1");
  EXPECT_EQ(operandsOf("mov.b64 %rd1, {%r1, 5};"), "%rd1, {%r1, 5}");
  EXPECT_EQ(operandsOf("st.global.v2.f32 [%rd1], {0f3F800000, -1.5};"),
            "[%rd1], {f32 0x3F800000, f64 -1.500000}");
  EXPECT_EQ(operandsOf("setp.eq.and.u32 %p1|%p2, %r1, 0, !%p3;"),
            "pair(%p1, %p2), %r1, 0, !%p3");
  EXPECT_EQ(operandsOf("elect.sync _|%p1, -1;"), "pair(_, %p1), -1");
  EXPECT_EQ(operandsOf("shfl.sync.idx.b32 %r1|_, %r2, 0, 31, -1;"),
            "pair(%r1, _), %r2, 0, 31, -1");
  EXPECT_EQ(operandsOf("mbarrier.arrive.shared.b64 _, [%rd1];"), "_, [%rd1]");
  EXPECT_EQ(operandsOf("bar.sync 0, (1 << 4) | 3;"), "0, 19");
}

TEST(Operand, Addresses) {
  const std::string body = ".shared .u32 x[8]; .reg .v2 .b64 v;\n";
  EXPECT_EQ(operandsOf("ld.u32 %r1, [%rd1];"), "%r1, [%rd1]");
  EXPECT_EQ(operandsOf("ld.u32 %r1, [%rd1+16];"), "%r1, [%rd1 + 16]");
  EXPECT_EQ(operandsOf("ld.u32 %r1, [ %rd1 + -16 ];"), "%r1, [%rd1 + -16]");
  EXPECT_EQ(operandsOf("ld.u32 %r1, [%rd1+4*2-1];"), "%r1, [%rd1 + 7]");
  EXPECT_EQ(operandsOf("ld.u32 %r1, [0x1000];"), "%r1, [4096]");
  EXPECT_EQ(operandsOf("ld.param.u64 %rd1, [a];"), "%rd1, [parameter a]");
  EXPECT_EQ(operandsOf("ld.param.u32 %r1, [s+12];"), "%r1, [parameter s + 12]");
  EXPECT_EQ(operandsOf(body + "ld.u32 %r1, [x];"), "%r1, [local x]");
  EXPECT_EQ(operandsOf(body + "ld.u32 %r1, [x+0];"), "%r1, [local x]");
  EXPECT_EQ(operandsOf(body + "ld.u32 %r1, [v.y+8];"), "%r1, [v.y + 8]");
  // Elements are counted, not bytes.
  EXPECT_EQ(operandsOf(body + "ld.u32 %r1, x[3];"), "%r1, [local x + 12]");
  EXPECT_EQ(operandsOf(body + "mov.u32 %r1, x[WARP_SZ-30];"),
            "%r1, [local x + 8]");
  EXPECT_EQ(operandsOf("ld.param.u8 %r1, s[2];"), "%r1, [parameter s + 2]");
}

TEST(Operand, TensorsHaveCoordinates) {
  EXPECT_EQ(operandsOf("cp.async.bulk.tensor.5d [%r1], [a, {0, %r1, -1, %r2, "
                       "%r3}], [%rd1], {%rs1, %rs2};"),
            "[%r1], tensor([parameter a], {0, %r1, -1, %r2, %r3}), [%rd1], "
            "{%rs1, %rs2}");
  EXPECT_EQ(operandsOf("prefetch.tensor [%rd1+64, {%r1}];"),
            "tensor([%rd1 + 64], {%r1})");
  EXPECT_EQ(operandsOf("tex.2d.v4 {%r1, %r2}, [%rd1, %rd2, {%f1, %f2}];"),
            "{%r1, %r2}, tensor([%rd1], %rd2, {%f1, %f2})");
}

TEST(Operand, SpecialRegisters) {
  auto special = [](SpecialRegister which, int component) {
    return "%r1, special " + std::to_string(int(which)) + "." +
           std::to_string(component);
  };
  const std::tuple<const char *, SpecialRegister, int> cases[] = {
      {"%tid.x", SpecialRegister::Tid, 0},
      {"%tid.w", SpecialRegister::Tid, 3},
      {"%ntid.y", SpecialRegister::NTid, 1},
      {"%cluster_nctaid.z", SpecialRegister::ClusterNCtaId, 2},
      {"%laneid", SpecialRegister::LaneId, 0},
      {"%lanemask_lt", SpecialRegister::LaneMaskLt, 0},
      {"%clock64", SpecialRegister::Clock64, 0},
      {"%globaltimer_lo", SpecialRegister::GlobalTimerLo, 0},
      {"%envreg0", SpecialRegister::EnvReg, 0},
      {"%envreg31", SpecialRegister::EnvReg, 31},
      {"%pm7", SpecialRegister::Pm, 7},
      {"%pm7_64", SpecialRegister::Pm64, 7},
      {"%reserved_smem_offset_1", SpecialRegister::ReservedSmemOffset, 1},
      {"%reserved_smem_offset_cap", SpecialRegister::ReservedSmemOffsetCap, 0},
      {"%current_graph_exec", SpecialRegister::CurrentGraphExec, 0},
  };
  for (const auto &[name, which, component] : cases)
    EXPECT_EQ(operandsOf("mov.u32 %r1, " + std::string(name) + ";"),
              special(which, component));
  EXPECT_EQ(operandsOf("mov.v4.u32 {%r1, %r2, %r3, _}, %ctaid;"),
            "{%r1, %r2, %r3, _}, {special 5.0, special 5.1, special 5.2, "
            "special 5.3}");
  EXPECT_EQ(operandsOf("and.pred %p1, %p2, !%is_explicit_cluster;"),
            "%p1, %p2, !special 10.0");
  // A program may use the name for itself.
  EXPECT_EQ(operandsOf(".reg .b32 %tid; mov.b32 %tid, 0;"), "%tid, 0");
  for (const char *name : {"%envreg32", "%envreg01", "%envreg", "%pm8",
                           "%reserved_smem_offset_2", "%tidx"})
    EXPECT_NE(errorsOfBody("mov.u32 %r1, " + std::string(name) + ";"), "")
        << name;
}

TEST(Operand, SelectorsNameParts) {
  auto selectorOf = [](const std::string &operand) {
    std::unique_ptr<Module> module =
        parseBody("vadd.u32.u32.u32 %r1, " + operand + ", %r3;");
    const Function &function = module->functions[0];
    return Selector{
        function.elements[function.instructions[0].firstOperand + 1].selector};
  };
  EXPECT_EQ(selectorOf("%r2").count(), 0u);
  Selector byte = selectorOf("%r2.b3");
  EXPECT_EQ(byte.count(), 1u);
  EXPECT_EQ(byte.part(0), 3u);
  EXPECT_FALSE(byte.isOfHalves());
  Selector halves = selectorOf("%r2.h31");
  EXPECT_EQ(halves.count(), 2u);
  EXPECT_EQ(halves.part(0), 1u);
  EXPECT_EQ(halves.part(1), 3u);
  EXPECT_TRUE(halves.isOfHalves());
  Selector bytes = selectorOf("%r2.b7061");
  EXPECT_EQ(bytes.count(), 4u);
  EXPECT_EQ(bytes.part(0), 1u);
  EXPECT_EQ(bytes.part(3), 7u);
  for (const char *word : {"b", "b8", "h4", "h210", "b01234", "x"})
    EXPECT_NE(errorsOfBody("vadd.u32.u32.u32 %r1, %r2." + std::string(word) +
                           ", %r3;"),
              "")
        << word;
}

TEST(Operand, RegistersMayHaveASign) {
  std::unique_ptr<Module> module =
      parseBody("vmad.u32.u32.u32 %r1, -%r2.b1, -5, -%r3;");
  const Function &function = module->functions[0];
  const Operand *operands =
      &function.elements[function.instructions[0].firstOperand];
  EXPECT_TRUE(operands[1].negated);
  EXPECT_EQ(Selector{operands[1].selector}.part(0), 1u);
  EXPECT_FALSE(operands[2].negated);
  EXPECT_EQ(int64_t(operands[2].bits), -5);
  EXPECT_TRUE(operands[3].negated);
}

using Case = std::tuple<const char *, size_t, const char *>;

/// Expects a message at a column of each text.
template <size_t N>
static void expectErrors(const Case (&cases)[N]) {
  const std::string body =
      ".shared .u32 x[8]; .reg .v2 .b32 v; .reg .v4 .b32 w; ";
  for (const auto &[text, column, error] : cases)
    EXPECT_EQ(errorsOfBody(body + text),
              "7:" + std::to_string(body.size() + column) + ": " + error)
        << text;
}

TEST(Operand, RefusesWhatIsNone) {
  const Case cases[] = {
      {"mov.b32 %r1, ;", 14, "expected an operand, got ';'"},
      {"mov.b32 %r1, @;", 14, "expected an operand, got '@'"},
      {"mov.b32 %r1, .x;", 14, "expected an operand, got '.x'"},
      {"mov.b32 %r1, -%p2;", 15,
       "expected a register that is no predicate after '-', got '%p2'"},
      {"mov.b32 %r1, -x;", 15,
       "expected a register that is no predicate after '-', got 'x'"},
      {"mov.b32 %r1, 5+-%r2;", 17, "expected a constant, got '%r2'"},
      {"mov.b32 %r1, %r2+4;", 17,
       "expected ',' or ';' after the operand, got '+'"},
      {"mov.b32 %r1, %r2-4;", 17,
       "expected ',' or ';' after an operand, got '-'"},
      {"mov.b32 %r1, x+;", 16, "expected a constant, got ';'"},
      {"mov.b32 %r1, x+1.0;", 16, "expected an integer as offset, got a float"},
      {"mov.b32 %r1, %r2.x;", 17,
       "expected no component of '%r2', which is no vector, got '.x'"},
      {"mov.b32 %r1, v.z;", 15, "expected a component .x or .y, got '.z'"},
      {"mov.b32 %r1, v.xy;", 15, "expected a component .x or .y, got '.xy'"},
      {"mov.b32 %r1, w.q;", 15,
       "expected a component .x, .y, .z or .w, got '.q'"},
      {"mov.b32 %r1, %tid.q;", 18,
       "expected a component .x, .y, .z or .w, got '.q'"},
      {"mov.b32 {%r1, %r2;", 18, "expected ',' or '}' in a vector, got ';'"},
      {"mov.b32 {}, %r2;", 10, "expected an operand, got '}'"},
      {"mov.b32 {{%r1}}, %r2;", 10,
       "expected a register, a constant or '_' in a vector, got '{'"},
      {"mov.b32 {[%r1]}, %r2;", 10,
       "expected a register, a constant or '_' in a vector, got '['"},
      {"setp.eq.u32 %p1|, 0, 0;", 17,
       "expected a register or '_' after '|', got ','"},
      {"and.pred %p1, !%r1, %p2;", 16,
       "expected a predicate after '!', got '%r1'"},
      {"and.pred %p1, !a, %p2;", 16, "expected a predicate after '!', got 'a'"},
      {"mov.b32 %r1, WARP_SZ.x;", 21,
       "expected ',' or ';' after an operand, got '.x'"},
  };
  expectErrors(cases);
}

TEST(Operand, RefusesBadAddresses) {
  const Case cases[] = {
      {"ld.u32 %r1, [];", 14, "expected an address, got ']'"},
      {"ld.u32 %r1, [%rd1;", 18,
       "expected '+', ',' or ']' in an address, got "
       "';'"},
      {"ld.u32 %r1, [%rd1-16];", 18,
       "expected a negative offset as '+-', got '-'"},
      {"ld.u32 %r1, [%rd1+%rd2];", 19, "expected a constant, got '%rd2'"},
      {"ld.u32 %r1, [%rd1+1.5];", 19,
       "expected an integer as offset, got a float"},
      {"ld.u32 %r1, [1.5];", 14, "expected an integer as address, got a float"},
      {"ld.u32 %r1, [k];", 14,
       "expected a register, a variable or a number "
       "as address, got 'k'"},
      {"ld.u32 %r1, [v];", 14,
       "expected a register, a variable or a number "
       "as address, got 'v'"},
      {"ld.u32 %r1, [%tid.x];", 14,
       "expected a register, a variable or a "
       "number as address, got '%tid'"},
      {"ld.u32 %r1, [x[1]];", 15,
       "expected '+', ',' or ']' in an address, got '['"},
      {"ld.u32 %r1, x[%r2];", 15, "expected a constant index, got '%r2'"},
      {"ld.u32 %r1, x[1.5];", 15, "expected an integer as index, got a float"},
      {"ld.u32 %r1, x[1;", 16, "expected ']' after the index, got ';'"},
      {"ld.u32 %r1, x[1][2];", 17,
       "expected ',' or ';' after an operand, got '['"},
      {"ld.u32 %r1, %r2[1];", 16,
       "expected no index of '%r2', which is no variable, got '['"},
      {"cp.x [%rd1, [%rd2]];", 13,
       "expected coordinates in an address, got '['"},
      {"cp.x [%rd1, {%r1};", 18, "expected ',' or ']' in an address, got ';'"},
  };
  expectErrors(cases);
}
