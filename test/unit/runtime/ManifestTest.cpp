// What a reader of untrusted files must refuse.

#include "runtime/core/Manifest.h"

#include "test/unit/runtime/TinyModel.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

/// Reads `file` in memory as `Executable::load` does.
static Status readFile(const std::vector<uint8_t> &file, Manifest &manifest) {
  FileHeader header;
  if (Status status = decodeHeader(file.data(), file.size(), "m.bin", header);
      !status.ok())
    return status;
  return readManifest(file.data() + headerBytes, header.manifestBytes,
                      file.size(), "m.bin", manifest);
}

static uint64_t manifestBytes(const std::vector<uint8_t> &file) {
  FileHeader header;
  EXPECT_TRUE(decodeHeader(file.data(), file.size(), "m.bin", header).ok());
  return header.manifestBytes;
}

TEST(FileHeader, SaysWhatWasWritten) {
  std::vector<uint8_t> manifest = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<uint8_t> file = withHeader(manifest, 72);
  FileHeader header;
  ASSERT_TRUE(decodeHeader(file.data(), file.size(), "m.bin", header).ok());
  EXPECT_EQ(header.writer, "tcc test");
  EXPECT_EQ(header.manifestBytes, 8u);
  EXPECT_EQ(header.fileBytes, 72u);
}

TEST(FileHeader, AnotherVersionNamesItsWriter) {
  std::vector<uint8_t> file = tinyFile();
  file[8] = 9;
  Manifest manifest;
  Status status = readFile(file, manifest);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(status.message(),
            "m.bin: expected format version 1, got 9, written by tcc test; "
            "compile the model again with a tcc of this version");
}

TEST(FileHeader, AnotherFileIsNoModel) {
  std::string text = "version https://git-lfs.github.com/spec/v1\n";
  FileHeader header;
  Status status = decodeHeader(reinterpret_cast<const uint8_t *>(text.data()),
                               text.size(), "m.bin", header);
  EXPECT_EQ(status.message(),
            "m.bin: not a model.bin: expected it to begin with 'TCCMODEL'; "
            "compile a model with 'tcc INPUT -o model.bin' first");
}

TEST(Manifest, ReadsThePlan) {
  Manifest manifest;
  std::vector<uint8_t> file = tinyFile();
  Status status = readFile(file, manifest);
  ASSERT_TRUE(status.ok()) << status.message();
  const Plan &plan = manifest.plan;
  EXPECT_EQ(plan.vocabulary, 8);
  EXPECT_EQ(plan.pageTokens(), 4);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 128);
  ASSERT_EQ(plan.sections.size(), 2u);
  EXPECT_TRUE(plan.sections[0].isLoop);
  EXPECT_EQ(plan.sections[0].layers, 2);
  EXPECT_EQ(plan.sections[0].launches[0].arguments.size(), 9u);
  EXPECT_FALSE(plan.sections[1].isLoop);
  EXPECT_EQ(plan.arenaBytes.evaluate({3, 1, 2}), 64 + 3 * 128 + 2 * 32);
  EXPECT_EQ(manifest.features, std::vector<std::string>{"sse2"});
}

// Every truncation, among them those within the segments.
TEST(Manifest, RefusesEveryTruncation) {
  std::vector<uint8_t> file = tinyFile();
  for (size_t size = 0; size < file.size(); ++size) {
    std::vector<uint8_t> cut(file.begin(),
                             file.begin() + static_cast<int64_t>(size));
    Manifest manifest;
    ASSERT_EQ(readFile(cut, manifest).code(), Status::Code::BadData)
        << size << " bytes";
  }
}

TEST(Manifest, RefusesEveryFlippedBit) {
  std::vector<uint8_t> file = tinyFile();
  for (size_t bit = 0; bit < 8 * (headerBytes + manifestBytes(file)); ++bit) {
    std::vector<uint8_t> flipped = file;
    flipped[bit / 8] ^= 1 << bit % 8;
    Manifest manifest;
    ASSERT_EQ(readFile(flipped, manifest).code(), Status::Code::BadData)
        << "byte " << bit / 8;
  }
}

// The digest protects against accidents, not against malice: whoever damages a
// manifest can compute its digest. Nothing may crash then.
TEST(Manifest, SurvivesEveryByteWithMatchingDigest) {
  std::vector<uint8_t> file = tinyFile();
  size_t size = manifestBytes(file);
  std::vector<uint8_t> original(file.begin() + headerBytes,
                                file.begin() + headerBytes +
                                    static_cast<int64_t>(size));
  for (size_t at = 0; at < size; ++at)
    for (int value : {0, 1, 0x7f, 0x80, 0xff, original[at] ^ 4}) {
      std::vector<uint8_t> changed = original;
      changed[at] = static_cast<uint8_t>(value);
      Manifest manifest;
      Status status = readManifest(changed.data(), changed.size(), file.size(),
                                   "m.bin", manifest);
      EXPECT_TRUE(status.ok() || status.code() == Status::Code::BadData ||
                  status.code() == Status::Code::DeviceUnavailable);
    }
}

