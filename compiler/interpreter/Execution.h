// What an op sees of the interpreter while it is executed.

#ifndef TCC_COMPILER_INTERPRETER_EXECUTION_H
#define TCC_COMPILER_INTERPRETER_EXECUTION_H

#include "compiler/interpreter/Interpreter.h"
#include "compiler/interpreter/Tensor.h"
#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"

#include <array>
#include <memory>

namespace mlir::tcc {

/// A tensor of rank 1 or 2 that is read by rows, so that a large weight is never
/// held in f64 as a whole. A tensor of rank 1 is one row.
class Rows {
public:
  virtual ~Rows() = default;

  /// Writes rows [first, first + count) to `result` [count, columns].
  virtual void read(int64_t first, int64_t count, double *result) const = 0;

  ArrayRef<int64_t> getShape() const { return shape; }

protected:
  explicit Rows(ArrayRef<int64_t> shape) : shape(shape) {}

  SmallVector<int64_t> shape;
};

/// What an SSA value holds: a tensor, or rows that are read when they are used.
struct RuntimeValue {
  std::shared_ptr<const Tensor> tensor;
  std::shared_ptr<const Rows> rows;
};

/// Sizes of dimensions by the letter that an op's description gives them. Checks
/// at run time what dynamic types leave open.
class Shapes {
public:
  explicit Shapes(Operation *op) : op(op) { sizes.fill(-1); }

  /// Gives the dimensions of `shape` the letters of `letters`; an error if a
  /// letter has another size already, or their number is wrong.
  LogicalResult bind(StringRef operand, StringRef letters,
                     ArrayRef<int64_t> shape);

  int64_t operator[](char letter) const {
    return sizes[static_cast<unsigned char>(letter)];
  }

private:
  Operation *op;
  std::array<int64_t, 256> sizes;
};

/// Checks that all of `indices`, which are of `what`, are at least 0 and less than
/// `limit`.
LogicalResult verifyIndices(Operation *op, StringRef what,
                            ArrayRef<double> indices, int64_t limit);

/// Checks that `left` and `right`, which are among the `what` of `op`, have one
/// shape.
LogicalResult verifySameShape(Operation *op, StringRef what, const Tensor &left,
                              const Tensor &right);

/// Checks that a tensor of `shape` is not so large that it must be a mistake.
LogicalResult verifySize(Operation *op, ArrayRef<int64_t> shape);

/// One run of a function: its values, and the blocks that are being executed.
///
/// Blocks and calls are a stack of frames and not of C++ calls, so that no input
/// can overflow the latter.
class Execution {
public:
  /// `place` is that of the device in its grid, one number for each axis.
  Execution(ModuleOp module, WeightSource &weights, CacheState &caches,
            const InterpreterOptions &options, ArrayRef<int64_t> place = {});

  /// Calls `function`.
  LogicalResult start(FunctionOpInterface function, ArrayRef<Tensor> arguments);

  /// Executes until the function returns or an op waits.
  LogicalResult advance();

  /// The results of the function, once it has returned.
  SmallVector<Tensor> takeResults();

  /// Stops after `op`, which needs what other devices have.
  void wait(Operation *op) { waiting = op; }

  /// The op that waits, or null.
  Operation *getWaiting() const { return waiting; }

  /// Makes `tensor` the result of the op that waits.
  LogicalResult resume(Tensor tensor);

  //===------------------------------------------------------------------===//
  // Values
  //===------------------------------------------------------------------===//

  /// The tensor that `value` holds; a weight is read as a whole.
  const Tensor &get(Value value);

  /// The integer that the scalar `value` holds.
  int64_t getInteger(Value value);

  /// The rows of `value`, which has rank 1 or 2.
  std::shared_ptr<const Rows> getRows(Value value);

  const RuntimeValue &getValue(Value value);
  void setValue(Value value, RuntimeValue held);

  /// Returns a tensor of `shape` filled with NaN, so that an element that an op
  /// forgets is seen; an error at `op` if it is too large.
  FailureOr<Tensor> allocate(Operation *op, ArrayRef<int64_t> shape);

  /// Makes `tensor` the value of `result`, rounded to its element type if
  /// roundings are asked for; an error if its type does not allow the shape.
  LogicalResult set(OpResult result, Tensor tensor);

  //===------------------------------------------------------------------===//
  // Control flow
  //===------------------------------------------------------------------===//

  /// Goes on with `block` of `owner`; `owner` is resumed when it is left.
  void enter(Operation *owner, Block &block, ArrayRef<RuntimeValue> arguments);

  /// Goes on with the body of `function`, called by `caller`.
  LogicalResult call(Operation *caller, FunctionOpInterface function,
                     ArrayRef<RuntimeValue> arguments);

  /// Leaves the innermost block with the operands of its terminator.
  LogicalResult leave(OperandRange values);

  //===------------------------------------------------------------------===//
  // Surroundings
  //===------------------------------------------------------------------===//

  ModuleOp getModule() { return module; }
  WeightSource &getWeights() { return weights; }
  CacheState &getCaches() { return caches; }
  const InterpreterOptions &getOptions() const { return options; }
  ArrayRef<int64_t> getPlace() const { return place; }

private:
  struct Frame {
    Operation *owner; ///< Null for the function that `run` calls.
    Block::iterator next;
    bool ownsValues; ///< A call has values of its own, a block has not.
  };

  ModuleOp module;
  WeightSource &weights;
  CacheState &caches;
  const InterpreterOptions &options;
  SmallVector<int64_t> place;
  Operation *waiting = nullptr;
  SmallVector<Frame> frames;
  std::vector<llvm::DenseMap<Value, RuntimeValue>> values; ///< By call.
  SmallVector<RuntimeValue> results; ///< Of the function that `run` calls.
};

} // namespace mlir::tcc

#include "compiler/interpreter/InterpretableOpInterface.h.inc"

#endif // TCC_COMPILER_INTERPRETER_EXECUTION_H
