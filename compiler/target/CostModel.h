// Chooses layouts and configurations of kernels for a target.
//
// What is chosen depends on shapes, storage and the description of the target;
// patterns of phase `lower` hold no literals.

#ifndef TCC_COMPILER_TARGET_COSTMODEL_H
#define TCC_COMPILER_TARGET_COSTMODEL_H

#include "dialects/kernel/Kernel.h"
#include "dialects/transformer/Transformer.h"

#include <memory>

namespace mlir::tcc {

/// How attention over expanded latents is computed.
struct ExpandedAttentionChoice {
  kernel::PackingAttr packing;
  kernel::LinearConfigAttr linear; ///< Of the expansion.
  kernel::AttentionConfigAttr attention;
};

/// The cost model of one target.
class CostModel {
public:
  virtual ~CostModel() = default;

  /// Verifies that the target has a kernel for `op` of a batched model. What
  /// follows is asked for nothing else.
  virtual LogicalResult verify(Operation *op) const = 0;

  /// The type that a linear layer with elements `stored` rounds its input of
  /// elements `given` to: that of a weight with scales if `quantises`.
  virtual Type chooseOperand(Type given, Type stored, bool quantises) const = 0;

  /// The order of the elements of `weight` [N, K] in memory. `paired`: rows n
  /// and n + N/2 belong together.
  virtual kernel::PackingAttrInterface choosePacking(RankedTensorType weight,
                                                     bool paired) const = 0;

  /// How a linear layer with `weight` [N, K] in `packing`, whose input is
  /// rounded to `operand`, is computed.
  virtual kernel::LinearConfigAttrInterface
  chooseLinear(RankedTensorType weight, Type operand,
               kernel::PackingAttrInterface packing) const = 0;

  /// How a linear layer that reads `input` [T, K] is computed for rows in
  /// expanded form; null if they have no form of their own.
  virtual kernel::LinearConfigAttrInterface
  choosePromptLinear(RankedTensorType weight, RankedTensorType input,
                     Type operand, kernel::PackingAttrInterface packing) const {
    return {};
  }

  /// At multiples of how many bytes rows of a buffer for `activation` [T, ...]
  /// begin: a multiple of those of an element, or 1 if they need not.
  virtual int64_t chooseRowAlignment(RankedTensorType activation) const {
    return 1;
  }

  /// The layout of a page of `cache`.
  virtual kernel::CacheAttr chooseCache(transformer::CacheOp cache) const = 0;

  /// How attention of `query` [T, H, D] over `cache` is computed.
  virtual kernel::AttentionConfigAttrInterface
  chooseAttention(kernel::CacheAttr cache, RankedTensorType query) const = 0;

  /// The same for rows in expanded form; null if they have no form of their
  /// own.
  virtual kernel::AttentionConfigAttrInterface
  choosePromptAttention(kernel::CacheAttr cache, RankedTensorType query) const {
    return {};
  }

  /// How a token is chosen for each row of `logits` [R, V]; null if the host
  /// does that.
  virtual kernel::GpuSampleConfigAttr
  chooseSampling(RankedTensorType logits) const {
    return {};
  }

  /// The layout of a page of `cache`, which is latent.
  virtual kernel::LatentCacheAttr
  chooseLatentCache(transformer::CacheOp cache) const = 0;

  /// How attention over `cache` with the result `result` [T, H, C] is computed.
  virtual kernel::LatentConfigAttr
  chooseLatentAttention(kernel::LatentCacheAttr cache,
                        RankedTensorType result) const = 0;

  /// How attention over latents that `weight` [N, K] of each head expands is
  /// computed, with the result `result` [T, H, V]. Latents are rounded to
  /// `operand`.
  virtual ExpandedAttentionChoice
  chooseExpandedAttention(RankedTensorType weight, Type operand,
                          RankedTensorType result) const = 0;
};

/// The name of the H100 among those of CPUs.
constexpr StringLiteral h100March = "sm_90a";

/// Makes the cost model of `march` for the ops in `root`: all but
/// `h100March` are names that x86::describeTarget knows. Null, with an error,
/// if there is none or the target has no kernel for one of the ops.
std::unique_ptr<CostModel> createCostModel(StringRef march, Operation *root);

} // namespace mlir::tcc

#endif // TCC_COMPILER_TARGET_COSTMODEL_H
