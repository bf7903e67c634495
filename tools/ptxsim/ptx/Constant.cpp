// Numbers as PTX writes them, and the arithmetic of constant expressions.
//
// Source: PTX ISA 9.0, sections 4.5.1 to 4.5.5.

#include "tools/ptxsim/ptx/Constant.h"

#include "tools/ptxsim/ptx/Lexer.h"

#include <charconv>
#include <cstring>

using namespace ptxsim::ptx;
using Kind = Constant::Kind;

static double toDouble(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint64_t toBits(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// Reads `0f` and `0d` with exactly 8 and 16 digits.
static const char *readHexFloat(std::string_view digits, bool isWide,
                                Constant &result) {
  result.kind = isWide ? Kind::Float64 : Kind::Float32;
  auto [stop, error] = std::from_chars(
      digits.data(), digits.data() + digits.size(), result.bits, 16);
  bool whole = error == std::errc() && stop == digits.data() + digits.size();
  if (whole && digits.size() == (isWide ? 16 : 8))
    return nullptr;
  return isWide ? "16 hexadecimal digits after '0d'"
                : "8 hexadecimal digits after '0f'";
}

static const char *readDecimalFloat(std::string_view text, Constant &result) {
  double value = 0;
  // from_chars takes neither a leading nor, in all libraries, a trailing dot
  // before the exponent; both are tested for.
  auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  result.kind = Kind::Float;
  result.bits = toBits(value);
  if (stop != text.data() + text.size() || error == std::errc::invalid_argument)
    return "a number";
  // Out of range: too large, or so small that it is zero.
  return error == std::errc() ? nullptr : "a number in the range of an f64";
}

static const char *readInteger(std::string_view digits, int base,
                               bool isUnsigned, Constant &result) {
  const char *expected = base == 16  ? "hexadecimal digits after '0x'"
                         : base == 8 ? "octal digits after '0'"
                         : base == 2 ? "binary digits after '0b'"
                                     : "a number";
  auto [stop, error] = std::from_chars(
      digits.data(), digits.data() + digits.size(), result.bits, base);
  if (stop != digits.data() + digits.size() || digits.empty() ||
      error == std::errc::invalid_argument)
    return expected;
  result.kind =
      isUnsigned || int64_t(result.bits) < 0 ? Kind::Unsigned : Kind::Signed;
  return error == std::errc() ? nullptr : "an integer of at most 64 bits";
}

const char *ptxsim::ptx::readNumber(std::string_view text, Constant &result) {
  char prefix = text.size() > 1 && text[0] == '0' ? text[1] : 0;
  if (prefix == 'f' || prefix == 'F' || prefix == 'd' || prefix == 'D')
    return readHexFloat(text.substr(2), (prefix | 0x20) == 'd', result);
  bool isHex = prefix == 'x' || prefix == 'X';
  bool isBinary = prefix == 'b' || prefix == 'B';
  if (!isHex && !isBinary &&
      text.find_first_of(".eE") != std::string_view::npos)
    return readDecimalFloat(text, result);
  bool isUnsigned = !text.empty() && text.back() == 'U';
  if (isUnsigned)
    text.remove_suffix(1);
  if (isHex || isBinary)
    return readInteger(text.substr(2), isHex ? 16 : 2, isUnsigned, result);
  bool isOctal = text.size() > 1 && text[0] == '0';
  return readInteger(text, isOctal ? 8 : 10, isUnsigned, result);
}

unsigned ptxsim::ptx::precedenceOf(uint16_t symbol) {
  switch (symbol) {
  case '*':
  case '/':
  case '%':
    return 10;
  case '+':
  case '-':
    return 9;
  case pairOf('<', '<'):
  case pairOf('>', '>'):
    return 8;
  case '<':
  case '>':
  case pairOf('<', '='):
  case pairOf('>', '='):
    return 7;
  case pairOf('=', '='):
  case pairOf('!', '='):
    return 6;
  case '&':
    return 5;
  case '^':
    return 4;
  case '|':
    return 3;
  case pairOf('&', '&'):
    return 2;
  case pairOf('|', '|'):
    return 1;
  default:
    return 0;
  }
}

/// Computes the operators that both kinds of numbers have.
/// \returns false if `symbol` is none of them.
template <typename T>
static bool compare(uint16_t symbol, T left, T right, bool &result) {
  switch (symbol) {
  case '<':
    result = left < right;
    return true;
  case '>':
    result = left > right;
    return true;
  case pairOf('<', '='):
    result = left <= right;
    return true;
  case pairOf('>', '='):
    result = left >= right;
    return true;
  case pairOf('=', '='):
    result = left == right;
    return true;
  case pairOf('!', '='):
    result = left != right;
    return true;
  default:
    return false;
  }
}

/// "expected `what` at '+', got `got`"
static std::string atOperator(std::string_view what, uint16_t symbol,
                              std::string_view got) {
  std::string result = "expected ";
  (result += what) += " at '";
  result += char(symbol & 0xFF);
  if (symbol > 0xFF)
    result += char(symbol >> 8);
  return (result += "', got ") += got;
}

static std::string evaluateFloats(uint16_t symbol, double left, double right,
                                  Constant &result) {
  bool holds = false;
  if (compare(symbol, left, right, holds)) {
    result = {Kind::Signed, holds};
    return "";
  }
  double value = 0;
  switch (symbol) {
  case '+':
    value = left + right;
    break;
  case '-':
    value = left - right;
    break;
  case '*':
    value = left * right;
    break;
  case '/':
    value = left / right;
    break;
  default:
    return atOperator("integers", symbol, "floats");
  }
  result = {Kind::Float, toBits(value)};
  return "";
}

static std::string divide(bool isRemainder, bool isSigned, uint64_t left,
                          uint64_t right, Constant &result) {
  if (right == 0)
    return atOperator("a divisor other than 0", isRemainder ? '%' : '/', "0");
  result.kind = isSigned ? Kind::Signed : Kind::Unsigned;
  if (isSigned && right == ~uint64_t(0)) // INT64_MIN / -1 wraps.
    result.bits = isRemainder ? 0 : 0 - left;
  else if (isSigned)
    result.bits = isRemainder ? uint64_t(int64_t(left) % int64_t(right))
                              : uint64_t(int64_t(left) / int64_t(right));
  else
    result.bits = isRemainder ? left % right : left / right;
  return "";
}

/// Shifts as `left`'s signedness says; a count above 63 shifts all out.
static Constant shift(bool isLeft, const Constant &left, uint64_t count) {
  bool isNegative = left.kind == Kind::Signed && int64_t(left.bits) < 0;
  uint64_t sign = isNegative ? ~uint64_t(0) : 0;
  if (count > 63)
    return {left.kind, isLeft ? 0 : sign};
  if (isLeft)
    return {left.kind, left.bits << count};
  return {left.kind, left.bits >> count | (count ? sign << (64 - count) : 0)};
}

/// Computes the operators whose operands are converted to a common type.
static uint64_t evaluateArithmetic(uint16_t symbol, uint64_t left,
                                   uint64_t right) {
  switch (symbol) {
  case '*':
    return left * right;
  case '+':
    return left + right;
  case '-':
    return left - right;
  case '&':
    return left & right;
  case '|':
    return left | right;
  case '^':
    return left ^ right;
  default:
    return 0; // There are no others; `?:` wants the type alone.
  }
}

static std::string evaluateIntegers(uint16_t symbol, const Constant &left,
                                    const Constant &right, Constant &result) {
  bool isSigned = left.kind == Kind::Signed && right.kind == Kind::Signed;
  uint64_t a = left.bits, b = right.bits;
  bool holds = false;
  if (isSigned ? compare(symbol, int64_t(a), int64_t(b), holds)
               : compare(symbol, a, b, holds)) {
    result = {Kind::Signed, holds};
    return "";
  }
  switch (symbol) {
  case '/':
  case '%':
    return divide(symbol == '%', isSigned, a, b, result);
  case pairOf('<', '<'):
  case pairOf('>', '>'):
    result = shift(symbol == pairOf('<', '<'), left, b);
    return "";
  case pairOf('&', '&'):
    result = {Kind::Signed, a && b};
    return "";
  case pairOf('|', '|'):
    result = {Kind::Signed, a || b};
    return "";
  default:
    result = {isSigned ? Kind::Signed : Kind::Unsigned,
              evaluateArithmetic(symbol, a, b)};
    return "";
  }
}

std::string ptxsim::ptx::evaluate(uint16_t symbol, const Constant &left,
                                  const Constant &right, Constant &result) {
  if (left.isHexFloat() || right.isHexFloat())
    return atOperator("no '0f' or '0d' number", symbol, "one");
  if (left.isInteger() != right.isInteger())
    return atOperator("two integers or two floats", symbol, "one of each");
  if (left.isInteger())
    return evaluateIntegers(symbol, left, right, result);
  return evaluateFloats(symbol, toDouble(left.bits), toDouble(right.bits),
                        result);
}

std::string ptxsim::ptx::evaluateUnary(char symbol, Constant &value) {
  if (value.isHexFloat())
    return atOperator("no '0f' or '0d' number", uint8_t(symbol), "one");
  if (!value.isInteger()) {
    if (symbol != '+' && symbol != '-')
      return atOperator("an integer", uint8_t(symbol), "a float");
    value.bits ^= symbol == '-' ? uint64_t(1) << 63 : 0;
    return "";
  }
  if (symbol == '-')
    value.bits = 0 - value.bits;
  else if (symbol == '~')
    value.bits = ~value.bits;
  else if (symbol == '!')
    value = {Kind::Signed, value.bits == 0};
  return "";
}
