// What a reader of untrusted files must refuse.

#include "runtime/core/Manifest.h"

#include "runtime/support/Text.h"
#include "test/unit/runtime/TinyModel.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <sys/mman.h>

using namespace tcc;
using namespace tcc::rt;

static constexpr schema::TargetKind x86 = schema::TargetKind::X86_64;

/// Reads `file` in memory as `Executable::load` does.
static Status readFile(const std::vector<uint8_t> &file, Manifest &manifest) {
  FileHeader header;
  if (Status status = decodeHeader(file.data(), file.size(), "m.bin", header);
      !status.ok())
    return status;
  return readManifest(file.data() + headerBytes, header.manifestBytes,
                      file.size(), "m.bin", x86, manifest);
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
            "m.bin: expected format version 3, got 9, written by tcc test; "
            "compile the model again with a tcc of this version");
}

TEST(FileHeader, AnotherFileIsNoModel) {
  std::string text = "version https://git-lfs.github.com/spec/v1\n";
  FileHeader header;
  Status status = decodeHeader(reinterpret_cast<const uint8_t *>(text.data()),
                               text.size(), "m.bin", header);
  EXPECT_EQ(status.message(),
            "m.bin: expected a model.bin, which begins with 'TCCMODEL', got "
            "'version '; compile a model with 'tcc INPUT -o model.bin' first");
}

TEST(FileHeader, SaysWhatIsMissing) {
  std::vector<uint8_t> file = tinyFile();
  FileHeader header;
  auto messageOf = [&](size_t size) {
    return decodeHeader(file.data(), size, "m.bin", header).message();
  };
  EXPECT_EQ(messageOf(0),
            "m.bin: expected a model.bin, which begins with 'TCCMODEL', got an "
            "empty file; compile a model with 'tcc INPUT -o model.bin' first");
  EXPECT_EQ(messageOf(63), "m.bin: expected a header of 64 bytes, got 63; the "
                           "file is truncated: compile the model again");
  EXPECT_EQ(
      messageOf(8447),
      "m.bin: header: expected 8448 bytes in the file, got 8447; the file "
      "is truncated or damaged: compile the model again");
  file[35] = 1; // Of the size of the manifest.
  std::string message = messageOf(file.size());
  EXPECT_EQ(message.find("m.bin: header: expected a manifest of at most 8384 "
                         "bytes, got "),
            0u)
      << message;
}

// xxhsum -H2 prints the same digits. Source of the digest of nothing:
// XXH3-128's published test vectors, xxHash 0.8, seed 0.
TEST(FileHeader, WritesDigestsAsXxhsumDoes) {
  EXPECT_EQ(toHex(digestOf("", 0)), "99aa06d3014798d86001c324468d497f");
}

TEST(Manifest, ReadsThePlan) {
  Manifest manifest;
  std::vector<uint8_t> file = tinyFile();
  Status status = readFile(file, manifest);
  ASSERT_TRUE(status.ok()) << status.message();
  const Plan &plan = manifest.plan;
  EXPECT_EQ(plan.vocabulary, 8);
  EXPECT_EQ(plan.pageTokens(), 4);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 192);
  EXPECT_FALSE(plan.caches[0].latent);
  EXPECT_TRUE(plan.caches[1].latent);
  EXPECT_EQ(plan.hiddenSize, 4);
  const StepPlan &step = plan.step;
  ASSERT_EQ(step.sections.size(), 2u);
  EXPECT_TRUE(step.sections[0].isLoop);
  EXPECT_EQ(step.sections[0].layers, 2);
  EXPECT_EQ(step.sections[0].launches[0].arguments.size(), 9u);
  EXPECT_FALSE(step.sections[1].isLoop);
  EXPECT_EQ(step.arenaBytes.evaluate({3, 1, 2}), 64 + 3 * 128 + 2 * 32);
  EXPECT_EQ(step.logits, 1u);
  EXPECT_EQ(step.states, 0u);
  ASSERT_TRUE(step.expansion);
  EXPECT_EQ(step.expansion->pairSaving, 1u);
  EXPECT_EQ(step.expansion->expansionCost, 2u);
  EXPECT_EQ(step.expansion->chunk, 512);
  ASSERT_TRUE(plan.prediction);
  EXPECT_EQ(plan.prediction->sections[0].launches[0].arguments[0].kind,
            ArgumentKind::States);
  EXPECT_FALSE(plan.prediction->expansion);
  EXPECT_EQ(manifest.features, std::vector<std::string>{"sse2"});
}

