// Values of PTX types as text and as bytes.

#include "tools/ptxsim/run/Values.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ptxrun {

/// Names that are not a letter and a number of bits.
struct NamedFloat {
  const char *name;
  unsigned bytes, exponentBits, mantissaBits;
};

static const NamedFloat floats[] = {
    {"f64", 8, 11, 52}, {"f32", 4, 8, 23}, {"f16", 2, 5, 10},
    {"bf16", 2, 8, 7},  {"e4m3", 1, 4, 3}, {"e5m2", 1, 5, 2},
};

bool findType(const std::string &name, ValueType &type) {
  for (const NamedFloat &format : floats)
    if (name == format.name) {
      type = {ValueType::Kind::Float, format.bytes, format.exponentBits,
              format.mantissaBits};
      return true;
    }
  for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
    std::string bits = std::to_string(8 * bytes);
    if (name == "u" + bits)
      type = {ValueType::Kind::Unsigned, bytes, 0, 0};
    else if (name == "s" + bits)
      type = {ValueType::Kind::Signed, bytes, 0, 0};
    else if (name == "b" + bits)
      type = {ValueType::Kind::Bits, bytes, 0, 0};
    else
      continue;
    return true;
  }
  return false;
}

static void appendBits(uint64_t bits, unsigned count,
                       std::vector<uint8_t> &bytes) {
  for (unsigned i = 0; i < count; ++i)
    bytes.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}

/// True for e4m3, which has no infinities and one NaN.
static bool isFinite8(const ValueType &type) {
  return type.bytes == 1 && type.exponentBits == 4;
}

/// Returns the bits of `value` in `type`.
static uint64_t encode(double value, const ValueType &type) {
  uint64_t sign = std::signbit(value) ? uint64_t(1) << (8 * type.bytes - 1) : 0;
  uint64_t allOnes = (uint64_t(1) << type.exponentBits) - 1;
  uint64_t infinity = allOnes << type.mantissaBits;
  if (std::isnan(value))
    return sign | (isFinite8(type)
                       ? 0x7f
                       : infinity | uint64_t(1) << (type.mantissaBits - 1));
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign;
  int bias = (1 << (type.exponentBits - 1)) - 1;
  if (std::isinf(value))
    return sign | (isFinite8(type) ? 0x7f : infinity);
  int exponent = std::max(std::ilogb(magnitude), 1 - bias);
  // nearbyint rounds ties to even in the default mode.
  double units = std::nearbyint(
      std::scalbn(magnitude, static_cast<int>(type.mantissaBits) - exponent));
  uint64_t bits = static_cast<uint64_t>(units);
  // A carry out of the mantissa is a carry into the exponent.
  bits += static_cast<uint64_t>(exponent + bias - 1) << type.mantissaBits;
  uint64_t largest = isFinite8(type) ? 0x7e : infinity;
  return sign | (bits > largest ? (isFinite8(type) ? 0x7f : infinity) : bits);
}

static double decode(uint64_t bits, const ValueType &type) {
  uint64_t mantissa = bits & ((uint64_t(1) << type.mantissaBits) - 1);
  uint64_t allOnes = (uint64_t(1) << type.exponentBits) - 1;
  uint64_t exponent = (bits >> type.mantissaBits) & allOnes;
  bool negative = (bits >> (8 * type.bytes - 1)) & 1;
  int bias = (1 << (type.exponentBits - 1)) - 1;
  double value = 0;
  if (isFinite8(type) ? (bits & 0x7f) == 0x7f : exponent == allOnes)
    value = mantissa == 0 ? HUGE_VAL : std::nan("");
  else if (exponent == 0)
    value = std::scalbn(double(mantissa), 1 - bias - int(type.mantissaBits));
  else
    value = std::scalbn(double(mantissa + (uint64_t(1) << type.mantissaBits)),
                        static_cast<int>(exponent) - bias -
                            static_cast<int>(type.mantissaBits));
  return negative ? -value : value;
}

void appendNumber(double value, const ValueType &type,
                  std::vector<uint8_t> &bytes) {
  if (type.kind == ValueType::Kind::Float)
    appendBits(encode(value, type), type.bytes, bytes);
  else if (value < 0)
    appendBits(static_cast<uint64_t>(static_cast<int64_t>(value)), type.bytes,
               bytes);
  else
    appendBits(static_cast<uint64_t>(value), type.bytes, bytes);
}

/// Reads all of `text` as bits in base `base`.
static bool readBits(const std::string &text, int base, uint64_t &bits) {
  if (text.empty() || text[0] == '-' || text[0] == '+' || text[0] == ' ')
    return false;
  char *end = nullptr;
  errno = 0;
  bits = std::strtoull(text.c_str(), &end, base);
  return *end == 0 && errno == 0;
}

static bool appendFloat(const std::string &text, const ValueType &type,
                        std::vector<uint8_t> &bytes) {
  std::string prefix = text.substr(0, 2);
  uint64_t bits = 0;
  if (prefix == "0x" || prefix == "0f" || prefix == "0d") {
    if (!readBits(text.substr(2), 16, bits))
      return false;
    if (prefix == "0x") {
      appendBits(bits, type.bytes, bytes);
    } else {
      ValueType from = prefix == "0f" ? ValueType{type.kind, 4, 8, 23}
                                      : ValueType{type.kind, 8, 11, 52};
      appendBits(encode(decode(bits, from), type), type.bytes, bytes);
    }
    return true;
  }
  if (text.empty() || text[0] == ' ')
    return false;
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (*end != 0)
    return false;
  appendBits(encode(value, type), type.bytes, bytes);
  return true;
}

bool appendValue(const std::string &text, const ValueType &type,
                 std::vector<uint8_t> &bytes) {
  if (type.kind == ValueType::Kind::Float)
    return appendFloat(text, type, bytes);
  bool negative = !text.empty() && text[0] == '-';
  uint64_t bits = 0;
  if (!readBits(negative ? text.substr(1) : text, 0, bits))
    return false;
  unsigned width = 8 * type.bytes;
  if (width < 64 && bits >> width != 0)
    return false;
  if (negative && bits > uint64_t(1) << (width - 1))
    return false;
  appendBits(negative ? 0 - bits : bits, type.bytes, bytes);
  return true;
}

/// Prints formats narrower than f32 as f32: the shortest text that tells one
/// value of few bits from the next would hide what it is.
static std::string printFloat(double value, const ValueType &narrow) {
  ValueType type = narrow;
  if (narrow.bytes < 4)
    findType("f32", type);
  if (std::isnan(value))
    return std::signbit(value) ? "-nan" : "nan";
  char text[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof(text), "%.*g", digits, value);
    if (encode(std::strtod(text, nullptr), type) == encode(value, type))
      break;
  }
  return text;
}

std::string printValue(const uint8_t *bytes, const ValueType &type) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < type.bytes; ++i)
    bits |= uint64_t(bytes[i]) << (8 * i);
  char text[32];
  unsigned unused = 64 - 8 * type.bytes;
  switch (type.kind) {
  case ValueType::Kind::Unsigned:
    return std::to_string(bits);
  case ValueType::Kind::Signed:
    return std::to_string(static_cast<int64_t>(bits << unused) >> unused);
  case ValueType::Kind::Bits:
    std::snprintf(text, sizeof(text), "0x%0*llx", int(2 * type.bytes),
                  static_cast<unsigned long long>(bits));
    return text;
  case ValueType::Kind::Float:
    return printFloat(decode(bits, type), type);
  }
  return "";
}

} // namespace ptxrun
