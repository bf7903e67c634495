// Translates the `plan` dialect to the executable's tables, one op to one
// table.

#include "compiler/emit/Manifest.h"

#include "compiler/emit/WeightWriter.h"
#include "dialects/kernel/Kernel.h"
#include "frontends/model/Architecture.h"
#include "frontends/model/ModelFile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::tcc;
namespace schema = ::tcc::schema;

static std::unique_ptr<schema::Expression> expression(ArrayRef<int64_t> terms) {
  return std::make_unique<schema::Expression>(
      terms[plan::Constant], terms[plan::Tokens], terms[plan::Sequences],
      terms[plan::LogitRows], terms[plan::ExpandedTokens],
      terms[plan::AbsorbedTokens], terms[plan::ExpandedSequences]);
}

static schema::ElementType elementType(Type type) {
  if (type.isBF16())
    return schema::ElementType::BF16;
  if (type.isF16())
    return schema::ElementType::F16;
  return schema::ElementType::F32;
}

static schema::Rows rowsKind(kernel::Rows rows) {
  switch (rows) {
  case kernel::Rows::Tokens:
    return schema::Rows::Tokens;
  case kernel::Rows::LogitRows:
    return schema::Rows::LogitRows;
  case kernel::Rows::Expanded:
    return schema::Rows::Expanded;
  case kernel::Rows::Absorbed:
    return schema::Rows::Absorbed;
  }
  llvm_unreachable("every kind of rows is one of the runtime's");
}

static schema::ArgumentKind inputKind(plan::Input input) {
  switch (input) {
  case plan::Input::Tokens:
    return schema::ArgumentKind::Tokens;
  case plan::Input::Positions:
    return schema::ArgumentKind::Positions;
  case plan::Input::Sequences:
    return schema::ArgumentKind::Sequences;
  case plan::Input::LogitRows:
    return schema::ArgumentKind::LogitRows;
  case plan::Input::PageTable:
    return schema::ArgumentKind::PageTable;
  case plan::Input::States:
    return schema::ArgumentKind::States;
  case plan::Input::Sampling:
    return schema::ArgumentKind::Sampling;
  }
  llvm_unreachable("every input has a kind of argument");
}

namespace {
/// Builds the tables of one target, in the order in which symbols are declared.
class TargetBuilder {
public:
  TargetBuilder(const CompiledImage &image, Manifest &manifest)
      : image(image), manifest(manifest),
        target(*manifest.executable.targets.back()) {}

  LogicalResult build(ModuleOp module);

private:
  void declare(plan::BufferOp op);
  LogicalResult declare(plan::WeightOp op);
  void declare(plan::CacheOp op);
  void declare(plan::RotaryTableOp op);
  void addKernels(ModuleOp module);
  std::unique_ptr<schema::LaunchT> launch(plan::LaunchOp op);
  std::unique_ptr<schema::StepPlanT> step(plan::StepOp op);
  LogicalResult addSteps(ModuleOp module);

  const CompiledImage &image;
  Manifest &manifest;
  schema::TargetT &target;
  llvm::StringMap<schema::Argument> arguments;
  llvm::StringMap<uint32_t> kernels;
  uint64_t weightBytes = 0;
};
} // namespace

void TargetBuilder::declare(plan::BufferOp op) {
  auto buffer = std::make_unique<schema::BufferT>();
  buffer->name = op.getSymName().str();
  buffer->offset = expression(op.getOffset());
  buffer->bytes = expression(op.getBytes());
  arguments.try_emplace(op.getSymName(), schema::ArgumentKind::Buffer,
                        target.buffers.size());
  target.buffers.push_back(std::move(buffer));
}

LogicalResult TargetBuilder::declare(plan::WeightOp op) {
  auto weight = std::make_unique<schema::WeightT>();
  weight->name = op.getSymName().str();
  if (op.getLayers()) {
    weight->first_layer = static_cast<uint32_t>((*op.getLayers())[0]);
    weight->layers = static_cast<uint32_t>((*op.getLayers())[1]);
  }
  FailureOr<uint64_t> bytes = packedBytes(op);
  if (failed(bytes))
    return failure();
  weight->bytes = *bytes;
  weight->stride = llvm::alignTo(*bytes, 64);
  weight->offset = weightBytes;
  weightBytes += weight->stride * weight->layers;
  arguments.try_emplace(op.getSymName(), schema::ArgumentKind::Weight,
                        target.packed.size());
  target.packed.push_back(std::move(weight));
  manifest.weights.back().push_back(op);
  return success();
}

