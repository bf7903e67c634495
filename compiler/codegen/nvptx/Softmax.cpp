#include "compiler/codegen/nvptx/Softmax.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

Softmax Softmax::begin(Emitter &emitter, int64_t outputs) {
  Softmax state;
  for (int64_t half = 0; half < 2; ++half) {
    state.largest[half] = emitter.scalar(-INFINITY);
    state.sums[half] = emitter.scalar(0.0f);
  }
  state.outputs.assign(static_cast<size_t>(outputs), emitter.scalar(0.0f));
  return state;
}

SmallVector<Value> Softmax::flatten() const {
  SmallVector<Value> values = {largest[0], largest[1], sums[0], sums[1]};
  values.append(outputs);
  return values;
}

Softmax Softmax::restore(ValueRange values) {
  return {{values[0], values[1]},
          {values[2], values[3]},
          SmallVector<Value>(values.drop_front(4))};
}
