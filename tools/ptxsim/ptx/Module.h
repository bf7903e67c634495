// A PTX module as the parser leaves it: names are resolved, instructions are
// still words.
//
// The parser knows the grammar and the scopes, not the instruction set: it says
// which register, variable or label a name means, and leaves it to isa/ whether
// `add.f32` may take it. All text is one buffer, which the module owns and the
// string views point into.

#ifndef TCC_TOOLS_PTXSIM_PTX_MODULE_H
#define TCC_TOOLS_PTXSIM_PTX_MODULE_H

#include "tools/ptxsim/ptx/Types.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ptxsim::ptx {

/// A place in the text, both counted from 1.
struct Location {
  uint32_t line = 0;
  uint32_t column = 0;
};

/// A special register without its index, as in `%tid`; `component` of the
/// operand says which of x, y, z, w.
enum class SpecialRegister : uint8_t {
  Tid, NTid, LaneId, WarpId, NWarpId, CtaId, NCtaId, SmId, NSmId, GridId,
  IsExplicitCluster, ClusterId, NClusterId, ClusterCtaId, ClusterNCtaId,
  ClusterCtaRank, ClusterNCtaRank,
  LaneMaskEq, LaneMaskLe, LaneMaskLt, LaneMaskGe, LaneMaskGt,
  Clock, ClockHi, Clock64, GlobalTimer, GlobalTimerLo, GlobalTimerHi,
  DynamicSmemSize, TotalSmemSize, AggrSmemSize,
  ReservedSmemOffsetBegin, ReservedSmemOffsetEnd, ReservedSmemOffsetCap,
  ReservedSmemOffset, ///< `%reserved_smem_offset_<n>`; `component` is n.
  EnvReg,             ///< `%envreg<n>`; `component` is n.
  Pm,                 ///< `%pm<n>`; `component` is n.
  Pm64,               ///< `%pm<n>_64`; `component` is n.
  CurrentGraphExec,
};

/// Returns the type of the register: b32, or b64 for the wide ones.
Type typeOf(SpecialRegister special);

/// Parts of a register, as `.h1` or `.b3210`. Part 0 of the result is the one that
/// is written last.
struct Selector {
  uint16_t bits = 0; ///< 3 for each part, how many at 12, halves at 15.

  unsigned count() const { return bits >> 12 & 7; }
  bool isOfHalves() const { return bits >> 15; }
  unsigned part(unsigned index) const { return bits >> (3 * index) & 7; }
};

struct Operand {
  enum class Kind : uint8_t {
    Register,  ///< `index` in Function::registers.
    Special,   ///< `special` and `component`.
    Integer,   ///< `bits`; `isUnsigned` if written with U or above int64 max.
    Float,     ///< `bits` of an f64, written as decimal or as 0d….
    Float32,   ///< `bits` of an f32, written as 0f….
    Variable,  ///< The address of Module::variables[index], or of a variable
               ///< of the function if `ofFunction`, plus `bits` bytes.
    Parameter, ///< The address of Function::parameters[index], or of
               ///< Function::results[index] if `ofResults`, plus `bits` bytes.
    Function,  ///< The address of Module::functions[index].
    Label,     ///< `index` of an instruction of the function; of none, one
               ///< past the last, if the label stands at the end.
    Table,     ///< Function::branchTargets[index].
    Prototype, ///< Function::prototypes[index].
    Address,   ///< `[base + offset]` and `x[3]`; its one element is the base,
               ///< `bits` the offset in bytes. A base that is an Integer is
               ///< an absolute address.
    Tensor,    ///< `[map, {coordinates}]`; elements are the map's Address and
               ///< a Vector. (Offsets of im2col are an operand of their own.)
    Vector,    ///< `{a, b, …}`; elements. Also the lists of a call, a vector
               ///< register and a special one without its component.
    Pair,      ///< `a|b`; two elements, of which one may be a Sink.
    Sink,      ///< `_`
  };
  Kind kind = Kind::Sink;
  bool negated = false;    ///< `!p` or `-r`. Numbers carry their sign.
  bool isUnsigned = false;
  bool ofFunction = false; ///< Of a Variable.
  bool ofResults = false;  ///< Of a Parameter.
  /// Of a Special: 0 to 3 for `.x` to `.w`, or its number.
  uint8_t component = 0;
  /// Of a Register: which bytes or halves a video instruction takes, as in
  /// `.b3210`; 0 for none. See `Selector`.
  uint16_t selector = 0;
  SpecialRegister special = SpecialRegister::Tid;
  uint32_t index = 0;
  uint64_t bits = 0;
  uint32_t firstElement = 0; ///< In Function::elements.
  uint32_t elementCount = 0;
};