// The manifest is address space alone: its size says that it is none.
TEST(Manifest, RefusesTwoGigabytes) {
  size_t size = size_t{1} << 31;
  void *memory = mmap(nullptr, size, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  for (size_t bytes : {size, size - 1}) {
    Manifest manifest;
    Status status = readManifest(static_cast<const uint8_t *>(memory), bytes,
                                 bytes + headerBytes, "m.bin", x86, manifest);
    EXPECT_EQ(status.message(),
              "m.bin: manifest: expected a well-formed FlatBuffer of a model, "
              "got " +
                  std::to_string(bytes) +
                  " bytes that are none; the file is damaged: "
                  "compile the model again");
  }
  munmap(memory, size);
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
                                   "m.bin", x86, manifest);
      EXPECT_TRUE(status.ok() || status.code() == Status::Code::BadData ||
                  status.code() == Status::Code::DeviceUnavailable);
    }
}

//===----------------------------------------------------------------------===//
// Parts that tables share
//===----------------------------------------------------------------------===//

/// The manifest of a target whose kernels are one table, `kernels` times, with
/// a name of `nameBytes` bytes; and likewise its features.
static std::vector<uint8_t> sharingManifest(size_t kernels, size_t features,
                                            size_t nameBytes) {
  flatbuffers::FlatBufferBuilder builder;
  auto name = builder.CreateString(std::string(nameBytes, 'x'));
  auto kernel = schema::CreateKernel(builder, name);
  auto kernelList = builder.CreateVector(
      std::vector<flatbuffers::Offset<schema::Kernel>>(kernels, kernel));
  auto featureList = builder.CreateVector(
      std::vector<flatbuffers::Offset<flatbuffers::String>>(features, name));
  std::vector<flatbuffers::Offset<schema::Buffer>> buffers;
  schema::Expression offset, bytes(0, 0, 0, 4, 0, 0, 0);
  buffers.push_back(schema::CreateBuffer(builder, name, &offset, &bytes));
  schema::Segment code(1 << 19, 84, {});
  auto launch = schema::CreateLaunch(
      builder, 0, builder.CreateVectorOfStructs<schema::Argument>({}), &offset,
      &offset);
  auto entry = schema::CreateStepEntry(builder, schema::StepBody::Launch,
                                       launch.Union());
  auto step =
      schema::CreateStepPlan(builder, builder.CreateVector(&entry, 1), &bytes);
  auto target = schema::CreateTarget(
      builder, schema::TargetKind::X86_64, name, featureList, 0, 0, &code, 0,
      kernelList, builder.CreateVector(buffers),
      builder.CreateVector(std::vector<flatbuffers::Offset<schema::Weight>>()),
      builder.CreateVector(std::vector<flatbuffers::Offset<schema::Cache>>()),
      builder.CreateVector(
          std::vector<flatbuffers::Offset<schema::RotaryTable>>()),
      step);
  auto targets = builder.CreateVector(&target, 1);
  builder.Finish(schema::CreateExecutable(builder, name, 0, name, 1, 1, 0, 1,
                                          schema::ElementType::F32, 0, 0,
                                          targets),
                 schema::ExecutableIdentifier());
  return {builder.GetBufferPointer(),
          builder.GetBufferPointer() + builder.GetSize()};
}

static Status readSharing(size_t kernels, size_t features, size_t nameBytes) {
  std::vector<uint8_t> bytes = sharingManifest(kernels, features, nameBytes);
  Manifest manifest;
  return readManifest(bytes.data(), bytes.size(), 1 << 20, "m.bin", x86,
                      manifest);
}

// Copied for each use, ten thousand bytes would become a hundred million.
TEST(Manifest, SharedNamesTakeNoMoreThanTheFile) {
  Status status = readSharing(1, 1, 8);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(readSharing(200, 1, 1000).message(),
            "m.bin: manifest: kernel 2: expected parts that no other part "
            "shares, got more than the manifest could hold; the file is "
            "damaged: compile the model again");
  EXPECT_EQ(readSharing(1, 1000, 1000).message(),
            "m.bin: manifest: features: expected names that share no bytes, "
            "got more than the manifest could hold; the file is damaged: "
            "compile the model again");
}

