// Checks the operands of an instruction against its form.

#include "tools/ptxsim/isa/Form.h"

#include <mutex>
#include <unordered_map>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Operand;
using ptx::Type;
using ptx::TypeClass;

/// Reads the type of an item: T, U, V or a name; and the `-`, `.`, `~` or `<N`
/// after it.
static void readType(std::string_view item, OperandRule &rule) {
  size_t less = item.find('<');
  if (less != std::string_view::npos) {
    for (char digit : item.substr(less + 1))
      rule.limit = rule.limit * 10 + uint64_t(digit - '0');
    item = item.substr(0, less);
  }
  if (!item.empty() && item.back() == '-') {
    rule.negates = true;
    item.remove_suffix(1);
  }
  if (!item.empty() && item.back() == '.') {
    rule.selects = true;
    item.remove_suffix(1);
  }
  if (!item.empty() && item.back() == '~') {
    rule.wide = true;
    item.remove_suffix(1);
  }
  if (item == "T" || item == "U" || item == "V")
    rule.typeIndex = uint8_t(item == "T" ? 0 : item == "U" ? 1 : 2);
  else
    rule.type = ptx::typeNamed(item).value_or(Type::None);
}

static OperandRule parseRule(std::string_view item) {
  OperandRule rule;
  if (item.back() == '?') {
    rule.optional = true;
    item.remove_suffix(1);
  }
  if (item == "_")
    rule.kind = OperandRule::Kind::Sink;
  else if (item == "#")
    rule.kind = OperandRule::Kind::Number;
  else if (item == "L")
    rule.kind = OperandRule::Kind::Label;
  else if (item == "F")
    rule.kind = OperandRule::Kind::Function;
  else if (item == "[a]" || item == "[s]") {
    rule.kind = OperandRule::Kind::Address;
    rule.mayBeShort = item == "[s]";
  } else if (item == "[t]")
    rule.kind = OperandRule::Kind::Tensor;
  if (rule.kind != OperandRule::Kind::Register)
    return rule;
  if (item.front() == '+')
    rule.alsoRead = rule.written = true;
  if (item.front() == '=' || item.front() == '+') {
    rule.written = true;
    item.remove_prefix(1);
  }
  if (item.front() == '{') {
    rule.kind = OperandRule::Kind::Vector;
    rule.anyCount = true;
    readType(item.substr(1, item.size() - 2), rule);
  } else if (item == "p") {
    rule.kind = OperandRule::Kind::Predicate;
  } else if (item == "p|p") {
    rule.kind = OperandRule::Kind::PredicatePair;
  } else if (item.size() > 2 && (item.substr(item.size() - 2) == "|p" ||
                                 item.substr(item.size() - 2) == "&p")) {
    rule.kind = OperandRule::Kind::RegisterPair;
    rule.paired = item[item.size() - 2] == '&';
    readType(item.substr(0, item.size() - 2), rule);
  } else if (item.front() == '@') {
    rule.kind = OperandRule::Kind::Vector;
    rule.repeats = true;
    readType(item.substr(1), rule);
  } else if (item.front() == '*') {
    rule.kind = OperandRule::Kind::Vector;
    readType(item.substr(1), rule);
  } else if (item.front() >= '1' && item.front() <= '9') {
    rule.kind = OperandRule::Kind::Vector;
    for (; item.front() >= '0' && item.front() <= '9'; item.remove_prefix(1))
      rule.elements = uint8_t(rule.elements * 10 + (item.front() - '0'));
    readType(item, rule);
  } else {
    readType(item, rule);
  }
  return rule;
}

const std::vector<OperandRule> &isa::rulesOf(const Form &form) {
  static std::mutex mutex;
  static std::unordered_map<const Form *, std::vector<OperandRule>> cache;
  std::lock_guard<std::mutex> lock(mutex);
  auto [entry, inserted] = cache.try_emplace(&form);
  if (!inserted)
    return entry->second;
  std::string_view line = form.operands;
  bool optional = false;
  while (!line.empty()) {
    size_t blank = std::min(line.find(' '), line.size());
    if (blank > 0) {
      OperandRule rule = parseRule(line.substr(0, blank));
      optional |= rule.optional;
      rule.optional = optional;
      entry->second.push_back(rule);
    }
    line.remove_prefix(std::min(blank + 1, line.size()));
  }
  return entry->second;
}

