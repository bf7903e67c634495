// Loaded modules: kernels, variables, initial values.

#include "tools/ptxsim/machine/Program.h"

#include "tools/ptxsim/isa/Builtins.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;
using ptx::Operand;
using ptx::Space;

KernelAttributes ptxsim::describeKernel(const ptx::Function &function) {
  KernelAttributes result;
  auto product = [](const std::array<uint32_t, 3> &size) {
    return std::max(size[0], 1u) * std::max(size[1], 1u) * std::max(size[2], 1u);
  };
  if (function.maxThreads[0] != 0)
    result.maxThreads = std::min(product(function.maxThreads), 1024u);
  if (function.requiredThreads[0] != 0)
    result.maxThreads = std::min(product(function.requiredThreads), 1024u);
  for (int i = 0; i < 3; ++i) {
    result.requiredThreads[i] = function.requiredThreads[i];
    result.requiredCluster[i] = function.requiredCluster[i];
  }
  result.maxClusterRank = function.maxClusterRank;
  result.explicitCluster = function.explicitCluster;
  uint64_t offset = 0;
  for (const ptx::Variable &parameter : function.parameters) {
    uint64_t alignment = std::max(parameter.alignment, 1u);
    offset = (offset + alignment - 1) / alignment * alignment;
    result.parameters.push_back({offset, parameter.bytes});
    offset += parameter.bytes;
  }
  result.parameterBytes = offset;
  return result;
}

Kernel::Kernel(LoadedProgram &owner, const ptx::Function &function)
    : name(function.name), owner(owner), function(function),
      known(describeKernel(function)) {}

/// The registers that the directives leave to a thread.
static uint32_t registerLimit(const ptx::Function &function,
                              const KernelAttributes &attributes) {
  uint32_t limit = h100::registersPerThread;
  if (function.maxRegisters != 0)
    limit = std::min(limit, function.maxRegisters);
  bool hasThreads =
      function.maxThreads[0] != 0 || function.requiredThreads[0] != 0;
  if (hasThreads) {
    uint32_t warps = (attributes.maxThreads + 31) / 32;
    uint32_t blocks = std::min(std::max(function.minBlocks, 1u),
                               h100::blocksPerMultiprocessor);
    uint32_t share = h100::registersByWarps(warps * blocks);
    limit = std::min(limit, std::max(share, 24u));
  }
  return limit;
}

/// Counts the registers of a thread as ptxas would allocate them: what lives at
/// once, in steps of 8, within the limit; all of it if setmaxnreg moves them.
/// ptxas ignores setmaxnreg unless .maxnreg or .minnctapersm says how many there
/// are.
static void countRegisters(const ptx::Function &function,
                           const KernelProgram &program,
                           KernelAttributes &attributes) {
  uint32_t limit = registerLimit(function, attributes);
  uint32_t wanted = (program.registers + 8 + 7) / 8 * 8;
  attributes.registers = std::min(std::max(wanted, 16u), limit);
  bool isSaid = function.maxRegisters != 0 || function.minBlocks != 0;
  if (!program.movesRegisters || !isSaid || limit == h100::registersPerThread)
    return;
  attributes.registers = attributes.registersToMove = limit / 8 * 8;
}

KernelProgram *Kernel::program(std::string &message) const {
  std::lock_guard<std::mutex> lock(mutex);
  if (code == nullptr && failure.empty()) {
    auto fresh = std::make_unique<KernelProgram>(owner, function);
    if (fresh->prepare(failure)) {
      known.sharedBytes = fresh->staticSharedBytes;
      known.localBytes = fresh->localBytes;
      known.barriers = fresh->barriers;
      countRegisters(function, *fresh, known);
      code = std::move(fresh);
    }
  }
  message = failure;
  return code.get();
}

const KernelAttributes &Kernel::attributes() const {
  std::string message;
  program(message);
  return known;
}

const std::string &ptxsim::nameOf(const Kernel &kernel) { return kernel.name; }

const KernelAttributes &ptxsim::attributesOf(const Kernel &kernel) {
  return kernel.attributes();
}

LoadedProgram::LoadedProgram(std::unique_ptr<ptx::Module> module,
                             Memory &memory, uint64_t context)
    : memory(memory), context(context), text(std::move(module)) {
  for (const ptx::Function &function : text->functions)
    if (function.isEntry && function.isDefined)
      entries.emplace_back(*this, function);
}

LoadedProgram::~LoadedProgram() {
  for (const auto &[variable, address] : addresses)
    memory.free(address);
}

std::vector<const Kernel *> LoadedProgram::kernels() const {
  std::vector<const Kernel *> result;
  for (const Kernel &kernel : entries)
    result.push_back(&kernel);
  return result;
}

