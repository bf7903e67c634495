#include "frontends/checkpoint/RotaryFrequencies.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace tcc;

static RotaryScaling llama3(double factor) {
  return {RotaryScaling::Kind::Llama3, factor, 1, 4, 8192};
}

/// Expects `value` to `digits` of the 13 digits of the vectors.
static void expectRelative(double value, double expected) {
  EXPECT_NEAR(value, expected, std::abs(expected) * 1e-12);
}

TEST(RotaryFrequencies, Default) {
  std::vector<double> result = inverseFrequencies(8, 10000, {});
  ASSERT_EQ(result.size(), 4u);
  EXPECT_EQ(result[0], 1);
  expectRelative(result[1], 0.1);
  expectRelative(result[2], 0.01);
  expectRelative(result[3], 0.001);
}

TEST(RotaryFrequencies, Linear) {
  RotaryScaling scaling;
  scaling.kind = RotaryScaling::Kind::Linear;
  scaling.factor = 4;
  std::vector<double> result = inverseFrequencies(8, 10000, scaling);
  EXPECT_EQ(result[0], 0.25);
  expectRelative(result[3], 0.00025);
}

// Llama 3.1: computed apart from this code from the formula of transformers.
TEST(RotaryFrequencies, Llama31) {
  std::vector<double> plain = inverseFrequencies(128, 5e5, {});
  std::vector<double> scaled = inverseFrequencies(128, 5e5, llama3(8));
  for (size_t j = 0; j < 29; ++j)
    EXPECT_EQ(scaled[j], plain[j]);
  for (size_t j = 29; j < 35; ++j) {
    EXPECT_LT(scaled[j], plain[j]);
    EXPECT_GT(scaled[j], plain[j] / 8);
  }
  for (size_t j = 35; j < 64; ++j)
    EXPECT_EQ(scaled[j], plain[j] / 8);
  expectRelative(scaled[29], 2.166570763503e-3);
  expectRelative(scaled[34], 1.785078127680e-4);
  expectRelative(scaled[35], 9.556212353965e-5);
  expectRelative(scaled[63], 3.068925988915e-7);
}

TEST(RotaryFrequencies, Llama32OneBillion) {
  std::vector<double> scaled = inverseFrequencies(64, 5e5, llama3(32));
  expectRelative(scaled[15], 1.290547928209e-3);
  expectRelative(scaled[31], 9.418306725435e-8);
}

TEST(RotaryFrequencies, Llama32ThreeBillion) {
  std::vector<double> scaled = inverseFrequencies(128, 5e5, llama3(32));
  expectRelative(scaled[29], 2.118406996780e-3);
  expectRelative(scaled[63], 7.672314972286e-8);
}
