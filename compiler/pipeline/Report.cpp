#include "compiler/pipeline/Report.h"

#include "compiler/codegen/nvptx/Kernels.h"
#include "compiler/target/h100/Limits.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/plan/Plan.h"
#include "frontends/model/Architecture.h"
#include "frontends/model/ModelFile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/core/Plan.h"
#include "runtime/support/Text.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::tcc;
namespace schema = ::tcc::schema;

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

static void add(Work &sum, Work work, int64_t times = 1) {
  sum.flops += work.flops * times;
  sum.bytes += work.bytes * times;
}

/// The kernel op in the function that `launch` calls.
static kernel::KernelOpInterface launchedKernel(plan::LaunchOp launch) {
  auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      launch, launch.getKernelAttr());
  return cast<kernel::KernelOpInterface>(function.front().front());
}

/// The work of `rows` tokens of one sequence that has `cached` positions.
static Work workOf(kernel::KernelOpInterface op, int64_t rows, int64_t cached) {
  if (rows == 0)
    return {};
  return {op.getFlops(rows, cached), op.getBytes(rows, cached)};
}

static kernel::Rows rowsOf(kernel::KernelOpInterface op) {
  auto rows =
      op->getParentOp()->getAttrOfType<StringAttr>(kernel::rowsAttribute);
  return *kernel::symbolizeRows(rows);
}

/// Rows of `op` for each token: how much more `launch` writes than a row if it
/// is of experts.
static int64_t rowsForToken(plan::LaunchOp launch,
                            kernel::KernelOpInterface op) {
  auto experts = dyn_cast<kernel::GroupedLinearOp>(op.getOperation());
  if (!experts)
    return 1;
  auto init = cast<BlockArgument>(experts.getInit());
  auto buffer = SymbolTable::lookupNearestSymbolFrom<plan::BufferOp>(
      launch,
      cast<FlatSymbolRefAttr>(launch.getArguments()[init.getArgNumber()]));
  auto type = cast<MemRefType>(init.getType());
  return buffer.getBytes()[plan::Tokens] /
         (type.getDimSize(1) * type.getElementTypeBitWidth() / 8);
}

/// The configuration that the cost model chose for `op`, as text.
static std::string configurationOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (StringRef name : {"packing", "configuration", "attention", "cache"})
    if (Attribute attribute = op->getAttr(name)) {
      if (!text.empty())
        stream << ' ';
      attribute.print(stream);
    }
  if (auto operand = op->getAttrOfType<TypeAttr>("operand"))
    stream << " operand(" << operand.getValue() << ')';
  return text;
}

/// What the names of the tensors of one expert begin with; of no tensor if
/// there are no experts.
static std::string nameFirstExpert(const schema::ModelT &model) {
  for (const auto &tensor : model.tensors)
    if (::tcc::isOfRoutedExpert(model, tensor->name)) {
      size_t end = tensor->name.find('.', tensor->name.find(".experts.") + 9);
      return tensor->name.substr(0, end + 1);
    }
  return " ";
}

/// Counts what `model` says without a plan.
static void countModel(Report &report, const schema::ModelT &model) {
  report.name = ::tcc::rt::printable(model.name);
  ::tcc::Parameters parameters = ::tcc::countParameters(model);
  report.parameters = parameters.model;
  report.activeParameters = parameters.active;
  report.predictionParameters = parameters.prediction;
  std::string firstExpert = nameFirstExpert(model);
  llvm::MapVector<int, uint64_t> bytes;
  for (const auto &tensor : model.tensors) {
    bytes[static_cast<int>(tensor->storage)] += tensor->bytes;
    if (tensor->name.rfind(firstExpert, 0) == 0)
      report.expertBytes += tensor->bytes;
  }
  for (auto [storage, count] : bytes)
    report.weightBytes.emplace_back(
        schema::EnumNameStorage(static_cast<schema::Storage>(storage)), count);
  if (model.architecture.type == schema::Architecture::NONE) // Of IR.
    return;
  ::tcc::DecoderSizes sizes = ::tcc::decoderSizes(model);
  report.decodeKeys = std::min(report.decodeKeys, sizes.maxPositions);
  report.prefillTokens = std::min(report.prefillTokens, sizes.maxPositions);
}

