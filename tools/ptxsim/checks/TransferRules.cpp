// Finds how undefined bits pass through an instruction, from its words.
//
// A form of the instruction set says it coarsely (isa::Transfer). What is refined
// here are instructions that compilers apply to values of which a part is garbage
// that is cut off later: sums of which only the lower half counts, halves of packed
// values, comparisons that padding does not decide.

#include "tools/ptxsim/checks/TransferRules.h"

#include "tools/ptxsim/isa/Form.h"

using namespace ptxsim;
using isa::Match;
using isa::Transfer;
using ptx::Type;
using ptx::TypeClass;

static bool isOneOf(std::string_view word,
                    std::initializer_list<std::string_view> list) {
  for (std::string_view entry : list)
    if (word == entry)
      return true;
  return false;
}

static bool isPacked(Type type) {
  switch (type) {
  case Type::F16x2:
  case Type::BF16x2:
  case Type::F32x2:
  case Type::U16x2:
  case Type::S16x2:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return true;
  default:
    return false;
  }
}

static uint8_t combinationOf(const Match &match) {
  if (match.has("xor"))
    return combineAnd | combineOr;
  return match.has("and") ? combineAnd : match.has("or") ? combineOr : 0;
}

/// setp of integers is decided by the bits that differ, setp of others by all.
static OpTransfer compareOf(const Match &match) {
  OpTransfer result{TransferRule::Compare, combinationOf(match),
                    MustBeDefined::None};
  Type type = match.type();
  if (std::string_view(match.form->operands).substr(0, 4) != "=p|p")
    result.detail |= compareSingle;
  if (isPacked(type)) {
    result.detail |= compareHalves;
    return result;
  }
  bool isBits = type >= Type::B8 && type <= Type::B128;
  if (!isBits && ptx::classOf(type) != TypeClass::Integer) {
    result.detail |= compareAny;
    return result;
  }
  if (match.has("eq") || match.has("ne"))
    return result;
  result.detail |= compareLess;
  if (ptx::isSigned(type))
    result.detail |= compareSigned;
  for (std::string_view word : {"le", "ge", "ls", "hs"})
    if (match.has(word))
      result.detail |= compareOrEqual;
  for (std::string_view word : {"gt", "ge", "hi", "hs"})
    if (match.has(word))
      result.detail |= compareSwapped;
  return result;
}

/// Conversions move bits if they only cut off or extend.
static OpTransfer convertOf(const Match &match, std::string_view operands) {
  Type to = match.type(0), from = match.type(1);
  bool isResize = ptx::classOf(to) == TypeClass::Integer &&
                  ptx::classOf(from) == TypeClass::Integer && !match.has("sat");
  if (isResize)
    return {TransferRule::Move, 1};
  if (match.has("pack") || !isPacked(to))
    return {};
  bool hasTwo = operands.find(' ') != operands.rfind(' ');
  return {hasTwo ? TransferRule::Join : TransferRule::Halves};
}

/// Arithmetic on integers of which low bits depend on low bits only.
static bool isSum(const Match &match, std::string_view opcode) {
  if (ptx::classOf(match.type()) != TypeClass::Integer || match.has("sat") ||
      match.has("hi"))
    return false;
  return isOneOf(opcode, {"add", "sub", "neg", "mul", "mad"});
}

static OpTransfer bitsOf(std::string_view opcode) {
  if (isOneOf(opcode, {"shl", "shr", "bfe", "szext"}))
    return {TransferRule::Move, 1};
  if (isOneOf(opcode, {"shf", "bfi", "prmt"}))
    return {TransferRule::Move, 2};
  return {TransferRule::Bits};
}

static OpTransfer plainOf(const Match &match) {
  std::string_view opcode = match.instruction->opcode;
  if (opcode == "setp")
    return compareOf(match);
  if (opcode == "cvt")
    return convertOf(match, match.form->operands);
  bool readsFlag = isOneOf(opcode, {"addc", "subc", "madc"});
  if (readsFlag || match.has("cc"))
    return {TransferRule::Carry,
            uint8_t((readsFlag ? 1 : 0) | (match.has("cc") ? 2 : 0))};
  if (isSum(match, opcode) || opcode == "cvta")
    return {TransferRule::Sum};
  if (isOneOf(opcode, {"bfe", "bfi", "szext", "prmt"}))
    return bitsOf(opcode);
  if (opcode == "brev")
    return {TransferRule::Move, 1};
  if (opcode == "slct")
    return {TransferRule::Move, 2};
  if (opcode != "set" ? isPacked(match.type()) : isPacked(match.type(1)))
    return {TransferRule::Halves};
  return {};
}

/// Instructions that the handlers of isa/ tell the check about.
static bool isHandled(std::string_view opcode) {
  return isOneOf(opcode, {"shfl", "vote", "match", "redux", "atom", "red", "call",
                          "ret", "st", "ldmatrix", "movmatrix", "mma", "wmma",
                          "wgmma"});
}

/// What instructions with effects beyond registers demand of their sources.
static MustBeDefined demandOf(const Match &match) {
  std::string_view opcode = match.instruction->opcode;
  switch (match.form->opClass) {
  case OpClass::AsyncCopy:
    // st.async and red.async store values that may have padding.
    return isOneOf(opcode, {"st", "red"}) ? MustBeDefined::Addresses
                                          : MustBeDefined::All;
  case OpClass::Barrier:
    return MustBeDefined::All;
  case OpClass::Collective:
    return MustBeDefined::Last;
  case OpClass::Warpgroup:
    return MustBeDefined::Wide;
  default:
    break;
  }
  if (opcode == "brx")
    return MustBeDefined::First;
  if (isOneOf(opcode, {"prefetch", "prefetchu", "discard", "applypriority"}))
    return MustBeDefined::None;
  return MustBeDefined::Addresses;
}

OpTransfer ptxsim::transferOf(Transfer transfer) {
  switch (transfer) {
  case Transfer::All:
  case Transfer::Logic:
    break;
  case Transfer::Move:
    return {TransferRule::Move, 8};
  case Transfer::Own:
    return {TransferRule::Defined};
  }
  return {};
}

OpTransfer ptxsim::transferOf(const Match &match) {
  std::string_view opcode = match.instruction->opcode;
  OpTransfer result;
  if (isHandled(opcode))
    result = {TransferRule::Handler};
  else if (match.form->transfer == Transfer::Logic)
    result = bitsOf(opcode);
  else if (opcode == "selp")
    result = {TransferRule::Move, 2};
  else if (match.form->transfer == Transfer::All || opcode == "cvta")
    result = plainOf(match);
  else
    result = transferOf(match.form->transfer);
  result.mustBeDefined = demandOf(match);
  return result;
}