//===----------------------------------------------------------------------===//
// Several targets
//===----------------------------------------------------------------------===//

/// The bytes of a manifest with one target of each kind in `kinds`, tuned for
/// "cpu 0", "cpu 1", ….
static std::vector<uint8_t> manifestOf(const std::vector<int> &kinds) {
  schema::ExecutableT manifest = tinyManifest();
  manifest.targets.clear();
  uint64_t end = 1 << 16;
  for (int kind : kinds) {
    manifest.targets.push_back(std::move(tinyManifest().targets[0]));
    schema::TargetT &target = *manifest.targets.back();
    target.kind = schema::TargetKind(kind);
    target.cpu = "cpu " + std::to_string(manifest.targets.size() - 1);
    for (auto &kernel : target.kernels)
      kernel->threads = 128;
    *target.code = {end, 84, {}};
    *target.weights = {end + segmentAlignment, 256, {}};
    end += 2 * segmentAlignment;
  }
  return serialise(manifest);
}

static Status readOf(const std::vector<uint8_t> &bytes,
                     std::optional<schema::TargetKind> kind,
                     Manifest &manifest) {
  return readManifest(bytes.data(), bytes.size(), 1 << 20, "m.bin", kind,
                      manifest);
}

TEST(ManifestTargets, TakesTheFirstOfTheKind) {
  std::vector<uint8_t> bytes = manifestOf({9, 0, 1, 0});
  for (int kind : {0, 1, 9}) {
    Manifest manifest;
    Status status = readOf(bytes, schema::TargetKind(kind), manifest);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(manifest.kind, schema::TargetKind(kind));
    int place = kind == 9 ? 0 : kind + 1;
    EXPECT_EQ(manifest.cpu, "cpu " + std::to_string(place));
    EXPECT_EQ(manifest.code.offset,
              (1u << 16) + 2 * segmentAlignment * static_cast<uint64_t>(place));
    EXPECT_EQ(manifest.plan.kernels.size(), 2u);
  }
}

// What is wrong with a target that nobody asked for is no concern.
TEST(ManifestTargets, ReadsNoPlanOfAnotherKind) {
  schema::ExecutableT manifest;
  schema::GetExecutable(manifestOf({0, 1}).data())->UnPackTo(&manifest);
  manifest.targets[1]->step->logits = 7;
  std::vector<uint8_t> bytes = serialise(manifest);
  Manifest result;
  EXPECT_TRUE(readOf(bytes, x86, result).ok());
  EXPECT_EQ(readOf(bytes, schema::TargetKind(1), result).code(),
            Status::Code::BadData);
}

// Where its segments lie is: they may not overlap those of others.
TEST(ManifestTargets, ChecksSegmentsOfAllKinds) {
  schema::ExecutableT manifest;
  schema::GetExecutable(manifestOf({0, 1}).data())->UnPackTo(&manifest);
  *manifest.targets[1]->code = *manifest.targets[0]->code;
  Manifest result;
  EXPECT_EQ(readOf(serialise(manifest), x86, result).message(),
            "m.bin: manifest: segment: expected it behind what ends at byte "
            "65620, got byte 65536; the file is damaged: compile the model "
            "again");
}

TEST(ManifestTargets, ChecksBlocksOfThreads) {
  for (uint32_t threads : {0u, 16u, 100u, 1056u, 1u << 31}) {
    schema::ExecutableT manifest;
    schema::GetExecutable(manifestOf({1}).data())->UnPackTo(&manifest);
    manifest.targets[0]->kernels[0]->threads = threads;
    Manifest result;
    EXPECT_EQ(
        readOf(serialise(manifest), schema::TargetKind::H100, result).message(),
        "m.bin: manifest: kernel 'count': expected a multiple of 32 "
        "threads up to 1024, got " +
            std::to_string(threads) +
            "; the file is damaged: compile the model again");
  }
}

