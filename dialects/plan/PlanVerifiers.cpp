// Verifiers of the `plan` ops.
//
// Each check carries the number of the constraint it enforces in the op's
// description in PlanOps.td, and has a test of the same number in
// test/dialects/plan/invalid.mlir.

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tcc::plan;

/// Verifies that `expression` has a constant and six coefficients, none of them
/// negative.
static LogicalResult verifyExpression(Operation *op, StringRef name,
                                      ArrayRef<int64_t> expression) {
  if (expression.size() != termCount ||
      llvm::any_of(expression, [](int64_t term) { return term < 0; }))
    return op->emitOpError("expected ")
           << name << " to be an expression without negative terms, got "
           << DenseI64ArrayAttr::get(op->getContext(), expression);
  return success();
}

/// Verifies a range of layers: a first one and how many.
static LogicalResult verifyLayers(Operation *op, ArrayRef<int64_t> layers) {
  if (layers.size() != 2 || layers[0] < 0 || layers[1] < 1)
    return op->emitOpError("expected layers(first, count) with first not "
                           "negative and count positive, got ")
           << DenseI64ArrayAttr::get(op->getContext(), layers);
  return success();
}

LogicalResult BufferOp::verify() {
  if (failed(verifyExpression(*this, "offset", getOffset())) ||
      failed(verifyExpression(*this, "bytes", getBytes()))) // C1
    return failure();
  if (llvm::any_of(getOffset(), [](int64_t term) { return term % 64; })) // C2
    return emitOpError("expected every term of offset to be a multiple of 64, got ")
           << getOffsetAttr();
  if (getLive().size() != 2 || getLive()[0] > getLive()[1]) // C3
    return emitOpError("expected live(first, last) in ascending order, got ")
           << getLiveAttr();
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (getSources().empty() || !type.hasStaticShape()) // C1
    return emitOpError("expected at least one source and a static shape, got ")
           << getSources().size() << " and " << type;
  if (getLayers() && failed(verifyLayers(*this, *getLayers()))) // C2
    return failure();
  if (getScales() && getScales()->size() != getSources().size()) // C3
    return emitOpError("expected scales for each source, got ")
           << getScales()->size() << " for " << getSources().size();
  if (std::optional<ArrayRef<int64_t>> rows = getRows())
    if (rows->size() != 3 || type.getRank() != 3 || (*rows)[0] < 0 ||
        (*rows)[1] != type.getDimSize(1) ||
        (*rows)[1] > (*rows)[2] - (*rows)[0]) // C4
      return emitOpError("expected rows(first, count, of) of matrices of count "
                         "rows, got ")
             << getRowsAttr() << " and " << type;
  if (std::optional<ArrayRef<int64_t>> split = getSplit())
    if (split->size() != 2 || (*split)[0] < 0 ||
        (*split)[0] >= type.getRank() || (*split)[1] < 1) // C5
      return emitOpError("expected split(dimension, parts) of a dimension of the "
                         "type, got ")
             << getSplitAttr() << " and " << type;
  if (std::optional<ArrayAttr> halves = getHalves())
    if (halves->size() != getSources().size() ||
        !llvm::all_of(halves->getAsRange<DenseI64ArrayAttr>(),
                      [](ArrayRef<int64_t> numbers) {
                        return numbers.empty() ||
                               transformer::Halves::areValid(numbers);
                      })) // C6
      return emitOpError(
                 "expected no halves or those of an even number of rows "
                 "within of, for each source, got ")
             << getHalvesAttr() << " for " << getSources().size();
  return success();
}

LogicalResult CacheOp::verify() {
  for (uint64_t size : {getLayers(), getHeads(), getKeySize(), getValueSize(),
                        getPageTokens(), getPageBytes()})
    if (static_cast<int64_t>(size) < 1) // C1
      return emitOpError("expected positive sizes, got ")
             << static_cast<int64_t>(size);
  if (getPageBytes() % 64 != 0) // C1
    return emitOpError("expected page_bytes to be a multiple of 64, got ")
           << getPageBytes();
  return success();
}

LogicalResult StepOp::verify() {
  if (failed(verifyExpression(*this, "arena", getArena()))) // C3
    return failure();
  if (std::optional<ArrayRef<int64_t>> expansion = getExpansion())
    if (expansion->size() != 3 || (*expansion)[0] < 0 || (*expansion)[1] < 0 ||
        (*expansion)[2] < 1) // C4
      return emitOpError(
                 "expected expansion(saving, cost, chunk) of numbers that "
                 "are not negative and a positive one, got ")
             << getExpansionAttr();
  for (Operation &op : *getBody().begin())
    if (!isa<LaunchOp, CollectiveOp, LoopOp>(op)) // C2
      return op.emitOpError(
          "expected launches, collectives and loops only in a step");
  return success();
}

LogicalResult StepOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  for (FlatSymbolRefAttr symbol : {getLogitsAttr(), getStatesAttr(), getSamplesAttr()})
    if (symbol &&
        !symbolTable.lookupNearestSymbolFrom<BufferOp>(*this, symbol)) // C1
      return emitOpError("expected the name of a buffer, got ") << symbol;
  return success();
}

LogicalResult LoopOp::verify() {
  if (failed(verifyLayers(*this, getLayers()))) // C1
    return failure();
  for (Operation &op : *getBody().begin())
    if (!isa<LaunchOp, CollectiveOp>(op)) // C2
      return op.emitOpError("expected launches and collectives only in a loop");
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto kernel = symbolTable.lookupNearestSymbolFrom<FunctionOpInterface>(
      *this, getKernelAttr());
  if (!kernel || kernel.getNumArguments() != getArguments().size()) // C1
    return emitOpError("expected the name of a function of ")
           << getArguments().size() << " arguments, got " << getKernelAttr();
  for (Attribute symbol : getArguments()) {
    Operation *argument = symbolTable.lookupNearestSymbolFrom(
        *this, cast<FlatSymbolRefAttr>(symbol));
    if (!isa_and_nonnull<BufferOp, WeightOp, CacheOp, RotaryTableOp, InputOp>(
            argument)) // C2
      return emitOpError("expected a buffer, weight, cache, rotary table or "
                         "input as argument, got ")
             << symbol;
  }
  if (failed(verifyExpression(*this, "tiles", getTiles())) ||
      failed(verifyExpression(*this, "scratch", getScratch()))) // C3
    return failure();
  return success();
}

LogicalResult
CollectiveOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  for (FlatSymbolRefAttr symbol : {getSourceAttr(), getTargetAttr()})
    if (!symbolTable.lookupNearestSymbolFrom<BufferOp>(*this, symbol)) // C1
      return emitOpError("expected the name of a buffer, got ") << symbol;
  auto grid =
      symbolTable.lookupNearestSymbolFrom<shard::GridOp>(*this, getGridAttr());
  bool hasAxes = grid && llvm::all_of(getAxes(), [&](int64_t axis) {
    return axis >= 0 && axis < grid.getRank();
  });
  if (!hasAxes) // C2
    return emitOpError("expected axes of a grid, got ")
           << getAxesAttr() << " of " << getGridAttr();
  if (failed(verifyExpression(*this, "rows", getRows()))) // C3
    return failure();
  if (static_cast<int64_t>(getColumns()) < 1) // C3
    return emitOpError("expected positive columns, got ")
           << static_cast<int64_t>(getColumns());
  return success();
}
