// The value of a weight: rows that are read from the checkpoint when they are
// used.

#include "compiler/interpreter/Interpretations.h"
#include "dialects/transformer/Transformer.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

namespace {
/// A range of rows and columns of one tensor of a checkpoint.
struct Segment {
  StoredTensor tensor;
  int64_t firstRow, rows, firstColumn, columns;
  Halves order;

  /// Writes rows [first, first + count) of the segment to `result`
  /// [count, columns].
  void read(const WeightSource &source, int64_t first, int64_t count,
            double *result) const {
    int64_t width = tensor.type.getShape().back();
    if (columns == width && order.areNone())
      return source.read(tensor, firstRow + first, count, result);
    std::vector<double> whole(width);
    for (int64_t row = 0; row < count; ++row) {
      int64_t stored = order.storedRow(firstRow + first + row);
      source.read(tensor, stored, 1, whole.data());
      std::copy_n(whole.data() + firstColumn, columns, result + row * columns);
    }
  }

  /// Writes the elements of the segment, of a vector, to `result`.
  void readVector(const WeightSource &source, double *result) const {
    std::vector<double> whole(tensor.type.getNumElements());
    source.read(tensor, 0, 1, whole.data());
    for (int64_t i = 0; i < columns; ++i)
      result[i] = whole[order.storedRow(firstColumn + i)];
  }
};

/// Segments on top of each other; those of vectors one after another.
class WeightRows : public Rows {
public:
  WeightRows(ArrayRef<int64_t> shape, std::vector<Segment> segments,
             const WeightSource &source)
      : Rows(shape), segments(std::move(segments)), source(source) {}

  void read(int64_t first, int64_t count, double *result) const override {
    if (shape.size() == 1)
      return readVector(result);
    int64_t begin = 0;
    for (const Segment &segment : segments) {
      int64_t end = begin + segment.rows;
      int64_t from = std::max(first, begin), to = std::min(first + count, end);
      if (from < to)
        segment.read(source, from - begin, to - from,
                     result + (from - first) * shape.back());
      begin = end;
    }
  }

private:
  void readVector(double *result) const {
    for (const Segment &segment : segments) {
      segment.readVector(source, result);
      result += segment.columns;
    }
  }

  std::vector<Segment> segments;
  const WeightSource &source;
};

/// Collects the segments of a get_weight.
class SegmentList {
public:
  SegmentList(GetWeightOp op, Execution &execution)
      : op(op), execution(execution) {}

  FailureOr<std::vector<Segment>> collect();

private:
  FailureOr<StoredTensor> tensorOf(WeightOp weight);
  SmallVector<int64_t> originOf(WeightOp weight);
  LogicalResult add(WeightOp weight, int64_t expert);

  GetWeightOp op;
  Execution &execution;
  std::vector<Segment> segments;
};
} // namespace

/// Whether `layer` is in one of the ranges (first, count) of `ranges`.
static bool hasLayer(ArrayRef<int64_t> ranges, int64_t layer) {
  for (; ranges.size() >= 2; ranges = ranges.drop_front(2))
    if (layer >= ranges[0] && layer - ranges[0] < ranges[1])
      return true;
  return false;
}

/// `name` with `number` in place of `key`, if it contains that.
static std::string fill(StringRef name, StringRef key, int64_t number) {
  auto [head, tail] = name.split(key);
  if (head.size() == name.size())
    return name.str();
  return (head + Twine(number) + tail).str();
}

/// The tensor that `weight` stands for in the layer of the op.
FailureOr<StoredTensor> SegmentList::tensorOf(WeightOp weight) {
  StoredTensor tensor = {weight.getTensor().str(),
                         cast<RankedTensorType>(weight.getType()),
                         weight.getScales().value_or("").str()};
  if (!op.getLayer())
    return tensor;
  int64_t layer = execution.getInteger(op.getLayer());
  if (!weight.getLayers() || !hasLayer(*weight.getLayers(), layer))
    return op->emitOpError("expected a layer of '@")
           << weight.getSymName() << "', got " << layer;
  tensor.name = fill(tensor.name, "{layer}", layer);
  tensor.scales = fill(tensor.scales, "{layer}", layer);
  return tensor;
}

/// Where the part of this device begins in each dimension.
SmallVector<int64_t> SegmentList::originOf(WeightOp weight) {
  RankedTensorType part = weight.getLocalType();
  SmallVector<int64_t> origin(part.getRank(), 0);
  if (std::optional<SplitAttr> split = weight.getSplit();
      split && op.getLocal())
    origin[split->getDimension()] = part.getDimSize(split->getDimension()) *
                                    execution.getPlace()[split->getAxis()];
  return origin;
}

/// Adds the rows of matrix `expert` of `weight`, or its only matrix or vector.
LogicalResult SegmentList::add(WeightOp weight, int64_t expert) {
  auto type = cast<RankedTensorType>(weight.getType());
  RankedTensorType part = op.getLocal() ? weight.getLocalType() : type;
  SmallVector<int64_t> origin = originOf(weight);
  FailureOr<StoredTensor> tensor = tensorOf(weight);
  if (failed(tensor))
    return failure();
  Segment segment = {*tensor,
                     0,
                     1,
                     origin.back(),
                     part.getShape().back(),
                     weight.getRowOrder()};
  if (type.getRank() >= 2) {
    int64_t dimension = type.getRank() - 2;
    segment.firstRow = origin[dimension];
    segment.rows = part.getDimSize(dimension);
  }
  if (type.getRank() == 3) {
    int64_t number = origin.front() + expert;
    if (StringRef(tensor->name).contains("{expert}")) {
      segment.tensor = {fill(tensor->name, "{expert}", number),
                        type.clone(type.getShape().drop_front()),
                        fill(tensor->scales, "{expert}", number)};
    } else {
      segment.firstRow += number * type.getDimSize(1);
    }
  }
  if (failed(execution.getWeights().check(segment.tensor,
                                          [&] { return op->emitOpError(); })))
    return failure();
  segments.push_back(std::move(segment));
  return success();
}

FailureOr<std::vector<Segment>> SegmentList::collect() {
  int64_t matrices =
      op.getType().getRank() == 3 ? op.getType().getDimSize(0) : 1;
  for (int64_t expert = 0; expert < matrices; ++expert)
    for (auto symbol : op.getWeights().getAsRange<FlatSymbolRefAttr>())
      if (failed(add(SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, symbol),
                     expert)))
        return failure();
  return std::move(segments);
}

/// Whether `use` reads a weight by rows, and not as a whole.
static bool readsRows(OpOperand &use) {
  return TypeSwitch<Operation *, bool>(use.getOwner())
      .Case<EmbeddingOp>([&](auto op) { return &use == &op.getTableMutable(); })
      .Case<LinearOp, ExpertLinearOp, GroupedLinearOp>(
          [&](auto op) { return &use == &op.getWeightMutable(); })
      .Default(false);
}

static LogicalResult interpretGetWeight(GetWeightOp op, Execution &execution) {
  if (!llvm::all_of(op.getResult().getUses(), readsRows) &&
      failed(verifySize(op, op.getType().getShape())))
    return failure();
  FailureOr<std::vector<Segment>> segments =
      SegmentList(op, execution).collect();
  if (failed(segments))
    return failure();
  auto rows = std::make_shared<WeightRows>(
      op.getType().getShape(), std::move(*segments), execution.getWeights());
  execution.setValue(op.getResult(), {nullptr, std::move(rows)});
  return success();
}

void tcc::attachGetWeightInterpretation(MLIRContext *context) {
  attach<GetWeightOp, interpretGetWeight>(context);
}