TEST(ManifestTargets, SaysWhatThereIs) {
  auto messageOf = [](const std::vector<int> &kinds,
                      std::optional<schema::TargetKind> kind) {
    Manifest manifest;
    Status status = readOf(manifestOf(kinds), kind, manifest);
    EXPECT_EQ(status.code(), Status::Code::DeviceUnavailable);
    return status.message();
  };
  EXPECT_EQ(messageOf({}, x86),
            "m.bin: targets: expected x86-64, got none; compile the model "
            "again with --target=x86-64");
  EXPECT_EQ(messageOf({}, std::nullopt),
            "m.bin: targets: expected a kind that tcc-run knows, got none; "
            "compile the model again");
  EXPECT_EQ(messageOf({0}, schema::TargetKind::H100),
            "m.bin: target: expected h100, got x86-64; compile the model "
            "again with --target=x86-64,h100");
  EXPECT_EQ(messageOf({9, 8, 9}, x86),
            "m.bin: targets: expected x86-64, got kind 8, kind 9; use a newer "
            "tcc-run");
  EXPECT_EQ(messageOf({9}, std::nullopt),
            "m.bin: target: expected a kind that tcc-run knows, got kind 9; "
            "use a newer tcc-run");
}

// What needs no device is content with any target.
TEST(ManifestTargets, TakesTheFirstThatIsKnown) {
  for (int kind : {0, 1}) {
    Manifest manifest;
    Status status = readOf(manifestOf({9, kind, 1 - kind}), {}, manifest);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(manifest.kind, schema::TargetKind(kind));
    EXPECT_EQ(manifest.cpu, "cpu 1");
  }
}

//===----------------------------------------------------------------------===//
// One test for each rule
//===----------------------------------------------------------------------===//

