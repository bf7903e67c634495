// Constant expressions.
//
// Source: PTX ISA 9.0, section 4.5 (constants).

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

bool ModuleParser::startsConstant() const {
  return token.kind == Token::Kind::Number || token.is('-') || token.is('+') ||
         token.is('~') || token.is('(') ||
         (token.isDotWord() && token.text[1] >= '0' && token.text[1] <= '9') ||
         (token.isName() && token.text == "WARP_SZ");
}

bool ModuleParser::parseConstant(Constant &result) {
  expressionDepth = 0;
  return parseConditional(result);
}

bool ModuleParser::parseIntegerConstant(std::string_view what, uint64_t &bits) {
  Constant constant;
  Location location = token.location;
  if (!parseConstant(constant))
    return false;
  bits = constant.bits;
  return constant.isInteger() ||
         fail(location,
              "expected an integer as " + std::string(what) + ", got a float");
}

bool ModuleParser::parseConditional(Constant &result) {
  if (!parseUnary(result) || !parseBinary(result, 1))
    return false;
  if (!token.is('?'))
    return true;
  Location location = token.location;
  if (++expressionDepth > maxExpressionDepth || !result.isInteger())
    return fail(location,
                result.isInteger()
                    ? "expected an expression of at most 64 levels, got more"
                    : "expected an integer before '?', got a float");
  advance();
  Constant first, second;
  if (!parseConditional(first) || !expect(':', "of '?'") ||
      !parseConditional(second))
    return false;
  --expressionDepth;
  // Both sides convert to a common type, as they do for operators.
  Constant common;
  if (std::string error = evaluate(':', first, second, common); !error.empty())
    return fail(location, std::move(error));
  result = {common.kind, result.bits ? first.bits : second.bits};
  return true;
}

/// Goes on after the operand `left` with operators that bind at least as
/// tightly as `least`.
bool ModuleParser::parseBinary(Constant &left, unsigned least) {
  for (;;) {
    uint16_t symbol = token.symbol;
    unsigned precedence = precedenceOf(symbol);
    if (precedence < least || precedence == 0)
      return true;
    Token sign = token;
    advance();
    Constant right;
    if (!parseUnary(right) || !parseBinary(right, precedence + 1))
      return false;
    std::string error = evaluate(symbol, left, right, left);
    if (!error.empty())
      return fail(sign.location, std::move(error));
  }
}

bool ModuleParser::parseUnary(Constant &result) {
  if (!token.is('-') && !token.is('+') && !token.is('~') && !token.is('!'))
    return parsePrimary(result);
  Token sign = token;
  if (++expressionDepth > maxExpressionDepth)
    return fail(sign.location,
                "expected an expression of at most 64 levels, got more");
  advance();
  if (!parseUnary(result))
    return false;
  --expressionDepth;
  std::string error = evaluateUnary(sign.text[0], result);
  return error.empty() || fail(sign.location, std::move(error));
}

bool ModuleParser::parsePrimary(Constant &result) {
  if (token.isDotWord() && token.text[1] >= '0' && token.text[1] <= '9')
    token = lexer.rereadAsNumber(token);
  if (token.kind == Token::Kind::Number) {
    if (const char *expected = readNumber(token.text, result))
      return failExpected(expected);
    advance();
    return true;
  }
  if (token.isName() && token.text == "WARP_SZ") {
    result = {Constant::Kind::Signed, warpSize};
    advance();
    return true;
  }
  if (!token.is('('))
    return failExpected("a constant");
  if (++expressionDepth > maxExpressionDepth)
    return fail(token.location,
                "expected an expression of at most 64 levels, got more");
  advance();
  if (token.isDotWord() && (token.text == ".s64" || token.text == ".u64"))
    return parseCast(result);
  if (!parseConditional(result))
    return false;
  --expressionDepth;
  return expect(')', "at the end of the expression");
}

/// The rest of `(.u64) operand`.
bool ModuleParser::parseCast(Constant &result) {
  bool isSigned = token.text == ".s64";
  Token type = token;
  advance();
  if (!expect(')', "after the type") || !parseUnary(result))
    return false;
  --expressionDepth;
  if (!result.isInteger())
    return fail(type.location, "expected an integer after the cast to " +
                                   quote(type.text) + ", got a float");
  result.kind = isSigned ? Constant::Kind::Signed : Constant::Kind::Unsigned;
  return true;
}
