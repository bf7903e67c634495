// Turns a lowered model into a plan: declares what launches read and write, and
// puts the launches in order.

#include "compiler/schedule/Passes.h"

#include "compiler/schedule/BufferAllocator.h"
#include "compiler/schedule/KernelOutliner.h"
#include "compiler/schedule/LaunchList.h"
#include "compiler/target/CostModel.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_SCHEDULEPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// The size of a step that counts the rows of `kind`.
static plan::Term termOf(RowKind kind) {
  switch (kind) {
  case RowKind::Fixed:
    return plan::Constant;
  case RowKind::Tokens:
    return plan::Tokens;
  case RowKind::LogitRows:
    return plan::LogitRows;
  }
  llvm_unreachable("every kind of rows is a size of a step");
}

static plan::Term termOf(kernel::Rows rows) {
  switch (rows) {
  case kernel::Rows::Tokens:
    return plan::Tokens;
  case kernel::Rows::LogitRows:
    return plan::LogitRows;
  case kernel::Rows::Expanded:
    return plan::ExpandedTokens;
  case kernel::Rows::Absorbed:
    return plan::AbsorbedTokens;
  }
  llvm_unreachable("all rows are a size of a step");
}

/// `factor` times the size `term`, plus `constant`.
static DenseI64ArrayAttr expression(MLIRContext *context, plan::Term term,
                                    int64_t factor, int64_t constant = 0) {
  std::array<int64_t, plan::termCount> terms = {constant};
  terms[term] += factor;
  return DenseI64ArrayAttr::get(context, terms);
}

/// The sum of what each kind of rows takes.
static DenseI64ArrayAttr sum(MLIRContext *context, ArrayRef<int64_t> perRow) {
  std::array<int64_t, plan::termCount> terms = {};
  for (RowKind kind : {RowKind::Fixed, RowKind::Tokens, RowKind::LogitRows})
    terms[termOf(kind)] = perRow[static_cast<size_t>(kind)];
  return DenseI64ArrayAttr::get(context, terms);
}

/// The value of the map `(rows) -> (value)` for `rows`.
static int64_t evaluate(AffineMap map, int64_t rows) {
  auto type = IndexType::get(map.getContext());
  SmallVector<Attribute> result;
  bool folded =
      succeeded(map.constantFold({IntegerAttr::get(type, rows)}, result));
  assert(folded && "maps of kernels have one constant result");
  (void)folded;
  return cast<IntegerAttr>(result.front()).getInt();
}

/// The linear map `(rows) -> (value)` of the size `term` as an expression.
static DenseI64ArrayAttr expression(plan::Term term, AffineMap map) {
  int64_t constant = evaluate(map, 0);
  return expression(map.getContext(), term, evaluate(map, 1) - constant,
                    constant);
}

//===----------------------------------------------------------------------===//
// PlanBuilder
//===----------------------------------------------------------------------===//

namespace {
/// Writes a plan at the end of a module.
class PlanBuilder {
public:
  PlanBuilder(ModuleOp module, LaunchList &list)
      : module(module), list(list), builder(module.getContext()),
        outliner(module) {
    builder.setInsertionPointToEnd(module.getBody());
  }

  void build();

private:
  DenseI64ArrayAttr declareBuffers(size_t step);
  void declareWeights();
  void declareWeight(const ScheduledWeight &weight, StringRef name);
  void declareCache();
  void declareRest();
  void buildStep(StringRef name, const ScheduledStep &step,
                 DenseI64ArrayAttr arena);
  void buildLaunch(OpBuilder &builder, const ScheduledLaunch &launch);
  FlatSymbolRefAttr symbolOf(const ScheduledOperand &operand);
  FlatSymbolRefAttr bufferSymbol(size_t index) {
    return symbol("buffer_" + Twine(index));
  }
  FlatSymbolRefAttr symbol(const Twine &name) {
    return FlatSymbolRefAttr::get(builder.getContext(), name.str());
  }

  ModuleOp module;
  LaunchList &list;
  OpBuilder builder;
  KernelOutliner outliner;
  SmallVector<FlatSymbolRefAttr> weights;
};
} // namespace

