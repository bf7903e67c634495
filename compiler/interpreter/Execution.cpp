#include "compiler/interpreter/Execution.h"

#include "compiler/interpreter/Rounding.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::tcc;

#include "compiler/interpreter/InterpretableOpInterface.cpp.inc"

/// The largest tensor, in elements: 8 GiB. Larger sizes are mistakes of the
/// input, and asking for the memory would end the process.
static constexpr int64_t maxElements = int64_t(1) << 30;

/// The deepest nesting of calls and blocks. Recursion never ends in a language
/// whose conditions cannot depend on data.
static constexpr size_t maxFrames = 4096;

namespace {
/// The rows of a tensor that is in memory.
class TensorRows : public Rows {
public:
  explicit TensorRows(std::shared_ptr<const Tensor> tensor)
      : Rows(tensor->shape), tensor(std::move(tensor)) {}

  void read(int64_t first, int64_t count, double *result) const override {
    auto begin = tensor->values.begin() + first * tensor->columns();
    std::copy(begin, begin + count * tensor->columns(), result);
  }

private:
  std::shared_ptr<const Tensor> tensor;
};
} // namespace

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult Shapes::bind(StringRef operand, StringRef letters,
                           ArrayRef<int64_t> shape) {
  if (shape.size() != letters.size())
    return op->emitOpError("expected ")
           << operand << " of rank " << letters.size() << ", got rank "
           << shape.size();
  for (auto [letter, size] : llvm::zip_equal(letters, shape)) {
    int64_t &known = sizes[static_cast<unsigned char>(letter)];
    if (known >= 0 && known != size)
      return op->emitOpError("expected dimension ")
             << letter << " of " << operand << " to be " << known << ", got "
             << size;
    known = size;
  }
  return success();
}

LogicalResult tcc::verifyIndices(Operation *op, StringRef what,
                                 ArrayRef<double> indices, int64_t limit) {
  for (double index : indices)
    if (!(index >= 0 && index < static_cast<double>(limit)))
      return op->emitOpError("expected ")
             << what << " of at least 0 and less than " << limit << ", got "
             << static_cast<int64_t>(index);
  return success();
}

LogicalResult tcc::verifySameShape(Operation *op, StringRef what,
                                   const Tensor &left, const Tensor &right) {
  if (left.shape == right.shape)
    return success();
  return op->emitOpError("expected ")
         << what << " of one shape, got [" << ArrayRef(left.shape) << "] and ["
         << ArrayRef(right.shape) << "]";
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Execution::Execution(ModuleOp module, WeightSource &weights,
                     CacheState &caches, const InterpreterOptions &options,
                     ArrayRef<int64_t> place)
    : module(module), weights(weights), caches(caches), options(options),
      place(place) {}

/// The tensor of `held`, which is read and kept if it was rows so far.
static const Tensor &readWhole(RuntimeValue &held) {
  if (!held.tensor) {
    auto tensor = std::make_shared<Tensor>();
    tensor->shape.assign(held.rows->getShape().begin(),
                         held.rows->getShape().end());
    tensor->values.resize(tensor->rows() * tensor->columns());
    held.rows->read(0, tensor->rows(), tensor->values.data());
    held.tensor = std::move(tensor);
  }
  return *held.tensor;
}

const RuntimeValue &Execution::getValue(Value value) {
  auto found = values.back().find(value);
  assert(found != values.back().end() && "dominance: operands have values");
  return found->second;
}

const Tensor &Execution::get(Value value) {
  auto found = values.back().find(value);
  assert(found != values.back().end() && "dominance: operands have values");
  return readWhole(found->second);
}

int64_t Execution::getInteger(Value value) {
  return static_cast<int64_t>(get(value).values.front());
}

std::shared_ptr<const Rows> Execution::getRows(Value value) {
  const RuntimeValue &held = getValue(value);
  if (held.rows)
    return held.rows;
  return std::make_shared<TensorRows>(held.tensor);
}

void Execution::setValue(Value value, RuntimeValue held) {
  values.back()[value] = std::move(held);
}

LogicalResult tcc::verifySize(Operation *op, ArrayRef<int64_t> shape) {
  // An empty tensor is held to the same limit, so that products of its
  // dimensions cannot overflow either.
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size < 0)
      return op->emitOpError("expected sizes of at least 0, got ") << size;
    if (llvm::MulOverflow(elements, std::max<int64_t>(size, 1), elements) ||
        elements > maxElements)
      return op->emitOpError("expected at most ")
             << maxElements << " elements, got a tensor of shape [" << shape
             << "]";
  }
  return success();
}

