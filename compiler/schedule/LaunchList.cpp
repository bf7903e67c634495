// Walks a lowered model in the order of its text and lists its launches.
//
// A layer's function is walked once for each loop that calls it, so that
// launches of different loops may have different weights.

#include "compiler/schedule/LaunchList.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mlir::tcc;
using Kind = ScheduledOperand::Kind;

namespace {
class Lister {
public:
  Lister(ModuleOp module, const CostModel &costs)
      : module(module), costs(costs) {}

  FailureOr<LaunchList> run();

private:
  ScheduledStep &step() { return list.steps.back(); }
  int64_t launchCount() { return static_cast<int64_t>(step().launches.size()); }
  LogicalResult findCache();
  LogicalResult visitStep(func::FuncOp function, ArrayRef<plan::Input> inputs);
  FailureOr<size_t> findResult(Operation *terminator, unsigned index,
                               StringRef name);
  LogicalResult visitBlock(Block &block);
  LogicalResult visit(Operation &op);
  LogicalResult visitLoop(scf::ForOp loop);
  LogicalResult visitCall(func::CallOp call);
  LogicalResult visitBody(func::CallOp call);
  LogicalResult visitLaunch(kernel::KernelOpInterface op);
  void visitRotaryTable(kernel::RotaryTableOp op);
  LogicalResult carry(scf::ForOp loop, const ScheduledLoop &range, Value init,
                      Value yielded);

  /// What `value` is for `user`.
  FailureOr<ScheduledOperand> findOperand(Operation *user, Value value);
  size_t findWeight(ScheduledWeight weight);
  kernel::Rows findRows(kernel::KernelOpInterface op);
  ScheduledOperand findDestination(Value value);
  RowCount countRows(Value destination);
  RowCount countSize(Value size);
  /// Makes `to` another name of what `from` is.
  void rename(Value from, Value to);
  LogicalResult visitView(Operation *op);
  void replaceBuffer(size_t from, size_t to);

  ModuleOp module;
  const CostModel &costs;
  LaunchList list;
  DenseMap<Value, ScheduledOperand> operands;
  DenseMap<Value, RowCount> rows;
  llvm::SmallPtrSet<Operation *, 4>
      active; ///< Functions that are being walked.
  std::optional<size_t> currentLoop;
};
} // namespace

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The rows that the first dimension of a tensor, `size`, counts.
RowCount Lister::countSize(Value size) {
  if (auto dimension = size.getDefiningOp<tensor::DimOp>())
    return rows.lookup(dimension.getSource());
  auto product = size.getDefiningOp<arith::MulIOp>();
  APInt factor;
  if (!product || !matchPattern(product.getRhs(), m_ConstantInt(&factor)))
    return {};
  RowCount count = countSize(product.getLhs());
  count.factor *= factor.getSExtValue();
  return count;
}

RowCount Lister::countRows(Value destination) {
  auto empty = destination.getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return {};
  if (empty.getDynamicSizes().empty())
    return {RowKind::Fixed, 1};
  return countSize(empty.getDynamicSizes().front());
}

size_t Lister::findWeight(ScheduledWeight weight) {
  for (auto [index, known] : llvm::enumerate(list.weights))
    if (known.view.get.getWeights() == weight.view.get.getWeights() &&
        known.type == weight.type && known.view.rows == weight.view.rows &&
        known.transposed == weight.transposed &&
        known.packing == weight.packing && known.loop == weight.loop)
      return index;
  list.weights.push_back(weight);
  return list.weights.size() - 1;
}

FailureOr<ScheduledOperand> Lister::findOperand(Operation *user, Value value) {
  if (WeightView view = findWeightView(value); view.get) {
    auto type = cast<RankedTensorType>(value.getType());
    if (view.get.getLocal() || type.getRank() > 3)
      return user->emitOpError(
                 "reads a weight that cannot be packed: expected a "
                 "whole vector, matrix or stack of matrices, got ")
             << type;
    ScheduledWeight weight = {view, type, /*transposed=*/false, {}, {}};
    if (type.getRank() > 1)
      weight.packing = user->getAttr("packing");
    if (auto heads = dyn_cast<kernel::HeadLinearOp>(user))
      weight.transposed = heads.getTransposed();
    if (view.get.getLayer())
      weight.loop = currentLoop;
    return ScheduledOperand{Kind::Weight, findWeight(weight)};
  }
  if (auto pages = value.getDefiningOp<kernel::CacheLayerOp>())
    return ScheduledOperand{Kind::Cache, 0};
  auto known = operands.find(value);
  if (known != operands.end())
    return known->second;
  return user->emitOpError("reads a value that no kernel, weight or input "
                           "provides");
}