static void countCache(Report &report, plan::CacheOp cache,
                       int64_t predictionLayers) {
  auto bytes =
      static_cast<int64_t>(cache.getPageBytes() / cache.getPageTokens());
  auto layers = static_cast<int64_t>(cache.getLayers());
  report.predictionCacheBytesPerToken = predictionLayers * bytes;
  report.cacheBytesPerToken = (layers - predictionLayers) * bytes;
}

/// Where `step` changes from one form of attention to the other, without work.
static std::optional<BreakEven> findBreakEven(plan::StepOp step,
                                              int64_t cached) {
  std::optional<ArrayRef<int64_t>> expansion = step.getExpansion();
  // Without a cost there is nothing to weigh.
  if (!expansion || (*expansion)[0] == 0 || (*expansion)[1] == 0)
    return std::nullopt;
  BreakEven result;
  result.pairSaving = (*expansion)[0];
  result.expansionCost = (*expansion)[1];
  result.chunk = (*expansion)[2];
  result.cached = cached;
  result.tokensAfterAny = result.expansionCost / result.pairSaving + 1;
  ::tcc::rt::Expansion rule = {static_cast<uint64_t>(result.pairSaving),
                               static_cast<uint64_t>(result.expansionCost)};
  auto tokens = llvm::seq<int64_t>(1, result.tokensAfterAny);
  result.tokens =
      *std::partition_point(tokens.begin(), tokens.end(), [&](int64_t count) {
        return !rule.isCheaper(count, cached);
      });
  return result;
}

/// Whether weights of `module` lie in rows, as on a GPU.
static bool isForGpu(ModuleOp module) {
  return llvm::any_of(module.getOps<plan::WeightOp>(), [](plan::WeightOp op) {
    return isa_and_nonnull<kernel::RowPackingAttr>(op.getPackingAttr());
  });
}

/// Says what a GPU is predicted to be busy with in launches of `op`, of which
/// `entry` has the work.
static void predictLimits(KernelReport &entry, Operation *op) {
  entry.sharedBytes = nvptx::shapeOf(op).sharedBytes;
  auto predict = [&](Work all) -> std::string {
    if (all.bytes == 0)
      return "";
    return h100::predictLimit(op, all.flops / entry.launches,
                              all.bytes / entry.launches)
        .str();
  };
  entry.decodeLimit = predict(entry.decode);
  entry.prefillLimit = predict(entry.prefill);
}

/// Adds what `launch` of the model does.
static void countLaunch(Report &report, KernelReport &entry,
                        plan::LaunchOp launch) {
  kernel::KernelOpInterface op = launchedKernel(launch);
  auto loop = launch->getParentOfType<plan::LoopOp>();
  int64_t times = loop ? loop.getLayers()[1] : 1;
  kernel::Rows rows = rowsOf(op);
  bool isExpanded = rows == kernel::Rows::Expanded;
  bool isAbsorbed = rows == kernel::Rows::Absorbed;
  int64_t factor = rowsForToken(launch, op);
  // A prefill begins with nothing cached, where expanded form is the cheaper
  // one.
  int64_t tokens = report.prefillTokens;
  if (rows == kernel::Rows::LogitRows)
    tokens = 1;
  entry.name = ::tcc::rt::printable(launch.getKernel());
  entry.configuration = configurationOf(op);
  entry.launches += times;
  add(entry.decode, workOf(op, isExpanded ? 0 : factor, report.decodeKeys - 1),
      times);
  add(entry.prefill, workOf(op, isAbsorbed ? 0 : tokens * factor, 0), times);
  if (!report.breakEven || report.breakEven->tokens > report.breakEven->chunk ||
      (!isExpanded && !isAbsorbed))
    return;
  BreakEven &forms = *report.breakEven;
  add(isExpanded ? forms.expanded : forms.absorbed,
      workOf(op, forms.tokens, forms.cached), times);
}

