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

Status mlir::tcc::emitExecutable(ModuleOp module, const x86::CompiledImage &image,
                           const ::tcc::ModelFile &model,
                           const ::tcc::ModelWeights *weights,
                           const std::string &path,
                           const EmitProgress &progress) {
  FailureOr<Manifest> manifest = buildManifest(module, image, model.model);
  if (failed(manifest))
    return {Status::Code::Internal, path + ": the plan cannot be written"};
  schema::TargetT &target = *manifest->executable.targets.front();
  target.code = std::make_unique<schema::Segment>();
  if (weights)
    target.weights = std::make_unique<schema::Segment>();

  uint64_t manifestBytes = serialise(manifest->executable).size();
  uint64_t codeOffset = rt::alignSegment(rt::headerBytes + manifestBytes);
  uint64_t end = codeOffset + image.code.size();
  *target.code = segmentOf(codeOffset, image.code.data(), image.code.size());

  ::tcc::AtomicFile file;
  if (Status status = file.create(path); !status.ok())
    return status;
  if (weights) {
    uint64_t offset = rt::alignSegment(end);
    *target.weights = schema::Segment(offset, weightsBytes(target), {});
    if (Status status =
            writeWeights(manifest->weights, target.packed, model, *weights,
                         file, *target.weights, progress);
        !status.ok())
      return status;
    end = offset + target.weights->bytes();
  }
  if (Status status =
          file.writeAt(codeOffset, image.code.data(), image.code.size());
      !status.ok())
    return status;

  flatbuffers::DetachedBuffer bytes = serialise(manifest->executable);
  rt::FileHeader header;
  header.writer = manifest->executable.producer;
  header.manifestBytes = bytes.size();
  header.fileBytes = end;
  auto encoded = rt::encodeHeader(header, bytes.data());
  if (Status status = file.writeAt(0, encoded.data(), encoded.size());
      !status.ok())
    return status;
  if (Status status = file.writeAt(rt::headerBytes, bytes.data(), bytes.size());
      !status.ok())
    return status;
  return file.commit();
}
