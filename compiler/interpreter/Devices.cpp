// Devices run in turn, each until it waits for the others. No threads: what is
// computed, and the first error, are the same every time.

#include "compiler/interpreter/Devices.h"

#include "compiler/interpreter/Interpretations.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"

using namespace mlir;
using namespace mlir::tcc;

/// More devices than anything is planned for; each has caches of its own.
static constexpr int64_t maxDevices = 64;

FailureOr<SmallVector<int64_t>> tcc::gridOf(ModuleOp module) {
  auto grids = module.getOps<shard::GridOp>();
  if (grids.empty())
    return SmallVector<int64_t>();
  shard::GridOp grid = *grids.begin();
  if (!llvm::hasSingleElement(grids))
    return grid.emitOpError("expected one grid of devices, got ")
           << std::distance(grids.begin(), grids.end());
  int64_t devices = 1;
  for (int64_t size : grid.getShape()) {
    if (size < 1 || size > maxDevices || devices * size > maxDevices)
      return grid.emitOpError("expected a static grid of at most ")
             << maxDevices << " devices, got [" << grid.getShape() << "]";
    devices *= size;
  }
  return SmallVector<int64_t>(grid.getShape());
}

/// The place of device `number` in a grid of `shape`, the last axis the
/// fastest.
static SmallVector<int64_t> placeOf(int64_t number, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> place(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    place[axis] = number % shape[axis];
    number /= shape[axis];
  }
  return place;
}

namespace {
/// All devices, and what they exchange.
class Devices {
public:
  Devices(ArrayRef<std::unique_ptr<Execution>> executions)
      : executions(executions) {}

  /// Runs all to their ends.
  LogicalResult run();

private:
  FailureOr<Operation *> advance();
  LogicalResult exchange(Operation *op);
  SmallVector<const Tensor *> groupOf(const Execution &device, Value value,
                                      ArrayRef<shard::GridAxis> axes);

  ArrayRef<std::unique_ptr<Execution>> executions;
};
} // namespace

/// Advances all; returns the op at which all wait, or null if all have ended.
FailureOr<Operation *> Devices::advance() {
  for (const std::unique_ptr<Execution> &device : executions)
    if (failed(device->advance()))
      return failure();
  Operation *first = executions.front()->getWaiting();
  for (const std::unique_ptr<Execution> &device : executions) {
    Operation *op = device->getWaiting();
    if (op == first)
      continue;
    return (op ? op : first)
        ->emitOpError(
            "expected all devices to come here, got some that do not");
  }
  return first;
}

/// The tensors `value` of all devices that differ from `device` only along
/// `axes`, in the order of the devices.
SmallVector<const Tensor *> Devices::groupOf(const Execution &device,
                                             Value value,
                                             ArrayRef<shard::GridAxis> axes) {
  SmallVector<const Tensor *> tensors;
  for (const std::unique_ptr<Execution> &other : executions) {
    bool isNear = true;
    for (auto [axis, place] : llvm::enumerate(other->getPlace()))
      isNear &= place == device.getPlace()[axis] ||
                llvm::is_contained(axes, static_cast<shard::GridAxis>(axis));
    if (isNear)
      tensors.push_back(&other->get(value));
  }
  return tensors;
}

static FailureOr<Tensor> sumOf(Operation *op,
                               ArrayRef<const Tensor *> tensors) {
  Tensor sum = *tensors.front();
  for (const Tensor *tensor : tensors.drop_front()) {
    if (failed(verifySameShape(op, "tensors", sum, *tensor)))
      return failure();
    for (auto [element, other] : llvm::zip_equal(sum.values, tensor->values))
      element += other;
  }
  return sum;
}

/// Joins `tensors` along `dimension`.
static Tensor joined(ArrayRef<const Tensor *> tensors, int64_t dimension) {
  Tensor result;
  result.shape = tensors.front()->shape;
  result.shape[dimension] *= static_cast<int64_t>(tensors.size());
  int64_t outer = 1, chunk = 1;
  for (auto [index, size] : llvm::enumerate(tensors.front()->shape))
    (static_cast<int64_t>(index) < dimension ? outer : chunk) *= size;
  for (int64_t i = 0; i < outer; ++i)
    for (const Tensor *tensor : tensors)
      result.values.insert(result.values.end(),
                           tensor->values.begin() + i * chunk,
                           tensor->values.begin() + (i + 1) * chunk);
  return result;
}

/// Computes the results of `op`, at which all devices wait.
LogicalResult Devices::exchange(Operation *op) {
  std::vector<Tensor> results;
  for (const std::unique_ptr<Execution> &device : executions) {
    if (auto reduce = dyn_cast<shard::AllReduceOp>(op)) {
      FailureOr<Tensor> sum =
          sumOf(op, groupOf(*device, reduce.getInput(), reduce.getGridAxes()));
      if (failed(sum))
        return failure();
      results.push_back(std::move(*sum));
      continue;
    }
    auto gather = cast<shard::AllGatherOp>(op);
    results.push_back(
        joined(groupOf(*device, gather.getInput(), gather.getGridAxes()),
               gather.getGatherAxis().getSExtValue()));
  }
  for (auto [device, result] : llvm::zip_equal(executions, results))
    if (failed(device->resume(std::move(result))))
      return failure();
  return success();
}

LogicalResult Devices::run() {
  while (true) {
    FailureOr<Operation *> waiting = advance();
    if (failed(waiting))
      return failure();
    if (!*waiting)
      return success();
    if (failed(exchange(*waiting)))
      return failure();
  }
}

static bool isSame(const Tensor &a, const Tensor &b) {
  return a.shape == b.shape &&
         llvm::all_of(llvm::zip_equal(a.values, b.values), [](auto pair) {
           auto [x, y] = pair;
           return x == y || (x != x && y != y);
         });
}

FailureOr<SmallVector<Tensor>>
tcc::runOnDevices(ModuleOp module, WeightSource &weights,
                  MutableArrayRef<CacheState> caches,
                  const InterpreterOptions &options, ArrayRef<int64_t> shape,
                  FunctionOpInterface function, ArrayRef<Tensor> arguments) {
  std::vector<std::unique_ptr<Execution>> executions;
  for (auto [number, cache] : llvm::enumerate(caches)) {
    executions.push_back(std::make_unique<Execution>(
        module, weights, cache, options,
        placeOf(static_cast<int64_t>(number), shape)));
    if (failed(executions.back()->start(function, arguments)))
      return failure();
  }
  if (failed(Devices(executions).run()))
    return failure();
  SmallVector<Tensor> results = executions.front()->takeResults();
  for (const std::unique_ptr<Execution> &device :
       ArrayRef(executions).drop_front()) {
    SmallVector<Tensor> others = device->takeResults();
    for (auto [result, other] : llvm::zip_equal(results, others))
      if (!isSame(result, other))
        return function.emitOpError(
            "expected the same results on all devices, got others on some");
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

static LogicalResult interpretAllReduce(shard::AllReduceOp op,
                                        Execution &execution) {
  if (op.getReduction() != shard::ReductionKind::Sum)
    return op.emitOpError("expected a sum, got '")
           << shard::stringifyReductionKind(op.getReduction()) << "'";
  execution.wait(op);
  return success();
}

static LogicalResult interpretAllGather(shard::AllGatherOp op,
                                        Execution &execution) {
  execution.wait(op);
  return success();
}

void tcc::attachCollectiveInterpretations(MLIRContext *context) {
  attach<shard::AllReduceOp, interpretAllReduce>(context);
  attach<shard::AllGatherOp, interpretAllGather>(context);
}
