// Writes NumPy's file format, version 1.0, row by row.

#ifndef TCC_TOOLS_TCC_RUN_NPY_H
#define TCC_TOOLS_TCC_RUN_NPY_H

#include "runtime/support/File.h"
#include "runtime/support/Status.h"

#include <cstdint>
#include <string>

namespace tcc::run {

/// A float32 array [rows, columns] whose rows are not counted in advance. It
/// appears under its name when `commit` succeeds, or not at all.
class NpyWriter {
public:
  /// \returns CannotWrite.
  Status create(const std::string &path, int64_t columns);

  /// Appends `columns` values.
  Status append(const float *row);

  /// Writes the header and makes the file visible.
  Status commit();

private:
  AtomicFile file;
  int64_t columns = 0;
  int64_t rows = 0;
};

} // namespace tcc::run

#endif // TCC_TOOLS_TCC_RUN_NPY_H
