// Verifiers of the `kernel` ops and attributes.
//
// Each check of an op carries the number of the constraint it enforces in the
// op's description in KernelOps.td, and has a test of the same number in
// test/dialects/kernel/invalid.mlir.

#include "dialects/kernel/KernelSupport.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::tcc::kernel;
using tcc::transformer::BlockType;
using tcc::transformer::ScaledType;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

LogicalResult PackingAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t columns, bool paired) {
  // Halves of a panel are whole vectors on every target.
  if (columns < 16 || columns % (paired ? 32 : 16) != 0)
    return emitError()
           << "expected columns to be a positive multiple of 16, or "
              "of 32 if paired, got "
           << columns;
  return success();
}

LogicalResult
RowPackingAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       int64_t pairRows) {
  if (pairRows < 0 || pairRows % 8 != 0)
    return emitError() << "expected pair_rows to be 0 or a positive multiple "
                          "of 8, got "
                       << pairRows;
  return success();
}

LogicalResult
LinearConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         Arithmetic arithmetic, int64_t tileRows,
                         int64_t tileColumns, int64_t blockRows,
                         int64_t blockDepth) {
  if (tileRows < 1 || blockRows < tileRows)
    return emitError() << "expected block_rows to be at least tile_rows and "
                          "tile_rows at least 1, got "
                       << blockRows << " and " << tileRows;
  if (tileColumns < 8 || tileColumns % 8 != 0)
    return emitError() << "expected tile_columns to be a positive multiple of "
                          "8, got "
                       << tileColumns;
  // A multiple of the blocks of quantised weights and of the partial sums.
  if (blockDepth < 128 || blockDepth % 128 != 0)
    return emitError() << "expected block_depth to be a positive multiple of "
                          "128, got "
                       << blockDepth;
  return success();
}

LogicalResult LinearConfigAttr::verifyLayer(Operation *op, ShapedType weight,
                                            PackingAttrInterface packing,
                                            Type operand) const {
  auto panels = dyn_cast<PackingAttr>(packing);
  if (!panels)
    return op->emitOpError("expected a packing in panels, got ") << packing;
  if (panels.getColumns() % getTileColumns() != 0)
    return op->emitOpError("expected tile_columns to divide the columns of the "
                           "packing, got ")
           << getTileColumns() << " and " << panels.getColumns();
  if (operand.isF16())
    return op->emitOpError("expected no operands of type f16 on a CPU");
  if (getArithmetic() == Arithmetic::Dot && !operand.isBF16())
    return op->emitOpError(
               "expected operands of type bf16 for dot products, got ")
           << operand;
  bool isInteger = getArithmetic() == Arithmetic::Integer;
  if (isInteger != operand.isInteger(16))
    return op->emitOpError("expected operands of type i16 if and only if the "
                           "arithmetic is 'integer', got ")
           << operand << " and '" << stringifyArithmetic(getArithmetic())
           << "'";
  return success();
}

/// Verifies sizes of a tile and the number of threads of the block that
/// computes it.
static LogicalResult
verifyThreadBlock(function_ref<InFlightDiagnostic()> emitError,
                  int64_t tileRows, int64_t tileColumns, int64_t threads) {
  if (tileRows < 1 || tileColumns < 8 || tileColumns % 8 != 0)
    return emitError() << "expected tile_rows to be positive and tile_columns "
                          "to be a positive multiple of 8, got "
                       << tileRows << " and " << tileColumns;
  // Whole warps; no GPU has larger blocks.
  if (threads < 32 || threads % 32 != 0 || threads > 1024)
    return emitError() << "expected threads to be a positive multiple of 32, "
                          "at most 1024, got "
                       << threads;
  return success();
}

