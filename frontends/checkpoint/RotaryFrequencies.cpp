#include "frontends/checkpoint/RotaryFrequencies.h"

#include <algorithm>
#include <cmath>

using namespace tcc;

static constexpr double pi = 3.14159265358979323846;

/// Llama 3.1's scaling: high frequencies stay, low ones are divided, those in
/// between are blended.
static double scaleLlama3(double frequency, const RotaryScaling &scaling) {
  double wavelength = 2 * pi / frequency;
  double low = scaling.lowFrequencyFactor, high = scaling.highFrequencyFactor;
  if (wavelength < scaling.originalPositions / high)
    return frequency;
  if (wavelength > scaling.originalPositions / low)
    return frequency / scaling.factor;
  double smooth = (scaling.originalPositions / wavelength - low) / (high - low);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

//===----------------------------------------------------------------------===//
// Yarn
//===----------------------------------------------------------------------===//

namespace {
/// Frequencies before `low` stay, those from `high` on are divided, those in
/// between are blended.
struct Ramp {
  Ramp(int64_t headSize, double theta, const RotaryScaling &scaling) {
    // The index of the frequency that turns so often in the positions of
    // training.
    auto indexOf = [&](double turns) {
      return static_cast<double>(headSize) *
             std::log(scaling.originalPositions / (turns * 2 * pi)) /
             (2 * std::log(theta));
    };
    low = indexOf(scaling.betaFast);
    high = indexOf(scaling.betaSlow);
    if (scaling.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(headSize - 1));
    if (low == high)
      high += 0.001;
  }

  double at(int64_t index) const {
    double place = (static_cast<double>(index) - low) / (high - low);
    return std::clamp(place, 0.0, 1.0);
  }

  double low, high;
};
} // namespace

static double magnitude(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

double tcc::rotaryMultiplier(const RotaryScaling &scaling) {
  if (scaling.kind != RotaryScaling::Kind::Yarn)
    return 1;
  if (scaling.attentionFactor != 0)
    return scaling.attentionFactor;
  // One of the two alone changes nothing.
  if (scaling.mscale != 0 && scaling.mscaleAllDim != 0)
    return magnitude(scaling.factor, scaling.mscale) /
           magnitude(scaling.factor, scaling.mscaleAllDim);
  return magnitude(scaling.factor, 1);
}

double tcc::softmaxMultiplier(const RotaryScaling &scaling) {
  if (scaling.kind != RotaryScaling::Kind::Yarn || scaling.mscaleAllDim == 0)
    return 1;
  double factor = magnitude(scaling.factor, scaling.mscaleAllDim);
  return factor * factor;
}

//===----------------------------------------------------------------------===//
// Every kind
//===----------------------------------------------------------------------===//

std::vector<double> tcc::inverseFrequencies(int64_t headSize, double theta,
                                            const RotaryScaling &scaling) {
  std::vector<double> result;
  for (int64_t j = 0; j < headSize / 2; ++j) {
    double exponent =
        -2 * static_cast<double>(j) / static_cast<double>(headSize);
    double frequency = std::pow(theta, exponent);
    if (scaling.kind == RotaryScaling::Kind::Linear)
      frequency /= scaling.factor;
    if (scaling.kind == RotaryScaling::Kind::Llama3)
      frequency = scaleLlama3(frequency, scaling);
    if (scaling.kind == RotaryScaling::Kind::Yarn) {
      double part = Ramp(headSize, theta, scaling).at(j);
      frequency = frequency / scaling.factor * part + frequency * (1 - part);
    }
    result.push_back(frequency);
  }
  return result;
}
