// Verifiers of the `transformer` ops.
//
// Each check carries the number of the constraint it enforces in the op's
// description in TransformerOps.td, and has a test of the same number in
// test/dialects/transformer/invalid.mlir.

#include "dialects/transformer/Shapes.h"
#include "dialects/transformer/Transformer.h"

using namespace mlir;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Whether `layers` is pairs of first and count, ascending and disjoint.
static bool areLayerRanges(ArrayRef<int64_t> layers) {
  if (layers.empty() || layers.size() % 2 != 0)
    return false;
  int64_t end = 0;
  for (size_t i = 0; i < layers.size(); i += 2) {
    int64_t first = layers[i], count = layers[i + 1];
    if (first < end || count < 1 ||
        count > std::numeric_limits<int64_t>::max() - first)
      return false;
    end = first + count;
  }
  return true;
}

/// Verifies C9: the order of the rows.
static LogicalResult verifyHalves(WeightOp op) {
  std::optional<ArrayRef<int64_t>> halves = op.getHalves();
  if (!halves)
    return success();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getType()).getShape();
  if (shape.size() > 2 || !Halves::areValid(*halves) ||
      shape.front() % (*halves)[2] != 0)
    return op.emitOpError(
               "expected halves(first, count, of) of an even number "
               "of rows within of, which divides the rows of a vector "
               "or matrix, got ")
           << op.getHalvesAttr() << " of " << op.getType();
  return success();
}

/// Verifies C5 and C6: the names of the tensors.
static LogicalResult verifyNames(WeightOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  bool hasExperts = op.getTensor().contains("{expert}");
  if (hasExperts && type.getRank() != 3) // C5
    return op.emitOpError("expected '{expert}' only in the name of a weight of "
                          "rank 3, got '")
           << op.getTensor() << "' and " << type;
  bool isScaled = isa<ScaledType>(type.getElementType());
  if (isScaled != op.getScales().has_value() ||
      (isScaled && type.getRank() == 1)) // C6
    return op.emitOpError("expected scales if and only if matrices have "
                          "'!transformer.scaled' elements, got ")
           << type;
  if (isScaled &&
      (op.getScales()->contains("{layer}") != op.getLayers().has_value() ||
       op.getScales()->contains("{expert}") != hasExperts)) // C6
    return op.emitOpError("expected '{layer}' and '{expert}' in the name of the "
                          "scales as in that of the tensor, got '")
           << *op.getScales() << "' and '" << op.getTensor() << "'";
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape() || type.getRank() < 1 || type.getRank() > 3) // C1
    return emitOpError("expected a static shape of rank 1 to 3, got ") << type;
  if (isa<BlockType>(type.getElementType()) &&
      type.getShape().back() % 32 != 0) // C2
    return emitOpError("expected the last dimension to be a multiple of the 32 "
                       "elements of a block, got ")
           << type;
  if (getLayers() && !areLayerRanges(*getLayers())) // C3
    return emitOpError("expected layers(first, count) with first not negative "
                       "and count positive, in ascending order, got ")
           << getLayersAttr();
  if (getTensor().contains("{layer}") != getLayers().has_value()) // C4
    return emitOpError(
               "expected '{layer}' in the name of the tensor if and only "
               "if there are layers, got '")
           << getTensor() << "'";
  return failure(failed(verifyNames(*this)) || failed(verifyHalves(*this)));
}

//===----------------------------------------------------------------------===//
// Embedding, linear layers, normalisation
//===----------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  RankedTensorType tokens = getTokens().getType(), table = getTable().getType();
  RankedTensorType result = getType();
  if (tokens.getRank() != 1 || table.getRank() != 2 || result.getRank() != 2 ||
      !agree(result.getShape(),
             {tokens.getDimSize(0), table.getDimSize(1)})) // C1
    return emitOpError("expected a result of one row of the table for each "
                       "token, got ")
           << tokens << " and " << table << " to " << result;
  return success();
}

LogicalResult LinearOp::verify() {
  RankedTensorType input = getInput().getType(), weight = getWeight().getType();
  RankedTensorType result = getType();
  if (input.getRank() != 2 || weight.getRank() != 2 ||
      result.getRank() != 2) // C1
    return emitOpError("expected input, weight and result of rank 2, got ")
           << input << ", " << weight << " and " << result;
  bool biasFits =
      !getBias() || agree(getBias().getType().getShape(), weight.getDimSize(0));
  if (!agree(input.getDimSize(1), weight.getDimSize(1)) || !biasFits ||
      !agree(result.getShape(),
             {input.getDimSize(0), weight.getDimSize(0)})) // C2
    return emitOpError("expected shapes TxK, NxK, N and TxN, got ")
           << input << ", " << weight << " and " << result;
  return success();
}

