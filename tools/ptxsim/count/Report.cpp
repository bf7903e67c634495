// Sums up launches.

#include "tools/ptxsim/count/Report.h"

#include "tools/ptxsim/count/Facts.h"

using namespace ptxsim;

void CountTotals::operator+=(const CountTotals &other) {
  counts += other.counts;
  for (unsigned i = 0; i < opClasses; ++i) {
    classes[i].issued += other.classes[i].issued;
    classes[i].lanes += other.classes[i].lanes;
  }
  for (const auto &[type, operations] : other.tensor)
    tensor[type] += operations;
  for (const auto &[type, operations] : other.scalar)
    scalar[type] += operations;
}

static std::string sourceFileOf(const ptx::Module &module, uint32_t number) {
  for (const ptx::SourceFile &file : module.files)
    if (file.number == number)
      return std::string(file.path);
  return "";
}

/// Finds the kernel by its name and its text: a module may be loaded again, and
/// another one may have a kernel of the same name.
size_t CountReport::kernelOf(const GridRun &run) {
  uint64_t hash = std::hash<std::string>()(run.module->text);
  auto [entry, isNew] =
      kernelIndex.try_emplace({run.kernelName, hash}, kernels.size());
  if (isNew) {
    kernels.emplace_back();
    kernels.back().name = run.kernelName;
    kernels.back().module = run.module->name;
  }
  return entry->second;
}

/// Adds what the words of an instruction say to what was counted of it.
static void addFacts(const InstructionFacts &facts, Counts &counts,
                     CountTotals &totals) {
  uint64_t issued = counts[Count::Issued];
  if (facts.isWait)
    counts[Count::Waits] = issued;
  if (facts.tensorOperations != 0) {
    counts[Count::TensorOperations] = issued * facts.tensorOperations;
    counts[Count::TensorSharedBytes] = issued * facts.tensorSharedBytes;
    totals.tensor[facts.tensorType] += counts[Count::TensorOperations];
  }
  if (facts.scalarOperations != 0) {
    counts[Count::ScalarOperations] =
        counts[Count::Lanes] * facts.scalarOperations;
    totals.scalar[facts.scalarType] += counts[Count::ScalarOperations];
  }
}

/// Adds the ops of one function that ran.
void CountReport::addOps(KernelRecord &kernel, const GridRun &run,
                         const Counters::CodeCounts &function,
                         CountTotals &totals) {
  const Code &code = *function.code;
  const std::vector<ptx::Instruction> &instructions =
      code.function->instructions;
  for (size_t i = 0; i < function.ops.size(); ++i) {
    const OpCounts &op = function.ops[i];
    uint32_t index = code.infos[i].instruction;
    // The end of a function is no instruction.
    if (op.issued + op.predicatedOff == 0 || index >= instructions.size())
      continue;
    const ptx::Instruction &instruction = instructions[index];
    Counts counts;
    if (op.detail != nullptr)
      counts = op.detail->counts;
    counts[Count::Issued] = op.issued;
    counts[Count::PredicatedOff] = op.predicatedOff;
    counts[Count::ActiveLanes] = op.activeLanes;
    counts[Count::Lanes] = op.lanes;
    addFacts(factsOf(*code.function, instruction), counts, totals);
    totals.counts += counts;
    OpClass opClass = code.ops[i].opClass;
    totals.classes[unsigned(opClass)].issued += op.issued;
    totals.classes[unsigned(opClass)].lanes += op.lanes;
    auto [entry, isNew] = kernel.lines.try_emplace({code.index, index});
    LineRecord &line = entry->second;
    line.counts += counts;
    if (op.detail != nullptr)
      for (const auto &[barrier, waits] : op.detail->barriers)
        line.barriers[barrier] += waits;
    if (!isNew)
      continue;
    line.function = std::string(code.function->name);
    line.text = ptx::onOneLine(instruction);
    line.line = instruction.location.line;
    line.opClass = opClass;
    if (instruction.sourceLine == 0)
      continue;
    line.sourceLine = instruction.sourceLine;
    line.sourceFile = sourceFileOf(*run.module, instruction.sourceFile);
  }
}

void CountReport::add(const GridRun &run, const Counters &counters,
                      const Occupancy &occupancy, uint64_t l1Bytes,
                      bool hasFailed) {
  size_t index = kernelOf(run);
  KernelRecord &kernel = kernels[index];
  CountTotals totals;
  for (const Counters::CodeCounts &function : counters.codes())
    if (function.code != nullptr)
      addOps(kernel, run, function, totals);
  ++kernel.launches;
  kernel.totals += totals;
  if (launches.size() == listedLaunches) {
    ++notListed;
    return;
  }
  LaunchRecord launch;
  launch.kernel = index;
  launch.launch = run.launch;
  launch.launch.kernel = nullptr; // It may not live as long.
  launch.launch.parameters = {};
  launch.registers = run.registers;
  launch.staticSharedBytes = run.staticSharedBytes;
  launch.l1Bytes = l1Bytes;
  launch.occupancy = occupancy;
  launch.hasFailed = hasFailed;
  launch.totals = std::move(totals);
  launches.push_back(std::move(launch));
}
