// The ops of the `transformer` dialect.
//
// Letters of dimensions: `T` query positions (tokens), `S` key positions, `H`
// query heads, `G` key/value heads, `D` head size, `E` value head size, `N`
// hidden size, `V` vocabulary, `B` sequences, `R` selected rows. `?` in a type is
// `T` where nothing else is said. Those of experts are in TransformerExpertOps.td.

#ifndef TCC_DIALECTS_TRANSFORMER_OPS_TD
#define TCC_DIALECTS_TRANSFORMER_OPS_TD

include "dialects/transformer/TransformerAttrs.td"
include "dialects/transformer/TransformerDialect.td"
include "dialects/transformer/TransformerEnums.td"
include "dialects/transformer/TransformerInterfaces.td"
include "dialects/transformer/TransformerTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Activations: every element type that values are rounded to.
def Transformer_Activation : RankedTensorOf<[F64, F32, F16, BF16]>;

// Weights: every storage type of a checkpoint.
def Transformer_Weight : RankedTensorOf<[
    F32, F16, BF16, Transformer_BlockType, Transformer_ScaledType]>;

def Transformer_Tokens : RankedTensorOf<[I32]>;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def Transformer_WeightOp : Transformer_Op<"weight", [
    Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Declares a weight: one tensor, or one for each layer of a run";
  let description = [{
    A symbol for a tensor of the checkpoint, which stays there: the IR holds its
    name, storage and shape. With `layers(first, count)` it stands for one tensor
    for each of these layers; `{layer}` in `tensor` is the number of the layer.
    Layers of one kind need not be neighbours: `layers(0, 4) and (8, 2)` are the
    layers 0 to 3, 8 and 9. `layers` is the flat list of these pairs.

    A weight of rank 3 is a stack of matrices, one for each expert: of one tensor of
    the checkpoint, or, if `{expert}` stands in `tensor`, of one for each number that
    takes its place, from 0. `scales` names the scales of `!transformer.scaled`, in
    the same way. `split` says which part of the weight a device has.

    Constraints:
    - (C1) `type` has a static shape of rank 1 to 3 and an element type that a
      checkpoint may have: f32, f16, bf16, `!transformer.block` or
      `!transformer.scaled`.
    - (C2) A weight in blocks has a last dimension that is a multiple of 32.
    - (C3) Ranges of layers are not empty, and each begins at or after the end of
      the one before it, the first at or after 0.
    - (C4) `tensor` contains `{layer}` if and only if `layers` is given.
    - (C5) `{expert}` stands only in the name of a weight of rank 3.
    - (C6) `scales` is given if and only if the element type is
      `!transformer.scaled`, which has rank 2 or 3; it contains `{layer}` and
      `{expert}` if and only if `tensor` does.
    - (C7) `split` names a dimension of `type`, a `shard.grid` and one of its axes,
      whose static size divides that dimension.
    - (C8) `split` cuts between blocks, not through them.

    Example:

    ```mlir
    transformer.weight @q_proj tensor("model.layers.{layer}.self_attn.q_proj.weight")
      layers(0, 30) : tensor<576x576x!transformer.block<q4_1>>
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    StrAttr:$tensor,
    OptionalAttr<DenseI64ArrayAttr>:$layers,
    TypeAttrOf<Transformer_Weight>:$type,
    OptionalAttr<StrAttr>:$scales,
    OptionalAttr<Transformer_SplitAttr>:$split
  );
  let assemblyFormat = [{
    $sym_name `tensor` `(` $tensor `)` (`scales` `(` $scales^ `)`)?
    (`layers` `` custom<LayerRanges>($layers)^)? (`split` `(` $split^ `)`)?
    attr-dict `:` $type
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Returns how many tensors the symbol stands for: 1 without `layers`.
    int64_t getTensorCount();

    /// Returns the place of the tensor of `layer` among the symbol's tensors, or
    /// nothing if the weight has none for that layer.
    std::optional<int64_t> getTensorIndex(int64_t layer);

    /// Returns the type of the part that one device has: `type` without `split`.
    ::mlir::RankedTensorType getLocalType();
  }];
}

def Transformer_GetWeightOp : Transformer_Op<"get_weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of a weight, or of several on top of each other";
  let description = [{
    The tensor of a weight; of several weights, their concatenation along the
    rows: the last dimension but one of matrices, the only one of vectors. `layer`
    chooses among the tensors of weights with `layers`, as the number of the layer.

    With `local` it is the part that the device has which executes the op: of each
    weight its part, as `split` says, then the concatenation. A weight without
    `split` is whole on every device.

    Constraints:
    - (C1) Every symbol names a `transformer.weight`, and there is one at least.
    - (C2) All weights, or with `local` their parts, agree in storage, rank and all
      dimensions but the rows; `result` has their storage and the sum of their rows.
    - (C3) `layer` is given if and only if the weights have `layers`, and then
      all have the same.

    Example:

    ```mlir
    %qkv = transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%layer)
      : tensor<960x576x!transformer.block<q4_1>>
    ```
  }];
  let arguments = (ins
    FlatSymbolRefArrayAttr:$weights,
    Optional<Index>:$layer,
    UnitAttr:$local
  );
  let results = (outs Transformer_Weight:$result);
  let assemblyFormat = [{
    (`local` $local^)? $weights (`layer` `(` $layer^ `)`)? attr-dict
    `:` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Embedding, linear layers, normalisation
//===----------------------------------------------------------------------===//

def Transformer_EmbeddingOp : Transformer_Op<"embedding", [Pure]> {
  let summary = "Rows of a table, by token";
  let description = [{
    `result[t, :] = table[tokens[t], :]`, rounded to the element type of `result`.

    | Operand | Shape | Meaning                      |
    |---------|-------|------------------------------|
    | tokens  | `T`   | ids, at least 0, less than V |
    | table   | `VxN` |                              |
    | result  | `TxN` |                              |

    Constraints:
    - (C1) `tokens` has rank 1, `table` and `result` have rank 2, and the shape
      of `result` is the length of `tokens` by the last dimension of `table`.

    Example:

    ```mlir
    %x = transformer.embedding %tokens, %table
      : tensor<?xi32>, tensor<49152x576xbf16> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Transformer_Tokens:$tokens, Transformer_Weight:$table);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $tokens `,` $table attr-dict
    `:` type($tokens) `,` type($table) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_LinearOp : Transformer_Op<"linear", [
    Pure, DeclareOpInterfaceMethods<Transformer_RowwiseOpInterface>]> {
  let summary = "Multiplication by a transposed weight, and a bias";
  let description = [{
    ```
    result[t, n] = sum_k input[t, k] * weight[n, k] + bias[n]
    ```

    The sum is accumulated in f32 and rounded once, to the element type of
    `result`.

    | Operand | Shape | Meaning                               |
    |---------|-------|---------------------------------------|
    | input   | `TxK` |                                       |
    | weight  | `NxK` | out by in, as checkpoints store it    |
    | bias    | `N`   | optional                              |
    | result  | `TxN` |                                       |

    Constraints:
    - (C1) `input`, `weight` and `result` have rank 2.
    - (C2) The shapes agree as in the table.

    Example:

    ```mlir
    %q = transformer.linear %x, %w : tensor<?x576xbf16>,
         tensor<960x576x!transformer.block<q4_1>> -> tensor<?x960xf32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Weight:$weight,
    Optional<Transformer_Weight>:$bias
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($input) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_HeadLinearOp : Transformer_Op<"head_linear", [
    Pure, DeclareOpInterfaceMethods<Transformer_RowwiseOpInterface>]> {
  let summary = "A linear layer for each head";
  let description = [{
    ```
    result[t, h, n] = sum_k input[t, h, k] * weight[h, n, k]
    ```

    or, if `transposed`, with `weight[h, k, n]`. In latent attention the matrices are
    parts of one weight, which views of upstream `tensor` select. The sum is
    accumulated in f32 and rounded once, to the element type of `result`.

    | Operand | Shape                        |
    |---------|------------------------------|
    | input   | `TxHxK`                      |
    | weight  | `HxNxK`, `HxKxN` if transposed |
    | result  | `TxHxN`                      |

    Constraints:
    - (C1) `input`, `weight` and `result` have rank 3, and their shapes agree as in
      the table.

    Example:

    ```mlir
    %y = transformer.head_linear %x, %w transposed
      : tensor<?x128x128xbf16>, tensor<128x128x512xbf16> -> tensor<?x128x512xbf16>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Weight:$weight,
    UnitAttr:$transposed
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`transposed` $transposed^)? attr-dict
    `:` type($input) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_RMSNormOp : Transformer_Op<"rms_norm", [
    Pure, DeclareOpInterfaceMethods<Transformer_RowwiseOpInterface>]> {
  let summary = "Root-mean-square normalisation over the last dimension";
  let description = [{
    ```
    result[..., i] = weight[i] * input[..., i] / sqrt(mean_j(input[..., j]^2) + epsilon)
    ```

    Everything is computed in f32 and rounded to the element type of `result`
    once, at the end.

    Constraints:
    - (C1) `weight` has rank 1 and the length of the last dimension of `input`,
      which is not zero.
    - (C2) `epsilon` is positive.
    - (C3) `result` has the shape of `input`.

    Example:

    ```mlir
    %y = transformer.rms_norm %x, %w epsilon(1.0e-5)
      : tensor<?x4096xf32>, tensor<4096xbf16> -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Weight:$weight,
    F64Attr:$epsilon
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight `epsilon` `(` $epsilon `)` attr-dict
    `:` type($input) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_ResidualRMSNormOp : Transformer_Op<"residual_rms_norm", [
    Pure, AllTypesMatch<["input", "residual", "sum"]>]> {
  let summary = "Residual addition followed by root-mean-square normalisation";
  let description = [{
    `sum = input + residual`, rounded to the element type of `sum`, and
    `result = rms_norm(sum)`. Both are results, as the next block adds to `sum`
    again. One op in place of two saves reading `sum` back from memory.

    Constraints:
    - (C1) `weight` has rank 1 and the length of the last dimension of `input`,
      which is not zero.
    - (C2) `epsilon` is positive.
    - (C3) `result` has the shape of `input`.

    Example:

    ```mlir
    %s, %y = transformer.residual_rms_norm %x, %r, %w epsilon(1.0e-5)
      : tensor<?x4096xf32>, tensor<4096xbf16> -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Activation:$residual,
    Transformer_Weight:$weight,
    F64Attr:$epsilon
  );
  let results = (outs Transformer_Activation:$sum, Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $residual `,` $weight `epsilon` `(` $epsilon `)` attr-dict
    `:` type($input) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_SiluOp : Transformer_Op<"silu", [
    Pure, SameOperandsAndResultShape]> {
  let summary = "Sigmoid linear unit, elementwise";
  let description = [{
    `result = input / (1 + exp(-input))`, in f32, rounded once to the element type
    of `result`; 0 for minus infinity.

    Example:

    ```mlir
    %y = transformer.silu %x : tensor<?x1536xf32> -> tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Transformer_SwigluOp : Transformer_Op<"swiglu", [
    Pure, DeclareOpInterfaceMethods<Transformer_RowwiseOpInterface>]> {
  let summary = "Gated sigmoid linear unit of the two halves of each row";
  let description = [{
    ```
    result[t, i] = silu(input[t, i]) * input[t, I + i]
    ```

    where `input` has `2I` columns: the gate, then the values that it lets
    through. In f32, rounded once to the element type of `result`.

    Constraints:
    - (C1) `input` and `result` have rank 2 and the same number of rows; `input`
      has twice the columns of `result`.

    Example:

    ```mlir
    %y = transformer.swiglu %x : tensor<?x3072xf32> -> tensor<?x1536xbf16>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Transformer_GatherRowsOp : Transformer_Op<"gather_rows", [Pure]> {
  let summary = "Selected rows of a tensor";
  let description = [{
    `result[r, ...] = input[rows[r], ...]`.

    | Operand | Shape   | Meaning                        |
    |---------|---------|--------------------------------|
    | input   | `Tx...` |                                |
    | rows    | `R`     | at least 0, less than T        |
    | result  | `Rx...` |                                |

    Constraints:
    - (C1) `rows` has rank 1; `result` has the element type and the shape of
      `input`, but for the first dimension, which is that of `rows`.

    Example:

    ```mlir
    %y = transformer.gather_rows %x, %rows
      : tensor<?x576xf32>, tensor<?xi32> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input, Transformer_Tokens:$rows);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $rows attr-dict `:` type($input) `,` type($rows) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention, as the paper writes it
//===----------------------------------------------------------------------===//

def Transformer_RotaryEmbeddingOp : Transformer_Op<"rotary_embedding", [Pure]> {
  let summary = "Rotation of pairs of elements by an angle that grows with position";
  let description = [{
    For every token `t`, head `h` and pair `j`, with
    `angle = positions[t] * frequencies[j]`, `c = multiplier * cos(angle)`,
    `s = multiplier * sin(angle)`:

    ```
    result[t, h, a(j)] = input[t, h, a(j)] * c - input[t, h, b(j)] * s
    result[t, h, b(j)] = input[t, h, b(j)] * c + input[t, h, a(j)] * s
    ```

    Pairs are `a(j) = j`, `b(j) = j + D/2`, or, if `interleaved`, `a(j) = 2j`,
    `b(j) = 2j + 1`. Angles are computed in f64, cosine and sine rounded once to
    f32; the rotation is in f32 and rounded to the element type of `result`.

    | Operand     | Shape   | Meaning                                         |
    |-------------|---------|-------------------------------------------------|
    | input       | `TxHxD` |                                                 |
    | positions   | `T`     | in the sequence, from 0                         |
    | frequencies | `D/2`   | inverse frequencies, context scaling applied    |
    | result      | `TxHxD` |                                                 |

    Constraints:
    - (C1) `input` has rank 3, `positions` rank 1, `result` the shape of `input`.
    - (C2) `D` is twice the number of `frequencies`.

    Example:

    ```mlir
    %y = transformer.rotary_embedding %x, %positions frequencies([1.0, 0.01])
      : tensor<?x9x4xf32>, tensor<?xi32> -> tensor<?x9x4xbf16>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Tokens:$positions,
    DenseF64ArrayAttr:$frequencies,
    DefaultValuedAttr<F64Attr, "1.0">:$multiplier,
    UnitAttr:$interleaved
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $positions (`interleaved` $interleaved^)?
    `frequencies` `(` custom<Frequencies>($frequencies) `)` (`multiplier` `(` $multiplier^ `)`)?
    attr-dict `:` type($input) `,` type($positions) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_RepeatHeadsOp : Transformer_Op<"repeat_heads", [Pure]> {
  let summary = "Each head several times in a row";
  let description = [{
    `result[s, h, :] = input[s, h / times, :]`: key and value heads are shared by
    `times` neighbouring query heads.

    Constraints:
    - (C1) `input` and `result` have rank 3 and agree in all but heads; `result`
      has `times` as many heads, and `times` is positive.

    Example:

    ```mlir
    %y = transformer.repeat_heads %x times(3)
      : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input, I64Attr:$times);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `times` `(` $times `)` attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_EinsumOp : Transformer_Op<"einsum", [Pure, Transformer_OneSequence]> {
  let summary = "Sum of products over named dimensions";
  let description = [{
    Einstein summation of two tensors: `equation` names each dimension of the
    operands and of the result by one small letter; a letter that the result
    lacks is summed over. `"thd,shd->hts"` are the scores of attention,
    `"hts,she->the"` its weighted values.

    Accumulated in f32, rounded once to the element type of `result`.

    Constraints:
    - (C1) `equation` is two groups of small letters, separated by a comma, an
      arrow, and a group; no letter stands twice in one group; every letter of
      the result stands in an operand.
    - (C2) Each group has as many letters as its tensor has dimensions.
    - (C3) Static dimensions of one letter are equal.

    Example:

    ```mlir
    %scores = transformer.einsum "thd,shd->hts" %q, %k
      : tensor<?x9x64xbf16>, tensor<?x9x64xbf16> -> tensor<9x?x?xf32>
    ```
  }];
  let arguments = (ins
    StrAttr:$equation,
    Transformer_Activation:$lhs,
    Transformer_Activation:$rhs
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $equation $lhs `,` $rhs attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_ScaleOp : Transformer_Op<"scale", [
    Pure, SameOperandsAndResultType]> {
  let summary = "Multiplication of every element by a constant";
  let description = [{
    `result = factor * input`, in f32, rounded to the element type.

    Example:

    ```mlir
    %y = transformer.scale %x by(0.125) : tensor<9x?x?xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input, F64Attr:$factor);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = "$input `by` `(` $factor `)` attr-dict `:` type($input)";
}

def Transformer_CausalMaskOp : Transformer_Op<"causal_mask", [
    Pure, Transformer_OneSequence, AllTypesMatch<["scores", "result"]>]> {
  let summary = "Minus infinity where the key comes after the query";
  let description = [{
    ```
    result[h, t, s] = key_positions[s] <= query_positions[t] ? scores[h, t, s] : -inf
    ```

    Constraints:
    - (C1) `scores` has rank 3, the positions have rank 1.

    Example:

    ```mlir
    %y = transformer.causal_mask %scores, %positions, %positions
      : tensor<9x?x?xf32>, tensor<?xi32>, tensor<?xi32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$scores,
    Transformer_Tokens:$query_positions,
    Transformer_Tokens:$key_positions
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $scores `,` $query_positions `,` $key_positions attr-dict
    `:` type($scores) `,` type($query_positions) `,` type($key_positions)
  }];
  let hasVerifier = 1;
}

def Transformer_SoftmaxOp : Transformer_Op<"softmax", [
    Pure, SameOperandsAndResultShape]> {
  let summary = "Softmax over the last dimension";
  let description = [{
    ```
    result[..., s] = exp(input[..., s] - max_j input[..., j])
                     / sum_i exp(input[..., i] - max_j input[..., j])
    ```

    in f32, rounded once to the element type of `result`.

    Example:

    ```mlir
    %p = transformer.softmax %scores : tensor<9x?x?xf32> -> tensor<9x?x?xbf16>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

//===----------------------------------------------------------------------===//
// Attention, fused
//===----------------------------------------------------------------------===//

def Transformer_AttentionOp : Transformer_Op<"attention", [
    Pure, Transformer_OneSequence]> {
  let summary = "Causal scaled dot-product attention with grouped key/value heads";
  let description = [{
    For every query position `t` and query head `h`, with `g = h / (H / G)` the
    key/value head that serves `h`, over the keys `s` with
    `key_positions[s] <= query_positions[t]`:

    ```
    p[s]            = softmax_s(scale * dot(query[t, h, :], key[s, g, :]))
    result[t, h, :] = sum_s p[s] * value[s, g, :]
    ```

    Scores, softmax and sums are in f32; the result is rounded once.

    | Operand | Shape   |
    |---------|---------|
    | query   | `TxHxD` |
    | key     | `SxGxD` |
    | value   | `SxGxE` |
    | result  | `TxHxE` |

    Constraints:
    - (C1) `query`, `key`, `value` and `result` have rank 3, the positions rank 1.
    - (C2) `key` and `value` agree in positions and heads.
    - (C3) `query` and `key` agree in head size.
    - (C4) The number of query heads is a multiple of the number of key/value
      heads, of which there is at least one.
    - (C5) `result` has the positions and heads of `query` and the head size of
      `value`.

    Example:

    ```mlir
    %o = transformer.attention %q, %k, %v positions(%positions, %positions)
         scale(0.125) : tensor<?x9x64xbf16>, tensor<?x3x64xbf16>,
         tensor<?x3x64xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x9x64xbf16>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$query,
    Transformer_Activation:$key,
    Transformer_Activation:$value,
    Transformer_Tokens:$query_positions,
    Transformer_Tokens:$key_positions,
    F64Attr:$scale
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value
    `positions` `(` $query_positions `,` $key_positions `)`
    `scale` `(` $scale `)` attr-dict `:` type($query) `,` type($key) `,`
    type($value) `,` type($query_positions) `,` type($key_positions)
    `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Batches of sequences with a paged cache
//===----------------------------------------------------------------------===//

def Transformer_CacheOp : Transformer_Op<"cache", [Symbol]> {
  let summary = "Declares the paged key/value cache of all layers";
  let description = [{
    For each of `layers` layers, sequence and position a key of `heads * key_size`
    and a value of `heads * value_size` elements of type `element`. Positions of a
    sequence are grouped into pages; a page table says where each page lies.

    In a `latent` cache the value of a position is the first `value_size` elements of
    its key, and nothing but the key is stored.

    Constraints:
    - (C1) `layers`, `heads`, `key_size` and `value_size` are positive.
    - (C2) A `latent` cache has one head and values no longer than keys.

    Example:

    ```mlir
    transformer.cache @cache layers(30) heads(3) key(64) value(64) : bf16
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    I64Attr:$layers,
    I64Attr:$heads,
    I64Attr:$key_size,
    I64Attr:$value_size,
    TypeAttrOf<AnyTypeOf<[F32, F16, BF16]>>:$element,
    UnitAttr:$latent
  );
  let assemblyFormat = [{
    $sym_name `layers` `(` $layers `)` `heads` `(` $heads `)` `key` `(` $key_size `)`
    `value` `(` $value_size `)` (`latent` $latent^)? attr-dict `:` $element
  }];
  let hasVerifier = 1;
}

def Transformer_CacheAppendOp : Transformer_Op<"cache_append", [
    MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Writes new keys and values into the cache";
  let description = [{
    Key and value of token `t` become those of position `positions[t]` of sequence
    `sequences[t]` in layer `layer`, rounded to the element type of the cache.

    | Operand    | Shape    | Meaning                                    |
    |------------|----------|--------------------------------------------|
    | key        | `TxGxD`  |                                            |
    | value      | `TxGxE`  | none if the cache is latent                |
    | positions  | `T`      |                                            |
    | sequences  | `T`      | ascending                                  |
    | page_table | `BxP`    | number of each page of each sequence       |

    Constraints:
    - (C1) `cache` names a `transformer.cache`.
    - (C2) `key` and `value` have rank 3 and the cache's heads and head sizes.
    - (C3) There is a `value` if and only if the cache is not latent.

    Example:

    ```mlir
    transformer.cache_append @cache layer(%layer), %k, %v
      at(%positions, %sequences, %page_table) : tensor<?x3x64xbf16>,
      tensor<?x3x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
    ```
  }];
  let arguments = (ins
    FlatSymbolRefAttr:$cache,
    Index:$layer,
    Transformer_Activation:$key,
    Optional<Transformer_Activation>:$value,
    Transformer_Tokens:$positions,
    Transformer_Tokens:$sequences,
    Transformer_Tokens:$page_table
  );
  let assemblyFormat = [{
    $cache `layer` `(` $layer `)` `,` $key (`,` $value^)?
    `at` `(` $positions `,` $sequences `,` $page_table `)` attr-dict
    `:` custom<EntryTypes>(type($key), ref($value), type($value)) `,`
    type($positions) `,` type($sequences) `,` type($page_table)
  }];
}

def Transformer_PagedAttentionOp : Transformer_Op<"paged_attention", [
    MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Causal attention over the keys and values in the cache";
  let description = [{
    `transformer.attention` of each token over the cached positions of its own
    sequence up to and including its own position. The cache is read as it is when
    the op runs: a token sees what was appended before.

    | Operand    | Shape    | Meaning                              |
    |------------|----------|--------------------------------------|
    | query      | `TxHxD`  |                                      |
    | positions  | `T`      |                                      |
    | sequences  | `T`      | ascending                            |
    | page_table | `BxP`    | number of each page of each sequence |
    | result     | `TxHxE`  |                                      |

    Constraints:
    - (C1) `cache` names a `transformer.cache`.
    - (C2) `query` and `result` have rank 3 and the same positions and heads;
      their head sizes are the cache's key and value sizes.
    - (C3) The number of query heads is a multiple of the cache's heads.

    Example:

    ```mlir
    %o = transformer.paged_attention @cache layer(%layer), %q
         at(%positions, %sequences, %page_table) scale(0.125)
       : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
         -> tensor<?x9x64xbf16>
    ```
  }];
  let arguments = (ins
    FlatSymbolRefAttr:$cache,
    Index:$layer,
    Transformer_Activation:$query,
    Transformer_Tokens:$positions,
    Transformer_Tokens:$sequences,
    Transformer_Tokens:$page_table,
    F64Attr:$scale
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $cache `layer` `(` $layer `)` `,` $query
    `at` `(` $positions `,` $sequences `,` $page_table `)`
    `scale` `(` $scale `)` attr-dict `:` type($query) `,` type($positions) `,`
    type($sequences) `,` type($page_table) `->` type($result)
  }];
}

include "dialects/transformer/TransformerExpertOps.td"

#endif // TCC_DIALECTS_TRANSFORMER_OPS_TD