/// Places the buffers of step `step`: those of fixed size first, then those of
/// tokens and those of logit rows. Returns the size of the arena.
DenseI64ArrayAttr PlanBuilder::declareBuffers(size_t step) {
  int64_t ends[3] = {0, 0, 0};
  std::vector<int64_t> offsets(list.buffers.size(), 0);
  auto isPlaced = [&](const ScheduledBuffer &buffer) {
    return buffer.step == step && buffer.last >= buffer.first;
  };
  for (RowKind kind : {RowKind::Fixed, RowKind::Tokens, RowKind::LogitRows}) {
    std::vector<Lifetime> lifetimes;
    std::vector<size_t> indices;
    for (auto [index, buffer] : llvm::enumerate(list.buffers))
      if (isPlaced(buffer) && buffer.rows == kind) {
        lifetimes.push_back({buffer.rowBytes, buffer.first, buffer.last});
        indices.push_back(index);
      }
    std::vector<int64_t> placed =
        allocateBuffers(lifetimes, ends[static_cast<int>(kind)]);
    for (auto [index, offset] : llvm::zip(indices, placed))
      offsets[index] = offset;
  }
  for (auto [index, buffer] : llvm::enumerate(list.buffers)) {
    if (!isPlaced(buffer))
      continue;
    auto kind = static_cast<size_t>(buffer.rows);
    // What comes before it in the arena, then its own place.
    int64_t place[3] = {0, 0, 0};
    std::copy_n(ends, kind, place);
    place[kind] = offsets[index];
    plan::BufferOp::create(
        builder, module.getLoc(),
        builder.getStringAttr("buffer_" + Twine(index)),
        sum(builder.getContext(), place),
        expression(builder.getContext(), termOf(buffer.rows), buffer.rowBytes),
        builder.getDenseI64ArrayAttr({buffer.first, buffer.last}));
  }
  return sum(builder.getContext(), ends);
}

void PlanBuilder::declareWeight(const ScheduledWeight &weight, StringRef name) {
  transformer::GetWeightOp get = weight.view.get;
  SmallVector<Attribute> sources, scales, halves;
  bool hasHalves = false;
  for (Attribute symbol : get.getWeights()) {
    auto source = SymbolTable::lookupNearestSymbolFrom<transformer::WeightOp>(
        get, cast<FlatSymbolRefAttr>(symbol));
    sources.push_back(source.getTensorAttr());
    if (StringAttr tensor = source.getScalesAttr())
      scales.push_back(tensor);
    DenseI64ArrayAttr order = source.getHalvesAttr();
    halves.push_back(order ? order : builder.getDenseI64ArrayAttr({}));
    hasHalves |= bool(order);
  }
  DenseI64ArrayAttr layers;
  if (weight.loop) {
    const ScheduledLoop &loop = list.loops[*weight.loop];
    layers = builder.getDenseI64ArrayAttr({loop.first, loop.count});
  }
  plan::WeightOp::create(
      builder, get.getLoc(), builder.getStringAttr(name),
      builder.getArrayAttr(sources), layers, weight.packing,
      TypeAttr::get(weight.type),
      scales.empty() ? ArrayAttr() : builder.getArrayAttr(scales),
      hasHalves ? builder.getArrayAttr(halves) : ArrayAttr(), weight.view.rows,
      weight.transposed ? builder.getUnitAttr() : UnitAttr(),
      /*split=*/{});
}

/// The names of the weights on top of each other, joined, without the kind of
/// layer before the dot, and where the rows of each head begin that are not
/// all.
static std::string nameOf(const WeightView &view) {
  SmallVector<StringRef> names;
  for (Attribute source : transformer::GetWeightOp(view.get).getWeights()) {
    StringRef symbol = cast<FlatSymbolRefAttr>(source).getValue();
    names.push_back(symbol.substr(symbol.rfind('.') + 1));
  }
  std::string name = llvm::join(names, "_");
  if (view.rows && view.rows[1] != view.rows[2])
    name += "_from_" + std::to_string(view.rows[0]);
  return name;
}

void PlanBuilder::declareWeights() {
  llvm::StringMap<int> names;
  for (const ScheduledWeight &weight : list.weights) {
    // A weight that two loops read is two: each has its own layers.
    std::string name = "packed_" + nameOf(weight.view);
    if (int count = ++names[name]; count > 1)
      name += "_v" + std::to_string(count);
    declareWeight(weight, name);
    weights.push_back(symbol(name));
  }
}

void PlanBuilder::declareCache() {
  auto declare = [&](int64_t pageTokens, int64_t pageBytes) {
    transformer::CacheOp cache = list.cache;
    plan::CacheOp::create(builder, cache.getLoc(), "kv_cache",
                          cache.getLayers(), cache.getHeads(),
                          cache.getKeySize(), cache.getValueSize(), pageTokens,
                          pageBytes, cache.getElement(), cache.getLatent());
  };
  if (auto layout = dyn_cast_or_null<kernel::CacheAttr>(list.cacheLayout))
    declare(layout.getPageTokens(), layout.getPageBytes());
  if (auto layout = dyn_cast_or_null<kernel::LatentCacheAttr>(list.cacheLayout))
    declare(layout.getPageTokens(), layout.getPageBytes());
}

void PlanBuilder::declareRest() {
  Location location = module.getLoc();
  declareCache();
  for (auto [index, table] : llvm::enumerate(list.rotaryTables))
    plan::RotaryTableOp::create(builder, table.getLoc(),
                                builder.getStringAttr("rotary_" + Twine(index)),
                                table.getFrequenciesAttr(),
                                table.getMultiplierAttr());
  SmallVector<plan::Input> inputs = {
      plan::Input::Tokens, plan::Input::Positions, plan::Input::Sequences,
      plan::Input::LogitRows, plan::Input::PageTable};
  if (list.steps.size() > 1)
    inputs.push_back(plan::Input::States);
  if (list.steps.front().samples)
    inputs.push_back(plan::Input::Sampling);
  for (plan::Input input : inputs)
    plan::InputOp::create(builder, location, plan::stringifyInput(input),
                          input);
}

