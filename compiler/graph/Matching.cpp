#include "compiler/graph/Matching.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

bool tcc::isEquation(EinsumOp op, StringRef expected) {
  StringRef equation = op.getEquation();
  if (equation.size() != expected.size())
    return false;
  llvm::SmallDenseMap<char, char> there, back;
  for (auto [a, b] : llvm::zip(equation, expected))
    if (there.try_emplace(a, b).first->second != b ||
        back.try_emplace(b, a).first->second != a)
      return false;
  return true;
}

bool tcc::isPlain(arith::TruncFOp rounding) {
  return !rounding.getRoundingmode() &&
         rounding.getFastmath().value_or(arith::FastMathFlags::none) ==
             arith::FastMathFlags::none;
}

/// Whether `size` is dimension `dimension` of `tensor`, as far as their
/// definitions say.
static bool isSizeOf(OpFoldResult size, Value tensor, int64_t dimension) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dimension))
    return isConstantIntValue(size, type.getDimSize(dimension));
  auto value = dyn_cast<Value>(size);
  if (auto expanded = tensor.getDefiningOp<tensor::ExpandShapeOp>())
    if (expanded.getMixedOutputShape()[dimension] == size)
      return true;
  auto dim = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
  return dim && dim.getConstantIndex() == dimension &&
         dim.getSource() == tensor;
}

bool tcc::isColumns(tensor::ExtractSliceOp slice, int64_t first) {
  int64_t rank = slice.getSourceType().getRank();
  if (slice.getType().getRank() != rank || !slice.hasUnitStride())
    return false;
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  for (int64_t d = 0; d + 1 < rank; ++d)
    if (!isConstantIntValue(offsets[d], 0) ||
        !isSizeOf(sizes[d], slice.getSource(), d))
      return false;
  return isConstantIntValue(offsets.back(), first);
}
