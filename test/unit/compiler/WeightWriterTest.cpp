// Writes weights of a plan and finds every element of the checkpoint in the
// file.

#include "compiler/emit/WeightWriter.h"
#include "compiler/target/x86/PackedWeights.h"
#include "test/unit/compiler/StoredMatrix.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Parser/Parser.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::tcc;
namespace schema = ::tcc::schema;

namespace {
/// A checkpoint in one file, and plans of its weights.
class WeightWriter : public testing::Test {
protected:
  WeightWriter() {
    context.loadDialect<kernel::KernelDialect, plan::PlanDialect,
                        transformer::TransformerDialect>();
  }
  void SetUp() override {
    folder = testing::TempDir() + "tcc-weights-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// Adds tensor `name` with random elements, and its scales if it has some.
  const StoredMatrix &add(const std::string &name, schema::Storage storage,
                          StringRef element, std::vector<int64_t> shape);

  /// Writes the weights in `text`, which is of the `plan` dialect.
  void write(StringRef text);

  /// The bytes of layer `layer` of the weight `index` of the plan.
  const uint8_t *layerOf(size_t index, uint64_t layer) const {
    return written.data() + table[index]->offset + layer * table[index]->stride;
  }

  /// Expects the matrix at `packed` to be `type` with the elements
  /// `element(n, k)`, packed for 16 columns, or for 32 that are paired.
  void expectMatrix(const uint8_t *packed, StringRef type, bool transposed,
                    bool paired,
                    llvm::function_ref<double(int64_t, int64_t)> element);

  /// The message with which `packedBytes` refuses the weight in `text`.
  std::string refusalOf(StringRef text);

  MLIRContext context;
  std::mt19937 random{1};
  std::string folder;
  std::map<std::string, StoredMatrix> tensors;
  ::tcc::ModelFile model;
  std::vector<uint8_t> checkpoint, written;
  std::vector<std::unique_ptr<schema::WeightT>> table;

private:
  void addBytes(const std::string &name, schema::Storage storage,
                std::vector<int64_t> shape, const void *data, size_t bytes);
};
} // namespace

void WeightWriter::addBytes(const std::string &name, schema::Storage storage,
                            std::vector<int64_t> shape, const void *data,
                            size_t bytes) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = name;
  tensor->storage = storage;
  tensor->shape = std::move(shape);
  tensor->file = 0;
  tensor->offset = checkpoint.size();
  tensor->bytes = bytes;
  model.model.tensors.push_back(std::move(tensor));
  const auto *begin = static_cast<const uint8_t *>(data);
  checkpoint.insert(checkpoint.end(), begin, begin + bytes);
}

const StoredMatrix &WeightWriter::add(const std::string &name,
                                      schema::Storage storage,
                                      StringRef element,
                                      std::vector<int64_t> shape) {
  int64_t rows = shape.size() == 2 ? shape[0] : 1;
  StoredMatrix matrix(random, parseType(element, &context), rows, shape.back());
  addBytes(name, storage, shape, matrix.bytes.data(), matrix.bytes.size());
  if (!matrix.scales.empty())
    addBytes(name + "_scale_inv", schema::Storage::F32, {rows, 1},
             matrix.scales.data(), matrix.scales.size() * 4);
  return tensors.emplace(name, std::move(matrix)).first->second;
}

void WeightWriter::write(StringRef text) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  std::vector<plan::WeightOp> weights;
  uint64_t total = 0;
  table.clear();
  for (auto op : module->getOps<plan::WeightOp>()) {
    auto entry = std::make_unique<schema::WeightT>();
    entry->first_layer = op.getLayers() ? (*op.getLayers())[0] : 0;
    entry->layers = op.getLayers() ? (*op.getLayers())[1] : 1;
    entry->bytes = *packedBytes(op);
    entry->stride = llvm::alignTo(entry->bytes, 64);
    entry->offset = total;
    total += entry->stride * entry->layers;
    table.push_back(std::move(entry));
    weights.push_back(op);
  }
  llvm::sort(model.model.tensors,
             [](const auto &a, const auto &b) { return a->name < b->name; });
  auto file = std::make_unique<schema::FileT>();
  file->path = "weights";
  file->bytes = checkpoint.size();
  model.model.files.clear();
  model.model.files.push_back(std::move(file));
  model.folder = folder;
  std::ofstream(folder + "/weights", std::ios::binary)
      .write(reinterpret_cast<const char *>(checkpoint.data()),
             static_cast<std::streamsize>(checkpoint.size()));
  ::tcc::ModelWeights source;
  ASSERT_TRUE(::tcc::ModelWeights::open(model, source).ok());
  ::tcc::AtomicFile output;
  ASSERT_TRUE(output.create(folder + "/packed").ok());
  schema::Segment segment(0, total, {});
  ASSERT_TRUE(writeWeights(weights, table, model, source, output, segment,
                           [](uint64_t, uint64_t) {})
                  .ok());
  ASSERT_TRUE(output.commit().ok());
  std::ifstream input(folder + "/packed", std::ios::binary);
  written.assign(std::istreambuf_iterator<char>(input), {});
  ASSERT_EQ(written.size(), total);
}