//===----------------------------------------------------------------------===//
// One test for each rule
//===----------------------------------------------------------------------===//

namespace {
struct Rule {
  const char *name;
  std::function<void(schema::ExecutableT &, schema::TargetT &)> change;
  const char *message;
  Status::Code code = Status::Code::BadData;
};

class ManifestRule : public testing::TestWithParam<Rule> {};
} // namespace

TEST_P(ManifestRule, IsChecked) {
  schema::ExecutableT changed = tinyManifest();
  GetParam().change(changed, *changed.targets.front());
  Manifest manifest;
  std::vector<uint8_t> file = tinyFile(std::move(changed));
  Status status = readFile(file, manifest);
  EXPECT_EQ(status.code(), GetParam().code);
  EXPECT_EQ(status.message(), std::string("m.bin: ") + GetParam().message);
}

static schema::LaunchT &innerLaunch(schema::TargetT &target) {
  return *target.steps[0]->step.AsLoop()->steps[0];
}

static const Rule rules[] = {
    {"NoVocabulary", [](auto &m, auto &) { m.vocabulary = 0; },
     "manifest: vocabulary: expected 1 to 16777216, got 0"},
    {"HugeMaxPositions", [](auto &m, auto &) { m.max_positions = ~0u; },
     "manifest: max_positions: expected 1 to 1073741824, got 4294967295"},
    {"Activations",
     [](auto &m, auto &) { m.activations = schema::ElementType::I32; },
     "manifest: activations: expected F32, F16 or BF16, got 3"},
    {"NegativeEndId", [](auto &m, auto &) { m.end_ids = {-1}; },
     "manifest: end_ids: expected ids from 0, got -1"},
    {"NoTarget", [](auto &m, auto &t) { t.kind = schema::TargetKind(9); },
     "it was compiled for a kind of device that this tcc-run does not know "
     "(9); use a newer one",
     Status::Code::DeviceUnavailable},
    {"Mesh", [](auto &, auto &t) { t.mesh = {2, 4}; },
     "it was compiled for a mesh of 8 devices, and this tcc-run drives one; "
     "compile it with --devices=1",
     Status::Code::DeviceUnavailable},
    {"KernelEntry", [](auto &, auto &t) { t.kernels[0]->entry = 84; },
     "manifest: kernel 'count': expected an entry within the 84 bytes of the "
     "code, got 84"},
    {"Coefficient",
     [](auto &, auto &t) { *t.arena = {64, int64_t(1) << 41, 0, 32}; },
     "manifest: arena: expected coefficients up to 2^40, got 2199023255552"},
    {"NegativeBytes",
     [](auto &, auto &t) { *t.buffers[0]->bytes = {64, 128, -256, 0}; },
     "manifest: buffer 'hidden': bytes: expected a value that is never "
     "negative"},
    {"UnalignedBuffer",
     [](auto &, auto &t) { *t.buffers[1]->offset = {64, 100, 0, 0}; },
     "manifest: buffer 'logits': expected an offset that is always a multiple "
     "of 64"},
    {"BufferBeyondArena",
     [](auto &, auto &t) { *t.buffers[1]->bytes = {1, 0, 0, 32}; },
     "manifest: buffer 'logits': expected it to lie within the arena in every "
     "step"},
    {"LogitsIndex", [](auto &, auto &t) { t.logits = 2; },
     "manifest: logits: expected an index below 2, got 2"},
    {"LogitsSize", [](auto &m, auto &) { m.vocabulary = 9; },
     "manifest: logits: expected a buffer of at least 36 bytes a row"},
    {"WeightLayers", [](auto &, auto &t) { t.packed[0]->layers = 0; },
     "manifest: weight 'layers.weight': expected 1 to 65536 layers, got 0"},
    {"WeightAlignment", [](auto &, auto &t) { t.packed[0]->offset = 32; },
     "manifest: weight 'layers.weight': expected offset and stride to be "
     "multiples of 64"},
    {"WeightHuge", [](auto &, auto &t) { t.packed[0]->offset = ~uint64_t(63); },
     "manifest: weight 'layers.weight': expected sizes up to 2^50 bytes"},
    {"WeightOverlap", [](auto &, auto &t) { t.packed[0]->stride = 64; },
     "manifest: weight 'layers.weight': its layers overlap"},
    {"WeightEnd", [](auto &, auto &t) { t.packed[0]->offset = 64; },
     "manifest: weight 'layers.weight': expected it to end within the 256 "
     "bytes of the weights"},
    {"CacheLayers", [](auto &, auto &t) { t.caches[0]->layers = 0; },
     "manifest: cache 0: expected 1 to 65536 layers, got 0"},
    {"CachePage", [](auto &, auto &t) { t.caches[0]->page_tokens = 0; },
     "manifest: cache 0: expected 1 to 1073741824 positions a page, got 0"},
    {"CacheElement",
     [](auto &, auto &t) { t.caches[0]->element = schema::ElementType::I32; },
     "manifest: cache 0: expected elements of type F32, F16 or BF16, got 3"},
    {"CacheAlignment", [](auto &, auto &t) { t.caches[0]->page_bytes = 96; },
     "manifest: cache 0: expected a multiple of 64 bytes a page, up to 2^40, "
     "got 96"},
    {"CacheTooSmall", [](auto &, auto &t) { t.caches[0]->heads = 2; },
     "manifest: cache 0: expected pages that hold heads * page_tokens * "
     "(key_size + value_size) elements, got 64 bytes"},
    {"RotaryEmpty",
     [](auto &, auto &t) { t.rotary_tables[0]->inverse_frequencies.clear(); },
     "manifest: rotary table 0: expected 1 to 65536 frequencies, got 0"},
    {"RotaryNaN", [](auto &, auto &t) { t.rotary_tables[0]->multiplier = NAN; },
     "manifest: rotary table 0: expected finite frequencies and multiplier"},
    {"NoSteps", [](auto &, auto &t) { t.steps.clear(); },
     "manifest: steps: expected at least one"},
    {"LaunchKernel", [](auto &, auto &t) { innerLaunch(t).kernel = 2; },
     "manifest: step 0: launch 0: expected a kernel below 2, got 2"},
    {"Tiles",
     [](auto &, auto &t) {
       *innerLaunch(t).tiles = {0, int64_t(1) << 40, 0, 0};
     },
     "manifest: step 0: launch 0: expected at most 2^40 tiles in any step"},
    {"ArgumentKind",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind(9), 0};
     },
     "manifest: step 0: launch 0: argument 0: expected a known kind of "
     "argument, got 9"},
    {"ArgumentIndex",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind::Buffer, 2};
     },
     "manifest: step 0: launch 0: argument 0: expected an index below 2, got "
     "2"},
    {"LoopBeyondWeight", [](auto &, auto &t) { t.packed[0]->layers = 1; },
     "manifest: step 0: launch 0: argument 1: the loop goes beyond the layers "
     "of the weight"},
    {"LoopBeyondCache", [](auto &, auto &t) { t.caches[0]->layers = 1; },
     "manifest: step 0: launch 0: argument 2: the loop goes beyond the layers "
     "of the cache"},
    {"NoLayers", [](auto &, auto &t) { t.steps[0]->step.AsLoop()->layers = 0; },
     "manifest: step 0: expected a loop of 1 to 65536 layers, got 0"},
    {"CacheOutsideLoop",
     [](auto &, auto &t) {
       t.steps[1]->step.AsLaunch()->arguments[0] = {
           schema::ArgumentKind::CacheLayer, 0};
     },
     "manifest: step 1: argument 0: expected a layer of a cache inside a loop "
     "only"},
    {"WeightOutsideLoop",
     [](auto &, auto &t) {
       t.steps[1]->step.AsLaunch()->arguments[0] = {
           schema::ArgumentKind::Weight, 0};
     },
     "manifest: step 1: argument 0: expected weights of layers inside a loop "
     "only"},
};

