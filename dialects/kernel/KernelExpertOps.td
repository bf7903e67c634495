// The ops of a mixture of experts.
//
// Letters of dimensions: `T` new tokens, `E` experts, `J` experts chosen for each
// token, `M` rows of all experts (`T * J`), `K` input columns, `N` output columns.

#ifndef TCC_DIALECTS_KERNEL_EXPERTOPS_TD
#define TCC_DIALECTS_KERNEL_EXPERTOPS_TD

def Kernel_MixedResult : RankedTensorOf<[F32, I32]>;

// A launch whose last `count` operands are its destinations.
class Kernel_MultiLaunchOp<string mnemonic, int count>
    : Kernel_LaunchOp<mnemonic> {
  code multiLaunchDeclarations = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      unsigned count = }] # !cast<string>(count) # [{;
      return {getOperation(), getOperation()->getNumOperands() - count, count};
    }
  }];
  let extraClassDeclaration = multiLaunchDeclarations;
}

def Kernel_RouteOp : Kernel_MultiLaunchOp<"route", 2> {
  let summary = "The experts of each token and their weights";
  let description = [{
    With `s` the softmax or the sigmoid of the logits and `c = s + bias`: the experts
    are `groups` groups of neighbours, the value of a group is the sum of its `top`
    largest `c`, and of the `keep` groups of the largest values

    ```
    experts[t, :] = the J experts of the largest c[t, e], the largest first
    w[t, j]       = s[t, experts[t, j]]
    w[t, j]       = w[t, j] / (sum_i w[t, i] + normalize)     if `normalize` is given
    weights[t, j] = scale * w[t, j]
    ```

    Of equal ones the lowest comes first; NaN is smaller than any number. In f32.

    One tile is one token.

    | Operand      | Shape | Meaning     |
    |--------------|-------|-------------|
    | logits       | `TxE` |             |
    | bias         | `E`   | optional    |
    | experts_init | `TxJ` | destination |
    | weights_init | `TxJ` | destination |

    Constraints:
    - (C1) `logits` and the destinations have rank 2, the destinations one shape,
      `bias` an element for each expert; `E` and `J` are static and positive.
    - (C2) `groups` divides `E`, `keep` is 1 to `groups`, `top` is 1 to `E / groups`,
      and there are `J` experts in `keep` groups.

    Example:

    ```mlir
    %e, %w = kernel.route %logits bias(%bias : tensor<256xf32>) sigmoid
      groups(8) keep(4) top(2) normalize(1.0e-20) scale(2.5) into %e_init, %w_init
      : tensor<?x256xf32>, tensor<?x8xi32>, tensor<?x8xf32>
        -> tensor<?x8xi32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Kernel_F32:$logits,
    Optional<Kernel_Weight>:$bias,
    Kernel_Integers:$experts_init,
    Kernel_F32:$weights_init,
    Kernel_Scoring:$scoring,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<I64Attr, "1">:$keep,
    DefaultValuedAttr<I64Attr, "1">:$top,
    OptionalAttr<F64Attr>:$normalize,
    DefaultValuedAttr<F64Attr, "1.0">:$scale
  );
  let results = (outs Variadic<Kernel_MixedResult>:$results);
  let assemblyFormat = [{
    $logits (`bias` `(` $bias^ `:` type($bias) `)`)? $scoring
    (`groups` `(` $groups^ `)` `keep` `(` $keep `)` `top` `(` $top `)`)?
    (`normalize` `(` $normalize^ `)`)? (`scale` `(` $scale^ `)`)?
    `into` $experts_init `,` $weights_init attr-dict
    `:` type($logits) `,` type($experts_init) `,` type($weights_init)
    (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = multiLaunchDeclarations # [{
    /// Where the parts of a thread's memory are.
    RouteScratch getScratch();
  }];
}

def Kernel_DispatchOp : Kernel_MultiLaunchOp<"dispatch", 3> {
  let summary = "The rows of each expert, one expert after another";
  let description = [{
    A counting sort of the `M = T * J` pairs of a token and one of its experts, stable,
    so that the order of tokens within an expert does not depend on threads:

    ```
    places[t, j]       = place of the pair (t, j) in the order of experts
    rows[places[t, j]] = t
    offsets[e]         = number of pairs whose expert is below e
    ```

    One tile does all: the sort reads a few kilobytes.

    | Operand      | Shape   | Meaning     |
    |--------------|---------|-------------|
    | experts      | `TxJ`   |             |
    | rows_init    | `M`     | destination |
    | places_init  | `TxJ`   | destination |
    | offsets_init | `E + 1` | destination |

    Constraints:
    - (C1) `experts` and `places_init` have one shape of rank 2, the other
      destinations rank 1; `offsets_init` is static and has two elements at least.
    - (C2) `J` is static.

    Example:

    ```mlir
    %rows, %places, %offsets = kernel.dispatch %e into %rows_init, %places_init, %offsets_init
      : tensor<?x8xi32>, tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
        -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
    ```
  }];
  let arguments = (ins
    Kernel_Integers:$experts,
    Kernel_Integers:$rows_init,
    Kernel_Integers:$places_init,
    Kernel_Integers:$offsets_init
  );
  let results = (outs Variadic<Kernel_MixedResult>:$results);
  let assemblyFormat = [{
    $experts `into` $rows_init `,` $places_init `,` $offsets_init attr-dict
    `:` type($experts) `,` type($rows_init) `,` type($places_init) `,`
    type($offsets_init) (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_GroupedLinearOp : Kernel_LaunchOp<"grouped_linear", [
    AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock]> {
  let summary = "A linear layer for each group of rows";
  let description = [{
    For every row `m` from `offsets[e]` to `offsets[e + 1] - 1`, with `x` the row
    `rows[m]` of `input`, or `m` without `rows`:

    ```
    a[m, k]      = round_operand(prologue(x[k], mean_j(x[j]^2), p0[k], p1[k], ...))
    sum[m, n]    = sum_k a[m, k] * weight[e, n, k]
    result[m, n] = round_result(epilogue(sum[m, n]))
    ```

    The regions, `packing` and the order of sums are those of `kernel.linear`; the
    epilogue of a `paired` packing takes two sums.

    There are `E * panels` tiles, whatever the offsets say. With the panels of all
    experts that have rows numbered one after another, `P` in all, tile `i` does those
    from `i * P / (E * panels)` to before `(i + 1) * P / (E * panels)`: ranges of as
    many tiles are as much work, however few experts have rows.

    | Operand           | Shape    | Meaning                                    |
    |-------------------|----------|--------------------------------------------|
    | input             | `TxK`    | `MxK` without `rows`                       |
    | rows              | `M`      | optional                                   |
    | offsets           | `E + 1`  | ascending, from 0 to M                     |
    | weight            | `ExNxK`  | packed                                     |
    | prologue_operands | `K` each |                                            |
    | init              | `MxN'`   | destination; `N'` is `N`, or `N/2` if paired |

    Constraints:
    - (C1) `input` and `init` have rank 2, `weight` has rank 3, is static, not empty
      and agrees with `input` in `K`; `offsets` is a vector of `E + 1` elements.
    - (C2) `init` has `N` columns, or `N/2` if paired; its rows are those of `rows`,
      which has rank 1, or those of `input`.
    - (C3) Operands of the prologue are vectors of `K` elements.
    - (C4) A weight in blocks has a `K` that is a multiple of 32. In one with scales
      a multiple of 4 elements of `K`, at most 128, share a scale. `N` is even if
      paired.
    - (C5) `operand` is f32 for any weight, bf16 for one that is neither f32 nor f16,
      f16 for one that is f16, i16 for one in blocks of 32, or f8E4M3FN for one with scales.
    - (C6) The prologue, if any, takes f32: the element, the mean square if
      `mean_square`, and one for each operand. Without a prologue there are
      no operands of it and no `mean_square`.
    - (C7) The epilogue, if any, takes f32: one sum, or two if paired. Without an
      epilogue the packing is not paired.
    - (C8) Regions yield one f32 and contain only constants and scalar ops of
      `arith` and `math`.
    - (C9) The packing is in panels, `tile_columns` divides its columns, `dot` needs bf16
      operands, and `integer` is for i16 operands and they for it.

    Example:

    ```mlir
    %y = kernel.grouped_linear %x rows(%rows : tensor<?xi32>), %w offsets(%offsets)
      into %init operand(bf16) packing(<columns = 64>)
      config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
      : tensor<?x7168xf32>, tensor<256x4096x7168xbf16>, tensor<257xi32>,
        tensor<?x4096xf32> -> tensor<?x4096xf32>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$input,
    Optional<Kernel_Integers>:$rows,
    Kernel_Weight:$weight,
    Kernel_Integers:$offsets,
    Kernel_Activation:$init,
    Variadic<Kernel_Weight>:$prologue_operands,
    TypeAttr:$operand,
    Kernel_PackingAttrInterface:$packing,
    Kernel_LinearConfigAttrInterface:$configuration,
    UnitAttr:$mean_square
  );
  let regions = (region AnyRegion:$prologue, AnyRegion:$epilogue);
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $input (`rows` `(` $rows^ `:` type($rows) `)`)? `,` $weight
    `offsets` `(` $offsets `)` `into` $init `operand` `(` $operand `)`
    `packing` `(` custom<Packing>($packing) `)`
    `config` `(` custom<LinearConfig>($configuration) `)`
    (`prologue` (`mean_square` $mean_square^)?
     (`(` $prologue_operands^ `:` type($prologue_operands) `)`)? $prologue^)?
    (`epilogue` $epilogue^)?
    attr-dict `:` type($input) `,` type($weight) `,` type($offsets) `,`
    type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Experts, `E`; rows of one expert's weight, `N`, and its columns, `K`.
    int64_t getExperts();
    int64_t getWeightRows();
    int64_t getDepth();

    /// Output columns: `N`, or `N/2` if paired.
    int64_t getOutputColumns();

    /// Panels of one expert's weight.
    int64_t getPanels();

    /// Where the parts of a thread's memory are.
    LinearScratch getScratch();
  }];
}

