// A complete model.bin of a few kilobytes, made by hand: it counts.
//
// Its vocabulary is a, b, … g and an end token; after each token comes the next
// one. Its machine code is 84 bytes, so it runs on any x86-64 CPU, and it has
// something of everything that a manifest can hold.

#ifndef TCC_TEST_UNIT_RUNTIME_TINYMODEL_H
#define TCC_TEST_UNIT_RUNTIME_TINYMODEL_H

#include "runtime/core/FileHeader.h"
#include "runtime/schema/Executable_generated.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tcc::rt {

/// The manifest without its segments.
schema::ExecutableT tinyManifest();

/// The manifest as a FlatBuffer.
std::vector<uint8_t> serialise(const schema::ExecutableT &manifest);

/// A whole file; places the segments and fills in their digests.
std::vector<uint8_t> tinyFile(schema::ExecutableT manifest = tinyManifest());

/// A file with a header of its own for `manifest`, and nothing after it.
std::vector<uint8_t> withHeader(const std::vector<uint8_t> &manifest,
                                uint64_t fileBytes);

/// Writes `bytes` to a file in the folder of temporary files and returns its
/// path; the file of the same name is replaced.
std::string writeTemporary(const std::string &name,
                           const std::vector<uint8_t> &bytes);

} // namespace tcc::rt

#endif // TCC_TEST_UNIT_RUNTIME_TINYMODEL_H
