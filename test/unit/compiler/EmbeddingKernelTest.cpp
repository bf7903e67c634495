// Embeddings on the H100, against what checkpoints store.

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Values.h"
#include "test/unit/compiler/Weights.h"

#include "dialects/transformer/Transformer.h"
#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

static std::string embedding(const char *element, int64_t rows, int64_t depth) {
  return llvm::formatv(R"(
    func.func @embedding(%t: memref<?xi32>, %w: memref<{0}x{1}x{2}>, %y: memref<?x{1}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.embedding %t, %w into %y packing(#kernel.row_packing)
        : memref<?xi32>, memref<{0}x{1}x{2}>, memref<?x{1}xf32>
      return
    })",
                       rows, depth, element);
}

// Rows that are read element by element, and ones of which four are read at
// once.
TEST(GpuEmbeddingKernel, ReadsRowsOfAnyStorage) {
  constexpr int64_t rows = 7;
  mlir::MLIRContext context;
  context.loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  std::mt19937 random(1);
  std::vector<int32_t> tokens = {6, 0, 3, 3};
  for (const char *element :
       {"f32", "f16", "bf16", "!transformer.block<q8_0>",
        "!transformer.block<q4_0>", "!transformer.block<q4_1>"})
    for (int64_t depth : {37, 672}) {
      SCOPED_TRACE(llvm::formatv("{0}x{1}", depth, element).str());
      bool isInBlocks = llvm::StringRef(element).contains("block");
      StoredMatrix table(random, mlir::parseType(element, &context), rows,
                         isInBlocks ? llvm::alignTo(depth, 32) : depth);
      auto kernel = KernelRunner::create(
          embedding(element, rows, table.columns), "sm_90a");
      ASSERT_TRUE(kernel);
      auto count = static_cast<int64_t>(tokens.size());
      Buffer numbers(tokens), weight(packRows(table)),
          result(count * table.columns * 4);
      kernel->run({&numbers, &weight, &result}, count);
      std::vector<float> y = result.values<float>();
      for (int64_t row = 0; row < count; ++row)
        for (int64_t k = 0; k < table.columns; ++k)
          ASSERT_EQ(y[row * table.columns + k],
                    static_cast<float>(table.at(tokens[row], k)))
              << "row " << row << ", element " << k;
    }
}