FailureOr<Tensor> Execution::allocate(Operation *op, ArrayRef<int64_t> shape) {
  if (failed(verifySize(op, shape)))
    return failure();
  int64_t elements = llvm::product_of(shape, int64_t(1));
  return Tensor(shape, std::vector<double>(
                           elements, std::numeric_limits<double>::quiet_NaN()));
}

LogicalResult Execution::set(OpResult result, Tensor tensor) {
  Type type = result.getType();
  if (auto shaped = dyn_cast<RankedTensorType>(type)) {
    if (failed(verifyCompatibleShape(shaped.getShape(), tensor.shape)))
      return result.getOwner()->emitOpError("expected a result of ")
             << shaped << ", got shape [" << ArrayRef(tensor.shape) << "]";
    type = shaped.getElementType();
  }
  if (options.round)
    roundAll(type, tensor.values);
  setValue(result, {std::make_shared<Tensor>(std::move(tensor)), nullptr});
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void Execution::enter(Operation *owner, Block &block,
                      ArrayRef<RuntimeValue> arguments) {
  for (auto [argument, held] : llvm::zip_equal(block.getArguments(), arguments))
    setValue(argument, held);
  frames.push_back({owner, block.begin(), /*ownsValues=*/false});
}

LogicalResult Execution::call(Operation *caller, FunctionOpInterface function,
                              ArrayRef<RuntimeValue> arguments) {
  if (function.isExternal())
    return function.emitOpError("expected a body, got a declaration");
  if (frames.size() >= maxFrames)
    return function.emitOpError("expected calls to nest at most ")
           << maxFrames << " deep";
  // The operands belong to the caller's values, which must not move under them.
  SmallVector<RuntimeValue> copies(arguments);
  values.emplace_back();
  enter(caller, function.getFunctionBody().front(), copies);
  frames.back().ownsValues = true;
  return success();
}

LogicalResult Execution::leave(OperandRange operands) {
  SmallVector<RuntimeValue> left;
  for (Value operand : operands)
    left.push_back(getValue(operand));
  Frame frame = frames.pop_back_val();
  if (frame.ownsValues)
    values.pop_back();
  if (!frame.owner) {
    results = std::move(left);
    return success();
  }
  return cast<InterpretableOpInterface>(frame.owner).resume(*this, left);
}

LogicalResult Execution::advance() {
  while (!frames.empty() && !waiting) {
    Operation *op = &*frames.back().next++;
    auto interpretable = dyn_cast<InterpretableOpInterface>(op);
    if (!interpretable)
      return op->emitOpError("cannot be interpreted: it does not implement "
                             "InterpretableOpInterface");
    if (failed(interpretable.interpret(*this)))
      return failure();
  }
  return success();
}

/// Verifies that `arguments` can be those of `function`.
static LogicalResult verifyArguments(FunctionOpInterface function,
                                     ArrayRef<Tensor> arguments) {
  if (arguments.size() != function.getNumArguments())
    return function.emitOpError("expected ")
           << function.getNumArguments() << " arguments, got "
           << arguments.size();
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    Type type = function.getArgumentTypes()[index];
    auto shaped = dyn_cast<RankedTensorType>(type);
    ArrayRef<int64_t> expected;
    if (shaped)
      expected = shaped.getShape();
    if (failed(verifyCompatibleShape(expected, argument.shape)))
      return function.emitOpError("expected argument ")
             << index << " of " << type << ", got shape ["
             << ArrayRef(argument.shape) << "]";
  }
  return success();
}

LogicalResult Execution::resume(Tensor tensor) {
  Operation *op = std::exchange(waiting, nullptr);
  return set(op->getResult(0), std::move(tensor));
}

LogicalResult Execution::start(FunctionOpInterface function,
                               ArrayRef<Tensor> arguments) {
  if (failed(verifyArguments(function, arguments)))
    return failure();
  SmallVector<RuntimeValue> held;
  for (const Tensor &argument : arguments)
    held.push_back({std::make_shared<Tensor>(argument), nullptr});
  return call(nullptr, function, held);
}

SmallVector<Tensor> Execution::takeResults() {
  SmallVector<Tensor> tensors;
  for (RuntimeValue &result : results)
    tensors.push_back(readWhole(result));
  return tensors;
}
