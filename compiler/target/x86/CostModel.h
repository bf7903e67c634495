// Chooses layouts and configurations of kernels for a CPU.
//
// Everything here is a function of shapes, storage and the description of the
// CPU; patterns hold no literals. What the constants rest on stands in
// CostModel.cpp.

#ifndef TCC_COMPILER_TARGET_X86_COSTMODEL_H
#define TCC_COMPILER_TARGET_X86_COSTMODEL_H

#include "compiler/target/x86/Target.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/transformer/Transformer.h"

namespace mlir::tcc::x86 {

/// The order of the elements of `weight` [N, K] in memory. `paired`: rows n and
/// n + N/2 belong together.
kernel::PackingAttr choosePacking(const TargetDescription &target,
                                  RankedTensorType weight, bool paired);

/// Blocks, tiles and instructions of a linear layer with `weight` [N, K], whose
/// input is rounded to `operand`.
kernel::LinearConfigAttr chooseLinear(const TargetDescription &target,
                                      RankedTensorType weight, Type operand,
                                      kernel::PackingAttr packing);

/// The layout of a page of `cache`.
kernel::CacheAttr chooseCache(const TargetDescription &target,
                              transformer::CacheOp cache);

/// Blocks and tiles of attention of `query` [T, H, D] over `cache`.
kernel::AttentionConfigAttr chooseAttention(const TargetDescription &target,
                                            kernel::CacheAttr cache,
                                            RankedTensorType query);

/// The layout of a page of `cache`, which is latent.
kernel::LatentCacheAttr chooseLatentCache(const TargetDescription &target,
                                          transformer::CacheOp cache);

/// Blocks and tiles of attention over expanded latents with the result `result`
/// [T, H, V].
kernel::AttentionConfigAttr
chooseExpandedAttention(const TargetDescription &target,
                        RankedTensorType result);

/// Blocks and tiles of attention over `cache` with the result `result` [T, H,
/// C].
kernel::LatentConfigAttr
chooseLatentAttention(const TargetDescription &target,
                      kernel::LatentCacheAttr cache, RankedTensorType result);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_COSTMODEL_H
