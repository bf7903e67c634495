#include "test/unit/runtime/TinyModel.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

// void count(void *const *arguments, const int64_t *sizes, int64_t begin,
//            int64_t end, void *scratch) {
//   const int32_t *tokens = arguments[0], *rows = arguments[1];
//   int32_t *logits = arguments[2];
//   for (int64_t r = begin; r < end; ++r)
//     for (int32_t v = 0; v < 8; ++v)
//       logits[r * 8 + v] = v == ((tokens[rows[r]] + 1) & 7) ? 0x3f800000 : 0;
// }
//
// as clang -Oz compiles it; the last byte is a `ret`, and serves as a kernel
// that does nothing.
static const std::vector<uint8_t> code = {
    0x48, 0x8b, 0x07, 0x48, 0x8b, 0x77, 0x08, 0x49, 0x89, 0xd0, 0x49, 0xc1,
    0xe0, 0x05, 0x4c, 0x03, 0x47, 0x10, 0xbf, 0x00, 0x00, 0x80, 0x3f, 0x48,
    0x39, 0xca, 0x7d, 0x37, 0x45, 0x31, 0xc9, 0x49, 0x83, 0xf9, 0x08, 0x74,
    0x25, 0x4c, 0x63, 0x14, 0x96, 0x46, 0x8b, 0x14, 0x90, 0x41, 0xff, 0xc2,
    0x41, 0x83, 0xe2, 0x07, 0x4d, 0x39, 0xd1, 0x41, 0xba, 0x00, 0x00, 0x00,
    0x00, 0x44, 0x0f, 0x44, 0xd7, 0x47, 0x89, 0x14, 0x88, 0x49, 0xff, 0xc1,
    0xeb, 0xd5, 0x48, 0xff, 0xc2, 0x49, 0x83, 0xc0, 0x20, 0xeb, 0xc4, 0xc3};

static constexpr uint64_t weightBytes = 256;

static std::unique_ptr<schema::Expression> expression(int64_t constant,
                                                      int64_t tokens = 0,
                                                      int64_t sequences = 0,
                                                      int64_t rows = 0) {
  return std::make_unique<schema::Expression>(constant, tokens, sequences, rows,
                                              0, 0, 0);
}

template <typename T>
static T &append(std::vector<std::unique_ptr<T>> &list) {
  list.push_back(std::make_unique<T>());
  return *list.back();
}

static void addTokenizer(schema::ExecutableT &manifest) {
  manifest.tokenizer = std::make_unique<schema::TokenizerT>();
  for (char letter = 'a'; letter <= 'g'; ++letter)
    append(manifest.tokenizer->tokens).bytes = {static_cast<uint8_t>(letter)};
  schema::TokenT &end = append(manifest.tokenizer->tokens);
  end.bytes = {'<', 'e', 'n', 'd', '>'};
  end.kind = schema::TokenKind::Special;
}

static void addData(schema::TargetT &target) {
  schema::BufferT &hidden = append(target.buffers);
  hidden.name = "hidden";
  hidden.offset = expression(0);
  hidden.bytes = expression(64, 128);
  schema::BufferT &logits = append(target.buffers);
  logits.name = "logits";
  logits.offset = expression(64, 128);
  logits.bytes = expression(0, 0, 0, 32);
  schema::WeightT &weight = append(target.packed);
  weight.name = "layers.weight";
  weight.layers = 2;
  weight.stride = 128;
  weight.bytes = 100;
  schema::CacheT &cache = append(target.caches);
  cache.layers = 2;
  cache.page_tokens = 4;
  cache.page_bytes = 64;
  cache.heads = 1;
  cache.key_size = cache.value_size = 2;
  cache.element = schema::ElementType::F32;
  schema::CacheT &latents = append(target.caches);
  latents.layers = 1;
  latents.page_tokens = 4;
  latents.page_bytes = 64;
  latents.heads = 1;
  latents.key_size = 4;
  latents.value_size = 2;
  latents.latent = true;
  append(target.rotary_tables).inverse_frequencies = {1.0, 0.5};
}

static void addKernels(schema::TargetT &target) {
  schema::KernelT &count = append(target.kernels);
  count.name = "count";
  count.configuration = "tile 1";
  schema::KernelT &nothing = append(target.kernels);
  nothing.name = "nothing";
  nothing.entry = code.size() - 1;
}

