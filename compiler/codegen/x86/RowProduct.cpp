#include "compiler/codegen/x86/RowProduct.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// Emits the sums of `rows` rows from `row` on and `others` others from `other`
/// on.
static void emitTile(Emitter &emitter, const RowProduct &product, Value row,
                     int64_t rows, Value other, int64_t others) {
  Value inputs = emitter.offset(product.inputs,
                                emitter.multiply(row, product.inputStride));
  Value keys = emitter.offset(product.others,
                              emitter.multiply(other, product.otherStride));
  Value ahead = emitter.offset(product.ahead,
                               emitter.multiply(other, product.aheadStride));
  Type type = product.dot ? emitter.integers() : emitter.floats();
  SmallVector<Value> sums = emitter.loop(
      emitter.integer(0), emitter.integer(product.words), emitter.target.lanes,
      SmallVector<Value>(rows * others, emitter.constant(0.0f)),
      [&](Value word, ValueRange carried) {
        Value at = emitter.multiply(word, 4);
        auto load = [&](Value base, int64_t bytes) {
          return emitter.load(
              type, emitter.offset(emitter.offset(base, bytes), at), 4);
        };
        int64_t aheadBytes = product.aheadStride * others / product.words;
        emitter.prefetch(
            emitter.offset(ahead, emitter.multiply(word, aheadBytes)), 0,
            emitter.target.lanes * aheadBytes);
        SmallVector<Value> next(carried), columns;
        for (int64_t s = 0; s < others; ++s)
          columns.push_back(load(keys, s * product.otherStride));
        for (int64_t r = 0; r < rows; ++r) {
          Value input = load(inputs, r * product.inputStride);
          for (int64_t s = 0; s < others; ++s) {
            Value &sum = next[r * others + s];
            sum = product.dot ? emitter.dotPairs(sum, input, columns[s])
                              : emitter.multiplyAdd(input, columns[s], sum);
          }
        }
        return next;
      });
  for (int64_t r = 0; r < rows; ++r) {
    Value target = emitter.offset(
        product.sums,
        emitter.add(emitter.multiply(emitter.add(row, r), product.sumStride),
                    emitter.multiply(other, 4)));
    emitter.store(emitter.sumsOfLanes(ArrayRef(sums).slice(r * others, others)),
                  target, 4);
  }
}

/// Others of a tile of `rows` rows: more where fewer rows leave registers free.
static int64_t othersFor(const Emitter &emitter, int64_t rows,
                         int64_t tileColumns) {
  auto others = static_cast<int64_t>(llvm::bit_floor(
      static_cast<uint64_t>(tileColumns / emitter.target.lanes)));
  while (2 * others <= mostOthers &&
         rows * 2 * others + 2 * others + 2 <= emitter.target.registers)
    others *= 2;
  return std::min(others, mostOthers);
}

/// Emits all columns of `rows` rows.
static void emitRows(Emitter &emitter, const RowProduct &product, Value row,
                     int64_t rows, int64_t tileColumns) {
  int64_t others = othersFor(emitter, rows, tileColumns);
  emitter.loop(emitter.integer(0), product.otherRows, others, [&](Value other) {
    emitTile(emitter, product, row, rows, other, others);
  });
}

void x86::emitRowProduct(Emitter &emitter, const RowProduct &product,
                         Value rows, int64_t tileRows, int64_t tileColumns) {
  Value rest = emitter.modulo(rows, tileRows);
  Value whole = emitter.subtract(rows, rest);
  emitter.loop(emitter.integer(0), whole, tileRows, [&](Value row) {
    emitRows(emitter, product, row, tileRows, tileColumns);
  });
  emitter.choose(rest, 1, tileRows - 1, [&](int64_t number) {
    emitRows(emitter, product, whole, number, tileColumns);
  });
}
