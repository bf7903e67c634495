// NumPy's file format, version 1.0.

#ifndef TCC_RUNTIME_SUPPORT_NPY_H
#define TCC_RUNTIME_SUPPORT_NPY_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tcc {

constexpr size_t npyHeaderBytes = 128;

/// The header of a row-major array of `shape`, whose elements follow it. `type`
/// is NumPy's name of the element type: "<f4" or "<f8". Of one length,
/// `npyHeaderBytes`, for arrays of one or two dimensions.
std::string npyHeader(const char *type, const std::vector<int64_t> &shape);

/// Writes `values`, as many as `shape` says, as a float64 array to `path`.
///
/// \returns CannotWrite.
Status writeNpy(const std::string &path, const std::vector<int64_t> &shape,
                const double *values);

} // namespace tcc

#endif // TCC_RUNTIME_SUPPORT_NPY_H