/// Counts one token of `step`, which predicts.
static void countPrediction(Report &report, plan::StepOp step) {
  step.walk([&](plan::LaunchOp launch) {
    kernel::KernelOpInterface op = launchedKernel(launch);
    if (rowsOf(op) != kernel::Rows::Expanded)
      add(report.predictionDecode,
          workOf(op, rowsForToken(launch, op), report.decodeKeys - 1));
  });
}

Report mlir::tcc::makeReport(ModuleOp module, const schema::ModelT &model) {
  Report report;
  countModel(report, model);
  int64_t predictionLayers = 0;
  if (model.architecture.type != schema::Architecture::NONE)
    predictionLayers = ::tcc::decoderSizes(model).predictionLayers;
  for (auto cache : module.getOps<plan::CacheOp>())
    countCache(report, cache, predictionLayers);
  llvm::MapVector<Attribute, KernelReport> kernels;
  for (auto step : module.getOps<plan::StepOp>()) {
    if (step.getSymName() != "step") {
      countPrediction(report, step);
      continue;
    }
    report.breakEven = findBreakEven(step, report.decodeKeys);
    bool isGpu = isForGpu(module);
    step.walk([&](plan::LaunchOp launch) {
      KernelReport &entry = kernels[launch.getKernelAttr()];
      countLaunch(report, entry, launch);
      if (isGpu)
        predictLimits(entry, launchedKernel(launch));
    });
  }
  for (auto &[name, entry] : kernels) {
    add(report.decode, entry.decode);
    add(report.prefill, entry.prefill);
    report.kernels.push_back(std::move(entry));
  }
  return report;
}

//===----------------------------------------------------------------------===//
// Formatting
//===----------------------------------------------------------------------===//

static void formatBreakEven(const BreakEven &forms, raw_ostream &stream) {
  stream << "attention               expanded for n tokens after p where "
         << forms.pairSaving << " (n p + n (n + 1) / 2) > "
         << forms.expansionCost << " p, n at most " << forms.chunk << '\n';
  auto line = [&](int64_t tokens, const Twine &positions) {
    stream << (tokens > forms.chunk ? "  never                 "
                                    : "  from                  " +
                                          std::to_string(tokens) + " tokens ")
           << "after " << positions << " positions\n";
  };
  line(forms.tokensAfterAny, "any number of");
  line(forms.tokens, Twine(forms.cached));
  if (forms.tokens > forms.chunk)
    return;
  for (auto [name, work] :
       {std::pair("    expanded            ", forms.expanded),
        std::pair("    absorbed            ", forms.absorbed)})
    stream << name << work.flops << " operations, " << work.bytes << " bytes\n";
}

static void formatLimits(const KernelReport &kernel, raw_ostream &stream) {
  if (kernel.decodeLimit.empty() && kernel.prefillLimit.empty())
    return;
  stream << "    " << kernel.sharedBytes << " bytes of shared memory a block";
  if (!kernel.decodeLimit.empty())
    stream << "; decode limited by " << kernel.decodeLimit;
  if (!kernel.prefillLimit.empty())
    stream << "; prefill limited by " << kernel.prefillLimit;
  stream << '\n';
}

