// Formats, symbol uses and interface methods of the `transformer` ops. What the
// ops reject by themselves is in TransformerVerifiers.cpp.

#include "dialects/transformer/Transformer.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tcc::transformer;

/// Parses `(first, count) and (first, count) ...` after `layers`.
static ParseResult parseLayerRanges(OpAsmParser &parser,
                                    DenseI64ArrayAttr &layers) {
  SmallVector<int64_t> ranges;
  do {
    int64_t first, count;
    if (parser.parseLParen() || parser.parseInteger(first) ||
        parser.parseComma() || parser.parseInteger(count) ||
        parser.parseRParen())
      return failure();
    ranges.append({first, count});
  } while (succeeded(parser.parseOptionalKeyword("and")));
  layers = parser.getBuilder().getDenseI64ArrayAttr(ranges);
  return success();
}

static void printLayerRanges(OpAsmPrinter &printer, Operation *,
                             DenseI64ArrayAttr layers) {
  for (int64_t i = 0; i + 1 < layers.size(); i += 2)
    printer << (i == 0 ? "(" : " and (") << layers[i] << ", " << layers[i + 1]
            << ')';
}

/// Parses a list of numbers in brackets.
static ParseResult parseFrequencies(OpAsmParser &parser,
                                    DenseF64ArrayAttr &frequencies) {
  SmallVector<double> values;
  auto parseOne = [&] { return parser.parseFloat(values.emplace_back()); };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne))
    return failure();
  frequencies = parser.getBuilder().getDenseF64ArrayAttr(values);
  return success();
}

/// Prints every digit: the attribute's own printer stops after six.
static void printFrequencies(OpAsmPrinter &printer, Operation *,
                             DenseF64ArrayAttr frequencies) {
  printer << '[';
  llvm::interleaveComma(frequencies.asArrayRef(), printer, [&](double value) {
    printer.printFloat(APFloat(value));
  });
  printer << ']';
}

int64_t WeightOp::getTensorCount() {
  if (!getLayers())
    return 1;
  int64_t tensors = 0;
  for (size_t i = 0; i < getLayers()->size(); i += 2)
    tensors += (*getLayers())[i + 1];
  return tensors;
}

std::optional<int64_t> WeightOp::getTensorIndex(int64_t layer) {
  int64_t before = 0;
  for (size_t i = 0; getLayers() && i < getLayers()->size(); i += 2) {
    int64_t first = (*getLayers())[i], count = (*getLayers())[i + 1];
    if (layer >= first && layer < first + count)
      return before + layer - first;
    before += count;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Uses of symbols
//===----------------------------------------------------------------------===//

/// Verifies that `weight` agrees with `first` in all but the first dimension.
static bool stacks(WeightOp weight, WeightOp first) {
  auto type = cast<RankedTensorType>(weight.getType());
  auto firstType = cast<RankedTensorType>(first.getType());
  return type.getElementType() == firstType.getElementType() &&
         type.getShape().drop_front() == firstType.getShape().drop_front();
}

LogicalResult
GetWeightOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  SmallVector<WeightOp> weights;
  for (Attribute symbol : getWeights()) {
    auto weight = symbolTable.lookupNearestSymbolFrom<WeightOp>(
        *this, cast<FlatSymbolRefAttr>(symbol));
    if (!weight) // C1
      return emitOpError("expected the name of a weight, got ") << symbol;
    weights.push_back(weight);
  }
  if (weights.empty()) // C1
    return emitOpError("expected at least one weight, got none");

  int64_t rows = 0;
  for (WeightOp weight : weights) {
    if (!stacks(weight, weights.front())) // C2
      return emitOpError("expected weights that agree in all but the first "
                         "dimension, got ")
             << weights.front().getType() << " and " << weight.getType();
    rows += cast<RankedTensorType>(weight.getType()).getDimSize(0);
    if (weight.getLayers() != weights.front().getLayers()) // C3
      return emitOpError("expected weights of the same layers");
  }
  auto type = cast<RankedTensorType>(weights.front().getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = rows;
  if (getType() != type.clone(shape)) // C2
    return emitOpError("expected result ")
           << type.clone(shape) << ", got " << getType();
  if (bool(getLayer()) != weights.front().getLayers().has_value()) // C3
    return emitOpError("expected a layer if and only if the weights have "
                       "layers");
  return success();
}

/// Finds the cache that `op` names, with an error if there is none.
static CacheOp findCache(Operation *op, FlatSymbolRefAttr name,
                         SymbolTableCollection &symbolTable) {
  auto cache = symbolTable.lookupNearestSymbolFrom<CacheOp>(op, name);
  if (!cache) // C1
    op->emitOpError("expected the name of a cache, got ") << name;
  return cache;
}

LogicalResult
CacheAppendOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  CacheOp cache = findCache(*this, getCacheAttr(), symbolTable);
  if (!cache)
    return failure();
  auto fits = [&](RankedTensorType type, int64_t size) {
    int64_t heads = cache.getHeads();
    return type.getRank() == 3 && type.getDimSize(1) == heads &&
           type.getDimSize(2) == size;
  };
  if (!fits(getKey().getType(), cache.getKeySize()) ||
      !fits(getValue().getType(), cache.getValueSize())) // C2
    return emitOpError("expected key and value of ")
           << cache.getHeads() << " heads of sizes " << cache.getKeySize()
           << " and " << cache.getValueSize() << ", got " << getKey().getType()
           << " and " << getValue().getType();
  return success();
}

LogicalResult
PagedAttentionOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  CacheOp cache = findCache(*this, getCacheAttr(), symbolTable);
  if (!cache)
    return failure();
  RankedTensorType query = getQuery().getType(), result = getType();
  int64_t keySize = cache.getKeySize(), valueSize = cache.getValueSize();
  if (query.getRank() != 3 || result.getRank() != 3 ||
      query.getShape().take_front(2) != result.getShape().take_front(2) ||
      query.getDimSize(2) != keySize || result.getDimSize(2) != valueSize) // C2
    return emitOpError("expected query and result of head sizes ")
           << keySize << " and " << valueSize << ", got " << query << " and "
           << result;
  if (query.getDimSize(1) % cache.getHeads() != 0) // C3
    return emitOpError("expected the number of query heads to be a multiple of "
                       "the cache's heads, got ")
           << query.getDimSize(1) << " and " << cache.getHeads();
  return success();
}

//===----------------------------------------------------------------------===//
// RowwiseOpInterface
//===----------------------------------------------------------------------===//

SmallVector<OpOperand *> LinearOp::getRowOperands() {
  return {&getInputMutable()};
}

SmallVector<OpOperand *> RMSNormOp::getRowOperands() {
  return {&getInputMutable()};
}

SmallVector<OpOperand *> SwigluOp::getRowOperands() {
  return {&getInputMutable()};
}

#define GET_OP_CLASSES
#include "dialects/transformer/TransformerOps.cpp.inc"
