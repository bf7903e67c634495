// Checks and copies of bulk tensor operations.

#include "tools/ptxsim/tensor/BulkTensor.h"

#include "tools/ptxsim/numerics/Bits.h"
#include "tools/ptxsim/tensor/TensorMapRules.h"

#include <cstring>
#include <utility>

using namespace ptxsim;

/// The largest row: 256 slices of 32 bytes.
static constexpr uint32_t maxRowBytes = 8192;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Checks the rules of the direction from shared to global memory.
static std::string checkOutward(const TensorMap &map,
                                const BulkRequest &request) {
  for (uint32_t i = 0; i < map.rank; ++i)
    if (request.coordinates[i] < 0)
      return expected("coordinate " + std::to_string(i) +
                          " of a store or reduction to be at least 0",
                      std::to_string(request.coordinates[i]));
  if (!map.isIm2col)
    return "";
  for (uint32_t i = 0; i < map.rank - 2; ++i)
    if (map.lower[i] < 0 || map.upper[i] > 0)
      return expected("a bounding box inside the tensor for an im2col store or "
                      "reduction",
                      "pixelBoxLowerCorner[" + std::to_string(i) + "] " +
                          std::to_string(map.lower[i]) +
                          " and pixelBoxUpperCorner[" + std::to_string(i) +
                          "] " + std::to_string(map.upper[i]));
  return "";
}

static std::string checkPixels(const TensorMap &map,
                               const BulkRequest &request) {
  uint32_t bits = map.rank == 3 ? 16 : map.rank == 4 ? 8 : 5;
  for (uint32_t i = 0; i < map.rank - 2; ++i) {
    if (request.offsets[i] >> bits)
      return expected("im2col offset " + std::to_string(i) + " from 0 to " +
                          std::to_string((1 << bits) - 1) + " for rank " +
                          std::to_string(map.rank),
                      std::to_string(request.offsets[i]));
    uint32_t dimension = map.firstSpatial() + i;
    int64_t limit = int64_t(map.dim[dimension]) + map.upper[i];
    int32_t at = request.coordinates[dimension];
    if (at < map.lower[i] || at >= limit)
      return expected("coordinate " + std::to_string(dimension) +
                          " inside the bounding box, from " +
                          std::to_string(map.lower[i]) + " to " +
                          std::to_string(limit - 1),
                      std::to_string(at));
  }
  return "";
}

static std::string checkShared(const BoxTransfer &transfer,
                               const BulkRequest &request, uint64_t bytes) {
  if (request.sharedAddress % 128)
    return expected("an address of shared memory aligned to 128 bytes",
                    inHex(request.sharedAddress));
  if (request.sharedAddress + bytes > request.sharedBytes)
    return expected(
        "a box of " + std::to_string(bytes) + " bytes that ends within the " +
            std::to_string(request.sharedBytes) + " bytes of shared memory",
        "address " + inHex(request.sharedAddress));
  return "";
}

/// Sets the sizes; `rows` may be more than shared memory could hold.
static uint64_t setRows(const TensorMap &map, BoxTransfer &result) {
  bool isInterleaved = map.interleave != TensorInterleave::None;
  uint64_t rows = 1;
  if (map.isIm2col) {
    result.rowUnits = isInterleaved ? 1 : map.channels;
    rows = map.pixels;
  } else {
    result.count = {1, 1, 1, 1, 1};
    for (uint32_t i = 0; i < map.rank; ++i)
      result.count[i] =
          (map.box[i] + map.elementStride[i] - 1) / map.elementStride[i];
    if (isInterleaved)
      result.count[map.rank - 2] = 1;
    result.rowUnits = result.count[0];
    for (uint32_t i = 1; i < map.rank; ++i)
      rows *= result.count[i];
  }
  uint32_t unit = map.unitBytes();
  result.rowBytes = result.rowUnits * unit;
  result.unitStep = unit * (map.isIm2col ? 1 : map.elementStride[0]);
  // A row of less than the swizzle's span takes all of the span.
  uint32_t span = spanOf(map.swizzle);
  result.rowPitch =
      isInterleaved ? result.rowBytes : std::max(result.rowBytes, span);
  result.swizzleMask = span ? span / 16 - 1 : 0;
  return rows;
}

