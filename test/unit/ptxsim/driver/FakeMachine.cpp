// A machine whose kernels are C++ functions; see FakeMachine.h.

#include "test/unit/ptxsim/driver/FakeMachine.h"

#include <algorithm>
#include <map>

namespace ptxsim {

class Kernel {
public:
  std::string name;
  fake::KernelDefinition definition;
};

const std::string &nameOf(const Kernel &kernel) { return kernel.name; }

const KernelAttributes &attributesOf(const Kernel &kernel) {
  return kernel.definition.attributes;
}

uint32_t blocksPerMultiprocessor(const KernelAttributes &attributes,
                                 uint32_t threads, uint64_t sharedBytes) {
  uint64_t byThreads = h100::threadsPerMultiprocessor / std::max(threads, 1u);
  uint64_t byShared = h100::sharedBytesPerMultiprocessor /
                      (sharedBytes + h100::reservedSharedBytesPerBlock);
  (void)attributes;
  return static_cast<uint32_t>(
      std::min({byThreads, byShared, uint64_t(h100::blocksPerMultiprocessor)}));
}

namespace fake {

static std::map<std::string, KernelDefinition> &definitions() {
  static std::map<std::string, KernelDefinition> table;
  return table;
}

Log &log() {
  static Log log;
  return log;
}

void define(const std::string &name, std::vector<uint64_t> parameterBytes,
            Body body, KernelAttributes attributes) {
  for (uint64_t bytes : parameterBytes) {
    uint64_t alignment = std::min<uint64_t>(bytes, 8);
    uint64_t offset =
        (attributes.parameterBytes + alignment - 1) / alignment * alignment;
    attributes.parameters.push_back({offset, bytes});
    attributes.parameterBytes = offset + bytes;
  }
  definitions()[name] = {attributes, std::move(body)};
}

const KernelDefinition *find(const std::string &name) {
  auto it = definitions().find(name);
  return it == definitions().end() ? nullptr : &it->second;
}

ParameterLayout layoutOf(const LaunchParameters &launch, size_t index) {
  return attributesOf(*launch.kernel).parameters.at(index);
}

/// A module of the registered kernels that its text names, and of variables
/// `.global .u32 NAME[N];`.
class FakeModule : public LoadedModule {
public:
  FakeModule(Memory &memory, uint64_t context) : memory(memory) {
    (void)context;
  }
  ~FakeModule() override {
    for (const ModuleVariable &variable : table)
      memory.free(variable.address);
  }

  std::vector<const Kernel *> kernels() const override {
    std::vector<const Kernel *> result;
    for (const auto &kernel : owned)
      result.push_back(kernel.get());
    return result;
  }
  const Kernel *findKernel(const std::string &name) const override {
    for (const auto &kernel : owned)
      if (kernel->name == name)
        return kernel.get();
    return nullptr;
  }
  bool findVariable(const std::string &name, ModuleVariable &result) override {
    for (const ModuleVariable &variable : table)
      if (variable.name == name) {
        result = variable;
        return true;
      }
    return false;
  }
  std::vector<std::string> variables() const override {
    std::vector<std::string> names;
    for (const ModuleVariable &variable : table)
      names.push_back(variable.name);
    return names;
  }

  Memory &memory;
  std::vector<std::unique_ptr<Kernel>> owned;
  std::vector<ModuleVariable> table;
};

class FakeGrid : public Grid {
public:
  bool isFinished() const override { return finished; }
  bool isTriggered() const override { return triggered || finished; }
  const Fault *fault() const override { return failed ? &failure : nullptr; }

  LaunchParameters launch;
  std::vector<std::shared_ptr<Grid>> prerequisites;
  unsigned turns = 0;
  bool finished = false, triggered = false, failed = false;
  Fault failure;
};

class FakeEngine : public Engine {
public:
  explicit FakeEngine(const EngineOptions &options) : settings(options) {}

  const EngineOptions &options() const override { return settings; }
  Memory &memory() override { return store; }
  std::unique_ptr<LoadedModule>
  load(std::unique_ptr<ptx::Module> module, uint64_t context,
       std::vector<ptx::Diagnostic> &diagnostics) override;
  std::shared_ptr<Grid> start(const LaunchParameters &parameters,
                              const Limits &limits,
                              std::vector<std::shared_ptr<Grid>> prerequisites,
                              Fault &fault) override;
  EngineEvent run() override;
  void failStalled() override;
  void noteHostWrite(uint64_t, uint64_t) override { ++log().hostWrites; }
  void noteCopy(uint64_t, uint64_t, uint64_t) override { ++log().copies; }

private:
  /// Gives `grid` a turn; true if `event` became true.
  bool turn(FakeGrid &grid, bool &moved, EngineEvent &event);

