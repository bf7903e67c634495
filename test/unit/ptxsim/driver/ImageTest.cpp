// Fat binaries and other images.

#include "tools/ptxsim/driver/Image.h"

#include "gtest/gtest.h"

#include <cstring>
#include <lz4.h>
#include <vector>
#include <zstd.h>

using namespace ptxsim;
using namespace ptxsim::driver;

using Bytes = std::vector<uint8_t>;

template <typename T>
static void put(Bytes &bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

enum Kind : uint16_t { Ptx = 1, Elf = 2 };
enum Packing : uint64_t { Plain = 0, Lz4 = 0x2000, Zstd = 0x8000 };

/// Makes an entry as nvcc writes it.
static Bytes makeEntry(Kind kind, const std::string &text, uint32_t arch,
                       Packing packing = Plain, uint64_t flags = 0,
                       uint16_t major = 9) {
  std::string payload = text;
  if (packing == Zstd) {
    payload.resize(ZSTD_compressBound(text.size()));
    payload.resize(ZSTD_compress(payload.data(), payload.size(), text.data(),
                                 text.size(), 3));
  } else if (packing == Lz4) {
    payload.resize(LZ4_compressBound(static_cast<int>(text.size())));
    payload.resize(LZ4_compress_default(text.data(), payload.data(),
                                        static_cast<int>(text.size()),
                                        static_cast<int>(payload.size())));
  }
  size_t compressed = packing == Plain ? 0 : payload.size();
  payload.resize((payload.size() + 7) / 8 * 8);
  Bytes entry(0x50);
  put<uint16_t>(entry, 0, kind);
  put<uint16_t>(entry, 2, 0x0101);
  put<uint32_t>(entry, 4, 0x50);
  put<uint64_t>(entry, 8, payload.size());
  put<uint32_t>(entry, 16, static_cast<uint32_t>(compressed));
  put<uint16_t>(entry, 26, major);
  put<uint32_t>(entry, 28, arch);
  put<uint64_t>(entry, 40, 0x10 | packing | flags);
  put<uint64_t>(entry, 56, packing == Plain ? 0 : text.size());
  entry.insert(entry.end(), payload.begin(), payload.end());
  return entry;
}

static Bytes makeFatbin(const std::vector<Bytes> &entries) {
  Bytes data(16);
  for (const Bytes &entry : entries)
    data.insert(data.end(), entry.begin(), entry.end());
  put<uint32_t>(data, 0, 0xba55ed50);
  put<uint16_t>(data, 4, 1);
  put<uint16_t>(data, 6, 16);
  put<uint64_t>(data, 8, data.size() - 16);
  return data;
}

static ImageText readAll(const Bytes &data) {
  return readFatbin(data.data(), data.size());
}

static const std::string text(".version 9.0\n.target sm_90a\n");

TEST(Image, ReadsEachPacking) {
  for (Packing packing : {Plain, Lz4, Zstd}) {
    ImageText result = readAll(makeFatbin({makeEntry(Ptx, text, 90, packing)}));
    EXPECT_EQ(result.result, CUDA_SUCCESS) << result.message;
    EXPECT_EQ(result.text, text) << packing;
  }
}

TEST(Image, TakesTheNewestUsable) {
  Bytes old = makeEntry(Ptx, "old", 80), now = makeEntry(Ptx, "now", 90),
        exact = makeEntry(Ptx, "exact", 90, Plain, 0x100000),
        next = makeEntry(Ptx, "next", 100), cubin = makeEntry(Elf, "elf", 90),
        newer = makeEntry(Ptx, "newer", 90, Plain, 0, 10);
  EXPECT_EQ(readAll(makeFatbin({cubin, old, now})).text, "now");
  EXPECT_EQ(readAll(makeFatbin({now, old, cubin})).text, "now");
  EXPECT_EQ(readAll(makeFatbin({exact, now, next})).text, "exact");
  EXPECT_EQ(readAll(makeFatbin({next, now, exact})).text, "exact");
  EXPECT_EQ(readAll(makeFatbin({now, newer, old})).text, "newer");
  EXPECT_EQ(readAll(makeFatbin({next, old})).text, "old");
}

TEST(Image, SaysWhyThereIsNone) {
  ImageText result = readAll(makeFatbin({makeEntry(Elf, "x", 90)}));
  EXPECT_EQ(result.result, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(result.message,
            "expected PTX, got a cubin, which holds instructions of the "
            "hardware; load the PTX text that it was made from");
  result = readAll(makeFatbin({makeEntry(Ptx, "x", 100)}));
  EXPECT_EQ(result.result, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(result.message,
            "expected PTX for sm_90 or older in the fat binary, got PTX for "
            "newer devices only");
  EXPECT_EQ(readAll(makeFatbin({})).result, CUDA_ERROR_NO_BINARY_FOR_GPU);
}

TEST(Image, SurvivesEveryLength) {
  for (Packing packing : {Plain, Lz4, Zstd}) {
    Bytes data = makeFatbin({makeEntry(Ptx, text, 90, packing)});
    for (size_t length = 0; length < data.size(); ++length) {
      Bytes part(data.begin(), data.begin() + static_cast<long>(length));
      EXPECT_EQ(readAll(part).result, CUDA_ERROR_INVALID_IMAGE) << length;
    }
  }
}

TEST(Image, SurvivesEveryByte) {
  Bytes data = makeFatbin({makeEntry(Ptx, text, 90, Zstd)});
  for (size_t i = 0; i < data.size(); ++i)
    for (uint8_t value : {0x00, 0x7f, 0x80, 0xff}) {
      Bytes changed = data;
      changed[i] = value;
      readAll(changed);
    }
}

TEST(Image, RefusesSizesThatLie) {
  Bytes entry = makeEntry(Ptx, text, 90, Zstd);
  put<uint64_t>(entry, 56, text.size() + 1);
  ImageText result = readAll(makeFatbin({entry}));
  EXPECT_EQ(result.result, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(result.message,
            "expected a zstd frame or an LZ4 block of 29 bytes in the fat "
            "binary, got something else");
  put<uint64_t>(entry, 56, uint64_t(1) << 40);
  EXPECT_EQ(readAll(makeFatbin({entry})).result, CUDA_ERROR_INVALID_IMAGE);
}

TEST(Image, TakesTextsCubinsAndWrappers) {
  EXPECT_EQ(readImage(text.c_str()).text, text);
  EXPECT_EQ(readImage("a").text, "a");
  EXPECT_EQ(readImage("").result, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(readImage("\177ELF\2\1\1").result, CUDA_ERROR_NO_BINARY_FOR_GPU);
  Bytes data = makeFatbin({makeEntry(Ptx, text, 90)});
  EXPECT_EQ(readImage(data.data()).text, text);
  struct {
    uint32_t magic = 0x466243b1, version = 1;
    const void *data = nullptr;
    const void *filename = nullptr;
  } wrapper;
  EXPECT_EQ(readImage(&wrapper).result, CUDA_ERROR_INVALID_IMAGE);
  wrapper.data = data.data();
  EXPECT_EQ(readImage(&wrapper).text, text);
}

TEST(Image, TakesSizedImages) {
  // No byte behind the size is looked at.
  EXPECT_EQ(readImage("abcdef", 3).text, "abc");
  EXPECT_EQ(readImage("ab\0cd", 5).text, "ab");
  EXPECT_EQ(readImage("", 1).result, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(readImage("\177ELF", 4).result, CUDA_ERROR_NO_BINARY_FOR_GPU);
  Bytes data = makeFatbin({makeEntry(Ptx, text, 90)});
  EXPECT_EQ(readImage(data.data(), data.size()).text, text);
  EXPECT_EQ(readImage(data.data(), data.size() - 1).result,
            CUDA_ERROR_INVALID_IMAGE);
}
