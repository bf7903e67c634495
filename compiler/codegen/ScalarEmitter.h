// A short notation for the IR of kernels that all targets share: integers of 64
// bits, pointers and control.
//
// Kernels address packed bytes, not tensors, so they use pointers of the `llvm`
// dialect with offsets in bytes; everything else is `arith`, `math` and `scf`.

#ifndef TCC_COMPILER_CODEGEN_SCALAREMITTER_H
#define TCC_COMPILER_CODEGEN_SCALAREMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace mlir::tcc {

/// Makes IR at the insertion point of `builder`. Loops and branches take a
/// function that makes their body.
class ScalarEmitter {
public:
  ScalarEmitter(OpBuilder &builder, Location location)
      : builder(builder), location(location) {}

  OpBuilder &builder;
  const Location location;

  Type f32() { return builder.getF32Type(); }
  Type bf16() { return builder.getBF16Type(); }
  Type i32() { return builder.getI32Type(); }
  Type i64() { return builder.getI64Type(); }

  //===--------------------------------------------------------------------===//
  // Integers
  //===--------------------------------------------------------------------===//

  Value integer(int64_t value);
  /// The same of the type of `other`.
  Value integerLike(Value other, int64_t value);
  Value add(Value a, Value b);
  Value add(Value a, int64_t b) { return add(a, integerLike(a, b)); }
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  Value multiply(Value a, int64_t b) { return multiply(a, integerLike(a, b)); }
  // Of division neither operand is negative.
  Value divide(Value a, Value b);
  Value divide(Value a, int64_t b) { return divide(a, integerLike(a, b)); }
  Value modulo(Value a, Value b);
  Value modulo(Value a, int64_t b) { return modulo(a, integerLike(a, b)); }
  Value minimum(Value a, Value b);
  Value compare(arith::CmpIPredicate predicate, Value a, Value b);
  Value both(Value a, Value b);
  Value either(Value a, Value b);
  Value exclusive(Value a, Value b); ///< The bits that one of them has.
  Value shiftRight(Value value, int64_t bits); ///< Of 32 bits, unsigned.
  Value word(int32_t value);                   ///< Of 32 bits.
  Value truth(bool value);                     ///< Of 1 bit.
  /// A 32-bit integer as one of 64 bits, signed.
  Value widen(Value value);
  /// The low 32 bits of an integer.
  Value narrow(Value value);

  //===--------------------------------------------------------------------===//
  // Floating point
  //===--------------------------------------------------------------------===//

  Value scalar(float value);
  Value addFloats(Value a, Value b);
  Value subtractFloats(Value a, Value b);
  Value multiplyFloats(Value a, Value b);
  Value divideFloats(Value a, Value b);
  /// a * b + c, rounded once.
  Value multiplyAdd(Value a, Value b, Value c);

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  Value offset(Value pointer, Value bytes);
  Value offset(Value pointer, int64_t bytes);
  /// Loads a scalar or vector; aligned to `alignment` bytes.
  Value load(Type type, Value pointer, int64_t alignment);
  void store(Value value, Value pointer, int64_t alignment);
  /// Element `index` of a vector.
  Value extract(Value vector, int64_t index);
  /// Loads i32 `index` of an array and widens it.
  Value loadIndex(Value pointer, Value index);

  //===--------------------------------------------------------------------===//
  // Control
  //===--------------------------------------------------------------------===//

  using Body = llvm::function_ref<void(Value)>;
  using ReducingBody =
      llvm::function_ref<SmallVector<Value>(Value, ValueRange)>;

  /// for (i = from; i < to; i += step) body(i)
  void loop(Value from, Value to, int64_t step, Body body) {
    loop(from, to, integerLike(from, step), body);
  }
  void loop(Value from, Value to, Value step, Body body);
  /// The same with values that each iteration replaces; returns the last.
  SmallVector<Value> loop(Value from, Value to, int64_t step,
                          ValueRange initial, ReducingBody body) {
    return loop(from, to, integerLike(from, step), initial, body);
  }
  SmallVector<Value> loop(Value from, Value to, Value step, ValueRange initial,
                          ReducingBody body);
  /// while (condition(values)) values = body(values); returns the last ones.
  SmallVector<Value>
  loopWhile(ValueRange initial, llvm::function_ref<Value(ValueRange)> condition,
            llvm::function_ref<SmallVector<Value>(ValueRange)> body);
  /// `a` where the condition is true, else `b`.
  Value select(Value condition, Value a, Value b);
  void when(Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = {});
  /// What `then` makes where the condition is true, else what `otherwise` does.
  SmallVector<Value>
  evaluate(Value condition, llvm::function_ref<SmallVector<Value>()> then,
           llvm::function_ref<SmallVector<Value>()> otherwise);
  Value evaluate(Value condition, llvm::function_ref<Value()> then,
                 llvm::function_ref<Value()> otherwise);
  /// Calls `body` for the one of `first` to `last` that `value` equals, with
  /// its number; for none, does nothing.
  void choose(Value value, int64_t first, int64_t last,
              llvm::function_ref<void(int64_t)> body);

protected:
  Value callIntrinsic(StringRef name, Type type, ValueRange operands);
};

/// Where page `pageNumber` of `sequence` begins.
Value emitPage(ScalarEmitter &emitter, int64_t pageBytes, Value pages,
               Value pageTable, Value pageTableStride, Value sequence,
               Value pageNumber);

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_SCALAREMITTER_H
