// The instruction set as a table.
//
// Each file of this folder holds one family of the PTX manual: how its
// instructions are written, what operands they take, and the functions that
// execute them. A row that is missing is an instruction that is refused when a
// module is loaded.
//
// Syntax is a line of words, as in
//
//   "add?.(rn|rz|rm|rp)?.ftz?.sat.f32"
//
// where `.w` must stand (`.w*` any word that begins so), `.(a|b)` is one of several, and `?` before either makes
// it optional. Words after a blank may come in any order, as ptxas takes them;
// only types and spaces keep theirs. Operands are a line of items separated by blanks:
//
//   =T      a register that is written, of the first type of the syntax
//   T       a register or number that is read
//   +…      a register that is read and written
//   U, V    the same of the second and third type
//   =u32, b64 …   of this type
//   .       after a type: a register may have a selector, as in `d.b0`
//   -       after a type: a register may have a sign, as in `-a`, which the handler obeys
//   ~       after a type: registers may be wider than the type (ld, st, cvt)
//   p =p    a predicate; a source may be negated
//   =p|p    one predicate, or two as in `p|q`
//   =T|p    a register and perhaps a predicate, as in `d|p`
//   =T&p    a register and a predicate, as in `d|p`
//   [a]     an address in the space of the instruction; the first one of a form
//           is a base and an offset, any further one a register of 64 bits
//   [s]     an address of shared memory: it may have 32 bits even without a space,
//           as libcu++ writes cp.async.mbarrier.arrive and ptxas takes it
//   [t]     a tensor map with coordinates, and offsets for im2col
//   =*T *T  a vector of as many as .v2 or .v4 says, or one register
//   @T      a vector of as many registers or numbers, a special register that is
//           one, or one value for all of them
//   =4T 4T  a vector of exactly four registers
//   {b16}   a vector of any length
//   _       nothing
//   #       an integer that is a number
//   u32<9   after a type: a number must be below this
//   L       a label or a list of labels; F a function
//   …?      an item that may be missing, with those after it
//
// Source: PTX ISA 9.0, chapter 9.

#ifndef TCC_TOOLS_PTXSIM_ISA_FORM_H
#define TCC_TOOLS_PTXSIM_ISA_FORM_H

#include "tools/ptxsim/core/Op.h"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ptxsim::isa {

class Match;

/// Chooses the function that executes an instruction of a form; may also set
/// modifiers, flags and count of the op.
using Select = Handler (*)(const Match &match, Op &op);

/// How undefined bits of the sources reach the destinations.
enum class Transfer : uint8_t {
  All, ///< Any undefined bit of a lane makes its whole result undefined.
  Move, ///< Bit by bit: mov, selp, pack and unpack.
  Logic, ///< and, or, xor, not, lop3, shifts: see checks/.
  Own, ///< The handler does it: memory, shuffles, matrices.
};

struct Form {
  const char *syntax;
  const char *operands;
  Select select;
  OpClass opClass = OpClass::Other;
  uint16_t flags = 0; ///< Of the op.
  Transfer transfer = Transfer::All;
};

/// One file's rows.
struct Family {
  const Form *forms;
  size_t count;
};

/// All families, in the order of the manual.
const std::vector<Family> &families();

/// Which words of a form an instruction has.
class Match {
public:
  static constexpr unsigned maxGroups = 20;

  const Form *form = nullptr;
  /// For each `.…` of the syntax in order: the alternative that was written,
  /// counted from 0, or -1 if it was left out.
  std::array<int8_t, maxGroups> choice;
  ptx::Type types[4] = {};
  unsigned typeCount = 0;
  unsigned vectorSize = 1; ///< .v2, .v4, .v8
  ptx::Space space = ptx::Space::Generic; ///< The first.
  ptx::Space spaces[2] = {};
  unsigned spaceCount = 0;
  const ptx::Instruction *instruction = nullptr;
  const ptx::Function *function = nullptr;
  /// Why `Form::select` refused, if it said so.
  mutable std::string reason;

  /// For `Form::select`: notes what was expected, and gives no handler.
  Handler refuse(std::string expected) const;
  /// True if the instruction has this word.
  bool has(std::string_view word) const;
  /// The first of `words` that the instruction has, or nothing.
  std::string_view first(std::initializer_list<std::string_view> words) const;
  const ptx::Operand &operand(unsigned index) const {
    return function->elements[instruction->firstOperand + index];
  }

  ptx::Type type(unsigned index = 0) const {
    return index < typeCount ? types[index] : ptx::Type::None;
  }
};

/// Finds the form of `instruction`: the first whose words and operands fit.
///
/// \returns false if there is none; `message` says what would have been
///          expected.
bool match(const ptx::Module &module, const ptx::Function &function,
           const ptx::Instruction &instruction, Match &result,
           std::string &message);

/// One item of a form's operands.
struct OperandRule {
  enum class Kind : uint8_t {
    Register, Predicate, RegisterPair, PredicatePair, Address, Tensor, Vector,
    Number, Label, Function, Sink,
  };
  Kind kind = Kind::Register;
  bool written = false;
  bool alsoRead = false; ///< Of what is written.
  bool wide = false;
  bool selects = false; ///< Parts of the register may be named.
  bool negates = false; ///< A register may have a sign.
  bool mayBeShort = false; ///< Of an Address: [s].
  bool optional = false;
  bool paired = false;     ///< Of a RegisterPair: the predicate must be there.
  uint8_t typeIndex = 255; ///< Of the match; 255 if `type` is fixed.
  ptx::Type type = ptx::Type::None;
  uint8_t elements = 0; ///< Of a Vector; 0 for as .v says.
  uint64_t limit = 0;   ///< A number is below it; 0 for any.
  bool anyCount = false; ///< Of a Vector.
  bool repeats = false;  ///< Of a Vector: one value stands for all of them.
};

/// The items of a form's operand line; parsed once for each form.
const std::vector<OperandRule> &rulesOf(const Form &form);

/// Says why the words and numbers of a matched instruction that `Form::select`
/// gave no handler do not go together.
std::string refusalOf(const Match &match);

/// Says what is wrong if a memory order was written without the scope that it
/// needs, or a scope without an order; nothing otherwise.
std::string checkOrderAndScope(const Match &match);

/// Says what is wrong if a name stands in an address of another space than its
/// own, or a parameter is written; nothing otherwise.
std::string checkSpaces(const ptx::Module &module, const Match &match);

/// Says what is wrong if the `.version` of the module is older than a matched
/// instruction; nothing otherwise.
std::string checkVersion(const ptx::Module &module, const Match &match);

/// Checks the operands of a matched instruction against its form.
///
/// \returns false if one does not fit; `message` says which.
bool checkOperands(const ptx::Module &module, const Match &match,
                   std::string &message);

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_FORM_H
