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

#include "compiler/codegen/nvptx/AttentionForms.h"
#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/target/h100/Device.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Warpgroups that multiply.
static constexpr int64_t consumers = 2;
static constexpr int64_t consumerThreads = consumers * warpgroupThreads;
/// Registers of a thread of the producer and of consumers: the producer only
/// counts, and 128 * 24 + 256 * 240 are there.
static constexpr int64_t producerRegisters = 24, consumerRegisters = 240;

/// Columns of 16 bits of a tile in shared memory: rows of 128 bytes.
static constexpr int64_t panelColumns = swizzledRowBytes / 2;
static constexpr int64_t pieceBytes = 16;
/// Elements of K of one product.
static constexpr int64_t stepDepth = 16;

/// Named barriers: of each consumer alone, and its turn at the tensor cores.
static constexpr int64_t aloneBarrier = 1, turnBarrier = 3;

/// A number of pages no cache reaches: copies never ask for others.
static constexpr int64_t manyPages = int64_t(1) << 24;

static int64_t panelsOf(int64_t size) {
  return llvm::divideCeil(size, panelColumns);
}

namespace {
/// Where things are in shared memory, in bytes.
struct SharedLayout {
  explicit SharedLayout(kernel::AttentionOp op) {
    kernel::CacheAttr cache = op.getCache();
    int64_t positions = configurationOf(op).getTileColumns();
    stages = configurationOf(op).getStages();
    consumerBytes =
        panelsOf(cache.getPaddedKeySize()) * productRows * swizzledRowBytes;
    panelBytes = positions * swizzledRowBytes;
    keyBytes = panelsOf(cache.getPaddedKeySize()) * panelBytes;
    valueBytes = panelsOf(cache.getPaddedValueSize()) * panelBytes;
    keys = consumers * consumerBytes;
    values = keys + stages * keyBytes;
    barriers = values + stages * valueBytes;
  }

  int64_t bytes() const { return barriers + stages * 4 * 8; }

  int64_t stages;
  int64_t consumerBytes; ///< Queries of a consumer; those of all come first.
  int64_t panelBytes;    ///< 64 columns of a stage.
  int64_t keyBytes, valueBytes;
  int64_t keys, values, barriers;
};

/// Query rows of a block of threads: neighbouring tokens of one sequence. It is
/// all i32, as is what consumers keep: they have few registers to spare.
struct Piece {
  Value keyHead, token, sequence, position;
  Value rows;   ///< Query rows: tokens times query heads of the key/value head.
  Value pages;  ///< That hold positions up to the one of the last row.
  Value stages; ///< Of positions.
};

/// The softmax of two query rows of a thread, and its part of the weighted sums
/// of values.
struct Softmax {
  Value largest[2]; ///< Of the products; -infinity at first.
  Value sums[2];    ///< Of this thread's weights.
  SmallVector<Value> outputs;
};

/// Emits the code of all threads of a block.
class FlashAttention {
public:
  FlashAttention(Emitter &emitter, kernel::AttentionOp op,
                 const KernelFrame &frame);

  void emit();

private:
  /// Which of the four barriers of a stage.
  enum class Signal : int64_t { KeysFull, ValuesFull, KeysFree, ValuesFree };
  using PieceBody = llvm::function_ref<Value(const Piece &, Value)>;

  // Pieces of work.
  void forPieces(PieceBody body);
  Value forPiecesOf(Value window, Value keyHead, Value counter, PieceBody body);
  Value endOfSequence(Value token, Value end);
  Value word(int64_t value) {
    return emitter.word(static_cast<int32_t>(value));
  }
  Value threadNumber() { return emitter.narrow(emitter.threadNumber()); }
  Value laneNumber() { return emitter.narrow(emitter.laneNumber()); }

  Value sequenceOf(Value token) { return loadWord(frame.operands[2], token); }
  Value loadWord(Value memory, Value index) {
    return emitter.loadWords(
        emitter.offset(memory, emitter.multiply(emitter.widen(index), 4)),
        1)[0];
  }

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
  void copyStage(const Piece &piece, Value stage, Value counter);
  void copyPages(const Piece &piece, Value counter, bool isValues,
                 ArrayRef<Value> pages);

