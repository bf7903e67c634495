// What a kernel can reach, decoded.

#include "tools/ptxsim/core/Handlers.h"
#include "tools/ptxsim/isa/Builtins.h"
#include "tools/ptxsim/machine/Program.h"

#include <algorithm>

using namespace ptxsim;
using ptx::Operand;
using ptx::Space;

/// Functions whose address is somewhere: they may be called through a pointer.
static std::vector<uint32_t> addressTaken(const ptx::Module &module) {
  std::vector<uint32_t> result;
  for (const ptx::Variable &variable : module.variables)
    for (const ptx::Relocation &relocation : variable.relocations)
      if (relocation.isFunction)
        result.push_back(relocation.index);
  for (const ptx::Function &function : module.functions)
    for (const ptx::Instruction &instruction : function.instructions)
      for (uint32_t i = 0; i < instruction.operandCount; ++i) {
        const Operand &operand = function.elements[instruction.firstOperand + i];
        if (operand.kind == Operand::Kind::Function &&
            instruction.opcode != "call")
          result.push_back(operand.index);
      }
  return result;
}

void KernelProgram::findReachable() {
  const ptx::Module &module = owner.module();
  std::vector<bool> seen(module.functions.size(), false);
  auto add = [&](uint32_t index) {
    if (!seen[index])
      reachable.push_back(index);
    seen[index] = true;
  };
  add(uint32_t(&entry - module.functions.data()));
  bool indirect = false;
  for (size_t next = 0; next < reachable.size(); ++next) {
    const ptx::Function &function = module.functions[reachable[next]];
    for (const ptx::Instruction &instruction : function.instructions) {
      if (instruction.opcode != "call")
        continue;
      const Operand &callee = function.elements[instruction.firstOperand + 1];
      bool direct = callee.kind == Operand::Kind::Function;
      if (direct)
        add(callee.index);
      if (!direct && !indirect)
        for (uint32_t index : addressTaken(module))
          add(index);
      indirect |= !direct;
    }
  }
}

/// Shared variables that are used, in order of use; then dynamic memory, where
/// all `.extern .shared` arrays begin.
void KernelProgram::layOutShared() {
  const ptx::Module &module = owner.module();
  uint64_t offset = h100::reservedSharedBytesPerBlock;
  uint32_t dynamicAlignment = 16;
  auto place = [&](const ptx::Variable &variable) {
    uint32_t alignment = std::max(variable.alignment, 1u);
    offset = (offset + alignment - 1) / alignment * alignment;
    uint64_t result = offset;
    offset += variable.bytes;
    // What is too large is refused at launch.
    return uint32_t(result);
  };
  auto use = [&](const ptx::Function &function, const Operand &operand) {
    if (operand.kind != Operand::Kind::Variable)
      return;
    const ptx::Variable &variable = operand.ofFunction
                                        ? function.variables[operand.index]
                                        : module.variables[operand.index];
    if (variable.space != Space::Shared)
      return;
    if (variable.bytes == 0)
      dynamicAlignment = std::max(dynamicAlignment, variable.alignment);
    else if (operand.ofFunction && functionSharedOffsets.count(&variable) == 0)
      functionSharedOffsets[&variable] = place(variable);
    else if (!operand.ofFunction && sharedOffsets.count(operand.index) == 0)
      sharedOffsets[operand.index] = place(variable);
  };
  for (uint32_t index : reachable) {
    const ptx::Function &function = module.functions[index];
    for (const Operand &operand : function.elements)
      use(function, operand);
  }
  staticSharedBytes = offset - h100::reservedSharedBytesPerBlock;
  offset = std::min<uint64_t>(offset, 1u << 30);
  dynamicSharedOffset = uint32_t((offset + dynamicAlignment - 1) /
                                 dynamicAlignment * dynamicAlignment);
}

bool KernelProgram::ofVariable(uint32_t index, uint64_t &address,
                               std::string &message) {
  const ptx::Variable &variable = owner.module().variables[index];
  if (variable.space == Space::Shared) {
    address = variable.bytes == 0 ? dynamicSharedOffset : sharedOffsets.at(index);
    return true;
  }
  address = owner.addressOf(variable);
  if (address == 0)
    message = "no memory for variable '" + std::string(variable.name) + "' of " +
              std::to_string(variable.bytes) + " bytes";
  return address != 0;
}

bool KernelProgram::ofFunctionVariable(const ptx::Function &function,
                                       uint32_t index, uint64_t &address,
                                       std::string &message) {
  const ptx::Variable &variable = function.variables[index];
  if (variable.space == Space::Shared) {
    address = variable.bytes == 0 ? dynamicSharedOffset
                                  : functionSharedOffsets.at(&variable);
    return true;
  }
  address = owner.addressOf(variable);
  if (address == 0)
    message = "no memory for variable '" + std::string(variable.name) + "'";
  return address != 0;
}

