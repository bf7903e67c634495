// Streams weights from the mapped checkpoint to the file.
//
// A few chunks of parts are packed while the one before them is written, so
// that memory stays small and the digest sees the bytes in order.

#include "compiler/emit/WeightWriter.h"

#include "compiler/target/PackedWeight.h"
#include "llvm/ADT/StringExtras.h"

#include <deque>
#include <future>
#include <new>
#include <system_error>
#include <thread>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::Status;
namespace schema = ::tcc::schema;

/// Bytes of one chunk at most, unless it is a single part.
static constexpr int64_t chunkBytes = 2 << 20;

static kernel::PackingAttrInterface packingOf(plan::WeightOp weight) {
  return dyn_cast_or_null<kernel::PackingAttrInterface>(
      weight.getPackingAttr());
}

/// Makes `weight`, which has a packing, or null with an error at the op.
static std::unique_ptr<PackedWeight> makePacked(plan::WeightOp weight) {
  return createPackedWeight(cast<ShapedType>(weight.getType()),
                            packingOf(weight), weight.getTransposed(),
                            [&] { return weight.emitOpError(); });
}

static int64_t matricesOf(plan::WeightOp weight) {
  auto type = cast<ShapedType>(weight.getType());
  return type.getRank() == 3 ? type.getDimSize(0) : 1;
}

/// Whether each matrix has sources of its own.
static bool isOfExperts(plan::WeightOp weight) {
  return llvm::any_of(weight.getSources().getAsValueRange<StringAttr>(),
                      [](StringRef name) { return name.contains("{expert}"); });
}

/// The row of all sources with which matrix `matrix` begins.
static int64_t firstRowOf(plan::WeightOp weight, int64_t matrix) {
  if (isOfExperts(weight))
    return 0;
  if (std::optional<ArrayRef<int64_t>> rows = weight.getRows())
    return matrix * (*rows)[2] + (*rows)[0];
  auto type = cast<ShapedType>(weight.getType());
  return matrix * type.getDimSize(type.getRank() - 2);
}

/// Verifies that the elements of a block of `weight`, transposed with scales,
/// which are of several rows of a source, share a row of scales.
static LogicalResult checkBlocks(plan::WeightOp weight,
                                 transformer::ScaledType element) {
  if (weight.getSources().size() != 1)
    return weight.emitOpError("expected one source of a transposed weight with "
                              "scales, got ")
           << weight.getSources().size();
  if (weight.getHalves())
    return weight.emitOpError(
               "expected rows of a transposed weight with scales "
               "in the order of the checkpoint, got halves ")
           << weight.getHalvesAttr();
  auto type = cast<ShapedType>(weight.getType());
  int64_t depth = type.getDimSize(type.getRank() - 2);
  int64_t shared = element.getRows();
  for (int64_t matrix = 0; matrix < matricesOf(weight); ++matrix)
    for (int64_t k = 0; k < depth; k += shared) {
      int64_t first = firstRowOf(weight, matrix) + k;
      int64_t last = first + std::min(depth - k, shared) - 1;
      if (first / shared != last / shared)
        return weight.emitOpError(
                   "expected blocks of a transposed weight to be "
                   "within a block of scales, got rows ")
               << first << " to " << last << " of blocks of " << shared;
    }
  return success();
}

/// Verifies what packing needs beyond what the op promises.
static LogicalResult checkPacking(plan::WeightOp weight) {
  Type element = cast<ShapedType>(weight.getType()).getElementType();
  auto scaled = dyn_cast<transformer::ScaledType>(element);
  if (bool(scaled) != weight.getScales().has_value())
    return weight.emitOpError(
               "expected scales if and only if its elements have "
               "some, got elements of ")
           << element;
  if (weight.getTransposed() && isa<transformer::BlockType>(element))
    return weight.emitOpError(
               "expected a transposed weight not to be in blocks, "
               "got elements of ")
           << element;
  return weight.getTransposed() && scaled ? checkBlocks(weight, scaled)
                                          : success();
}