const Kernel *LoadedProgram::findKernel(const std::string &name) const {
  for (const Kernel &kernel : entries)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

bool LoadedProgram::findVariable(const std::string &name,
                                 ModuleVariable &result) {
  for (const ptx::Variable &variable : text->variables) {
    if (variable.name != name || variable.space == Space::Shared ||
        variable.isExternal)
      continue;
    result = {name, addressOf(variable), variable.bytes, variable.isManaged};
    return result.address != 0;
  }
  return false;
}

std::vector<std::string> LoadedProgram::variables() const {
  std::vector<std::string> result;
  for (const ptx::Variable &variable : text->variables)
    if (variable.space != Space::Shared && !variable.isExternal)
      result.emplace_back(variable.name);
  return result;
}

uint64_t LoadedProgram::place(const ptx::Variable &variable) {
  MemoryKind kind = variable.isManaged ? MemoryKind::Managed
                    : variable.space == Space::Constant ? MemoryKind::Constant
                                                        : MemoryKind::Variable;
  return memory.allocate(std::max<uint64_t>(variable.bytes, 1),
                         std::max(variable.alignment, 256u), kind, context,
                         std::string(variable.name));
}

/// Writes the initial value; addresses in it may need other variables first.
void LoadedProgram::initialise(const ptx::Variable &variable,
                               uint64_t address) {
  uint8_t *target = reinterpret_cast<uint8_t *>(address);
  std::memset(target, 0, variable.bytes);
  std::copy(variable.initial.begin(), variable.initial.end(), target);
}

uint64_t LoadedProgram::addressOf(const ptx::Variable &variable) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  auto known = addresses.find(&variable);
  if (known != addresses.end())
    return known->second;
  std::vector<const ptx::Variable *> placed;
  auto ensure = [&](const ptx::Variable &wanted) {
    auto [entry, inserted] = addresses.try_emplace(&wanted, 0);
    if (inserted) {
      entry->second = place(wanted);
      placed.push_back(&wanted);
    }
    return entry->second;
  };
  ensure(variable);
  for (size_t next = 0; next < placed.size(); ++next) {
    const ptx::Variable &current = *placed[next];
    uint64_t address = addresses[&current];
    if (address == 0)
      continue;
    initialise(current, address);
    for (const ptx::Relocation &relocation : current.relocations) {
      uint64_t value =
          relocation.isFunction
              ? memory.functionWindow() + 16 * uint64_t(relocation.index)
              : ensure(text->variables[relocation.index]);
      value = (value + uint64_t(relocation.addend)) >> relocation.shift;
      std::memcpy(reinterpret_cast<uint8_t *>(address) + relocation.offset,
                  &value, relocation.bytes);
    }
  }
  return addresses[&variable];
}

/// Names and definitions that an instruction needs beside its form.
static bool checkReferences(const ptx::Module &module,
                            const ptx::Function &function,
                            const ptx::Instruction &instruction,
                            std::string &message) {
  for (uint32_t i = 0; i < instruction.operandCount; ++i) {
    const Operand &operand = function.elements[instruction.firstOperand + i];
    if (operand.kind == Operand::Kind::Function) {
      const ptx::Function &callee = module.functions[operand.index];
      if (!callee.isDefined && isa::builtin(callee.name) == nullptr) {
        message = "expected a definition of the function '" +
                  std::string(callee.name) + "', which is only declared";
        return false;
      }
    }
  }
  return true;
}

/// Checks the sizes of parameters and of constant memory.
static void checkSizes(const ptx::Module &module,
                       std::vector<ptx::Diagnostic> &diagnostics) {
  for (const ptx::Function &function : module.functions) {
    uint64_t bytes = describeKernel(function).parameterBytes;
    if (function.isEntry && bytes > h100::parameterBytes)
      diagnostics.push_back(
          {function.location,
           "expected at most " + std::to_string(h100::parameterBytes) +
               " bytes of parameters, got " + std::to_string(bytes),
           std::string(function.name)});
  }
  uint64_t bytes = 0;
  for (const ptx::Variable &variable : module.variables) {
    if (variable.space != ptx::Space::Constant)
      continue;
    bytes += variable.bytes;
    if (bytes <= h100::constantBytes)
      continue;
    diagnostics.push_back({variable.location,
                           "expected at most " +
                               std::to_string(h100::constantBytes) +
                               " bytes of constant variables, got " +
                               std::to_string(bytes) + " up to this one",
                           std::string(variable.name)});
    return;
  }
}

bool ptxsim::checkModule(const ptx::Module &module,
                         std::vector<ptx::Diagnostic> &diagnostics) {
  checkSizes(module, diagnostics);
  for (const ptx::Function &function : module.functions) {
    for (const ptx::Instruction &instruction : function.instructions) {
      isa::Match match;
      std::string message;
      bool good = instruction.opcode == "call" ||
                  isa::match(module, function, instruction, match, message);
      Op scratch;
      if (good && match.form != nullptr &&
          match.form->select(match, scratch) == nullptr) {
        message = isa::refusalOf(match);
        good = false;
      }
      if (good && match.form != nullptr) {
        message = isa::checkVersion(module, match);
        if (message.empty())
          message = isa::checkSpaces(module, match);
        good = message.empty();
      }
      good = good && checkReferences(module, function, instruction, message);
      if (good)
        continue;
      diagnostics.push_back({instruction.location, message,
                             ptx::onOneLine(instruction)});
      if (diagnostics.size() >= 20)
        return false;
    }
  }
  return diagnostics.empty();
}