/// Verifies how blocks work together: any GPU with clusters has those of 8.
static LogicalResult verifyCluster(function_ref<InFlightDiagnostic()> emitError,
                                   GpuKind kind, int64_t stages,
                                   int64_t cluster, int64_t split) {
  if (stages < 1 || cluster < 1 || cluster > 8 || split < 1)
    return emitError()
           << "expected positive stages and split and a cluster of 1 "
              "to 8 blocks, got "
           << stages << ", " << split << " and " << cluster;
  if (split != 1 && split != cluster)
    return emitError() << "expected split to be 1 or the cluster of " << cluster
                       << " blocks, got " << split;
  if (kind == GpuKind::Simt && (stages != 1 || cluster != 1))
    return emitError()
           << "expected one stage and no cluster of kind 'simt', got " << stages
           << " and " << cluster;
  return success();
}

LogicalResult
GpuLinearConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                            GpuKind kind, int64_t tileRows, int64_t tileColumns,
                            int64_t threads, int64_t stages, int64_t cluster,
                            int64_t split) {
  if (kind == GpuKind::Split)
    return emitError() << "expected a kind of linear layers, got 'split'";
  if (failed(verifyCluster(emitError, kind, stages, cluster, split)))
    return failure();
  return verifyThreadBlock(emitError, tileRows, tileColumns, threads);
}

/// Verifies that tensor cores can multiply elements of the input of `op`, which
/// is rounded to `operand`, as they are.
static LogicalResult verifyTensorCores(Operation *op, Type operand) {
  if (operand.isF32())
    return op->emitOpError("expected operands of 16 bits of kind 'wgmma', got ")
           << operand;
  auto linear = dyn_cast<LinearOp>(op);
  if (!linear)
    return op->emitOpError("has no kind 'wgmma'");
  Type element = shapedType(linear.getInput()).getElementType();
  if (!linear.getPrologue().empty() || element != operand)
    return op->emitOpError(
               "expected no prologue of kind 'wgmma', and an input of ")
           << operand << ", got " << linear.getInput().getType()
           << (linear.getPrologue().empty() ? "" : " and a prologue");
  return success();
}

LogicalResult GpuLinearConfigAttr::verifyLayer(Operation *op, ShapedType weight,
                                               PackingAttrInterface packing,
                                               Type operand) const {
  auto rows = dyn_cast<RowPackingAttr>(packing);
  if (!rows)
    return op->emitOpError("expected a packing in rows, got ") << packing;
  if (weight.getRank() != 2 || isa<ScaledType>(weight.getElementType()))
    return op->emitOpError("expected a weight in rows to be one matrix without "
                           "scales, got ")
           << weight;
  if (rows.getPaired() && getTileColumns() % (2 * rows.getPairRows()) != 0)
    return op->emitOpError("expected tile_columns to be a multiple of twice "
                           "pair_rows, got ")
           << getTileColumns() << " and " << rows.getPairRows();
  if (!operand.isF32() && !operand.isBF16() && !operand.isF16())
    return op->emitOpError(
               "expected operands of type f32, f16 or bf16 on a GPU, got ")
           << operand;
  return getKind() == GpuKind::Wgmma ? verifyTensorCores(op, operand)
                                     : success();
}

LogicalResult
GpuAttentionConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               GpuKind kind, int64_t tileRows,
                               int64_t tileColumns, int64_t threads,
                               int64_t stages, int64_t cluster, int64_t split) {
  if (kind == GpuKind::Skinny)
    return emitError() << "expected a kind of attention, got 'skinny'";
  if (failed(verifyCluster(emitError, kind, stages, cluster, split)))
    return failure();
  return verifyThreadBlock(emitError, tileRows, tileColumns, threads);
}

LogicalResult GpuAttentionConfigAttr::verifyAttention(Operation *op,
                                                      const CacheAttr &cache,
                                                      int64_t group) const {
  if (cache.getOrder() != CacheOrder::Rows)
    return op->emitOpError("expected a cache in rows, got ") << cache;
  bool isPart = cache.getPageTokens() % getTileColumns() == 0;
  bool isPages = getKind() != GpuKind::Simt &&
                 getTileColumns() % cache.getPageTokens() == 0;
  if (getTileRows() < group || !(isPart || isPages))
    return op->emitOpError("expected tile_rows to be at least ")
           << group << " and tile_columns to divide the "
           << cache.getPageTokens() << " tokens of a page, got "
           << getTileRows() << " and " << getTileColumns();
  return success();
}