FailureOr<uint64_t> mlir::tcc::packedBytes(plan::WeightOp weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  if (packingOf(weight)) {
    if (failed(checkPacking(weight)))
      return failure();
    std::unique_ptr<PackedWeight> packed = makePacked(weight);
    if (!packed)
      return failure();
    return static_cast<uint64_t>(matricesOf(weight) * packed->getMatrixBytes());
  }
  if (!type.getElementType().isFloat() || type.getRank() > 2)
    return weight.emitOpError("expected a packing for a stack and for a weight "
                              "in blocks or with scales, got ")
           << type;
  return static_cast<uint64_t>(type.getNumElements() *
                               type.getElementTypeBitWidth() / 8);
}

namespace {
/// Memory aligned to a cache line.
class AlignedBuffer {
public:
  explicit AlignedBuffer(size_t bytes)
      : data(static_cast<uint8_t *>(::operator new(bytes, alignment))) {}
  AlignedBuffer(AlignedBuffer &&other)
      : data(std::exchange(other.data, nullptr)) {}
  ~AlignedBuffer() { ::operator delete(data, alignment); }
  uint8_t *get() { return data; }

private:
  static constexpr std::align_val_t alignment{64};
  uint8_t *data;
};

/// A part of one layer of a weight.
struct Chunk {
  size_t weight;
  int64_t layer;
  /// Of all matrices, one after another; unused if the weight is not packed.
  int64_t firstPart, lastPart;
  uint64_t offset; ///< Bytes from the start of the segment.
  uint64_t bytes;  ///< With the gap to what follows.
};

class WeightWriter {
public:
  WeightWriter(const std::vector<plan::WeightOp> &weights,
               const std::vector<std::unique_ptr<schema::WeightT>> &table,
               const ::tcc::ModelFile &model, const ::tcc::ModelWeights &source)
      : weights(weights), table(table), model(model), source(source) {
    for (plan::WeightOp weight : weights)
      packings.push_back(packingOf(weight) ? makePacked(weight) : nullptr);
  }

  Status write(::tcc::AtomicFile &file, schema::Segment &segment,
               const EmitProgress &progress);

private:
  void listChunks();
  void listParts(size_t weight, int64_t layer, uint64_t begin);
  const schema::TensorT *find(StringRef name, int64_t layer,
                              int64_t matrix) const;
  FailureOr<SourceMatrix> findMatrix(const Chunk &chunk, int64_t matrix) const;
  LogicalResult packMatrices(const Chunk &chunk, uint8_t *out) const;
  LogicalResult copyRows(const Chunk &chunk, uint8_t *out) const;
  Status pack(const Chunk &chunk, AlignedBuffer &out) const;

  const std::vector<plan::WeightOp> &weights;
  const std::vector<std::unique_ptr<schema::WeightT>> &table;
  const ::tcc::ModelFile &model;
  const ::tcc::ModelWeights &source;
  std::vector<std::unique_ptr<PackedWeight>> packings; ///< Null if it is not.
  std::vector<Chunk> chunks;
  uint64_t largest = 0;
};
} // namespace

/// Lists the chunks of layer `layer` of a packed weight, which begins `begin`
/// bytes after the segment does.
void WeightWriter::listParts(size_t weight, int64_t layer, uint64_t begin) {
  const PackedWeight &matrix = *packings[weight];
  int64_t parts = matrix.getParts();
  auto offsetOf = [&](int64_t part) {
    return part / parts * matrix.getMatrixBytes() +
           matrix.getOffset(part % parts);
  };
  int64_t end = matricesOf(weights[weight]) * parts;
  for (int64_t first = 0, last; first < end; first = last) {
    int64_t offset = offsetOf(first);
    last = first + 1;
    while (last < end && offsetOf(last + 1) - offset <= chunkBytes)
      ++last;
    auto bytes = static_cast<uint64_t>(offsetOf(last) - offset);
    chunks.push_back({weight, layer, first, last,
                      begin + static_cast<uint64_t>(offset), bytes});
    largest = std::max(largest, bytes);
  }
}

void WeightWriter::listChunks() {
  for (size_t index = 0; index < weights.size(); ++index) {
    const schema::WeightT &entry = *table[index];
    for (uint32_t layer = 0; layer < entry.layers; ++layer) {
      uint64_t offset = entry.offset + layer * entry.stride;
      if (packings[index]) {
        listParts(index, entry.first_layer + layer, offset);
        continue;
      }
      chunks.push_back(
          {index, entry.first_layer + layer, 0, 0, offset, entry.stride});
      largest = std::max(largest, entry.stride);
    }
  }
}

