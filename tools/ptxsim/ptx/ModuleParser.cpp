// Tokens, errors and recovery of the parser.

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

ModuleParser::ModuleParser(Module &module, Diagnostics &diagnostics)
    : module(module), diagnostics(diagnostics), lexer(module.text),
      lastEnd(module.text.data()) {
  token = lexer.next();
}

void ModuleParser::advance() {
  openBraces += token.is('{');
  openBraces -= token.is('}');
  lastEnd = token.text.data() + token.text.size();
  token = lexer.next();
}

bool ModuleParser::accept(char symbol) {
  if (!token.is(symbol))
    return false;
  advance();
  return true;
}

bool ModuleParser::acceptWord(std::string_view dotWord) {
  if (!token.isDotWord() || token.text != dotWord)
    return false;
  advance();
  return true;
}

bool ModuleParser::expect(char symbol, std::string_view where) {
  if (accept(symbol))
    return true;
  std::string what = quote({&symbol, 1});
  (what += ' ') += where;
  return failExpected(what);
}

bool ModuleParser::failExpected(std::string_view what) {
  bool isOpen = token.kind == Token::Kind::Bad;
  if (isOpen && token.text == "/*")
    return fail(token.location,
                "expected '*/' after '/*', got the end of the text");
  if (isOpen && token.text == "\"")
    return fail(token.location,
                "expected '\"' after '\"', got the end of the line");
  return fail(token.location,
              "expected " + std::string(what) + ", got " + describe(token));
}

bool ModuleParser::fail(Location location, std::string message) {
  diagnostics.add(location, std::move(message));
  return false;
}

/// Skips to the end of the `{ }` that comes next or is open.
void ModuleParser::skipBlock() {
  int outside = statementBraces;
  do
    advance();
  while (!token.isEnd() && openBraces > outside);
}

void ModuleParser::recover(Level level) {
  while (!token.isEnd()) {
    if (token.is(';')) {
      advance();
      break;
    }
    bool isInside = openBraces > statementBraces;
    if (token.is('}') && !isInside && level == Level::Body)
      break;
    if ((token.is('{') || isInside) && level == Level::Module) {
      skipBlock();
      accept(';');
      break;
    }
    advance();
  }
  openBraces = statementBraces;
}

bool ModuleParser::expectName(std::string_view what, Token &name) {
  if (!token.isName())
    return failExpected(what);
  name = token;
  advance();
  return true;
}

bool ModuleParser::needVersion(Location location, Version version,
                               std::string_view feature) {
  std::string message = checkVersion(module, version, feature);
  return message.empty() || fail(location, std::move(message));
}

bool ModuleParser::failRange(Location location, std::string_view what,
                             uint64_t least, uint64_t most,
                             std::string_view got) {
  std::string message = "expected ";
  (message += what) += " from ";
  (message += std::to_string(least)) += " to ";
  (message += std::to_string(most)) += ", got ";
  return fail(location, message += got);
}

bool ModuleParser::expectInteger(std::string_view what, uint64_t least,
                                 uint64_t most, uint64_t &value) {
  Constant constant;
  bool isWarpSize = token.isName() && token.text == "WARP_SZ";
  if (token.kind != Token::Kind::Number && !isWarpSize)
    return failExpected(what);
  const char *expected =
      isWarpSize ? nullptr : readNumber(token.text, constant);
  if (expected)
    return failExpected(expected);
  if (isWarpSize)
    constant.bits = warpSize;
  if (!constant.isInteger())
    return failExpected(what);
  value = constant.bits;
  if (value < least || value > most)
    return failRange(token.location, what, least, most, quote(token.text));
  advance();
  return true;
}