std::string mlir::tcc::formatReport(const Report &report) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto line = [&](StringRef name, auto value) {
    stream << llvm::left_justify(name, 24) << value << '\n';
  };
  if (report.parameters) {
    line("model", report.name);
    line("parameters", report.parameters);
    if (report.activeParameters != report.parameters)
      line("  that a token uses", report.activeParameters);
  }
  if (report.predictionParameters)
    line("  of prediction, beside", report.predictionParameters);
  for (const auto &[storage, bytes] : report.weightBytes)
    line("weight bytes " + storage, bytes);
  if (report.expertBytes)
    line("bytes of an expert", report.expertBytes);
  if (report.kernels.empty())
    return text;
  line("cache bytes a token", report.cacheBytesPerToken);
  if (report.predictionCacheBytesPerToken)
    line("  of prediction, beside", report.predictionCacheBytesPerToken);
  line("decode, 1 token", "attends to " + std::to_string(report.decodeKeys) +
                              " positions");
  line("  operations", report.decode.flops);
  line("  bytes", report.decode.bytes);
  if (report.predictionDecode.flops) {
    line("prediction, 1 token", "likewise, beside");
    line("  operations", report.predictionDecode.flops);
    line("  bytes", report.predictionDecode.bytes);
  }
  line("prefill", std::to_string(report.prefillTokens) + " tokens");
  line("  operations", report.prefill.flops);
  line("  bytes", report.prefill.bytes);
  if (report.breakEven)
    formatBreakEven(*report.breakEven, stream);
  stream << "kernels (launches a step, decode bytes, prefill operations)\n";
  for (const KernelReport &kernel : report.kernels) {
    stream << "  " << llvm::left_justify(kernel.name, 32)
           << llvm::format("%5lld %14lld %18lld  ",
                           static_cast<long long>(kernel.launches),
                           static_cast<long long>(kernel.decode.bytes),
                           static_cast<long long>(kernel.prefill.flops))
           << kernel.configuration << '\n';
    formatLimits(kernel, stream);
  }
  return text;
}

static llvm::json::Object toJson(Work work) {
  return llvm::json::Object{{"flops", work.flops}, {"bytes", work.bytes}};
}

/// Adds what only a plan says.
static void addPlan(const Report &report, llvm::json::Object &object) {
  llvm::json::Array kernels;
  for (const KernelReport &kernel : report.kernels) {
    llvm::json::Object entry{{"name", kernel.name},
                             {"configuration", kernel.configuration},
                             {"launches", kernel.launches},
                             {"decode", toJson(kernel.decode)},
                             {"prefill", toJson(kernel.prefill)}};
    if (kernel.sharedBytes)
      entry["shared_bytes"] = kernel.sharedBytes;
    if (!kernel.decodeLimit.empty())
      entry["decode_limit"] = kernel.decodeLimit;
    if (!kernel.prefillLimit.empty())
      entry["prefill_limit"] = kernel.prefillLimit;
    kernels.push_back(std::move(entry));
  }
  llvm::json::Object decode = toJson(report.decode);
  decode["keys"] = report.decodeKeys;
  llvm::json::Object prefill = toJson(report.prefill);
  prefill["tokens"] = report.prefillTokens;
  object["cache_bytes_per_token"] = report.cacheBytesPerToken;
  object["decode"] = std::move(decode);
  object["prefill"] = std::move(prefill);
  object["kernels"] = std::move(kernels);
  if (report.predictionDecode.flops)
    object["prediction_decode"] = toJson(report.predictionDecode);
  if (const std::optional<BreakEven> &forms = report.breakEven)
    object["break_even"] =
        llvm::json::Object{{"pair_saving", forms->pairSaving},
                           {"expansion_cost", forms->expansionCost},
                           {"chunk", forms->chunk},
                           {"cached", forms->cached},
                           {"tokens", forms->tokens},
                           {"tokens_after_any", forms->tokensAfterAny},
                           {"expanded", toJson(forms->expanded)},
                           {"absorbed", toJson(forms->absorbed)}};
}

std::string mlir::tcc::formatReportAsJson(const Report &report) {
  llvm::json::Object object;
  if (report.parameters) {
    llvm::json::Object weightBytes;
    for (const auto &[storage, bytes] : report.weightBytes)
      weightBytes[storage] = static_cast<int64_t>(bytes);
    object["model"] = report.name;
    object["parameters"] = static_cast<int64_t>(report.parameters);
    object["active_parameters"] = static_cast<int64_t>(report.activeParameters);
    object["weight_bytes"] = std::move(weightBytes);
  }
  if (report.predictionParameters)
    object["prediction_parameters"] =
        static_cast<int64_t>(report.predictionParameters);
  if (report.expertBytes)
    object["expert_bytes"] = static_cast<int64_t>(report.expertBytes);
  if (!report.kernels.empty())
    addPlan(report, object);
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::formatv("{0:2}", llvm::json::Value(std::move(object))) << '\n';
  return text;
}
