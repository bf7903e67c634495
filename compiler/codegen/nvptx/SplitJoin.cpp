// How warps and blocks join what they have in attention of few queries.

#include "compiler/codegen/nvptx/SplitAttention.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Brings what this warp has to shared memory.
void SplitAttention::storeSoftmax(const Softmax &state) {
  Value warp = emitter.warpNumber();
  Value sums =
      emitter.offset(warpSums, emitter.multiply(warp, rows * pitch * 4));
  Value statistics =
      emitter.offset(warpStatistics, emitter.multiply(warp, rows * 8));
  for (int64_t half = 0; half < 2; ++half) {
    Value sum = state.sums[half];
    for (int64_t mask : {1, 2})
      sum = emitter.addFloats(sum, emitter.exchange(sum, mask));
    Value row = emitter.add(quad, half * 8);
    Value isRow = emitter.compare(arith::CmpIPredicate::slt, row, count);
    emitter.when(isRow, [&] {
      Value isFirst =
          emitter.compare(arith::CmpIPredicate::eq, member, emitter.integer(0));
      emitter.when(isFirst, [&] {
        emitter.store(state.largest[half], statisticOf(statistics, row, 0), 4);
        emitter.store(sum, statisticOf(statistics, row, 1), 4);
      });
      for (int64_t number = 0; number < pitch / splitColumns; ++number) {
        int64_t first =
            number * splitColumns / splitPanelColumns * splitPanelColumns;
        int64_t eighth = std::min(splitPanelColumns, pitch - first) / 8;
        for (int64_t i = 0; i < 2; ++i) {
          // Column n of a product is in eighth n of the panel.
          Value column = emitter.add(
              emitter.multiply(emitter.add(emitter.multiply(member, 2), i),
                               eighth),
              first + number - first / splitColumns);
          emitter.store(state.outputs[number * 4 + half * 2 + i],
                        at(sums, row, column), 4);
        }
      }
    });
  }
}

/// Joins what the warps have, in their order.
void SplitAttention::joinWarps() {
  auto statistic = [&](Value row, int64_t warp, int64_t number) {
    return emitter.load(
        emitter.f32(),
        statisticOf(emitter.offset(warpStatistics, warp * rows * 8), row,
                    number),
        4);
  };
  auto join = [&](Value row, llvm::function_ref<Value(int64_t)> load,
                  Value &largest) {
    largest = statistic(row, 0, 0);
    for (int64_t warp = 1; warp < warps; ++warp)
      largest = emitter.maximum(largest, statistic(row, warp, 0));
    Value sum = emitter.scalar(0.0f);
    for (int64_t warp = 0; warp < warps; ++warp)
      sum = emitter.multiplyAdd(emitter.powerOfTwo(emitter.subtractFloats(
                                    statistic(row, warp, 0), largest)),
                                load(warp), sum);
    return sum;
  };
  emitter.forThreads(count, [&](Value row) {
    Value largest;
    Value sum = join(
        row, [&](int64_t warp) { return statistic(row, warp, 1); }, largest);
    emitter.store(largest, statisticOf(blockStatistics, row, 0), 4);
    emitter.store(sum, statisticOf(blockStatistics, row, 1), 4);
  });
  emitter.forThreads(emitter.multiply(count, pitch), [&](Value number) {
    Value row = emitter.divide(number, pitch),
          column = emitter.modulo(number, pitch), largest;
    Value sum = join(
        row,
        [&](int64_t warp) {
          return emitter.load(
              emitter.f32(),
              at(emitter.offset(warpSums, warp * rows * pitch * 4), row,
                 column),
              4);
        },
        largest);
    emitter.store(sum, at(blockSums, row, column), 4);
  });
}

/// Joins what the blocks have, in their order, and stores the result; each
/// block does this for some elements.
void SplitAttention::joinBlocks(Value part) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t size = cache.getValueSize();
  Value head = emitter.add(emitter.multiply(keyHead, op.getGroup()),
                           emitter.multiply(part, splitHeads));
  Value target = emitRow(emitter, type, frame.operands[5], token);
  SmallVector<Value> sums, statistics, isUsed;
  for (int64_t i = 0; i < split; ++i) {
    Value from = emitter.minimum(emitter.integer(i),
                                 emitter.subtract(ranks, emitter.integer(1)));
    auto inBlock = [&](Value pointer) {
      return split == 1 ? pointer : hopper.inBlock(pointer, from);
    };
    sums.push_back(inBlock(blockSums));
    statistics.push_back(inBlock(blockStatistics));
    isUsed.push_back(
        emitter.compare(arith::CmpIPredicate::slt, emitter.integer(i), ranks));
  }
  auto load = [&](Value pointer) {
    return emitter.load(emitter.f32(), pointer, 4);
  };
  Value first = emitter.add(emitter.multiply(rank, emitter.threads),
                            emitter.threadNumber());
  emitter.loop(
      first, emitter.multiply(count, size),
      emitter.multiply(ranks, emitter.threads), [&](Value number) {
        Value row = emitter.divide(number, size),
              column = emitter.modulo(number, size);
        SmallVector<Value> largests;
        for (Value memory : statistics)
          largests.push_back(load(statisticOf(memory, row, 0)));
        Value largest = largests[0];
        for (Value other : ArrayRef(largests).drop_front())
          largest = emitter.maximum(largest, other);
        Value total = emitter.scalar(0.0f), output = emitter.scalar(0.0f);
        for (int64_t i = 0; i < split; ++i) {
          Value factor = emitter.select(
              isUsed[i],
              emitter.powerOfTwo(emitter.subtractFloats(largests[i], largest)),
              emitter.scalar(0.0f));
          total = emitter.multiplyAdd(
              factor, load(statisticOf(statistics[i], row, 1)), total);
          output = emitter.multiplyAdd(factor, load(at(sums[i], row, column)),
                                       output);
        }
        Value place =
            emitter.add(emitter.multiply(emitter.add(head, row), size), column);
        emitter.storeElement(emitter.divideFloats(output, total),
                             type.getElementType(), target, place);
      });
}
