#include "compiler/lower/Columns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::tcc;

FailureOr<Columns> tcc::findColumns(Value part) {
  int64_t count = 1;
  for (int64_t size :
       cast<RankedTensorType>(part.getType()).getShape().drop_front())
    count *= size;
  while (true) {
    if (auto round = part.getDefiningOp<arith::TruncFOp>()) {
      part = round.getIn();
    } else if (auto expand = part.getDefiningOp<tensor::ExpandShapeOp>()) {
      part = expand.getSrc();
    } else if (auto slice = part.getDefiningOp<tensor::ExtractSliceOp>()) {
      if (slice.getSourceType().getRank() != 2 || !slice.hasUnitStride() ||
          !isConstantIntValue(slice.getMixedOffsets()[0], 0) ||
          slice.isDynamicOffset(1))
        return failure();
      return Columns{slice.getSource(), slice.getStaticOffset(1), count};
    } else {
      break;
    }
  }
  auto rows = dyn_cast<RankedTensorType>(part.getType());
  if (!rows || rows.getRank() != 2 || rows.getDimSize(1) != count)
    return failure();
  return Columns{part, 0, count};
}
