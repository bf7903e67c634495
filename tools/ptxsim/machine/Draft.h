// A function between text and ops: every instruction has its handler, operands
// are still virtual registers.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_DRAFT_H
#define TCC_TOOLS_PTXSIM_MACHINE_DRAFT_H

#include "tools/ptxsim/checks/TransferRules.h"
#include "tools/ptxsim/core/Op.h"
#include "tools/ptxsim/isa/Form.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ptxsim {

/// Where the variables and functions of a module are, for one kernel.
class Addresses {
public:
  virtual ~Addresses() = default;
  /// The address of Module::variables[index] in its own space: global memory or
  /// an offset in shared memory. False and a message if it has none.
  virtual bool ofVariable(uint32_t index, uint64_t &address,
                          std::string &message) = 0;
  /// The same for a `.shared` or `.global` variable declared in a function.
  virtual bool ofFunctionVariable(const ptx::Function &function, uint32_t index,
                                  uint64_t &address, std::string &message) = 0;
  virtual uint64_t ofFunction(uint32_t index) = 0;
  /// The offset of a kernel's parameter.
  virtual uint64_t ofParameter(uint32_t index) = 0;
};

/// A virtual register: those of the text, then temporaries.
struct VirtualRegister {
  uint32_t bytes = 4; ///< Of a lane; 0 for a predicate.
  int32_t named = -1; ///< The register of the text that it is or stands for.
};

/// One op whose slots are virtual registers (at least 0) or constants (below).
struct DraftOp {
  Op op;
  uint32_t instruction = 0;
  OpTransfer transfer;
  bool isCall = false;
  bool isBranch = false;   ///< Op::immediate is an instruction until linked.
  bool endsPath = false;   ///< bra without guard, ret, exit, brx, trap.
  bool pinsRegisters = false; ///< wgmma: its registers stay in use until a wait.
  bool waitsForPinned = false;
  std::vector<uint32_t> sources;      ///< Virtual registers read.
  std::vector<uint32_t> destinations; ///< Virtual registers written.
  std::vector<uint32_t> addresses; ///< Which of the sources are addresses.
  bool lastIsRegister = false; ///< The last operand is the last source.
};

struct Draft {
  std::vector<VirtualRegister> registers;
  std::vector<DraftOp> ops;
  std::vector<uint32_t> firstOp; ///< Of each instruction, and one past the end.
};

/// Decodes one function: matches every instruction, lays out its frame and its
/// constants.
class DraftBuilder {
public:
  DraftBuilder(const ptx::Module &module, const ptx::Function &function,
               Addresses &addresses, Code &code)
      : module(module), function(function), addresses(addresses), code(code) {}

  /// \returns false if something cannot be decoded; `message` says what.
  bool build(Draft &result, std::string &message);

  /// Lays out the frame of a function whose body is one handler.
  void buildBuiltin(Draft &result, Handler handler);

private:
  bool addInstruction(const ptx::Instruction &instruction);
  bool addPlain(isa::Match &match);
  bool addCall(const ptx::Instruction &instruction);
  bool addRule(const isa::OperandRule &rule, const isa::Match &match,
               const ptx::Operand &operand);
  bool addValue(const ptx::Operand &operand, ptx::Type type, bool written,
                bool wide);
  bool addAddress(const ptx::Operand &operand);
  void readSpecial(const ptx::Operand &operand, uint32_t destination,
                   ptx::Type type);
  bool valueOf(const ptx::Operand &operand, ptx::Type type, uint64_t &bits);
  bool isFrameAddress(const ptx::Operand &operand, uint64_t &offset) const;
  Slot constant(uint64_t bits, unsigned bytes);
  uint32_t temporary(unsigned bytes, int32_t named = -1);
  void emitBefore(Handler handler, uint32_t destination, Slot source,
                  uint64_t immediate, OpTransfer transfer);
  void emitAfter(Handler handler, uint32_t destination, uint32_t source);
  void addResultsAsSources(DraftOp &op) const;
  void layOutFrame();
  void finish(DraftOp op);

  const ptx::Module &module;
  const ptx::Function &function;
  Addresses &addresses;
  Code &code;
  Draft *draft = nullptr;
  std::string *message = nullptr;
  const ptx::Instruction *current = nullptr;
  DraftOp pending;               ///< The op of the current instruction.
  std::vector<Slot> slots;       ///< Its operands.
  bool hasAddress = false;       ///< It has its first address.
  std::vector<DraftOp> after;    ///< Ops that follow it.
  std::map<std::pair<uint64_t, unsigned>, Slot> constants;
};

/// Moves the constants to a 64-byte boundary, now that there are all of them.
void alignConstants(Code &code);

/// Allocates virtual registers to slots and fills in `code`.
void allocateRegisters(Draft &draft, Code &code);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_DRAFT_H
