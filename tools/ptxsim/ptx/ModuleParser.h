// The parser's state and grammar; one source file for each part of the grammar.
//
// Every function that returns bool returns false after it has reported an
// error; the statement is then skipped. Nothing recurses over what the input
// nests, except constant expressions, whose depth is limited.

#ifndef TCC_TOOLS_PTXSIM_PTX_MODULEPARSER_H
#define TCC_TOOLS_PTXSIM_PTX_MODULEPARSER_H

#include "tools/ptxsim/ptx/Constant.h"
#include "tools/ptxsim/ptx/Diagnostics.h"
#include "tools/ptxsim/ptx/Lexer.h"
#include "tools/ptxsim/ptx/Module.h"
#include "tools/ptxsim/ptx/Symbols.h"
#include "tools/ptxsim/ptx/Version.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ptxsim::ptx {

class ModuleParser {
public:
  ModuleParser(Module &module, Diagnostics &diagnostics);

  void parse();

private:
  //===--- Limits: what no program needs, and what a number may not ask for ---

  static constexpr uint64_t warpSize = 32;
  static constexpr uint64_t maxVariableBytes = uint64_t(1) << 40;
  static constexpr uint64_t maxRegisterRange = uint64_t(1) << 24;
  static constexpr uint32_t maxAlignment = uint32_t(1) << 20;
  static constexpr uint32_t maxScopes = 256;
  static constexpr unsigned maxExpressionDepth = 64;
  static constexpr size_t maxDimensions = 16;
  /// Zeros between initial values, in the whole module.
  static constexpr uint64_t maxFilledBytes = uint64_t(8) << 20;
  /// Labels that `.branchtargets L<n>` stand for, in the whole module.
  static constexpr uint64_t maxLabelRanges = uint64_t(1) << 16;

  //===--- Tokens (ModuleParser.cpp) ------------------------------------------

  /// What a statement is part of; says where the next one begins.
  enum class Level { Module, Body };

  void advance();
  bool accept(char symbol);
  bool acceptWord(std::string_view dotWord);
  bool expect(char symbol, std::string_view where);
  /// Reports "expected `what`, got" the current token.
  bool failExpected(std::string_view what);
  bool fail(Location location, std::string message);
  /// Skips the rest of a wrong statement.
  void recover(Level level);
  void skipBlock();
  bool expectName(std::string_view what, Token &name);
  /// Reads an integer literal of at least `least` and at most `most`.
  bool expectInteger(std::string_view what, uint64_t least, uint64_t most,
                     uint64_t &value);
  bool failRange(Location location, std::string_view what, uint64_t least,
                 uint64_t most, std::string_view got);

  /// Fails if the module is older than what has `feature`.
  bool needVersion(Location location, Version version,
                   std::string_view feature);

  //===--- Modules (ParseModule.cpp) ------------------------------------------

  bool parseVersion();
  bool parseTarget();
  bool checkTarget(const Token &target);
  bool parseAddressSize();
  bool parseModuleStatement();
  bool parseLinked();
  bool parseFile();
  bool parseSection();
  bool parseAlias();
  bool parseModulePragma();
  void resolveAliases();

  //===--- Variables (ParseVariable.cpp) --------------------------------------

  struct Linkage {
    bool isExternal = false, isVisible = false, isWeak = false;
    bool isCommon = false;
  };
  /// What stands before the name of a variable, register or parameter.
  struct Qualifiers {
    Variable variable; ///< With space, type, alignment, attributes.
    bool hasSpace = false, hasType = false, hasAlignment = false;
  };
  bool parseQualifiers(Qualifiers &qualifiers, bool isParameter);
  bool parseQualifier(Qualifiers &qualifiers, bool isParameter);
  bool parseSpaceOrType(Qualifiers &qualifiers, bool isParameter);
  bool parseAlignment(Qualifiers &qualifiers);
  bool parseAttributes(Qualifiers &qualifiers);
  bool checkType(const Qualifiers &qualifiers, Location location);
  /// `.reg …` and variables, of the module (function null) or of a function.
  bool parseDeclaration(const Linkage &linkage);
  bool parseRegisters(const Qualifiers &qualifiers);
  bool parseVariables(const Qualifiers &qualifiers);
  bool parseVariable(Variable variable);
  /// `[2][3]`; `dimensions` may begin with 0 for `[]`.
  bool parseDimensions(std::vector<uint64_t> &dimensions);
  bool sizeVariable(Variable &variable,
                    const std::vector<uint64_t> &dimensions);
  bool declareVariable(Variable variable);
  bool declareName(const Token &name, const Binding &binding);
  bool redeclareVariable(Variable &earlier, Variable &variable);
  bool failDeclared(Location location, std::string_view name, Location earlier);

  //===--- Initial values (ParseInitialiser.cpp) ------------------------------

  bool parseInitialiser(Variable &variable, std::vector<uint64_t> dimensions);
  bool parseInitialList(Variable &variable,
                        const std::vector<uint64_t> &dimensions);
  bool parseInitialValue(Variable &variable, uint64_t offset);
  bool parseInitialSymbol(Variable &variable, Relocation relocation);
  bool parseMaskedSymbol(Variable &variable, const Constant &mask,
                         Location location, uint64_t offset);
  bool storeInitial(Variable &variable, uint64_t offset, const Constant &value,
                    Location location);
  bool writeInitial(Variable &variable, uint64_t offset, uint64_t bits,
                    Location location);

  //===--- Functions (ParseFunction.cpp) --------------------------------------

