#include "compiler/interpreter/Rounding.h"

#include "mlir/IR/BuiltinTypes.h"

#include <cmath>
#include <limits>
#include <optional>

using namespace mlir;

namespace {
/// A binary floating-point format, as IEEE 754 section 3.3 describes one.
struct Format {
  int precision;   ///< Significant bits, the hidden one included.
  int maxExponent; ///< Of the largest finite number, as in 1.f * 2^exponent.
};
} // namespace

static std::optional<Format> formatOf(Type type) {
  if (type.isF32())
    return Format{24, 127};
  if (type.isF16())
    return Format{11, 15};
  if (type.isBF16())
    return Format{8, 127};
  return std::nullopt;
}

static double roundToFormat(const Format &format, double value) {
  if (value == 0 || !std::isfinite(value))
    return value;
  // Numbers below the smallest normal one have its exponent.
  int exponent = std::max(std::ilogb(value), 1 - format.maxExponent);
  int unitExponent = exponent - (format.precision - 1);
  // Scaling by a power of two is exact; nearbyint rounds to nearest, ties to
  // even.
  double rounded =
      std::ldexp(std::nearbyint(std::ldexp(value, -unitExponent)), unitExponent);
  if (std::ilogb(rounded) > format.maxExponent && rounded != 0)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return rounded;
}

double tcc::roundTo(Type type, double value) {
  std::optional<Format> format = formatOf(type);
  return format ? roundToFormat(*format, value) : value;
}

void tcc::roundAll(Type type, llvm::MutableArrayRef<double> values) {
  std::optional<Format> format = formatOf(type);
  if (!format)
    return;
  for (double &value : values)
    value = roundToFormat(*format, value);
}
