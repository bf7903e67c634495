// What a compiled model costs: parameters, bytes, operations, kernels.

#ifndef TCC_COMPILER_PIPELINE_REPORT_H
#define TCC_COMPILER_PIPELINE_REPORT_H

#include "frontends/model/Model_generated.h"
#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::tcc {

/// Operations and bytes, a fused multiply-add counting as two, every byte of
/// memory counted once for each launch that moves it.
struct Work {
  int64_t flops = 0;
  int64_t bytes = 0;
};

/// One kernel of the plan.
struct KernelReport {
  std::string name;
  std::string configuration;
  int64_t launches = 0; ///< In one step.
  Work decode, prefill; ///< Of all its launches in one step.
  // On a GPU only.
  int64_t sharedBytes = 0; ///< Of a block, beyond what the code declares.
  /// What is predicted to take longest; empty where it is not launched.
  std::string decodeLimit = {}, prefillLimit = {};
};

/// Where a model with attention in two forms changes from one to the other:
/// `tokens` new tokens of a sequence are the first that cost less in expanded
/// form after `cached` positions, `tokensAfterAny` are so after any number of
/// them. A chunk may have fewer: then its form is absorbed.
struct BreakEven {
  int64_t pairSaving = 0, expansionCost = 0, chunk = 0; ///< Of `plan.step`.
  int64_t cached = 0, tokens = 0, tokensAfterAny = 0;
  /// Of `tokens`, if a chunk has so many, in the kernels that differ, all
  /// layers.
  Work expanded, absorbed;
};

/// The figures of a model. A decode step is one token of one sequence that attends
/// to `decodeKeys` positions; a prefill is one sequence of `prefillTokens` tokens,
/// of which the last one's logits are computed.
struct Report {
  std::string name; ///< Printable, as those of kernels: a file may say anything.
  uint64_t parameters = 0; ///< 0 if only IR is known; it has no name either.
  uint64_t activeParameters = 0;     ///< Those that one token uses.
  uint64_t predictionParameters = 0; ///< Of multi-token prediction, beside.
  std::vector<std::pair<std::string, uint64_t>> weightBytes; ///< By storage.
  uint64_t expertBytes = 0; ///< Of one expert of one layer, scales included.
  /// Of the layers of the model, as they lie in pages, with padding.
  int64_t cacheBytesPerToken = 0;
  int64_t predictionCacheBytesPerToken = 0; ///< Of prediction, beside.
  int64_t decodeKeys = 1024, prefillTokens = 512; ///< At most those of `model`.
  Work decode, prefill;  ///< Of the model alone, without prediction.
  Work predictionDecode; ///< Of one token of prediction.
  std::optional<BreakEven> breakEven;
  /// Of the model, in the order of their first launch.
  std::vector<KernelReport> kernels;
};

/// Counts what the plan in `module`, if there is one, does for `model`.
Report makeReport(ModuleOp module, const ::tcc::schema::ModelT &model);

/// `report` for people, or as JSON.
std::string formatReport(const Report &report);
std::string formatReportAsJson(const Report &report);

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_REPORT_H