LogicalResult
GpuSampleConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                            int64_t threads, int64_t cluster) {
  constexpr int64_t warpThreads = 32, mostThreads = 1024, mostBlocks = 8;
  if (threads < warpThreads || threads % warpThreads != 0 ||
      threads > mostThreads)
    return emitError() << "expected threads to be a positive multiple of "
                       << warpThreads << " up to " << mostThreads << ", got "
                       << threads;
  if (cluster < 1 || cluster > mostBlocks)
    return emitError() << "expected a cluster of 1 to " << mostBlocks
                       << " blocks, got " << cluster;
  return success();
}

LogicalResult
AttentionConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                            int64_t blockTokens, int64_t tileRows,
                            int64_t tileColumns) {
  if (blockTokens < 1 || tileRows < 1 || tileColumns < 8 ||
      tileColumns % 8 != 0)
    return emitError() << "expected positive sizes and tile_columns to be a "
                          "multiple of 8, got "
                       << blockTokens << ", " << tileRows << " and "
                       << tileColumns;
  return success();
}

LogicalResult AttentionConfigAttr::verifyAttention(Operation *op,
                                                   const CacheAttr &cache,
                                                   int64_t group) const {
  if (cache.getOrder() != CacheOrder::Vectors)
    return op->emitOpError("expected a cache in vectors, got ") << cache;
  return success();
}

LogicalResult CacheAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t pageTokens, int64_t heads,
                                int64_t keySize, int64_t valueSize,
                                Type element, CacheOrder order) {
  if (pageTokens < 32 || pageTokens % 32 != 0)
    return emitError() << "expected page_tokens to be a positive multiple of "
                          "32, got "
                       << pageTokens;
  if (heads < 1 || keySize < 2 || keySize % 2 != 0 || valueSize < 1)
    return emitError() << "expected positive sizes and an even key_size, got "
                       << heads << ", " << keySize << " and " << valueSize;
  if (!element.isBF16() && !element.isF32())
    return emitError() << "expected elements of type bf16 or f32, got "
                       << element;
  return success();
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  ShapedType tokens = shapedType(getTokens()), table = shapedType(getTable());
  ShapedType init = shapedType(getInit());
  if (tokens.getRank() != 1 || table.getRank() != 2 ||
      !table.hasStaticShape() || init.getRank() != 2 ||
      !agree(init.getDimSize(0), tokens.getDimSize(0)) ||
      init.getDimSize(1) != table.getDimSize(1)) // C1
    return emitOpError("expected a row of a static table for each token, got ")
           << tokens << " and " << table << " into " << init;
  if (getPacking().getPaired()) // C2
    return emitOpError("expected a packing that is not paired, got ")
           << getPacking();
  if (isa<ScaledType>(table.getElementType())) // C3
    return emitOpError("expected a table without scales, got ") << table;
  return success();
}

/// Verifies C1, C2 and C3.
static LogicalResult verifyShapes(LinearOp op) {
  ShapedType input = shapedType(op.getInput());
  ShapedType weight = shapedType(op.getWeight());
  ShapedType init = shapedType(op.getInit());
  if (input.getRank() != 2 || weight.getRank() != 2 || init.getRank() != 2 ||
      !weight.hasStaticShape() || weight.getNumElements() == 0 ||
      input.getDimSize(1) != weight.getDimSize(1)) // C1
    return op.emitOpError(
               "expected shapes TxK, NxK and TxN, with N and K static "
               "and positive, got ")
           << input << ", " << weight << " and " << init;
  if (!agree(init.getDimSize(0), input.getDimSize(0)) ||
      init.getDimSize(1) != op.getOutputColumns()) // C2
    return op.emitOpError(
               "expected a destination with the rows of the input and ")
           << op.getOutputColumns() << " columns, got " << init;
  for (Value operand : op.getPrologueOperands())
    if (shapedType(operand).getShape() != ArrayRef(op.getDepth())) // C3
      return op.emitOpError("expected operands of the prologue to have ")
             << op.getDepth() << " elements, got " << operand.getType();
  for (Value operand : op.getEpilogueOperands()) {
    ShapedType type = shapedType(operand);
    bool isVector = type.getShape() == ArrayRef(op.getOutputColumns());
    bool isMatrix = type.getRank() == 2 &&
                    agree(type.getDimSize(0), init.getDimSize(0)) &&
                    type.getDimSize(1) == op.getOutputColumns();
    if (!isVector && !isMatrix) // C3
      return op.emitOpError("expected operands of the epilogue to have ")
             << op.getOutputColumns()
             << " elements or the shape of the destination, got " << type;
  }
  return success();
}