namespace {
/// Checks the operands of one instruction.
class OperandChecker {
public:
  OperandChecker(const ptx::Module &module, const Match &match,
                 std::string &message)
      : module(module), match(match), function(*match.function),
        message(message) {}

  bool check();

private:
  bool checkOne(const OperandRule &rule, const Operand &operand);
  bool checkRegister(const OperandRule &rule, const Operand &operand,
                     Type type, bool isPart = false);
  bool checkSource(const OperandRule &rule, const Operand &operand, Type type);
  bool checkNumber(const OperandRule &rule, const Operand &operand, Type type);
  bool checkPredicate(const OperandRule &rule, const Operand &operand);
  bool checkPair(const OperandRule &rule, const Operand &operand);
  bool checkVector(const OperandRule &rule, const Operand &operand);
  template <typename NumberOf>
  bool haveOne(const Operand &vector, NumberOf numberOf) const;
  bool haveOneSize(const Operand &vector) const;
  bool haveOneType(const Operand &vector) const;
  bool isMovable(const Operand &vector) const;
  bool checkAddress(const OperandRule &rule, const Operand &operand);
  bool mayDiscard(bool isPart) const;
  bool takesSpecial(ptx::SpecialRegister special) const;
  bool takesAddress(Type type) const;
  bool fail(const std::string &expected, const Operand &operand);
  std::string describe(const Operand &operand) const;
  Type typeOf(const OperandRule &rule) const {
    return rule.typeIndex < 4 ? match.type(rule.typeIndex) : rule.type;
  }
  const Operand &element(const Operand &operand, uint32_t i) const {
    return function.elements[operand.firstElement + i];
  }

  const ptx::Module &module;
  const Match &match;
  const ptx::Function &function;
  std::string &message;
  unsigned position = 0; ///< Of the operand, counted from 1.
};
} // namespace

std::string OperandChecker::describe(const Operand &operand) const {
  switch (operand.kind) {
  case Operand::Kind::Register: {
    const ptx::Register &reg = function.registers[operand.index];
    return std::string(reg.name) + " of type ." +
           std::string(ptx::nameOf(reg.type));
  }
  case Operand::Kind::Special:
    return "a special register";
  case Operand::Kind::Integer:
    return operand.isUnsigned ? std::to_string(operand.bits)
                              : std::to_string(int64_t(operand.bits));
  case Operand::Kind::Float:
  case Operand::Kind::Float32:
    return "a floating-point number";
  case Operand::Kind::Variable:
  case Operand::Kind::Parameter:
    return "the address of a variable";
  case Operand::Kind::Function:
    return "the function '" +
           std::string(module.functions[operand.index].name) + "'";
  case Operand::Kind::Label:
    return "a label";
  case Operand::Kind::Table:
    return "a list of branch targets";
  case Operand::Kind::Prototype:
    return "a call prototype";
  case Operand::Kind::Address:
    return "an address";
  case Operand::Kind::Tensor:
    return "a tensor map with coordinates";
  case Operand::Kind::Vector:
    return "a vector of " + std::to_string(operand.elementCount);
  case Operand::Kind::Pair:
    return "a pair of registers";
  case Operand::Kind::Sink:
    return "'_'";
  }
  return "";
}

bool OperandChecker::fail(const std::string &expected, const Operand &operand) {
  message = "operand " + std::to_string(position) + ": expected " + expected +
            ", got " + describe(operand);
  return false;
}

/// True for formats that no register is declared with. They stand in untyped
/// registers of exactly their size.
static bool isFormat(Type type) {
  return ptx::classOf(type) == TypeClass::Bits &&
         !(type >= Type::B8 && type <= Type::B128);
}

/// True if a register of type `have` may stand where `rule` wants `want`:
/// untyped bits and typed ones of their size fit each other, and so do
/// integers.
static bool typesAgree(const OperandRule &rule, Type want, Type have) {
  if (have == Type::Pred || want == Type::Pred)
    return have == want;
  if (have == want)
    return true;
  TypeClass wantClass = ptx::classOf(want), haveClass = ptx::classOf(have);
  bool wide = rule.wide && !isFormat(want);
  unsigned wantBits = ptx::bitsOf(want), haveBits = ptx::bitsOf(have);
  if (wide ? haveBits < wantBits : haveBits != wantBits)
    return false;
  // ptxas takes .f16x2 for integers, except where the type is not a word.
  if (want == Type::U16x2 || want == Type::S16x2)
    return haveClass == TypeClass::Bits || have == Type::F16x2;
  if (isFormat(want))
    return haveClass == TypeClass::Bits;
  if (have == Type::F16x2)
    return wantClass == TypeClass::Bits ||
           (wantClass == TypeClass::Integer && rule.typeIndex < 4);
  return wantClass == TypeClass::Bits || haveClass == TypeClass::Bits ||
         (wantClass == TypeClass::Integer && haveClass == TypeClass::Integer);
}