  EngineOptions settings;
  Memory store;
  std::vector<std::shared_ptr<FakeGrid>> grids;
};

std::unique_ptr<LoadedModule>
FakeEngine::load(std::unique_ptr<ptx::Module> module, uint64_t context,
                 std::vector<ptx::Diagnostic> &diagnostics) {
  auto result = std::make_unique<FakeModule>(store, context);
  for (const ptx::Function &function : module->functions) {
    std::string name(function.name);
    const KernelDefinition *definition = find(name);
    if (!definition) {
      diagnostics.push_back(
          {function.location,
           "expected a kernel of the test, got '" + name + "'", ""});
      return nullptr;
    }
    result->owned.push_back(
        std::make_unique<Kernel>(Kernel{name, *definition}));
  }
  for (const ptx::Variable &variable : module->variables) {
    std::string name(variable.name);
    uint64_t address = store.allocate(variable.bytes, 256, MemoryKind::Variable,
                                      context, name);
    result->table.push_back(
        {name, address, variable.bytes, variable.isManaged});
  }
  return result;
}

std::shared_ptr<Grid>
FakeEngine::start(const LaunchParameters &parameters, const Limits &,
                  std::vector<std::shared_ptr<Grid>> prerequisites, Fault &) {
  auto grid = std::make_shared<FakeGrid>();
  grid->launch = parameters;
  grid->prerequisites = std::move(prerequisites);
  log().started.push_back(nameOf(*parameters.kernel));
  log().launches.push_back(parameters);
  grids.push_back(grid);
  return grid;
}

bool FakeEngine::turn(FakeGrid &grid, bool &moved, EngineEvent &event) {
  bool prerequisitesDone =
      std::all_of(grid.prerequisites.begin(), grid.prerequisites.end(),
                  [](const auto &other) { return other->isFinished(); });
  Run run{grid.launch, store, grid.turns, prerequisitesDone, {}, false};
  Turn result = grid.launch.kernel->definition.body(run);
  if (run.failed) {
    grid.failed = grid.finished = moved = true;
    grid.failure = run.fault;
    event = EngineEvent::Finished;
    return true;
  }
  if (result == Turn::Polls)
    return false;
  ++grid.turns;
  moved = true;
  if (result == Turn::Again)
    return false;
  (result == Turn::Done ? grid.finished : grid.triggered) = true;
  event = result == Turn::Done ? EngineEvent::Finished : EngineEvent::Triggered;
  return true;
}

EngineEvent FakeEngine::run() {
  ++log().runs;
  for (;;) {
    grids.erase(std::remove_if(grids.begin(), grids.end(),
                               [](auto &grid) { return grid->finished; }),
                grids.end());
    if (grids.empty())
      return EngineEvent::Idle;
    bool moved = false;
    EngineEvent event = EngineEvent::Idle;
    for (const std::shared_ptr<FakeGrid> &grid : grids)
      if (turn(*grid, moved, event))
        return event;
    if (!moved)
      return EngineEvent::Stalled;
  }
}

void FakeEngine::failStalled() {
  for (const std::shared_ptr<FakeGrid> &grid : grids) {
    ++log().stallsFailed;
    grid->failed = grid->finished = true;
    grid->failure.code = FaultCode::LaunchTimeout;
    grid->failure.check = "livelock";
    grid->failure.message = "expected somebody to write what it polls, got "
                            "nobody";
    grid->failure.place.kernel = nameOf(*grid->launch.kernel);
  }
}

} // namespace fake

std::unique_ptr<Engine> Engine::create(const EngineOptions &options) {
  return std::make_unique<fake::FakeEngine>(options);
}

namespace ptx {

/// Returns the word that begins at or behind `position`.
static std::string_view wordAt(std::string_view text, size_t position) {
  size_t begin = text.find_first_not_of(" \t\n", position);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_first_of(" \t\n(;[,", begin) - begin);
}

/// Reads `.global .u32 NAME[N];` behind `position`.
static Variable readVariable(std::string_view text, size_t position) {
  Variable variable;
  std::string_view rest =
      text.substr(position, text.find(';', position) - position);
  variable.isManaged = rest.find(".managed") != std::string_view::npos;
  size_t type = rest.find(".u32");
  variable.name = type == std::string_view::npos ? "" : wordAt(rest, type + 4);
  size_t open = rest.find('[');
  uint64_t count = open == std::string_view::npos
                       ? 1
                       : std::strtoull(rest.data() + open + 1, nullptr, 10);
  variable.bytes = 4 * count;
  return variable;
}

std::unique_ptr<Module> parse(std::string text, std::string name,
                              std::vector<Diagnostic> &diagnostics) {
  auto module = std::make_unique<Module>();
  module->text = std::move(text);
  module->name = std::move(name);
  std::string_view view = module->text;
  size_t version = view.find(".version ");
  if (version == std::string_view::npos) {
    diagnostics.push_back(
        {{1, 1}, "expected .version, got none", "first line"});
    return nullptr;
  }
  module->versionMajor = static_cast<uint32_t>(view[version + 9] - '0');
  module->versionMinor = static_cast<uint32_t>(view[version + 11] - '0');
  for (size_t at = view.find(".entry "); at != std::string_view::npos;
       at = view.find(".entry ", at + 1)) {
    Function function;
    function.name = wordAt(view, at + 7);
    function.isEntry = function.isDefined = true;
    module->functions.push_back(std::move(function));
  }
  for (size_t at = view.find("\n.global "); at != std::string_view::npos;
       at = view.find("\n.global ", at + 1))
    module->variables.push_back(readVariable(view, at));
  return module;
}

} // namespace ptx
} // namespace ptxsim
