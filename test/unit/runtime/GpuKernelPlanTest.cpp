// How a GPU launches kernels, as a reader of untrusted files takes it.

#include "runtime/core/Manifest.h"

#include "test/unit/runtime/TinyModel.h"

#include <functional>
#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

namespace {
/// A tensor map: at first a matrix of bf16 with a row for each token, of which
/// 64 x 64 are copied.
struct Map {
  uint32_t argument = 0;
  int element = static_cast<int>(schema::ElementType::BF16);
  uint8_t swizzle = 128;
  uint64_t offset = 64, columns = 576;
  int64_t constantRows = 0;
  uint64_t planes = 1, rowBytes = 1152, planeBytes = 0;
  uint32_t boxColumns = 64, boxRows = 64;

  schema::TensorMap build() const {
    return {argument,   schema::ElementType(element),
            swizzle,    offset,
            columns,    schema::Expression(constantRows, 1, 0, 0, 0, 0, 0),
            planes,     rowBytes,
            planeBytes, boxColumns,
            boxRows};
  }
};
} // namespace

/// Reads the tiny model for a GPU after `change` of its first kernel.
static Status read(const std::function<void(schema::KernelT &)> &change,
                   Manifest &result) {
  schema::ExecutableT manifest = tinyManifest();
  schema::TargetT &target = *manifest.targets[0];
  target.kind = schema::TargetKind::H100;
  for (auto &kernel : target.kernels)
    kernel->threads = 128;
  *target.code = {1 << 16, 84, {}};
  *target.weights = {(1 << 16) + segmentAlignment, 256, {}};
  change(*target.kernels[0]);
  std::vector<uint8_t> bytes = serialise(manifest);
  return readManifest(bytes.data(), bytes.size(), 1 << 20, "m.bin",
                      schema::TargetKind::H100, result);
}

/// What is said of a tensor map after `change`, between place and end.
static std::string messageOf(const std::function<void(Map &)> &change) {
  Manifest result;
  std::string text = read(
                         [&](schema::KernelT &kernel) {
                           Map map;
                           change(map);
                           kernel.tensor_maps = {map.build()};
                         },
                         result)
                         .message();
  std::string begin = "m.bin: manifest: kernel 'count': tensor map 0: ";
  EXPECT_EQ(text.substr(0, begin.size()), begin);
  return text.substr(begin.size(), text.find(';') - begin.size());
}

TEST(GpuKernelPlan, HasWhatTheFileSays) {
  Manifest manifest;
  Status status = read(
      [](schema::KernelT &kernel) {
        kernel.blocks = 132;
        kernel.cluster = 2;
        kernel.shared_bytes = 200000;
        kernel.tensor_maps = {Map().build()};
      },
      manifest);
  ASSERT_TRUE(status.ok()) << status.message();
  const KernelPlan &kernel = manifest.plan.kernels[0];
  EXPECT_EQ(kernel.blocks, 132u);
  EXPECT_EQ(kernel.cluster, 2u);
  EXPECT_EQ(kernel.sharedBytes, 200000u);
  ASSERT_EQ(kernel.tensorMaps.size(), 1u);
  const TensorMapPlan &map = kernel.tensorMaps[0];
  EXPECT_EQ(map.element, ElementType::BF16);
  EXPECT_EQ(map.swizzle, 128u);
  EXPECT_EQ(map.offset, 64);
  EXPECT_EQ(map.columns, 576);
  EXPECT_EQ(map.rows.evaluate({7, 1, 0}), 7);
  EXPECT_EQ(map.rowBytes, 1152);
  EXPECT_EQ(map.boxRows, 64u);
  // The other kernel has none, and the usual numbers.
  EXPECT_EQ(manifest.plan.kernels[1].cluster, 1u);
  EXPECT_EQ(manifest.plan.kernels[1].blocks, 0u);
}

TEST(GpuKernelPlan, ChecksClustersAndMemory) {
  auto kernelMessage =
      [](const std::function<void(schema::KernelT &)> &change) {
        Manifest result;
        std::string text = read(change, result).message();
        std::string begin = "m.bin: manifest: kernel 'count': ";
        EXPECT_EQ(text.substr(0, begin.size()), begin);
        return text.substr(begin.size(), text.find(';') - begin.size());
      };
  for (uint32_t cluster : {0u, 9u})
    EXPECT_EQ(
        kernelMessage(
            [&](schema::KernelT &kernel) { kernel.cluster = cluster; }),
        "expected clusters of 1 to 8 blocks that divide the blocks, got " +
            std::to_string(cluster));
  EXPECT_EQ(kernelMessage([](schema::KernelT &kernel) {
              kernel.cluster = 4;
              kernel.blocks = 130;
            }),
            "expected clusters of 1 to 8 blocks that divide the blocks, got 4");
  EXPECT_EQ(kernelMessage(
                [](schema::KernelT &kernel) { kernel.shared_bytes = 232449; }),
            "expected at most 232448 bytes of shared memory, got 232449");
}

TEST(GpuKernelPlan, ChecksLayoutsOfTensorMaps) {
  std::string bytes = "expected multiples of 16 bytes below 2^40 from one row "
                      "to the next, between planes and to the first, got ";
  EXPECT_EQ(messageOf([](Map &map) { map.offset = 8; }), bytes + "8");
  EXPECT_EQ(messageOf([](Map &map) { map.rowBytes = 1160; }), bytes + "1160");
  EXPECT_EQ(messageOf([](Map &map) { map.planeBytes = uint64_t(1) << 40; }),
            bytes + "1099511627776");
  EXPECT_EQ(messageOf([](Map &map) { map.columns = 577; }),
            "expected rows of 577 elements, got 1152 bytes");
  EXPECT_EQ(messageOf([](Map &map) { map.planes = 0; }),
            "expected 1 to 2^32 columns and planes, got 0");
  EXPECT_EQ(messageOf([](Map &map) { map.element = 7; }),
            "expected a known type of elements, got 7");
  EXPECT_EQ(messageOf([](Map &map) { map.constantRows = int64_t(1) << 33; }),
            "expected at most 2^32 rows in any step");
}

TEST(GpuKernelPlan, ChecksBoxesOfTensorMaps) {
  EXPECT_EQ(messageOf([](Map &map) { map.boxRows = 257; }),
            "expected boxes of 1 to 256 columns and rows, got 257");
  EXPECT_EQ(messageOf([](Map &map) { map.swizzle = 48; }),
            "expected a swizzle of 0, 32, 64 or 128 bytes, got 48");
  std::string bytes = "expected rows of a box of a multiple of 16 bytes, at "
                      "most those of the swizzle, got ";
  EXPECT_EQ(messageOf([](Map &map) { map.boxColumns = 60; }), bytes + "120");
  EXPECT_EQ(messageOf([](Map &map) { map.boxColumns = 72; }), bytes + "144");
}

TEST(GpuKernelPlan, TensorMapsAreOfArguments) {
  Manifest result;
  std::string text = read(
                         [](schema::KernelT &kernel) {
                           Map map;
                           map.argument = 99;
                           kernel.tensor_maps = {map.build()};
                         },
                         result)
                         .message();
  EXPECT_NE(text.find("expected tensor maps of arguments below "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(", got 99;"), std::string::npos) << text;
}