  // Consumers.
  void emitConsumer();
  Value consumePiece(const Piece &piece, Value counter);
  void copyQueries(const Piece &piece);
  SmallVector<Value> loadQueryPiece(const Piece &piece, Value row,
                                    Value number);
  SmallVector<Value> multiplyKeys(Value counter);
  void multiplyValues(Value counter, SmallVector<Value> &weights,
                      Softmax &state);
  SmallVector<Value> weigh(ValueRange products, const Piece &piece, Value stage,
                           bool isMasked, Softmax &state, Value factors[2]);
  SmallVector<Value> pack(ArrayRef<Value> weights);
  SmallVector<Value> consumeStage(const Piece &piece, Value stage,
                                  Value counter, bool isMasked,
                                  ValueRange before);
  void rescale(Softmax &state, Value factors[2]);
  void release(Signal signal, Value counter);
  void takeTurn();
  void passTurn();
  void store(const Piece &piece, Softmax &state);
  void storePair(ArrayRef<Value> pair, Value target, Value head,
                 int64_t firstColumn);
  SmallVector<Value> flatten(const Softmax &state, ArrayRef<Value> weights);
  Softmax restore(ValueRange values, SmallVector<Value> &weights);

  /// The query row of the piece that a thread has: its first one, or 8 after.
  Value rowOf(int64_t half) { return emitter.add(firstRow, half * 8); }

  Emitter &emitter;
  Hopper hopper;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  SharedLayout layout;
  int64_t group;
  int64_t tokens;    ///< Of a window: as many as fit into the rows of a block.
  int64_t positions; ///< Of a stage.
  WarpgroupProduct keyProduct, valueProduct;
  Value shared; ///< The shared memory of the block.

  // Of consumers.
  Value consumer; ///< Its number.
  Value firstRow; ///< Of the block's rows, of this thread.
  Value member;   ///< The first of two columns in each 8, divided by 2.
  Value queries;  ///< In shared memory.
};
} // namespace

FlashAttention::FlashAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), op(op), cache(op.getCache()),
      frame(frame), layout(op), group(op.getGroup()),
      tokens(configurationOf(op).getTileRows() / group),
      positions(configurationOf(op).getTileColumns()) {
  keyProduct = {cache.getElement(), positions, /*rightByDepth=*/false};
  valueProduct = {cache.getElement(), cache.getPaddedValueSize(),
                  /*rightByDepth=*/true};
  shared = emitter.dynamicSharedMemory();
}

//===----------------------------------------------------------------------===//
// Pieces of work
//===----------------------------------------------------------------------===//

/// The first token from `token` on of another sequence, or `end`.
Value FlashAttention::endOfSequence(Value token, Value end) {
  Value sequence = sequenceOf(token);
  Value last = emitter.subtract(end, word(1));
  auto isSame = [&](Value other) {
    return emitter.compare(arith::CmpIPredicate::eq, sequenceOf(other),
                           sequence);
  };
  return emitter.evaluate(
      isSame(last), [&] { return end; },
      [&] {
        // `low` is of this sequence, `high` of another one.
        return emitter.loop(
            word(0), word(llvm::Log2_64_Ceil(static_cast<uint64_t>(tokens))), 1,
            {token, last}, [&](Value, ValueRange range) -> SmallVector<Value> {
              Value middle = emitter.divide(emitter.add(range[0], range[1]), 2);
              Value isLow = isSame(middle);
              return {emitter.select(isLow, middle, range[0]),
                      emitter.select(isLow, range[1], middle)};
            })[1];
      });
}

