// Kernels of which each tile is one row, computed by one block.

#include "compiler/codegen/nvptx/Kernels.h"
#include "compiler/codegen/nvptx/WeightRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

static int64_t bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8;
}

Value nvptx::emitRow(Emitter &emitter, Type type, Value memory, Value row) {
  int64_t bytes = cast<ShapedType>(type).getElementTypeBitWidth() / 8;
  return emitter.offset(memory,
                        emitter.multiply(row, stridesOf(type)[0] * bytes));
}

/// How many elements a thread can load or store at once of rows of `columns`
/// elements and of type `type`: 4, 2 or 1.
static int64_t widthOf(Type type, int64_t columns) {
  int64_t bytes = cast<ShapedType>(type).getElementTypeBitWidth() / 8;
  int64_t width = 4;
  while (columns % width != 0 || stridesOf(type)[0] % width != 0 ||
         offsetOf(type) % (width * bytes) != 0)
    width /= 2;
  return width;
}

//===----------------------------------------------------------------------===//
// Selection and normalisation
//===----------------------------------------------------------------------===//

void nvptx::emitKernel(Emitter &emitter, kernel::EmbeddingOp op,
                       const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getInit().getType());
  WeightRows table(emitter, op.getTable().getType(),
                   cast<kernel::RowPackingAttr>(op.getPacking()),
                   frame.operands[1]);
  frame.forTiles(emitter, [&](Value token) {
    Value row = emitter.loadIndex(frame.operands[0], token);
    Value target = emitRow(emitter, type, frame.operands[2], token);
    int64_t columns = type.getDimSize(1);
    if (widthOf(type, columns) < 4) {
      emitter.forThreads(columns, [&](Value column) {
        emitter.storeElement(table.load(row, column), type.getElementType(),
                             target, column);
      });
      return;
    }
    emitter.forThreads(columns / 4, [&](Value number) {
      Value column = emitter.multiply(number, 4);
      emitter.storeFloats(table.loadFour(row, column), type.getElementType(),
                          target, column);
    });
  });
}

void nvptx::emitKernel(Emitter &emitter, kernel::GatherRowsOp op,
                       const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  frame.forTiles(emitter, [&](Value row) {
    Value from = emitter.loadIndex(frame.operands[1], row);
    Value source =
        emitRow(emitter, op.getInput().getType(), frame.operands[0], from);
    Value target = emitRow(emitter, type, frame.operands[2], row);
    int64_t columns = type.getDimSize(1);
    int64_t width = std::min(widthOf(op.getInput().getType(), columns),
                             widthOf(type, columns));
    int64_t bytes = width * bytesOf(element);
    Type vector = VectorType::get({width}, element);
    emitter.forThreads(columns / width, [&](Value number) {
      Value at = emitter.multiply(number, bytes);
      emitter.store(emitter.load(vector, emitter.offset(source, at), bytes),
                    emitter.offset(target, at), bytes);
    });
  });
}

/// 1 / sqrt(mean of the squares of `columns` elements of f32 at `row` +
/// epsilon), in all threads. `width` elements are loaded at once.
static Value emitNormFactor(Emitter &emitter, Value row, int64_t columns,
                            int64_t width, double epsilon) {
  Value squares = emitter.loop(
      emitter.threadNumber(), emitter.integer(columns / width), emitter.threads,
      {emitter.scalar(0.0f)},
      [&](Value number, ValueRange sum) -> SmallVector<Value> {
        Value place = emitter.offset(row, emitter.multiply(number, width * 4));
        Value total = sum[0];
        for (Value value : emitter.loadFloats(emitter.f32(), place, width))
          total = emitter.multiplyAdd(value, value, total);
        return {total};
      })[0];
  Value mean = emitter.multiplyFloats(
      emitter.sumOfBlock(squares),
      emitter.scalar(1.0f / static_cast<float>(columns)));
  Value shifted =
      emitter.addFloats(mean, emitter.scalar(static_cast<float>(epsilon)));
  return emitter.divideFloats(emitter.scalar(1.0f),
                              emitter.squareRoot(shifted));
}

