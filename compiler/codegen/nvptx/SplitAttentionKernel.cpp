// Attention of few queries over long contexts: for generated tokens.
//
// The blocks of a cluster compute one key/value head of one token: its query
// heads are the rows of the products of tensor cores. Positions are dealt out
// to warps, 16 at a time, by their number alone, so that the order of every sum
// depends on nothing else. A warp loads keys and values from memory to the
// registers in which products take them: the order of K in a product is free as
// long as both operands have the same, and so is that of columns of a result.
// At the end warps and then blocks join what they have, in their order.

#include "compiler/codegen/nvptx/AttentionForms.h"
#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/target/h100/Device.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Rows of a product, and positions that a warp takes at once: they are columns
/// of one product and the depth of the next.
static constexpr int64_t productHeads = 16, stepPositions = 16;
/// What lanes have of the queries of one step of K.
static constexpr int64_t queryStepBytes = warpLanes * 16;
/// Columns of one product.
static constexpr int64_t productColumns = 8;
/// Columns of values of which each lane loads 16 bytes of a row.
static constexpr int64_t panelColumns = 64;

namespace {
/// The softmax of two query rows of a lane, those of `quad` and `quad + 8`, and
/// its parts of the weighted sums of values.
struct Softmax {
  Value largest[2];           ///< Of the scores, which are exponents of 2.
  Value sums[2];              ///< Of this lane's powers.
  SmallVector<Value> outputs; ///< Four for each 8 columns of values.

  SmallVector<Value> flatten() const {
    SmallVector<Value> values = {largest[0], largest[1], sums[0], sums[1]};
    values.append(outputs);
    return values;
  }
  static Softmax restore(ValueRange values) {
    return {{values[0], values[1]},
            {values[2], values[3]},
            SmallVector<Value>(values.drop_front(4))};
  }
};

/// Emits one tile: some query heads of one key/value head of one token.
class SplitAttention {
public:
  SplitAttention(Emitter &emitter, kernel::AttentionOp op,
                 const KernelFrame &frame);

  void emit();

private:
  void emitPart(Value part, Value goesOn);
  void emitRank(Value part);

  Softmax accumulate(Value part);
  SmallVector<Value> weigh(Value step, ArrayRef<Value> keys, Softmax &state);
  void addValues(ArrayRef<Value> values, ArrayRef<Value> weights,
                 Softmax &state);

  SmallVector<Value> loadVector(Value row);
  SmallVector<Value> loadPairs(Value row);
  void copyQueries(Value part);
  SmallVector<Value> queriesOf(int64_t step);
  SmallVector<Value> loadKeys(Value step, Value page);
  SmallVector<Value> loadValues(Value step, Value page);
  Value pageOf(Value step);
  Value slotOf(Value step, Value row);

  void storeSoftmax(const Softmax &state);
  void joinWarps();
  void joinBlocks(Value part);

  Value multiply(ArrayRef<Value> left, ArrayRef<Value> right, Value sums);
  Value zeros();
  Value part(Value sums, int64_t index);

  Value at(Value memory, Value row, Value column) {
    return emitter.offset(
        memory,
        emitter.multiply(emitter.add(emitter.multiply(row, pitch), column), 4));
  }
  Value statisticOf(Value memory, Value row, int64_t number) {
    return emitter.offset(memory,
                          emitter.add(emitter.multiply(row, 8), number * 4));
  }

  Emitter &emitter;
  Hopper hopper;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  int64_t split, warps, parts;
  int64_t rows;  ///< Query heads of a tile.
  int64_t pitch; ///< Elements of a row of sums of values.
  Type element, sumsType;

  Value quad, member; ///< The lane is number 4 * quad + member.
  Value rank;         ///< Of the block in its cluster.
  Value keyHead, token, position, sequence;
  Value count; ///< Query heads of this tile.
  Value steps; ///< Of 16 positions.
  Value ranks; ///< Blocks that have any of them.

  Value queries; ///< In shared memory: of each step of K what each lane has.
  // In shared memory: sums of values and (largest, sum) of each query head, of
  // each warp and of the block.
  Value warpSums, warpStatistics, blockSums, blockStatistics;
};
} // namespace

