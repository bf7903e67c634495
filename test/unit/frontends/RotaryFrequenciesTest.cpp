#include "frontends/checkpoint/RotaryFrequencies.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace tcc;

static RotaryScaling llama3(double factor) {
  RotaryScaling scaling;
  scaling.kind = RotaryScaling::Kind::Llama3;
  scaling.factor = factor;
  return scaling;
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

static RotaryScaling yarn(double mscale, double mscaleAllDim) {
  RotaryScaling scaling;
  scaling.kind = RotaryScaling::Kind::Yarn;
  scaling.factor = 40;
  scaling.originalPositions = 4096;
  scaling.mscale = mscale;
  scaling.mscaleAllDim = mscaleAllDim;
  return scaling;
}

// DeepSeek V3: architectures document, 3.3.
TEST(RotaryFrequencies, Yarn) {
  std::vector<double> scaled = inverseFrequencies(64, 10000, yarn(1, 1));
  EXPECT_EQ(scaled[0], 1);
  EXPECT_NEAR(scaled[10], 0.056234132519, 1e-12);
  EXPECT_NEAR(scaled[11], 0.039006926567, 1e-12);
  expectRelative(scaled[16], 0.0055);
  EXPECT_NEAR(scaled[22], 1.778279410e-4, 1e-13);
  EXPECT_NEAR(scaled[23], 3.333803580e-5, 1e-14);
  EXPECT_NEAR(scaled[31], 3.333803580e-6, 1e-15);
}

TEST(RotaryFrequencies, YarnScales) {
  double plain = 1 / std::sqrt(192.0);
  EXPECT_NEAR(plain * softmaxMultiplier(yarn(1, 1)), 0.1352337788609, 1e-13);
  EXPECT_NEAR(plain * softmaxMultiplier(yarn(0.707, 0.707)), 0.1147213867929,
              1e-13);
  EXPECT_EQ(rotaryMultiplier(yarn(1, 1)), 1);
  EXPECT_NEAR(rotaryMultiplier(yarn(1, 0.707)), 1.3688879454 / 1.2608037774,
              1e-9);
}

// Either of the two alone, or none.
TEST(RotaryFrequencies, YarnScalesThatAreAbsent) {
  for (auto [mscale, all] : {std::pair{0.5, 0.0}, {0.0, 0.5}, {0.0, 0.0}})
    EXPECT_NEAR(rotaryMultiplier(yarn(mscale, all)), 1.3688879454, 1e-9);
  EXPECT_EQ(softmaxMultiplier(yarn(1, 0)), 1);
  RotaryScaling explicitFactor = yarn(1, 0.5);
  explicitFactor.attentionFactor = 0.8;
  EXPECT_EQ(rotaryMultiplier(explicitFactor), 0.8);
  RotaryScaling shrunk = yarn(1, 0.5);
  shrunk.factor = 1;
  EXPECT_EQ(rotaryMultiplier(shrunk), 1);
  EXPECT_EQ(softmaxMultiplier(shrunk), 1);
  EXPECT_EQ(rotaryMultiplier({}), 1);
  EXPECT_EQ(softmaxMultiplier({}), 1);
}