LogicalResult mlir::tcc::kernel::verifyBlocks(Operation *op, Type storage,
                                              int64_t depth, bool transposed) {
  if (isa<BlockType>(storage) && depth % 32 != 0)
    return op->emitOpError(
               "expected K to be a multiple of the 32 elements of a "
               "block, got ")
           << depth;
  auto scaled = dyn_cast<ScaledType>(storage);
  if (!scaled)
    return success();
  int64_t shared = transposed ? scaled.getRows() : scaled.getColumns();
  if (shared % 4 != 0 || shared > 128)
    return op->emitOpError(
               "expected a multiple of 4 elements of K, at most 128, "
               "to share a scale, got ")
           << shared;
  return success();
}

LogicalResult mlir::tcc::kernel::verifyOperand(Operation *op, Type operand,
                                               Type storage) {
  bool isWide = storage.isF32() || storage.isF16();
  auto scaled = dyn_cast<ScaledType>(storage);
  bool fits = operand.isF32() || (operand.isBF16() && !isWide) ||
              (operand.isF16() && storage.isF16()) ||
              (operand.isInteger(16) && isa<BlockType>(storage)) ||
              (scaled && operand == scaled.getStorage());
  if (!fits)
    return op->emitOpError(
               "expected operands of type f32, bf16 if the weight is "
               "neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, "
               "or "
               "f8E4M3FN if it has scales, got ")
           << operand << " and a weight of " << storage;
  return success();
}

/// Verifies C4, C5 and C9.
static LogicalResult verifyStorage(LinearOp op) {
  Type storage = shapedType(op.getWeight()).getElementType();
  if (failed(verifyBlocks(op, storage, op.getDepth()))) // C4
    return failure();
  if (op.getPacking().getPaired() && op.getWeightRows() % 2 != 0) // C4
    return op.emitOpError("expected an even number of paired rows, got ")
           << op.getWeightRows();
  if (failed(verifyOperand(op, op.getOperand(), storage))) // C5
    return failure();
  return op.getConfiguration().verifyLayer(op, shapedType(op.getWeight()),
                                           op.getPacking(),
                                           op.getOperand()); // C9
}

/// Verifies the ops of one region of a linear layer.
static LogicalResult verifyBody(Operation *op, Block &body) {
  if (!isa<YieldOp>(body.getTerminator()))
    return op->emitOpError("expected regions to end with 'kernel.yield', got '")
           << body.getTerminator()->getName() << "'";
  for (Operation &inner : body.without_terminator()) {
    bool isKnown =
        isa<arith::ArithDialect, math::MathDialect>(inner.getDialect());
    if (!isKnown || inner.getNumResults() != 1 ||
        !inner.getResult(0).getType().isIntOrFloat())
      return op->emitOpError(
                 "expected only scalar ops of arith and math in its "
                 "regions, got '")
             << inner.getName() << "'";
  }
  return success();
}

LogicalResult mlir::tcc::kernel::verifyRegion(Operation *op, Region &region,
                                              StringRef name,
                                              size_t arguments) {
  Block &body = region.front();
  bool areF32 = llvm::all_of(body.getArgumentTypes(),
                             [](Type type) { return type.isF32(); });
  if (body.getNumArguments() != arguments || !areF32)
    return op->emitOpError("expected the ")
           << name << " to take " << arguments << " values of type f32, got "
           << body.getNumArguments() << " arguments of types "
           << body.getArgumentTypes();
  return verifyBody(op, body); // C8
}

