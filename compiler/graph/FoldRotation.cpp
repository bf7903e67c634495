// Puts the rows of weights into an order in which the rotation of neighbours is
// one of halves: elements 2 j and 2 j + 1 become j and j + D / 2.
//
// Queries and keys are permuted alike, so that their products stay.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_FOLDROTATIONPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// Where rotated elements come from
//===----------------------------------------------------------------------===//

namespace {
/// Columns of a tensor that a rotation reads: of every `of`, those from `first`
/// on, `count` of them.
struct Columns {
  int64_t first, count, of;
};

/// The part of each query, or key, that is rotated.
struct Rotated {
  RotaryEmbeddingOp rotation;
  int64_t place; ///< Of its first element in the head.
  LinearOp linear;
  DenseI64ArrayAttr halves; ///< Of the rows of the layer's weight.
};

/// An attention whose query and key are rotated alike.
struct Fold {
  Rotated query, key;
};
} // namespace

static int64_t columnsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// The column of its source with which `slice` begins, if that is known and the
/// others follow it one by one.
static std::optional<int64_t> firstColumn(tensor::ExtractSliceOp slice) {
  if (slice.getType().getRank() != slice.getSourceType().getRank() ||
      !slice.hasUnitStride())
    return std::nullopt;
  return getConstantIntValue(slice.getMixedOffsets().back());
}

/// Whether `op` reads none of `columns` of `value`.
static bool readsOthers(Operation *op, Value value, const Columns &columns) {
  if (isa<tensor::DimOp>(op))
    return true;
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  if (!slice || columns.of != columnsOf(value) ||
      ShapedType::isDynamic(columnsOf(slice)))
    return false;
  std::optional<int64_t> first = firstColumn(slice);
  return first && (*first + columnsOf(slice) <= columns.first ||
                   *first >= columns.first + columns.count);
}

/// Whether `reader` alone reads `columns` of `value`.
static bool readsAlone(Operation *reader, Value value, const Columns &columns) {
  return llvm::all_of(value.getUsers(), [&](Operation *op) {
    return op == reader || readsOthers(op, value, columns);
  });
}

/// What `columns` of the result of `op` are in its operand, if `op` only moves
/// or rounds them.
static std::optional<Columns> findOperandColumns(Operation *op,
                                                 const Columns &columns) {
  if (isa<tensor::ExpandShapeOp, arith::TruncFOp, arith::ExtFOp>(op))
    return columns;
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  std::optional<int64_t> first =
      slice ? firstColumn(slice) : std::optional<int64_t>();
  if (!first || columns.of != columnsOf(slice))
    return std::nullopt;
  return Columns{columns.first + *first, columns.count,
                 columnsOf(slice.getSource())};
}

/// What `rotation` reads if it is `columns` of `linear`: rows of its weight.
static std::optional<Rotated> makeRotated(RotaryEmbeddingOp rotation,
                                          int64_t place, LinearOp linear,
                                          const Columns &columns) {
  int64_t numbers[] = {columns.first, columns.count, columns.of};
  if (!Halves::areValid(numbers) ||
      linear.getWeight().getType().getDimSize(0) % columns.of != 0)
    return std::nullopt;
  return Rotated{rotation, place, linear,
                 DenseI64ArrayAttr::get(linear.getContext(), numbers)};
}

/// Matches the linear layer of which `rotation` reads columns that nothing else
/// reads.
static std::optional<Rotated> matchLinear(RotaryEmbeddingOp rotation,
                                          int64_t place) {
  Value value = rotation.getInput();
  Columns columns = {0, columnsOf(value), columnsOf(value)};
  for (Operation *reader = rotation; readsAlone(reader, value, columns);
       value = reader->getOperand(0)) {
    reader = value.getDefiningOp();
    if (auto linear = dyn_cast_or_null<LinearOp>(reader))
      return makeRotated(rotation, place, linear, columns);
    std::optional<Columns> before =
        reader ? findOperandColumns(reader, columns) : std::nullopt;
    if (!before)
      return std::nullopt;
    columns = *before;
  }
  return std::nullopt;
}

/// Matches `part` of a head, which begins at element `place`.
static std::optional<Rotated> matchPart(Value part, int64_t place) {
  if (auto repeat = definedForOneReader<RepeatHeadsOp>(part))
    part = repeat.getInput();
  auto rotation = definedForOneReader<RotaryEmbeddingOp>(part);
  return rotation && rotation.getInterleaved() ? matchLinear(rotation, place)
                                               : std::nullopt;
}