void TargetBuilder::declare(plan::CacheOp op) {
  auto cache = std::make_unique<schema::CacheT>();
  cache->layers = static_cast<uint32_t>(op.getLayers());
  cache->page_tokens = static_cast<uint32_t>(op.getPageTokens());
  cache->page_bytes = op.getPageBytes();
  cache->heads = static_cast<uint32_t>(op.getHeads());
  cache->key_size = static_cast<uint32_t>(op.getKeySize());
  cache->value_size = static_cast<uint32_t>(op.getValueSize());
  cache->element = elementType(op.getElement());
  cache->latent = op.getLatent();
  arguments.try_emplace(op.getSymName(), schema::ArgumentKind::CacheLayer,
                        target.caches.size());
  target.caches.push_back(std::move(cache));
}

void TargetBuilder::declare(plan::RotaryTableOp op) {
  auto table = std::make_unique<schema::RotaryTableT>();
  table->inverse_frequencies.assign(op.getFrequencies().begin(),
                                    op.getFrequencies().end());
  table->multiplier = op.getMultiplier().convertToDouble();
  arguments.try_emplace(op.getSymName(), schema::ArgumentKind::RotaryTable,
                        target.rotary_tables.size());
  target.rotary_tables.push_back(std::move(table));
}

/// The work of a launch of `op`, found by asking for a few sizes; none if it is
/// no such sum.
static std::unique_ptr<schema::Work> workOf(kernel::KernelOpInterface op,
                                            kernel::Rows rows) {
  int64_t positionBytes = op.getBytes(1, 1) - op.getBytes(1, 0);
  int64_t rowBytes = op.getBytes(2, 0) - op.getBytes(1, 0) - positionBytes;
  int64_t bytes = op.getBytes(1, 0) - rowBytes - positionBytes;
  int64_t pairFlops = op.getFlops(1, 1) - op.getFlops(1, 0);
  int64_t rowFlops = op.getFlops(1, 0) - pairFlops;
  // Five rows after nine positions: each attends to itself and those before.
  int64_t pairs = 5 * 9 + 15;
  if (op.getBytes(5, 9) != bytes + 5 * rowBytes + 14 * positionBytes ||
      op.getFlops(5, 9) != 5 * rowFlops + pairs * pairFlops ||
      llvm::any_of(ArrayRef<int64_t>(
                       {bytes, rowBytes, positionBytes, rowFlops, pairFlops}),
                   [](int64_t part) { return part < 0; }))
    return nullptr;
  auto part = [](int64_t value) { return static_cast<uint64_t>(value); };
  return std::make_unique<schema::Work>(rowsKind(rows), part(bytes),
                                        part(rowBytes), part(positionBytes),
                                        part(rowFlops), part(pairFlops));
}

/// What a launch of the kernel in the function `name` of `module` does.
static std::unique_ptr<schema::Work> workOf(ModuleOp module, StringRef name) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function || function.empty())
    return nullptr;
  auto op = dyn_cast<kernel::KernelOpInterface>(function.front().front());
  auto attribute = function->getAttrOfType<StringAttr>(kernel::rowsAttribute);
  std::optional<kernel::Rows> rows =
      attribute ? kernel::symbolizeRows(attribute) : std::nullopt;
  return op && rows ? workOf(op, *rows) : nullptr;
}

void TargetBuilder::addKernels(ModuleOp module) {
  for (const CompiledKernel &compiled : image.kernels) {
    auto kernel = std::make_unique<schema::KernelT>();
    kernel->name = compiled.name;
    kernel->entry = compiled.entry;
    kernel->configuration = compiled.configuration;
    kernel->threads = compiled.threads;
    kernel->blocks = compiled.blocks;
    kernel->cluster = compiled.cluster;
    kernel->shared_bytes = compiled.sharedBytes;
    kernel->waits = compiled.waits;
    kernel->work = workOf(module, compiled.name);
    kernel->tensor_maps = compiled.tensorMaps;
    kernels.try_emplace(compiled.name, target.kernels.size());
    target.kernels.push_back(std::move(kernel));
  }
}

std::unique_ptr<schema::LaunchT> TargetBuilder::launch(plan::LaunchOp op) {
  auto launch = std::make_unique<schema::LaunchT>();
  launch->kernel = kernels.lookup(op.getKernel());
  for (Attribute symbol : op.getArguments())
    launch->arguments.push_back(
        arguments.lookup(cast<FlatSymbolRefAttr>(symbol).getValue()));
  launch->tiles = expression(op.getTiles());
  launch->scratch = expression(op.getScratch());
  return launch;
}