namespace {
struct Rule {
  const char *name;
  std::function<void(schema::ExecutableT &, schema::TargetT &)> change;
  const char *message; ///< Without what to do, if it is BadData.
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
  const char *advice = status.code() == Status::Code::BadData
                           ? "; the file is damaged: compile the model again"
                           : "";
  EXPECT_EQ(status.message(),
            std::string("m.bin: ") + GetParam().message + advice);
}

static schema::LaunchT &innerLaunch(schema::TargetT &target) {
  return *target.step->entries[0]->body.AsLoop()->launches[0];
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
     "target: expected x86-64, got kind 9; use a newer tcc-run",
     Status::Code::DeviceUnavailable},
    {"Mesh",
     [](auto &, auto &t) {
       t.mesh = {2, 4};
     },
     "target: expected one device of rank 0, got a mesh of 8 and rank 0; "
     "compile the model for one device",
     Status::Code::DeviceUnavailable},
    {"KernelEntry", [](auto &, auto &t) { t.kernels[0]->entry = 84; },
     "manifest: kernel 'count': expected an entry within the 84 bytes of the "
     "code, got 84"},
    {"WorkRows",
     [](auto &, auto &t) {
       t.kernels[0]->work =
           std::make_unique<schema::Work>(schema::Rows(4), 0, 0, 0, 0, 0);
     },
     "manifest: kernel 'count': expected a known kind of rows, got 4"},
    {"Coefficient",
     [](auto &, auto &t) {
       *t.step->arena = {64, 0, 0, 0, 0, int64_t(1) << 40, 0};
     },
     "manifest: step: arena: expected coefficients up to 2^39, got "
     "1099511627776"},
    {"NegativeBytes",
     [](auto &, auto &t) {
       *t.buffers[0]->bytes = {64, 128, -256, 0, 0, 0, 0};
     },
     "manifest: buffer 'hidden': bytes: expected a value that is never "
     "negative, got 64 + 128 T + -256 B + 0 R + 0 X + 0 A + 0 E"},
    {"NegativeInOneForm",
     [](auto &, auto &t) {
       *t.buffers[0]->bytes = {64, 128, 0, 0, 0, -256, 0};
     },
     "manifest: buffer 'hidden': bytes: expected a value that is never "
     "negative, got 64 + 128 T + 0 B + 0 R + 0 X + -256 A + 0 E"},
    {"UnalignedBuffer",
     [](auto &, auto &t) {
       *t.buffers[1]->offset = {64, 128, 0, 0, 0, 0, 100};
     },
     "manifest: buffer 'logits': expected an offset that is always a multiple "
     "of 64, got 64 + 128 T + 0 B + 0 R + 0 X + 0 A + 100 E"},
    {"BufferBeyondArena",
     [](auto &, auto &t) { *t.buffers[0]->bytes = {65, 128, 0, 32, 0, 0, 0}; },
     "manifest: step: states: buffer 'hidden': expected it to lie within the "
     "arena in every step, got 1 bytes beyond its end"},
    {"ArgumentBeyondArena",
     [](auto &, auto &t) {
       *t.buffers[0]->bytes = {65, 128, 0, 32, 0, 0, 0};
       t.step->states = 1;
       t.step->logits = 1;
       *t.buffers[1]->bytes = {0, 0, 0, 32, 16, 16, 0};
       *t.buffers[1]->offset = {0, 0, 0, 0, 0, 0, 0};
     },
     "manifest: step: entry 0: launch 0: argument 0: buffer 'hidden': expected "
     "it to lie within the arena in every step, got 1 bytes beyond its end"},
    {"BufferBeyondArenaOfPrediction",
     [](auto &, auto &t) { *t.prediction->arena = {64, 128, 0, 31, 0, 0, 0}; },
     "manifest: prediction: logits: buffer 'logits': expected it to lie within "
     "the arena in every step, got 1048576 bytes beyond its end"},
    {"LogitsIndex", [](auto &, auto &t) { t.step->logits = 2; },
     "manifest: step: logits: expected an index below 2, got 2"},
    {"LogitsSize", [](auto &m, auto &) { m.vocabulary = 9; },
     "manifest: step: logits: expected a buffer of at least 36 bytes a row, "
     "got 0 + 0 T + 0 B + 32 R + 0 X + 0 A + 0 E"},
    {"StatesIndex", [](auto &, auto &t) { t.prediction->states = 2; },
     "manifest: prediction: states: expected an index below 2, got 2"},
    {"StatesSize", [](auto &m, auto &) { m.hidden_size = 49; },
     "manifest: step: states: expected a buffer of at least 196 bytes a row, "
     "got 64 + 128 T + 0 B + 0 R + 0 X + 0 A + 0 E"},
    {"StatesWithoutSize", [](auto &m, auto &) { m.hidden_size = 0; },
     "manifest: step: states: expected a hidden_size, got none"},
    {"HugeStates", [](auto &m, auto &) { m.hidden_size = 1 << 25; },
     "manifest: hidden_size: expected at most 16777216, got 33554432"},
    {"NoStatesOfStep", [](auto &, auto &t) { t.step->states.reset(); },
     "manifest: prediction: expected states of it and of the step, got none of "
     "the step"},
    {"NoStatesOfPrediction",
     [](auto &, auto &t) { t.prediction->states.reset(); },
     "manifest: prediction: expected states of it and of the step, got none of "
     "the prediction"},
    {"Expansion",
     [](auto &, auto &t) {
       *t.step->expansion = {1, uint64_t(1) << 40, 512};
     },
     "manifest: step: expansion: expected at most 2^39, got 1099511627776"},
    {"ExpansionWithoutChunk",
     [](auto &, auto &t) {
       *t.step->expansion = {1, 1, 0};
     },
     "manifest: step: expansion: chunk: expected 1 to 1048576, got 0"},
    {"WeightLayers", [](auto &, auto &t) { t.packed[0]->layers = 0; },
     "manifest: weight 'layers.weight': expected 1 to 65536 layers, got 0"},
    {"WeightAlignment", [](auto &, auto &t) { t.packed[0]->offset = 32; },
     "manifest: weight 'layers.weight': expected offset and stride to be "
     "multiples of 64, got 32 and 128"},
    {"WeightFirstLayer",
     [](auto &, auto &t) { t.packed[0]->first_layer = 65537; },
     "manifest: weight 'layers.weight': expected a first layer up to 65536, "
     "got "
     "65537"},
    {"WeightHuge", [](auto &, auto &t) { t.packed[0]->offset = ~uint64_t(63); },
     "manifest: weight 'layers.weight': expected sizes up to 2^50 bytes, got "
     "18446744073709551552"},
    {"WeightOverlap", [](auto &, auto &t) { t.packed[0]->stride = 64; },
     "manifest: weight 'layers.weight': expected a stride of at least the 100 "
     "bytes of a layer, got 64"},
    {"WeightEnd", [](auto &, auto &t) { t.packed[0]->offset = 64; },
     "manifest: weight 'layers.weight': expected it to end within the 256 "
     "bytes of the weights, got an end at 292"},
    {"CacheLayers", [](auto &, auto &t) { t.caches[0]->layers = 0; },
     "manifest: cache 0: expected 1 to 65536 layers, got 0"},
    {"CachePage", [](auto &, auto &t) { t.caches[0]->page_tokens = 0; },
     "manifest: cache 0: expected 1 to 1073741824 positions a page, got 0"},
    {"CacheElement",
     [](auto &, auto &t) { t.caches[0]->element = schema::ElementType::I32; },
     "manifest: cache 0: expected elements of type F32, F16 or BF16, got 3"},
    {"CacheAlignment", [](auto &, auto &t) { t.caches[0]->page_bytes = 96; },
     "manifest: cache 0: expected a multiple of 64 bytes a page, up to 2^39, "
     "got 96"},
    {"CacheTooSmall", [](auto &, auto &t) { t.caches[0]->heads = 2; },
     "manifest: cache 0: expected pages that hold heads * page_tokens * "
     "(key_size + value_size) elements, 128 bytes and more than none, got 64"},
    {"LatentCacheTooSmall", [](auto &, auto &t) { t.caches[1]->key_size = 5; },
     "manifest: cache 1: expected pages that hold heads * page_tokens * "
     "key_size elements, 80 bytes and more than none, got 64"},
    {"LatentCacheValues", [](auto &, auto &t) { t.caches[1]->value_size = 5; },
     "manifest: cache 1: expected values that are a part of the keys of 4, got "
     "5"},
    {"CacheEmpty", [](auto &, auto &t) { t.caches[0]->heads = 0; },
     "manifest: cache 0: expected pages that hold heads * page_tokens * "
     "(key_size + value_size) elements, 0 bytes and more than none, got 64"},
    {"CacheHuge",
     [](auto &, auto &t) {
       t.caches[0]->layers = 65536;
       t.caches[0]->page_bytes = uint64_t(1) << 39;
     },
     "manifest: cache 0: expected at most 2^50 bytes a page in all layers of "
     "all caches, got 36028797018963968"},
    {"CachePageTokens", [](auto &, auto &t) { t.caches[1]->page_tokens = 2; },
     "manifest: cache 1: expected pages of 4 positions, like the first cache, "
     "got 2"},
    {"RotaryEmpty",
     [](auto &, auto &t) { t.rotary_tables[0]->inverse_frequencies.clear(); },
     "manifest: rotary table 0: expected 1 to 65536 frequencies, got 0"},
    {"RotaryMultiplier",
     [](auto &, auto &t) { t.rotary_tables[0]->multiplier = NAN; },
     "manifest: rotary table 0: expected a finite multiplier, got nan"},
    {"RotaryFrequency",
     [](auto &, auto &t) {
       t.rotary_tables[0]->inverse_frequencies[1] = INFINITY;
     },
     "manifest: rotary table 0: expected finite frequencies, got inf"},
    {"NoEntries", [](auto &, auto &t) { t.step->entries.clear(); },
     "manifest: step: expected at least one entry, got none"},
    {"LaunchKernel", [](auto &, auto &t) { innerLaunch(t).kernel = 2; },
     "manifest: step: entry 0: launch 0: expected a kernel below 2, got 2"},
    {"Tiles",
     [](auto &, auto &t) {
       *innerLaunch(t).tiles = {0, 0, 0, 0, int64_t(1) << 39, 0, 0};
     },
     "manifest: step: entry 0: launch 0: expected at most 2^39 tiles in any "
     "step, got 0 + 0 T + 0 B + 0 R + 549755813888 X + 0 A + 0 E"},
    {"ArgumentKind",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind(11), 0};
     },
     "manifest: step: entry 0: launch 0: argument 0: expected a known kind of "
     "argument, got 11"},
    {"SamplingWithoutSamples",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind::Sampling, 0};
     },
     "manifest: step: entry 0: launch 0: argument 0: expected samples of a "
     "step that samples, got none"},
    {"SamplesIndex", [](auto &, auto &t) { t.step->samples = 2; },
     "manifest: step: samples: expected an index below 2, got 2"},
    {"SamplesSize",
     [](auto &, auto &t) {
       *t.buffers[0]->bytes = {0, 3, 0, 0, 0, 0, 0};
       t.step->samples = 0;
     },
     "manifest: step: samples: expected a buffer of at least 4 bytes a row, "
     "got 0 + 3 T + 0 B + 0 R + 0 X + 0 A + 0 E"},
    {"StatesOfNothing",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind::States, 0};
     },
     "manifest: step: entry 0: launch 0: argument 0: expected states in a "
     "prediction, got them in a step"},
    {"ArgumentIndex",
     [](auto &, auto &t) {
       innerLaunch(t).arguments[0] = {schema::ArgumentKind::Buffer, 2};
     },
     "manifest: step: entry 0: launch 0: argument 0: expected an index below "
     "2, got "
     "2"},
    {"LoopBeyondWeight", [](auto &, auto &t) { t.packed[0]->layers = 1; },
     "manifest: step: entry 0: launch 0: argument 1: expected a loop within "
     "the "
     "layers "
     "0 to 0 of the weight, got 0 to 1"},
    {"LoopBeforeWeight", [](auto &, auto &t) { t.packed[0]->first_layer = 1; },
     "manifest: step: entry 0: launch 0: argument 1: expected a loop within "
     "the "
     "layers "
     "1 to 2 of the weight, got 0 to 1"},
    {"LoopBeyondCache", [](auto &, auto &t) { t.caches[0]->layers = 1; },
     "manifest: step: entry 0: launch 0: argument 2: expected a loop within "
     "the "
     "layers "
     "0 to 0 of the cache, got 0 to 1"},
    {"NoLayers",
     [](auto &, auto &t) { t.step->entries[0]->body.AsLoop()->layers = 0; },
     "manifest: step: entry 0: expected a loop of 1 to 65536 layers, got 0"},
    {"LoopFirstLayer",
     [](auto &, auto &t) {
       t.step->entries[0]->body.AsLoop()->first_layer = 65537;
     },
     "manifest: step: entry 0: expected a first layer up to 65536, got 65537"},
    {"CacheOutsideLoop",
     [](auto &, auto &t) {
       t.step->entries[1]->body.AsLaunch()->arguments[0] = {
           schema::ArgumentKind::CacheLayer, 0};
     },
     "manifest: step: entry 1: argument 0: expected a loop around a layer of a "
     "cache, "
     "got none"},
    {"WeightOutsideLoop",
     [](auto &, auto &t) {
       t.step->entries[1]->body.AsLaunch()->arguments[0] = {
           schema::ArgumentKind::Weight, 0};
     },
     "manifest: step: entry 1: argument 0: expected a loop around a weight of "
     "2 "
     "layers, got none"},
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
  Status status = readManifest(bytes.data(), bytes.size(), file.size(), "m.bin",
                               x86, result);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  return status.message();
}

