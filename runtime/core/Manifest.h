// Reads the manifest of a model.bin, which anyone may have written.

#ifndef TCC_RUNTIME_CORE_MANIFEST_H
#define TCC_RUNTIME_CORE_MANIFEST_H

#include "runtime/core/FileHeader.h"
#include "runtime/core/Plan.h"
#include "runtime/schema/Executable_generated.h"
#include "runtime/support/Status.h"

#include <optional>
#include <string>
#include <vector>

namespace tcc::rt {

/// A range of bytes of the file.
struct SegmentRange {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  Digest128 digest;
};

/// A checked manifest.
struct Manifest {
  /// Lies in the bytes that were read.
  const schema::Executable *root = nullptr;
  Plan plan; ///< Of the x86-64 target.
  std::string cpu;
  std::vector<std::string> features; ///< Names as in /proc/cpuinfo.
  SegmentRange code;
  std::optional<SegmentRange> weights; ///< Absent if compiled without weights.
};

/// Checks the `size` bytes at `bytes`, aligned to 8, and reads them.
///
/// \param fileBytes Size of the whole file, against which segments are checked.
/// \param path      Name of the file, for messages.
///
/// \returns BadData if the FlatBuffer is malformed, an enumerator is unknown,
/// or
///          an index, offset, size or expression leaves its bounds for any step
///          up to `largestStep`; the message names the table and the field.
///          DeviceUnavailable if there is no code for one x86-64 machine.
Status readManifest(const uint8_t *bytes, size_t size, uint64_t fileBytes,
                    const std::string &path, Manifest &result);

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_MANIFEST_H
