// Formats of the `plan` ops. What they reject is in PlanVerifiers.cpp.

#include "dialects/plan/Plan.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tcc::plan;

/// Parses `a, b`.
static ParseResult parseRange(OpAsmParser &parser, DenseI64ArrayAttr &range) {
  int64_t first, second;
  if (parser.parseInteger(first) || parser.parseComma() ||
      parser.parseInteger(second))
    return failure();
  range = parser.getBuilder().getDenseI64ArrayAttr({first, second});
  return success();
}

static void printRange(OpAsmPrinter &printer, Operation *,
                       DenseI64ArrayAttr range) {
  printer << range[0] << ", " << range[1];
}

/// Parses `a, b, ...`.
static ParseResult parseNumbers(OpAsmParser &parser, DenseI64ArrayAttr &numbers) {
  SmallVector<int64_t> values;
  auto parseOne = [&] { return parser.parseInteger(values.emplace_back()); };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::None, parseOne))
    return failure();
  numbers = parser.getBuilder().getDenseI64ArrayAttr(values);
  return success();
}

static void printNumbers(OpAsmPrinter &printer, Operation *,
                         DenseI64ArrayAttr numbers) {
  llvm::interleaveComma(numbers.asArrayRef(), printer);
}

/// Parses `[], [a, b]`.
static ParseResult parseLists(OpAsmParser &parser, ArrayAttr &lists) {
  SmallVector<Attribute> values;
  auto parseOne = [&]() -> ParseResult {
    Attribute list = DenseI64ArrayAttr::parse(parser, Type());
    values.push_back(list);
    return success(bool(list));
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::None, parseOne))
    return failure();
  lists = parser.getBuilder().getArrayAttr(values);
  return success();
}

static void printLists(OpAsmPrinter &printer, Operation *, ArrayAttr lists) {
  llvm::interleaveComma(lists.getAsRange<DenseI64ArrayAttr>(), printer,
                        [&](DenseI64ArrayAttr list) { list.print(printer); });
}

/// Of the terms of an expression behind the constant.
static constexpr const char *sizeLetters[] = {"T", "B", "R", "X", "A", "E"};
static constexpr size_t sizeCount = std::size(sizeLetters);
static_assert(sizeCount + 1 == termCount);

/// Parses `2304 T + 64`: a sum of a constant and of multiples of sizes.
static ParseResult parseExpression(OpAsmParser &parser,
                                   DenseI64ArrayAttr &expression) {
  std::array<int64_t, termCount> terms = {};
  do {
    int64_t value;
    if (parser.parseInteger(value))
      return failure();
    size_t size = 0;
    while (size < sizeCount &&
           failed(parser.parseOptionalKeyword(sizeLetters[size])))
      ++size;
    terms[size == sizeCount ? 0 : size + 1] += value;
  } while (succeeded(parser.parseOptionalPlus()));
  expression = parser.getBuilder().getDenseI64ArrayAttr(terms);
  return success();
}

static void printExpression(OpAsmPrinter &printer, Operation *,
                            DenseI64ArrayAttr expression) {
  SmallVector<std::string> terms;
  for (size_t size = 0; size < sizeCount; ++size)
    if (expression[size + 1] != 0)
      terms.push_back(std::to_string(expression[size + 1]) + " " +
                      sizeLetters[size]);
  if (expression[0] != 0 || terms.empty())
    terms.push_back(std::to_string(expression[0]));
  printer << llvm::join(terms, " + ");
}

/// Parses `@a, @b`.
static ParseResult parseArguments(OpAsmParser &parser, ArrayAttr &arguments) {
  SmallVector<Attribute> symbols;
  auto parseOne = [&]() -> ParseResult {
    FlatSymbolRefAttr symbol;
    if (parser.parseAttribute(symbol))
      return failure();
    symbols.push_back(symbol);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::None, parseOne))
    return failure();
  arguments = parser.getBuilder().getArrayAttr(symbols);
  return success();
}

static void printArguments(OpAsmPrinter &printer, Operation *,
                           ArrayAttr arguments) {
  llvm::interleaveComma(arguments, printer);
}

tcc::transformer::Halves WeightOp::getRowOrder(size_t index) {
  if (!getHalves())
    return {};
  return tcc::transformer::Halves(
      cast<DenseI64ArrayAttr>((*getHalves())[index]));
}

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"