/// A loop over `layers` of cache `cache` that does nothing with one argument of
/// each kind in `kinds`, then the launch that counts.
static std::unique_ptr<schema::StepPlanT>
makeStep(uint32_t layers, uint32_t cache,
         const std::vector<schema::ArgumentKind> &kinds) {
  using Kind = schema::ArgumentKind;
  auto step = std::make_unique<schema::StepPlanT>();
  schema::LoopT loop;
  loop.layers = layers;
  schema::LaunchT &inner = append(loop.launches);
  inner.kernel = 1;
  for (Kind kind : kinds)
    inner.arguments.emplace_back(kind, kind == Kind::CacheLayer ? cache : 0);
  inner.tiles = expression(0, 1);
  inner.scratch = expression(64, 0, 64);
  append(step->entries).body.Set(std::move(loop));

  schema::LaunchT launch;
  launch.arguments.emplace_back(Kind::Tokens, 0);
  launch.arguments.emplace_back(Kind::LogitRows, 0);
  launch.arguments.emplace_back(Kind::Buffer, 1);
  launch.tiles = expression(0, 0, 0, 1);
  launch.scratch = expression(0);
  append(step->entries).body.Set(std::move(launch));
  step->arena = expression(64, 128, 0, 32);
  step->logits = 1;
  step->states = 0;
  return step;
}

static void addSteps(schema::TargetT &target) {
  using Kind = schema::ArgumentKind;
  target.step = makeStep(2, 0,
                         {Kind::Buffer, Kind::Weight, Kind::CacheLayer,
                          Kind::Tokens, Kind::Positions, Kind::Sequences,
                          Kind::LogitRows, Kind::PageTable, Kind::RotaryTable});
  target.step->expansion = std::make_unique<schema::Expansion>(1, 2, 512);
  target.prediction = makeStep(1, 1, {Kind::States, Kind::CacheLayer});
}

schema::ExecutableT tcc::rt::tinyManifest() {
  schema::ExecutableT manifest;
  manifest.producer = "tcc test";
  manifest.model_name = "counting";
  manifest.architecture = "counting";
  manifest.vocabulary = 8;
  manifest.max_positions = 32;
  manifest.hidden_size = 4;
  manifest.parameters = 50;
  manifest.end_ids = {7};
  addTokenizer(manifest);
  schema::TargetT &target = append(manifest.targets);
  target.cpu = "x86-64";
  target.features = {"sse2"};
  target.code = std::make_unique<schema::Segment>();
  target.weights = std::make_unique<schema::Segment>();
  addData(target);
  addKernels(target);
  addSteps(target);
  return manifest;
}

std::vector<uint8_t> tcc::rt::serialise(const schema::ExecutableT &manifest) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::Executable::Pack(builder, &manifest),
                 schema::ExecutableIdentifier());
  return {builder.GetBufferPointer(),
          builder.GetBufferPointer() + builder.GetSize()};
}

std::vector<uint8_t> tcc::rt::withHeader(const std::vector<uint8_t> &manifest,
                                         uint64_t fileBytes) {
  FileHeader header = {"tcc test", manifest.size(), fileBytes};
  auto encoded = encodeHeader(header, manifest.data());
  std::vector<uint8_t> file(encoded.begin(), encoded.end());
  file.insert(file.end(), manifest.begin(), manifest.end());
  return file;
}

std::vector<uint8_t> tcc::rt::tinyFile(schema::ExecutableT manifest) {
  schema::TargetT &target = *manifest.targets.front();
  uint64_t codeAt = alignSegment(headerBytes + serialise(manifest).size());
  uint64_t weightsAt = alignSegment(codeAt + code.size());
  uint64_t fileBytes = codeAt + code.size();
  Digest128 digest = digestOf(code.data(), code.size());
  *target.code = {codeAt, code.size(), {digest.low, digest.high}};
  if (target.weights) {
    *target.weights = {weightsAt, weightBytes, {}};
    fileBytes = weightsAt + weightBytes;
  }
  std::vector<uint8_t> file = withHeader(serialise(manifest), fileBytes);
  file.resize(fileBytes);
  std::copy(code.begin(), code.end(),
            file.begin() + static_cast<int64_t>(codeAt));
  return file;
}

std::string tcc::rt::writeTemporary(const std::string &name,
                                    const std::vector<uint8_t> &bytes) {
  std::string path = testing::TempDir() + name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path;
}
