#include "runtime/core/FileHeader.h"

#include "runtime/support/Text.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <xxhash.h>

using namespace tcc;
using namespace tcc::rt;

static constexpr char magic[] = "TCCMODEL";
static constexpr size_t versionAt = 8, writerAt = 12, manifestBytesAt = 32,
                        fileBytesAt = 40, digestAt = 48;
static constexpr size_t writerBytes = manifestBytesAt - writerAt;

template <typename Integer>
static void store(uint8_t *bytes, Integer value) {
  for (size_t i = 0; i < sizeof(Integer); ++i)
    bytes[i] = static_cast<uint8_t>(value >> (8 * i));
}

template <typename Integer>
static Integer load(const uint8_t *bytes) {
  Integer value = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i)
    value |= static_cast<Integer>(bytes[i]) << (8 * i);
  return value;
}

Digest128 tcc::rt::digestOf(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return {hash.low64, hash.high64};
}

std::string tcc::rt::toHex(const Digest128 &digest) {
  char text[33];
  snprintf(text, sizeof(text), "%016llx%016llx",
           static_cast<unsigned long long>(digest.high),
           static_cast<unsigned long long>(digest.low));
  return text;
}

/// The digest of the first `digestAt` bytes of `header`, 16 zeros, `manifest`.
static Digest128 digestOfHeader(const uint8_t *header, const uint8_t *manifest,
                                size_t manifestBytes) {
  std::array<uint8_t, headerBytes> zeroed{};
  std::copy_n(header, digestAt, zeroed.begin());
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, zeroed.data(), zeroed.size());
  XXH3_128bits_update(state, manifest, manifestBytes);
  XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return {hash.low64, hash.high64};
}

std::array<uint8_t, headerBytes>
tcc::rt::encodeHeader(const FileHeader &header, const uint8_t *manifest) {
  std::array<uint8_t, headerBytes> bytes{};
  memcpy(bytes.data(), magic, versionAt);
  store(bytes.data() + versionAt, formatVersion);
  memcpy(bytes.data() + writerAt, header.writer.data(),
         std::min(header.writer.size(), writerBytes));
  store(bytes.data() + manifestBytesAt, header.manifestBytes);
  store(bytes.data() + fileBytesAt, header.fileBytes);
  Digest128 digest =
      digestOfHeader(bytes.data(), manifest, header.manifestBytes);
  store(bytes.data() + digestAt, digest.low);
  store(bytes.data() + digestAt + 8, digest.high);
  return bytes;
}

/// The writer's name, which goes to a terminal before its digest is checked.
static std::string writerName(const uint8_t *header) {
  const char *text = reinterpret_cast<const char *>(header + writerAt);
  std::string name = printable({text, strnlen(text, writerBytes)});
  return name.empty() ? "an unnamed program" : name;
}

/// The first bytes of a file that is no model.bin, as it goes into a message.
static std::string firstBytes(const uint8_t *file, size_t size) {
  if (size == 0)
    return "an empty file";
  const char *text = reinterpret_cast<const char *>(file);
  return "'" + printable({text, std::min(size, versionAt)}) + "'";
}

static Status checkMagic(const uint8_t *file, size_t size,
                         const std::string &path) {
  if (size < versionAt || memcmp(file, magic, versionAt) != 0)
    return Status::badData(
        path + ": expected a model.bin, which begins with 'TCCMODEL', got " +
        firstBytes(file, size) +
        "; compile a model with 'tcc INPUT -o model.bin' first");
  if (size < headerBytes)
    return Status::badData(path + ": expected a header of 64 bytes, got " +
                           std::to_string(size) +
                           "; the file is truncated: compile the model again");
  return {};
}

Status tcc::rt::decodeHeader(const uint8_t *file, size_t size,
                             const std::string &path, FileHeader &result) {
  if (Status status = checkMagic(file, size, path); !status.ok())
    return status;
  FileHeader header;
  header.writer = writerName(file);
  auto version = load<uint32_t>(file + versionAt);
  if (version != formatVersion)
    return Status::badData(
        path + ": expected format version " + std::to_string(formatVersion) +
        ", got " + std::to_string(version) + ", written by " + header.writer +
        "; compile the model again with a tcc of this version");
  header.manifestBytes = load<uint64_t>(file + manifestBytesAt);
  header.fileBytes = load<uint64_t>(file + fileBytesAt);
  if (header.fileBytes != size)
    return Status::badData(
        path + ": header: expected " + std::to_string(header.fileBytes) +
        " bytes in the file, got " + std::to_string(size) +
        "; the file is truncated or damaged: compile the model again");
  if (header.manifestBytes > size - headerBytes)
    return Status::badData(path + ": header: expected a manifest of at most " +
                           std::to_string(size - headerBytes) + " bytes, got " +
                           std::to_string(header.manifestBytes) +
                           "; the file is damaged: compile the model again");
  Digest128 expected = {load<uint64_t>(file + digestAt),
                        load<uint64_t>(file + digestAt + 8)};
  Digest128 digest =
      digestOfHeader(file, file + headerBytes, header.manifestBytes);
  if (!(digest == expected))
    return Status::badData(path + ": manifest: expected the digest " +
                           toHex(expected) + ", got " + toHex(digest) +
                           "; the file is damaged: compile the model again");
  result = std::move(header);
  return {};
}
