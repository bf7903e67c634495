// Images: texts, cubins, fat binaries.
//
// The layout of fat binaries is derived from the bytes of small programs: a
// header of 16 bytes, then entries of a header and a payload each. All numbers
// are little endian.

#include "tools/ptxsim/driver/Image.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <lz4.h>
#include <tuple>
#include <zstd.h>

namespace ptxsim::driver {

static constexpr uint32_t wrapperMagic = 0x466243b1, dataMagic = 0xba55ed50;
/// In the wrapper that nvlink makes in place of the version 1; behind it is a
/// list of the units' fat binaries.
static constexpr uint32_t wrapperOfLinked = 2;
static constexpr uint64_t maxTextBytes = uint64_t(1) << 30;
/// More than any text is compressed; a few bytes must not ask for a gigabyte.
static constexpr uint64_t maxCompression = 1024;
static constexpr uint64_t dataHeaderBytes = 16, entryHeaderBytes = 64;
static constexpr uint32_t newestArchitecture = 90;

template <typename T>
static T read(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

static ImageText fail(CUresult result, std::string message) {
  ImageText text;
  text.result = result;
  text.message = std::move(message);
  return text;
}

static bool isElf(const void *image) {
  return std::memcmp(image, "\177ELF", 4) == 0;
}

static ImageText failOnCubin() {
  return fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
              "expected PTX, got a cubin, which holds instructions of the "
              "hardware; load the PTX text that it was made from");
}

namespace {

/// One entry of a fat binary.
struct Entry {
  enum : uint16_t { Ptx = 1, Elf = 2 };
  enum : uint64_t { Lz4 = 0x2000, Zstd = 0x8000, Specific = 0x100000 };
  uint16_t kind = 0;
  uint16_t minor = 0, major = 0; ///< Of the PTX version.
  uint32_t architecture = 0;
  uint64_t flags = 0;
  const uint8_t *payload = nullptr;
  uint64_t payloadBytes = 0;
  uint64_t compressedBytes = 0, textBytes = 0; ///< 0 if it is not compressed.

  /// Newer entries compare greater; those with a suffix, as in 90a, are newer
  /// than those without.
  auto age() const {
    return std::make_tuple(architecture, (flags & Specific) != 0, major, minor);
  }
};

} // namespace

/// Reads the entry at the beginning of `data`, which has `available` bytes.
///
/// \returns its bytes, or 0 if it is cut off.
static uint64_t readEntry(const uint8_t *data, uint64_t available,
                          Entry &entry) {
  if (available < entryHeaderBytes)
    return 0;
  uint64_t headerBytes = read<uint32_t>(data + 4);
  entry.payloadBytes = read<uint64_t>(data + 8);
  if (headerBytes < entryHeaderBytes || headerBytes > available ||
      entry.payloadBytes > available - headerBytes)
    return 0;
  entry.kind = read<uint16_t>(data);
  entry.compressedBytes = read<uint32_t>(data + 16);
  entry.minor = read<uint16_t>(data + 24);
  entry.major = read<uint16_t>(data + 26);
  entry.architecture = read<uint32_t>(data + 28);
  entry.flags = read<uint64_t>(data + 40);
  entry.textBytes = read<uint64_t>(data + 56);
  entry.payload = data + headerBytes;
  return headerBytes + entry.payloadBytes;
}

/// Unpacks `entry` into `text`.
static bool decompress(const Entry &entry, std::string &text) {
  if (entry.compressedBytes == 0) {
    text.assign(reinterpret_cast<const char *>(entry.payload),
                entry.payloadBytes);
    return true;
  }
  if (entry.compressedBytes > entry.payloadBytes || entry.textBytes == 0 ||
      entry.textBytes > maxTextBytes ||
      entry.textBytes / maxCompression > entry.compressedBytes)
    return false;
  text.resize(entry.textBytes);
  auto *source = reinterpret_cast<const char *>(entry.payload);
  if (entry.flags & Entry::Zstd) {
    size_t bytes = ZSTD_decompress(text.data(), text.size(), source,
                                   entry.compressedBytes);
    return !ZSTD_isError(bytes) && bytes == text.size();
  }
  if (!(entry.flags & Entry::Lz4))
    return false;
  int bytes = LZ4_decompress_safe(source, text.data(),
                                  static_cast<int>(entry.compressedBytes),
                                  static_cast<int>(text.size()));
  return bytes >= 0 && static_cast<size_t>(bytes) == text.size();
}

/// Cuts off the zero bytes that pad a text.
static void trim(std::string &text) {
  text.resize(std::min(text.size(), text.find('\0')));
}

ImageText readFatbin(const uint8_t *data, uint64_t available) {
  auto failCutOff = [] {
    return fail(CUDA_ERROR_INVALID_IMAGE,
                "expected a fat binary, got one that is cut off");
  };
  if (available < dataHeaderBytes || read<uint32_t>(data) != dataMagic)
    return failCutOff();
  uint64_t headerBytes = read<uint16_t>(data + 6);
  uint64_t rest = read<uint64_t>(data + 8);
  if (headerBytes < dataHeaderBytes || headerBytes > available ||
      rest > available - headerBytes)
    return failCutOff();
  Entry best;
  bool hasPtx = false, hasCubin = false, isTooNew = false;
  for (const uint8_t *next = data + headerBytes; rest != 0;) {
    Entry entry;
    uint64_t bytes = readEntry(next, rest, entry);
    if (bytes == 0)
      return failCutOff();
    next += bytes;
    rest -= bytes;
    hasCubin |= entry.kind == Entry::Elf;
    if (entry.kind != Entry::Ptx)
      continue;
    isTooNew |= entry.architecture > newestArchitecture;
    if (entry.architecture > newestArchitecture ||
        (hasPtx && entry.age() <= best.age()))
      continue;
    best = entry;
    hasPtx = true;
  }
  if (!hasPtx && isTooNew)
    return fail(
        CUDA_ERROR_NO_BINARY_FOR_GPU,
        "expected PTX for sm_90 or older in the fat binary, got PTX for "
        "newer devices only");
  if (!hasPtx)
    return hasCubin ? failOnCubin()
                    : fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
                           "expected PTX in the fat binary, got none");
  ImageText result;
  if (!decompress(best, result.text))
    return fail(CUDA_ERROR_INVALID_IMAGE,
                "expected a zstd frame or an LZ4 block of " +
                    std::to_string(best.textBytes) +
                    " bytes in the fat binary, got something else");
  trim(result.text);
  return result;
}

