#include "test/unit/compiler/Weights.h"

#include "compiler/target/h100/PackedRows.h"
#include "compiler/target/x86/PackedWeights.h"
#include "mlir/AsmParser/AsmParser.h"
#include "test/unit/compiler/StoredMatrix.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

std::vector<uint8_t> x86::pack(const StoredMatrix &stored, int64_t columns,
                               bool paired, bool transposed) {
  MLIRContext *context = stored.element.getContext();
  PackedLayout layout(
      RankedTensorType::get({stored.rows, stored.columns}, stored.element),
      kernel::PackingAttr::get(context, columns, paired), transposed);
  std::vector<uint8_t> packed(layout.totalBytes());
  packPanels(layout, sourceOf(stored, 0), 0, layout.panels, packed.data());
  return packed;
}

std::vector<uint8_t> x86::packRows(const StoredMatrix &stored,
                                   int64_t pairRows) {
  h100::RowLayout layout(
      RankedTensorType::get({stored.rows, stored.columns}, stored.element),
      kernel::RowPackingAttr::get(stored.element.getContext(), pairRows));
  std::vector<uint8_t> packed(layout.bytes);
  std::unique_ptr<PackedWeight> rows = h100::createPackedWeight(layout);
  rows->pack(sourceOf(stored, 0), 0, rows->getParts(), packed.data());
  return packed;
}

Weights::Weights(std::mt19937 &random, StringRef element, int64_t matrices,
                 int64_t rows, int64_t depth, int64_t columns, bool paired,
                 bool transposed) {
  MLIRContext context;
  context.loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  Type type = parseType(element, &context);
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    StoredMatrix stored(random, type, transposed ? depth : rows,
                        transposed ? rows : depth);
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t k = 0; k < depth; ++k)
        values.push_back(transposed ? stored.at(k, n) : stored.at(n, k));
    std::vector<uint8_t> bytes = pack(stored, columns, paired, transposed);
    packed.insert(packed.end(), bytes.begin(), bytes.end());
  }
}