static std::string registerOf(Type type) {
  std::string name(ptx::nameOf(type));
  if (type == Type::Pred)
    return "a predicate";
  if (isFormat(type))
    return "a register of type .b" + std::to_string(ptx::bitsOf(type)) +
           " for a ." + name;
  return "a register of type ." + name;
}

bool OperandChecker::checkRegister(const OperandRule &rule,
                                   const Operand &operand, Type type,
                                   bool isPart) {
  if (operand.kind == Operand::Kind::Sink && rule.written && mayDiscard(isPart))
    return true;
  if (operand.kind != Operand::Kind::Register)
    return fail(registerOf(type), operand);
  if (operand.selector != 0 && !rule.selects)
    return fail("a whole register", operand);
  if (rule.written && operand.negated && type == Type::Pred)
    return fail("a predicate to write", operand);
  if (operand.negated && type != Type::Pred && !rule.negates)
    return fail("a register without a sign", operand);
  if (!typesAgree(rule, type, function.registers[operand.index].type))
    return fail(registerOf(type), operand);
  return true;
}

/// True if `_` may stand for this destination: for what setp writes, in pairs
/// and vectors, and for the results of instructions that do more than compute
/// one, except shfl and ld.
bool OperandChecker::mayDiscard(bool isPart) const {
  std::string_view opcode = match.instruction->opcode;
  if (isPart || opcode == "setp")
    return true;
  return match.form->transfer == Transfer::Own && opcode != "shfl" &&
         opcode != "ld" && opcode != "ldu";
}

/// True for special registers that had 16 bits, or 32, before PTX 2.0 and may
/// still be read as such.
static bool wasNarrow(ptx::SpecialRegister special, unsigned bits) {
  using ptx::SpecialRegister;
  bool isIndex =
      special == SpecialRegister::Tid || special == SpecialRegister::NTid ||
      special == SpecialRegister::CtaId || special == SpecialRegister::NCtaId;
  bool isGrid = special == SpecialRegister::GridId;
  return (bits == 16 && (isIndex || isGrid)) || (bits == 32 && isGrid);
}

/// True if the instruction may read this special register: mov, and cvt among
/// integers.
bool OperandChecker::takesSpecial(ptx::SpecialRegister special) const {
  std::string_view opcode = match.instruction->opcode;
  TypeClass type = ptx::classOf(match.type());
  unsigned have = ptx::bitsOf(ptx::typeOf(special));
  if (opcode == "cvt")
    return type == TypeClass::Integer && !match.has("pack") &&
           ptx::classOf(match.type(1)) == TypeClass::Integer &&
           ptx::bitsOf(match.type(1)) <= have;
  unsigned bits = ptx::bitsOf(match.type());
  return opcode == "mov" && type != TypeClass::Float &&
         (bits == have || wasNarrow(special, bits));
}

/// True if the address of a variable may stand for a value of this type.
bool OperandChecker::takesAddress(Type type) const {
  if (ptx::classOf(type) == TypeClass::Float || type == Type::Pred)
    return false;
  std::string_view opcode = match.instruction->opcode;
  for (std::string_view taker :
       {"mov", "cvta", "mapa", "getctarank"})
    if (opcode == taker)
      return true;
  return false;
}

/// True if a number of this kind may stand for a value of this type.
static bool takesNumber(Operand::Kind kind, Type type) {
  TypeClass typeClass = ptx::classOf(type);
  if (isFormat(type) || ptx::bitsOf(type) > 64)
    return false;
  if (kind == Operand::Kind::Integer)
    return typeClass != TypeClass::Float;
  if (typeClass == TypeClass::Float)
    return type == Type::F32 || type == Type::F64;
  return type == (kind == Operand::Kind::Float ? Type::B64 : Type::B32);
}

