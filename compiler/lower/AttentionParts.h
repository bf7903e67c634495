// What attention over keys and values and attention over latents have in common
// when they become kernels.

#ifndef TCC_COMPILER_LOWER_ATTENTIONPARTS_H
#define TCC_COMPILER_LOWER_ATTENTIONPARTS_H

#include "dialects/transformer/Transformer.h"

namespace mlir::tcc {

/// The cache that `attention` reads.
transformer::CacheOp findCache(transformer::PagedAttentionOp attention);

/// The attentions of `function` whose cache is latent, or those whose is not.
SmallVector<transformer::PagedAttentionOp> findAttentions(Operation *function,
                                                          bool latent);

/// Verifies that there is a layout for the pages of `cache`.
LogicalResult verifyElement(transformer::PagedAttentionOp attention,
                            transformer::CacheOp cache);

/// The append before `attention` to its cache, at its tokens.
FailureOr<transformer::CacheAppendOp>
findAppend(transformer::PagedAttentionOp attention);

/// Verifies that query and key are rotated alike, at the tokens of `attention`:
/// kernels have one table, and one place for each token.
LogicalResult verifyRotations(transformer::PagedAttentionOp attention,
                              transformer::RotaryEmbeddingOp query,
                              transformer::RotaryEmbeddingOp key);

/// The pages of the cache of the layer of `attention`.
Value createPages(OpBuilder &builder, transformer::PagedAttentionOp attention);

/// The table of the angles of `rotation`.
Value createRotaryTable(OpBuilder &builder,
                        transformer::RotaryEmbeddingOp rotation);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_ATTENTIONPARTS_H