std::string ptxsim::prepare(const TensorMap &map, const BulkRequest &request,
                            BoxTransfer &result) {
  if (map.rank != request.rank)
    return expected("a tensor map of rank " + std::to_string(request.rank),
                    std::to_string(map.rank));
  if (map.isIm2col != request.isIm2col)
    return expected(request.isIm2col ? "an im2col tensor map"
                                     : "a tiled tensor map",
                    map.isIm2col ? "an im2col map" : "a tiled map");
  if (request.direction == BulkDirection::Store ||
      request.direction == BulkDirection::Reduce)
    if (std::string message = checkOutward(map, request); !message.empty())
      return message;
  if (map.isIm2col)
    if (std::string message = checkPixels(map, request); !message.empty())
      return message;
  result = BoxTransfer();
  result.map = map;
  result.isIm2col = map.isIm2col;
  for (uint32_t i = 0; i < map.rank; ++i)
    result.start[i] = request.coordinates[i];
  for (uint32_t i = 0; i < 3; ++i)
    result.offsets[i] = request.offsets[i];
  result.sharedAddress = request.sharedAddress;
  uint64_t rows = setRows(map, result);
  uint64_t span = std::max(spanOf(map.swizzle), 1u);
  uint64_t bytes = (rows * result.rowPitch + span - 1) / span * span;
  if (request.direction == BulkDirection::Prefetch) {
    // Nothing goes through shared memory, so that only the count is limited.
    if (bytes > UINT32_MAX)
      return expected("a box of less than 4 GiB", std::to_string(bytes));
  } else if (std::string message = checkShared(result, request, bytes);
             !message.empty()) {
    return message;
  }
  result.rows = uint32_t(rows);
  result.sharedBytes = uint32_t(bytes);
  result.bytes = result.rows * result.rowBytes;
  return "";
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static const uint8_t *pointer(uint64_t address) {
  return reinterpret_cast<const uint8_t *>(uintptr_t(address));
}

/// Copies a line of 16-byte chunks, of which number c goes to place c ^ phase.
template <unsigned phase, size_t... indices>
static inline void exchange(uint8_t *to, const uint8_t *from,
                            std::index_sequence<indices...>) {
  using Line = uint64_t __attribute__((vector_size(8 * sizeof...(indices))));
  Line line;
  std::memcpy(&line, from, sizeof line);
  line = __builtin_shufflevector(line, line, int(indices ^ (2 * phase))...);
  std::memcpy(to, &line, sizeof line);
}

/// Copies rows of `chunks` 16-byte chunks that fill a swizzle's span, to shared
/// memory or back.
template <unsigned chunks, bool isLoad, typename Shared, typename Global>
static void copyChunks(const BoxTransfer &transfer, const RowRun &run,
                       Shared *shared, Global *global) {
  constexpr auto words = std::make_index_sequence<2 * chunks>();
  uint32_t address = transfer.sharedAddress + run.firstRow * transfer.rowPitch;
  for (uint32_t i = 0; i < run.rows; ++i) {
    auto *row = shared + address;
    auto copy = [&](auto phase) {
      if constexpr (isLoad)
        exchange<phase() % chunks>(row, global, words);
      else
        exchange<phase() % chunks>(global, row, words);
    };
    switch (address >> 7 & (chunks - 1)) {
#define CASE(PHASE)                                                            \
  case PHASE:                                                                  \
    copy(std::integral_constant<unsigned, PHASE>());                           \
    break;
      CASE(0)
      CASE(1)
      CASE(2)
      CASE(3)
      CASE(4)
      CASE(5)
      CASE(6)
      CASE(7)
#undef CASE
    }
    address += transfer.rowPitch;
    global += run.step;
  }
}

/// Copies rows of a size that the compiler knows.
template <uint32_t bytes, typename To, typename From>
static void copyRows(To *to, uint64_t toStep, From *from, uint64_t fromStep,
                     uint32_t rows) {
  for (uint32_t i = 0; i < rows; ++i) {
    std::memcpy(to, from, bytes);
    to += toStep;
    from += fromStep;
  }
}

/// Copies rows of any size.
template <typename To, typename From>
static void copyRows(To *to, uint64_t toStep, From *from, uint64_t fromStep,
                     uint32_t rows, uint64_t bytes) {
  switch (bytes) {
  case 32:
    return copyRows<32>(to, toStep, from, fromStep, rows);
  case 64:
    return copyRows<64>(to, toStep, from, fromStep, rows);
  case 128:
    return copyRows<128>(to, toStep, from, fromStep, rows);
  }
  for (uint32_t i = 0; i < rows; ++i) {
    std::memcpy(to, from, bytes);
    to += toStep;
    from += fromStep;
  }
}

/// Copies whole rows that are contiguous in global memory and, but for the
/// swizzle, in shared memory.
///
/// \returns false if they are not so.
template <bool isLoad, typename Shared, typename Global>
static bool copyWhole(const BoxTransfer &transfer, const RowRun &run,
                      Shared *shared, Global *global) {
  if (run.begin != 0 || run.end != transfer.rowBytes ||
      transfer.unitStep != transfer.map.unitBytes())
    return false;
  if (!transfer.swizzleMask) {
    auto *at = shared + transfer.sharedAddress +
               uint64_t(run.firstRow) * transfer.rowPitch;
    bool isDense = run.step == transfer.rowBytes;
    uint64_t bytes = transfer.rowBytes * uint64_t(isDense ? run.rows : 1);
    uint32_t rows = isDense ? 1 : run.rows;
    if constexpr (isLoad)
      copyRows(at, transfer.rowPitch, global, run.step, rows, bytes);
    else
      copyRows(global, run.step, at, transfer.rowPitch, rows, bytes);
    return true;
  }
  // Rows begin at multiples of the span, and those that fill it are exchanged
  // within it.
  uint32_t span = spanOf(transfer.map.swizzle);
  if (transfer.map.interleave != TensorInterleave::None ||
      transfer.rowBytes != span)
    return false;
  switch (span) {
  case 128:
    copyChunks<8, isLoad>(transfer, run, shared, global);
    return true;
  case 64:
    copyChunks<4, isLoad>(transfer, run, shared, global);
    return true;
  default:
    copyChunks<2, isLoad>(transfer, run, shared, global);
    return true;
  }
}

/// Moves one row between shared memory and `buffer`, where it lies in order.
template <bool isLoad, typename Shared, typename Buffer>
static void moveRow(const BoxTransfer &transfer, uint32_t row, Shared *shared,
                    Buffer *buffer) {
  uint32_t address = transfer.sharedAddress + row * transfer.rowPitch;
  for (uint32_t at = 0; at < transfer.rowBytes; at += 16) {
    auto *chunk = shared + swizzled(address + at, transfer.swizzleMask);
    // Rows are multiples of 16 bytes, interleaved or not.
    if constexpr (isLoad)
      std::memcpy(chunk, buffer + at, 16);
    else
      std::memcpy(buffer + at, chunk, 16);
  }
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// Fills bytes with the value that the map gives to what is outside. Wider types
/// than f16 get its NaN in each 16 bits, as hardware does.
static void fill(const TensorMap &map, uint8_t *at, uint32_t bytes) {
  if (map.fill == TensorFill::Zero) {
    std::memset(at, 0, bytes);
    return;
  }
  for (uint32_t i = 0; i + 1 < bytes; i += 2)
    std::memcpy(at + i, &numerics::outOfBoundsNanHalf, 2);
}

static bool isConverted(TensorType type) {
  return type == TensorType::F32Ftz || type == TensorType::TF32 ||
         type == TensorType::TF32Ftz;
}

/// Rounds f32 to tf32, to nearest even; NaN keeps its sign and upper bits.
static uint32_t roundToTF32(uint32_t bits) {
  if ((bits & 0x7f800000) == 0x7f800000)
    return (bits & 0x7fffff) ? (bits | 0x400000) & 0xffffe000 : bits;
  return (bits + 0xfff + ((bits >> 13) & 1)) & 0xffffe000;
}

/// Converts elements as a load of such a type does: PTX ISA 5.5.1 says that
/// floating-point types are rounded to nearest even.
static void convert(TensorType type, uint8_t *at, uint32_t bytes) {
  for (uint32_t i = 0; i + 4 <= bytes; i += 4) {
    uint32_t bits;
    std::memcpy(&bits, at + i, 4);
    if (type != TensorType::TF32 && (bits & 0x7f800000) == 0)
      bits &= 0x80000000;
    if (type != TensorType::F32Ftz)
      bits = roundToTF32(bits);
    std::memcpy(at + i, &bits, 4);
  }
}

/// Reads one row into `buffer`.
static void gather(const BoxTransfer &transfer, const RowRun &run,
                   uint64_t global, uint8_t *buffer) {
  uint32_t unit = transfer.map.unitBytes();
  fill(transfer.map, buffer, run.begin);
  if (transfer.unitStep == unit) {
    if (run.begin < run.end)
      std::memcpy(buffer + run.begin, pointer(global) + run.begin,
                  run.end - run.begin);
  } else {
    for (uint32_t at = run.begin; at < run.end; at += unit)
      std::memcpy(buffer + at,
                  pointer(global) + uint64_t(at / unit) * transfer.unitStep,
                  unit);
  }
  if (isConverted(transfer.map.type))
    convert(transfer.map.type, buffer + run.begin, run.end - run.begin);
  fill(transfer.map, buffer + run.end, transfer.rowBytes - run.end);
}

void ptxsim::load(const BoxTransfer &transfer, uint8_t *shared) {
  alignas(64) uint8_t buffer[maxRowBytes];
  forEachRun(transfer, [&](const RowRun &run) {
    if (!isConverted(transfer.map.type) &&
        copyWhole<true>(transfer, run, shared, pointer(run.global)))
      return;
    for (uint32_t i = 0; i < run.rows; ++i) {
      gather(transfer, run, run.global + i * run.step, buffer);
      moveRow<true>(transfer, run.firstRow + i, shared, buffer);
    }
  });
}

//===----------------------------------------------------------------------===//
// Stores and reductions
//===----------------------------------------------------------------------===//

/// Calls `function(destination, source, bytes)` for what is inside the tensor,
/// with the source in order.
template <typename Function>
static void scatter(const BoxTransfer &transfer, const RowRun &run,
                    const uint8_t *shared, Function &&function) {
  alignas(64) uint8_t buffer[maxRowBytes];
  uint32_t unit = transfer.map.unitBytes();
  for (uint32_t i = 0; i < run.rows; ++i) {
    moveRow<false>(transfer, run.firstRow + i, shared, buffer);
    uint8_t *global = const_cast<uint8_t *>(pointer(run.global + i * run.step));
    if (transfer.unitStep == unit) {
      function(global + run.begin, buffer + run.begin, run.end - run.begin);
      continue;
    }
    for (uint32_t at = run.begin; at < run.end; at += unit)
      function(global + uint64_t(at / unit) * transfer.unitStep, buffer + at,
               unit);
  }
}

void ptxsim::store(const BoxTransfer &transfer, const uint8_t *shared) {
  forEachRun(transfer, [&](const RowRun &run) {
    if (run.begin == run.end)
      return;
    if (copyWhole<false>(transfer, run, shared,
                         const_cast<uint8_t *>(pointer(run.global))))
      return;
    scatter(transfer, run, shared,
            [](uint8_t *destination, const uint8_t *source, uint32_t bytes) {
              std::memcpy(destination, source, bytes);
            });
  });
}

void ptxsim::reduce(const BoxTransfer &transfer, BulkReduction reduction,
                    const uint8_t *shared) {
  forEachRun(transfer, [&](const RowRun &run) {
    if (run.begin == run.end)
      return;
    scatter(transfer, run, shared,
            [&](uint8_t *destination, const uint8_t *source, uint32_t bytes) {
              reduceElements(reduction, transfer.map.type, destination, source,
                             bytes);
            });
  });
}
