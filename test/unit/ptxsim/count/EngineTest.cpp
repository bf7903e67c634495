// Counters of whole launches, of what ptx-run cannot do: memory of the host, several
// launches and modules.

#include "tools/ptxsim/machine/Engine.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace ptxsim;

namespace {

class CountingEngine : public testing::Test {
protected:
  CountingEngine() {
    EngineOptions options;
    options.checks = CheckLevel::None;
    options.counts = true;
    engine = Engine::create(options);
  }

  std::unique_ptr<LoadedModule> load(const std::string &body) {
    std::string text = ".version 8.6\n.target sm_90a\n.address_size 64\n"
                       ".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r;\n"
                       ".reg .b64 %d;\nld.param.u64 %d, [p];\n" +
                       body + "ret;\n}\n";
    std::vector<ptx::Diagnostic> diagnostics;
    std::unique_ptr<ptx::Module> module = ptx::parse(text, "test", diagnostics);
    if (module == nullptr)
      return nullptr;
    return engine->load(std::move(module), 1, diagnostics);
  }

  void launch(LoadedModule &module, uint64_t address, uint32_t threads = 1) {
    LaunchParameters parameters;
    parameters.kernel = module.findKernel("k");
    parameters.block = {threads, 1, 1};
    parameters.serial = ++serial;
    parameters.parameters.resize(8);
    std::memcpy(parameters.parameters.data(), &address, 8);
    Fault fault;
    ASSERT_NE(engine->start(parameters, {}, {}, fault), nullptr);
    while (engine->run() != EngineEvent::Idle) {
    }
  }

  bool reports(const std::string &text) const {
    return engine->report().find(text) != std::string::npos;
  }

  std::unique_ptr<Engine> engine;
  uint64_t serial = 0;
};

TEST_F(CountingEngine, CountsMemoryOfTheHostApart) {
  uint64_t pinned =
      engine->memory().allocate(256, 256, MemoryKind::Pinned, 1);
  alignas(64) static uint8_t own[64];
  ASSERT_TRUE(engine->memory().registerHost(reinterpret_cast<uint64_t>(own), 64, 1));
  auto module = load("ld.global.u32 %r, [%d];\nst.global.u32 [%d+32], %r;\n");
  ASSERT_NE(module, nullptr);
  launch(*module, pinned);
  launch(*module, reinterpret_cast<uint64_t>(own));
  EXPECT_TRUE(reports("\"globalLoad\": {\"requests\": 2, \"bytes\": 8, "
                      "\"sectors\": 2, \"idealSectors\": 2, \"lines\": 2}, "
                      "\"host\": {\"readSectors\": 2}}"));
  EXPECT_TRUE(reports("\"host\": {\"writeSectors\": 2}}"));
  EXPECT_FALSE(reports("\"l2\": {"));
  EXPECT_FALSE(reports("\"hbm\": {"));
}

TEST_F(CountingEngine, KeepsWhatL2HasFromLaunchToLaunch) {
  uint64_t device = engine->memory().allocate(256, 256, MemoryKind::Device, 1);
  auto module = load("ld.global.u32 %r, [%d];\n");
  ASSERT_NE(module, nullptr);
  launch(*module, device);
  launch(*module, device);
  std::string report = engine->report();
  // The launches, then their sum.
  size_t first = report.find("\"l2\": {\"readSectors\": 1}, "
                             "\"hbm\": {\"readSectors\": 1}, "
                             "\"compulsory\": {\"readSectors\": 1}");
  size_t second = report.find("\"l2\": {\"readSectors\": 1, \"hitSectors\": 1}, "
                              "\"compulsory\": {\"readSectors\": 1}");
  size_t sum = report.find("\"l2\": {\"readSectors\": 2, \"hitSectors\": 1}, "
                           "\"hbm\": {\"readSectors\": 1}, "
                           "\"compulsory\": {\"readSectors\": 2}");
  EXPECT_NE(first, std::string::npos);
  EXPECT_NE(second, std::string::npos);
  EXPECT_NE(sum, std::string::npos);
  EXPECT_LT(first, second);
  EXPECT_LT(second, sum);
}

TEST_F(CountingEngine, KnowsAModuleThatIsLoadedAgain) {
  for (int i = 0; i < 2; ++i) {
    auto module = load("");
    ASSERT_NE(module, nullptr);
    launch(*module, 0, 33);
  }
  auto other = load("mov.u32 %r, 1;\n");
  ASSERT_NE(other, nullptr);
  launch(*other, 0);
  other.reset();
  EXPECT_TRUE(reports("{\"name\": \"k\", \"module\": \"test\", \"launches\": 2, "
                      "\"totals\": {\"issued\": 8, \"activeLanes\": 132"));
  EXPECT_TRUE(reports("{\"name\": \"k\", \"module\": \"test\", \"launches\": 1, "
                      "\"totals\": {\"issued\": 3, \"activeLanes\": 3"));
  EXPECT_TRUE(reports("{\"launch\": 3, \"kernel\": 1,"));
}

TEST_F(CountingEngine, SaysThatALaunchFailed) {
  auto module = load("ld.global.u32 %r, [%d];\n");
  ASSERT_NE(module, nullptr);
  launch(*module, 64);
  EXPECT_TRUE(reports("\"result\": \"failed\""));
}

TEST(Engine, CountsNothingUnlessAsked) {
  EXPECT_EQ(Engine::create({})->report(), "");
}

TEST(Occupancy, SaysWhatLimits) {
  KernelAttributes attributes;
  attributes.registers = 100; // 32 * 100 are 3200, in units of 256 3328.
  Occupancy occupancy = occupancyOf(attributes, 256, 20000);
  EXPECT_EQ(occupancy.byThreads, 8u);
  EXPECT_EQ(occupancy.byRegisters, 2u); // Each quarter has 16384: 4 warps.
  EXPECT_EQ(occupancy.byShared, 233472u / 21120); // With 1024, in units of 128.
  EXPECT_EQ(occupancy.byBlocks, 32u);
  EXPECT_EQ(occupancy.blocks(), 2u);
  EXPECT_EQ(occupancyOf(attributes, 2000, 0).blocks(), 0u);
  // All of the 65536 registers would be enough for 19 warps, a quarter for 4.
  EXPECT_EQ(occupancyOf(attributes, 32, 0).blocks(), 16u);
  EXPECT_EQ(occupancyOf(attributes, 17 * 32, 0).blocks(), 0u);
  attributes.barriers = 16;
  EXPECT_EQ(occupancyOf(attributes, 32, 0).blocks(), 4u);
}

TEST(Occupancy, LeavesTheRegistersThatPtxasTakes) {
  EXPECT_EQ(h100::registersByWarps(12), 168u);
  EXPECT_EQ(h100::registersByWarps(9), 168u); // Not 224: a quarter has 3 warps.
  EXPECT_EQ(h100::registersByWarps(17), 96u);
  EXPECT_EQ(h100::registersByWarps(64), 32u);
  for (uint32_t warps = 1; warps <= 64; ++warps)
    EXPECT_GE(h100::warpsByRegisters(h100::registersByWarps(warps)), warps);
}

} // namespace
