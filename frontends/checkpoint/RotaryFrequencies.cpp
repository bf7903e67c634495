#include "frontends/checkpoint/RotaryFrequencies.h"

#include <cmath>

using namespace tcc;

/// Llama 3.1's scaling: high frequencies stay, low ones are divided, those in
/// between are blended.
static double scaleLlama3(double frequency, const RotaryScaling &scaling) {
  constexpr double pi = 3.14159265358979323846;
  double wavelength = 2 * pi / frequency;
  double low = scaling.lowFrequencyFactor, high = scaling.highFrequencyFactor;
  if (wavelength < scaling.originalPositions / high)
    return frequency;
  if (wavelength > scaling.originalPositions / low)
    return frequency / scaling.factor;
  double smooth = (scaling.originalPositions / wavelength - low) / (high - low);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

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
    result.push_back(frequency);
  }
  return result;
}
