#include "runtime/core/Executable.h"

using namespace tcc;
using namespace tcc::rt;

Status Executable::load(const std::string &path,
                        std::optional<schema::TargetKind> kind,
                        std::unique_ptr<Executable> &result) {
  std::unique_ptr<Executable> executable(new Executable);
  MappedFile &file = executable->file;
  if (Status status = MappedFile::open(path, file); !status.ok())
    return status;
  FileHeader &header = executable->fileHeader;
  if (Status status = decodeHeader(file.data(), file.size(), path, header);
      !status.ok())
    return status;
  if (Status status =
          readManifest(file.data() + headerBytes, header.manifestBytes,
                       file.size(), path, kind, executable->contents);
      !status.ok())
    return status;
  if (Status status =
          executable->checkCode(executable->bytesOf(executable->contents.code));
      !status.ok())
    return status;
  result = std::move(executable);
  return {};
}

Status Executable::prepare(Device &device) {
  const uint8_t *weights = nullptr;
  if (Status status = device.load(*this, weights); !status.ok())
    return status;
  if (!contents.weights && !plan().weights.empty())
    return Status::badData(path() + ": expected weights, got a model that was "
                                    "compiled with --no-weights; compile it "
                                    "again without that");
  runnable = {&contents.plan, weights};
  return {};
}

Status Executable::checkCode(const void *bytes) const {
  const SegmentRange &segment = contents.code;
  Digest128 digest = digestOf(bytes, segment.bytes);
  if (digest == segment.digest)
    return {};
  return Status::badData(path() + ": code: expected the digest " +
                         toHex(segment.digest) + ", got " + toHex(digest) +
                         "; the file is damaged: compile the model again");
}
