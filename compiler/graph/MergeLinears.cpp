// Merges linear layers that read the same input (query, key and value; gate and
// up), so that the input is read once and a wider product keeps more of the
// machine busy.

#include "compiler/graph/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_MERGELINEARSPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

/// Whether the values of `a` and `b` can lie on top of each other.
static bool stack(GetWeightOp a, GetWeightOp b, SymbolTableCollection &tables) {
  auto aType = a.getType(), bType = b.getType();
  if (aType.getElementType() != bType.getElementType() ||
      aType.getShape().drop_front() != bType.getShape().drop_front() ||
      a.getLayer() != b.getLayer() || a.getLocal() != b.getLocal())
    return false;
  // The verifier sees to it that all symbols of one op have the same layers.
  auto layers = [&](GetWeightOp op) {
    auto symbol = cast<FlatSymbolRefAttr>(op.getWeights()[0]);
    return tables.lookupNearestSymbolFrom<WeightOp>(op, symbol).getLayersAttr();
  };
  return layers(a) == layers(b);
}

/// Whether `a` and `b`, which read the same input, can be one layer.
static bool canMerge(LinearOp a, LinearOp b, SymbolTableCollection &tables) {
  auto weight = [](Value value) {
    return value ? value.getDefiningOp<GetWeightOp>() : GetWeightOp();
  };
  GetWeightOp aWeight = weight(a.getWeight()), bWeight = weight(b.getWeight());
  if (a->getBlock() != b->getBlock() || !aWeight || !bWeight ||
      a.getType().getElementType() != b.getType().getElementType() ||
      !stack(aWeight, bWeight, tables))
    return false;
  if (!a.getBias() && !b.getBias())
    return true;
  GetWeightOp aBias = weight(a.getBias()), bBias = weight(b.getBias());
  return aBias && bBias && stack(aBias, bBias, tables);
}

/// Builds the value of `parts`, each a `get_weight`, on top of each other.
static Value stackWeights(RewriterBase &rewriter, Location loc,
                          ArrayRef<Value> parts) {
  SmallVector<Attribute> symbols;
  int64_t rows = 0;
  for (Value part : parts) {
    auto get = part.getDefiningOp<GetWeightOp>();
    llvm::append_range(symbols, get.getWeights());
    rows += get.getType().getDimSize(0);
  }
  auto first = parts.front().getDefiningOp<GetWeightOp>();
  SmallVector<int64_t> shape(first.getType().getShape());
  shape.front() = rows;
  return GetWeightOp::create(rewriter, loc, first.getType().clone(shape),
                             rewriter.getArrayAttr(symbols), first.getLayer(),
                             first.getLocal());
}

/// Builds the layer that computes all of `linears`, in their order, where the
/// first of them stands. All that it reads dominates that place: its weights
/// read nothing but the layer, which all have in common.
static LinearOp buildMerged(RewriterBase &rewriter,
                            ArrayRef<LinearOp> linears) {
  SmallVector<Location> locations;
  SmallVector<Value> weights, biases;
  int64_t columns = 0;
  for (LinearOp linear : linears) {
    locations.push_back(linear.getLoc());
    weights.push_back(linear.getWeight());
    if (linear.getBias())
      biases.push_back(linear.getBias());
    columns += linear.getType().getDimSize(1);
  }
  Location loc = rewriter.getFusedLoc(locations);
  LinearOp first = linears.front();
  rewriter.setInsertionPoint(first);
  Value weight = stackWeights(rewriter, loc, weights);
  Value bias = biases.empty() ? Value() : stackWeights(rewriter, loc, biases);
  auto type = first.getType().clone({first.getType().getDimSize(0), columns});
  return LinearOp::create(rewriter, loc, type, first.getInput(), weight, bias);
}

static void merge(RewriterBase &rewriter, ArrayRef<LinearOp> linears) {
  LinearOp merged = buildMerged(rewriter, linears);
  OpFoldResult rows =
      tensor::getMixedSize(rewriter, merged.getLoc(), merged, 0);
  OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
  int64_t offset = 0;
  for (LinearOp linear : linears) {
    int64_t columns = linear.getType().getDimSize(1);
    auto slice = tensor::ExtractSliceOp::create(
        rewriter, linear.getLoc(), linear.getType(), merged,
        ArrayRef<OpFoldResult>{zero, rewriter.getIndexAttr(offset)},
        ArrayRef<OpFoldResult>{rows, rewriter.getIndexAttr(columns)},
        ArrayRef<OpFoldResult>{one, one});
    offset += columns;
    rewriter.replaceOp(linear, slice);
  }
}

namespace {
struct MergeLinears : tcc::impl::MergeLinearsPassBase<MergeLinears> {
  void runOnOperation() override {
    SymbolTableCollection tables;
    llvm::MapVector<Value, SmallVector<SmallVector<LinearOp>>> groupsByInput;
    getOperation().walk([&](LinearOp linear) {
      SmallVector<SmallVector<LinearOp>> &groups =
          groupsByInput[linear.getInput()];
      for (SmallVector<LinearOp> &group : groups)
        if (canMerge(group.front(), linear, tables)) {
          group.push_back(linear);
          return;
        }
      groups.push_back({linear});
    });

    IRRewriter rewriter(&getContext());
    for (auto &[input, groups] : groupsByInput)
      for (ArrayRef<LinearOp> group : groups)
        if (group.size() > 1)
          merge(rewriter, group);
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