/// Calls `body` for the pieces of one window of tokens; it replaces the
/// counter.
Value FlashAttention::forPiecesOf(Value window, Value keyHead, Value counter,
                                  PieceBody body) {
  Value rows = emitter.narrow(frame.rows);
  Value first = emitter.multiply(window, tokens);
  Value end = emitter.minimum(emitter.add(first, tokens), rows);
  return emitter.loopWhile(
      {first, counter},
      [&](ValueRange values) {
        return emitter.compare(arith::CmpIPredicate::slt, values[0], end);
      },
      [&](ValueRange values) -> SmallVector<Value> {
        Piece piece;
        piece.keyHead = keyHead;
        piece.token = values[0];
        Value pieceEnd = endOfSequence(piece.token, end);
        Value count = emitter.subtract(pieceEnd, piece.token);
        piece.rows = emitter.multiply(count, group);
        piece.sequence = sequenceOf(piece.token);
        piece.position = loadWord(frame.operands[1], piece.token);
        Value context = emitter.add(piece.position, count);
        auto parts = [&](int64_t size) {
          return emitter.divide(emitter.add(context, size - 1), size);
        };
        piece.pages = parts(cache.getPageTokens());
        piece.stages = parts(positions);
        return {pieceEnd, body(piece, values[1])};
      })[1];
}

/// Calls `body` for all pieces of this block, with the number of stages before.
/// Blocks take windows of tokens from the last one on, which see most of the
/// context, for all key/value heads.
void FlashAttention::forPieces(PieceBody body) {
  Value windows = emitter.divide(
      emitter.add(emitter.narrow(frame.rows), tokens - 1), tokens);
  Value items = emitter.multiply(windows, cache.getHeads());
  emitter.loop(
      emitter.narrow(emitter.blockNumber()), items,
      emitter.narrow(emitter.blockCount()), {word(0)},
      [&](Value item, ValueRange counter) -> SmallVector<Value> {
        Value window = emitter.subtract(emitter.subtract(windows, word(1)),
                                        emitter.divide(item, cache.getHeads()));
        return {forPiecesOf(window, emitter.modulo(item, cache.getHeads()),
                            counter[0], body)};
      });
}

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
      emitter.compare(arith::CmpIPredicate::eq, threadNumber(), word(0));
  emitter.when(isFirst, [&] {
    for (int64_t stage = 0; stage < layout.stages; ++stage)
      for (Signal signal : {Signal::KeysFull, Signal::ValuesFull,
                            Signal::KeysFree, Signal::ValuesFree}) {
        bool isFull =
            signal == Signal::KeysFull || signal == Signal::ValuesFull;
        hopper.initializeBarrier(barrierOf(signal, word(stage)),
                                 isFull ? 1 : consumerThreads / warpLanes);
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
void FlashAttention::copyPages(const Piece &piece, Value counter, bool isValues,
                               ArrayRef<Value> pages) {
  Signal free = isValues ? Signal::ValuesFree : Signal::KeysFree;
  Signal full = isValues ? Signal::ValuesFull : Signal::KeysFull;
  int64_t bytes = isValues ? layout.valueBytes : layout.keyBytes;
  int64_t size =
      isValues ? cache.getPaddedValueSize() : cache.getPaddedKeySize();
  // The stage is free before it is first used.
  Value parity = arith::XOrIOp::create(emitter.builder, emitter.location,
                                       parityOf(counter), word(1));
  hopper.waitFor(barrierOf(free, counter), parity);
  Value barrier = barrierOf(full, counter);
  hopper.arriveExpecting(barrier, emitter.integer(bytes));
  Value target = emitter.offset(
      shared, emitter.add(emitter.multiply(stageOf(counter), bytes),
                          isValues ? layout.values : layout.keys));
  Value row = emitter.multiply(piece.keyHead, cache.getPageTokens());
  for (int64_t panel = 0; panel < panelsOf(size); ++panel)
    for (auto [index, page] : llvm::enumerate(pages)) {
      int64_t place = panel * layout.panelBytes + static_cast<int64_t>(index) *
                                                      cache.getPageTokens() *
                                                      swizzledRowBytes;
      Value column = word(panel * panelColumns);
      hopper.loadTile(frame.tensorMaps[isValues], {column, row, page},
                      emitter.offset(target, place), barrier);
    }
}

void FlashAttention::copyStage(const Piece &piece, Value stage, Value counter) {
  int64_t count = positions / cache.getPageTokens();
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
        [&] { return word(-1); }));
  }
  for (bool isValues : {false, true})
    copyPages(piece, counter, isValues, pages);
}

