// From the file to a program that may run.

#include "runtime/core/Executable.h"

#include "runtime/cpu/CpuDevice.h"

#include "test/unit/runtime/TinyModel.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

static Status load(const std::vector<uint8_t> &file,
                   std::unique_ptr<Executable> &executable) {
  return Executable::load(writeTemporary("tcc-executable.bin", file),
                          CpuDevice::targetKind, executable);
}

/// Executable mappings of this process.
static std::vector<std::string> executableMappings() {
  std::vector<std::string> mappings;
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);)
    if (line.find(" r-xp ") != std::string::npos ||
        line.find(" rwxp ") != std::string::npos)
      mappings.push_back(line);
  return mappings;
}

TEST(Executable, MapsNoCodeBeforeItIsAskedToRun) {
  std::vector<std::string> before = executableMappings();
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(load(tinyFile(), executable).ok());
  EXPECT_EQ(executableMappings(), before);
  auto device = std::make_unique<CpuDevice>(1);
  ASSERT_TRUE(executable->prepare(*device).ok());
  std::vector<std::string> after = executableMappings();
  EXPECT_EQ(after.size(), before.size() + 1);
  for (const std::string &mapping : after)
    EXPECT_EQ(mapping.find(" rwxp "), std::string::npos) << mapping;
  device.reset();
  EXPECT_EQ(executableMappings(), before);
}

TEST(Executable, PreparesWhatThePlanUses) {
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(load(tinyFile(), executable).ok());
  CpuDevice device(1);
  ASSERT_TRUE(executable->prepare(device).ok());
  const Program &program = executable->program();
  EXPECT_EQ(program.plan, &executable->plan());
  EXPECT_EQ(program.weights,
            executable->bytesOf(*executable->manifest().weights));
  // Kernel 1 is a return.
  EXPECT_TRUE(device.launch({/*kernel=*/1, nullptr, 0, /*tiles=*/1}).ok());
}

TEST(Executable, RefusesEveryFlippedByteOfTheCode) {
  std::vector<uint8_t> file = tinyFile();
  for (size_t at = 4096; at < 4096 + 84; ++at) {
    std::vector<uint8_t> flipped = file;
    flipped[at] ^= 0x10;
    std::unique_ptr<Executable> executable;
    Status status = load(flipped, executable);
    ASSERT_EQ(status.code(), Status::Code::BadData) << "byte " << at;
    size_t place = status.message().find(": code: expected the digest ");
    ASSERT_NE(place, std::string::npos);
    EXPECT_NE(status.message().find("; the file is damaged: compile the model "
                                    "again"),
              std::string::npos);
  }
}

// What is checked is what runs, though somebody writes to the file.
TEST(Executable, ChecksTheCodeThatItCopied) {
  std::vector<uint8_t> file = tinyFile();
  std::string path = writeTemporary("tcc-executable.bin", file);
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(Executable::load(path, CpuDevice::targetKind, executable).ok());
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(4096).put('\xcc').flush();
  CpuDevice device(1);
  EXPECT_EQ(executable->prepare(device).code(), Status::Code::BadData);
  EXPECT_EQ(executable->program().plan, nullptr);
}

TEST(Executable, RunsNoCodeOfAnotherKind) {
  constexpr auto kind = schema::TargetKind::H100;
  schema::ExecutableT manifest = tinyManifest();
  manifest.targets[0]->kind = kind;
  for (auto &kernel : manifest.targets[0]->kernels)
    kernel->threads = 32;
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(Executable::load(writeTemporary("tcc-executable.bin",
                                              tinyFile(std::move(manifest))),
                               kind, executable)
                  .ok());
  CpuDevice device(1);
  Status status = executable->prepare(device);
  EXPECT_EQ(status.code(), Status::Code::Internal);
  EXPECT_EQ(status.message(),
            executable->path() +
                ": code: expected it for x86-64, got it for h100");
}

TEST(Executable, NamesWhatTheCpuLacks) {
  schema::ExecutableT manifest = tinyManifest();
  manifest.targets[0]->features = {"sse2", "no_such", "nor\033this"};
  manifest.targets[0]->weights.reset(); // What the CPU lacks comes first.
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(load(tinyFile(std::move(manifest)), executable).ok());
  CpuDevice device(1);
  Status status = executable->prepare(device);
  EXPECT_EQ(status.code(), Status::Code::DeviceUnavailable);
  EXPECT_EQ(
      status.message(),
      executable->path() +
          ": code: expected a CPU with what it was compiled for (x86-64), "
          "got one that lacks no_such, nor\\x1bthis; compile the model again "
          "with --march=native on this machine or --march=x86-64-v3");
}

TEST(Executable, RunsNoModelWithoutWeights) {
  schema::ExecutableT manifest = tinyManifest();
  manifest.targets[0]->weights.reset();
  std::unique_ptr<Executable> executable;
  ASSERT_TRUE(load(tinyFile(std::move(manifest)), executable).ok());
  CpuDevice device(1);
  Status status = executable->prepare(device);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(status.message(),
            executable->path() +
                ": expected weights, got a model that was compiled with "
                "--no-weights; compile it again without that");
}