bool OperandChecker::checkSource(const OperandRule &rule,
                                 const Operand &operand, Type type) {
  if (rule.written || operand.kind == Operand::Kind::Register)
    return checkRegister(rule, operand, type);
  switch (operand.kind) {
  case Operand::Kind::Special:
    return takesSpecial(operand.special) ||
           fail(registerOf(type) + " or a number", operand);
  case Operand::Kind::Integer:
  case Operand::Kind::Float:
  case Operand::Kind::Float32:
    return checkNumber(rule, operand, type);
  case Operand::Kind::Variable:
  case Operand::Kind::Parameter:
  case Operand::Kind::Function:
    return takesAddress(type) ||
           fail(registerOf(type) + " or a number", operand);
  default:
    return fail(registerOf(type) + " or a number", operand);
  }
}

bool OperandChecker::checkNumber(const OperandRule &rule,
                                 const Operand &operand, Type type) {
  if (!takesNumber(operand.kind, type)) {
    bool isFloat = type == Type::F32 || type == Type::F64;
    std::string number = isFloat ? "a floating-point number or "
                         : takesNumber(Operand::Kind::Integer, type)
                             ? "an integer or "
                             : "";
    return fail(number + registerOf(type), operand);
  }
  if (rule.limit != 0 && operand.bits >= rule.limit)
    return fail("an integer below " + std::to_string(rule.limit) + " or " +
                    registerOf(type),
                operand);
  return true;
}

bool OperandChecker::checkPredicate(const OperandRule &rule,
                                    const Operand &operand) {
  if (!rule.written && operand.kind == Operand::Kind::Integer)
    return true; // Anything but 0 is true.
  return checkRegister(rule, operand, Type::Pred);
}

bool OperandChecker::checkPair(const OperandRule &rule,
                               const Operand &operand) {
  bool predicates = rule.kind == OperandRule::Kind::PredicatePair;
  Type first = predicates ? Type::Pred : typeOf(rule);
  if (operand.kind != Operand::Kind::Pair && rule.paired)
    return fail(registerOf(first) + " and a predicate, as in 'd|p'", operand);
  if (operand.kind != Operand::Kind::Pair)
    return checkRegister(rule, operand, first);
  return checkRegister(rule, element(operand, 0), first, true) &&
         checkRegister(rule, element(operand, 1), Type::Pred, true);
}

/// True if `numberOf(type)` is the same for all registers of a vector.
template <typename NumberOf>
bool OperandChecker::haveOne(const Operand &vector, NumberOf numberOf) const {
  unsigned first = 0;
  for (uint32_t i = 0; i < vector.elementCount; ++i) {
    const Operand &part = element(vector, i);
    if (part.kind != Operand::Kind::Register)
      continue;
    unsigned have = numberOf(function.registers[part.index].type);
    if (first != 0 && have != first)
      return false;
    first = have;
  }
  return true;
}

bool OperandChecker::haveOneSize(const Operand &vector) const {
  return haveOne(vector, [](Type type) { return ptx::bitsOf(type); });
}

bool OperandChecker::haveOneType(const Operand &vector) const {
  return haveOne(vector, [](Type type) { return unsigned(type); });
}

/// True for a special register with all its components, and for vectors without
/// such and without addresses.
bool OperandChecker::isMovable(const Operand &vector) const {
  const Operand &first = element(vector, 0);
  for (uint32_t i = 0; i < vector.elementCount; ++i) {
    const Operand &part = element(vector, i);
    bool isSpecial = part.kind == Operand::Kind::Special;
    if (isSpecial && (part.special != first.special || part.component != i))
      return false;
    if (!isSpecial && (part.kind == Operand::Kind::Variable ||
                       part.kind == Operand::Kind::Parameter ||
                       part.kind == Operand::Kind::Function ||
                       first.kind == Operand::Kind::Special))
      return false;
  }
  return true;
}