INSTANTIATE_TEST_SUITE_P(All, ManifestRule, testing::ValuesIn(rules),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// Segments: `tinyFile` places them, so these change what it wrote
//===----------------------------------------------------------------------===//

/// Reads the tiny file with `change` applied to its finished manifest.
static std::string
segmentMessage(const std::function<void(schema::TargetT &)> &change) {
  std::vector<uint8_t> file = tinyFile();
  schema::ExecutableT manifest;
  schema::GetExecutable(file.data() + headerBytes)->UnPackTo(&manifest);
  change(*manifest.targets.front());
  std::vector<uint8_t> bytes = serialise(manifest);
  Manifest result;
  Status status =
      readManifest(bytes.data(), bytes.size(), file.size(), "m.bin", result);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  return status.message();
}

TEST(ManifestSegments, MustBeAligned) {
  EXPECT_EQ(segmentMessage(
                [](schema::TargetT &target) { *target.code = {4097, 84, {}}; }),
            "m.bin: manifest: segment at byte 4097: expected a multiple of "
            "4096");
}

TEST(ManifestSegments, MustNotOverlap) {
  EXPECT_EQ(segmentMessage([](schema::TargetT &target) {
              *target.weights = {target.code->offset(), 256, {}};
            }),
            "m.bin: manifest: segment at byte 4096: it overlaps what lies "
            "before it, which ends at byte 4180");
}

TEST(ManifestSegments, MustLieInTheFile) {
  EXPECT_EQ(segmentMessage([](schema::TargetT &target) {
              *target.weights = {8192, ~uint64_t(0), {}};
            }),
            "m.bin: manifest: segment at byte 8192: expected it to end within "
            "the 8448 bytes of the file, got 18446744073709551615 bytes");
}

TEST(ManifestSegments, MustNotCoverTheManifest) {
  EXPECT_NE(segmentMessage([](schema::TargetT &target) {
              *target.code = {0, 84, {}};
            }).find("it overlaps what lies before it"),
            std::string::npos);
}

TEST(Printable, LeavesNothingThatDisturbsATerminal) {
  EXPECT_EQ(printable("a\033[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(printable(std::string(300, 'x')).size(), 200u);
}
