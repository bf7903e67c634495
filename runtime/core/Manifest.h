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
  // Of the target that was asked for:
  schema::TargetKind kind = schema::TargetKind::X86_64;
  Plan plan;
  std::string cpu;
  std::vector<std::string> features; ///< Names as in /proc/cpuinfo.
  SegmentRange code;
  std::optional<SegmentRange> weights; ///< Absent if compiled without weights.
};

/// The name of `kind` as users know it.
std::string nameOf(schema::TargetKind kind);

/// Checks the `size` bytes at `bytes`, aligned to 8, and reads what they say of
/// the model and of its first target of kind `kind`; without one, of the first
/// target of a kind that this version knows. Other targets may be of kinds
/// that it does not know.
///
/// \param fileBytes Size of the whole file, against which segments are checked.
/// \param path      Name of the file, for messages.
///
/// \returns BadData if the FlatBuffer is malformed, an enumerator is unknown,
/// or
///          an index, offset, size or expression leaves its bounds for any step
///          up to `largestStep`; the message names the table and the field.
///          DeviceUnavailable if there is no such target, and the message names
///          those that there are and what makes one, or none for one device.
Status readManifest(const uint8_t *bytes, size_t size, uint64_t fileBytes,
                    const std::string &path,
                    std::optional<schema::TargetKind> kind, Manifest &result);

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_MANIFEST_H
