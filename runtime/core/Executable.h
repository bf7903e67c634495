// A model.bin, checked and mapped.

#ifndef TCC_RUNTIME_CORE_EXECUTABLE_H
#define TCC_RUNTIME_CORE_EXECUTABLE_H

#include "runtime/core/Executor.h"
#include "runtime/core/FileHeader.h"
#include "runtime/core/Manifest.h"
#include "runtime/cpu/Machine.h"
#include "runtime/support/File.h"
#include "runtime/support/Status.h"

#include <memory>
#include <string>

namespace tcc::rt {

/// A compiled model that was read from a file. Immutable after `prepare`.
class Executable {
public:
  /// Maps and checks the file `path`, of whose targets the one of kind `kind`
  /// is the one to run. Nothing of it is executable afterwards.
  ///
  /// \returns NoInput if it cannot be read; BadData if anything in the header,
  ///          the manifest or the code is wrong; DeviceUnavailable if it has no
  ///          code for one device of that kind. The digest of the weights is
  ///          never checked: reading them all would take longer than many a
  ///          run.
  static Status load(const std::string &path, schema::TargetKind kind,
                     std::unique_ptr<Executable> &result);

  /// Makes the program ready to run: checks that the CPU has the features it
  /// was compiled for, compares the code with its digest, copies it to memory
  /// of its own and makes that executable, asks the system to read the weights.
  ///
  /// \returns DeviceUnavailable with the names of missing features; BadData if
  ///          the digest differs or the file was compiled without weights;
  ///          OutOfMemory.
  Status prepare();

  /// What `prepare` made ready.
  const Program &program() const { return runnable; }

  const std::string &path() const { return file.path(); }
  const FileHeader &header() const { return fileHeader; }
  const Manifest &manifest() const { return contents; }
  const Plan &plan() const { return contents.plan; }
  const schema::Executable &root() const { return *contents.root; }

  ~Executable();
  Executable(const Executable &) = delete;
  Executable &operator=(const Executable &) = delete;

private:
  Executable() = default;
  Status checkCpu() const;
  /// Compares `bytes`, the code or its copy, with the digest in the manifest.
  Status checkCode(const void *bytes) const;
  Status mapCode();
  void mapWeights();

  MappedFile file;
  FileHeader fileHeader;
  Manifest contents;
  Program runnable;
  void *code = nullptr;
  size_t codeBytes = 0;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_EXECUTABLE_H
