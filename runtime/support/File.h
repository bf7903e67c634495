// Reading files by mapping them, writing files so that they appear whole or not
// at all.

#ifndef TCC_RUNTIME_SUPPORT_FILE_H
#define TCC_RUNTIME_SUPPORT_FILE_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tcc {

/// A file mapped read-only. Movable; unmapped when destroyed.
///
/// The bytes stay valid until then, unless another process truncates the file.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  /// Maps the whole of the regular file `path`; an empty file has no bytes.
  ///
  /// \returns NoInput if it cannot be opened, is a directory or not regular;
  ///          OutOfMemory if the address space does not suffice.
  static Status open(const std::string &path, MappedFile &result);

  const uint8_t *data() const { return bytes; }
  size_t size() const { return length; }
  const std::string &path() const { return name; }

private:
  const uint8_t *bytes = nullptr;
  size_t length = 0;
  std::string name;
};

/// The name of an open temporary file, where a signal handler finds it.
struct TemporaryName;

/// A file that is written beside its final name and renamed by `commit`. If it
/// is destroyed before that, nothing is left.
class AtomicFile {
public:
  AtomicFile() = default;
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  /// Creates the temporary file for `path`, beside what it is a link to.
  ///
  /// \returns CannotWrite if `path` is a directory or its folder is not
  /// writable.
  Status create(const std::string &path);

  /// Writes `size` bytes at `offset`. Safe from several threads at once.
  Status writeAt(uint64_t offset, const void *data, size_t size);

  /// Makes the file visible under its final name.
  Status commit();

  /// Removes every temporary file that is open; callable from a signal handler.
  static void removeAllTemporaries();

private:
  int descriptor = -1;
  TemporaryName *slot = nullptr; ///< Where `temporary` is noted.
  std::string path;              ///< As the user wrote it.
  std::string target;            ///< Where its links lead.
  std::string temporary;
};

} // namespace tcc

#endif // TCC_RUNTIME_SUPPORT_FILE_H
