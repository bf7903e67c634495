#include "compiler/codegen/nvptx/GemmEpilogue.h"

#include "compiler/codegen/nvptx/ScalarRegion.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

// A thread has two neighbouring columns of every 8, in two rows that are 8
// apart.
static constexpr int64_t blockColumns = 8, halfRows = 8, blockSums = 4;

static int64_t bytesOf(ShapedType type) {
  return type.getElementTypeBitWidth() / 8;
}

GemmEpilogue::GemmEpilogue(Emitter &emitter, kernel::LinearOp op,
                           const KernelFrame &frame, const GemmLayout &layout,
                           Value warp)
    : emitter(emitter), hopper(emitter), op(op), frame(frame), layout(layout),
      warp(warp), lane(emitter.laneNumber()) {
  Value begin =
      emitter.offset(emitter.dynamicSharedMemory(), layout.piecesOffset());
  pieces = emitter.offset(
      begin, emitter.multiply(warp, GemmLayout::warpPieces * storedBytes));
}

/// Sets what is this thread's of the tile from `row` and `column` on.
void GemmEpilogue::beginTile(Value row, Value tileColumn) {
  this->tileColumn = tileColumn;
  Value warpOfGroup = emitter.modulo(warp, warpgroupThreads / warpLanes);
  firstRow = emitter.add(row, emitter.multiply(warpOfGroup, storedRows));
  Value own = emitter.add(firstRow, emitter.divide(lane, 4));
  rows = {own, emitter.add(own, halfRows)};
  for (size_t half : {0, 1})
    isRow[half] =
        emitter.compare(arith::CmpIPredicate::slt, rows[half], frame.rows);
  column =
      emitter.add(tileColumn, emitter.multiply(emitter.modulo(lane, 4), 2));
}

/// `row` is null if the operand has no rows.
GemmEpilogue::Row GemmEpilogue::rowOf(Type type, Value memory, Value row) {
  auto shaped = cast<ShapedType>(type);
  if (row)
    memory = emitRow(emitter, type, memory, row);
  return {shaped,
          emitter.offset(memory, emitter.multiply(column, bytesOf(shaped)))};
}

/// Whether pairs of columns are aligned to their size, and all there or not.
bool GemmEpilogue::hasPairs(ShapedType type) {
  return layout.outputs % 2 == 0 &&
         (type.getRank() < 2 || stridesOf(type)[0] % 2 == 0) &&
         offsetOf(type) % (2 * bytesOf(type)) == 0;
}

