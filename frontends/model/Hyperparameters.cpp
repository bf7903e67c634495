#include "frontends/model/Hyperparameters.h"

#include "frontends/model/Message.h"

#include <cmath>

using namespace tcc;

Status tcc::checkSizes(const std::string &path,
                       std::initializer_list<SizeField> sizes) {
  for (const SizeField &size : sizes)
    if (size.value < size.minimum || size.value > size.limit)
      return unsupportedData(
          path + ": " + size.name + ": expected an integer from " +
          std::to_string(size.minimum) + " to " + std::to_string(size.limit) +
          ", got " + std::to_string(size.value));
  return {};
}

Status tcc::checkEpsilon(const std::string &path, double epsilon) {
  if (ModelLimits::isEpsilon(epsilon))
    return {};
  return unsupportedData(path + ": norm_epsilon: expected " +
                         ModelLimits::epsilons + ", got " +
                         std::to_string(epsilon));
}

static bool isPositive(double value) {
  return std::isfinite(value) && value > 0;
}

Status tcc::checkRotary(const std::string &path,
                        const schema::RotaryEmbeddingT *rotary,
                        const char *name, uint32_t size) {
  if (size % 2 != 0)
    return unsupportedData(path + ": " + name +
                           ": expected an even number, got " +
                           std::to_string(size));
  if (!rotary)
    return unsupportedData(path + ": rotary: expected a table, got nothing");
  const std::vector<double> &frequencies = rotary->inverse_frequencies;
  if (frequencies.size() != size / 2)
    return unsupportedData(path + ": rotary.inverse_frequencies: expected " +
                           name + " / 2 = " + std::to_string(size / 2) +
                           " of them, got " +
                           std::to_string(frequencies.size()));
  for (double frequency : frequencies)
    if (!isPositive(frequency))
      return unsupportedData(
          path +
          ": rotary.inverse_frequencies: expected positive numbers, got " +
          std::to_string(frequency));
  if (!isPositive(rotary->multiplier))
    return unsupportedData(
        path + ": rotary.multiplier: expected a positive number, got " +
        std::to_string(rotary->multiplier));
  return {};
}
