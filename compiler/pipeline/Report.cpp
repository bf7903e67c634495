#include "compiler/pipeline/Report.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/plan/Plan.h"
#include "frontends/model/Architecture.h"
#include "frontends/model/ModelFile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/support/Text.h"
#include "llvm/ADT/MapVector.h"
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
static kernel::KernelOpInterface findKernel(plan::LaunchOp launch) {
  auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      launch, launch.getKernelAttr());
  return cast<kernel::KernelOpInterface>(function.front().front());
}

/// Rows of `op` in a decode step and in a prefill of `tokens` tokens.
static std::pair<int64_t, int64_t> rowsOf(kernel::KernelOpInterface op,
                                          int64_t tokens) {
  auto rows =
      op->getParentOp()->getAttrOfType<StringAttr>(kernel::rowsAttribute);
  switch (*kernel::symbolizeRows(rows)) {
  case kernel::Rows::Tokens:
    return {1, tokens};
  case kernel::Rows::LogitRows:
    return {1, 1};
  case kernel::Rows::Expanded:
    return {0, tokens};
  case kernel::Rows::Absorbed:
    return {1, 0};
  }
  llvm_unreachable("a launch has rows");
}

/// Rows of the experts for each token: how much more `launch` writes than a
/// row.
static int64_t expertRows(plan::LaunchOp launch,
                          kernel::GroupedLinearOp experts) {
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
  for (StringRef name : {"packing", "configuration", "cache"})
    if (Attribute attribute = op->getAttr(name)) {
      if (!text.empty())
        stream << ' ';
      attribute.print(stream);
    }
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

Report mlir::tcc::makeReport(ModuleOp module, const schema::ModelT &model) {
  Report report;
  report.name = ::tcc::rt::printable(model.name);
  ::tcc::Parameters parameters = ::tcc::countParameters(model);
  report.parameters = parameters.model;
  report.activeParameters = parameters.active;
  report.predictionParameters = parameters.prediction;
  int64_t predictionLayers = 0;
  if (model.architecture.type != schema::Architecture::NONE) { // Not of IR.
    ::tcc::DecoderSizes sizes = ::tcc::decoderSizes(model);
    predictionLayers = sizes.predictionLayers;
    int64_t positions = sizes.maxPositions;
    report.decodeKeys = std::min(report.decodeKeys, positions);
    report.prefillTokens = std::min(report.prefillTokens, positions);
  }
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
  for (auto cache : module.getOps<plan::CacheOp>()) {
    auto bytes =
        static_cast<int64_t>(cache.getPageBytes() / cache.getPageTokens());
    auto layers = static_cast<int64_t>(cache.getLayers());
    report.predictionCacheBytesPerToken += predictionLayers * bytes;
    report.cacheBytesPerToken += (layers - predictionLayers) * bytes;
  }

  llvm::MapVector<Attribute, KernelReport> kernels;
  module.walk([&](plan::LaunchOp launch) {
    kernel::KernelOpInterface op = findKernel(launch);
    auto loop = launch->getParentOfType<plan::LoopOp>();
    int64_t times = loop ? loop.getLayers()[1] : 1;
    auto [decode, tokens] = rowsOf(op, report.prefillTokens);
    if (auto experts = dyn_cast<kernel::GroupedLinearOp>(op.getOperation())) {
      decode *= expertRows(launch, experts);
      tokens *= expertRows(launch, experts);
    }
    KernelReport &entry = kernels[launch.getKernelAttr()];
    entry.name = ::tcc::rt::printable(launch.getKernel());
    entry.configuration = configurationOf(op);
    entry.launches += times;
    add(entry.decode,
        {op.getFlops(decode, report.decodeKeys),
         op.getBytes(decode, report.decodeKeys)},
        times);
    // Under a causal mask the first token attends to itself, the last to all.
    int64_t flops =
        (op.getFlops(tokens, 1) + op.getFlops(tokens, report.prefillTokens)) / 2;
    add(entry.prefill, {flops, op.getBytes(tokens, report.prefillTokens)},
        times);
  });
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
  line("prefill", std::to_string(report.prefillTokens) + " tokens");
  line("  operations", report.prefill.flops);
  line("  bytes", report.prefill.bytes);
  stream << "kernels (launches a step, decode bytes, prefill operations)\n";
  for (const KernelReport &kernel : report.kernels)
    stream << "  " << llvm::left_justify(kernel.name, 32)
           << llvm::format("%5lld %14lld %18lld  ",
                           static_cast<long long>(kernel.launches),
                           static_cast<long long>(kernel.decode.bytes),
                           static_cast<long long>(kernel.prefill.flops))
           << kernel.configuration << '\n';
  return text;
}

static llvm::json::Object toJson(Work work) {
  return llvm::json::Object{{"flops", work.flops}, {"bytes", work.bytes}};
}

/// Adds what only a plan says.
static void addPlan(const Report &report, llvm::json::Object &object) {
  llvm::json::Array kernels;
  for (const KernelReport &kernel : report.kernels)
    kernels.push_back(llvm::json::Object{{"name", kernel.name},
                                         {"configuration", kernel.configuration},
                                         {"launches", kernel.launches},
                                         {"decode", toJson(kernel.decode)},
                                         {"prefill", toJson(kernel.prefill)}});
  llvm::json::Object decode = toJson(report.decode);
  decode["keys"] = report.decodeKeys;
  llvm::json::Object prefill = toJson(report.prefill);
  prefill["tokens"] = report.prefillTokens;
  object["cache_bytes_per_token"] = report.cacheBytesPerToken;
  object["decode"] = std::move(decode);
  object["prefill"] = std::move(prefill);
  object["kernels"] = std::move(kernels);
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