void Lister::rename(Value from, Value to) {
  // A function is walked for each call: what an argument was before must not
  // stay if nothing is known of it now.
  auto known = operands.find(from);
  if (known == operands.end()) {
    operands.erase(to);
  } else {
    ScheduledOperand operand = known->second;
    operands[to] = operand;
  }
  RowCount count = rows.lookup(from);
  rows[to] = count;
}

/// The buffer that the next launch writes to `destination`: a new one, or that
/// of a value of which it writes other rows.
ScheduledOperand Lister::findDestination(Value destination) {
  auto known = operands.find(destination);
  if (known != operands.end()) {
    list.buffers[known->second.index].last = launchCount();
    return known->second;
  }
  auto type = cast<RankedTensorType>(destination.getType());
  RowCount count = countRows(destination);
  StridedLayoutAttr layout = rowLayout(type, costs.chooseRowAlignment(type));
  int64_t elements = count.factor * layout.getStrides()[0];
  if (!type.isDynamicDim(0))
    elements *= type.getDimSize(0);
  auto index = launchCount();
  list.buffers.push_back({count.kind,
                          elements * type.getElementTypeBitWidth() / 8,
                          list.steps.size() - 1, index, index});
  return {Kind::Buffer, list.buffers.size() - 1, layout};
}

LogicalResult Lister::visitView(Operation *op) {
  Value from = op->getOperand(0), to = op->getResult(0);
  rename(from, to);
  auto known = operands.find(to);
  if (known == operands.end() || known->second.kind != Kind::Buffer)
    return success();
  FailureOr<StridedLayoutAttr> layout = viewLayout(op, known->second.layout);
  if (failed(layout))
    return failure();
  known->second.layout = *layout;
  return success();
}

void Lister::replaceBuffer(size_t from, size_t to) {
  auto replace = [&](ScheduledOperand &operand) {
    if (operand.kind == Kind::Buffer && operand.index == from)
      operand.index = to;
  };
  for (ScheduledLaunch &launch : step().launches)
    llvm::for_each(launch.operands, replace);
  for (auto &entry : operands)
    replace(entry.second);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

kernel::Rows Lister::findRows(kernel::KernelOpInterface op) {
  if (auto rows = op->getAttrOfType<StringAttr>(kernel::rowsAttribute))
    if (std::optional<kernel::Rows> known = kernel::symbolizeRows(rows))
      return *known;
  auto destinations = cast<DestinationStyleOpInterface>(op.getOperation());
  RowCount count = countRows(destinations.getDpsInits().front());
  return count.kind == RowKind::LogitRows ? kernel::Rows::LogitRows
                                          : kernel::Rows::Tokens;
}

LogicalResult Lister::visitLaunch(kernel::KernelOpInterface op) {
  ScheduledLaunch launch;
  launch.op = op;
  launch.loop = currentLoop;
  auto index = launchCount();
  auto destinations = cast<DestinationStyleOpInterface>(op.getOperation());
  launch.rows = findRows(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (destinations.isDpsInit(&operand)) {
      launch.operands.push_back(findDestination(operand.get()));
      OpResult result = destinations.getTiedOpResult(&operand);
      operands[result] = launch.operands.back();
      rows[result] = countRows(operand.get());
      continue;
    }
    FailureOr<ScheduledOperand> found = findOperand(op, operand.get());
    if (failed(found))
      return failure();
    if (found->kind == Kind::Buffer)
      list.buffers[found->index].last = index;
    if (found->kind == Kind::Cache)
      list.cacheLayout = op->getAttr("cache");
    launch.operands.push_back(*found);
  }
  step().launches.push_back(std::move(launch));
  return success();
}

void Lister::visitRotaryTable(kernel::RotaryTableOp op) {
  size_t index = 0;
  while (index < list.rotaryTables.size() &&
         (list.rotaryTables[index].getFrequencies() != op.getFrequencies() ||
          list.rotaryTables[index].getMultiplier() != op.getMultiplier()))
    ++index;
  if (index == list.rotaryTables.size())
    list.rotaryTables.push_back(op);
  operands[op.getResult()] = {Kind::RotaryTable, index};
  rows[op.getResult()] = {};
}

/// Puts the value that `loop` yields into the buffer of the one it began with.
LogicalResult Lister::carry(scf::ForOp loop, const ScheduledLoop &range,
                            Value init, Value yielded) {
  FailureOr<ScheduledOperand> target = findOperand(loop, init);
  FailureOr<ScheduledOperand> source = findOperand(loop, yielded);
  if (failed(target) || failed(source))
    return failure();
  if (target->kind != Kind::Buffer || source->kind != Kind::Buffer)
    return loop.emitOpError("carries a value that is in no buffer");
  ScheduledBuffer &to = list.buffers[target->index];
  ScheduledBuffer &from = list.buffers[source->index];
  if (source->index != target->index) {
    if (to.last >= from.first || from.last >= range.end ||
        from.rowBytes != to.rowBytes)
      return loop.emitOpError("expected the carried value to be free when a "
                              "layer writes the next");
    replaceBuffer(source->index, target->index);
    from.last = from.first - 1; // It is no buffer of its own any more.
  }
  to.last = range.end - 1;
  return success();
}

LogicalResult Lister::visitLoop(scf::ForOp loop) {
  APInt lower, upper, step;
  if (!matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
      !matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)) ||
      !matchPattern(loop.getStep(), m_ConstantInt(&step)) || step != 1 ||
      currentLoop)
    return loop.emitOpError("expected a loop over constant layers, one by one, "
                            "that is in no other loop");
  ScheduledLoop range;
  range.first = lower.getSExtValue();
  if (range.first < 0 || upper.getSExtValue() <= range.first)
    return loop.emitOpError("expected layers from 0 or later on, and one at "
                            "least, got ")
           << range.first << " to " << upper.getSExtValue();
  range.count = upper.getSExtValue() - range.first;
  range.begin = launchCount();
  currentLoop = list.loops.size();
  list.loops.push_back(range);
  for (auto [argument, init] :
       llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs()))
    rename(init, argument);
  if (failed(visitBlock(*loop.getBody())))
    return failure();
  range.end = launchCount();
  list.loops[*currentLoop] = range;
  currentLoop.reset();

  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  for (auto [init, yielded, result] :
       llvm::zip(loop.getInitArgs(), yield.getOperands(), loop.getResults())) {
    if (failed(carry(loop, range, init, yielded)))
      return failure();
    rename(init, result);
  }
  // What was written before the loop and is read in it lives through the loop.
  for (ScheduledBuffer &buffer : list.buffers)
    if (buffer.step == list.steps.size() - 1 && buffer.first < range.begin &&
        buffer.last >= range.begin)
      buffer.last = std::max(buffer.last, range.end - 1);
  return success();
}

