// Lays out the executable file: header, manifest, then the segments of code and
// weights, each at a page of its own.

#include "compiler/emit/Emit.h"

#include "compiler/emit/Manifest.h"
#include "compiler/emit/WeightWriter.h"
#include "runtime/core/FileHeader.h"

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::Status;
namespace rt = ::tcc::rt;
namespace schema = ::tcc::schema;

static schema::Segment segmentOf(uint64_t offset, const void *data,
                                 size_t bytes) {
  rt::Digest128 digest = rt::digestOf(data, bytes);
  return {offset, bytes, schema::Digest(digest.low, digest.high)};
}

/// Serialises the manifest. Its size does not depend on the values of segments.
static flatbuffers::DetachedBuffer
serialise(const schema::ExecutableT &executable) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::Executable::Pack(builder, &executable),
                 schema::ExecutableIdentifier());
  return builder.Release();
}

/// The bytes of the weights segment: where the last weight ends.
static uint64_t weightsBytes(const schema::TargetT &target) {
  uint64_t end = 0;
  for (const auto &weight : target.packed)
    end = std::max(end, weight->offset + weight->stride * weight->layers);
  return end;
}

namespace {
/// Writes the file, segment by segment.
class ExecutableWriter {
public:
  ExecutableWriter(ArrayRef<TargetCode> targets, Manifest &manifest,
                   const ::tcc::ModelFile &model,
                   const ::tcc::ModelWeights *weights)
      : targets(targets), manifest(manifest), model(model), weights(weights) {}

  Status write(const std::string &path, const EmitProgress &progress);

private:
  uint64_t placeSegments();
  Status writeSegments(const EmitProgress &progress);
  Status writeManifest(uint64_t fileBytes);

  ArrayRef<TargetCode> targets;
  Manifest &manifest;
  const ::tcc::ModelFile &model;
  const ::tcc::ModelWeights *weights;
  ::tcc::AtomicFile file;
};
} // namespace

/// Sets where the segments of all targets are; returns where the last one ends.
uint64_t ExecutableWriter::placeSegments() {
  auto &tables = manifest.executable.targets;
  for (auto &table : tables) {
    table->code = std::make_unique<schema::Segment>();
    if (weights)
      table->weights = std::make_unique<schema::Segment>();
  }
  uint64_t end = rt::headerBytes + serialise(manifest.executable).size();
  for (auto [table, target] : llvm::zip(tables, targets)) {
    const std::vector<uint8_t> &code = target.image->code;
    uint64_t offset = rt::alignSegment(end);
    *table->code = segmentOf(offset, code.data(), code.size());
    end = offset + code.size();
    if (!weights)
      continue;
    offset = rt::alignSegment(end);
    *table->weights = schema::Segment(offset, weightsBytes(*table), {});
    end = offset + table->weights->bytes();
  }
  return end;
}

Status ExecutableWriter::writeSegments(const EmitProgress &progress) {
  uint64_t done = 0, total = 0;
  for (const auto &table : manifest.executable.targets)
    total += weights ? table->weights->bytes() : 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    schema::TargetT &table = *manifest.executable.targets[i];
    const std::vector<uint8_t> &code = targets[i].image->code;
    if (weights) {
      if (Status status = writeWeights(
              manifest.weights[i], table.packed, model, *weights, file,
              *table.weights,
              [&](uint64_t own, uint64_t) { progress(done + own, total); });
          !status.ok())
        return status;
      done += table.weights->bytes();
    }
    if (Status status =
            file.writeAt(table.code->offset(), code.data(), code.size());
        !status.ok())
      return status;
  }
  return {};
}

Status ExecutableWriter::writeManifest(uint64_t fileBytes) {
  flatbuffers::DetachedBuffer bytes = serialise(manifest.executable);
  rt::FileHeader header;
  header.writer = manifest.executable.producer;
  header.manifestBytes = bytes.size();
  header.fileBytes = fileBytes;
  auto encoded = rt::encodeHeader(header, bytes.data());
  if (Status status = file.writeAt(0, encoded.data(), encoded.size());
      !status.ok())
    return status;
  return file.writeAt(rt::headerBytes, bytes.data(), bytes.size());
}

Status ExecutableWriter::write(const std::string &path,
                               const EmitProgress &progress) {
  uint64_t end = placeSegments();
  if (Status status = file.create(path); !status.ok())
    return status;
  if (Status status = writeSegments(progress); !status.ok())
    return status;
  if (Status status = writeManifest(end); !status.ok())
    return status;
  return file.commit();
}

Status mlir::tcc::emitExecutable(ArrayRef<TargetCode> targets,
                                 const ::tcc::ModelFile &model,
                                 const ::tcc::ModelWeights *weights,
                                 const std::string &path,
                                 const EmitProgress &progress) {
  FailureOr<Manifest> manifest = buildManifest(targets, model.model);
  if (failed(manifest))
    return {Status::Code::Internal, path + ": the plan cannot be written"};
  return ExecutableWriter(targets, *manifest, model, weights)
      .write(path, progress);
}