/// Matches a query or key that is rotated, or of which one part is.
static std::optional<Rotated> matchRotated(Value head) {
  auto concat = definedForOneReader<tensor::ConcatOp>(head);
  if (!concat || concat.getDim() != 2)
    return matchPart(head, 0);
  std::optional<Rotated> found;
  int64_t place = 0;
  for (Value part : concat.getInputs()) {
    if (std::optional<Rotated> rotated = matchPart(part, place)) {
      if (found)
        return std::nullopt;
      found = rotated;
    }
    place += columnsOf(part);
  }
  return found;
}

static std::optional<Fold> matchFold(AttentionOp attention) {
  std::optional<Rotated> query = matchRotated(attention.getQuery());
  std::optional<Rotated> key = matchRotated(attention.getKey());
  if (!query || !key || query->place != key->place ||
      columnsOf(query->rotation) != columnsOf(key->rotation))
    return std::nullopt;
  return Fold{*query, *key};
}

//===----------------------------------------------------------------------===//
// Which weights can be in another order
//===----------------------------------------------------------------------===//

namespace {
/// The orders that linear layers want of their weights.
class RowOrders {
public:
  RowOrders(ArrayRef<Fold> folds, SymbolTableCollection &tables,
            SymbolUserMap &users);

  /// Whether all readers of the weights of the layer want one order.
  bool canFold(const Fold &fold) {
    return canReorder(fold.query.linear) && canReorder(fold.key.linear);
  }

  /// Gives the weights of `rotated` their order.
  void reorder(Rotated rotated);

private:
  /// The declaration of what `operand` is the value of, or null.
  WeightOp weightOf(Value operand);
  bool canReorder(LinearOp linear);
  bool wants(OpOperand &use, DenseI64ArrayAttr halves);

  DenseMap<LinearOp, DenseI64ArrayAttr> orders; ///< Null: two of them.
  SymbolTableCollection &tables;
  SymbolUserMap &users;
};
} // namespace

RowOrders::RowOrders(ArrayRef<Fold> folds, SymbolTableCollection &tables,
                     SymbolUserMap &users)
    : tables(tables), users(users) {
  for (const Fold &fold : folds)
    for (const Rotated &rotated : {fold.query, fold.key}) {
      auto [entry, isNew] = orders.try_emplace(rotated.linear, rotated.halves);
      if (!isNew)
        entry->second = {};
    }
}

WeightOp RowOrders::weightOf(Value operand) {
  auto get = operand.getDefiningOp<GetWeightOp>();
  if (!get || get.getWeights().size() != 1)
    return {};
  return tables.lookupNearestSymbolFrom<WeightOp>(
      get, cast<FlatSymbolRefAttr>(get.getWeights()[0]));
}

/// Whether `use` is by a layer that wants the order `halves` of its weights.
bool RowOrders::wants(OpOperand &use, DenseI64ArrayAttr halves) {
  auto linear = dyn_cast<LinearOp>(use.getOwner());
  return linear && &use != &linear.getInputMutable() &&
         orders.lookup(linear) == halves;
}

bool RowOrders::canReorder(LinearOp linear) {
  DenseI64ArrayAttr halves = orders.lookup(linear);
  return halves &&
         llvm::all_of(
             llvm::drop_begin(linear->getOperands()), [&](Value operand) {
               WeightOp weight = weightOf(operand);
               return weight && !weight.getHalves() &&
                      llvm::all_of(users.getUsers(weight), [&](Operation *op) {
                        auto get = dyn_cast<GetWeightOp>(op);
                        return get && get.getWeights().size() == 1 &&
                               llvm::all_of(get->getUses(),
                                            [&](OpOperand &use) {
                                              return wants(use, halves);
                                            });
                      });
             });
}

void RowOrders::reorder(Rotated rotated) {
  for (Value operand : llvm::drop_begin(rotated.linear->getOperands()))
    weightOf(operand).setHalvesAttr(rotated.halves);
  rotated.rotation.setInterleaved(false);
}

namespace {
struct FoldRotation : tcc::impl::FoldRotationPassBase<FoldRotation> {
  void runOnOperation() override {
    SmallVector<Fold> folds;
    getOperation().walk([&](AttentionOp attention) {
      if (std::optional<Fold> fold = matchFold(attention))
        folds.push_back(*fold);
    });
    SymbolTableCollection tables;
    SymbolUserMap users(tables, getOperation());
    // What cannot be folded takes with it what shares its weights.
    for (size_t before = folds.size() + 1; folds.size() < before;) {
      before = folds.size();
      RowOrders orders(folds, tables, users);
      llvm::erase_if(folds,
                     [&](const Fold &fold) { return !orders.canFold(fold); });
    }
    RowOrders orders(folds, tables, users);
    for (const Fold &fold : folds) {
      orders.reorder(fold.query);
      orders.reorder(fold.key);
    }
  }
};
} // namespace
