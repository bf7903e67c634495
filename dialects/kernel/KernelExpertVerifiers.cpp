// Verifiers of the `kernel` ops and attributes of experts and latent attention.
//
// Each check of an op carries the number of the constraint it enforces in the
// op's description, and has a test of the same number in invalid-experts.mlir
// or invalid-latent.mlir of test/dialects/kernel/.

#include "dialects/kernel/KernelSupport.h"

using namespace mlir;
using namespace mlir::tcc::kernel;
using tcc::transformer::BlockType;

LogicalResult
LatentCacheAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        int64_t pageTokens, int64_t latentSize,
                        int64_t rotarySize, Type element) {
  if (pageTokens < 32 || pageTokens % 32 != 0)
    return emitError() << "expected page_tokens to be a positive multiple of "
                          "32, got "
                       << pageTokens;
  if (latentSize < 1 || rotarySize < 2 || rotarySize % 2 != 0)
    return emitError()
           << "expected positive sizes and an even rotary_size, got "
           << latentSize << " and " << rotarySize;
  if (!element.isBF16() && !element.isF32())
    return emitError() << "expected elements of type bf16 or f32, got "
                       << element;
  return success();
}

LogicalResult
LatentConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         Arithmetic arithmetic, int64_t blockTokens,
                         int64_t blockHeads, int64_t tileRows,
                         int64_t tileColumns) {
  if (blockTokens < 1 || blockHeads < 1 || tileRows < 1 || tileColumns < 16 ||
      tileColumns % 16 != 0)
    return emitError() << "expected positive sizes and tile_columns to be a "
                          "multiple of 16, got "
                       << blockTokens << ", " << blockHeads << ", " << tileRows
                       << " and " << tileColumns;
  return success();
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

LogicalResult RouteOp::verify() {
  ShapedType logits = shapedType(getLogits());
  ShapedType experts = shapedType(getExpertsInit());
  ShapedType weights = shapedType(getWeightsInit());
  if (logits.getRank() != 2 || experts.getRank() != 2 ||
      !agree(experts.getShape(), weights.getShape()) ||
      !agree(logits.getDimSize(0), experts.getDimSize(0)) ||
      logits.isDynamicDim(1) || experts.isDynamicDim(1) ||
      logits.getDimSize(1) < 1 || experts.getDimSize(1) < 1 ||
      (getBias() && shapedType(getBias()).getShape() !=
                        logits.getShape().drop_front())) // C1
    return emitOpError(
               "expected shapes TxE, E, TxJ and TxJ, with E and J static "
               "and positive, got ")
           << logits << ", " << experts << " and " << weights;
  int64_t count = logits.getDimSize(1);
  auto groups = static_cast<int64_t>(getGroups());
  auto keep = static_cast<int64_t>(getKeep());
  auto top = static_cast<int64_t>(getTop());
  if (!transformer::canSelect(count, groups, keep, top) ||
      experts.getDimSize(1) > keep * (count / groups)) // C2
    return emitOpError("expected groups that divide the experts, and enough of "
                       "them, got ")
           << groups << ", " << keep << " and " << top << " for "
           << experts.getDimSize(1) << " of " << count << " experts";
  return success();
}

LogicalResult DispatchOp::verify() {
  ShapedType experts = shapedType(getExperts());
  if (failed(transformer::verifyDispatch(
          *this, experts, shapedType(getRowsInit()),
          shapedType(getPlacesInit()), shapedType(getOffsetsInit())))) // C1
    return failure();
  if (experts.isDynamicDim(1)) // C2
    return emitOpError(
               "expected a static number of experts of each token, got ")
           << experts;
  return success();
}

/// Verifies C1 to C3.
static LogicalResult verifyShapes(GroupedLinearOp op) {
  ShapedType input = shapedType(op.getInput()), init = shapedType(op.getInit());
  ShapedType weight = shapedType(op.getWeight());
  ShapedType offsets = shapedType(op.getOffsets());
  if (input.getRank() != 2 || weight.getRank() != 3 || init.getRank() != 2 ||
      !weight.hasStaticShape() || weight.getNumElements() == 0 ||
      input.getDimSize(1) != weight.getDimSize(2) ||
      offsets.getShape() != ArrayRef(weight.getDimSize(0) + 1)) // C1
    return op.emitOpError(
               "expected shapes TxK, ExNxK, E + 1 and MxN, with E, N "
               "and K static and positive, got ")
           << input << ", " << weight << ", " << offsets << " and " << init;
  ShapedType rows = op.getRows() ? shapedType(op.getRows()) : input;
  if (rows.getRank() != (op.getRows() ? 1 : 2) ||
      !agree(init.getDimSize(0), rows.getDimSize(0)) ||
      init.getDimSize(1) != op.getOutputColumns()) // C2
    return op.emitOpError(
               "expected a destination with a row for each row of an "
               "expert and ")
           << op.getOutputColumns() << " columns, got " << init;
  for (Value operand : op.getPrologueOperands())
    if (shapedType(operand).getShape() != ArrayRef(op.getDepth())) // C3
      return op.emitOpError("expected operands of the prologue to have ")
             << op.getDepth() << " elements, got " << operand.getType();
  return success();
}

/// Verifies C6 to C8.
static LogicalResult verifyBodies(GroupedLinearOp op) {
  size_t operands = op.getPrologueOperands().size();
  if (op.getPrologue().empty() && (operands > 0 || op.getMeanSquare())) // C6
    return op.emitOpError("expected no operands and no mean square without a "
                          "prologue");
  if (op.getEpilogue().empty() && op.getPacking().getPaired()) // C7
    return op.emitOpError("expected no pairs without an epilogue");
  size_t arguments = 1 + (op.getMeanSquare() ? 1 : 0) + operands;
  if (!op.getPrologue().empty() &&
      failed(verifyRegion(op, op.getPrologue(), "prologue", arguments))) // C6
    return failure();
  if (op.getEpilogue().empty())
    return success();
  return verifyRegion(op, op.getEpilogue(), "epilogue",
                      op.getPacking().getPaired() ? 2 : 1); // C7
}

LogicalResult GroupedLinearOp::verify() {
  if (failed(verifyShapes(*this)))
    return failure();
  Type storage = shapedType(getWeight()).getElementType();
  if (failed(verifyBlocks(*this, storage, getDepth()))) // C4
    return failure();
  if (getPacking().getPaired() && getWeightRows() % 2 != 0) // C4
    return emitOpError("expected an even number of paired rows, got ")
           << getWeightRows();
  if (failed(verifyOperand(*this, getOperand(), storage)) || // C5
      failed(getConfiguration().verifyLayer(*this, shapedType(getWeight()),
                                            getPacking(),
                                            getOperand()))) // C9
    return failure();
  return verifyBodies(*this);
}

LogicalResult CombineOp::verify() {
  ShapedType input = shapedType(getInput()), places = shapedType(getPlaces());
  ShapedType weights = shapedType(getWeights()), init = shapedType(getInit());
  bool addendsFit = llvm::all_of(getAddends(), [&](Value addend) {
    return agree(shapedType(addend).getShape(), init.getShape());
  });
  if (input.getRank() != 2 || places.getRank() != 2 ||
      !agree(places.getShape(), weights.getShape()) || !addendsFit ||
      !agree(init.getShape(),
             {places.getDimSize(0), input.getDimSize(1)})) // C1
    return emitOpError("expected shapes MxN, TxJ, TxJ and TxN, got ")
           << input << ", " << places << ", " << weights << " and " << init;
  if (places.isDynamicDim(1) || init.isDynamicDim(1)) // C2
    return emitOpError("expected static numbers of experts and columns, got ")
           << places << " and " << init;
  return success();
}

//===----------------------------------------------------------------------===//
// Latent attention
//===----------------------------------------------------------------------===//

LogicalResult HeadLinearOp::verify() {
  ShapedType input = shapedType(getInput()), init = shapedType(getInit());
  ShapedType weight = shapedType(getWeight());
  if (weight.getRank() != 3 || !weight.hasStaticShape() ||
      weight.getNumElements() == 0 || input.getRank() != 3 ||
      !agree(input.getShape(), {input.getDimSize(0), getHeads(), getDepth()}) ||
      !agree(init.getShape(),
             {input.getDimSize(0), getHeads(), getOutputColumns()})) // C1
    return emitOpError("expected shapes TxHxK, ")
           << (getTransposed() ? "HxKxN" : "HxNxK") << " and TxHxN, with H, N "
           << "and K static and positive, got " << input << ", " << weight
           << " and " << init;
  Type storage = weight.getElementType();
  if (getPacking().getPaired() ||
      (isa<BlockType>(storage) && getTransposed())) // C2
    return emitOpError("expected no pairs, and no transposed weight in blocks, "
                       "got ")
           << getPacking() << " and " << weight;
  if (failed(verifyBlocks(*this, storage, getDepth(), getTransposed())) || // C2
      failed(verifyOperand(*this, getOperand(), storage)))                 // C3
    return failure();
  return getConfiguration().verifyLayer(*this, weight, getPacking(),
                                        getOperand()); // C4
}

LogicalResult LatentAppendOp::verify() {
  LatentCacheAttr cache = getCache();
  ShapedType query = shapedType(getQuery()), init = shapedType(getInit());
  ShapedType latents = shapedType(getLatents()), norm = shapedType(getNorm());
  ShapedType rotary = shapedType(getRotary());
  int64_t rotated = cache.getRotarySize();
  if (query.getRank() != 3 || query.getDimSize(2) < rotated ||
      !agree(latents.getShape(), {query.getDimSize(0), cache.getRowSize()}) ||
      norm.getShape() != ArrayRef(cache.getLatentSize()) ||
      !agree(rotary.getShape(), {query.getDimSize(0), rotated / 2, 2}) ||
      !agree(init.getShape(),
             {query.getDimSize(0), query.getDimSize(1), rotated})) // C1
    return emitOpError("expected latents of ")
           << cache.getLatentSize() << " and " << rotated
           << " elements, and so many rotated ones of each head, got " << query
           << ", " << latents << ", " << norm << " and " << rotary << " to "
           << init;
  if (!getEpsilon().isFiniteNonZero() || getEpsilon().isNegative()) // C2
    return emitOpError("expected epsilon to be positive, got ")
           << getEpsilon().convertToDouble();
  return verifyPlaces(*this, getPositions(), getSequences(),
                      getPageTable()); // C3
}

LogicalResult LatentAttentionOp::verify() {
  ShapedType latent = shapedType(getLatentQuery());
  ShapedType rotated = shapedType(getRotatedQuery());
  ShapedType init = shapedType(getInit());
  LatentCacheAttr cache = getCache();
  if (latent.getRank() != 3 || latent.isDynamicDim(1) ||
      latent.getDimSize(2) != cache.getLatentSize() ||
      !agree(rotated.getShape(), {latent.getDimSize(0), latent.getDimSize(1),
                                  cache.getRotarySize()}) ||
      !agree(init.getShape(), latent.getShape())) // C1
    return emitOpError("expected queries and a destination with heads of ")
           << cache.getLatentSize() << " and " << cache.getRotarySize()
           << " elements, got " << latent << ", " << rotated << " and " << init;
  if (failed(verifyPlaces(*this, getPositions(), getSequences(),
                          getPageTable()))) // C2
    return failure();
  LatentConfigAttr configuration = getConfiguration();
  if (getHeads() % configuration.getBlockHeads() != 0) // C3
    return emitOpError("expected block_heads to divide the heads, got ")
           << configuration.getBlockHeads() << " and " << getHeads();
  Arithmetic arithmetic = configuration.getArithmetic();
  bool areBF16 = cache.getElement().isBF16() &&
                 latent.getElementType().isBF16() &&
                 rotated.getElementType().isBF16();
  if (arithmetic != Arithmetic::Fma &&
      (arithmetic != Arithmetic::Dot || !areBF16)) // C3
    return emitOpError(
               "expected the arithmetic to be 'fma', or 'dot' if queries "
               "and cache are bf16, got '")
           << stringifyArithmetic(arithmetic) << "'";
  return success();
}

/// Verifies C1.
static LogicalResult verifyShapes(ExpandedAttentionOp op) {
  ShapedType nope = shapedType(op.getNopeQuery());
  ShapedType rotated = shapedType(op.getRotatedQuery());
  ShapedType weight = shapedType(op.getWeight());
  ShapedType init = shapedType(op.getInit());
  LatentCacheAttr cache = op.getCache();
  bool haveRanks = nope.getRank() == 3 && weight.getRank() == 3 &&
                   init.getRank() == 3 && weight.hasStaticShape() &&
                   weight.getNumElements() != 0;
  if (haveRanks) {
    int64_t tokens = nope.getDimSize(0), heads = weight.getDimSize(0);
    int64_t keys = nope.getDimSize(2), values = init.getDimSize(2);
    if (keys > 0 && values > 0 &&
        agree(nope.getShape(), {tokens, heads, keys}) &&
        agree(rotated.getShape(), {tokens, heads, cache.getRotarySize()}) &&
        agree(init.getShape(), {tokens, heads, values}) &&
        agree(weight.getShape(), {heads, keys + values, cache.getLatentSize()}))
      return success();
  }
  return op.emitOpError("expected shapes TxHxN, TxHx")
         << cache.getRotarySize() << ", HxN+Vx" << cache.getLatentSize()
         << " and TxHxV, with H, N and V static and positive, got " << nope
         << ", " << rotated << ", " << weight << " and " << init;
}

LogicalResult ExpandedAttentionOp::verify() {
  if (failed(verifyShapes(*this)) || // C1
      failed(verifyPlaces(*this, getPositions(), getSequences(),
                          getPageTable()))) // C2
    return failure();
  Type storage = shapedType(getWeight()).getElementType();
  LinearConfigAttr configuration = getConfiguration();
  if (getPacking().getPaired() || isa<BlockType>(storage)) // C3
    return emitOpError(
               "expected no pairs and a weight that is not in blocks, got ")
           << getPacking() << " and " << storage;
  if (failed(verifyBlocks(*this, storage, getCache().getLatentSize()))) // C3
    return failure();
  if (getPacking().getColumns() % configuration.getTileColumns() != 0) // C3
    return emitOpError("expected tile_columns to divide the columns of the "
                       "packing, got ")
           << configuration.getTileColumns() << " and "
           << getPacking().getColumns();
  Arithmetic arithmetic = configuration.getArithmetic();
  bool isNarrow = getCache().getElement().isBF16() && !storage.isF32() &&
                  !storage.isF16() && getNopeSize() % 2 == 0;
  if (arithmetic != Arithmetic::Fma &&
      (arithmetic != Arithmetic::Dot || !isNarrow)) // C4
    return emitOpError(
               "expected the arithmetic to be 'fma', or 'dot' if the cache "
               "is bf16, the weight neither f32 nor f16, and N even, got '")
           << stringifyArithmetic(arithmetic) << "'";
  return success();
}