uint64_t KernelProgram::ofFunction(uint32_t index) {
  return owner.memory.functionWindow() + 16 * uint64_t(index);
}

uint64_t KernelProgram::ofParameter(uint32_t index) {
  return describeKernel(entry).parameters[index].offset;
}

/// True if an instruction lets blocks see each other's work while they run.
static bool communicates(const ptx::Function &function,
                         const ptx::Instruction &instruction) {
  auto has = [&](std::initializer_list<std::string_view> words) {
    const std::string_view *first = &function.words[0] + instruction.firstWord;
    return std::find_first_of(first, first + instruction.wordCount, words.begin(),
                              words.end()) != first + instruction.wordCount;
  };
  std::string_view opcode = instruction.opcode;
  if (opcode == "griddepcontrol")
    return true;
  if (instruction.wordCount == 0 ||
      has({"shared", "shared::cta", "shared::cluster"}))
    return false;
  if (opcode == "atom" || opcode == "red")
    return true;
  if (opcode == "ld" || opcode == "st")
    return has({"volatile", "relaxed", "acquire", "release", "mmio"});
  if (opcode == "membar" || opcode == "fence")
    return has({"gl", "sys", "gpu"});
  return false;
}

/// Returns how many barriers of a block an instruction takes: all up to its own.
static uint32_t barriersOf(const ptx::Function &function,
                           const ptx::Instruction &instruction) {
  if (instruction.opcode != "bar" && instruction.opcode != "barrier")
    return 0;
  const std::string_view *words = function.words.data() + instruction.firstWord;
  bool isReduction = false;
  for (uint32_t i = 0; i < instruction.wordCount; ++i) {
    if (words[i] == "warp" || words[i] == "cluster")
      return 0;
    isReduction |= words[i] == "red";
  }
  // A reduction has its result first.
  const ptx::Operand &number =
      function.elements[instruction.firstOperand + isReduction];
  return number.kind == ptx::Operand::Kind::Integer ? uint32_t(number.bits) + 1
                                                      : 16;
}

const Code *KernelProgram::decode(uint32_t index, std::string &message) {
  const ptx::Function &function = owner.module().functions[index];
  auto code = std::make_unique<Code>();
  code->index = index;
  Draft draft;
  DraftBuilder builder(owner.module(), function, *this, *code);
  if (!function.isDefined) {
    Handler builtin = isa::builtin(function.name);
    if (builtin == nullptr) {
      message = "expected a definition of the function '" +
                std::string(function.name) + "'";
      return nullptr;
    }
    builder.buildBuiltin(draft, builtin);
  } else if (!builder.build(draft, message)) {
    return nullptr;
  }
  allocateRegisters(draft, *code);
  alignConstants(*code);
  for (const ptx::Instruction &instruction : function.instructions) {
    communicates |= ::communicates(function, instruction);
    movesRegisters |= instruction.opcode == "setmaxnreg";
    barriers = std::max(barriers, barriersOf(function, instruction));
  }
  for (const Op &op : code->ops)
    hasWarpgroups |= op.opClass == OpClass::Warpgroup;
  registers += code->frameBytes / 128;
  localBytes += code->localBytes;
  code->firstOp = decodedOps;
  decodedOps += uint32_t(code->ops.size());
  codes[index] = std::move(code);
  return codes[index].get();
}

bool KernelProgram::prepare(std::string &message) {
  codes.resize(owner.module().functions.size());
  findReachable();
  layOutShared();
  for (uint32_t index : reachable)
    if (decode(index, message) == nullptr)
      return false;
  entryPoint = codes[reachable[0]].get();
  return true;
}

const Code *KernelProgram::codeOf(uint32_t index, std::string &message) {
  std::lock_guard<std::mutex> lock(mutex);
  if (index >= codes.size()) {
    message = "expected the address of a function";
    return nullptr;
  }
  return codes[index] != nullptr ? codes[index].get() : decode(index, message);
}

const ptx::Instruction *KernelProgram::instructionOf(uint32_t op) {
  std::lock_guard<std::mutex> lock(mutex);
  for (const std::unique_ptr<Code> &code : codes) {
    if (code == nullptr || op - code->firstOp >= code->ops.size())
      continue;
    uint32_t index = code->infos[op - code->firstOp].instruction;
    const auto &instructions = code->function->instructions;
    return index < instructions.size() ? &instructions[index] : nullptr;
  }
  return nullptr;
}

uint32_t KernelProgram::opCount() {
  std::lock_guard<std::mutex> lock(mutex);
  return decodedOps;
}