def Kernel_CombineOp : Kernel_LaunchOp<"combine"> {
  let summary = "Weighted sums of rows, and what is added to them";
  let description = [{
    ```
    result[t, n] = sum_j weights[t, j] * input[places[t, j], n] + addends[0][t, n] + ...
    ```

    from the first `j` to the last, then the addends in their order: the residual, the
    expert that all tokens share. In f32.

    One tile is one token.

    | Operand | Shape      | Meaning                             |
    |---------|------------|-------------------------------------|
    | input   | `MxN`      |                                     |
    | places  | `TxJ`      | at least 0, below M                 |
    | weights | `TxJ`      |                                     |
    | addends | `TxN` each | may be `init`                       |
    | init    | `TxN`      | destination                         |

    Constraints:
    - (C1) All have rank 2, and their shapes agree as in the table.
    - (C2) `J` and `N` are static.

    Example:

    ```mlir
    %y = kernel.combine %x, %places, %weights
      add(%residual, %shared : tensor<?x7168xf32>, tensor<?x7168xf32>) into %init
      : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32>, tensor<?x7168xf32>
        -> tensor<?x7168xf32>
    ```
  }];
  let arguments = (ins
    Kernel_F32:$input,
    Kernel_Integers:$places,
    Kernel_F32:$weights,
    Variadic<Kernel_F32>:$addends,
    Kernel_F32:$init
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $input `,` $places `,` $weights
    (`add` `(` $addends^ `:` type($addends) `)`)? `into` $init attr-dict
    `:` type($input) `,` type($places) `,` type($weights) `,` type($init)
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

#endif // TCC_DIALECTS_KERNEL_EXPERTOPS_TD