void FlashAttention::emitProducer() {
  forPieces([&](const Piece &piece, Value counter) {
    emitter.loop(word(0), piece.stages, 1, [&](Value stage) {
      copyStage(piece, stage, emitter.add(counter, stage));
    });
    return emitter.add(counter, piece.stages);
  });
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

/// Loads 16 bytes of a query row, number `number`; zeros beyond it.
SmallVector<Value> FlashAttention::loadQueryPiece(const Piece &piece, Value row,
                                                  Value number) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t size = type.getDimSize(2), columns = pieceBytes / 2;
  // Rows that the piece does not have are those of its last one.
  row = emitter.minimum(row, emitter.subtract(piece.rows, word(1)));
  Value head = emitter.add(emitter.multiply(piece.keyHead, group),
                           emitter.modulo(row, group));
  Value tokenRow = emitRow(
      emitter, type, frame.operands[0],
      emitter.widen(emitter.add(piece.token, emitter.divide(row, group))));
  Value source =
      emitter.offset(emitter.offset(tokenRow, emitter.multiply(head, size * 2)),
                     emitter.multiply(number, pieceBytes));
  // Words that lie inside together or not at all.
  int64_t words = size % columns == 0 ? 4 : 1;
  SmallVector<Value> loaded;
  for (int64_t i = 0; i < 4; i += words) {
    Value first = emitter.add(emitter.multiply(number, columns), i * 2);
    Value isInside =
        emitter.compare(arith::CmpIPredicate::slt, first, word(size));
    loaded.append(emitter.evaluate(
        isInside,
        [&]() -> SmallVector<Value> {
          return emitter.loadWords(emitter.offset(source, i * 4), words);
        },
        [&] {
          return SmallVector<Value>(static_cast<size_t>(words), word(0));
        }));
  }
  return loaded;
}

/// Copies this consumer's query rows to its shared memory, as a copy with a
/// swizzle would.
void FlashAttention::copyQueries(const Piece &piece) {
  auto waitForAll = [&] {
    hopper.namedBarrier(emitter.add(consumer, aloneBarrier), warpgroupThreads);
  };
  waitForAll(); // All have multiplied the queries of the piece before.
  int64_t pieces = cache.getPaddedKeySize() / (pieceBytes / 2);
  Value thread = emitter.modulo(threadNumber(), warpgroupThreads);
  emitter.loop(
      thread, word(productRows * pieces), warpgroupThreads, [&](Value index) {
        Value row = emitter.divide(index, pieces),
              number = emitter.modulo(index, pieces);
        Value blockRow =
            emitter.add(row, emitter.multiply(consumer, productRows));
        SmallVector<Value> words = loadQueryPiece(piece, blockRow, number);
        Value swapped = arith::XOrIOp::create(emitter.builder, emitter.location,
                                              emitter.modulo(number, 8),
                                              emitter.modulo(row, 8));
        Value place =
            emitter.add(emitter.multiply(emitter.divide(number, 8),
                                         productRows * swizzledRowBytes),
                        emitter.add(emitter.multiply(row, swizzledRowBytes),
                                    emitter.multiply(swapped, pieceBytes)));
        emitter.storeVector(words, emitter.offset(queries, place));
      });
  hopper.fenceSharedForCopies();
  waitForAll();
}

//===----------------------------------------------------------------------===//
// Products and softmax
//===----------------------------------------------------------------------===//