FlatSymbolRefAttr PlanBuilder::symbolOf(const ScheduledOperand &operand) {
  switch (operand.kind) {
  case ScheduledOperand::Kind::Buffer:
    return bufferSymbol(operand.index);
  case ScheduledOperand::Kind::Weight:
    return weights[operand.index];
  case ScheduledOperand::Kind::Cache:
    return symbol("kv_cache");
  case ScheduledOperand::Kind::RotaryTable:
    return symbol("rotary_" + Twine(operand.index));
  case ScheduledOperand::Kind::Input:
    return symbol(
        plan::stringifyInput(static_cast<plan::Input>(operand.index)));
  }
  llvm_unreachable("every operand has a symbol");
}

void PlanBuilder::buildLaunch(OpBuilder &builder,
                              const ScheduledLaunch &launch) {
  SmallVector<Attribute> arguments = llvm::map_to_vector(
      launch.operands, [&](const ScheduledOperand &operand) -> Attribute {
        return symbolOf(operand);
      });
  kernel::KernelOpInterface op = launch.op;
  plan::LaunchOp::create(builder, op.getLoc(), outliner.outline(launch),
                         builder.getArrayAttr(arguments),
                         expression(termOf(launch.rows), op.getTiles()),
                         expression(termOf(launch.rows), op.getScratchBytes()));
}

/// By what a step with two forms of attention chooses one, in multiply-adds of
/// a head: what a pair of query and key costs less in expanded form, what it
/// costs to expand a position, and how many tokens share what was expanded.
/// Where nothing is expanded but rows have two forms, prompts have the first
/// one. Null if there is one form.
static DenseI64ArrayAttr findExpansion(const ScheduledStep &step) {
  // The most tokens of a step.
  constexpr int64_t wholePrompt = int64_t(1) << 20;
  DenseI64ArrayAttr expansion;
  for (const ScheduledLaunch &launch : step.launches) {
    kernel::KernelOpInterface op = launch.op;
    auto attention = dyn_cast<kernel::ExpandedAttentionOp>(op.getOperation());
    if (!attention) {
      if (launch.rows == kernel::Rows::Expanded)
        expansion =
            DenseI64ArrayAttr::get(op->getContext(), {1, 0, wholePrompt});
      continue;
    }
    int64_t latent = attention.getCache().getLatentSize();
    int64_t expanded = attention.getNopeSize() + attention.getValueSize();
    return DenseI64ArrayAttr::get(
        op->getContext(),
        {std::max<int64_t>(2 * latent - expanded, 0), expanded * latent,
         static_cast<int64_t>(attention.getAttention().getBlockTokens())});
  }
  return expansion;
}

void PlanBuilder::buildStep(StringRef name, const ScheduledStep &scheduled,
                            DenseI64ArrayAttr arena) {
  auto step = plan::StepOp::create(
      builder, module.getLoc(), builder.getStringAttr(name),
      bufferSymbol(scheduled.logits),
      scheduled.states ? bufferSymbol(*scheduled.states) : FlatSymbolRefAttr(),
      scheduled.samples ? bufferSymbol(*scheduled.samples)
                        : FlatSymbolRefAttr(),
      findExpansion(scheduled), arena);
  OpBuilder outer = OpBuilder::atBlockBegin(&step.getBody().emplaceBlock());
  OpBuilder inner = outer;
  std::optional<size_t> current;
  for (const ScheduledLaunch &launch : scheduled.launches) {
    if (launch.loop && launch.loop != current) {
      const ScheduledLoop &range = list.loops[*launch.loop];
      auto loop = plan::LoopOp::create(
          outer, module.getLoc(),
          builder.getDenseI64ArrayAttr({range.first, range.count}));
      inner = OpBuilder::atBlockBegin(&loop.getBody().emplaceBlock());
    }
    current = launch.loop;
    buildLaunch(launch.loop ? inner : outer, launch);
  }
}

void PlanBuilder::build() {
  constexpr StringRef names[] = {"step", "prediction"};
  SmallVector<DenseI64ArrayAttr> arenas;
  for (size_t step = 0; step < list.steps.size(); ++step)
    arenas.push_back(declareBuffers(step));
  declareWeights();
  declareRest();
  for (auto [name, step, arena] : llvm::zip(names, list.steps, arenas))
    buildStep(name, step, arena);
}

namespace {
struct Schedule : tcc::impl::SchedulePassBase<Schedule> {
  using SchedulePassBase::SchedulePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::unique_ptr<CostModel> costs = createCostModel(march, module);
    if (!costs)
      return signalPassFailure();
    SmallVector<Operation *> old;
    for (Operation &op : *module.getBody())
      old.push_back(&op);
    FailureOr<LaunchList> list = listLaunches(module, *costs);
    if (failed(list))
      return signalPassFailure();
    PlanBuilder(module, *list).build();
    for (Operation *op : llvm::reverse(old))
      op->erase();
  }
};
} // namespace
