// What the notation for kernels has for x86-64: vectors of f32.
//
// Instructions that only some CPUs have are made here and nowhere else.

#ifndef TCC_COMPILER_CODEGEN_X86_EMITTER_H
#define TCC_COMPILER_CODEGEN_X86_EMITTER_H

#include "compiler/codegen/ScalarEmitter.h"
#include "compiler/target/x86/Target.h"

namespace mlir::tcc::x86 {

/// Makes IR at the insertion point of `builder`.
class Emitter : public ScalarEmitter {
public:
  Emitter(OpBuilder &builder, Location location,
          const TargetDescription &target)
      : ScalarEmitter(builder, location), target(target) {}

  const TargetDescription &target;

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// Loads a vector of `element` (f32, f16 or bf16) as f32. With a mask only
  /// its lanes are read, and the others are 0.
  Value loadFloats(Type element, Value pointer, Value mask = {});
  /// Asks for the `bytes` bytes that are `distance` beyond `pointer`; they need
  /// not be there.
  void prefetch(Value pointer, int64_t distance, int64_t bytes);
  /// Rounds a vector of f32 to `element` (f32 or bf16), as integers if bf16.
  Value narrowFloats(Value value, Type element);
  /// Rounds a vector of f32 to `element` (f32 or bf16) and stores it, or only
  /// the lanes of the mask.
  void storeFloats(Value value, Type element, Value pointer, Value mask = {});
  /// The number of each lane, from 0.
  Value laneNumbers();
  /// The mask of the first `count` lanes; `count` may be negative or large.
  Value firstLanes(Value count);
  /// The mask of the first `count` lanes; null if those are all.
  Value maskOf(int64_t count) {
    return count < target.lanes ? firstLanes(integer(count)) : Value();
  }

  //===--------------------------------------------------------------------===//
  // Vectors of f32
  //===--------------------------------------------------------------------===//

  VectorType vectorOf(Type element, int64_t elements);
  VectorType floats() { return vectorOf(f32(), target.lanes); }
  VectorType integers() { return vectorOf(i32(), target.lanes); }

  Value constant(float value);        ///< A vector of f32.
  Value constantBits(uint32_t value); ///< A vector of i32.
  Value broadcast(Value scalar);
  Value bitcast(Type type, Value vector);
  /// The larger element of each pair: of f32, neither NaN, or of signed i32.
  Value maximum(Value a, Value b);
  /// The sum of f32, pairwise in a fixed order, or of i32.
  Value sumOfLanes(Value vector);
  Value maximumOfLanes(Value vector);
  /// `sumOfLanes` of each vector of f32, of which there are a power of two and
  /// at most as many as lanes: a vector of so many elements.
  Value sumsOfLanes(ArrayRef<Value> vectors);
  /// Rounds to the nearest bf16, ties to even; the result is f32.
  Value roundToBF16(Value vector);
  /// Rounds what is at most 448 to the nearest e4m3, ties to even; the result
  /// is f32. NaN stays one.
  Value roundToE4M3(Value vector);
  /// exp, within 2 ulp; 0 below exp(-86). Source: Cephes, expf.c, with
  /// multiply-adds.
  Value exponential(Value vector);

  //===--------------------------------------------------------------------===//
  // What only some CPUs have
  //===--------------------------------------------------------------------===//

  /// `sums` plus the products of the two pairs of bf16 in each lane of `a` and
  /// `b`, which are words (AVX512-BF16).
  Value dotPairs(Value sums, Value a, Value b);
  /// The low or the odd (high) half of each pair of bf16 in `words`, as f32.
  Value halfOfPairs(Value words, bool odd);
  /// The reverse: f32 that are exact in bf16 become the halves of words.
  Value pairsOfHalves(Value low, Value high);
  /// Bytes of e4m3, of any number of vectors, as f32, 2^-8 of what they are:
  /// exact, but NaN is 480.
  SmallVector<Value> decodeE4M3(Value bytes);
  /// `sums` plus the products of the two pairs of i16 in each lane, all of i32:
  /// exact (vpdpwssd where AVX512-VNNI is, vpmaddwd and vpaddd elsewhere).
  Value addProducts(Value sums, Value a, Value b);
  /// The `bits` bits from bit `first` on of both halves of each lane.
  Value bitsOfHalves(Value words, int64_t first, int64_t bits);

  //===--------------------------------------------------------------------===//
  // Control
  //===--------------------------------------------------------------------===//

  /// Calls `body` for each vector of `count` elements, with the number of its
  /// first element and, if it is not whole, its mask.
  void forVectors(int64_t count, llvm::function_ref<void(Value, Value)> body);

private:
  Value addHalves(Value a, Value b, int64_t width);
  Value reduceLanes(Value vector, llvm::function_ref<Value(Value, Value)> add);
  Value shiftRight(Value vector, uint32_t bits);
};

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_EMITTER_H
