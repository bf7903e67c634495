// Attention of the tokens of prompts in tensor cores.
//
// A block has a producer, which copies keys and values of whole pages to a ring
// of stages in shared memory, and two consumers, warpgroups of 64 query rows
// each: the query heads of a key/value head of neighbouring tokens of one
// sequence. A consumer multiplies queries by the keys of one stage while it
// multiplies the weights of the stage before, which stay in registers, by its
// values; and consumers take turns, so that the softmax of one runs under the
// products of the other (FlashAttention-3, arXiv:2407.08608, sections 3.1 and
// 3.2).
//
// Every row takes stages from position 0 on, so that the order of its sums
// depends on its own position alone. A stage beyond it adds weights of zero,
// which changes no bit.

#include "compiler/codegen/nvptx/FlashSoftmax.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Registers of a thread of the producer and of consumers: the producer only
/// counts, and 128 * 24 + 256 * 240 are there.
static constexpr int64_t producerRegisters = 24, consumerRegisters = 240;

/// Elements of K of one product.
static constexpr int64_t stepDepth = 16;

/// Named barriers: the turn of each consumer at the tensor cores.
static constexpr int64_t turnBarrier = 3;

namespace {
/// Emits the code of all threads of a block.
class FlashAttention {
public:
  FlashAttention(Emitter &emitter, kernel::AttentionOp op,
                 const KernelFrame &frame);

  void emit();

private:
  /// Which of the four barriers of a stage.
  enum class Signal : int64_t { KeysFull, ValuesFull, KeysFree, ValuesFree };

  // The ring of stages; a counter counts them from the first piece on.
  Value stageOf(Value counter) {
    return emitter.modulo(counter, layout.stages);
  }
  Value parityOf(Value counter) {
    return emitter.modulo(emitter.divide(counter, layout.stages), 2);
  }
  Value barrierOf(Signal signal, Value counter);
  void initializeBarriers();

  // The producer.
  void emitProducer();
  void copyStage(const FlashPiece &piece, Value stage, Value counter);
  void copyPages(const FlashPiece &piece, Value counter, bool isValues,
                 ArrayRef<Value> pages);

  // Consumers.
  void emitConsumer();
  Value consumePiece(const FlashPiece &piece, Value counter);
  SmallVector<Value> multiplyKeys(Value counter);
  void multiplyValues(Value counter, SmallVector<Value> &weights,
                      Softmax &state);
  SmallVector<Value> consumeStage(const FlashPiece &piece, Value stage,
                                  Value counter, bool isMasked,
                                  ValueRange before);
  void release(Signal signal, Value counter);
  void takeTurn();
  void passTurn();
  SmallVector<Value> flatten(const Softmax &state, ArrayRef<Value> weights);
  Softmax restore(ValueRange values, SmallVector<Value> &weights);

  Emitter &emitter;
  Hopper hopper;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  const FlashLayout layout;
  FlashPieces pieces;
  FlashRows rows;       ///< Of consumers.
  FlashSoftmax softmax; ///< Of consumers.
  WarpgroupProduct keyProduct, valueProduct;
  Value shared;   ///< The shared memory of the block.
  Value consumer; ///< Its number.
};
} // namespace

FlashAttention::FlashAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), cache(op.getCache()), frame(frame),
      layout(op), pieces(emitter, op, frame, layout),
      rows(emitter, op, frame, layout),
      softmax(emitter, op, layout, rows), keyProduct{cache.getElement(),
                                                     layout.positions,
                                                     /*rightByDepth=*/false},
      valueProduct{cache.getElement(), cache.getPaddedValueSize(),
                   /*rightByDepth=*/true},
      shared(emitter.dynamicSharedMemory()) {}

//===----------------------------------------------------------------------===//
// The ring of stages
//===----------------------------------------------------------------------===//

Value FlashAttention::barrierOf(Signal signal, Value counter) {
  return emitter.offset(
      shared, emitter.add(emitter.multiply(stageOf(counter), 8),
                          layout.barriers + static_cast<int64_t>(signal) *
                                                layout.stages * 8));
}