LogicalResult LinearOp::verify() {
  if (failed(verifyShapes(*this)) || failed(verifyStorage(*this)))
    return failure();
  if (getPrologue().empty() &&
      (!getPrologueOperands().empty() || getMeanSquare())) // C6
    return emitOpError("expected no operands and no mean square without a "
                       "prologue");
  if (getEpilogue().empty() &&
      (!getEpilogueOperands().empty() || getPacking().getPaired())) // C7
    return emitOpError("expected no operands and no pairs without an epilogue");
  size_t prologueArguments =
      1 + (getMeanSquare() ? 1 : 0) + getPrologueOperands().size();
  if (!getPrologue().empty() &&
      failed(verifyRegion(*this, getPrologue(), "prologue",
                          prologueArguments))) // C6
    return failure();
  size_t epilogueArguments =
      (getPacking().getPaired() ? 2 : 1) + getEpilogueOperands().size();
  if (!getEpilogue().empty())
    return verifyRegion(*this, getEpilogue(), "epilogue",
                        epilogueArguments); // C7
  return success();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

LogicalResult RotaryTableOp::verify() {
  ShapedType positions = shapedType(getPositions());
  ShapedType result = shapedType(getResult());
  if (positions.getRank() != 1 || result.getRank() != 3 ||
      !agree(result.getDimSize(0), positions.getDimSize(0)) ||
      result.getDimSize(1) != static_cast<int64_t>(getFrequencies().size()) ||
      result.getDimSize(2) != 2) // C1
    return emitOpError("expected a row of ")
           << getFrequencies().size() << " pairs for each position, got "
           << positions << " and " << result;
  return success();
}

LogicalResult mlir::tcc::kernel::verifyPlaces(Operation *op, Value positions,
                                              Value sequences,
                                              Value pageTable) {
  if (shapedType(positions).getRank() == 1 &&
      shapedType(sequences).getRank() == 1 &&
      shapedType(pageTable).getRank() == 2)
    return success();
  return op->emitOpError(
             "expected positions and sequences of rank 1 and a page "
             "table of rank 2, got ")
         << positions.getType() << ", " << sequences.getType() << " and "
         << pageTable.getType();
}

/// Whether `end` columns are a whole number of heads.
static bool isEndOfHead(CacheAttr cache, int64_t rotatedHeads, int64_t end) {
  int64_t rotated = rotatedHeads * cache.getKeySize();
  if (end <= rotated)
    return end % cache.getKeySize() == 0;
  return (end - rotated) % cache.getValueSize() == 0;
}

LogicalResult RotaryAppendOp::verify() {
  CacheAttr cache = getCache();
  ShapedType init = shapedType(getInit()), rotary = shapedType(getRotary());
  if (init.getRank() != 3 || init.getDimSize(2) != cache.getKeySize()) // C2
    return emitOpError("expected a destination TxHxD with heads of ")
           << cache.getKeySize() << " elements, got " << init;

  int64_t rotatedHeads = init.getDimSize(1) + cache.getHeads(), end = 0;
  if (getInputs().empty() || getInputs().size() > 3) // C1
    return emitOpError("expected one to three inputs, got ")
           << getInputs().size();
  for (Value input : getInputs()) {
    ShapedType type = shapedType(input);
    if (type.getRank() == 2)
      end += type.getDimSize(1);
    if (type.getRank() != 2 || !isEndOfHead(cache, rotatedHeads, end)) // C1
      return emitOpError("expected inputs of rank 2 that are whole heads, got ")
             << type;
  }
  int64_t columns = rotatedHeads * cache.getKeySize() +
                    cache.getHeads() * cache.getValueSize();
  if (end != columns) // C2
    return emitOpError("expected the columns of the inputs to add up to ")
           << columns << ", got " << end;
  if (rotary.getRank() != 3 || rotary.getDimSize(1) != cache.getKeySize() / 2 ||
      rotary.getDimSize(2) != 2) // C3
    return emitOpError("expected ")
           << cache.getKeySize() / 2 << " pairs for each token, got " << rotary;
  return verifyPlaces(*this, getPositions(), getSequences(),
                      getPageTable()); // C4
}

LogicalResult AttentionOp::verify() {
  CacheAttr cache = getCache();
  ShapedType query = shapedType(getQuery()), init = shapedType(getInit());
  if (query.getRank() != 3 || query.getDimSize(1) < 1 ||
      query.getDimSize(1) % cache.getHeads() != 0 ||
      query.getDimSize(2) != cache.getKeySize()) // C1
    return emitOpError("expected queries TxHxD with a multiple of ")
           << cache.getHeads() << " heads of " << cache.getKeySize()
           << " elements, got " << query;
  int64_t columns = query.getDimSize(1) * cache.getValueSize();
  if (init.getRank() != 2 || !agree(init.getDimSize(0), query.getDimSize(0)) ||
      init.getDimSize(1) != columns) // C2
    return emitOpError(
               "expected a destination with the tokens of the query and ")
           << columns << " columns, got " << init;
  if (failed(verifyPlaces(*this, getPositions(), getSequences(),
                          getPageTable()))) // C3
    return failure();
  return getConfiguration().verifyAttention(*this, cache, getGroup()); // C4
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

LogicalResult GatherRowsOp::verify() {
  ShapedType input = shapedType(getInput()), rows = shapedType(getRows());
  ShapedType init = shapedType(getInit());
  if (input.getRank() != 2 || rows.getRank() != 1 || init.getRank() != 2 ||
      input.getElementType() != init.getElementType() ||
      input.getDimSize(1) != init.getDimSize(1)) // C1
    return emitOpError("expected the selected rows of the input, got ")
           << input << " and " << rows << " into " << init;
  return success();
}

LogicalResult SampleOp::verify() {
  constexpr int64_t largestVocabulary = 1 << 20, parameterCount = 5;
  ShapedType logits = shapedType(getLogits());
  ShapedType parameters = shapedType(getParameters());
  ShapedType init = shapedType(getInit());
  if (logits.getRank() != 2 || parameters.getRank() != 2 ||
      init.getRank() != 1) // C1
    return emitOpError("expected rows of logits and of parameters and a token "
                       "for each, got ")
           << logits << " and " << parameters << " into " << init;
  int64_t vocabulary = logits.getDimSize(1);
  if (vocabulary < 1 || vocabulary > largestVocabulary ||
      parameters.getDimSize(1) != parameterCount) // C2
    return emitOpError("expected 1 to ")
           << largestVocabulary << " logits and " << parameterCount
           << " parameters a row, got " << logits << " and " << parameters;
  return success();
}

LogicalResult RMSNormOp::verify() {
  if (getInputs().empty() || getWeights().size() != getInputs().size()) // C1
    return emitOpError(
               "expected one input at least and a weight for each, got ")
           << getInputs().size() << " and " << getWeights().size();
  ShapedType init = shapedType(getInit());
  int64_t columns = 0;
  for (auto [input, weight] : llvm::zip(getInputs(), getWeights())) {
    ShapedType rows = shapedType(input), scale = shapedType(weight);
    if (rows.getRank() != 2 || rows.isDynamicDim(1) || scale.getRank() != 1 ||
        scale.getDimSize(0) != rows.getDimSize(1)) // C2
      return emitOpError("expected rows and an element of the weight for each "
                         "column, got ")
             << rows << " and " << scale;
    columns += rows.getDimSize(1);
  }
  if (init.getRank() != 2 || init.getDimSize(1) != columns) // C2
    return emitOpError("expected a destination of ")
           << columns << " columns, got " << init;
  if (!(getEpsilon().convertToDouble() > 0)) // C3
    return emitOpError("expected a positive epsilon, got ")
           << getEpsilon().convertToDouble();
  return success();
}
