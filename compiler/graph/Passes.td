// The passes of phase `graph`: `transformer` to `transformer`, for one sequence.

#ifndef TCC_COMPILER_GRAPH_PASSES_TD
#define TCC_COMPILER_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseAttentionPass : Pass<"tcc-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "Fuse scores, mask, softmax and weighted sum into attention";
  let description = [{
    Rewrites

    ```mlir
    %keys = transformer.repeat_heads %k times(3)
      : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
    %values = transformer.repeat_heads %v times(3)
      : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
    %scores = transformer.einsum "thd,shd->hts" %q, %keys
      : tensor<?x9x64xbf16>, tensor<?x9x64xbf16> -> tensor<9x?x?xf32>
    %scaled = transformer.scale %scores by(0.125) : tensor<9x?x?xf32>
    %masked = transformer.causal_mask %scaled, %positions, %positions
      : tensor<9x?x?xf32>, tensor<?xi32>, tensor<?xi32>
    %weights = transformer.softmax %masked
      : tensor<9x?x?xf32> -> tensor<9x?x?xbf16>
    %o = transformer.einsum "hts,she->the" %weights, %values
      : tensor<9x?x?xbf16>, tensor<?x9x64xbf16> -> tensor<?x9x64xbf16>
    ```

    into

    ```
    %o = transformer.attention %q, %k, %v positions(%positions, %positions)
         scale(0.125) : ...
    ```

    Grouped heads come from `repeat_heads` on both keys and values; where neither
    is repeated, each query head has its own. The letters of the equations may be
    others, and the scale may stand before the mask, after it, or be absent.

    Does not fuse where an intermediate value has another reader, where keys and
    values are repeated differently, where a scale after the mask is not positive
    (it would change what minus infinity means), or where there is no mask.

    Numerics: scores and softmax are no longer rounded to their element types;
    the fused op keeps them in f32. With bf16 probabilities that is at most half
    a unit in the last place of each probability.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def FoldRotationPass : Pass<"tcc-fold-rotation", "::mlir::ModuleOp"> {
  let summary = "Fold the order of interleaved rotations into weights";
  let description = [{
    Rewrites the rotation of neighbours, in query and key of an attention,

    ```mlir
    transformer.weight @q tensor("q") : tensor<12x8xf32>
    transformer.weight @k tensor("k") : tensor<6x8xf32>
    func.func @f(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
        -> tensor<?x2x4xf32> {
      %c0 = arith.constant 0 : index
      %t = tensor.dim %x, %c0 : tensor<?x8xf32>
      %wq = transformer.get_weight [@q] : tensor<12x8xf32>
      %q = transformer.linear %x, %wq
        : tensor<?x8xf32>, tensor<12x8xf32> -> tensor<?x12xf32>
      %query = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 2, 6]
        : tensor<?x12xf32> into tensor<?x2x6xf32>
      %rq = transformer.rotary_embedding %query, %pos interleaved
        frequencies([1.0, 0.1, 0.01])
        : tensor<?x2x6xf32>, tensor<?xi32> -> tensor<?x2x6xf32>
      %wk = transformer.get_weight [@k] : tensor<6x8xf32>
      %k = transformer.linear %x, %wk
        : tensor<?x8xf32>, tensor<6x8xf32> -> tensor<?x6xf32>
      %key = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 6]
        : tensor<?x6xf32> into tensor<?x1x6xf32>
      %rk = transformer.rotary_embedding %key, %pos interleaved
        frequencies([1.0, 0.1, 0.01])
        : tensor<?x1x6xf32>, tensor<?xi32> -> tensor<?x1x6xf32>
      %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
        : tensor<?x2x6xf32>, tensor<?x1x6xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
          tensor<?xi32> -> tensor<?x2x4xf32>
      return %o : tensor<?x2x4xf32>
    }
    ```

    into that of halves, by putting the rows of the weights into another order:

    ```
    transformer.weight @q tensor("q") halves(0, 6, 6) : tensor<12x8xf32>
    transformer.weight @k tensor("k") halves(0, 6, 6) : tensor<6x8xf32>
    ...
      %rq = transformer.rotary_embedding %query, %pos frequencies([1.0, 0.1, 0.01])
      %rk = transformer.rotary_embedding %key, %pos frequencies([1.0, 0.1, 0.01])
    ```

    Query and key are permuted alike, so that their products are the same. What must
    be so:

    - Query and key are rotated, or of each one part is, at the same elements of the
      head; `repeat_heads` may stand behind the rotation of a key.
    - What is rotated are the same columns of every head of a linear layer, or columns
      of a single head, taken apart by `expand_shape` and `extract_slice` and
      perhaps rounded. Nothing else reads them, before or after the rotation.
    - Weight and bias of the layer are each read by such layers alone, in all
      functions, with one order, and have none yet.

    Any storage will do: rows move whole, and take their scales with them. A weight
    that several attentions read is folded for all of them or for none, and so are
    those that these read beside it.

    Numerics: products of query and key are added up in another order. In f64 1e-12.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def AbsorbLatentAttentionPass
    : Pass<"tcc-absorb-latent-attention", "::mlir::func::FuncOp"> {
  let summary = "Let attention read latents in place of keys and values";
  let description = [{
    Rewrites an attention whose keys and values are linear in a latent `%c` of each
    token, but for a part of the key that all heads share,

    ```mlir
    %kv = transformer.linear %c, %w
      : tensor<?x8xf32>, tensor<48x8xf32> -> tensor<?x48xf32>
    %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [%t, 4, 12]
      : tensor<?x48xf32> into tensor<?x4x12xf32>
    %plain = tensor.extract_slice %heads[0, 0, 0] [%t, 4, 5] [1, 1, 1]
      : tensor<?x4x12xf32> to tensor<?x4x5xf32>
    %value = tensor.extract_slice %heads[0, 0, 5] [%t, 4, 7] [1, 1, 1]
      : tensor<?x4x12xf32> to tensor<?x4x7xf32>
    %all = transformer.repeat_heads %shared times(4)
      : tensor<?x1x2xf32> -> tensor<?x4x2xf32>
    %key = tensor.concat dim(2) %plain, %all
      : (tensor<?x4x5xf32>, tensor<?x4x2xf32>) -> tensor<?x4x7xf32>
    %query = tensor.concat dim(2) %q, %p
      : (tensor<?x4x5xf32>, tensor<?x4x2xf32>) -> tensor<?x4x7xf32>
    %o = transformer.attention %query, %key, %value positions(%pos, %pos)
         scale(0.3) : tensor<?x4x7xf32>, tensor<?x4x7xf32>, tensor<?x4x7xf32>,
         tensor<?xi32>, tensor<?xi32> -> tensor<?x4x7xf32>
    ```

    into one that reads the latents, of which all heads share one key, and whose
    values are their beginning:

    ```
    %w_heads = tensor.expand_shape %w [[0, 1], [2]] output_shape [4, 12, 8] : ...
    %w_k = tensor.extract_slice %w_heads[0, 0, 0] [4, 5, 8] [1, 1, 1] : ...
    %w_v = tensor.extract_slice %w_heads[0, 5, 0] [4, 7, 8] [1, 1, 1] : ...
    %row = tensor.collapse_shape %shared [[0], [1, 2]] : ...
    %both = tensor.concat dim(1) %c, %row
      : (tensor<?x8xf32>, tensor<?x2xf32>) -> tensor<?x10xf32>
    %key = tensor.expand_shape %both [[0], [1, 2]] output_shape [%t, 1, 10] : ...
    %value = tensor.extract_slice %key[0, 0, 0] [%t, 1, 8] [1, 1, 1] : ...
    %ql = transformer.head_linear %q, %w_k transposed
      : tensor<?x4x5xf32>, tensor<4x5x8xf32> -> tensor<?x4x8xf32>
    %query = tensor.concat dim(2) %ql, %p : ...
    %u = transformer.attention %query, %key, %value positions(%pos, %pos)
         scale(0.3) : tensor<?x4x10xf32>, tensor<?x1x10xf32>, tensor<?x1x8xf32>, ...
    %o = transformer.head_linear %u, %w_v
      : tensor<?x4x8xf32>, tensor<4x7x8xf32> -> tensor<?x4x7xf32>
    ```

    It holds as `(W c) . q = c . (W^T q)` and `sum_s a_s W c_s = W sum_s a_s c_s`.
    What must be so:

    - Query and key are two parts beside each other, the first parts of one size.
    - The first part of the key and the value are, rounded to nearest or not, the
      first rows of each head of one linear layer and those behind them. The layer
      has no bias and a weight of static shape.
    - The other part of the key is one head, which `repeat_heads` gives to all, in
      the element type of the latent.
    - Each query head has a key of its own.

    Numerics: keys and values are no longer rounded to their element type; the
    query in the space of the latents and the weighted sum of latents are, and
    sums over the latent are added up in another order. In f64 1e-12.
  }];
  let dependentDialects = [
    "::mlir::tcc::transformer::TransformerDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def FuseRoutingPass : Pass<"tcc-fuse-routing", "::mlir::func::FuncOp"> {
  let summary = "Fuse scores, choice, gathering and normalisation into route";
  let description = [{
    Rewrites

    ```mlir
    %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
    %wide = arith.extf %bias : tensor<8xbf16> to tensor<8xf32>
    %experts = transformer.select_experts %scores bias(%wide : tensor<8xf32>)
      groups(4) keep(2) top(2) : tensor<?x8xf32> -> tensor<?x3xi32>
    %chosen = transformer.gather_columns %scores, %experts
      : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
    %normalised = transformer.sum_norm %chosen epsilon(1.0e-20) : tensor<?x3xf32>
    %weights = transformer.scale %normalised by(2.5) : tensor<?x3xf32>
    ```

    into

    ```
    %experts, %weights = transformer.route %logits bias(%bias : tensor<8xbf16>)
      sigmoid groups(4) keep(2) top(2) normalize(1.0e-20) scale(2.5)
      : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
    ```

    The scores may be a softmax; normalisation and scale may be absent, and one that
    does not follow in this order, or whose operand has another reader, stays as it
    is. Does not fuse unless the weights are gathered from the f32 scores by which the
    experts were chosen and nothing else reads the scores.

    Numerics: those of f32, which is what the fused op computes in.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def DispatchExpertsPass : Pass<"tcc-dispatch-experts", "::mlir::func::FuncOp"> {
  let summary = "Sort tokens by their experts";
  let description = [{
    Rewrites a weighted sum over what the experts of each token compute,

    ```mlir
    %gates = transformer.expert_linear %x, %experts, %wg : tensor<?x18xf32>,
      tensor<?x3xi32>, tensor<8x9x18xf32> -> tensor<?x3x9xf32>
    %opens = transformer.silu %gates : tensor<?x3x9xf32> -> tensor<?x3x9xf32>
    %downs = transformer.expert_linear %opens, %experts, %wd : tensor<?x3x9xf32>,
      tensor<?x3xi32>, tensor<8x18x9xf32> -> tensor<?x3x18xf32>
    %y = transformer.einsum "tj,tjn->tn" %weights, %downs
      : tensor<?x3xf32>, tensor<?x3x18xf32> -> tensor<?x18xf32>
    ```

    into the same ops on the rows of each expert, one expert after another:

    ```
    %rows, %places, %offsets = transformer.dispatch %experts
      : tensor<?x3xi32> -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
    %gathered = transformer.gather_rows %x, %rows : ...
    %gates = transformer.grouped_linear %gathered, %wg offsets(%offsets) : ...
    %opens = transformer.silu %gates : ...
    %downs = transformer.grouped_linear %opens, %wd offsets(%offsets) : ...
    %y = transformer.combine %downs, %places, %weights : ...
    ```

    Between rows of tokens and the sum there may be any number of linear layers of
    the same experts and of elementwise ops, in one block. Does not rewrite where
    another op reads what they compute for each expert of a token, where linear layers
    have different experts, or numbers of them, or where a value for each expert of a
    token comes from elsewhere.

    Numerics: bit-exact. Rows do not know each other, and sums over the experts of a
    token are in the order of before.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def MergeLinearsPass : Pass<"tcc-merge-linears", "::mlir::func::FuncOp"> {
  let summary = "Merge linear layers that read the same input";
  let description = [{
    Rewrites the projections to query, key and value, or to gate and up,

    ```mlir
    %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
    %gate = transformer.linear %x, %wg
      : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
    %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
    %up = transformer.linear %x, %wu
      : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
    ```

    into one layer whose weight is the others' on top of each other:

    ```
    %w = transformer.get_weight [@gate, @up] layer(%layer) : tensor<128x32xbf16>
    %both = transformer.linear %x, %w
      : tensor<?x32xbf16>, tensor<128x32xbf16> -> tensor<?x128xf32>
    %gate = tensor.extract_slice %both[0, 0] [%rows, 64] [1, 1] : ...
    %up = tensor.extract_slice %both[0, 64] [%rows, 64] [1, 1] : ...
    ```

    so that the input is read once; a slice of such a slice becomes one of `%both`.
    Layers are merged if they stand in one block, their weights come from
    `get_weight` with the same storage, layers and layer, their results have the same
    element type, and all or none have a bias, of which the same holds. Of layers that
    read one input, some may be merged and others left: those of another storage.
    `grouped_linear` is merged in the same way, if the offsets are the same. A layer
    whose result a `route` reads stays alone: it is narrow, and gate and up of a
    shared expert would no longer be halves.

    Numerics: bit-exact.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::tcc::transformer::TransformerDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def FuseSwigluPass : Pass<"tcc-fuse-swiglu", "::mlir::func::FuncOp"> {
  let summary = "Fuse gate, product and rounding into swiglu";
  let description = [{
    Rewrites

    ```mlir
    %gate = tensor.extract_slice %both[0, 0] [%rows, 64] [1, 1]
      : tensor<?x128xf32> to tensor<?x64xf32>
    %up = tensor.extract_slice %both[0, 64] [%rows, 64] [1, 1]
      : tensor<?x128xf32> to tensor<?x64xf32>
    %open = transformer.silu %gate : tensor<?x64xf32> -> tensor<?x64xf32>
    %product = arith.mulf %open, %up : tensor<?x64xf32>
    %y = arith.truncf %product : tensor<?x64xf32> to tensor<?x64xbf16>
    ```

    into

    ```
    %y = transformer.swiglu %both : tensor<?x128xf32> -> tensor<?x64xbf16>
    ```

    The rounding belongs to the op if it is the only reader of the product. Does
    not fuse unless both factors are the two halves of one tensor, the gate first
    (`tcc-merge-linears` makes them so), `silu` and product are f32, their results
    have no other reader, and neither product nor rounding has fast-math flags or
    a rounding mode.

    Numerics: those of f32, which is what the fused op computes in, so that
    a target that rounds each step to f32 sees no difference; the interpreter,
    which keeps what is inside of an op in f64, sees one in the last place.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def FuseResidualNormPass
    : Pass<"tcc-fuse-residual-norm", "::mlir::func::FuncOp"> {
  let summary = "Fuse a residual addition into the normalisation that reads it";
  let description = [{
    Rewrites

    ```mlir
    %s = arith.addf %x, %r : tensor<?x64xf32>
    %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
      : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
    ```

    into

    ```
    %s, %y = transformer.residual_rms_norm %x, %r, %w epsilon(1.0e-5)
      : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
    ```

    The fused op takes the place of the normalisation, so every other reader of
    the sum must come after it. Fuses additions without fast-math flags, and at
    most one normalisation into each.

    Numerics: bit-exact. The addition and the normalisation still round where
    they did.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

def SelectLogitsPass : Pass<"tcc-select-logits", "::mlir::ModuleOp"> {
  let summary = "Compute the logits of the rows that are asked for only";
  let description = [{
    Gives `@forward`, whose first result has one row for each token, the rows to
    return as a last argument:

    ```mlir
    func.func @forward(%x: tensor<?x64xf32>, %norm: tensor<64xf32>,
                       %head: tensor<100x64xf32>) -> tensor<?x100xf32> {
      %y = transformer.rms_norm %x, %norm epsilon(1.0e-5)
        : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
      %logits = transformer.linear %y, %head
        : tensor<?x64xf32>, tensor<100x64xf32> -> tensor<?x100xf32>
      return %logits : tensor<?x100xf32>
    }
    ```

    becomes

    ```
    func.func @forward(%x: tensor<?x64xf32>, %norm: tensor<64xf32>,
                       %head: tensor<100x64xf32>, %logit_rows: tensor<?xi32>)
        -> tensor<?x100xf32> {
      %rows = transformer.gather_rows %x, %logit_rows : ...
      %y = transformer.rms_norm %rows, %norm epsilon(1.0e-5) : ...
      %logits = transformer.linear %y, %head : ...
      return %logits : tensor<?x100xf32>
    }
    ```

    The selection moves up through elementwise ops and those of
    `RowwiseOpInterface` whose results have no other reader: a prefill of 512 tokens
    then multiplies one row by the vocabulary's weights, not 512. States, a second
    result, stay those of all tokens. The same for `@predict`, if there is one.

    It is an error if `@forward` is missing, or if one of them is called, has several
    blocks, or does not return a tensor with a dynamic number of rows first. A second
    run adds a second selection.

    Numerics: bit-exact for the rows that are computed.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
}

#endif // TCC_COMPILER_GRAPH_PASSES_TD