/// Begins the products of the queries and the keys of a stage, which are there.
SmallVector<Value> FlashAttention::multiplyKeys(Value counter) {
  Value right = hopper.describeTile(emitter.offset(
      shared, emitter.add(emitter.multiply(stageOf(counter), layout.keyBytes),
                          layout.keys)));
  Value left = hopper.copyDescriptor(hopper.describeTile(queries));
  // The first product begins the sums: nothing is in their registers before.
  Value undefined =
      LLVM::PoisonOp::create(emitter.builder, emitter.location, emitter.f32());
  SmallVector<Value> products(static_cast<size_t>(keyProduct.sums()),
                              undefined);
  int64_t stepsOfPanel = panelColumns / stepDepth;
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
  for (int64_t step = 0; step < positions / stepDepth; ++step)
    state.outputs = hopper.multiplyRegisters(
        valueProduct, ArrayRef(weights).slice(static_cast<size_t>(step) * 4, 4),
        hopper.advance(right, step * stepDepth * swizzledRowBytes),
        emitter.truth(true), state.outputs);
  hopper.commitProducts();
}

/// Updates the softmax by the products of a stage; returns the weights of its
/// positions, and in `factors` by what sums of values are to be multiplied.
SmallVector<Value> FlashAttention::weigh(ValueRange products,
                                         const Piece &piece, Value stage,
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
    if (isMasked) {
      // Positions that the row sees from the first one of this thread on.
      Value seen =
          emitter.add(piece.position, emitter.divide(rowOf(half), group));
      seen =
          emitter.subtract(seen, emitter.add(emitter.multiply(stage, positions),
                                             emitter.multiply(member, 2)));
      for (size_t i : own)
        weights[i] = emitter.select(
            emitter.compare(arith::CmpIPredicate::sge, seen,
                            word(static_cast<int64_t>(i / 4 * 8 + i % 2))),
            weights[i], emitter.scalar(-INFINITY));
    }
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

SmallVector<Value> FlashAttention::pack(ArrayRef<Value> weights) {
  SmallVector<Value> words;
  for (size_t i = 0; i < weights.size(); i += 2)
    words.push_back(
        hopper.packPair(cache.getElement(), weights[i], weights[i + 1]));
  return words;
}

void FlashAttention::rescale(Softmax &state, Value factors[2]) {
  for (auto [index, output] : llvm::enumerate(state.outputs))
    output = emitter.multiplyFloats(output, factors[index / 2 % 2]);
}

//===----------------------------------------------------------------------===//
// Consumers
//===----------------------------------------------------------------------===//

/// Lets the producer know that this warp has multiplied what is in a stage.
void FlashAttention::release(Signal signal, Value counter) {
  Value isFirst =
      emitter.compare(arith::CmpIPredicate::eq, laneNumber(), word(0));
  hopper.arriveWhere(isFirst, barrierOf(signal, counter));
}

void FlashAttention::takeTurn() {
  hopper.namedBarrier(emitter.add(consumer, turnBarrier), consumerThreads);
}

void FlashAttention::passTurn() {
  Value other = emitter.subtract(word(1), consumer);
  hopper.arriveAtNamedBarrier(emitter.add(other, turnBarrier), consumerThreads);
}

SmallVector<Value> FlashAttention::flatten(const Softmax &state,
                                           ArrayRef<Value> weights) {
  SmallVector<Value> values = {state.largest[0], state.largest[1],
                               state.sums[0], state.sums[1]};
  values.append(state.outputs);
  values.append(weights.begin(), weights.end());
  return values;
}

Softmax FlashAttention::restore(ValueRange values,
                                SmallVector<Value> &weights) {
  auto outputs = static_cast<size_t>(valueProduct.sums());
  weights = SmallVector<Value>(values.drop_front(4 + outputs));
  return {{values[0], values[1]},
          {values[2], values[3]},
          SmallVector<Value>(values.slice(4, outputs))};
}

/// Takes the keys of stage number `stage` of the piece and the values of the
/// one before. The softmax runs while values are multiplied.
SmallVector<Value> FlashAttention::consumeStage(const Piece &piece, Value stage,
                                                Value counter, bool isMasked,
                                                ValueRange before) {
  SmallVector<Value> weights;
  Softmax state = restore(before, weights);
  Value previous = emitter.subtract(counter, word(1));
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
      weigh(products, piece, stage, isMasked, state, factors);
  // New weights must not come to registers of those that are multiplied.
  SmallVector<Value> pending(state.outputs);
  pending.append(weights);
  pending.append(next);
  SmallVector<Value> done = hopper.waitForProducts(0, pending);
  release(Signal::ValuesFree, previous);
  state.outputs.assign(done.begin(), done.begin() + state.outputs.size());
  next.assign(done.end() - next.size(), done.end());
  rescale(state, factors);
  return flatten(state, pack(next));
}

/// Computes a piece; returns the counter after it.
Value FlashAttention::consumePiece(const Piece &piece, Value counter) {
  copyQueries(piece);
  Softmax state;
  for (int64_t half = 0; half < 2; ++half) {
    state.largest[half] = emitter.scalar(-INFINITY);
    state.sums[half] = emitter.scalar(0.0f);
  }
  state.outputs.assign(static_cast<size_t>(valueProduct.sums()),
                       emitter.scalar(0.0f));
  Value factors[2];
  hopper.waitFor(barrierOf(Signal::KeysFull, counter), parityOf(counter));
  SmallVector<Value> products =
      hopper.waitForProducts(0, multiplyKeys(counter));
  release(Signal::KeysFree, counter);
  SmallVector<Value> weights = pack(weigh(products, piece, word(0),
                                          /*isMasked=*/true, state, factors));

  // Stages all of which all rows see, then the others.
  Value seen = emitter.divide(emitter.add(piece.position, 1), positions);
  Value one = word(1);
  Value isNone = emitter.compare(arith::CmpIPredicate::slt, seen, one);
  Value full = emitter.select(isNone, one, emitter.minimum(seen, piece.stages));
  SmallVector<Value> values = flatten(state, weights);
  for (bool isMasked : {false, true})
    values = emitter.loop(
        isMasked ? full : word(1), isMasked ? piece.stages : full, 1, values,
        [&](Value stage, ValueRange before) {
          return consumeStage(piece, stage, emitter.add(counter, stage),
                              isMasked, before);
        });

  state = restore(values, weights);
  Value after = emitter.add(counter, piece.stages);
  Value last = emitter.subtract(after, word(1));
  hopper.waitFor(barrierOf(Signal::ValuesFull, last), parityOf(last));
  multiplyValues(last, weights, state);
  SmallVector<Value> pending(state.outputs);
  pending.append(weights);
  SmallVector<Value> done = hopper.waitForProducts(0, pending);
  release(Signal::ValuesFree, last);
  state.outputs.assign(done.begin(), done.begin() + state.outputs.size());
  store(piece, state);
  return after;
}

/// Stores this thread's two of 8 columns from `firstColumn` on of a head.
void FlashAttention::storePair(ArrayRef<Value> pair, Value target, Value head,
                               int64_t firstColumn) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  int64_t size = cache.getValueSize(),
          bytes = element.getIntOrFloatBitWidth() / 8;
  Value column = emitter.add(emitter.multiply(member, 2), firstColumn);
  Value place = emitter.add(emitter.multiply(head, size), column);
  auto whereInside = [&](Value last, llvm::function_ref<void()> body) {
    if (firstColumn + 8 <= size)
      return body();
    emitter.when(emitter.compare(arith::CmpIPredicate::slt, last, word(size)),
                 body);
  };
  if (bytes == 2 && size % 2 == 0 && stridesOf(type)[0] % 2 == 0) {
    whereInside(column, [&] {
      emitter.store(hopper.packPair(element, pair[0], pair[1]),
                    emitter.offset(target, emitter.multiply(place, 2)), 4);
    });
    return;
  }
  for (int64_t i = 0; i < 2; ++i)
    whereInside(emitter.add(column, i), [&] {
      emitter.storeElement(pair[i], element, target, emitter.add(place, i));
    });
}