void WeightWriter::expectMatrix(
    const uint8_t *packed, StringRef type, bool transposed, bool paired,
    llvm::function_ref<double(int64_t, int64_t)> element) {
  int64_t columns = paired ? 32 : 16;
  auto weight = cast<ShapedType>(parseType(type, &context));
  x86::PackedLayout layout(
      weight, kernel::PackingAttr::get(&context, columns, paired), transposed);
  for (int64_t n = 0; n < layout.rows; ++n)
    for (int64_t k = 0; k < layout.depth; ++k) {
      int64_t half = layout.rows / 2;
      int64_t panel = paired ? n % half / 16 : n / 16;
      int64_t column = paired ? n % half % 16 + n / half * 16 : n % 16;
      ASSERT_EQ(unpack(packed + panel * layout.panelBytes,
                       weight.getElementType(), columns, layout.stepDepth, k,
                       column),
                element(n, k))
          << "row " << n << ", element " << k;
    }
}

std::string WeightWriter::refusalOf(StringRef text) {
  std::string message;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { message += diagnostic.str(); });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  EXPECT_TRUE(failed(packedBytes(*module->getOps<plan::WeightOp>().begin())));
  return message;
}

TEST_F(WeightWriter, EveryExpertHasItsTensors) {
  constexpr StringRef f8 = "!transformer.scaled<f8E4M3FN, 4, 18>";
  auto name = [](int64_t layer, int64_t expert, const char *kind) {
    return (Twine(layer) + "." + Twine(expert) + "." + kind).str();
  };
  for (int64_t layer : {1, 2})
    for (int64_t expert = 0; expert < 3; ++expert)
      for (const char *kind : {"gate", "up"})
        add(name(layer, expert, kind), schema::Storage::F8_E4M3, f8, {9, 18});
  write(R"(
    plan.weight @gate_up
      sources(["{layer}.{expert}.gate", "{layer}.{expert}.up"])
      scales(["{layer}.{expert}.gate_scale_inv", "{layer}.{expert}.up_scale_inv"])
      layers(1, 2) packing(#kernel.packing<columns = 32, paired = true>)
      : tensor<3x18x18x!transformer.scaled<f8E4M3FN, 4, 18>>
  )");
  int64_t matrixBytes = static_cast<int64_t>(table[0]->bytes) / 3;
  for (int64_t layer : {1, 2})
    for (int64_t expert = 0; expert < 3; ++expert) {
      const StoredMatrix &gate = tensors.at(name(layer, expert, "gate"));
      const StoredMatrix &up = tensors.at(name(layer, expert, "up"));
      expectMatrix(layerOf(0, layer - 1) + expert * matrixBytes,
                   "tensor<18x18x!transformer.scaled<f8E4M3FN, 4, 18>>", false,
                   /*paired=*/true, [&](int64_t n, int64_t k) {
                     return n < 9 ? gate.at(n, k) : up.at(n - 9, k);
                   });
    }
}

TEST_F(WeightWriter, HeadsAreRowsOfOneTensor) {
  constexpr StringRef f8 = "!transformer.scaled<f8E4M3FN, 4, 20>";
  const StoredMatrix &both =
      add("kv_b", schema::Storage::F8_E4M3, f8, {36, 20});
  write(R"(
    plan.weight @key sources(["kv_b"]) scales(["kv_b_scale_inv"])
      rows(0, 7, 12) transposed packing(#kernel.packing<columns = 16>)
      : tensor<3x7x20x!transformer.scaled<f8E4M3FN, 4, 20>>
    plan.weight @value sources(["kv_b"]) scales(["kv_b_scale_inv"])
      rows(7, 5, 12) packing(#kernel.packing<columns = 16>)
      : tensor<3x5x20x!transformer.scaled<f8E4M3FN, 4, 20>>
    plan.weight @heads sources(["kv_b"]) scales(["kv_b_scale_inv"])
      packing(#kernel.packing<columns = 16>)
      : tensor<3x12x20x!transformer.scaled<f8E4M3FN, 4, 20>>
  )");
  for (int64_t head = 0; head < 3; ++head) {
    auto matrixOf = [&](size_t index) {
      return layerOf(index, 0) +
             head * static_cast<int64_t>(table[index]->bytes) / 3;
    };
    expectMatrix(
        matrixOf(0), "tensor<7x20x!transformer.scaled<f8E4M3FN, 4, 20>>",
        /*transposed=*/true, false,
        [&](int64_t n, int64_t k) { return both.at(head * 12 + k, n); });
    expectMatrix(
        matrixOf(1), "tensor<5x20x!transformer.scaled<f8E4M3FN, 4, 20>>", false,
        false,
        [&](int64_t n, int64_t k) { return both.at(head * 12 + 7 + n, k); });
    expectMatrix(
        matrixOf(2), "tensor<12x20x!transformer.scaled<f8E4M3FN, 4, 20>>",
        false, false,
        [&](int64_t n, int64_t k) { return both.at(head * 12 + n, k); });
  }
}

TEST_F(WeightWriter, HalvesMoveRowsOfTheirSource) {
  constexpr StringRef f8 = "!transformer.scaled<f8E4M3FN, 4, 20>";
  const StoredMatrix &a = add("a", schema::Storage::F8_E4M3, f8, {10, 20});
  const StoredMatrix &b = add("b", schema::Storage::F8_E4M3, f8, {9, 20});
  const StoredMatrix &bias = add("c", schema::Storage::BF16, "bf16", {12});
  const StoredMatrix &rows = add("d", schema::Storage::F32, "f32", {4, 3});
  write(R"(
    plan.weight @both sources(["a", "b"]) scales(["a_scale_inv", "b_scale_inv"])
      halves([], [5, 4, 9]) packing(#kernel.packing<columns = 16>)
      : tensor<19x20x!transformer.scaled<f8E4M3FN, 4, 20>>
    plan.weight @bias sources(["c"]) halves([2, 4, 6]) : tensor<12xf32>
    plan.weight @rows sources(["d"]) halves([0, 4, 4]) : tensor<4x3xf32>
  )");
  constexpr int64_t order[] = {0, 1, 2, 3, 4, 5, 7, 6, 8};
  expectMatrix(layerOf(0, 0),
               "tensor<19x20x!transformer.scaled<f8E4M3FN, 4, 20>>", false,
               false, [&](int64_t n, int64_t k) {
                 return n < 10 ? a.at(n, k) : b.at(order[n - 10], k);
               });
  std::vector<float> expected;
  for (int64_t i : {0, 1, 2, 4, 3, 5, 6, 7, 8, 10, 9, 11})
    expected.push_back(static_cast<float>(bias.at(0, i)));
  EXPECT_EQ(memcmp(layerOf(1, 0), expected.data(), 48), 0);
  expected.clear();
  for (int64_t row : {0, 2, 1, 3})
    for (int64_t k = 0; k < 3; ++k)
      expected.push_back(static_cast<float>(rows.at(row, k)));
  EXPECT_EQ(memcmp(layerOf(2, 0), expected.data(), 48), 0);
}

TEST_F(WeightWriter, PartsToWriteCrossTheBordersOfMatrices) {
  std::vector<const StoredMatrix *> experts;
  for (int64_t expert = 0; expert < 3; ++expert)
    experts.push_back(&add("expert" + std::to_string(expert),
                           schema::Storage::BF16, "bf16", {1100, 802}));
  write(R"(
    plan.weight @experts sources(["expert{expert}"])
      packing(#kernel.packing<columns = 16>) : tensor<3x1100x802xbf16>
  )");
  for (int64_t expert = 0; expert < 3; ++expert)
    expectMatrix(
        layerOf(0, 0) + expert * static_cast<int64_t>(table[0]->bytes) / 3,
        "tensor<1100x802xbf16>", false, false,
        [&](int64_t n, int64_t k) { return experts[expert]->at(n, k); });
}

TEST_F(WeightWriter, PartsOfRowsCrossTheBordersOfPlanes) {
  constexpr StringRef q4 = "!transformer.block<q4_1>";
  for (const char *name : {"1.gate", "1.up", "2.gate", "2.up"})
    add(name, schema::Storage::Q4_1, q4, {1100, 2080});
  write(R"(
    plan.weight @gate_up sources(["{layer}.gate", "{layer}.up"]) layers(1, 2)
      packing(#kernel.row_packing<pair_rows = 8>)
      : tensor<2200x2080x!transformer.block<q4_1>>
    plan.weight @gate sources(["1.gate"]) packing(#kernel.row_packing)
      : tensor<1100x2080x!transformer.block<q4_1>>
  )");
  const StoredMatrix &first = tensors.at("1.gate");
  for (int64_t row : {0, 7, 8, 1095, 1099})
    for (int64_t k = 0; k < 2080; ++k) {
      ASSERT_EQ(unpackRow(layerOf(1, 0), first.element, 1100, 2080, row, k),
                first.at(row, k))
          << "row " << row << ", element " << k;
      for (int64_t layer : {0, 1})
        for (bool isUp : {false, true}) {
          const StoredMatrix &source =
              tensors.at(std::to_string(layer + 1) + (isUp ? ".up" : ".gate"));
          int64_t place = row / 8 * 16 + row % 8 + (isUp ? 8 : 0);
          ASSERT_EQ(unpackRow(layerOf(0, layer), source.element, 2208, 2080,
                              place, k),
                    source.at(row, k))
              << "layer " << layer << ", row " << row << ", element " << k;
        }
    }
}

TEST_F(WeightWriter, VectorsGetTheElementTypeOfTheWeight) {
  const StoredMatrix &a = add("a", schema::Storage::BF16, "bf16", {5});
  const StoredMatrix &b = add("b", schema::Storage::F16, "f16", {6});
  const StoredMatrix &c = add("c", schema::Storage::F32, "f32", {7});
  write(R"(
    plan.weight @all sources(["a", "b", "c"]) : tensor<18xf32>
    plan.weight @same sources(["a"]) : tensor<5xbf16>
  )");
  std::vector<float> expected;
  for (const StoredMatrix *part : {&a, &b, &c})
    expected.insert(expected.end(), part->values.begin(), part->values.end());
  expected.resize(32);
  EXPECT_EQ(memcmp(layerOf(0, 0), expected.data(), 128), 0);
  EXPECT_EQ(memcmp(layerOf(1, 0), a.bytes.data(), 10), 0);
}

TEST_F(WeightWriter, RefusesWhatItCannotPack) {
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) packing(#kernel.packing<columns = 16>)
      : tensor<8x8x!transformer.scaled<f8E4M3FN, 4, 4>>)"),
            "'plan.weight' op expected scales if and only if its elements have "
            "some, got elements of '!transformer.scaled<f8E4M3FN, 4, 4>'");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) scales(["s"])
      packing(#kernel.packing<columns = 16>) : tensor<8x8xbf16>)"),
            "'plan.weight' op expected scales if and only if its elements have "
            "some, got elements of 'bf16'");
  EXPECT_EQ(
      refusalOf(R"(
    plan.weight @w sources(["w"]) transposed packing(#kernel.packing<columns = 16>)
      : tensor<32x32x!transformer.block<q8_0>>)"),
      "'plan.weight' op expected a transposed weight not to be in blocks, "
      "got elements of '!transformer.block<q8_0>'");
  EXPECT_EQ(
      refusalOf(R"(
    plan.weight @w sources(["w"]) scales(["s"]) rows(0, 4, 5) transposed
      packing(#kernel.packing<columns = 16>)
      : tensor<2x4x8x!transformer.scaled<f8E4M3FN, 4, 4>>)"),
      "'plan.weight' op expected blocks of a transposed weight to be within "
      "a block of scales, got rows 5 to 8 of blocks of 4");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["v", "w"]) scales(["s", "t"]) transposed
      packing(#kernel.packing<columns = 16>)
      : tensor<8x8x!transformer.scaled<f8E4M3FN, 4, 4>>)"),
            "'plan.weight' op expected one source of a transposed weight with "
            "scales, got 2");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) scales(["s"]) halves([0, 4, 4]) transposed
      packing(#kernel.packing<columns = 16>)
      : tensor<8x8x!transformer.scaled<f8E4M3FN, 4, 4>>)"),
            "'plan.weight' op expected rows of a transposed weight with scales "
            "in the order of the checkpoint, got halves [array<i64: 0, 4, 4>]");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) packing(#kernel.row_packing)
      : tensor<2x8x8xbf16>)"),
            "'plan.weight' op expected a weight in rows to be one matrix, "
            "neither transposed nor with scales, got 'tensor<2x8x8xbf16>'");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) transposed packing(#kernel.row_packing)
      : tensor<8x8xbf16>)"),
            "'plan.weight' op expected a weight in rows to be one matrix, "
            "neither transposed nor with scales, got 'tensor<8x8xbf16>', "
            "transposed");
  EXPECT_EQ(refusalOf(R"(
    plan.weight @w sources(["w"]) scales(["s"]) packing(#kernel.row_packing)
      : tensor<8x8x!transformer.scaled<f8E4M3FN, 4, 4>>)"),
            "'plan.weight' op expected a weight in rows to be one matrix, "
            "neither transposed nor with scales, got "
            "'tensor<8x8x!transformer.scaled<f8E4M3FN, 4, 4>>'");
  EXPECT_EQ(
      refusalOf(R"(
    plan.weight @w sources(["w"]) : tensor<2x8x8xbf16>)"),
      "'plan.weight' op expected a packing for a stack and for a weight in "
      "blocks or with scales, got 'tensor<2x8x8xbf16>'");
}
