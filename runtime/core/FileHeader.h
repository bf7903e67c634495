// The first bytes of a model.bin, written by compiler/emit and read by the
// runtime.
//
// clang-format off
//   byte  0  magic "TCCMODEL"
//         8  u32  format version
//        12  the program that wrote the file, e.g. "tcc 0.1.0", padded with zeros
//        32  u64  bytes of the manifest, which begins at byte 64
//        40  u64  bytes of the whole file
//        48  XXH3-128 of this header with these 16 bytes zero, followed by the
//            manifest: low half, then high half
// clang-format on
//
// Numbers are little-endian. Segments follow the manifest, each at a multiple
// of `segmentAlignment`, their offsets and digests in the manifest. The first
// 32 bytes keep this form in every version, so that a reader of any version can
// say which program wrote a file.

#ifndef TCC_RUNTIME_CORE_FILEHEADER_H
#define TCC_RUNTIME_CORE_FILEHEADER_H

#include "runtime/support/Status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tcc::rt {

/// Bytes of the header, and where the manifest begins.
constexpr size_t headerBytes = 64;

/// The version that this source writes, and the only one that it reads.
constexpr uint32_t formatVersion = 3;

/// Every segment begins at a multiple of this many bytes.
constexpr uint64_t segmentAlignment = 4096;

/// XXH3-128 of a range of bytes; the halves as in schema::Digest.
struct Digest128 {
  uint64_t low = 0;
  uint64_t high = 0;

  bool operator==(const Digest128 &other) const {
    return low == other.low && high == other.high;
  }
};

/// Computes the XXH3-128 of `size` bytes at `data`. A digest of a segment that
/// is written in pieces comes from XXH3_128bits_update over the same bytes.
Digest128 digestOf(const void *data, size_t size);

/// `digest` in 32 hexadecimal digits, as xxhsum writes it.
std::string toHex(const Digest128 &digest);

/// What a header says beside its digest.
struct FileHeader {
  std::string writer; ///< At most 20 bytes; a longer name is cut.
  uint64_t manifestBytes = 0;
  uint64_t fileBytes = 0; ///< With all segments.
};

/// The header for `header.manifestBytes` bytes at `manifest`.
std::array<uint8_t, headerBytes> encodeHeader(const FileHeader &header,
                                              const uint8_t *manifest);

/// Reads and checks the header of the file called `path`, whose `size` bytes
/// lie at `file`, and compares the manifest with its digest.
///
/// \returns BadData if this is no model.bin, if its version is another (the
///          message names the program that wrote it), if its size differs from
///          what the header says, or if the digest does.
Status decodeHeader(const uint8_t *file, size_t size, const std::string &path,
                    FileHeader &result);

/// The next multiple of `segmentAlignment` at or after `offset`.
constexpr uint64_t alignSegment(uint64_t offset) {
  return (offset + segmentAlignment - 1) / segmentAlignment * segmentAlignment;
}

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_FILEHEADER_H
