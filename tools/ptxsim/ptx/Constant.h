// Numbers as PTX writes them, and the arithmetic of constant expressions.

#ifndef TCC_TOOLS_PTXSIM_PTX_CONSTANT_H
#define TCC_TOOLS_PTXSIM_PTX_CONSTANT_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ptxsim::ptx {

struct Constant {
  enum class Kind : uint8_t {
    Signed,
    Unsigned,
    Float,   ///< `bits` of an f64, from decimals.
    Float64, ///< `bits` of an f64, written 0d…; not for expressions.
    Float32, ///< `bits` of an f32, written 0f…; not for expressions.
  };
  Kind kind = Kind::Signed;
  uint64_t bits = 0;

  bool isInteger() const {
    return kind == Kind::Signed || kind == Kind::Unsigned;
  }
  bool isHexFloat() const {
    return kind == Kind::Float64 || kind == Kind::Float32;
  }
};

/// Reads a number of any syntax.
///
/// \returns null, or what was expected of `text`.
const char *readNumber(std::string_view text, Constant &result);

/// Returns how tightly the operator binds, from 1 (`||`) to 10 (`*`), or 0 if
/// `symbol` (see Token::symbol) is no binary operator.
unsigned precedenceOf(uint16_t symbol);

/// Computes `left symbol right`, wrapping integers to 64 bits.
///
/// \returns "", or "expected …, got …".
std::string evaluate(uint16_t symbol, const Constant &left,
                     const Constant &right, Constant &result);

/// Computes `+`, `-`, `!` or `~` of `value`, in place.
///
/// \returns "", or "expected …, got …".
std::string evaluateUnary(char symbol, Constant &value);

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_CONSTANT_H
