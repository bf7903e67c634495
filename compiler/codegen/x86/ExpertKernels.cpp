// What happens before and after the linear layers of experts: tokens are sorted
// by experts, and what experts give is combined.

#include "compiler/codegen/x86/Kernels.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

namespace {
/// Emits a counting sort. The offsets are the counters.
class Dispatch {
public:
  Dispatch(Emitter &emitter, kernel::DispatchOp op, const KernelFrame &frame)
      : emitter(emitter), frame(frame), chosen(columnsOf(op.getExperts())),
        experts(cast<ShapedType>(op.getOffsetsInit().getType()).getDimSize(0) -
                1) {}

  void emit();

private:
  Value at(size_t operand, Value index) {
    return emitter.offset(frame.operands[operand], emitter.multiply(index, 4));
  }
  Value counter(Value expert) { return at(3, expert); }
  Value load(Value pointer) { return emitter.load(emitter.i32(), pointer, 4); }
  void increment(Value pointer) {
    emitter.store(emitter.add(load(pointer), emitter.word(1)), pointer, 4);
  }
  void count();
  void place();

  Emitter &emitter;
  const KernelFrame &frame;
  int64_t chosen, experts;
};
} // namespace

/// Makes each offset the number of pairs whose expert is below.
void Dispatch::count() {
  emitter.loop(emitter.integer(0), emitter.integer(experts + 1), 1,
               [&](Value expert) {
                 emitter.store(emitter.word(0), counter(expert), 4);
               });
  Value pairs = emitter.multiply(frame.rows, chosen);
  emitter.loop(emitter.integer(0), pairs, 1, [&](Value pair) {
    Value expert = emitter.loadIndex(frame.operands[0], pair);
    increment(counter(emitter.add(expert, 1)));
  });
  emitter.loop(emitter.integer(0), emitter.integer(experts), 1,
               [&](Value expert) {
                 Value above = counter(emitter.add(expert, 1));
                 emitter.store(emitter.add(load(counter(expert)), load(above)),
                               above, 4);
               });
}

/// Gives each pair the next place of its expert. Each offset is then that of
/// the next expert.
void Dispatch::place() {
  emitter.loop(emitter.integer(0), frame.rows, 1, [&](Value token) {
    emitter.loop(emitter.integer(0), emitter.integer(chosen), 1, [&](Value j) {
      Value pair = emitter.add(emitter.multiply(token, chosen), j);
      Value next = counter(emitter.loadIndex(frame.operands[0], pair));
      Value place = load(next);
      increment(next);
      emitter.store(place, at(2, pair), 4);
      emitter.store(emitter.narrow(token), at(1, emitter.widen(place)), 4);
    });
  });
}

void Dispatch::emit() {
  count();
  place();
  emitter.loop(emitter.integer(0), emitter.integer(experts + 1), 1,
               {emitter.word(0)},
               [&](Value expert, ValueRange before) -> SmallVector<Value> {
                 Value end = load(counter(expert));
                 emitter.store(before[0], counter(expert), 4);
                 return {end};
               });
}

void x86::emitKernel(Emitter &emitter, kernel::DispatchOp op,
                     const KernelFrame &frame) {
  emitter.loop(frame.begin, frame.end, 1,
               [&](Value) { Dispatch(emitter, op, frame).emit(); });
}

//===----------------------------------------------------------------------===//
// Combination
//===----------------------------------------------------------------------===//

namespace {
/// Emits the sums for one token.
class Combine {
public:
  Combine(Emitter &emitter, kernel::CombineOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), frame(frame),
        columns(columnsOf(op.getInit())), chosen(columnsOf(op.getPlaces())) {}

  void emit(Value token);

private:
  Value at(size_t operand, Value row, Value column) {
    Value element = emitter.add(emitter.multiply(row, columns), column);
    return emitter.offset(frame.operands[operand],
                          emitter.multiply(element, 4));
  }
  void emitColumns(Value token, Value column, int64_t vectors, Value mask);

  Emitter &emitter;
  kernel::CombineOp op;
  const KernelFrame &frame;
  int64_t columns, chosen;
};
} // namespace

/// Emits `vectors` vectors of columns from `column` on.
void Combine::emitColumns(Value token, Value column, int64_t vectors,
                          Value mask) {
  auto load = [&](size_t operand, Value row, int64_t vector) {
    Value first = emitter.add(column, vector * emitter.target.lanes);
    return emitter.loadFloats(emitter.f32(), at(operand, row, first), mask);
  };
  SmallVector<Value> zeros(vectors, emitter.constant(0.0f));
  SmallVector<Value> sums = emitter.loop(
      emitter.integer(0), emitter.integer(chosen), 1, zeros,
      [&](Value j, ValueRange carried) {
        Value pair = emitter.add(emitter.multiply(token, chosen), j);
        Value row = emitter.loadIndex(frame.operands[1], pair);
        Value weight = emitter.broadcast(emitter.load(
            emitter.f32(),
            emitter.offset(frame.operands[2], emitter.multiply(pair, 4)), 4));
        SmallVector<Value> next;
        for (int64_t vector = 0; vector < vectors; ++vector)
          next.push_back(emitter.multiplyAdd(weight, load(0, row, vector),
                                             carried[vector]));
        return next;
      });
  size_t addends = op.getAddends().size();
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value sum = sums[vector];
    for (size_t addend = 0; addend < addends; ++addend)
      sum = emitter.addFloats(sum, load(3 + addend, token, vector));
    Value first = emitter.add(column, vector * emitter.target.lanes);
    emitter.storeFloats(sum, emitter.f32(), at(3 + addends, token, first),
                        mask);
  }
}

void Combine::emit(Value token) {
  // Four sums hide the latency of a multiply-add.
  constexpr int64_t vectors = 4;
  int64_t lanes = emitter.target.lanes, width = vectors * lanes;
  Value whole = emitter.integer(columns / width * width);
  emitter.loop(emitter.integer(0), whole, width, [&](Value column) {
    emitColumns(token, column, vectors, Value());
  });
  Value end = emitter.integer(columns);
  emitter.loop(whole, end, lanes, [&](Value column) {
    emitColumns(token, column, 1,
                emitter.firstLanes(emitter.subtract(end, column)));
  });
}

void x86::emitKernel(Emitter &emitter, kernel::CombineOp op,
                     const KernelFrame &frame) {
  Combine code(emitter, op, frame);
  emitter.loop(frame.begin, frame.end, 1,
               [&](Value token) { code.emit(token); });
}
