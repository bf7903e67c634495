// Bulk tensor copies and reductions: which bytes of global memory a box takes,
// where they lie in shared memory, and moving them.
//
// A box is cut into rows along dimension 0 (or the channels of a pixel), and
// rows that follow each other and lie equally inside or outside the tensor are
// taken together as a run. Shared memory holds the rows one after another;
// swizzling then exchanges 16-byte chunks, by bits of the shared address.
// Source: PTX ISA 9.0, sections 5.5.3 to 5.5.7 and 9.7.9.25.5.
//
// A global address is the host's address of the same byte, as in
// machine/Memory.h; who calls must have checked that it may be touched.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_BULKTENSOR_H
#define TCC_TOOLS_PTXSIM_TENSOR_BULKTENSOR_H

#include "tools/ptxsim/tensor/TensorMap.h"

#include <algorithm>

namespace ptxsim {

enum class BulkDirection : uint8_t { Load, Store, Reduce, Prefetch };

/// One instruction.
struct BulkRequest {
  BulkDirection direction = BulkDirection::Load;
  uint32_t rank = 1; ///< Of the instruction, as in `.2d`.
  bool isIm2col = false;
  std::array<int32_t, 5> coordinates = {};
  std::array<uint16_t, 3> offsets = {}; ///< Of im2col loads: W, H, D.
  uint32_t sharedAddress = 0;           ///< In the window of the block.
  uint32_t sharedBytes = 0;             ///< Size of that window.
};

/// A checked request in terms of rows.
struct BoxTransfer {
  TensorMap map;
  bool isIm2col = false;
  std::array<int64_t, 5> start = {};   ///< Coordinates of the first row.
  std::array<int64_t, 3> offsets = {}; ///< W, H, D.
  std::array<uint32_t, 5> count = {}; ///< Elements along each dimension; tiled.
  uint32_t sharedAddress = 0;
  uint32_t rows = 0;
  uint32_t rowUnits = 0;    ///< What dimension 0 counts, in a row.
  uint32_t rowBytes = 0;    ///< Of all of them.
  uint32_t rowPitch = 0;    ///< From row to row in shared memory.
  uint32_t unitStep = 0;    ///< From unit to unit in global memory, in bytes.
  uint32_t bytes = 0;       ///< Of all rows: what complete_tx counts.
  uint32_t sharedBytes = 0; ///< Of shared memory from `sharedAddress` on.
  uint32_t swizzleMask = 0; ///< Of the address bits from 7 on.
};

/// Checks a request against the map.
///
/// \returns empty, or what is wrong.
[[nodiscard]] std::string
prepare(const TensorMap &map, const BulkRequest &request, BoxTransfer &result);

/// Applies the swizzle to an address of shared memory.
constexpr uint32_t swizzled(uint32_t address, uint32_t mask) {
  return address ^ (((address >> 7) & mask) << 4);
}

/// Rows of a box that follow each other. Units from `begin` to `end` (in bytes
/// from the row's first unit) are inside the tensor; none if these are equal.
struct RowRun {
  uint32_t firstRow = 0;
  uint32_t rows = 0;
  uint32_t begin = 0, end = 0;
  uint64_t global = 0; ///< Address of the first row's unit 0, inside or not.
  uint64_t step = 0;   ///< From row to row.
};

/// A range of bytes that is contiguous in both memories.
struct BulkSpan {
  uint64_t global = 0; ///< 0 if outside.
  uint32_t shared = 0; ///< After swizzling.
  uint32_t bytes = 0;
  bool isInside = false;
};

/// Moves the box into shared memory, filling what is outside the tensor.
/// `shared` is the byte of address 0.
void load(const BoxTransfer &transfer, uint8_t *shared);

/// Moves what is inside the tensor from shared memory.
void store(const BoxTransfer &transfer, const uint8_t *shared);

enum class BulkReduction : uint8_t { Add, Min, Max, Inc, Dec, And, Or, Xor };

/// Checks that elements of this type can be reduced so.
///
/// \returns empty, or what is wrong.
[[nodiscard]] std::string checkReduction(BulkReduction reduction,
                                         TensorType type);

/// Reduces what is inside the tensor with what lies in shared memory, each
/// element atomically.
void reduce(const BoxTransfer &transfer, BulkReduction reduction,
            const uint8_t *shared);

/// Reduces `bytes` of elements at `destination`, each atomically, with those at
/// `source`. The destination is aligned to the type.
void reduceElements(BulkReduction reduction, TensorType type,
                    uint8_t *destination, const uint8_t *source,
                    uint64_t bytes);

//===----------------------------------------------------------------------===//
// Enumeration
//===----------------------------------------------------------------------===//

namespace detail {

/// Returns the first `n` with `start + n * step >= bound`, at most `count`.
inline uint32_t stepsTo(int64_t start, int64_t bound, int64_t step,
                        uint32_t count) {
  if (start >= bound)
    return 0;
  return uint32_t(std::min<int64_t>((bound - start + step - 1) / step, count));
}

/// Sets which units of a row are inside the tensor.
inline void setUnits(const BoxTransfer &transfer, RowRun &run) {
  const TensorMap &map = transfer.map;
  bool isPixel = transfer.isIm2col && map.firstSpatial() == 0;
  int64_t start = transfer.start[0];
  int64_t step = map.elementStride[0];
  if (isPixel)
    return; // W is dimension 0 and checked with the others.
  run.begin = stepsTo(start, 0, step, transfer.rowUnits) * map.unitBytes();
  run.end = stepsTo(start, int64_t(map.dim[0]), step, transfer.rowUnits) *
            map.unitBytes();
}

template <typename Function>
void forEachTiledRun(const BoxTransfer &transfer, Function &&function) {
  const TensorMap &map = transfer.map;
  RowRun units;
  setUnits(transfer, units);
  uint64_t lines = transfer.rows / transfer.count[1];
  // Where dimension 1 enters and leaves the tensor.
  uint32_t enter = 0, leave = transfer.count[1];
  if (map.rank > 1) {
    int64_t step = map.elementStride[1];
    enter = stepsTo(transfer.start[1], 0, step, leave);
    leave = stepsTo(transfer.start[1], int64_t(map.dim[1]), step, leave);
  }
  std::array<uint32_t, 5> position = {};
  for (uint64_t line = 0; line < lines; ++line) {
    uint64_t global =
        map.address + uint64_t(transfer.start[0]) * map.unitBytes();
    bool isInside = enter < leave && units.begin < units.end;
    for (uint32_t i = 1; i < map.rank; ++i) {
      int64_t at = transfer.start[i] +
                   int64_t(position[i]) * int64_t(map.elementStride[i]);
      global += uint64_t(at) * map.stride[i];
      if (i > 1)
        isInside &= at >= 0 && uint64_t(at) < map.dim[i];
    }
    uint64_t step = map.rank > 1 ? map.stride[1] * map.elementStride[1] : 0;
    auto emit = [&](uint32_t first, uint32_t last, bool inside) {
      if (first == last)
        return;
      RowRun run;
      run.firstRow = uint32_t(line) * transfer.count[1] + first;
      run.rows = last - first;
      run.begin = inside ? units.begin : 0;
      run.end = inside ? units.end : 0;
      run.global = global + first * step;
      run.step = step;
      function(run);
    };
    if (isInside) {
      emit(0, enter, false);
      emit(enter, leave, true);
      emit(leave, transfer.count[1], false);
    } else {
      emit(0, transfer.count[1], false);
    }
    for (uint32_t i = 2; i < map.rank; ++i) {
      if (++position[i] < transfer.count[i])
        break;
      position[i] = 0;
    }
  }
}

/// Walks over filter positions: W, then H, D and N, each from the lower to the
/// upper corner of its box.
template <typename Function>
void forEachPixelRun(const BoxTransfer &transfer, Function &&function) {
  const TensorMap &map = transfer.map;
  const uint32_t spatial = map.rank - 2, first = map.firstSpatial();
  RowRun units;
  setUnits(transfer, units);
  if (first == 0)
    units.end = transfer.rowBytes;
  std::array<int64_t, 5> at = transfer.start;
  std::array<int64_t, 3> limit = {};
  for (uint32_t i = 0; i < spatial; ++i)
    limit[i] = int64_t(map.dim[first + i]) + map.upper[i];
  uint32_t row = 0;
  while (row < transfer.rows) {
    const int64_t stride = map.elementStride[first];
    uint32_t count = stepsTo(at[first], limit[0], stride, transfer.rows - row);
    uint64_t global = map.address;
    bool isInside = units.begin < units.end;
    for (uint32_t i = 0; i < map.rank; ++i) {
      int64_t position = at[i];
      if (i >= first && i < first + spatial)
        position += transfer.offsets[i - first];
      global += uint64_t(position) * map.stride[i];
      if (i != first && i >= 1)
        isInside &= position >= 0 && uint64_t(position) < map.dim[i];
    }
    int64_t w = at[first] + transfer.offsets[0];
    uint32_t enter = isInside ? stepsTo(w, 0, stride, count) : 0;
    uint32_t leave =
        isInside ? stepsTo(w, int64_t(map.dim[first]), stride, count) : 0;
    uint64_t step = map.stride[first] * uint64_t(stride);
    auto emit = [&](uint32_t begin, uint32_t end, bool inside) {
      if (begin >= end)
        return;
      RowRun run;
      run.firstRow = row + begin;
      run.rows = end - begin;
      run.begin = inside ? units.begin : 0;
      run.end = inside ? units.end : 0;
      run.global = global + begin * step;
      run.step = step;
      function(run);
    };
    emit(0, enter, false);
    emit(enter, leave, true);
    emit(leave, count, false);
    row += count;
    at[first] = map.lower[0];
    uint32_t i = 1;
    for (; i < spatial; ++i) {
      at[first + i] += map.elementStride[first + i];
      if (at[first + i] < limit[i])
        break;
      at[first + i] = map.lower[i];
    }
    if (i == spatial)
      at[map.rank - 1] += map.elementStride[map.rank - 1];
  }
}

/// Splits bytes of one row, `from` to `to`, where swizzling or traversal
/// strides interrupt them.
template <typename Function>
void forEachPiece(const BoxTransfer &transfer, uint32_t row, uint64_t global,
                  uint32_t from, uint32_t to, bool isInside,
                  Function &&function) {
  uint32_t unit = transfer.map.unitBytes();
  bool isGathered = transfer.unitStep != unit && isInside;
  uint32_t base = transfer.sharedAddress + row * transfer.rowPitch;
  while (from < to) {
    uint32_t end = to;
    if (transfer.swizzleMask)
      end = std::min(end, (from / 16 + 1) * 16);
    if (isGathered)
      end = std::min(end, (from / unit + 1) * unit);
    uint64_t offset =
        isGathered ? uint64_t(from / unit) * transfer.unitStep + from % unit
                   : from;
    function(BulkSpan{isInside ? global + offset : 0,
                      swizzled(base + from, transfer.swizzleMask), end - from,
                      isInside});
    from = end;
  }
}

} // namespace detail

/// Calls `function(const RowRun &)` for all rows in order.
template <typename Function>
void forEachRun(const BoxTransfer &transfer, Function &&function) {
  if (transfer.isIm2col)
    detail::forEachPixelRun(transfer, function);
  else
    detail::forEachTiledRun(transfer, function);
}

/// Calls `function(const BulkSpan &)` for all bytes, in the order of the rows.
/// Rows that are contiguous in both memories make one span.
template <typename Function>
void forEachSpan(const BoxTransfer &transfer, Function &&function) {
  forEachRun(transfer, [&](const RowRun &run) {
    bool isDense = !transfer.swizzleMask &&
                   transfer.unitStep == transfer.map.unitBytes() &&
                   transfer.rowPitch == transfer.rowBytes;
    bool isInside = run.begin < run.end;
    bool isWhole =
        !isInside || (run.begin == 0 && run.end == transfer.rowBytes &&
                      run.step == transfer.rowBytes);
    if (isDense && isWhole) {
      function(
          BulkSpan{isInside ? run.global : 0,
                   transfer.sharedAddress + run.firstRow * transfer.rowPitch,
                   run.rows * transfer.rowBytes, isInside});
      return;
    }
    for (uint32_t i = 0; i < run.rows; ++i) {
      uint32_t row = run.firstRow + i;
      uint64_t global = run.global + i * run.step;
      detail::forEachPiece(transfer, row, 0, 0, run.begin, false, function);
      detail::forEachPiece(transfer, row, global, run.begin, run.end, true,
                           function);
      detail::forEachPiece(transfer, row, 0, run.end, transfer.rowBytes, false,
                           function);
    }
  });
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_BULKTENSOR_H