bool OperandChecker::checkVector(const OperandRule &rule,
                                 const Operand &operand) {
  unsigned wanted = rule.elements != 0 ? rule.elements : match.vectorSize;
  if (rule.anyCount) {
    if (operand.kind != Operand::Kind::Vector)
      return fail("a vector of registers", operand);
    wanted = operand.elementCount;
  }
  if (operand.kind != Operand::Kind::Vector) {
    if (!rule.repeats && (wanted != 1 || rule.elements == 1))
      return fail("a vector of " + std::to_string(wanted) +
                      (wanted == 1 ? " register" : " registers"),
                  operand);
    return checkSource(rule, operand, typeOf(rule));
  }
  if (operand.elementCount != wanted)
    return fail("a vector of " + std::to_string(wanted) + " registers",
                operand);
  if (rule.repeats && !isMovable(operand))
    return fail("a vector of registers and numbers, or a special register",
                operand);
  if (!rule.repeats && element(operand, 0).kind == Operand::Kind::Special)
    return fail("a vector of registers and numbers", operand);
  for (uint32_t i = 0; i < operand.elementCount; ++i)
    if (rule.written
            ? !checkRegister(rule, element(operand, i), typeOf(rule), true)
            : !checkSource(rule, element(operand, i), typeOf(rule)))
      return false;
  // Of mov more is demanded than of memory accesses.
  if (match.instruction->opcode == "mov" && rule.elements == 0 &&
      !haveOneType(operand))
    return fail("a vector of registers of one type", operand);
  return haveOneSize(operand) ||
         fail("a vector of registers of one size", operand);
}

bool OperandChecker::checkAddress(const OperandRule &rule,
                                  const Operand &operand) {
  if (operand.kind != Operand::Kind::Address)
    return fail("an address in brackets", operand);
  const Operand &base = element(operand, 0);
  if (base.kind != Operand::Kind::Register)
    return true;
  Type type = function.registers[base.index].type;
  if (base.selector != 0)
    return fail("a whole register", base);
  bool integer = ptx::classOf(type) == TypeClass::Integer ||
                 ptx::classOf(type) == TypeClass::Bits;
  if (!integer || (ptx::bitsOf(type) != 32 && ptx::bitsOf(type) != 64))
    return fail("an address in a register of 32 or 64 bits", base);
  // Of several addresses each has its own space.
  std::string_view rules = match.form->operands;
  bool single = rules.find("[") == rules.rfind("[");
  bool wide =
      match.space == ptx::Space::Generic || match.space == ptx::Space::Global;
  if (single && wide && !rule.mayBeShort && ptx::bitsOf(type) == 32)
    return fail("an address in a register of 64 bits", base);
  return true;
}

bool OperandChecker::checkOne(const OperandRule &rule, const Operand &operand) {
  switch (rule.kind) {
  case OperandRule::Kind::Register:
    return checkSource(rule, operand, typeOf(rule));
  case OperandRule::Kind::Predicate:
    return checkPredicate(rule, operand);
  case OperandRule::Kind::RegisterPair:
  case OperandRule::Kind::PredicatePair:
    return checkPair(rule, operand);
  case OperandRule::Kind::Vector:
    return checkVector(rule, operand);
  case OperandRule::Kind::Address:
    return checkAddress(rule, operand);
  case OperandRule::Kind::Sink:
    return operand.kind == Operand::Kind::Sink || fail("'_'", operand);
  case OperandRule::Kind::Tensor:
    return operand.kind == Operand::Kind::Tensor ||
           fail("a tensor map with coordinates", operand);
  case OperandRule::Kind::Number:
    return operand.kind == Operand::Kind::Integer ||
           fail("an integer", operand);
  case OperandRule::Kind::Label:
    return operand.kind == Operand::Kind::Label ||
           operand.kind == Operand::Kind::Table || fail("a label", operand);
  case OperandRule::Kind::Function:
    return operand.kind == Operand::Kind::Function ||
           operand.kind == Operand::Kind::Register ||
           fail("a function", operand);
  }
  return true;
}

bool OperandChecker::check() {
  const std::vector<OperandRule> &rules = rulesOf(*match.form);
  const ptx::Instruction &instruction = *match.instruction;
  size_t required = 0;
  for (const OperandRule &rule : rules)
    required += !rule.optional;
  uint32_t count = instruction.operandCount;
  if (count < required || count > rules.size()) {
    message =
        "expected " + std::to_string(required) +
        (required == rules.size() ? ""
                                  : " to " + std::to_string(rules.size())) +
        " operands, got " + std::to_string(count);
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    position = i + 1;
    if (!checkOne(rules[i], function.elements[instruction.firstOperand + i]))
      return false;
  }
  return true;
}

bool isa::checkOperands(const ptx::Module &module, const Match &match,
                        std::string &message) {
  return OperandChecker(module, match, message).check();
}
