// The passes of phase `batch`: from one sequence to a ragged batch of them.

#ifndef TCC_COMPILER_BATCH_PASSES_TD
#define TCC_COMPILER_BATCH_PASSES_TD

include "mlir/Pass/PassBase.td"

def BatchPass : Pass<"tcc-batch", "::mlir::ModuleOp"> {
  let summary = "Make one sequence a ragged batch of sequences with a paged cache";
  let description = [{
    The tokens of all sequences of a batch lie one after another, without padding:
    most ops do not mind. Attention does: it reads the keys and values of its own
    sequence, earlier ones included, from a cache. Rewrites

    ```mlir
    transformer.weight @norm tensor("layers.{layer}.norm") layers(0, 2) : tensor<64xf32>
    func.func @layer(%q: tensor<?x4x16xbf16>, %k: tensor<?x2x16xbf16>,
                     %v: tensor<?x2x16xbf16>, %positions: tensor<?xi32>,
                     %layer: index) -> tensor<?x4x16xbf16> {
      %o = transformer.attention %q, %k, %v positions(%positions, %positions)
           scale(0.25) : tensor<?x4x16xbf16>, tensor<?x2x16xbf16>,
           tensor<?x2x16xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x16xbf16>
      return %o : tensor<?x4x16xbf16>
    }
    ```

    into

    ```
    transformer.cache @cache layers(2) heads(2) key(16) value(16) : bf16
    func.func @layer(%q: ..., %k: ..., %v: ..., %positions: tensor<?xi32>,
                     %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                     %layer: index) -> tensor<?x4x16xbf16> {
      transformer.cache_append @cache layer(%layer), %k, %v
        at(%positions, %sequences, %page_table) : ...
      %o = transformer.paged_attention @cache layer(%layer), %q
           at(%positions, %sequences, %page_table) scale(0.25) : ...
      return %o : tensor<?x4x16xbf16>
    }
    ```

    Functions with an attention, and those that call them, get the arguments
    `sequences` and `page_table` after `positions`. The cache has the element type
    of the keys and as many layers as the weights. It is latent, and only keys are
    appended, if in all layers there is one key head whose beginning is the value, an
    `extract_slice` of the key (`tcc-absorb-latent-attention` makes them so).

    It is an error if the module has no attention, or one that

    - has queries and keys at different positions, or at positions that are not
      an argument of its function and of each that calls it,
    - stands in a function without exactly one argument of type index, the layer,
    - has keys and values of another shape or type than another attention, or of a
      type that a cache cannot have.

    A second run finds no attention and fails.

    Numerics: bit-exact for a sequence of which nothing is cached; keys and values
    in the cache are those that the attention read.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def VerifyBatchPass : Pass<"tcc-verify-batch", "::mlir::ModuleOp"> {
  let summary = "Verify that no op works on one sequence";
  let description = [{
    The guard at the end of phase `batch`: an op of the trait `OneSequence` takes
    all rows of its operands as tokens of one sequence, and would mix those of a
    batch. Each that is left is an error: a part of an attention that phase
    `graph` did not recognise.

    Numerics: bit-exact; changes nothing.
  }];
}

#endif // TCC_COMPILER_BATCH_PASSES_TD
