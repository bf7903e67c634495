// Splits PTX text into tokens.
//
// Source: PTX ISA 9.0, chapter 4 (syntax).

#include "tools/ptxsim/ptx/Lexer.h"

#include <array>
#include <cstring>

using namespace ptxsim::ptx;

namespace {
enum : uint8_t { NameStart = 1, NameFollow = 2, Digit = 4, Blank = 8 };
} // namespace

static constexpr std::array<uint8_t, 256> makeClasses() {
  std::array<uint8_t, 256> classes = {};
  for (unsigned c = 'a'; c <= 'z'; ++c)
    classes[c] = classes[c - 'a' + 'A'] = NameStart | NameFollow;
  for (unsigned c = '0'; c <= '9'; ++c)
    classes[c] = NameFollow | Digit;
  classes['_'] = classes['$'] = NameStart | NameFollow;
  // A `%` begins a name, but is an operator inside one.
  classes['%'] = NameStart;
  classes[' '] = classes['\t'] = classes['\r'] = classes['\f'] = classes['\v'] =
      classes['\n'] = Blank;
  return classes;
}

static constexpr std::array<uint8_t, 256> classes = makeClasses();

static bool isClass(char character, uint8_t wanted) {
  return (classes[uint8_t(character)] & wanted) != 0;
}

std::string ptxsim::ptx::quote(std::string_view text) {
  constexpr size_t longest = 60;
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string result = "'";
  for (char c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~')
      result += c;
    else
      (result += "\\x") += {hex[uint8_t(c) >> 4], hex[uint8_t(c) & 15]};
  }
  return result + (text.size() > longest ? "…'" : "'");
}

std::string ptxsim::ptx::describe(const Token &token) {
  return token.isEnd() ? "the end of the text" : quote(token.text);
}

Lexer::Lexer(std::string_view text)
    : position(text.data()), end(text.data() + text.size()),
      lineStart(text.data()) {}

bool Lexer::skipComment() {
  if (position[1] == '/') {
    const void *newline = std::memchr(position, '\n', size_t(end - position));
    position = newline ? static_cast<const char *>(newline) : end;
    return true;
  }
  uint32_t newLines = 0;
  const char *newStart = lineStart;
  for (const char *p = position + 2; p < end; ++p) {
    if (*p == '*' && p[1] == '/') {
      position = p + 2;
      line += newLines;
      lineStart = newStart;
      return true;
    }
    if (*p == '\n') {
      ++newLines;
      newStart = p + 1;
    }
  }
  return false; // The place stays that of its beginning.
}

bool Lexer::skipBlanks() {
  while (position < end) {
    char c = *position;
    if (c == '\n') {
      ++position;
      startLine();
    } else if (isClass(c, Blank)) {
      ++position;
    } else if (c == '/' && (position[1] == '/' || position[1] == '*')) {
      if (!skipComment())
        return false;
    } else if (c == '#' && position == lineStart && position[1] == ' ') {
      // `# 12 "file"`, which preprocessors leave.
      const void *newline = std::memchr(position, '\n', size_t(end - position));
      position = newline ? static_cast<const char *>(newline) : end;
    } else {
      break;
    }
  }
  return true;
}

/// Takes all that may belong to a number or follow it by mistake, so that a
/// message can show the whole of it.
void Lexer::scanNumber() {
  bool isHex = *position == '0' && std::memchr("xXfFdD", position[1], 6);
  while (isClass(*position, NameFollow) || *position == '.') {
    bool isExponent = !isHex && (*position == 'e' || *position == 'E');
    ++position;
    if (isExponent && (*position == '+' || *position == '-'))
      ++position;
  }
}

/// \returns false if the line ends before the string does.
bool Lexer::scanString() {
  for (const char *p = position + 1; p < end && *p != '\n'; ++p) {
    if (*p == '\\' && p + 1 < end && p[1] != '\n') {
      ++p;
    } else if (*p == '"') {
      position = p + 1;
      return true;
    }
  }
  return false;
}

void Lexer::scanDotWord() {
  for (++position; isClass(*position, NameFollow);) {
    ++position;
    // `::` joins words only if one follows.
    if (*position == ':' && position[1] == ':' &&
        isClass(position[2], NameFollow))
      position += 2;
  }
}

Token Lexer::rereadAsNumber(const Token &dotWord) {
  position = dotWord.text.data();
  scanNumber();
  Token token = dotWord;
  token.kind = Token::Kind::Number;
  token.text = {dotWord.text.data(), size_t(position - dotWord.text.data())};
  return token;
}

Token Lexer::next() {
  Token token;
  bool closed = skipBlanks();
  const char *start = position;
  token.location = {line, uint32_t(start - lineStart) + 1};
  if (!closed) {
    token.kind = Token::Kind::Bad;
    token.text = {start, 2};
    position = end;
    return token;
  }
  if (start == end) {
    token.text = {start, 0};
    return token;
  }
  char c = *start;
  if (isClass(c, NameStart) && (c != '%' || isClass(start[1], NameFollow))) {
    for (++position; isClass(*position, NameFollow);)
      ++position;
    token.kind = Token::Kind::Name;
  } else if (c == '.' && isClass(start[1], NameFollow)) {
    scanDotWord();
    token.kind = Token::Kind::DotWord;
  } else if (isClass(c, Digit)) {
    scanNumber();
    token.kind = Token::Kind::Number;
  } else if (c == '"') {
    token.kind = scanString() ? Token::Kind::String : Token::Kind::Bad;
    position += token.kind == Token::Kind::Bad;
  } else if (std::memchr(";,{}()[]<>:=+-*/%@!|&^~?", c, 24)) {
    bool twice = start[1] == c && std::memchr("<>|&=", c, 5);
    bool compares = start[1] == '=' && std::memchr("<>!=", c, 4);
    bool isPair = twice || compares;
    position += isPair ? 2 : 1;
    token.kind = Token::Kind::Symbol;
    token.symbol = isPair ? pairOf(c, start[1]) : uint16_t(uint8_t(c));
  } else {
    token.kind = Token::Kind::Bad;
    ++position;
  }
  token.text = {start, size_t(position - start)};
  return token;
}