SplitAttention::SplitAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), op(op), cache(op.getCache()),
      frame(frame), split(configurationOf(op).getSplit()),
      warps(emitter.threads / warpLanes),
      parts(llvm::divideCeil(op.getGroup(), productHeads)),
      rows(std::min(op.getGroup(), productHeads)),
      pitch(cache.getPaddedValueSize()), element(cache.getElement()),
      sumsType(LLVM::LLVMStructType::getLiteral(
          op.getContext(), SmallVector<Type>(4, emitter.f32()))) {
  quad = emitter.divide(emitter.laneNumber(), 4);
  member = emitter.modulo(emitter.laneNumber(), 4);
  rank = split == 1 ? emitter.integer(0) : hopper.clusterRank();
  int64_t sumBytes = rows * pitch * 4, statisticBytes = rows * 8;
  warpSums = emitter.dynamicSharedMemory();
  blockSums = emitter.offset(warpSums, warps * sumBytes);
  warpStatistics = emitter.offset(blockSums, sumBytes);
  blockStatistics = emitter.offset(warpStatistics, warps * statisticBytes);
  queries = emitter.sharedMemory(cache.getPaddedKeySize() / stepPositions *
                                 queryStepBytes);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value SplitAttention::zeros() {
  return LLVM::ConstantOp::create(
      emitter.builder, emitter.location, sumsType,
      emitter.builder.getArrayAttr(
          SmallVector<Attribute>(4, emitter.builder.getF32FloatAttr(0))));
}

Value SplitAttention::part(Value sums, int64_t index) {
  return LLVM::ExtractValueOp::create(emitter.builder, emitter.location, sums,
                                      index);
}

/// Adds the product of [16, 16] in four registers and [16, 8] in two to `sums`.
Value SplitAttention::multiply(ArrayRef<Value> left, ArrayRef<Value> right,
                               Value sums) {
  SmallVector<Value> before;
  for (int64_t i = 0; i < 4; ++i)
    before.push_back(part(sums, i));
  return NVVM::MmaOp::create(
      emitter.builder, emitter.location, sumsType, left, right, before,
      ArrayRef<int64_t>{productHeads, productColumns, stepPositions},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
}

//===----------------------------------------------------------------------===//
// Loading operands
//===----------------------------------------------------------------------===//

/// This lane's words of a query or key: two for each 16 of its elements, of
/// which it has element 8 * member and the following ones of each 32.
SmallVector<Value> SplitAttention::loadVector(Value row) {
  SmallVector<Value> words;
  int64_t size = cache.getPaddedKeySize();
  Value lanePart = emitter.offset(row, emitter.multiply(member, 16));
  for (int64_t i = 0; i + 32 <= size; i += 32)
    words.append(emitter.loadWords(emitter.offset(lanePart, i * 2), 4));
  if (size % 32 != 0)
    words.append(emitter.loadWords(
        emitter.offset(row, emitter.add(emitter.multiply(member, 8),
                                        (size - size % 32) * 2)),
        2));
  return words;
}

/// The same of a query whose size is no multiple of 16, with zeros behind it.
SmallVector<Value> SplitAttention::loadPairs(Value row) {
  SmallVector<Value> words;
  int64_t size = cache.getPaddedKeySize();
  for (int64_t i = 0; i < size; i += 32) {
    int64_t count = std::min<int64_t>(4, (size - i) / 8);
    for (int64_t word = 0; word < count; ++word) {
      Value first =
          emitter.add(emitter.multiply(member, count * 2), i + word * 2);
      Value isInside = emitter.compare(arith::CmpIPredicate::slt, first,
                                       emitter.integer(cache.getKeySize()));
      words.push_back(emitter.evaluate(
          isInside,
          [&] {
            return emitter.load(emitter.i32(),
                                emitter.offset(row, emitter.multiply(first, 2)),
                                4);
          },
          [&] { return emitter.word(0); }));
    }
  }
  return words;
}

/// Copies the queries to shared memory, as the left operand of each step of K;
/// rows that the tile does not have are those of its last one.
void SplitAttention::copyQueries(Value part) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t size = type.getDimSize(2);
  Value tokenRow = emitRow(emitter, type, frame.operands[0], token);
  Value first = emitter.add(emitter.multiply(keyHead, op.getGroup()),
                            emitter.multiply(part, productHeads));
  SmallVector<Value> rows[2];
  for (int64_t half = 0; half < 2; ++half) {
    Value index = emitter.minimum(emitter.add(quad, half * 8),
                                  emitter.subtract(count, emitter.integer(1)));
    Value row = emitter.offset(
        tokenRow, emitter.multiply(emitter.add(first, index), size * 2));
    rows[half] =
        size == cache.getPaddedKeySize() ? loadVector(row) : loadPairs(row);
  }
  Value target =
      emitter.offset(queries, emitter.multiply(emitter.laneNumber(), 16));
  for (size_t i = 0; i < rows[0].size(); i += 2)
    emitter.storeVector(
        {rows[0][i], rows[1][i], rows[0][i + 1], rows[1][i + 1]},
        emitter.offset(target, static_cast<int64_t>(i / 2) * queryStepBytes));
}

/// The queries as an operand. LLVM would load those of all steps before all
/// products, and there are no registers for that.
SmallVector<Value> SplitAttention::queriesOf(int64_t step) {
  Value place = emitter.offset(
      emitter.offset(queries, emitter.multiply(emitter.laneNumber(), 16)),
      step * queryStepBytes);
  Value vector = LLVM::LoadOp::create(
      emitter.builder, emitter.location, VectorType::get({4}, emitter.i32()),
      place, /*alignment=*/16, /*isVolatile=*/true);
  SmallVector<Value> words;
  for (int32_t i = 0; i < 4; ++i)
    words.push_back(LLVM::ExtractElementOp::create(
        emitter.builder, emitter.location, vector, emitter.word(i)));
  return words;
}

Value SplitAttention::pageOf(Value step) {
  return emitPage(emitter, cache.getPageBytes(), frame.operands[4],
                  frame.operands[3], frame.pageTableStride, sequence,
                  emitter.divide(step, cache.getPageTokens() / stepPositions));
}

/// The slot in its page of position `row` of a step; positions that the token
/// does not see are the last one that it does.
Value SplitAttention::slotOf(Value step, Value row) {
  Value place = emitter.minimum(
      emitter.add(emitter.multiply(step, stepPositions), row), position);
  return emitter.modulo(place, cache.getPageTokens());
}

/// The words of positions `quad`, then of `quad + 8`.
SmallVector<Value> SplitAttention::loadKeys(Value step, Value page) {
  SmallVector<Value> words;
  Value keys =
      emitter.offset(page, emitter.multiply(keyHead, cache.getKeyBytes()));
  for (int64_t half = 0; half < 2; ++half) {
    Value slot = slotOf(step, emitter.add(quad, half * 8));
    words.append(loadVector(emitter.offset(
        keys, emitter.multiply(slot, cache.getPaddedKeySize() * 2))));
  }
  return words;
}

/// The words of positions 2 * member + {0, 1, 8, 9}: of each panel of columns
/// those from eighth number `quad` on.
SmallVector<Value> SplitAttention::loadValues(Value step, Value page) {
  SmallVector<Value> words;
  Value values = emitter.offset(
      page, emitter.add(emitter.multiply(keyHead, cache.getValueBytes()),
                        cache.getHeads() * cache.getKeyBytes()));
  for (int64_t offset : {0, 1, 8, 9}) {
    Value slot = slotOf(step, emitter.add(emitter.multiply(member, 2), offset));
    Value row = emitter.offset(values, emitter.multiply(slot, pitch * 2));
    for (int64_t first = 0; first < pitch; first += panelColumns) {
      int64_t columns = std::min(panelColumns, pitch - first);
      Value place = emitter.offset(
          row, emitter.add(emitter.multiply(quad, columns / 8 * 2), first * 2));
      words.append(emitter.loadWords(place, columns / 16));
    }
  }
  return words;
}

//===----------------------------------------------------------------------===//
// One step of a warp
//===----------------------------------------------------------------------===//

/// Multiplies queries and keys, and updates the softmax by the scores; returns
/// the weights of the positions as a left operand.
SmallVector<Value> SplitAttention::weigh(Value step, ArrayRef<Value> keys,
                                         Softmax &state) {
  Value scale = emitter.scalar(
      static_cast<float>(op.getScale().convertToDouble() / std::log(2.0)));
  Value lowest = emitter.scalar(-INFINITY);
  Value left =
      emitter.subtract(position, emitter.multiply(step, stepPositions));
  size_t keyWords = keys.size() / 2;
  SmallVector<SmallVector<Value>> operands;
  for (size_t i = 0; i < keyWords / 2; ++i)
    operands.push_back(queriesOf(static_cast<int64_t>(i)));
  SmallVector<Value> scores[2]; // Of each row.
  for (int64_t half = 0; half < 2; ++half) {
    Value sums = zeros();
    ArrayRef<Value> words = keys.slice(half * keyWords, keyWords);
    for (size_t i = 0; i < keyWords; i += 2)
      sums = multiply(operands[i / 2], words.slice(i, 2), sums);
    for (int64_t i = 0; i < 4; ++i) {
      Value column = emitter.add(emitter.multiply(member, 2), half * 8 + i % 2);
      Value isSeen = emitter.compare(arith::CmpIPredicate::sle, column, left);
      Value score = emitter.multiplyFloats(part(sums, i), scale);
      scores[i / 2].push_back(emitter.select(isSeen, score, lowest));
    }
  }
  SmallVector<Value> weights[2];
  for (int64_t row = 0; row < 2; ++row) {
    Value largest = state.largest[row];
    for (Value score : scores[row])
      largest = emitter.maximum(largest, score);
    for (int64_t mask : {1, 2})
      largest = emitter.maximum(largest, emitter.exchange(largest, mask));
    Value factor =
        emitter.powerOfTwo(emitter.subtractFloats(state.largest[row], largest));
    Value sum = emitter.multiplyFloats(state.sums[row], factor);
    for (Value score : scores[row]) {
      weights[row].push_back(
          emitter.powerOfTwo(emitter.subtractFloats(score, largest)));
      sum = emitter.addFloats(sum, weights[row].back());
    }
    for (size_t i = row * 2; i < state.outputs.size(); i += 4)
      for (size_t j = i; j < i + 2; ++j)
        state.outputs[j] = emitter.multiplyFloats(state.outputs[j], factor);
    state.largest[row] = largest;
    state.sums[row] = sum;
  }
  SmallVector<Value> words;
  for (size_t i = 0; i < 4; i += 2)
    for (const SmallVector<Value> &pair : weights)
      words.push_back(hopper.packPair(element, pair[i], pair[i + 1]));
  return words;
}

/// Adds the weighted values of a step.
void SplitAttention::addValues(ArrayRef<Value> values, ArrayRef<Value> weights,
                               Softmax &state) {
  size_t rowWords = values.size() / 4;
  for (size_t number = 0; number < state.outputs.size() / 4; ++number) {
    // A word has two neighbouring columns of one position; products take two
    // positions of one column.
    Value halves = emitter.word(number % 2 == 0 ? 0x5410 : 0x7632);
    SmallVector<Value> right;
    for (size_t row = 0; row < 4; row += 2)
      right.push_back(emitter.permuteBytes(
          values[row * rowWords + number / 2],
          values[(row + 1) * rowWords + number / 2], halves));
    auto outputs = MutableArrayRef(state.outputs).slice(number * 4, 4);
    Value sums =
        LLVM::PoisonOp::create(emitter.builder, emitter.location, sumsType);
    for (int64_t i = 0; i < 4; ++i)
      sums = LLVM::InsertValueOp::create(emitter.builder, emitter.location,
                                         sums, outputs[i], i);
    sums = multiply(weights, right, sums);
    for (int64_t i = 0; i < 4; ++i)
      outputs[i] = part(sums, i);
  }
}

/// Goes through the steps of this warp, with the keys of the next one on their
/// way.
Softmax SplitAttention::accumulate(Value part) {
  emitter.when(emitter.compare(arith::CmpIPredicate::eq, emitter.warpNumber(),
                               emitter.integer(0)),
               [&] { copyQueries(part); });
  emitter.barrier();
  Softmax state;
  for (int64_t row = 0; row < 2; ++row) {
    state.largest[row] = emitter.scalar(-INFINITY);
    state.sums[row] = emitter.scalar(0.0f);
  }
  state.outputs.assign(static_cast<size_t>(pitch / productColumns * 4),
                       emitter.scalar(0.0f));
  Value first =
      emitter.add(emitter.multiply(rank, warps), emitter.warpNumber());
  int64_t stride = split * warps;
  // A warp without steps loads keys that others need.
  Value last = emitter.subtract(steps, emitter.integer(1));
  Value firstStep = emitter.minimum(first, last);
  SmallVector<Value> carried = {pageOf(firstStep)};
  carried.append(loadKeys(firstStep, carried[0]));
  size_t keyWords = carried.size() - 1;
  carried.append(state.flatten());
  SmallVector<Value> results = emitter.loop(
      first, steps, stride, carried, [&](Value step, ValueRange before) {
        SmallVector<Value> keys(before.slice(1, keyWords));
        Softmax state = Softmax::restore(before.drop_front(1 + keyWords));
        Value next = emitter.add(step, stride);
        // There may be none; this one's keys are near.
        next = emitter.select(
            emitter.compare(arith::CmpIPredicate::slt, next, steps), next,
            step);
        SmallVector<Value> values = loadValues(step, before[0]);
        SmallVector<Value> after = {pageOf(next)};
        SmallVector<Value> weights = weigh(step, keys, state);
        after.append(loadKeys(next, after[0]));
        addValues(values, weights, state);
        after.append(state.flatten());
        return after;
      });
  return Softmax::restore(ArrayRef(results).drop_front(1 + keyWords));
}

//===----------------------------------------------------------------------===//
// Joining
//===----------------------------------------------------------------------===//

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
      for (int64_t number = 0; number < pitch / productColumns; ++number) {
        int64_t first = number * productColumns / panelColumns * panelColumns;
        int64_t eighth = std::min(panelColumns, pitch - first) / 8;
        for (int64_t i = 0; i < 2; ++i) {
          // Column n of a product is in eighth n of the panel.
          Value column = emitter.add(
              emitter.multiply(emitter.add(emitter.multiply(member, 2), i),
                               eighth),
              first + number - first / productColumns);
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
                           emitter.multiply(part, productHeads));
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

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void SplitAttention::emitRank(Value part) {
  storeSoftmax(accumulate(part));
  emitter.barrier();
  joinWarps();
}

/// Emits query heads `part` of a tile. Blocks without positions leave if they
/// have no other tile: nobody reads their memory.
void SplitAttention::emitPart(Value part, Value goesOn) {
  count =
      emitter.minimum(emitter.subtract(emitter.integer(op.getGroup()),
                                       emitter.multiply(part, productHeads)),
                      emitter.integer(productHeads));
  auto wait = [&] { split == 1 ? emitter.barrier() : hopper.clusterBarrier(); };
  Value hasPositions = emitter.compare(arith::CmpIPredicate::slt, rank, ranks);
  emitter.when(
      hasPositions,
      [&] {
        emitRank(part);
        wait();
        joinBlocks(part);
        wait(); // What is in shared memory is read.
      },
      [&] {
        emitter.when(goesOn, [&] {
          wait();
          wait();
        });
      });
}

void SplitAttention::emit() {
  // Tile (g * T + t) * parts + i: part i of the query heads of a key/value head
  // of a token.
  Value tiles = emitter.multiply(emitter.divide(frame.tiles, split), parts);
  Value clusters = emitter.divide(emitter.blockCount(), split);
  emitter.loop(
      emitter.divide(emitter.blockNumber(), split), tiles, clusters,
      [&](Value tile) {
        Value part = emitter.modulo(tile, parts);
        Value number = emitter.divide(tile, parts);
        keyHead = emitter.divide(number, frame.rows);
        token = emitter.modulo(number, frame.rows);
        position = emitter.loadIndex(frame.operands[1], token);
        sequence = emitter.loadIndex(frame.operands[2], token);
        steps = emitter.add(emitter.divide(position, stepPositions), 1);
        Value busy = emitter.divide(emitter.add(steps, warps - 1), warps);
        ranks = emitter.minimum(busy, emitter.integer(split));
        emitPart(part, emitter.compare(arith::CmpIPredicate::slt,
                                       emitter.add(tile, clusters), tiles));
      });
}

/// Bytes of shared memory: what each warp has and what the block has.
static int64_t sharedBytesOf(kernel::AttentionOp op) {
  int64_t rows = std::min(op.getGroup(), productHeads);
  int64_t warps = configurationOf(op).getThreads() / warpLanes;
  return (warps + 1) * rows * (op.getCache().getPaddedValueSize() + 2) * 4;
}

bool nvptx::hasSplitAttention(kernel::AttentionOp op) {
  kernel::GpuAttentionConfigAttr configuration = configurationOf(op);
  return configuration.getTileColumns() ==
             configuration.getThreads() / warpLanes * stepPositions &&
         sharedBytesOf(op) <= h100::sharedBytesOfBlock;
}

LaunchShape nvptx::shapeOfSplitAttention(kernel::AttentionOp op) {
  LaunchShape shape;
  shape.threads = configurationOf(op).getThreads();
  shape.cluster = configurationOf(op).getSplit();
  shape.blocksOfMultiprocessor = 1;
  shape.sharedBytes = sharedBytesOf(op);
  return shape;
}

void nvptx::emitSplitAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame) {
  SplitAttention(emitter, op, frame).emit();
}
