// What the notation for kernels has for GPUs: threads, warps, shared memory and
// scalars of f32.
//
// A kernel is written for one thread. Instructions that MLIR has no op for are
// made here and nowhere else.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_EMITTER_H
#define TCC_COMPILER_CODEGEN_NVPTX_EMITTER_H

#include "compiler/codegen/ScalarEmitter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tcc::nvptx {

/// Lanes of a warp.
constexpr int64_t warpLanes = 32;

/// Spaces of addresses, as LLVM numbers them for PTX.
enum AddressSpace : unsigned { Global = 1, Shared = 3 };

/// Makes IR for a kernel of blocks of `threads` threads, a multiple of 32.
class Emitter : public ScalarEmitter {
public:
  Emitter(OpBuilder &builder, Location location, int64_t threads)
      : ScalarEmitter(builder, location), threads(threads) {}

  const int64_t threads;

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  Value threadNumber(); ///< In its block.
  Value laneNumber();
  Value warpNumber(); ///< In its block.
  Value blockNumber();
  Value blockCount();

  /// for (i = thread; i < count; i += threads) body(i)
  void forThreads(Value count, Body body);
  void forThreads(int64_t count, Body body) {
    forThreads(integer(count), body);
  }
  /// for (i = lane; i < count; i += 32) body(i)
  void forLanes(Value count, Body body);

  /// Waits for all threads of the block, and orders their accesses of memory.
  void barrier();
  /// The same for a warp.
  void warpBarrier();

  /// What the lane whose number differs in the bits of `mask` has.
  Value exchange(Value value, int64_t mask);
  /// What lane `lane` has.
  Value fromLane(Value value, Value lane);

  /// The sum, or the maximum, over a warp of f32, pairwise in a fixed order, in
  /// all lanes.
  Value sumOfWarp(Value value);
  Value maximumOfWarp(Value value);
  /// The sum over a block, in all threads: of warps, and then of those one
  /// after another. Every thread of the block takes part.
  Value sumOfBlock(Value value);

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// `bytes` bytes of shared memory of the block, aligned to 16.
  Value sharedMemory(int64_t bytes);
  /// The shared memory that the launch adds, aligned to 1024.
  Value dynamicSharedMemory();

  /// Loads an element (f32, f16 or bf16) as f32.
  Value loadFloat(Type element, Value pointer);
  /// The same of element `index` of an array.
  Value loadElement(Type element, Value pointer, Value index);
  /// Loads `count` elements, a power of two, aligned to their size, as f32.
  SmallVector<Value> loadFloats(Type element, Value pointer, int64_t count);
  /// Loads `count` words of i32 that lie together, as one if it is a power of
  /// two; aligned to what is loaded at once.
  SmallVector<Value> loadWords(Value pointer, int64_t count);
  /// The bytes of `low` (0 to 3) and `high` (4 to 7) that the nibbles of
  /// `selector` name, i32.
  Value permuteBytes(Value low, Value high, Value selector);
  /// Loads `count` values of type `type`, aligned to their size together.
  SmallVector<Value> loadVector(Type type, Value pointer, int64_t count);
  /// Stores values of one type, aligned to their size together.
  void storeVector(ValueRange values, Value pointer);
  /// Rounds f32 to `element` (f32, f16 or bf16) and stores it.
  void storeFloat(Value value, Type element, Value pointer);
  void storeElement(Value value, Type element, Value pointer, Value index);
  /// The same of several elements from `index` on, aligned to their size
  /// together.
  void storeFloats(ValueRange values, Type element, Value pointer, Value index);
  /// Rounds f32 to `element` and back.
  Value round(Value value, Type element);

  /// Begins to copy `bytes` bytes (4, 8 or 16, aligned to that) from global to
  /// shared memory; where `isInside`, an i1, is false, writes zeros instead.
  void copyAsync(Value shared, Value global, int64_t bytes,
                 Value isInside = {});
  /// Ends a group of such copies of this thread.
  void commitCopies();
  /// Waits for all groups of this thread but the last `groups`.
  void waitForCopies(int64_t groups);

  //===--------------------------------------------------------------------===//
  // Pairs of 16 bits in words
  //===--------------------------------------------------------------------===//

  /// a - b of pairs of bf16.
  Value subtractPairs(Value a, Value b);
  /// The elements of a pair of bf16, the low one first.
  SmallVector<Value> floatsOfPair(Value pair);
  /// Adds the product of the fragments of [16, 16] and [16, 8] of `element`,
  /// bf16 or f16, to the one of [16, 8] sums (mma.m16n8k16, PTX ISA 9.0,
  /// 9.7.14.5.8). For all lanes.
  SmallVector<Value> multiplyTiles(Type element, ValueRange left,
                                   ValueRange right, ValueRange sums);

  //===--------------------------------------------------------------------===//
  // Scalars of f32
  //===--------------------------------------------------------------------===//

  Value squareRoot(Value value);
  /// The larger one; neither is NaN.
  Value maximum(Value a, Value b);
  /// 2 to the power of `value`, within 2 ulp (ex2.approx.ftz, PTX
  /// ISA 9.0, 9.7.3.20).
  Value powerOfTwo(Value value);
  /// exp, within 4 ulp where it is a normal number, else 0.
  Value exponential(Value value);

private:
  Value widenRegister(Value value);
  Value reduceWarp(Value value,
                   llvm::function_ref<Value(Value, Value)> combine);
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_EMITTER_H
