// Decoded instructions.
//
// A kernel is decoded, when it first runs, into one array of ops for each
// function it reaches. An op is a cache line: the function that executes it for
// the lanes of a warp, and where its operands are. Registers of PTX have been
// allocated to slots of a frame, so that a warp's frame stays within the L1 cache
// however many virtual registers the text names.

#ifndef TCC_TOOLS_PTXSIM_CORE_OP_H
#define TCC_TOOLS_PTXSIM_CORE_OP_H

#include "tools/ptxsim/ptx/Module.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ptxsim {

struct Op;
struct Warp;

/// One bit for each lane.
using LaneMask = uint32_t;

/// What a warp does after an op.
enum class Next : uint8_t {
  Advance, ///< Go on with the next op.
  Jump,    ///< The handler has set the warp's state; go on from there.
  Yield,   ///< Go on with the next op, but let others run first.
  Wait,    ///< Execute this op again later: what it waits for is not there.
  Stop,    ///< The kernel has a fault.
};

/// Executes an op for the lanes of `mask`, of which there is at least one.
using Handler = Next (*)(Warp &warp, const Op &op, LaneMask mask);

/// Where an operand is: the byte offset of its 32 lanes in the frame, or, with
/// the sign bit set, among the constants of the function. A predicate is one
/// 32-bit mask. -1 where there is none: destinations that are thrown away have a
/// slot of their own instead.
using Slot = int32_t;

/// What an op is to the counters and to the scheduler.
enum class OpClass : uint8_t {
  Move,
  Integer,
  Float,
  Double,
  Half,
  Convert,
  Special, ///< ex2, rcp, sin, …: the multi-function unit.
  Predicate,
  Control,
  Load,
  Store,
  Atomic,
  AsyncCopy,
  Collective, ///< shfl, vote, match, redux, elect.
  Barrier,    ///< bar, mbarrier, fences.
  Matrix,     ///< mma, ldmatrix, stmatrix.
  Warpgroup,  ///< wgmma
  Other,
};
constexpr unsigned opClasses = unsigned(OpClass::Other) + 1;

/// Returns the name in reports, as in "async copy".
const char *nameOf(OpClass opClass);

enum OpFlags : uint16_t {
  /// All lanes of the warp that have not exited must execute it together.
  opAligned = 1,
  /// The base of the address is a 64-bit register.
  opAddress64 = 2,
  opGuardNegated = 4,
  /// Its effect is known to other warps at once, so that a slice ends after it.
  opEndsSlice = 8,
  /// The address is that of a variable of the frame: add its local offset.
  opFrameLocal = 16,
  /// Part of an instruction whose work another op does: not counted.
  opHelper = 32,
};

struct alignas(64) Op {
  Handler handler = nullptr;
  Slot slots[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
  Slot guard = -1; ///< A predicate, or -1.
  uint32_t list = 0; ///< Of operands that do not fit: index in Code::lists.
  uint64_t immediate = 0; ///< Offset of an address, target of a branch, ….
  uint32_t modifiers = 0; ///< Whatever the form keeps of its words.
  uint16_t flags = 0;
  OpClass opClass = OpClass::Other;
  uint8_t count = 0; ///< Of elements, for vectors.
};
static_assert(sizeof(Op) == 64, "an op is a cache line");

/// What is known of an op that only checks and reports need.
struct OpInfo {
  uint32_t instruction = 0; ///< Index in ptx::Function::instructions.
  uint32_t firstSource = 0; ///< In Code::operands.
  uint8_t sources = 0;
  uint8_t destinations = 0; ///< They follow the sources.
  uint8_t transfer = 0;     ///< How undefined bits go through; see checks.
  uint8_t detail = 0;       ///< Of `transfer`.
  /// The lines of 64 bytes of the frame that hold its registers, counted modulo
  /// 64, a bit each; all ones if it depends on more than registers.
  uint64_t lines = 0;
};

/// A register operand of an op, for the checks.
struct RegisterOperand {
  Slot slot = -1;
  uint32_t bytes = 0; ///< Of one lane; 0 for a predicate.
  /// In ptx::Function::registers: which one it is, or was computed from by the
  /// decoder; -1 if from none.
  int32_t reg = -1;
  /// Of a source: it must be defined whatever becomes of the results.
  bool mustBeDefined = false;
  bool isWritten = true; ///< Of Code::undefined: some op writes it.
};

/// A variable of a frame in local memory.
struct FrameVariable {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// One decoded function.
struct Code {
  const ptx::Function *function = nullptr;
  uint32_t index = 0; ///< In ptx::Module::functions.
  std::vector<Op> ops; ///< Ends with an implicit return or exit.
  std::vector<OpInfo> infos; ///< One for each op.
  uint32_t firstOp = 0; ///< How many ops of the program were decoded before.
  std::vector<RegisterOperand> operands;
  std::vector<Slot> lists;
  std::vector<std::vector<uint32_t>> tables; ///< Targets of brx.idx, as ops.
  uint8_t *constants = nullptr; ///< 64-byte aligned, in `constantStorage`.
  std::vector<uint8_t> constantStorage;
  uint32_t frameBytes = 0; ///< Of registers, for all 32 lanes; 64-byte multiple.
  uint64_t localBytes = 0; ///< Of one lane: variables and parameters.
  uint32_t localAlignment = 1;
  std::vector<FrameVariable> variables;  ///< As ptx::Function::variables.
  std::vector<FrameVariable> parameters; ///< As ptx::Function::parameters.
  std::vector<FrameVariable> results;    ///< As ptx::Function::results.
  std::vector<Slot> parameterSlots; ///< Of `.reg` parameters, else -1.
  std::vector<Slot> resultSlots;    ///< Of `.reg` results, else -1.
  /// Slots that hold nothing when the function is entered.
  std::vector<RegisterOperand> undefined;

  /// The number of an op among all of the program.
  uint32_t numberOf(const Op &op) const {
    return firstOp + uint32_t(&op - ops.data());
  }
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_OP_H