LogicalResult HeadLinearOp::verify() {
  RankedTensorType input = getInput().getType(), weight = getWeight().getType();
  RankedTensorType result = getType();
  bool ranks = input.getRank() == 3 && weight.getRank() == 3;
  SmallVector<int64_t> expected;
  if (ranks)
    expected = {input.getDimSize(0), weight.getDimSize(0),
                weight.getDimSize(getTransposed() ? 2 : 1)};
  if (!ranks || !agree(input.getDimSize(1), weight.getDimSize(0)) ||
      !agree(input.getDimSize(2), weight.getDimSize(getTransposed() ? 1 : 2)) ||
      !agree(result.getShape(), expected)) // C1
    return emitOpError("expected shapes TxHxK, ")
           << (getTransposed() ? "HxKxN" : "HxNxK") << " and TxHxN, got "
           << input << ", " << weight << " and " << result;
  return success();
}

/// Verifies C1, C2 and C3 of the normalising ops.
static LogicalResult verifyNorm(Operation *op, RankedTensorType input,
                                RankedTensorType weight,
                                RankedTensorType result,
                                const APFloat &epsilon) {
  if (input.getRank() == 0 || weight.getRank() != 1 ||
      weight.getDimSize(0) != input.getShape().back() ||
      weight.getDimSize(0) == 0) // C1
    return op->emitOpError("expected weight to be a vector of the length of "
                           "the last dimension of input and not empty, got ")
           << weight << " and " << input;
  if (!epsilon.isFiniteNonZero() || epsilon.isNegative()) // C2
    return op->emitOpError("expected epsilon to be positive, got ")
           << epsilon.convertToDouble();
  if (input.getShape() != result.getShape()) // C3
    return op->emitOpError("expected a result of the shape of input, got ")
           << input << " and " << result;
  return success();
}

LogicalResult RMSNormOp::verify() {
  return verifyNorm(*this, getInput().getType(), getWeight().getType(),
                    getType(), getEpsilon());
}

LogicalResult ResidualRMSNormOp::verify() {
  return verifyNorm(*this, getInput().getType(), getWeight().getType(),
                    getResult().getType(), getEpsilon());
}

LogicalResult SwigluOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  if (input.getRank() != 2 || result.getRank() != 2 ||
      !agree(input.getDimSize(0), result.getDimSize(0)) ||
      input.getDimSize(1) != 2 * result.getDimSize(1)) // C1
    return emitOpError(
               "expected input to have twice the columns of result, got ")
           << input << " and " << result;
  return success();
}

LogicalResult GatherRowsOp::verify() {
  RankedTensorType input = getInput().getType(), rows = getRows().getType();
  RankedTensorType result = getType();
  if (rows.getRank() != 1 || input.getRank() == 0 ||
      input.getRank() != result.getRank() ||
      input.getElementType() != result.getElementType() ||
      input.getShape().drop_front() != result.getShape().drop_front() ||
      !agree(result.getDimSize(0), rows.getDimSize(0))) // C1
    return emitOpError("expected a result of the selected rows of input, got ")
           << input << " and " << rows << " to " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// Attention, as the paper writes it
//===----------------------------------------------------------------------===//

LogicalResult RotaryEmbeddingOp::verify() {
  RankedTensorType input = getInput().getType();
  if (input.getRank() != 3 || getPositions().getType().getRank() != 1 ||
      input.getShape() != getType().getShape()) // C1
    return emitOpError("expected input and result of one shape of rank 3 and "
                       "positions of rank 1, got ")
           << input << ", " << getType() << " and " << getPositions().getType();
  if (input.getDimSize(2) !=
      2 * static_cast<int64_t>(getFrequencies().size())) // C2
    return emitOpError("expected a head size of twice the number of "
                       "frequencies, got ")
           << input.getDimSize(2) << " and " << getFrequencies().size();
  return success();
}

LogicalResult RepeatHeadsOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  int64_t times = static_cast<int64_t>(getTimes());
  if (times < 1 || input.getRank() != 3 || result.getRank() != 3 ||
      !agree(input.getDimSize(0), result.getDimSize(0)) ||
      input.getDimSize(2) != result.getDimSize(2) ||
      result.getDimSize(1) != times * input.getDimSize(1)) // C1
    return emitOpError("expected a result of ")
           << times << " times the heads of input, got " << input << " and "
           << result;
  return success();
}

namespace {
/// The three groups of letters of an equation.
struct Equation {
  StringRef lhs, rhs, result;
};
} // namespace

static bool isGroup(StringRef letters) {
  for (size_t i = 0; i < letters.size(); ++i)
    if (letters[i] < 'a' || letters[i] > 'z' ||
        letters.find(letters[i], i + 1) != StringRef::npos)
      return false;
  return true;
}