/// Stores `columns` elements of f32 at `source` times `factor` and those of
/// type `stored` at `weight`, `width` at once, from `target` on.
static void emitNormed(Emitter &emitter, Value source, Value weight,
                       Type stored, Value factor, int64_t columns,
                       int64_t width, Type element, Value target) {
  emitter.forThreads(columns / width, [&](Value number) {
    Value column = emitter.multiply(number, width);
    auto loadAt = [&](Type type, Value memory) {
      return emitter.loadFloats(
          type, emitter.offset(memory, emitter.multiply(column, bytesOf(type))),
          width);
    };
    SmallVector<Value> values = loadAt(emitter.f32(), source);
    SmallVector<Value> scales = loadAt(stored, weight);
    for (auto [value, scale] : llvm::zip(values, scales))
      value =
          emitter.multiplyFloats(emitter.multiplyFloats(value, factor), scale);
    emitter.storeFloats(values, element, target, column);
  });
}

void nvptx::emitKernel(Emitter &emitter, kernel::RMSNormOp op,
                       const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  size_t count = op.getInputs().size();
  frame.forTiles(emitter, [&](Value row) {
    Value target = emitRow(emitter, type, frame.operands.back(), row);
    int64_t first = 0;
    for (size_t i = 0; i < count; ++i) {
      auto input = cast<ShapedType>(op.getInputs()[i].getType());
      Value source = emitRow(emitter, input, frame.operands[i], row);
      int64_t columns = input.getDimSize(1);
      int64_t width = std::min(widthOf(input, columns), widthOf(type, columns));
      // Where the part of the result begins.
      while (first % width != 0)
        width /= 2;
      Value factor = emitNormFactor(emitter, source, columns, width,
                                    op.getEpsilon().convertToDouble());
      emitNormed(emitter, source, frame.operands[count + i],
                 getElementTypeOrSelf(op.getWeights()[i]), factor, columns,
                 width, element,
                 emitter.offset(target, first * bytesOf(element)));
      first += columns;
    }
  });
}

//===----------------------------------------------------------------------===//
// Rotation and the cache
//===----------------------------------------------------------------------===//

namespace {
/// Emits the work for one token: threads share the elements of all heads.
class RotaryAppend {
public:
  RotaryAppend(Emitter &emitter, kernel::RotaryAppendOp op,
               const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        inputs(op.getInputs().size()) {}

  void emit(Value token);

private:
  /// Where the element of a head that is stored goes, and its type.
  using Place = llvm::function_ref<Value(Value head, Value element)>;

  int64_t queryHeads() {
    return cast<ShapedType>(op.getInit().getType()).getDimSize(1);
  }
  void forElements(Value token, int64_t first, int64_t heads, int64_t size,
                   int64_t parts,
                   llvm::function_ref<void(Value, Value, Value)> body);
  void rotate(Value token, int64_t first, int64_t heads, Type element,
              Place place);
  void copyValues(Value token);

  Emitter &emitter;
  kernel::RotaryAppendOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  size_t inputs;
  Value page, slot; ///< Of the token in the cache.
};
} // namespace

/// Calls `body(head, part, source)` for each of `parts` parts of each of
/// `heads` heads of `size` columns that begin with column `first` of the
/// inputs; `source` is where the head begins. A loop for each input that has
/// some.
void RotaryAppend::forElements(
    Value token, int64_t first, int64_t heads, int64_t size, int64_t parts,
    llvm::function_ref<void(Value, Value, Value)> body) {
  int64_t done = 0;
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    int64_t columns = columnsOf(input);
    int64_t count = std::min((columns - first) / size, heads - done);
    if (count > 0) {
      Value row =
          emitRow(emitter, input.getType(), frame.operands[index], token);
      emitter.forThreads(count * parts, [&](Value number) {
        Value head = emitter.divide(number, parts);
        Value source = emitter.offset(
            row, emitter.add(emitter.multiply(head, size * 4), first * 4));
        body(emitter.add(head, done), emitter.modulo(number, parts), source);
      });
      done += count;
      first += count * size;
    }
    first -= columns;
  }
}