/// The tensor called `name` of layer `layer` and matrix `matrix`, or null if it
/// is in no file.
const schema::TensorT *WeightWriter::find(StringRef name, int64_t layer,
                                          int64_t matrix) const {
  std::string full = name.str();
  for (auto [place, number] :
       {std::pair<StringRef, int64_t>("{layer}", layer), {"{expert}", matrix}})
    if (size_t at = full.find(place); at != std::string::npos)
      full.replace(at, place.size(), std::to_string(number));
  const schema::TensorT *tensor = ::tcc::findTensor(model.model, full);
  return tensor && tensor->file >= 0 ? tensor : nullptr;
}

/// The rows of matrix `matrix` of a packed weight, or failure if tensors are
/// missing.
FailureOr<SourceMatrix> WeightWriter::findMatrix(const Chunk &chunk,
                                                 int64_t matrix) const {
  plan::WeightOp weight = weights[chunk.weight];
  SourceMatrix found;
  found.firstRow = firstRowOf(weight, matrix);
  for (auto [index, name] :
       llvm::enumerate(weight.getSources().getAsValueRange<StringAttr>())) {
    const schema::TensorT *tensor = find(name, chunk.layer, matrix);
    transformer::Halves order = weight.getRowOrder(index);
    if (!tensor || tensor->shape.front() % order.of != 0)
      return failure();
    found.sources.push_back({source.data(*tensor), tensor->shape.front(),
                             /*scales=*/nullptr, order});
  }
  if (!weight.getScales())
    return found;
  for (auto [name, rows] : llvm::zip(
           weight.getScales()->getAsValueRange<StringAttr>(), found.sources)) {
    const schema::TensorT *tensor = find(name, chunk.layer, matrix);
    if (!tensor)
      return failure();
    rows.scales = source.data(*tensor);
  }
  return found;
}

LogicalResult WeightWriter::packMatrices(const Chunk &chunk,
                                         uint8_t *out) const {
  const PackedWeight &packing = *packings[chunk.weight];
  int64_t parts = packing.getParts();
  for (int64_t part = chunk.firstPart; part < chunk.lastPart;) {
    int64_t matrix = part / parts, first = part % parts;
    int64_t last = std::min(parts, first + chunk.lastPart - part);
    FailureOr<SourceMatrix> rows = findMatrix(chunk, matrix);
    if (failed(rows))
      return failure();
    packing.pack(*rows, first, last, out);
    part += last - first;
    out += packing.getOffset(last) - packing.getOffset(first);
  }
  return success();
}

/// The number format of `storage`, or null if it is none of a single element.
static const llvm::fltSemantics *semanticsOf(schema::Storage storage) {
  switch (storage) {
  case schema::Storage::F32:
    return &llvm::APFloat::IEEEsingle();
  case schema::Storage::F16:
    return &llvm::APFloat::IEEEhalf();
  case schema::Storage::BF16:
    return &llvm::APFloat::BFloat();
  default:
    return nullptr;
  }
}

/// Copies elements of `stored`, those in [data, end), as elements of `type`.
static void copyElements(const llvm::fltSemantics &stored, const uint8_t *data,
                         const uint8_t *end, FloatType type, uint8_t *&out) {
  unsigned bits = llvm::APFloat::getSizeInBits(stored);
  for (; data < end; data += bits / 8) {
    llvm::APInt element(bits, 0);
    llvm::LoadIntFromMemory(element, data, bits / 8);
    llvm::APFloat value(stored, element);
    bool isInexact = false;
    value.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven,
                  &isInexact);
    llvm::StoreIntToMemory(value.bitcastToAPInt(), out, type.getWidth() / 8);
    out += type.getWidth() / 8;
  }
}

