#include "runtime/core/Executable.h"

#include "runtime/support/Text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

using namespace tcc;
using namespace tcc::rt;

Status Executable::load(const std::string &path, schema::TargetKind kind,
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
  const SegmentRange &code = executable->contents.code;
  if (Status status = executable->checkCode(file.data() + code.offset);
      !status.ok())
    return status;
  result = std::move(executable);
  return {};
}

Executable::~Executable() {
  if (code)
    munmap(code, codeBytes);
}

Status Executable::prepare() {
  if (Status status = checkCpu(); !status.ok())
    return status;
  if (!contents.weights && !plan().weights.empty())
    return Status::badData(path() + ": expected weights, got a model that was "
                                    "compiled with --no-weights; compile it "
                                    "again without that");
  if (Status status = mapCode(); !status.ok())
    return status;
  mapWeights();
  return {};
}

Status Executable::checkCpu() const {
  std::vector<std::string> missing = missingFeatures(contents.features);
  if (missing.empty())
    return {};
  std::string names;
  for (const std::string &name : missing)
    names += (names.empty() ? "" : ", ") + printable(name);
  return {Status::Code::DeviceUnavailable,
          path() + ": code: expected a CPU with what it was compiled for (" +
              printable(contents.cpu) + "), got one that lacks " + names +
              "; compile the model again with --march=native on this machine "
              "or --march=x86-64-v3"};
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

Status Executable::mapCode() {
  const SegmentRange &segment = contents.code;
  codeBytes = std::max<size_t>(segment.bytes, 1);
  // A copy, checked after copying: what runs is what was checked, even if
  // somebody writes to the file, and it runs from file systems mounted noexec.
  code = mmap(nullptr, codeBytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) {
    code = nullptr;
    return {Status::Code::OutOfMemory, path() + ": code: cannot map its " +
                                           std::to_string(codeBytes) +
                                           " bytes: " + strerror(errno)};
  }
  memcpy(code, file.data() + segment.offset, segment.bytes);
  if (Status status = checkCode(code); !status.ok())
    return status;
  if (mprotect(code, codeBytes, PROT_READ | PROT_EXEC) != 0)
    return {Status::Code::DeviceUnavailable,
            path() + ": code: the system refuses to make it executable: " +
                strerror(errno)};
  runnable.plan = &contents.plan;
  for (const KernelPlan &kernel : plan().kernels)
    runnable.kernels.push_back(reinterpret_cast<KernelFunction>(
        static_cast<uint8_t *>(code) + kernel.entry));
  return {};
}

void Executable::mapWeights() {
  if (!contents.weights)
    return;
  runnable.weights = file.data() + contents.weights->offset;
  // Hints: the file is read ahead while the first step already runs.
  void *start = const_cast<uint8_t *>(runnable.weights);
  madvise(start, contents.weights->bytes, MADV_WILLNEED);
  madvise(start, contents.weights->bytes, MADV_HUGEPAGE);
}