/// Full: the producer, and what it copies. Free: the warps of consumers.
void FlashAttention::initializeBarriers() {
  Value isFirst =
      emitter.compare(arith::CmpIPredicate::eq,
                      emitter.narrow(emitter.threadNumber()), emitter.word(0));
  emitter.when(isFirst, [&] {
    for (int64_t stage = 0; stage < layout.stages; ++stage)
      for (Signal signal : {Signal::KeysFull, Signal::ValuesFull,
                            Signal::KeysFree, Signal::ValuesFree}) {
        bool isFull =
            signal == Signal::KeysFull || signal == Signal::ValuesFull;
        hopper.initializeBarrier(barrierOf(signal, emitter.word(stage)),
                                 isFull ? 1 : flashConsumerThreads / warpLanes);
      }
    hopper.publishBarriers();
    for (Value map : frame.tensorMaps)
      hopper.prefetchTensorMap(map);
  });
  emitter.barrier();
}

//===----------------------------------------------------------------------===//
// The producer
//===----------------------------------------------------------------------===//

/// Copies the keys, or the values, of `pages` to a stage.
void FlashAttention::copyPages(const FlashPiece &piece, Value counter,
                               bool isValues, ArrayRef<Value> pages) {
  Signal free = isValues ? Signal::ValuesFree : Signal::KeysFree;
  Signal full = isValues ? Signal::ValuesFull : Signal::KeysFull;
  int64_t bytes = isValues ? layout.valueBytes : layout.keyBytes;
  int64_t size =
      isValues ? cache.getPaddedValueSize() : cache.getPaddedKeySize();
  // The stage is free before it is first used.
  Value parity = emitter.exclusive(parityOf(counter), emitter.word(1));
  hopper.waitFor(barrierOf(free, counter), parity);
  Value barrier = barrierOf(full, counter);
  hopper.arriveExpecting(barrier, emitter.integer(bytes));
  Value target = emitter.offset(
      shared, emitter.add(emitter.multiply(stageOf(counter), bytes),
                          isValues ? layout.values : layout.keys));
  Value row = emitter.multiply(piece.keyHead, cache.getPageTokens());
  for (int64_t panel = 0; panel < flashPanelsOf(size); ++panel)
    for (auto [index, page] : llvm::enumerate(pages)) {
      int64_t place = panel * layout.panelBytes + static_cast<int64_t>(index) *
                                                      cache.getPageTokens() *
                                                      swizzledRowBytes;
      Value column = emitter.word(panel * flashPanelColumns);
      hopper.loadTile(frame.tensorMaps[isValues], {column, row, page},
                      emitter.offset(target, place), barrier);
    }
}

void FlashAttention::copyStage(const FlashPiece &piece, Value stage,
                               Value counter) {
  int64_t count = layout.positions / cache.getPageTokens();
  Value first = emitter.multiply(stage, count);
  SmallVector<Value> pages;
  for (int64_t i = 0; i < count; ++i) {
    Value number = emitter.add(first, i);
    Value isPage =
        emitter.compare(arith::CmpIPredicate::slt, number, piece.pages);
    Value entry = emitter.add(
        emitter.multiply(emitter.widen(piece.sequence), frame.pageTableStride),
        emitter.widen(number));
    // Of a page outside the cache, zeros come.
    pages.push_back(emitter.evaluate(
        isPage,
        [&] {
          return emitter.load(
              emitter.i32(),
              emitter.offset(frame.operands[3], emitter.multiply(entry, 4)), 4);
        },
        [&] { return emitter.word(-1); }));
  }
  for (bool isValues : {false, true})
    copyPages(piece, counter, isValues, pages);
}