/// Copies the rows of `tensor` at `data` in `order`, as elements of `type`.
static LogicalResult copyTensor(const schema::TensorT &tensor,
                                const uint8_t *data,
                                const transformer::Halves &order,
                                FloatType type, uint8_t *&out) {
  const llvm::fltSemantics *stored = semanticsOf(tensor.storage);
  if (!stored)
    return failure();
  int64_t rows = tensor.shape.front();
  if (rows % order.of != 0)
    return failure();
  int64_t rowBytes = static_cast<int64_t>(tensor.bytes) / rows;
  for (int64_t i = 0; i < rows; ++i) {
    const uint8_t *row = data + order.storedRow(i) * rowBytes;
    copyElements(*stored, row, row + rowBytes, type, out);
  }
  return success();
}

/// Copies a weight that is not packed, and fills the gap behind it with zeros.
LogicalResult WeightWriter::copyRows(const Chunk &chunk, uint8_t *out) const {
  plan::WeightOp weight = weights[chunk.weight];
  auto type = cast<FloatType>(
      cast<RankedTensorType>(weight.getType()).getElementType());
  uint8_t *end = out;
  for (auto [index, name] :
       llvm::enumerate(weight.getSources().getAsValueRange<StringAttr>())) {
    const schema::TensorT *tensor = find(name, chunk.layer, 0);
    if (!tensor || failed(copyTensor(*tensor, source.data(*tensor),
                                     weight.getRowOrder(index), type, end)))
      return failure();
  }
  memset(end, 0, chunk.bytes - static_cast<uint64_t>(end - out));
  return success();
}

Status WeightWriter::pack(const Chunk &chunk, AlignedBuffer &out) const {
  plan::WeightOp weight = weights[chunk.weight];
  if (succeeded(packings[chunk.weight] ? packMatrices(chunk, out.get())
                                       : copyRows(chunk, out.get())))
    return {};
  return {Status::Code::Internal, "weight " + weight.getSymName().str() +
                                      " is in no file, or not of whole heads"};
}

/// Runs `work` on a thread of its own, or, if the system gives none, when its
/// result is asked for.
template <typename Work>
static std::future<Status> start(Work work) {
  try {
    return std::async(std::launch::async, work);
  } catch (const std::system_error &) {
    return std::async(std::launch::deferred, work);
  }
}

Status WeightWriter::write(::tcc::AtomicFile &file, schema::Segment &segment,
                           const EmitProgress &progress) {
  listChunks();
  // More threads than this pack faster than any disk writes.
  constexpr unsigned mostAhead = 8;
  size_t ahead = std::clamp(std::thread::hardware_concurrency(), 1u, mostAhead);
  std::vector<AlignedBuffer> buffers;
  for (size_t i = 0; i <= ahead; ++i)
    buffers.emplace_back(largest);
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(
      XXH3_createState(), XXH3_freeState);
  XXH3_128bits_reset(state.get());
  uint64_t total = segment.bytes();

  // What is packed or waits to be written, in order; ends before the buffers
  // do.
  std::deque<std::future<Status>> packed;
  for (size_t i = 0, next = 0; i < chunks.size(); ++i) {
    for (; next < chunks.size() && next <= i + ahead; ++next)
      packed.push_back(start([this, next, &buffers] {
        return pack(chunks[next], buffers[next % buffers.size()]);
      }));
    Status status = packed.front().get();
    packed.pop_front();
    if (!status.ok())
      return status;
    const Chunk &chunk = chunks[i];
    uint8_t *bytes = buffers[i % buffers.size()].get();
    XXH3_128bits_update(state.get(), bytes, chunk.bytes);
    status = file.writeAt(segment.offset() + chunk.offset, bytes, chunk.bytes);
    if (!status.ok())
      return status;
    progress(chunk.offset + chunk.bytes, total);
  }
  XXH128_hash_t digest = XXH3_128bits_digest(state.get());
  segment = schema::Segment(segment.offset(), total,
                            schema::Digest(digest.low64, digest.high64));
  return {};
}

Status mlir::tcc::writeWeights(
    const std::vector<plan::WeightOp> &weights,
    const std::vector<std::unique_ptr<schema::WeightT>> &table,
    const ::tcc::ModelFile &model, const ::tcc::ModelWeights &source,
    ::tcc::AtomicFile &file, schema::Segment &segment,
    const EmitProgress &progress) {
  return WeightWriter(weights, table, model, source)
      .write(file, segment, progress);
}
