// Streams weights from the mapped checkpoint to the file.
//
// A few chunks of panels are packed while the one before them is written, so
// that memory stays small and the digest sees the bytes in order.

#include "compiler/emit/WeightWriter.h"

#include "compiler/target/x86/PackedWeights.h"
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

/// Bytes of one chunk, at least one panel.
static constexpr int64_t chunkBytes = 2 << 20;

static bool isPacked(plan::WeightOp weight) {
  return isa_and_nonnull<kernel::PackingAttr>(weight.getPackingAttr());
}

static x86::PackedLayout layoutOf(plan::WeightOp weight) {
  return {cast<ShapedType>(weight.getType()),
          cast<kernel::PackingAttr>(weight.getPackingAttr())};
}

FailureOr<uint64_t> mlir::tcc::packedBytes(plan::WeightOp weight) {
  if (isPacked(weight))
    return static_cast<uint64_t>(layoutOf(weight).totalBytes());
  auto type = cast<RankedTensorType>(weight.getType());
  if (!type.getElementType().isFloat())
    return weight.emitOpError("expected a packing for a weight in blocks");
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
  int64_t firstPanel, lastPanel; ///< Unused if the weight is not packed.
  uint64_t offset;               ///< Bytes from the start of the segment.
  uint64_t bytes;                ///< With the gap to what follows.
};

class WeightWriter {
public:
  WeightWriter(const std::vector<plan::WeightOp> &weights,
               const std::vector<std::unique_ptr<schema::WeightT>> &table,
               const ::tcc::ModelFile &model,
               const ::tcc::ModelWeights &source)
      : weights(weights), table(table), model(model), source(source) {}

  Status write(::tcc::AtomicFile &file, schema::Segment &segment,
               const EmitProgress &progress);

private:
  void listChunks();
  FailureOr<SmallVector<x86::SourceRows>> findSources(const Chunk &chunk) const;
  Status pack(const Chunk &chunk, AlignedBuffer &out) const;

  const std::vector<plan::WeightOp> &weights;
  const std::vector<std::unique_ptr<schema::WeightT>> &table;
  const ::tcc::ModelFile &model;
  const ::tcc::ModelWeights &source;
  std::vector<Chunk> chunks;
  uint64_t largest = 0;
};
} // namespace

void WeightWriter::listChunks() {
  for (size_t index = 0; index < weights.size(); ++index) {
    const schema::WeightT &entry = *table[index];
    for (uint32_t layer = 0; layer < entry.layers; ++layer) {
      uint64_t offset = entry.offset + layer * entry.stride;
      if (!isPacked(weights[index])) {
        chunks.push_back(
            {index, entry.first_layer + layer, 0, 0, offset, entry.stride});
        largest = std::max(largest, entry.stride);
        continue;
      }
      x86::PackedLayout layout = layoutOf(weights[index]);
      int64_t step = std::max<int64_t>(1, chunkBytes / layout.panelBytes);
      for (int64_t panel = 0; panel < layout.panels; panel += step) {
        int64_t last = std::min(panel + step, layout.panels);
        auto bytes = static_cast<uint64_t>((last - panel) * layout.panelBytes);
        chunks.push_back({index, entry.first_layer + layer, panel, last,
                          offset + static_cast<uint64_t>(
                                       panel * layout.panelBytes),
                          bytes});
        largest = std::max(largest, bytes);
      }
    }
  }
}

FailureOr<SmallVector<x86::SourceRows>>
WeightWriter::findSources(const Chunk &chunk) const {
  plan::WeightOp weight = weights[chunk.weight];
  SmallVector<x86::SourceRows> rows;
  for (Attribute attribute : weight.getSources()) {
    std::string name = cast<StringAttr>(attribute).str();
    if (size_t place = name.find("{layer}"); place != std::string::npos)
      name.replace(place, strlen("{layer}"), std::to_string(chunk.layer));
    const schema::TensorT *tensor = ::tcc::findTensor(model.model, name);
    if (!tensor || tensor->file < 0)
      return failure();
    rows.push_back({source.data(*tensor), tensor->shape.front()});
  }
  return rows;
}

Status WeightWriter::pack(const Chunk &chunk, AlignedBuffer &out) const {
  plan::WeightOp weight = weights[chunk.weight];
  FailureOr<SmallVector<x86::SourceRows>> rows = findSources(chunk);
  if (failed(rows))
    return {Status::Code::Internal,
            "weight " + weight.getSymName().str() + " is in no file"};
  if (isPacked(weight)) {
    x86::packPanels(layoutOf(weight), *rows, chunk.firstPanel, chunk.lastPanel,
                    out.get());
    return {};
  }
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t rowBytes = type.getElementTypeBitWidth() / 8;
  for (int64_t size : type.getShape().drop_front())
    rowBytes *= size;
  uint8_t *end = out.get();
  for (const x86::SourceRows &part : *rows) {
    auto bytes = static_cast<size_t>(part.rows * rowBytes);
    memcpy(end, part.data, bytes);
    end += bytes;
  }
  memset(end, 0, chunk.bytes - static_cast<uint64_t>(end - out.get()));
  return {};
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