/// `@p opcode.modifiers operands;`
///
/// A call always has four operands: a Vector of results, the callee (a Function
/// or a Register), a Vector of arguments, and what says the interface of an
/// indirect callee: a Prototype, a Function (the first of .calltargets), a
/// Variable (an array of functions), or a Sink if nothing does.
struct Instruction {
  Location location;
  std::string_view text; ///< From the guard to before the semicolon.
  int32_t guard = -1;    ///< Index of a predicate register; -1 if unguarded.
  bool guardNegated = false;
  std::string_view opcode; ///< "cp" of `cp.async.bulk.tensor.2d…`.
  /// "async", "bulk", …; in Function::words. `::` does not separate words.
  uint32_t firstWord = 0;
  uint32_t wordCount = 0;
  uint32_t firstOperand = 0; ///< In Function::elements.
  uint32_t operandCount = 0;
  /// Bytes that count as read, from a `used_bytes_mask` pragma before it.
  uint64_t usedBytes = ~uint64_t(0);
  /// Of the source program, from the last `.loc`; file 0 if there is none.
  uint32_t sourceFile = 0;
  uint32_t sourceLine = 0;
};

/// The text of an instruction without its line breaks.
inline std::string onOneLine(const Instruction &instruction) {
  std::string result;
  for (char c : instruction.text) {
    bool isSpace = c == ' ' || (c >= '\t' && c <= '\r');
    if (!isSpace)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  return result;
}

/// A value that is known only when addresses are: the lower `bytes` of
/// `(symbol + addend) >> shift`. They are zero in Variable::initial.
struct Relocation {
  uint64_t offset = 0; ///< Bytes from the beginning of the variable.
  uint8_t bytes = 8;      ///< 8, 4, or 1 for `0xFF00(symbol)`.
  uint8_t shift = 0;      ///< A multiple of 8.
  bool isFunction = false;
  bool isGeneric = false; ///< `generic(symbol)`; else an address in its space.
  uint32_t index = 0;     ///< Of Module::variables or Module::functions.
  int64_t addend = 0;
};

struct Variable {
  std::string_view name;
  Location location;
  Space space = Space::Global;
  Type type = Type::B8;
  uint8_t vectorSize = 1; ///< 2 or 4 of `type` for `.v2` and `.v4`.
  uint32_t alignment = 1; ///< Bytes; natural if not declared.
  uint64_t bytes = 0;     ///< At most 2^40; 0 for `.extern .shared x[]`.
  bool isExternal = false, isVisible = false, isWeak = false, isCommon = false;
  bool isArray = false; ///< Also one of a single element.
  bool isManaged = false;
  /// A .texref, .samplerref or .surfref, which nothing may use.
  bool isOpaque = false;
  /// Of a parameter: `.ptr` with its space and alignment.
  bool isPointer = false;
  Space pointerSpace = Space::Generic;
  /// Of a `.reg` parameter or result of a function: the register that is it.
  int32_t registerIndex = -1;
  /// What the text says of the contents, at most `bytes`; the rest is zero.
  std::vector<uint8_t> initial;
  std::vector<Relocation> relocations;
};

struct Register {
  std::string_view name; ///< As it is written: "%r3".
  Type type = Type::B32;
  int8_t component = -1; ///< Of a vector register, each is one: 0 to 3.
};

/// `.branchtargets`: the labels that a brx.idx may take, as instructions.
struct BranchTargets {
  std::vector<uint32_t> targets;
};

/// `.callprototype`, and the interface of every function.
struct Prototype {
  std::vector<Variable> results;
  std::vector<Variable> parameters;
  bool noReturn = false;
};

struct Function {
  std::string_view name;
  Location location;
  bool isEntry = false;
  bool isVisible = false, isWeak = false, isExternal = false;
  /// False for a declaration that no definition followed.
  bool isDefined = false;
  bool noReturn = false;
  std::vector<Variable> results;    ///< Of a device function.
  std::vector<Variable> parameters; ///< In order; offsets are the user's task.

  /// Of a function that `.alias` makes another name of a function; operands and
  /// initial values refer to that one already.
  int32_t aliasOf = -1;

  // Directives of an entry; 0 where absent.
  std::array<uint32_t, 3> maxThreads = {0, 0, 0};      ///< .maxntid
  std::array<uint32_t, 3> requiredThreads = {0, 0, 0}; ///< .reqntid
  std::array<uint32_t, 3> requiredCluster = {0, 0, 0}; ///< .reqnctapercluster
  uint32_t minBlocks = 0;                              ///< .minnctapersm
  uint32_t maxRegisters = 0;                           ///< .maxnreg
  uint32_t maxClusterRank = 0;                         ///< .maxclusterrank
  bool explicitCluster = false;                        ///< .explicitcluster
  bool blocksAreClusters = false;                      ///< .blocksareclusters

  /// Those that are mentioned, in this order; `%r<100000>` costs nothing.
  std::vector<Register> registers;
  std::vector<Variable> variables; ///< .local, .shared, .param, … in any scope.
  std::vector<Instruction> instructions;
  std::vector<Operand> elements;        ///< Operands and parts of operands.
  std::vector<std::string_view> words;  ///< Modifiers.
  std::vector<BranchTargets> branchTargets;
  std::vector<Prototype> prototypes;
};

/// Source files of `.file`, by their number.
struct SourceFile {
  uint32_t number = 0;
  std::string_view path;
};

struct Module {
  std::string name; ///< For messages: a path, or "<memory>".
  std::string text;
  uint32_t versionMajor = 0, versionMinor = 0;
  std::string_view target; ///< "sm_90a"
  bool debug = false;
  std::vector<Variable> variables; ///< Of module scope.
  std::vector<Function> functions; ///< One for each name; definitions win.
  std::vector<SourceFile> files;
};

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_MODULE_H
