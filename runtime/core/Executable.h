// A model.bin, checked and mapped.

#ifndef TCC_RUNTIME_CORE_EXECUTABLE_H
#define TCC_RUNTIME_CORE_EXECUTABLE_H

#include "runtime/core/Device.h"
#include "runtime/core/Executor.h"
#include "runtime/core/FileHeader.h"
#include "runtime/core/Manifest.h"
#include "runtime/support/File.h"
#include "runtime/support/Status.h"

#include <memory>
#include <optional>
#include <string>

namespace tcc::rt {

/// A compiled model that was read from a file. Immutable after `prepare`.
class Executable {
public:
  /// Maps and checks the file `path`, of whose targets the one of kind `kind`
  /// is the one to run; without one, the first that is known is described.
  /// Nothing of it is executable afterwards.
  ///
  /// \returns NoInput if it cannot be read; BadData if anything in the header,
  ///          the manifest or the code is wrong; DeviceUnavailable if it has no
  ///          code for one device of that kind. The digest of the weights is
  ///          never checked: reading them all would take longer than many a
  ///          run.
  static Status load(const std::string &path,
                     std::optional<schema::TargetKind> kind,
                     std::unique_ptr<Executable> &result);

  /// Makes the program ready to run on `device`, which must not outlive this.
  ///
  /// \returns what Device::load does; BadData if the file was compiled without
  ///          weights.
  Status prepare(Device &device);

  /// What `prepare` made ready.
  const Program &program() const { return runnable; }

  const std::string &path() const { return file.path(); }
  const FileHeader &header() const { return fileHeader; }
  const Manifest &manifest() const { return contents; }
  const Plan &plan() const { return contents.plan; }
  const schema::Executable &root() const { return *contents.root; }

  /// The bytes of `segment`, a segment of the manifest.
  const uint8_t *bytesOf(const SegmentRange &segment) const {
    return file.data() + segment.offset;
  }

  /// Compares `bytes`, the code or its copy, with the digest in the manifest.
  Status checkCode(const void *bytes) const;

  Executable(const Executable &) = delete;
  Executable &operator=(const Executable &) = delete;

private:
  Executable() = default;

  MappedFile file;
  FileHeader fileHeader;
  Manifest contents;
  Program runnable;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_EXECUTABLE_H