/// Rotates `heads` heads from column `first` on.
void RotaryAppend::rotate(Value token, int64_t first, int64_t heads,
                          Type element, Place place) {
  int64_t size = cache.getKeySize(), pairs = size / 2;
  Value angles =
      emitRow(emitter, op.getRotary().getType(), frame.operands[inputs], token);
  bool neighbours = op.getInterleaved();
  forElements(
      token, first, heads, size, pairs,
      [&](Value head, Value pair, Value source) {
        Value a = neighbours ? emitter.multiply(pair, 2) : pair;
        Value b = emitter.add(a, neighbours ? 1 : pairs);
        auto load = [&](Value base, Value index) {
          return emitter.loadElement(emitter.f32(), base, index);
        };
        Value cosine = load(angles, emitter.multiply(pair, 2));
        Value sine = load(angles, emitter.add(emitter.multiply(pair, 2), 1));
        Value x = load(source, a), y = load(source, b);
        Value left = emitter.subtractFloats(emitter.multiplyFloats(x, cosine),
                                            emitter.multiplyFloats(y, sine));
        Value right = emitter.addFloats(emitter.multiplyFloats(y, cosine),
                                        emitter.multiplyFloats(x, sine));
        emitter.storeFloat(left, element, place(head, a));
        emitter.storeFloat(right, element, place(head, b));
      });
}

void RotaryAppend::copyValues(Value token) {
  int64_t first = (queryHeads() + cache.getHeads()) * cache.getKeySize();
  int64_t size = cache.getValueSize();
  Value values = emitter.offset(page, cache.getHeads() * cache.getKeyBytes());
  forElements(
      token, first, cache.getHeads(), size, size,
      [&](Value head, Value column, Value source) {
        Value value = emitter.loadElement(emitter.f32(), source, column);
        Value place = emitter.add(
            emitter.multiply(head, cache.getValueBytes()),
            emitter.multiply(
                emitter.add(emitter.multiply(slot, cache.getPaddedValueSize()),
                            column),
                cache.getElementBytes()));
        emitter.storeFloat(value, cache.getElement(),
                           emitter.offset(values, place));
      });
}

void RotaryAppend::emit(Value token) {
  Value position = emitter.loadIndex(frame.operands[inputs + 1], token);
  Value sequence = emitter.loadIndex(frame.operands[inputs + 2], token);
  page = emitPage(emitter, cache.getPageBytes(), frame.operands[inputs + 4],
                  frame.operands[inputs + 3], frame.pageTableStride, sequence,
                  emitter.divide(position, cache.getPageTokens()));
  slot = emitter.modulo(position, cache.getPageTokens());

  auto init = cast<ShapedType>(op.getInit().getType());
  int64_t size = cache.getKeySize();
  Value queries = emitRow(emitter, init, frame.operands.back(), token);
  rotate(
      token, 0, queryHeads(), init.getElementType(), [&](Value head, Value d) {
        Value index = emitter.add(emitter.multiply(head, size), d);
        return emitter.offset(
            queries, emitter.multiply(index, bytesOf(init.getElementType())));
      });
  rotate(token, queryHeads() * size, cache.getHeads(), cache.getElement(),
         [&](Value head, Value d) {
           Value index =
               emitter.add(emitter.multiply(slot, cache.getPaddedKeySize()), d);
           return emitter.offset(
               page,
               emitter.add(emitter.multiply(head, cache.getKeyBytes()),
                           emitter.multiply(index, cache.getElementBytes())));
         });
  copyValues(token);
}

void nvptx::emitKernel(Emitter &emitter, kernel::RotaryAppendOp op,
                       const KernelFrame &frame) {
  RotaryAppend code(emitter, op, frame);
  frame.forTiles(emitter, [&](Value token) { code.emit(token); });
}
