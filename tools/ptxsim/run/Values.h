// Values of PTX types as text and as bytes.

#ifndef TCC_TOOLS_PTXSIM_RUN_VALUES_H
#define TCC_TOOLS_PTXSIM_RUN_VALUES_H

#include <cstdint>
#include <string>
#include <vector>

namespace ptxrun {

/// A type of an argument: "u32", "bf16", ….
struct ValueType {
  enum class Kind : uint8_t { Unsigned, Signed, Bits, Float };
  Kind kind = Kind::Unsigned;
  unsigned bytes = 4;
  /// Of a float: bits of its exponent and mantissa.
  unsigned exponentBits = 0, mantissaBits = 0;
};

/// Finds the type called `name`.
bool findType(const std::string &name, ValueType &type);

/// Appends the bytes of the value that `text` says: a number in decimal or
/// 0x…; for floats also inf, nan, 0f… and 0d… as in PTX. A hexadecimal number
/// is the bits of a float.
bool appendValue(const std::string &text, const ValueType &type,
                 std::vector<uint8_t> &bytes);

/// Appends `value`, rounded to the nearest, ties to even.
void appendNumber(double value, const ValueType &type,
                  std::vector<uint8_t> &bytes);

/// Returns the value at `bytes` as the shortest text that reads back as it, for
/// formats narrower than f32 when read as f32.
std::string printValue(const uint8_t *bytes, const ValueType &type);

} // namespace ptxrun

#endif // TCC_TOOLS_PTXSIM_RUN_VALUES_H
