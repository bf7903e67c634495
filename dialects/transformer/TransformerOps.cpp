// Formats, symbol uses and interface methods of the `transformer` ops. What the
// ops reject by themselves is in TransformerVerifiers.cpp.

#include "dialects/transformer/Transformer.h"

#include "mlir/Dialect/Shard/IR/ShardOps.h"
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

/// Parses `first, count, of`.
static ParseResult parseHalves(OpAsmParser &parser, DenseI64ArrayAttr &halves) {
  int64_t first, count, of;
  if (parser.parseInteger(first) || parser.parseComma() ||
      parser.parseInteger(count) || parser.parseComma() ||
      parser.parseInteger(of))
    return failure();
  halves = parser.getBuilder().getDenseI64ArrayAttr({first, count, of});
  return success();
}

static void printHalves(OpAsmPrinter &printer, Operation *,
                        DenseI64ArrayAttr halves) {
  llvm::interleaveComma(halves.asArrayRef(), printer);
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

/// Parses the type of a key and, if there is a value, its type after it.
static ParseResult
parseEntryTypes(OpAsmParser &parser, Type &key,
                const std::optional<OpAsmParser::UnresolvedOperand> &value,
                Type &valueType) {
  if (parser.parseType(key))
    return failure();
  if (!value)
    return success();
  return failure(parser.parseComma() || parser.parseType(valueType));
}

static void printEntryTypes(OpAsmPrinter &printer, Operation *, Type key,
                            Value value, Type valueType) {
  printer << key;
  if (value)
    printer << ", " << valueType;
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

/// The number of parts into which `split` cuts a weight; nothing if its grid is
/// not there or has no such axis.
static std::optional<int64_t> partsOf(WeightOp weight, SplitAttr split) {
  auto grid = SymbolTable::lookupNearestSymbolFrom<shard::GridOp>(
      weight, split.getGrid());
  if (!grid || split.getAxis() < 0 || split.getAxis() >= grid.getRank())
    return std::nullopt;
  int64_t parts = grid.getShape()[split.getAxis()];
  return parts > 0 ? std::optional(parts) : std::nullopt;
}

RankedTensorType WeightOp::getLocalType() {
  auto type = cast<RankedTensorType>(getType());
  std::optional<SplitAttr> split = getSplit();
  std::optional<int64_t> parts =
      split ? partsOf(*this, *split) : std::optional<int64_t>();
  if (!parts || split->getDimension() < 0 ||
      split->getDimension() >= type.getRank())
    return type;
  SmallVector<int64_t> shape(type.getShape());
  shape[split->getDimension()] /= *parts;
  return type.clone(shape);
}

//===----------------------------------------------------------------------===//
// Uses of symbols
//===----------------------------------------------------------------------===//

/// The elements of `dimension` of `type` that must stay together.
static int64_t blockOf(RankedTensorType type, int64_t dimension) {
  int64_t fromEnd = type.getRank() - dimension;
  if (isa<BlockType>(type.getElementType()))
    return fromEnd == 1 ? 32 : 1;
  auto scaled = dyn_cast<ScaledType>(type.getElementType());
  if (!scaled || fromEnd > 2)
    return 1;
  return fromEnd == 1 ? scaled.getColumns() : scaled.getRows();
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &) {
  if (!getSplit())
    return success();
  auto type = cast<RankedTensorType>(getType());
  int64_t dimension = getSplit()->getDimension();
  std::optional<int64_t> parts = partsOf(*this, *getSplit());
  if (!parts || dimension < 0 || dimension >= type.getRank() ||
      type.getDimSize(dimension) % *parts != 0) // C7
    return emitOpError("expected a dimension that the devices along an axis of a "
                       "static grid divide, got ")
           << *getSplit() << " of " << type;
  int64_t part = type.getDimSize(dimension) / *parts;
  if (part % blockOf(type, dimension) != 0) // C8
    return emitOpError("expected parts of whole blocks of ")
           << blockOf(type, dimension) << " elements, got parts of " << part;
  return success();
}

/// The dimension along which tensors of `type` are stacked.
static int64_t rowDimension(RankedTensorType type) {
  return std::max<int64_t>(type.getRank() - 2, 0);
}

/// Whether tensors of these types can be stacked: they agree in all but the rows.
static bool stacks(RankedTensorType a, RankedTensorType b) {
  if (a.getRank() != b.getRank())
    return false;
  SmallVector<int64_t> shape(a.getShape());
  shape[rowDimension(a)] = b.getDimSize(rowDimension(b));
  return a.clone(shape) == b;
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

  auto typeOf = [&](WeightOp weight) {
    return getLocal() ? weight.getLocalType()
                      : cast<RankedTensorType>(weight.getType());
  };
  RankedTensorType first = typeOf(weights.front());
  int64_t rows = 0;
  for (WeightOp weight : weights) {
    if (!stacks(typeOf(weight), first)) // C2
      return emitOpError("expected weights that agree in all but the rows, got ")
             << first << " and " << typeOf(weight);
    rows += typeOf(weight).getDimSize(rowDimension(first));
    if (weight.getLayers() != weights.front().getLayers()) // C3
      return emitOpError("expected weights of the same layers");
  }
  SmallVector<int64_t> shape(first.getShape());
  shape[rowDimension(first)] = rows;
  if (getType() != first.clone(shape)) // C2
    return emitOpError("expected result ")
           << first.clone(shape) << ", got " << getType();
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
  if (bool(getValue()) == cache.getLatent()) // C3
    return emitOpError("expected a value if and only if the cache is not latent, "
                       "got ")
           << (getValue() ? "one" : "none");
  auto fits = [&](RankedTensorType type, int64_t size) {
    int64_t heads = cache.getHeads();
    return type.getRank() == 3 && type.getDimSize(1) == heads &&
           type.getDimSize(2) == size;
  };
  if (!fits(getKey().getType(), cache.getKeySize()) ||
      (getValue() &&
       !fits(getValue().getType(), cache.getValueSize()))) { // C2
    InFlightDiagnostic error = emitOpError("expected key and value of ")
                               << cache.getHeads() << " heads of sizes "
                               << cache.getKeySize() << " and "
                               << cache.getValueSize() << ", got "
                               << getKey().getType();
    if (getValue())
      error << " and " << getValue().getType();
    return error;
  }
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

SmallVector<OpOperand *> HeadLinearOp::getRowOperands() {
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