ImageText readImage(const void *image) {
  auto *data = static_cast<const uint8_t *>(image);
  // Byte by byte, for a text may be shorter than a number.
  if (data[0] == 0)
    return fail(CUDA_ERROR_INVALID_IMAGE, "expected PTX text, got none");
  if (strnlen(static_cast<const char *>(image), 4) == 4) {
    uint32_t magic = read<uint32_t>(data);
    if (isElf(image))
      return failOnCubin();
    if (magic == dataMagic)
      return readFatbin(data, UINT64_MAX);
    if (magic == wrapperMagic &&
        read<uint32_t>(data + 4) == wrapperOfLinked)
      return fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
                  "expected a fat binary of one translation unit, got one of "
                  "relocatable device code (nvcc -rdc=true or -dc), whose PTX "
                  "would have to be linked; compile without it");
    if (magic == wrapperMagic) {
      auto *inner = read<const uint8_t *>(data + 8);
      if (!inner)
        return fail(CUDA_ERROR_INVALID_IMAGE,
                    "expected a fat binary behind its wrapper, got null");
      return readFatbin(inner, UINT64_MAX);
    }
  }
  ImageText result;
  result.text = static_cast<const char *>(image);
  return result;
}

ImageText readImage(const void *image, uint64_t bytes) {
  auto *data = static_cast<const uint8_t *>(image);
  if (bytes >= 4 && isElf(image))
    return failOnCubin();
  if (bytes >= 4 && read<uint32_t>(data) == dataMagic)
    return readFatbin(data, bytes);
  if (bytes > maxTextBytes)
    return fail(CUDA_ERROR_INVALID_IMAGE,
                "expected at most 1 GB of PTX text, got more");
  ImageText result;
  result.text.assign(reinterpret_cast<const char *>(data), bytes);
  trim(result.text);
  if (result.text.empty())
    return fail(CUDA_ERROR_INVALID_IMAGE, "expected PTX text, got none");
  return result;
}

bool readFile(const char *path, std::string &text) {
  FILE *file = std::fopen(path, "rb");
  if (!file)
    return false;
  char block[65536];
  size_t count = 0;
  while ((count = std::fread(block, 1, sizeof(block), file)) != 0)
    text.append(block, count);
  bool ok = !std::ferror(file);
  std::fclose(file);
  return ok;
}

} // namespace ptxsim::driver
