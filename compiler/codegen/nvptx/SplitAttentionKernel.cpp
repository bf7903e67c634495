// Attention of few queries over long contexts: for generated tokens.
//
// The blocks of a cluster compute one key/value head of one token: its query
// heads are the rows of the products of tensor cores. Positions are dealt out
// to warps, 16 at a time, by their number alone, so that the order of every sum
// depends on nothing else. A warp loads keys and values from memory to the
// registers in which products take them: the order of K in a product is free as
// long as both operands have the same, and so is that of columns of a result.
// At the end warps and then blocks join what they have, in their order.

#include "compiler/codegen/nvptx/SplitAttention.h"
#include "compiler/target/h100/Device.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

SplitAttention::SplitAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), op(op), cache(op.getCache()),
      frame(frame), split(configurationOf(op).getSplit()),
      warps(emitter.threads / warpLanes),
      parts(llvm::divideCeil(op.getGroup(), splitHeads)),
      rows(std::min(op.getGroup(), splitHeads)),
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
  queries = emitter.sharedMemory(cache.getPaddedKeySize() / splitPositions *
                                 splitQueryBytes);
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
      ArrayRef<int64_t>{splitHeads, splitColumns, splitPositions},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
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
      emitter.subtract(position, emitter.multiply(step, splitPositions));
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
  Softmax state = Softmax::begin(emitter, pitch / splitColumns * 4);
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
  count = emitter.minimum(emitter.subtract(emitter.integer(op.getGroup()),
                                           emitter.multiply(part, splitHeads)),
                          emitter.integer(splitHeads));
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
        steps = emitter.add(emitter.divide(position, splitPositions), 1);
        Value busy = emitter.divide(emitter.add(steps, warps - 1), warps);
        ranks = emitter.minimum(busy, emitter.integer(split));
        emitPart(part, emitter.compare(arith::CmpIPredicate::slt,
                                       emitter.add(tile, clusters), tiles));
      });
}

/// Bytes of shared memory: what each warp has and what the block has.
static int64_t sharedBytesOf(kernel::AttentionOp op) {
  int64_t rows = std::min(op.getGroup(), splitHeads);
  int64_t warps = configurationOf(op).getThreads() / warpLanes;
  return (warps + 1) * rows * (op.getCache().getPaddedValueSize() + 2) * 4;
}

bool nvptx::hasSplitAttention(kernel::AttentionOp op) {
  kernel::GpuAttentionConfigAttr configuration = configurationOf(op);
  return configuration.getTileColumns() ==
             configuration.getThreads() / warpLanes * splitPositions &&
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