/// The layer that `call` computes, if it says so by a constant.
static std::optional<int64_t> constantLayer(func::CallOp call) {
  for (Value operand : call.getOperands()) {
    APInt layer;
    if (operand.getType().isIndex() &&
        matchPattern(operand, m_ConstantInt(&layer)))
      return layer.getSExtValue();
  }
  return std::nullopt;
}

LogicalResult Lister::visitCall(func::CallOp call) {
  std::optional<int64_t> layer = constantLayer(call);
  if (!layer || currentLoop)
    return visitBody(call);
  // Canonicalisation leaves of a loop over one layer its body.
  auto begin = launchCount();
  currentLoop = list.loops.size();
  list.loops.push_back({*layer, 1, begin, begin});
  if (failed(visitBody(call)))
    return failure();
  list.loops[*currentLoop].end = launchCount();
  currentLoop.reset();
  return success();
}

LogicalResult Lister::visitBody(func::CallOp call) {
  auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
  if (!callee || callee.isExternal())
    return call.emitOpError("calls a function without a body");
  if (!callee.getBody().hasOneBlock())
    return call.emitOpError("expected a function of one block, got ")
           << callee.getBody().getBlocks().size();
  if (!active.insert(callee).second)
    return call.emitOpError("expected no function that calls itself, got '")
           << callee.getName() << "'";
  for (auto [argument, value] :
       llvm::zip(callee.getArguments(), call.getOperands()))
    rename(value, argument);
  if (failed(visitBlock(callee.front())))
    return failure();
  active.erase(callee);
  auto yielded = cast<func::ReturnOp>(callee.front().getTerminator());
  for (auto [result, value] :
       llvm::zip(call.getResults(), yielded.getOperands()))
    rename(value, result);
  return success();
}

LogicalResult Lister::visit(Operation &op) {
  if (auto launch = dyn_cast<kernel::KernelOpInterface>(op))
    return visitLaunch(launch);
  if (auto table = dyn_cast<kernel::RotaryTableOp>(op)) {
    visitRotaryTable(table);
    return success();
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return visitLoop(loop);
  if (auto call = dyn_cast<func::CallOp>(op))
    return visitCall(call);
  if (isView(&op))
    return visitView(&op);
  // The rest is what launches read and the arithmetic of their sizes.
  if (isMemoryEffectFree(&op))
    return success();
  return op.emitOpError("cannot be scheduled: expected kernels, loops over "
                        "layers and calls");
}

LogicalResult Lister::visitBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(visit(op)))
      return failure();
  return success();
}