/// Emits `body` for threads whose column `offset` columns further is there.
void GemmEpilogue::whenColumn(int64_t offset, llvm::function_ref<void()> body) {
  if (layout.outputs % layout.tileOutputs == 0)
    return body();
  emitter.when(emitter.compare(arith::CmpIPredicate::slt, column,
                               emitter.integer(layout.outputs - offset)),
               body);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Loads `count` neighbouring columns that are all there, or zeros.
SmallVector<Value> GemmEpilogue::loadColumns(const Row &row, int64_t offset,
                                             int64_t count) {
  auto load = [&] {
    return emitter.loadFloats(
        row.type.getElementType(),
        emitter.offset(row.begin, offset * bytesOf(row.type)), count);
  };
  if (layout.outputs % layout.tileOutputs == 0)
    return load();
  Value isColumn = emitter.compare(arith::CmpIPredicate::slt, column,
                                   emitter.integer(layout.outputs - offset));
  return emitter.evaluate(isColumn, load, [&] {
    return SmallVector<Value>(static_cast<size_t>(count), emitter.scalar(0.0f));
  });
}

GemmEpilogue::Pair GemmEpilogue::loadPair(const Row &row, int64_t offset) {
  if (hasPairs(row.type)) {
    SmallVector<Value> pair = loadColumns(row, offset, 2);
    return {pair[0], pair[1]};
  }
  return {loadColumns(row, offset, 1)[0], loadColumns(row, offset + 1, 1)[0]};
}

/// Loads the pairs of `count` blocks of columns from `offset` on.
SmallVector<GemmEpilogue::Pair>
GemmEpilogue::loadRow(const Row &row, int64_t offset, int64_t count) {
  SmallVector<Pair> pairs;
  for (int64_t block = 0; block < count; ++block)
    pairs.push_back(loadPair(row, offset + block * blockColumns));
  return pairs;
}

/// The same of an operand of the epilogue, for one of this thread's rows; zeros
/// if that is not there.
SmallVector<GemmEpilogue::Pair>
GemmEpilogue::loadOperand(Value operand, Value memory, size_t half,
                          int64_t offset, int64_t count) {
  Type type = operand.getType();
  if (cast<ShapedType>(type).getRank() == 1)
    return loadRow(rowOf(type, memory, Value()), offset, count);
  SmallVector<Value> values = emitter.evaluate(
      isRow[half],
      [&] {
        SmallVector<Value> loaded;
        for (const Pair &pair :
             loadRow(rowOf(type, memory, rows[half]), offset, count))
          loaded.append(pair.begin(), pair.end());
        return loaded;
      },
      [&] {
        return SmallVector<Value>(static_cast<size_t>(2 * count),
                                  emitter.scalar(0.0f));
      });
  SmallVector<Pair> pairs;
  for (size_t i = 0; i < values.size(); i += 2)
    pairs.push_back({values[i], values[i + 1]});
  return pairs;
}

/// The results of `count` blocks of columns from `offset` on of one of this
/// thread's rows.
SmallVector<GemmEpilogue::Pair> GemmEpilogue::makeResults(size_t half,
                                                          int64_t offset,
                                                          int64_t count,
                                                          ValueRange sums) {
  SmallVector<SmallVector<Pair>> operands;
  size_t first = 3 + op.getPrologueOperands().size();
  for (auto [index, operand] : llvm::enumerate(op.getEpilogueOperands()))
    operands.push_back(loadOperand(operand, frame.operands[first + index], half,
                                   offset, count));
  // Of paired rows, the block after one has its partners.
  int64_t sumsOfColumn = layout.tileColumns / layout.tileOutputs;
  SmallVector<Pair> results;
  for (int64_t block = 0; block < count; ++block) {
    int64_t sum = (offset / blockColumns + block) * sumsOfColumn * blockSums +
                  static_cast<int64_t>(half) * 2;
    Pair pair;
    for (int64_t i : {0, 1}) {
      SmallVector<Value> arguments;
      for (int64_t part = 0; part < sumsOfColumn; ++part)
        arguments.push_back(sums[sum + part * blockSums + i]);
      for (const SmallVector<Pair> &operand : operands)
        arguments.push_back(operand[block][i]);
      pair[i] = emitRegion(emitter, op.getEpilogue(), arguments);
    }
    results.push_back(pair);
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// Stores columns that are both there.
static void storeTogether(Emitter &emitter, Hopper &hopper, Type element,
                          Value pointer, ArrayRef<Value> values) {
  if (!element.isF32())
    return emitter.store(hopper.packPair(element, values[0], values[1]),
                         pointer, 4);
  Value pair = LLVM::PoisonOp::create(emitter.builder, emitter.location,
                                      VectorType::get({2}, element));
  for (int32_t i : {0, 1})
    pair = LLVM::InsertElementOp::create(emitter.builder, emitter.location,
                                         pair, values[i], emitter.word(i));
  emitter.store(pair, pointer, 8);
}

void GemmEpilogue::storePair(const Row &row, int64_t offset,
                             const Pair &results) {
  Type element = row.type.getElementType();
  auto at = [&](int64_t column) {
    return emitter.offset(row.begin, column * bytesOf(row.type));
  };
  if (hasPairs(row.type))
    return whenColumn(offset, [&] {
      storeTogether(emitter, hopper, element, at(offset), results);
    });
  for (int64_t i : {0, 1})
    whenColumn(offset + i, [&] {
      emitter.storeFloat(results[i], element, at(offset + i));
    });
}

/// Stores the results of blocks of columns from `offset` on of one of this
/// thread's rows.
void GemmEpilogue::storeRow(size_t half, int64_t offset,
                            ArrayRef<Pair> results) {
  emitter.when(isRow[half], [&] {
    Row row = rowOf(op.getInit().getType(), frame.operands[2], rows[half]);
    for (auto [block, pair] : llvm::enumerate(results))
      storePair(row, offset + static_cast<int64_t>(block) * blockColumns, pair);
  });
}

/// Brings a piece of the result to shared memory, and has it copied from there.
void GemmEpilogue::copyPiece(int64_t offset, ArrayRef<Pair> upper,
                             ArrayRef<Pair> lower) {
  Type element = getElementTypeOrSelf(op.getInit().getType());
  int64_t piece = offset / storedColumns;
  bool isAlone = layout.tileOutputs / storedColumns % 2 == 1 && piece == 0;
  Value begin =
      emitter.offset(pieces, piece % GemmLayout::warpPieces * storedBytes);
  emitter.when(isFirstLane(), [&] {
    // The piece before may still be read, but for the one in the same place.
    hopper.waitUntilStoresRead(isAlone ? 0 : 1);
  });
  emitter.warpBarrier();
  // Lane 8 i + r says where row r of matrix i is: left and right ones of 8
  // columns, of the upper and the lower rows. Parts of 16 bytes change places.
  Value matrix = emitter.divide(lane, 8), row = emitter.modulo(lane, 8);
  Value inPiece =
      emitter.add(emitter.multiply(emitter.modulo(matrix, 2), halfRows), row);
  Value rowBegin =
      emitter.offset(begin, emitter.multiply(inPiece, swizzledRowBytes));
  auto exclusiveOr = [&](Value a, Value b) -> Value {
    return arith::XOrIOp::create(emitter.builder, emitter.location, a, b);
  };
  Value part = exclusiveOr(emitter.divide(matrix, 2), row);
  auto pack = [&](const Pair &pair) {
    return hopper.packPair(element, pair[0], pair[1]);
  };
  for (size_t block = 0; block < upper.size(); block += 2) {
    Value place =
        exclusiveOr(part, emitter.integer(static_cast<int64_t>(block)));
    hopper.storeMatrices({pack(upper[block]), pack(lower[block]),
                          pack(upper[block + 1]), pack(lower[block + 1])},
                         emitter.offset(rowBegin, emitter.multiply(place, 16)));
  }
  hopper.fenceSharedForCopies();
  emitter.warpBarrier();
  emitter.when(isFirstLane(), [&] {
    hopper.storeTile(frame.tensorMaps.back(),
                     {emitter.narrow(emitter.add(tileColumn, offset)),
                      emitter.narrow(emitter.add(frame.firstRow, firstRow))},
                     begin);
    hopper.commitStores();
  });
}

void GemmEpilogue::emit(Value row, Value tileColumn, ValueRange sums) {
  beginTile(row, tileColumn);
  for (int64_t offset = 0; offset < layout.tileOutputs;
       offset += storedColumns) {
    int64_t count =
        std::min(storedColumns, layout.tileOutputs - offset) / blockColumns;
    std::array<SmallVector<Pair>, 2> results;
    for (size_t half : {0, 1})
      results[half] = makeResults(half, offset, count, sums);
    if (layout.copiesResult) {
      copyPiece(offset, results[0], results[1]);
      continue;
    }
    for (size_t half : {0, 1})
      storeRow(half, offset, results[half]);
  }
}

void GemmEpilogue::finish() {
  if (layout.copiesResult)
    emitter.when(isFirstLane(), [&] { hopper.waitForStores(0); });
}
