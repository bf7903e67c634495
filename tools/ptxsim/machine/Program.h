// A loaded module, its kernels, and the code of a kernel once it has run.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_PROGRAM_H
#define TCC_TOOLS_PTXSIM_MACHINE_PROGRAM_H

#include "tools/ptxsim/core/Block.h"
#include "tools/ptxsim/machine/Draft.h"
#include "tools/ptxsim/machine/Engine.h"

#include <deque>
#include <mutex>
#include <unordered_map>

namespace ptxsim {

class LoadedProgram;

/// The decoded functions that one kernel can reach, and where its shared
/// variables are. Functions are decoded for each kernel apart, since the same
/// shared variable may lie elsewhere in another.
class KernelProgram : public CodeSource, private Addresses {
public:
  KernelProgram(LoadedProgram &owner, const ptx::Function &entry)
      : owner(owner), entry(entry) {}

  /// Decodes all that the kernel can reach.
  ///
  /// \returns false and a message if something cannot be decoded.
  bool prepare(std::string &message);

  const Code *codeOf(uint32_t index, std::string &message) override;
  const ptx::Instruction *instructionOf(uint32_t op) override;
  uint32_t opCount() override;
  bool usesWarpgroups() const override { return hasWarpgroups; }
  const Code *entryCode() const { return entryPoint; }

  /// Ends with the program, for who remembers its code.
  std::weak_ptr<const void> lifetime() const { return token; }

  uint64_t staticSharedBytes = 0;   ///< Without the reserved ones.
  uint32_t dynamicSharedOffset = 0; ///< Shared address.
  uint32_t registers = 0; ///< Lanes of 32 bits that live at once, at most.
  uint64_t localBytes = 0; ///< Of all functions together.
  uint32_t barriers = 0;   ///< Up to the highest number; all if one is computed.
  bool movesRegisters = false; ///< By setmaxnreg.
  /// True if blocks may tell each other something: what they do then depends on
  /// which of them run at the same time.
  bool communicates = false;

private:
  bool ofVariable(uint32_t index, uint64_t &address,
                  std::string &message) override;
  bool ofFunctionVariable(const ptx::Function &function, uint32_t index,
                          uint64_t &address, std::string &message) override;
  uint64_t ofFunction(uint32_t index) override;
  uint64_t ofParameter(uint32_t index) override;

  void findReachable();
  void layOutShared();
  const Code *decode(uint32_t index, std::string &message);

  std::shared_ptr<const void> token = std::make_shared<char>();
  LoadedProgram &owner;
  const ptx::Function &entry;
  const Code *entryPoint = nullptr;
  bool hasWarpgroups = false;
  std::vector<uint32_t> reachable; ///< Functions, the kernel first.
  std::vector<std::unique_ptr<Code>> codes; ///< By function.
  uint32_t decodedOps = 0;
  std::unordered_map<uint32_t, uint32_t> sharedOffsets; ///< Of the module's.
  std::unordered_map<const ptx::Variable *, uint32_t> functionSharedOffsets;
  std::mutex mutex;
};

/// Fills in what the text says of a kernel: limits and parameters.
KernelAttributes describeKernel(const ptx::Function &function);

class Kernel {
public:
  Kernel(LoadedProgram &owner, const ptx::Function &function);

  /// The code, decoded now if it was not yet. Thread-safe.
  ///
  /// \returns null and a message if it cannot be decoded.
  KernelProgram *program(std::string &message) const;

  /// The attributes, for which the kernel is decoded.
  const KernelAttributes &attributes() const;

  const std::string name;
  LoadedProgram &owner;
  const ptx::Function &function;

private:
  mutable std::mutex mutex;
  mutable KernelAttributes known;
  mutable std::unique_ptr<KernelProgram> code;
  mutable std::string failure;
};

class LoadedProgram : public LoadedModule {
public:
  LoadedProgram(std::unique_ptr<ptx::Module> module, Memory &memory,
                uint64_t context);
  ~LoadedProgram() override;

  std::vector<const Kernel *> kernels() const override;
  const Kernel *findKernel(const std::string &name) const override;
  bool findVariable(const std::string &name, ModuleVariable &result) override;
  std::vector<std::string> variables() const override;

  /// The address of a `.global` or `.const` variable, which gets its memory and
  /// its initial value if it has none yet; 0 if there is no memory.
  uint64_t addressOf(const ptx::Variable &variable);

  const ptx::Module &module() const { return *text; }
  Memory &memory;
  const uint64_t context;

private:
  uint64_t place(const ptx::Variable &variable);
  void initialise(const ptx::Variable &variable, uint64_t address);

  std::unique_ptr<ptx::Module> text;
  std::deque<Kernel> entries;
  std::recursive_mutex mutex;
  std::unordered_map<const ptx::Variable *, uint64_t> addresses;
};

/// Matches every instruction of `module` with the instruction set.
///
/// \returns false if one does not; at most 20 diagnostics.
bool checkModule(const ptx::Module &module,
                 std::vector<ptx::Diagnostic> &diagnostics);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_PROGRAM_H