/// Stores the rows of this thread.
void FlashAttention::store(const Piece &piece, Softmax &state) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t size = cache.getValueSize();
  for (int64_t half = 0; half < 2; ++half) {
    Value sum = state.sums[half];
    for (int64_t mask : {1, 2})
      sum = emitter.addFloats(sum, emitter.exchange(sum, mask));
    Value factor = emitter.divideFloats(emitter.scalar(1.0f), sum);
    Value row = rowOf(half);
    Value isRow = emitter.compare(arith::CmpIPredicate::slt, row, piece.rows);
    emitter.when(isRow, [&] {
      Value head = emitter.add(emitter.multiply(piece.keyHead, group),
                               emitter.modulo(row, group));
      Value target = emitRow(
          emitter, type, frame.operands[5],
          emitter.widen(emitter.add(piece.token, emitter.divide(row, group))));
      for (int64_t column = 0; column < size; column += 8) {
        size_t index = static_cast<size_t>(column / 2 + half * 2);
        SmallVector<Value> pair;
        for (size_t i = index; i < index + 2; ++i)
          pair.push_back(emitter.multiplyFloats(state.outputs[i], factor));
        storePair(pair, target, head, column);
      }
    });
  }
}

void FlashAttention::emitConsumer() {
  consumer = emitter.subtract(emitter.narrow(hopper.uniformWarpgroupNumber()),
                              word(1));
  Value lane = laneNumber();
  member = emitter.modulo(lane, 4);
  Value warp = emitter.modulo(emitter.narrow(emitter.warpNumber()),
                              warpgroupThreads / warpLanes);
  firstRow = emitter.add(
      emitter.multiply(consumer, productRows),
      emitter.add(
          emitter.multiply(warp, productRows / (warpgroupThreads / warpLanes)),
          emitter.divide(lane, 4)));
  queries =
      emitter.offset(shared, emitter.multiply(consumer, layout.consumerBytes));
  // The first consumer has the first turn.
  Value isSecond = emitter.compare(arith::CmpIPredicate::eq, consumer, word(1));
  emitter.when(isSecond, [&] { passTurn(); });
  forPieces([&](const Piece &piece, Value counter) {
    return consumePiece(piece, counter);
  });
  // What the second one has passed last is nobody's turn.
  emitter.when(emitter.compare(arith::CmpIPredicate::eq, consumer, word(0)),
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

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

bool nvptx::hasFlashAttention(kernel::AttentionOp op) {
  kernel::GpuAttentionConfigAttr configuration = configurationOf(op);
  return configuration.getTileRows() == consumers * productRows &&
         configuration.getThreads() == consumerThreads + warpgroupThreads &&
         configuration.getTileColumns() % op.getCache().getPageTokens() == 0 &&
         configuration.getCluster() == 1 && !op.getScale().isNegative() &&
         SharedLayout(op).bytes() <= h100::sharedBytesOfBlock;
}

LaunchShape nvptx::shapeOfFlashAttention(kernel::AttentionOp op) {
  constexpr unsigned pagesOperand = 4;
  kernel::CacheAttr cache = op.getCache();
  LaunchShape shape;
  shape.threads = configurationOf(op).getThreads();
  shape.blocks = h100::multiprocessors;
  shape.blocksOfMultiprocessor = 1;
  shape.sharedBytes = SharedLayout(op).bytes();
  // A page is a plane: the keys of all heads are rows of one map, the values of
  // another one.
  for (bool isValues : {false, true}) {
    int64_t size =
        isValues ? cache.getPaddedValueSize() : cache.getPaddedKeySize();
    TensorMap map;
    map.operand = pagesOperand;
    map.element = cache.getElement();
    map.columns = size;
    map.rows = cache.getHeads() * cache.getPageTokens();
    map.rowBytes = size * 2;
    map.boxColumns = panelColumns;
    map.boxRows = cache.getPageTokens();
    map.offset = isValues ? cache.getHeads() * cache.getKeyBytes() : 0;
    map.planes = manyPages;
    map.planeBytes = cache.getPageBytes();
    shape.tensorMaps.push_back(map);
  }
  return shape;
}

void nvptx::emitFlashAttention(Emitter &emitter, kernel::AttentionOp op,
                               const KernelFrame &frame) {
  FlashAttention(emitter, op, frame).emit();
}