  bool parseFunction(const Linkage &linkage);
  bool parseParameters(bool isEntry, std::vector<Variable> &parameters);
  bool parseParameter(bool isEntry, Variable &parameter);
  bool parseFunctionDirectives(Function &header);
  bool parseFunctionDirective(Function &header);
  bool parseKernelDirective(Function &header);
  bool checkDirectives(const Function &header);
  bool parseThreads(std::array<uint32_t, 3> &result, uint32_t least);
  bool parseCount(uint32_t &result, uint32_t least);
  bool declareFunction(Function header, const Token &name, uint32_t &index);
  bool mergeFunction(Function &earlier, Function &header, Location location);
  bool sameInterface(const std::vector<Variable> &earlier,
                     const std::vector<Variable> &later, std::string_view what,
                     const Function &header, std::string_view reference);
  void declareParameters(std::vector<Variable> &parameters, bool areResults);
  bool parsePrototype(const Token &name);
  bool parseCallTargets(const Token &name);

  //===--- Statements (ParseStatement.cpp) ------------------------------------

  /// A use of a label that is not known yet.
  struct PendingLabel {
    Symbol symbol = 0;
    Location location;
    bool isTable = false; ///< Then in branchTargets[element], at `position`.
    bool isResolved = false;
    uint32_t element = 0; ///< Of Function::elements.
    uint32_t position = 0;
    uint32_t earlier = 0; ///< One more than the index of that before it.
  };

  void parseBody();
  void leaveScope();
  void reportUnknownLabels();
  void failUnknownLabel(const PendingLabel &use);
  bool parseStatement();
  bool parseBodyDirective();
  bool parseLabelled(const Token &name);
  bool parseBranchTargets(const Token &name);
  bool parseLabelRange(const Token &prefix, uint32_t table);
  void addPendingLabel(std::string_view name, Location location,
                       PendingLabel pending);
  bool parseLocation();
  bool parseLocationOptions();
  bool parsePragma();
  bool parseInstruction(Instruction &instruction);
  bool parseGuard(Instruction &instruction);
  bool parseBranch(Instruction &instruction);

  //===--- Calls (ParseCall.cpp) ----------------------------------------------

  bool parseCall();
  bool parseCallList(Operand &list);
  bool parseCallee(Operand &callee);
  bool parseCallInterface(Operand &interface);
  bool checkCall(Location location, const Operand &results,
                 const Operand &callee, const Operand &arguments,
                 const Operand &interface);
  bool checkArrayCall(Location location, const Variable &array,
                      const Operand &results, const Operand &arguments);
  bool checkList(Location location, std::string_view what,
                 const std::vector<Variable> &formals, const Operand &list);
  bool checkPassed(Location location, const std::string &what,
                   const Variable &formal, const Operand &operand,
                   bool isResult);
  bool describePassed(const Operand &operand, Variable &actual,
                      std::string &text) const;

  //===--- Operands (ParseOperand.cpp) ----------------------------------------

  bool parseOperand(Operand &operand);
  bool parseNamedOperand(Operand &operand);
  bool parseNegated(Operand &operand);
  bool startsNegatedRegister() const;
  bool parseNegatedRegister(Operand &operand);
  bool parseVector(Operand &operand);
  bool parseBrackets(Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseNamedBase(Operand &base);
  bool parseOffset(Operand &operand);
  bool parseIndex(Operand &operand, const Token &name);
  bool parseComponent(const Token &name, Operand &operand);
  bool parseConstantOperand(Operand &operand);
  /// Says what `name` means; of registers, adds them to the function.
  bool resolve(const Token &name, Operand &operand);
  bool resolveRegister(const Token &name, Binding &binding, Operand &operand);
  bool failUnknown(const Token &name, Symbol symbol);
  /// Moves the operands from `start` on to Function::elements.
  void takeElements(size_t start, Operand &operand);
  /// The variable or parameter that the operand is the address of, or null.
  const Variable *variableOf(const Operand &operand) const;

  //===--- Constant expressions (ParseConstant.cpp) ---------------------------

  bool parseConstant(Constant &result);
  bool parseIntegerConstant(std::string_view what, uint64_t &bits);
  bool parseConditional(Constant &result);
  bool parseBinary(Constant &left, unsigned least);
  bool parseUnary(Constant &result);
  bool parsePrimary(Constant &result);
  bool parseCast(Constant &result);
  bool startsConstant() const;

  Module &module;
  Diagnostics &diagnostics;
  Lexer lexer;
  Token token;         ///< The next one.
  const char *lastEnd; ///< Where the token before it ends.
  int openBraces = 0;  ///< Of tokens that are taken.
  int statementBraces = 0;
  unsigned expressionDepth = 0;
  SymbolTable symbols;

  Function *function = nullptr; ///< Whose body or header is parsed.
  /// A wrong declaration leaves names unknown, which is no error of its own.
  bool hasLostNames = false;
  uint64_t filledBytes = 0;
  uint64_t labelRanges = 0;
  bool hasAliases = false;
  std::deque<std::string> labelNames; ///< Of label ranges.

  std::vector<Operand> scratch; ///< Operands of unfinished lists.
  std::vector<PendingLabel> pendingLabels;
  std::vector<uint32_t> lastPending;  ///< By Symbol; one more than its index.
  std::vector<uint32_t> scopeStarts;  ///< In pendingLabels, of each open scope.
  std::vector<Symbol> functionLabels; ///< Of any scope, for messages.
  uint64_t usedBytes = ~uint64_t(0);
  uint32_t sourceFile = 0, sourceLine = 0;
};

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_MODULEPARSER_H
