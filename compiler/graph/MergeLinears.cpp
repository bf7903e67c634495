// Merges linear layers that read the same input (query, key and value; gate and
// up), so that the input is read once and a wider product keeps more of the
// machine busy.

#include "compiler/graph/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_MERGELINEARSPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// What must hold
//===----------------------------------------------------------------------===//

/// The dimension of `type` along which weights lie on top of each other.
static int64_t rowDimension(RankedTensorType type) {
  return std::max<int64_t>(type.getRank() - 2, 0);
}

/// Whether the values of `a` and `b` can lie on top of each other.
static bool stack(GetWeightOp a, GetWeightOp b, SymbolTableCollection &tables) {
  RankedTensorType aType = a.getType(), bType = b.getType();
  if (aType.getRank() != bType.getRank() || a.getLayer() != b.getLayer() ||
      a.getLocal() != b.getLocal())
    return false;
  SmallVector<int64_t> shape(aType.getShape());
  shape[rowDimension(aType)] = bType.getDimSize(rowDimension(bType));
  if (aType.clone(shape) != bType)
    return false;
  // The verifier sees to it that all symbols of one op have the same layers.
  auto layers = [&](GetWeightOp op) {
    auto symbol = cast<FlatSymbolRefAttr>(op.getWeights()[0]);
    return tables.lookupNearestSymbolFrom<WeightOp>(op, symbol).getLayersAttr();
  };
  return layers(a) == layers(b);
}

/// Whether operands `a` and `b` can be one: weights on top of each other, or
/// the same offsets.
static bool canMerge(Value a, Value b, SymbolTableCollection &tables) {
  if (getElementTypeOrSelf(a).isInteger())
    return a == b;
  auto aWeight = a.getDefiningOp<GetWeightOp>();
  auto bWeight = b.getDefiningOp<GetWeightOp>();
  return aWeight && bWeight && stack(aWeight, bWeight, tables);
}

static bool isRouter(Operation *linear) {
  return llvm::any_of(linear->getUsers(),
                      [](Operation *reader) { return isa<RouteOp>(reader); });
}

static RankedTensorType typeOf(Operation *linear) {
  return cast<RankedTensorType>(linear->getResult(0).getType());
}

/// Whether `a` and `b`, which read the same input, can be one layer.
static bool canMerge(Operation *a, Operation *b,
                     SymbolTableCollection &tables) {
  if (a->getName() != b->getName() || a->getBlock() != b->getBlock() ||
      a->getNumOperands() != b->getNumOperands() ||
      typeOf(a).getElementType() != typeOf(b).getElementType() || isRouter(a) ||
      isRouter(b))
    return false;
  return llvm::all_of(llvm::zip_equal(llvm::drop_begin(a->getOperands()),
                                      llvm::drop_begin(b->getOperands())),
                      [&](auto pair) {
                        return canMerge(std::get<0>(pair), std::get<1>(pair),
                                        tables);
                      });
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

/// Builds the value of `parts`, each a `get_weight`, on top of each other.
static Value stackWeights(RewriterBase &rewriter, Location loc,
                          ArrayRef<Value> parts) {
  auto first = parts.front().getDefiningOp<GetWeightOp>();
  SmallVector<Attribute> symbols;
  SmallVector<int64_t> shape(first.getType().getShape());
  int64_t &rows = shape[rowDimension(first.getType())];
  rows = 0;
  for (Value part : parts) {
    auto get = part.getDefiningOp<GetWeightOp>();
    llvm::append_range(symbols, get.getWeights());
    rows += get.getType().getDimSize(rowDimension(get.getType()));
  }
  return GetWeightOp::create(rewriter, loc, first.getType().clone(shape),
                             rewriter.getArrayAttr(symbols), first.getLayer(),
                             first.getLocal());
}

/// Builds the layer that computes all of `linears`, in their order, where the
/// first of them stands. All that it reads dominates that place: its weights
/// read nothing but the layer, which all have in common.
static Value buildMerged(RewriterBase &rewriter,
                         ArrayRef<Operation *> linears) {
  Operation *first = linears.front();
  SmallVector<Location> locations;
  int64_t columns = 0;
  for (Operation *linear : linears) {
    locations.push_back(linear->getLoc());
    columns += typeOf(linear).getDimSize(1);
  }
  Location loc = rewriter.getFusedLoc(locations);
  rewriter.setInsertionPoint(first);
  Operation *merged = rewriter.clone(*first);
  merged->setLoc(loc);
  merged->getResult(0).setType(
      typeOf(first).clone({typeOf(first).getDimSize(0), columns}));
  rewriter.setInsertionPoint(merged);
  for (unsigned i = 1; i < first->getNumOperands(); ++i)
    if (first->getOperand(i).getDefiningOp<GetWeightOp>())
      merged->setOperand(
          i, stackWeights(rewriter, loc,
                          llvm::map_to_vector(linears, [&](Operation *linear) {
                            return linear->getOperand(i);
                          })));
  return merged->getResult(0);
}

static void merge(RewriterBase &rewriter, ArrayRef<Operation *> linears) {
  Value merged = buildMerged(rewriter, linears);
  rewriter.setInsertionPointAfterValue(merged);
  OpFoldResult rows =
      tensor::getMixedSize(rewriter, merged.getLoc(), merged, 0);
  OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
  int64_t offset = 0;
  for (Operation *linear : linears) {
    int64_t columns = typeOf(linear).getDimSize(1);
    auto slice = tensor::ExtractSliceOp::create(
        rewriter, linear->getLoc(), typeOf(linear), merged,
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
    llvm::MapVector<Value, SmallVector<SmallVector<Operation *>>> groupsByInput;
    getOperation().walk([&](Operation *linear) {
      if (!isa<LinearOp, GroupedLinearOp>(linear))
        return;
      SmallVector<SmallVector<Operation *>> &groups =
          groupsByInput[linear->getOperand(0)];
      for (SmallVector<Operation *> &group : groups)
        if (canMerge(group.front(), linear, tables)) {
          group.push_back(linear);
          return;
        }
      groups.push_back({linear});
    });

    IRRewriter rewriter(&getContext());
    for (auto &[input, groups] : groupsByInput)
      for (ArrayRef<Operation *> group : groups)
        if (group.size() > 1)
          merge(rewriter, group);

    // Parts of what is a part now are parts of the whole.
    RewritePatternSet patterns(&getContext());
    tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
