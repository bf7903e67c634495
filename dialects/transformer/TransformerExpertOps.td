// The ops of a mixture of experts: what a router decides, and what experts compute.
//
// Letters of dimensions: `T` tokens, `E` experts, `J` experts chosen for each
// token, `M` rows of all experts (`T * J`), `K` input columns, `N` output columns.

#ifndef TCC_DIALECTS_TRANSFORMER_EXPERTOPS_TD
#define TCC_DIALECTS_TRANSFORMER_EXPERTOPS_TD

//===----------------------------------------------------------------------===//
// Experts, as the paper writes them
//===----------------------------------------------------------------------===//

def Transformer_SigmoidOp : Transformer_Op<"sigmoid", [
    Pure, Elementwise, SameOperandsAndResultShape]> {
  let summary = "Logistic function, elementwise";
  let description = [{
    `result = 1 / (1 + exp(-input))`, in f32, rounded once to the element type of
    `result`.

    Example:

    ```mlir
    %y = transformer.sigmoid %x : tensor<?x256xf32> -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Transformer_SelectExpertsOp : Transformer_Op<"select_experts", [Pure]> {
  let summary = "The experts with the largest scores, within the best groups";
  let description = [{
    With `c[t, e] = scores[t, e] + bias[e]`, in f32: the `E` experts are `groups`
    groups of neighbours. The value of a group is the sum of its `top` largest `c`; the
    `keep` groups of the largest values stay. `result[t, :]` are the `J` experts of
    these groups with the largest `c`, the largest first.

    Of equal ones, groups and experts alike, the lowest comes first. NaN is smaller
    than any number.

    | Operand | Shape | Meaning             |
    |---------|-------|---------------------|
    | scores  | `TxE` |                     |
    | bias    | `E`   | optional            |
    | result  | `TxJ` | at least 0, below E |

    Constraints:
    - (C1) `scores` and `result` have rank 2 and the same rows, `bias` has an element
      for each column of `scores`; `E` and `J` are static and positive.
    - (C2) `groups` divides `E`, `keep` is 1 to `groups`, `top` is 1 to `E / groups`.
    - (C3) There are `J` experts in `keep` groups.

    Example:

    ```mlir
    // DeepSeek-V3.
    %experts = transformer.select_experts %scores bias(%bias : tensor<256xf32>)
      groups(8) keep(4) top(2) : tensor<?x256xf32> -> tensor<?x8xi32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$scores,
    Optional<Transformer_Weight>:$bias,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<I64Attr, "1">:$keep,
    DefaultValuedAttr<I64Attr, "1">:$top
  );
  let results = (outs Transformer_Tokens:$result);
  let assemblyFormat = [{
    $scores (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`groups` `(` $groups^ `)` `keep` `(` $keep `)` `top` `(` $top `)`)?
    attr-dict `:` type($scores) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_GatherColumnsOp : Transformer_Op<"gather_columns", [Pure]> {
  let summary = "Selected elements of each row";
  let description = [{
    `result[t, j] = input[t, columns[t, j]]`.

    Constraints:
    - (C1) All have rank 2 and the same rows; `result` has the element type of
      `input` and the columns of `columns`.

    Example:

    ```mlir
    %y = transformer.gather_columns %x, %columns
      : tensor<?x256xf32>, tensor<?x8xi32> -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input, Transformer_Tokens:$columns);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $columns attr-dict
    `:` type($input) `,` type($columns) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_SumNormOp : Transformer_Op<"sum_norm", [
    Pure, SameOperandsAndResultType]> {
  let summary = "Normalisation by the sum over the last dimension";
  let description = [{
    ```
    result[..., i] = input[..., i] / (sum_j input[..., j] + epsilon)
    ```

    in f32, rounded once to the element type. `epsilon` keeps a row of zeros one.

    Constraints:
    - (C1) `epsilon` is not negative.

    Example:

    ```mlir
    %y = transformer.sum_norm %x epsilon(1.0e-20) : tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Transformer_Activation:$input, F64Attr:$epsilon);
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `epsilon` `(` $epsilon `)` attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def Transformer_ExpertLinearOp : Transformer_Op<"expert_linear", [Pure]> {
  let summary = "Multiplication by the weight of each chosen expert";
  let description = [{
    ```
    result[t, j, n] = sum_k input[t, j, k] * weight[experts[t, j], n, k]
    ```

    If `input` has rank 2, all experts of a token read the same row `input[t, :]`.
    The sum is accumulated in f32 and rounded once, to the element type of `result`.

    | Operand | Shape            |
    |---------|------------------|
    | input   | `TxK` or `TxJxK` |
    | experts | `TxJ`            |
    | weight  | `ExNxK`          |
    | result  | `TxJxN`          |

    Constraints:
    - (C1) `input` has rank 2 or 3, `experts` rank 2, `weight` and `result` rank 3,
      and their shapes agree as in the table.

    Example:

    ```mlir
    %y = transformer.expert_linear %x, %experts, %w : tensor<?x7168xbf16>,
      tensor<?x8xi32>, tensor<256x2048x7168xbf16> -> tensor<?x8x2048xf32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Tokens:$experts,
    Transformer_Weight:$weight
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $experts `,` $weight attr-dict
    `:` type($input) `,` type($experts) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Experts, fused
//===----------------------------------------------------------------------===//

def Transformer_RouteOp : Transformer_Op<"route", [Pure]> {
  let summary = "The experts of each token and their weights";
  let description = [{
    With `s = scoring(logits)`, the softmax over all experts or the sigmoid:

    ```
    experts[t, :] = select_experts(s[t, :], bias)
    w[t, j]       = s[t, experts[t, j]]
    w[t, j]       = w[t, j] / (sum_i w[t, i] + normalize)     if `normalize` is given
    weights[t, j] = scale * w[t, j]
    ```

    The bias decides who is chosen and is no part of a weight. In f32; weights are
    rounded once to their element type.

    | Operand | Shape | Meaning             |
    |---------|-------|---------------------|
    | logits  | `TxE` |                     |
    | bias    | `E`   | optional            |
    | experts | `TxJ` | at least 0, below E |
    | weights | `TxJ` |                     |

    Constraints:
    - (C1) `logits`, `experts` and `weights` have rank 2 and the same rows, `bias`
      has an element for each column of `logits`, `experts` and `weights` have
      the same columns; `E` and `J` are static and positive.
    - (C2) `groups` divides `E`, `keep` is 1 to `groups`, `top` is 1 to `E / groups`.
    - (C3) There are `J` experts in `keep` groups.
    - (C4) `normalize` is not negative.

    Example:

    ```mlir
    // DeepSeek-V3.
    %experts, %weights = transformer.route %logits bias(%bias : tensor<256xf32>)
      sigmoid groups(8) keep(4) top(2) normalize(1.0e-20) scale(2.5)
      : tensor<?x256xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$logits,
    Optional<Transformer_Weight>:$bias,
    Transformer_Scoring:$scoring,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<I64Attr, "1">:$keep,
    DefaultValuedAttr<I64Attr, "1">:$top,
    OptionalAttr<F64Attr>:$normalize,
    DefaultValuedAttr<F64Attr, "1.0">:$scale
  );
  let results = (outs Transformer_Tokens:$experts, Transformer_Activation:$weights);
  let assemblyFormat = [{
    $logits (`bias` `(` $bias^ `:` type($bias) `)`)? $scoring
    (`groups` `(` $groups^ `)` `keep` `(` $keep `)` `top` `(` $top `)`)?
    (`normalize` `(` $normalize^ `)`)? (`scale` `(` $scale^ `)`)?
    attr-dict `:` type($logits) `->` type($experts) `,` type($weights)
  }];
  let hasVerifier = 1;
}

def Transformer_DispatchOp : Transformer_Op<"dispatch", [Pure]> {
  let summary = "The rows of each expert, one expert after another";
  let description = [{
    Sorts the `M = T * J` pairs of a token and one of its experts by expert; pairs of
    one expert stay in the order of their tokens.

    ```
    places[t, j]            = place of the pair (t, j) in the sorted order
    rows[places[t, j]]      = t
    offsets[e]              = number of pairs whose expert is below e
    ```

    So `gather_rows` by `rows` brings the tokens of expert `e` to the rows `offsets[e]`
    to `offsets[e + 1] - 1`, and `combine` finds its results by `places`.

    | Operand | Shape   | Meaning             |
    |---------|---------|---------------------|
    | experts | `TxJ`   | at least 0, below E |
    | rows    | `M`     |                     |
    | places  | `TxJ`   |                     |
    | offsets | `E + 1` |                     |

    Constraints:
    - (C1) `experts` has rank 2, `places` its shape, `rows` and `offsets` have rank
      1; `offsets` is static and has two elements at least.

    Example:

    ```mlir
    %rows, %places, %offsets = transformer.dispatch %experts
      : tensor<?x8xi32> -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
    ```
  }];
  let arguments = (ins Transformer_Tokens:$experts);
  let results = (outs
    Transformer_Tokens:$rows,
    Transformer_Tokens:$places,
    Transformer_Tokens:$offsets
  );
  let assemblyFormat = [{
    $experts attr-dict
    `:` type($experts) `->` type($rows) `,` type($places) `,` type($offsets)
  }];
  let hasVerifier = 1;
}

def Transformer_GroupedLinearOp : Transformer_Op<"grouped_linear", [Pure]> {
  let summary = "A linear layer for each group of rows";
  let description = [{
    For every row `m` from `offsets[e]` to `offsets[e + 1] - 1`:

    ```
    result[m, n] = sum_k input[m, k] * weight[e, n, k]
    ```

    A group may be empty. The sum is accumulated in f32 and rounded once, to the
    element type of `result`.

    | Operand | Shape   | Meaning                        |
    |---------|---------|--------------------------------|
    | input   | `MxK`   |                                |
    | weight  | `ExNxK` |                                |
    | offsets | `E + 1` | ascending, from 0 to M         |
    | result  | `MxN`   |                                |

    Constraints:
    - (C1) `input` and `result` have rank 2, `weight` rank 3 and `offsets` rank 1,
      and their shapes agree as in the table.

    Example:

    ```mlir
    %y = transformer.grouped_linear %x, %w offsets(%offsets) : tensor<?x7168xbf16>,
      tensor<256x4096x7168xbf16>, tensor<257xi32> -> tensor<?x4096xf32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Weight:$weight,
    Transformer_Tokens:$offsets
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight `offsets` `(` $offsets `)` attr-dict
    `:` type($input) `,` type($weight) `,` type($offsets) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Transformer_CombineOp : Transformer_Op<"combine", [Pure]> {
  let summary = "Weighted sums of rows";
  let description = [{
    ```
    result[t, n] = sum_j weights[t, j] * input[places[t, j], n]
    ```

    from the first `j` to the last, whatever else is in the batch: accumulated in f32
    and rounded once, to the element type of `result`.

    | Operand | Shape | Meaning             |
    |---------|-------|---------------------|
    | input   | `MxN` |                     |
    | places  | `TxJ` | at least 0, below M |
    | weights | `TxJ` |                     |
    | result  | `TxN` |                     |

    Constraints:
    - (C1) All have rank 2, and their shapes agree as in the table.

    Example:

    ```mlir
    %y = transformer.combine %x, %places, %weights
      : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32> -> tensor<?x7168xf32>
    ```
  }];
  let arguments = (ins
    Transformer_Activation:$input,
    Transformer_Tokens:$places,
    Transformer_Activation:$weights
  );
  let results = (outs Transformer_Activation:$result);
  let assemblyFormat = [{
    $input `,` $places `,` $weights attr-dict
    `:` type($input) `,` type($places) `,` type($weights) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // TCC_DIALECTS_TRANSFORMER_EXPERTOPS_TD