void FlashAttention::emitProducer() {
  pieces.forPieces([&](const FlashPiece &piece, Value counter) {
    emitter.loop(emitter.word(0), piece.stages, 1, [&](Value stage) {
      copyStage(piece, stage, emitter.add(counter, stage));
    });
    return emitter.add(counter, piece.stages);
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Begins the products of the queries and the keys of a stage, which are there.
SmallVector<Value> FlashAttention::multiplyKeys(Value counter) {
  Value right = hopper.describeTile(emitter.offset(
      shared, emitter.add(emitter.multiply(stageOf(counter), layout.keyBytes),
                          layout.keys)));
  Value left = hopper.copyDescriptor(hopper.describeTile(rows.queries));
  // The first product begins the sums: nothing is in their registers before.
  Value undefined =
      LLVM::PoisonOp::create(emitter.builder, emitter.location, emitter.f32());
  SmallVector<Value> products(static_cast<size_t>(keyProduct.sums()),
                              undefined);
  int64_t stepsOfPanel = flashPanelColumns / stepDepth;
  hopper.fenceProducts();
  for (int64_t step = 0; step < cache.getPaddedKeySize() / stepDepth; ++step) {
    int64_t panel = step / stepsOfPanel,
            inRow = step % stepsOfPanel * stepDepth * 2;
    products = hopper.multiply(
        keyProduct,
        hopper.advance(left, panel * productRows * swizzledRowBytes + inRow),
        hopper.advance(right, panel * layout.panelBytes + inRow),
        emitter.truth(step != 0), products);
  }
  hopper.commitProducts();
  return products;
}

/// Begins to add the weighted values of a stage, which are there; `weights`
/// become those that the next wait is for.
void FlashAttention::multiplyValues(Value counter, SmallVector<Value> &weights,
                                    Softmax &state) {
  Value right = hopper.describeTileByDepth(
      emitter.offset(shared, emitter.add(emitter.multiply(stageOf(counter),
                                                          layout.valueBytes),
                                         layout.values)),
      layout.panelBytes);
  SmallVector<Value> registers(state.outputs);
  registers.append(weights);
  registers = hopper.fenceProducts(registers);
  state.outputs.assign(registers.begin(),
                       registers.begin() + state.outputs.size());
  weights.assign(registers.begin() + state.outputs.size(), registers.end());
  for (int64_t step = 0; step < layout.positions / stepDepth; ++step)
    state.outputs = hopper.multiplyRegisters(
        valueProduct, ArrayRef(weights).slice(static_cast<size_t>(step) * 4, 4),
        hopper.advance(right, step * stepDepth * swizzledRowBytes),
        emitter.truth(true), state.outputs);
  hopper.commitProducts();
}

//===----------------------------------------------------------------------===//
// Consumers
//===----------------------------------------------------------------------===//

/// Lets the producer know that this warp has multiplied what is in a stage.
void FlashAttention::release(Signal signal, Value counter) {
  Value isFirst =
      emitter.compare(arith::CmpIPredicate::eq,
                      emitter.narrow(emitter.laneNumber()), emitter.word(0));
  hopper.arriveWhere(isFirst, barrierOf(signal, counter));
}

void FlashAttention::takeTurn() {
  hopper.namedBarrier(emitter.add(consumer, turnBarrier), flashConsumerThreads);
}

void FlashAttention::passTurn() {
  Value other = emitter.subtract(emitter.word(1), consumer);
  hopper.arriveAtNamedBarrier(emitter.add(other, turnBarrier),
                              flashConsumerThreads);
}

SmallVector<Value> FlashAttention::flatten(const Softmax &state,
                                           ArrayRef<Value> weights) {
  SmallVector<Value> values = state.flatten();
  values.append(weights.begin(), weights.end());
  return values;
}

Softmax FlashAttention::restore(ValueRange values,
                                SmallVector<Value> &weights) {
  size_t count = 4 + static_cast<size_t>(valueProduct.sums());
  weights = SmallVector<Value>(values.drop_front(count));
  return Softmax::restore(values.take_front(count));
}

/// Takes the keys of stage number `stage` of the piece and the values of the
/// one before. The softmax runs while values are multiplied.
SmallVector<Value> FlashAttention::consumeStage(const FlashPiece &piece,
                                                Value stage, Value counter,
                                                bool isMasked,
                                                ValueRange before) {
  SmallVector<Value> weights;
  Softmax state = restore(before, weights);
  Value previous = emitter.subtract(counter, emitter.word(1));
  hopper.waitFor(barrierOf(Signal::KeysFull, counter), parityOf(counter));
  takeTurn();
  SmallVector<Value> products = multiplyKeys(counter);
  hopper.waitFor(barrierOf(Signal::ValuesFull, previous), parityOf(previous));
  multiplyValues(previous, weights, state);
  passTurn();
  products = hopper.waitForProducts(1, products);
  release(Signal::KeysFree, counter);
  Value factors[2];
  SmallVector<Value> next =
      softmax.weigh(products, piece, stage, isMasked, state, factors);
  // New weights must not come to registers of those that are multiplied.
  SmallVector<Value> pending(state.outputs);
  pending.append(weights);
  pending.append(next);
  SmallVector<Value> done = hopper.waitForProducts(0, pending);
  release(Signal::ValuesFree, previous);
  state.outputs.assign(done.begin(), done.begin() + state.outputs.size());
  next.assign(done.end() - next.size(), done.end());
  softmax.rescale(state, factors);
  return flatten(state, softmax.pack(next));
}

/// Computes a piece; returns the counter after it.
Value FlashAttention::consumePiece(const FlashPiece &piece, Value counter) {
  rows.copyQueries(piece);
  Softmax state = Softmax::begin(emitter, valueProduct.sums());
  Value factors[2];
  hopper.waitFor(barrierOf(Signal::KeysFull, counter), parityOf(counter));
  SmallVector<Value> products =
      hopper.waitForProducts(0, multiplyKeys(counter));
  release(Signal::KeysFree, counter);
  SmallVector<Value> weights =
      softmax.pack(softmax.weigh(products, piece, emitter.word(0),
                                 /*isMasked=*/true, state, factors));

  // Stages all of which all rows see, then the others.
  Value seen = emitter.divide(emitter.add(piece.position, 1), layout.positions);
  Value one = emitter.word(1);
  Value isNone = emitter.compare(arith::CmpIPredicate::slt, seen, one);
  Value full = emitter.select(isNone, one, emitter.minimum(seen, piece.stages));
  SmallVector<Value> values = flatten(state, weights);
  for (bool isMasked : {false, true})
    values = emitter.loop(
        isMasked ? full : emitter.word(1), isMasked ? piece.stages : full, 1,
        values, [&](Value stage, ValueRange before) {
          return consumeStage(piece, stage, emitter.add(counter, stage),
                              isMasked, before);
        });

  state = restore(values, weights);
  Value after = emitter.add(counter, piece.stages);
  Value last = emitter.subtract(after, emitter.word(1));
  hopper.waitFor(barrierOf(Signal::ValuesFull, last), parityOf(last));
  multiplyValues(last, weights, state);
  SmallVector<Value> pending(state.outputs);
  pending.append(weights);
  SmallVector<Value> done = hopper.waitForProducts(0, pending);
  release(Signal::ValuesFree, last);
  state.outputs.assign(done.begin(), done.begin() + state.outputs.size());
  rows.store(piece, state);
  return after;
}

void FlashAttention::emitConsumer() {
  consumer = emitter.subtract(emitter.narrow(hopper.uniformWarpgroupNumber()),
                              emitter.word(1));
  rows.begin(consumer, shared);
  // The first consumer has the first turn.
  Value isSecond =
      emitter.compare(arith::CmpIPredicate::eq, consumer, emitter.word(1));
  emitter.when(isSecond, [&] { passTurn(); });
  pieces.forPieces([&](const FlashPiece &piece, Value counter) {
    return consumePiece(piece, counter);
  });
  // What the second one has passed last is nobody's turn.
  emitter.when(
      emitter.compare(arith::CmpIPredicate::eq, consumer, emitter.word(0)),
      [&] { takeTurn(); });
}

void FlashAttention::emit() {
  initializeBarriers();
  Value isProducer =
      emitter.compare(arith::CmpIPredicate::eq, hopper.uniformWarpgroupNumber(),
                      emitter.integer(0));
  emitter.when(
      isProducer,
      [&] {
        hopper.giveUpRegisters(producerRegisters);
        Value isFirst =
            emitter.compare(arith::CmpIPredicate::eq,
                            hopper.uniformWarpNumber(), emitter.integer(0));
        emitter.when(isFirst, [&] {
          emitter.when(hopper.isElected(), [&] { emitProducer(); });
        });
      },
      [&] {
        hopper.takeRegisters(consumerRegisters);
        emitConsumer();
      });
}

void nvptx::emitFlashAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame) {
  FlashAttention(emitter, op, frame).emit();
}
