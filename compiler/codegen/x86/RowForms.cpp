#include "compiler/codegen/x86/RowForms.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

void x86::emitWidened(Emitter &emitter, const SourceColumns &source, Value rows,
                      Value target) {
  int64_t lanes = emitter.target.lanes, columns = source.columns;
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value from =
        emitter.offset(source.begin, emitter.multiply(row, source.rowBytes));
    Value to = emitter.offset(target, emitter.multiply(row, columns * 4));
    emitter.loop(
        emitter.integer(0), emitter.integer(columns), 2 * lanes,
        [&](Value column) {
          Value elements = emitter.offset(from, emitter.multiply(column, 2));
          Value place = emitter.offset(to, emitter.multiply(column, 4));
          for (int64_t i = 0; i < 2 * lanes; i += lanes)
            emitter.store(emitter.loadFloats(emitter.bf16(),
                                             emitter.offset(elements, i * 2)),
                          emitter.offset(place, i * 4), 4);
        });
  });
}

void x86::emitPairedRows(Emitter &emitter, const SourceColumns &source,
                         Value rows, Value target) {
  int64_t lanes = emitter.target.lanes, columns = source.columns;
  Type halves = emitter.vectorOf(emitter.builder.getI16Type(), 2 * lanes);
  auto interleave = [&](Value even, Value odd, int64_t first) -> Value {
    SmallVector<int64_t> order;
    for (int64_t i = first; i < first + lanes; ++i)
      order.append({i, 2 * lanes + i});
    return vector::ShuffleOp::create(emitter.builder, emitter.location, even,
                                     odd, order);
  };
  emitter.loop(emitter.integer(0), rows, 2, [&](Value row) {
    Value from =
        emitter.offset(source.begin, emitter.multiply(row, source.rowBytes));
    Value to = emitter.offset(target, emitter.multiply(row, columns * 2));
    emitter.loop(
        emitter.integer(0), emitter.integer(columns), 2 * lanes,
        [&](Value column) {
          Value elements = emitter.offset(from, emitter.multiply(column, 2));
          Value place = emitter.offset(to, emitter.multiply(column, 4));
          Value even = emitter.load(halves, elements, 2);
          Value odd = emitter.load(
              halves, emitter.offset(elements, source.rowBytes), 2);
          for (int64_t i = 0; i < 2 * lanes; i += lanes)
            emitter.store(interleave(even, odd, i),
                          emitter.offset(place, i * 4), 4);
        });
  });
}

/// Exchanges rows and columns of as many vectors as lanes: of the rows `i` and
/// `i + distance` the parts that lie across, for each power of two.
static void transpose(Emitter &emitter, SmallVector<Value> &rows) {
  int64_t lanes = emitter.target.lanes;
  auto shuffle = [&](Value a, Value b, int64_t distance, bool upper) -> Value {
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t base = lane & ~distance;
      order.push_back((upper ? base + distance : base) +
                      (lane & distance ? lanes : 0));
    }
    return vector::ShuffleOp::create(emitter.builder, emitter.location, a, b,
                                     order);
  };
  for (int64_t distance = 1; distance < lanes; distance *= 2)
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & distance)
        continue;
      Value a = rows[i], b = rows[i + distance];
      rows[i] = shuffle(a, b, distance, /*upper=*/false);
      rows[i + distance] = shuffle(a, b, distance, /*upper=*/true);
    }
}

void x86::emitTransposed(Emitter &emitter, const SourceColumns &source,
                         Type element, int64_t rows, int64_t padded,
                         Value target) {
  int64_t lanes = emitter.target.lanes;
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  auto emitSquare = [&](Value row, Value column) {
    Value mask = emitter.firstLanes(
        emitter.subtract(emitter.integer(source.columns), column));
    Value from = emitter.offset(
        source.begin, emitter.add(emitter.multiply(row, source.rowBytes),
                                  emitter.multiply(column, bytes)));
    SmallVector<Value> square;
    for (int64_t i = 0; i < lanes; ++i)
      square.push_back(emitter.loadFloats(
          element, emitter.offset(from, i * source.rowBytes), mask));
    transpose(emitter, square);
    Value to = emitter.offset(
        target,
        emitter.multiply(emitter.add(emitter.multiply(column, rows), row), 4));
    for (int64_t i = 0; i < lanes; ++i)
      emitter.store(square[i], emitter.offset(to, i * rows * 4), 4);
  };
  emitter.loop(emitter.integer(0), emitter.integer(rows), lanes,
               [&](Value row) {
                 emitter.loop(emitter.integer(0), emitter.integer(padded),
                              lanes, [&](Value column) {
                                emitSquare(row, column);
                              });
               });
}
