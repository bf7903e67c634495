// PTX texts: what can be loaded can be executed, without harm to the process
// whatever it does. Kernels that may run for ever are left out: those that branch
// back or call functions of their own.

#include "tools/ptxsim/machine/Engine.h"
#include "tools/ptxsim/machine/Memory.h"
#include "tools/ptxsim/ptx/Parser.h"

#include <algorithm>
#include <cstring>
#include <set>

using namespace ptxsim;

/// True if what follows an instruction in time follows it in the text.
static bool goesOn(const ptx::Function &function, size_t index) {
  const ptx::Instruction &instruction = function.instructions[index];
  if (instruction.opcode == "call" || instruction.opcode == "nanosleep")
    return false;
  for (uint32_t i = 0; i < instruction.operandCount; ++i) {
    const ptx::Operand &operand =
        function.elements[instruction.firstOperand + i];
    if (operand.kind == ptx::Operand::Kind::Label && operand.index <= index)
      return false;
    if (operand.kind == ptx::Operand::Kind::Table)
      for (uint32_t target : function.branchTargets[operand.index].targets)
        if (target <= index)
          return false;
  }
  return true;
}

/// The names of kernels that end after as many instructions as they have.
static std::set<std::string> findShort(const ptx::Module &module) {
  std::set<std::string> result;
  for (const ptx::Function &function : module.functions) {
    bool isShort = true;
    for (size_t i = 0; i < function.instructions.size(); ++i)
      isShort &= goesOn(function, i);
    if (isShort)
      result.insert(std::string(function.name));
  }
  return result;
}

/// Parameters that are the address of a buffer wherever they are read.
static std::vector<uint8_t> parametersOf(const Kernel &kernel, uint64_t buffer) {
  std::vector<uint8_t> result(attributesOf(kernel).parameterBytes);
  for (size_t at = 0; at + sizeof(buffer) <= result.size(); at += sizeof(buffer))
    std::memcpy(result.data() + at, &buffer, sizeof(buffer));
  return result;
}

static void run(Engine &engine, const Kernel &kernel, uint64_t buffer) {
  const KernelAttributes &attributes = attributesOf(kernel);
  LaunchParameters launch;
  launch.kernel = &kernel;
  uint32_t blocks = 1, threads = 1;
  for (size_t i = 0; i < 3; ++i) {
    launch.cluster[i] = std::max(1u, attributes.requiredCluster[i]);
    launch.block[i] = std::max(1u, attributes.requiredThreads[i]);
    if (launch.cluster[i] > 4 || launch.block[i] > 256)
      return;
    blocks *= launch.cluster[i];
    threads *= launch.block[i];
  }
  if (blocks > 4 || threads > 256)
    return;
  if (threads == 1)
    launch.block[0] = std::min(128u, attributes.maxThreads);
  launch.grid = launch.cluster;
  launch.hasCluster = blocks > 1;
  launch.dynamicSharedBytes = 256;
  launch.parameters = parametersOf(kernel, buffer);
  Fault fault;
  std::shared_ptr<Grid> grid = engine.start(launch, Limits(), {}, fault);
  if (grid == nullptr)
    return;
  for (EngineEvent event = EngineEvent::Triggered; event != EngineEvent::Idle;) {
    event = engine.run();
    if (event == EngineEvent::Stalled)
      engine.failStalled();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<ptx::Diagnostic> diagnostics;
  std::unique_ptr<ptx::Module> module =
      ptx::parse(std::string(reinterpret_cast<const char *>(data), size), "t.ptx",
                 diagnostics);
  if (module == nullptr)
    return 0;
  std::set<std::string> shortKernels = findShort(*module);
  EngineOptions options;
  options.threads = 1;
  options.schedule.kind = Schedule::Kind::Random;
  options.schedule.seed = size;
  options.checks = CheckLevel(size % 3);
  std::unique_ptr<Engine> engine = Engine::create(options);
  uint64_t buffer = engine->memory().allocate(4096, 256, MemoryKind::Device, 0, "");
  std::unique_ptr<LoadedModule> loaded =
      engine->load(std::move(module), 0, diagnostics);
  if (loaded == nullptr)
    return 0;
  for (const Kernel *kernel : loaded->kernels())
    if (attributesOf(*kernel).localBytes <= 4096 &&
        shortKernels.count(nameOf(*kernel)))
      run(*engine, *kernel, buffer);
  return 0;
}