/// A plan has one cache: kernels get its pages and no number of a cache.
LogicalResult Lister::findCache() {
  for (auto cache : module.getOps<transformer::CacheOp>()) {
    if (list.cache) {
      InFlightDiagnostic error =
          cache.emitOpError("expected one cache in a module, got another: '")
          << cache.getSymName() << "'";
      error.attachNote(list.cache.getLoc()) << "the first cache is here";
      return error;
    }
    list.cache = cache;
  }
  return success();
}

/// The buffer of result `index` of a function, which is called `name` and read
/// as one row right after another. It lives to the end of the step.
FailureOr<size_t> Lister::findResult(Operation *terminator, unsigned index,
                                     StringRef name) {
  FailureOr<ScheduledOperand> result =
      findOperand(terminator, terminator->getOperand(index));
  if (failed(result))
    return failure();
  if (result->kind != Kind::Buffer)
    return terminator->emitOpError("expected ")
           << name << " that a kernel computes, got an argument or a weight";
  auto type = cast<RankedTensorType>(terminator->getOperand(index).getType());
  if (result->layout != contiguousLayout(type))
    return terminator->emitOpError("expected ")
           << name << " without bytes between rows, got " << type
           << " in a buffer of " << result->layout;
  list.buffers[result->index].last = launchCount() - 1;
  return result->index;
}

LogicalResult Lister::visitStep(func::FuncOp function,
                                ArrayRef<plan::Input> inputs) {
  list.steps.emplace_back();
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs)) {
    operands[argument] = {Kind::Input, static_cast<size_t>(input)};
    rows[argument].kind =
        input == plan::Input::LogitRows || input == plan::Input::Sampling
            ? RowKind::LogitRows
            : RowKind::Tokens;
  }
  if (failed(visitBlock(function.front())))
    return failure();
  Operation *terminator = function.front().getTerminator();
  FailureOr<size_t> logits = findResult(terminator, 0, "logits");
  if (failed(logits))
    return failure();
  step().logits = *logits;
  unsigned results = function.getNumResults();
  if (llvm::is_contained(inputs, plan::Input::Sampling)) {
    FailureOr<size_t> samples = findResult(terminator, --results, "samples");
    if (failed(samples))
      return failure();
    step().samples = *samples;
  }
  if (results == 1)
    return success();
  FailureOr<size_t> states = findResult(terminator, 1, "states");
  if (failed(states))
    return failure();
  step().states = *states;
  return success();
}

/// Whether `function` has a body of one block, an argument for each of `inputs`
/// and logits, and states or not, and samples if there is sampling, as results.
static bool isStep(func::FuncOp function, ArrayRef<plan::Input> inputs) {
  if (!function || function.isExternal() ||
      function.getNumArguments() != inputs.size() ||
      !function.getBody().hasOneBlock())
    return false;
  size_t samples = llvm::is_contained(inputs, plan::Input::Sampling);
  return function.getNumResults() >= 1 + samples &&
         function.getNumResults() <= 2 + samples;
}

FailureOr<LaunchList> Lister::run() {
  constexpr plan::Input inputs[] = {
      plan::Input::States,    plan::Input::Tokens,    plan::Input::Positions,
      plan::Input::Sequences, plan::Input::PageTable, plan::Input::LogitRows,
      plan::Input::Sampling};
  ArrayRef<plan::Input> ofPrediction = ArrayRef(inputs).drop_back();
  ArrayRef<plan::Input> ofForward = ArrayRef(inputs).drop_front();
  auto forward = module.lookupSymbol<func::FuncOp>("forward");
  if (!isStep(forward, ofForward)) // The host samples.
    ofForward = ofForward.drop_back();
  if (!isStep(forward, ofForward))
    return module.emitError("expected a function @forward of tokens, positions, "
                            "sequences, page table and logit rows");
  if (failed(findCache()) || failed(visitStep(forward, ofForward)))
    return failure();
  auto predict = module.lookupSymbol<func::FuncOp>("predict");
  if (!predict)
    return std::move(list);
  if (!isStep(predict, ofPrediction))
    return predict.emitOpError("expected states, tokens, positions, sequences, "
                               "page table and logit rows as its arguments");
  if (failed(visitStep(predict, ofPrediction)))
    return failure();
  return std::move(list);
}

FailureOr<LaunchList> tcc::listLaunches(ModuleOp module,
                                        const CostModel &costs) {
  return Lister(module, costs).run();
}
