// Splits PTX text into tokens.

#ifndef TCC_TOOLS_PTXSIM_PTX_LEXER_H
#define TCC_TOOLS_PTXSIM_PTX_LEXER_H

#include "tools/ptxsim/ptx/Module.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ptxsim::ptx {

struct Token {
  enum class Kind : uint8_t {
    End,
    Name,    ///< `%r1`, `$L__BB0_2`, `add`, `_`
    DotWord, ///< `.visible`, `.shared::cta`, `.2d`; the text has the dot.
    Number,
    String, ///< With its quotes.
    Symbol, ///< Punctuation of one or two characters.
    Bad,    ///< A byte, comment or string that cannot be one of these.
  };
  Kind kind = Kind::End;
  /// Of a Symbol: its character, or `pairOf` its two.
  uint16_t symbol = 0;
  Location location;
  std::string_view text;

  bool is(char character) const { return symbol == uint8_t(character); }
  bool isDotWord() const { return kind == Kind::DotWord; }
  bool isName() const { return kind == Kind::Name; }
  bool isEnd() const { return kind == Kind::End; }
};

/// Token::symbol of `first` and `second` together, as in `<<`.
constexpr uint16_t pairOf(char first, char second) {
  return uint16_t(uint8_t(first) | uint8_t(second) << 8);
}

/// Names a token for a message: `'add'`, or "the end of the text".
std::string describe(const Token &token);

/// Quotes a name for a message; shortens what is too long to read and replaces
/// what is not printable.
std::string quote(std::string_view text);

/// Gives the tokens of `text` one by one. The text must outlive the tokens and
/// be followed by a zero byte, as that of a std::string is.
class Lexer {
public:
  explicit Lexer(std::string_view text);

  Token next();

  /// Reads a token again that began with a dot, as a number: `.5`.
  Token rereadAsNumber(const Token &dotWord);

private:
  /// Skips blanks, comments and line markers.
  /// \returns false at a comment without an end.
  bool skipBlanks();
  bool skipComment();
  void scanNumber();
  bool scanString();
  void scanDotWord();
  void startLine() {
    ++line;
    lineStart = position;
  }

  const char *position;
  const char *const end;
  const char *lineStart;
  uint32_t line = 1;
};

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_LEXER_H
