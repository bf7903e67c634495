// The ops of the `transformer` dialect.
//
// Letters of dimensions: `T` query positions (tokens), `S` key positions, `H`
// query heads, `G` key/value heads, `D` head size, `E` value head size, `N`
// hidden size, `V` vocabulary, `B` sequences, `R` selected rows. `?` in a type is
// `T` where nothing else is said. Attention is in TransformerAttentionOps.td, a mixture
// of experts in TransformerExpertOps.td.

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

    With `halves(first, count, of)` rows lie in another order than in the checkpoint:
    of every `of` rows the `count` from `first` on are those that are even among
    them, then those that are odd. Row `first + j` is row `first + 2 j` of the
    checkpoint, row `first + count / 2 + j` its row `first + 2 j + 1`. Elements are
    the rows of a vector. Scales move with their rows, and `split` cuts what lies in
    this order.

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
    - (C9) `halves`, if given, is of a vector or matrix, whose rows `of` divides; `count`
      is positive and even, and `first` not negative and at most `of - count`.

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
    OptionalAttr<DenseI64ArrayAttr>:$halves,
    OptionalAttr<Transformer_SplitAttr>:$split
  );
  let assemblyFormat = [{
    $sym_name `tensor` `(` $tensor `)` (`scales` `(` $scales^ `)`)?
    (`layers` `` custom<LayerRanges>($layers)^)?
    (`halves` `(` custom<Halves>($halves)^ `)`)? (`split` `(` $split^ `)`)?
    attr-dict `:` $type
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Returns how many tensors the symbol stands for: 1 without `layers`.
    int64_t getTensorCount();

    /// Returns the place of the tensor of `layer` among the symbol's tensors, or
    /// nothing if the weight has none for that layer.
    std::optional<int64_t> getTensorIndex(int64_t layer);

    /// Returns the order of the rows.
    Halves getRowOrder() {
      return Halves(getHalves().value_or(::llvm::ArrayRef<int64_t>()));
    }

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
    Pure, Elementwise, SameOperandsAndResultShape]> {
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

include "dialects/transformer/TransformerAttentionOps.td"
include "dialects/transformer/TransformerExpertOps.td"

#endif // TCC_DIALECTS_TRANSFORMER_OPS_TD