TEST(ManifestSegments, MustBeAligned) {
  EXPECT_EQ(segmentMessage([](schema::TargetT &target) {
              *target.code = {4097, 84, {}};
            }),
            "m.bin: manifest: segment: expected it at a multiple of 4096, got "
            "byte 4097; the file is damaged: compile the model again");
}

TEST(ManifestSegments, MustNotOverlap) {
  EXPECT_EQ(
      segmentMessage([](schema::TargetT &target) {
        *target.weights = {target.code->offset(), 256, {}};
      }),
      "m.bin: manifest: segment: expected it behind what ends at byte 4180, "
      "got byte 4096; the file is damaged: compile the model again");
}

TEST(ManifestSegments, MustLieInTheFile) {
  EXPECT_EQ(segmentMessage([](schema::TargetT &target) {
              *target.weights = {8192, ~uint64_t(0), {}};
            }),
            "m.bin: manifest: segment: expected it within the 8448 bytes of "
            "the file, got 18446744073709551615 bytes from byte 8192; the file "
            "is damaged: compile the model again");
}

TEST(ManifestSegments, MustNotCoverTheManifest) {
  EXPECT_NE(segmentMessage([](schema::TargetT &target) {
              *target.code = {0, 84, {}};
            }).find("segment: expected it behind what ends at byte"),
            std::string::npos);
}

TEST(Printable, LeavesNothingThatDisturbsATerminal) {
  EXPECT_EQ(printable("a\033[2Jb\n\xC3"), "a\\x1b[2Jb\\x0a\\xc3");
  EXPECT_EQ(printable(std::string(120, 'x')), std::string(120, 'x'));
  EXPECT_EQ(printable(std::string(300, 'x')), std::string(120, 'x') + "...");
}