/// Verifies C1 of einsum.
static FailureOr<Equation> parseEquation(EinsumOp op) {
  Equation equation;
  auto [operands, result] = op.getEquation().split("->");
  std::tie(equation.lhs, equation.rhs) = operands.split(',');
  equation.result = result;
  bool known = llvm::all_of(equation.result, [&](char letter) {
    return equation.lhs.contains(letter) || equation.rhs.contains(letter);
  });
  if (!op.getEquation().contains("->") || !operands.contains(',') ||
      !isGroup(equation.lhs) || !isGroup(equation.rhs) || !isGroup(result) ||
      !known)
    return op.emitOpError(
               "expected an equation such as \"thd,shd->hts\", got \"")
           << op.getEquation() << "\"";
  return equation;
}

LogicalResult EinsumOp::verify() {
  FailureOr<Equation> equation = parseEquation(*this); // C1
  if (failed(equation))
    return failure();
  DenseMap<char, int64_t> sizes;
  for (auto [letters, type] : {std::pair(equation->lhs, getLhs().getType()),
                               std::pair(equation->rhs, getRhs().getType()),
                               std::pair(equation->result, getType())}) {
    if (static_cast<int64_t>(letters.size()) != type.getRank()) // C2
      return emitOpError("expected a letter for each dimension, got \"")
             << letters << "\" and " << type;
    for (auto [letter, size] : llvm::zip(letters, type.getShape())) {
      auto [known, isNew] = sizes.try_emplace(letter, size);
      if (!agree(known->second, size)) // C3
        return emitOpError("expected one size for '")
               << letter << "', got " << known->second << " and " << size;
      if (!ShapedType::isDynamic(size))
        known->second = size;
    }
  }
  return success();
}

LogicalResult CausalMaskOp::verify() {
  if (getScores().getType().getRank() != 3 ||
      getQueryPositions().getType().getRank() != 1 ||
      getKeyPositions().getType().getRank() != 1) // C1
    return emitOpError(
               "expected scores of rank 3 and positions of rank 1, got ")
           << getScores().getType() << ", " << getQueryPositions().getType()
           << " and " << getKeyPositions().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Attention, fused
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() {
  RankedTensorType query = getQuery().getType(), key = getKey().getType();
  RankedTensorType value = getValue().getType(), result = getType();
  if (query.getRank() != 3 || key.getRank() != 3 || value.getRank() != 3 ||
      result.getRank() != 3 || getQueryPositions().getType().getRank() != 1 ||
      getKeyPositions().getType().getRank() != 1) // C1
    return emitOpError("expected query, key, value and result of rank 3 and "
                       "positions of rank 1, got ")
           << query << ", " << key << ", " << value << " and " << result;
  if (!agree(key.getShape().take_front(2),
             value.getShape().take_front(2))) // C2
    return emitOpError(
               "expected key and value to agree in positions and heads, "
               "got ")
           << key << " and " << value;
  if (query.getDimSize(2) != key.getDimSize(2)) // C3
    return emitOpError("expected query and key to agree in head size, got ")
           << query.getDimSize(2) << " and " << key.getDimSize(2);
  int64_t queryHeads = query.getDimSize(1), keyHeads = key.getDimSize(1);
  if (keyHeads <= 0 || queryHeads % keyHeads != 0) // C4
    return emitOpError("expected the number of query heads to be a multiple of "
                       "the number of key/value heads, got ")
           << queryHeads << " and " << keyHeads;
  if (!agree(result.getShape(),
             {query.getDimSize(0), queryHeads, value.getDimSize(2)})) // C5
    return emitOpError("expected a result of the positions and heads of query "
                       "and the head size of value, got ")
           << result;
  return success();
}

LogicalResult CacheOp::verify() {
  if (static_cast<int64_t>(getLayers()) < 1 ||
      static_cast<int64_t>(getHeads()) < 1 ||
      static_cast<int64_t>(getKeySize()) < 1 ||
      static_cast<int64_t>(getValueSize()) < 1) // C1
    return emitOpError("expected positive sizes, got ")
           << static_cast<int64_t>(getLayers()) << " layers, "
           << static_cast<int64_t>(getHeads()) << " heads, key size "
           << static_cast<int64_t>(getKeySize()) << " and value size "
           << static_cast<int64_t>(getValueSize());
  if (getLatent() &&
      (getHeads() != 1 || getValueSize() > getKeySize())) // C2
    return emitOpError("expected one head and values no longer than keys in a "
                       "latent cache, got ")
           << getHeads() << " heads, key size " << getKeySize()
           << " and value size " << getValueSize();
  return success();
}