std::unique_ptr<schema::StepPlanT> TargetBuilder::step(plan::StepOp op) {
  auto step = std::make_unique<schema::StepPlanT>();
  step->arena = expression(op.getArena());
  step->logits = arguments.lookup(op.getLogits()).index();
  if (op.getStates())
    step->states = arguments.lookup(*op.getStates()).index();
  if (op.getSamples())
    step->samples = arguments.lookup(*op.getSamples()).index();
  if (std::optional<ArrayRef<int64_t>> expansion = op.getExpansion())
    step->expansion = std::make_unique<schema::Expansion>(
        (*expansion)[0], (*expansion)[1], (*expansion)[2]);
  for (Operation &child : *op.getBody().begin()) {
    auto entry = std::make_unique<schema::StepEntryT>();
    if (auto loopOp = dyn_cast<plan::LoopOp>(child)) {
      schema::LoopT loop;
      loop.first_layer = static_cast<uint32_t>(loopOp.getLayers()[0]);
      loop.layers = static_cast<uint32_t>(loopOp.getLayers()[1]);
      for (auto launchOp : loopOp.getBody().getOps<plan::LaunchOp>())
        loop.launches.push_back(launch(launchOp));
      entry->body.Set(std::move(loop));
    } else {
      entry->body.Set(std::move(*launch(cast<plan::LaunchOp>(child))));
    }
    step->entries.push_back(std::move(entry));
  }
  return step;
}

LogicalResult TargetBuilder::addSteps(ModuleOp module) {
  WalkResult collectives = module.walk([](plan::CollectiveOp op) {
    op.emitOpError("cannot be written: expected a plan for one device");
    return WalkResult::interrupt();
  });
  if (collectives.wasInterrupted())
    return failure();
  for (auto op : module.getOps<plan::StepOp>()) {
    if (op.getSymName() == "step")
      target.step = step(op);
    else if (op.getSymName() == "prediction")
      target.prediction = step(op);
    else
      return op.emitOpError("expected the name @step or @prediction");
  }
  if (!target.step)
    return module.emitError("expected a plan.step @step, got none");
  if (target.prediction && (!target.step->states || !target.prediction->states))
    return module.emitError(
        "expected states of @step and @prediction, got none "
        "of one of them");
  return success();
}

LogicalResult TargetBuilder::build(ModuleOp module) {
  target.kind = image.kind;
  target.cpu = image.cpu;
  target.features = image.features;
  for (auto op : module.getOps<plan::BufferOp>())
    declare(op);
  for (auto op : module.getOps<plan::WeightOp>())
    if (failed(declare(op)))
      return failure();
  for (auto op : module.getOps<plan::CacheOp>())
    declare(op);
  for (auto op : module.getOps<plan::RotaryTableOp>())
    declare(op);
  for (auto op : module.getOps<plan::InputOp>())
    arguments.try_emplace(op.getSymName(), inputKind(op.getInput()), 0);
  addKernels(module);
  return addSteps(module);
}

/// Copies a table; the object API gives no copy constructor.
static std::unique_ptr<schema::TokenizerT>
copyTokenizer(const schema::TokenizerT &tokenizer) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::Tokenizer::Pack(builder, &tokenizer));
  return std::unique_ptr<schema::TokenizerT>(
      flatbuffers::GetRoot<schema::Tokenizer>(builder.GetBufferPointer())
          ->UnPack());
}

FailureOr<Manifest> mlir::tcc::buildManifest(ArrayRef<TargetCode> targets,
                                             const schema::ModelT &model) {
  Manifest manifest;
  schema::ExecutableT &executable = manifest.executable;
  ::tcc::DecoderSizes sizes = ::tcc::decoderSizes(model);
  executable.producer = "tcc " TCC_VERSION;
  executable.model_name = model.name;
  executable.architecture = StringRef(::tcc::architectureName(model)).lower();
  executable.vocabulary = static_cast<uint32_t>(sizes.vocabulary);
  executable.max_positions = static_cast<uint32_t>(sizes.maxPositions);
  executable.parameters = ::tcc::countParameters(model).model;
  executable.end_ids = model.end_ids;
  if (model.tokenizer)
    executable.tokenizer = copyTokenizer(*model.tokenizer);
  for (const TargetCode &code : targets) {
    executable.targets.push_back(std::make_unique<schema::TargetT>());
    manifest.weights.emplace_back();
    if (failed(TargetBuilder(*code.image, manifest).build(code.module)))
      return failure();
  }
  const schema::TargetT &target = *executable.targets.front();
  if (target.step->states)
    executable.hidden_size = static_cast<uint32_t>(sizes.hidden);
  for (const auto &cache : target.caches)
    executable.activations = cache->element;
  return manifest;
}
