#include "frontends/model/Storage.h"

#include <gtest/gtest.h>

using namespace tcc;
using schema::Storage;

TEST(Storage, BytesOfTensors) {
  EXPECT_EQ(tensorBytes(Storage::F32, {3, 5}), 60u);
  EXPECT_EQ(tensorBytes(Storage::F16, {7}), 14u);
  EXPECT_EQ(tensorBytes(Storage::BF16, {0, 5}), 0u);
  EXPECT_EQ(tensorBytes(Storage::Q8_0, {3, 64}), 3u * 2 * 34);
  EXPECT_EQ(tensorBytes(Storage::Q4_0, {3, 64}), 3u * 2 * 18);
  EXPECT_EQ(tensorBytes(Storage::Q4_1, {3, 64}), 3u * 2 * 20);
  EXPECT_EQ(tensorBytes(Storage::F8_E4M3, {3, 5}), 15u);
}

TEST(Storage, RefusesWhatHasNoSize) {
  EXPECT_FALSE(tensorBytes(Storage::Q8_0, {64, 3}));
  EXPECT_FALSE(tensorBytes(Storage::F32, {}));
  EXPECT_FALSE(tensorBytes(Storage::F32, {-1}));
  EXPECT_FALSE(tensorBytes(Storage::F32, {-1, -1}));
  EXPECT_FALSE(tensorBytes(Storage::F32, {INT64_MAX}));
  EXPECT_FALSE(tensorBytes(Storage::F32, {int64_t{1} << 32, int64_t{1} << 32}));
  EXPECT_FALSE(tensorBytes(static_cast<Storage>(7), {1}));
}
