#include "compiler/codegen/nvptx/FlashSoftmax.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Leaves out the positions that row `half` of this thread does not see; `own`
/// are its weights.
void FlashSoftmax::mask(MutableArrayRef<Value> weights, ArrayRef<size_t> own,
                        int64_t half, const FlashPiece &piece, Value stage) {
  // Positions that the row sees from the first one of this thread on.
  Value seen = emitter.add(piece.position,
                           emitter.divide(rows.rowOf(half), layout.group));
  seen = emitter.subtract(seen,
                          emitter.add(emitter.multiply(stage, layout.positions),
                                      emitter.multiply(rows.member, 2)));
  for (size_t i : own)
    weights[i] = emitter.select(
        emitter.compare(arith::CmpIPredicate::sge, seen,
                        emitter.word(static_cast<int64_t>(i / 4 * 8 + i % 2))),
        weights[i], emitter.scalar(-INFINITY));
}

/// Updates the softmax by the products of a stage; returns the weights of its
/// positions, and in `factors` by what sums of values are to be multiplied.
SmallVector<Value> FlashSoftmax::weigh(ValueRange products,
                                       const FlashPiece &piece, Value stage,
                                       bool isMasked, Softmax &state,
                                       Value factors[2]) {
  Value scale = emitter.scalar(
      static_cast<float>(op.getScale().convertToDouble() / std::log(2.0)));
  SmallVector<Value> weights(products);
  for (int64_t half = 0; half < 2; ++half) {
    SmallVector<size_t> own;
    for (size_t i = 0; i < products.size(); ++i)
      if (i / 2 % 2 == static_cast<size_t>(half))
        own.push_back(i);
    if (isMasked)
      mask(weights, own, half, piece, stage);
    Value largest = state.largest[half];
    for (size_t i : own)
      largest = emitter.maximum(largest, weights[i]);
    for (int64_t mask : {1, 2})
      largest = emitter.maximum(largest, emitter.exchange(largest, mask));
    Value shift = arith::NegFOp::create(emitter.builder, emitter.location,
                                        emitter.multiplyFloats(largest, scale));
    auto power = [&](Value product) {
      return emitter.powerOfTwo(emitter.multiplyAdd(product, scale, shift));
    };
    // Exactly 1 where the largest product stays the same.
    factors[half] = emitter.powerOfTwo(emitter.multiplyFloats(
        emitter.subtractFloats(state.largest[half], largest), scale));
    Value sum = emitter.multiplyFloats(state.sums[half], factors[half]);
    for (size_t i : own) {
      weights[i] = power(weights[i]);
      sum = emitter.addFloats(sum, weights[i]);
    }
    state.largest[half] = largest;
    state.sums[half] = sum;
  }
  return weights;
}

SmallVector<Value> FlashSoftmax::pack(ArrayRef<Value> weights) {
  SmallVector<Value> words;
  for (size_t i = 0; i < weights.size(); i += 2)
    words.push_back(hopper.packPair(op.getCache().getElement(), weights[i],
                                    weights[i + 1]));
  return words;
}

void FlashSoftmax::rescale(Softmax &state, Value factors[2]) {
  for (auto [index, output] : llvm::enumerate(state.outputs))
    output = emitter.multiplyFloats(output, factors[index / 2 % 2]);
}
