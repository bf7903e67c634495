// The ops of the `kernel` dialect.
//
// Letters of dimensions: `T` new tokens, `R` selected rows, `B` sequences, `H`
// query heads, `G` key/value heads, `D` head size, `E` value head size, `N` output
// columns, `K` input columns, `V` vocabulary. Those of experts are in
// KernelExpertOps.td, those of latent attention in KernelLatentOps.td.

#ifndef TCC_DIALECTS_KERNEL_OPS_TD
#define TCC_DIALECTS_KERNEL_OPS_TD

include "dialects/kernel/KernelAttrs.td"
include "dialects/kernel/KernelDialect.td"
include "dialects/kernel/KernelInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Kernel_Shaped<list<Type> elements>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>]>;

// Activations, as they are between launches.
def Kernel_Activation : Kernel_Shaped<[F32, F16, BF16]>;

// By its C++ class: including the definition would generate its enum twice.
def Kernel_Block : Type<
    CPred<"::llvm::isa<::mlir::tcc::transformer::BlockType>($_self)">,
    "block of quantised weights">;

def Kernel_Scaled : Type<
    CPred<"::llvm::isa<::mlir::tcc::transformer::ScaledType>($_self)">,
    "weights with scales">;

// Weights: every storage type of a checkpoint.
def Kernel_Weight : Kernel_Shaped<[F32, F16, BF16, Kernel_Block, Kernel_Scaled]>;

def Kernel_Integers : Kernel_Shaped<[I32]>;
def Kernel_F32 : Kernel_Shaped<[F32]>;
def Kernel_F64 : Kernel_Shaped<[F64]>;
def Kernel_Result : RankedTensorOf<[F32, F16, BF16]>;

// The cache of one layer, from its page 0 on. Page `p` begins `p` times the bytes
// of a page further.
def Kernel_CachePages : MemRefRankOf<[I8], [1]>;

// The ops that are launches.
class Kernel_LaunchOp<string mnemonic, list<Trait> traits = []>
    : Kernel_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<Kernel_KernelOpInterface>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DestinationStyleOpInterface], traits)> {
  code launchDeclarations = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
  let extraClassDeclaration = launchDeclarations;
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

def Kernel_EmbeddingOp : Kernel_LaunchOp<"embedding"> {
  let summary = "Rows of a table, by token";
  let description = [{
    `result[t, :] = table[tokens[t], :]`, in f32: exact but for one rounding of
    quantised weights. The table is packed as the weight of a linear layer is,
    since models share it with their last layer.

    One tile is one token.

    | Operand | Shape | Meaning                      |
    |---------|-------|------------------------------|
    | tokens  | `T`   | ids, at least 0, less than V |
    | table   | `VxN` | packed                       |
    | init    | `TxN` | destination                  |

    Constraints:
    - (C1) `tokens` has rank 1, `table` is static and has rank 2, `init` is a row
      of the table for each token.
    - (C2) `packing` is not `paired`.
    - (C3) `table` has no scales: no checkpoint has such a table.

    Example:

    ```mlir
    %x = kernel.embedding %tokens, %table into %init
      packing(<columns = 64>) : tensor<?xi32>, tensor<49152x576xbf16>,
      tensor<?x576xf32> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins
    Kernel_Integers:$tokens,
    Kernel_Weight:$table,
    Kernel_F32:$init,
    Kernel_PackingAttrInterface:$packing
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $tokens `,` $table `into` $init `packing` `(` custom<Packing>($packing) `)`
    attr-dict
    `:` type($tokens) `,` type($table) `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_LinearOp : Kernel_LaunchOp<"linear", [
    AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock]> {
  let summary = "Multiplication by a transposed weight between two scalar functions";
  let description = [{
    ```
    a[t, k]      = round_operand(prologue(input[t, k], mean_j(input[t, j]^2), p0[k], p1[k], ...))
    sum[t, n]    = sum_k a[t, k] * weight[n, k]
    result[t, n] = round_result(epilogue(sum[t, n], e0[n] or e0[t, n], ...))
    ```

    `prologue` is the identity if its region is empty; its second argument is
    there if `mean_square`. If `packing` is `paired`, `epilogue` takes two sums and makes half the
    columns: `epilogue(sum[t, n], sum[t, n + N/2], ...)`. It is the identity if its
    region is empty.

    The regions are functions of f32 scalars in `arith` and `math`. Operands of the
    regions are converted to f32 as they are read.

    Sums are accumulated in f32. Row `t` of the result depends on row `t` of the
    operands only, and its sums run over `K` in the same order whatever the number of rows. Weights
    are not rounded: of a block of quantised weights the sum of `q * a` is formed,
    then multiplied by the scale of the block. Only a configuration of kind `wgmma`
    rounds each element of a block to the type of operands, once.

    An `operand` of i16 makes blocks of 32 elements of the input as well, each with
    one scale: `s = max_k |a[k]| / 32767` and `a[k] = s * round(a[k] / s)`, within
    `s / 2`. The sum of `q * a` over a block is then one of integers, and exact. A
    block that is not finite makes a result that is not finite.

    An `operand` of f8E4M3FN gives every 128 elements of a row of the input, from the
    first on, one scale; the last of them may be fewer:

    ```
    s    = max(max_k |a[k]|, 1e-4) / 448
    a[k] = s * e4m3(a[k] / s)
    ```

    all in f32, with `e4m3` the nearest number of that type, ties to even. Elements
    that share a scale and are not all finite make a result that is not finite.

    What a tile is, the configuration says: one panel of the weight if it is packed in
    panels.

    | Operand           | Shape           | Meaning                          |
    |-------------------|-----------------|----------------------------------|
    | input             | `TxK`           |                                  |
    | weight            | `NxK`           | packed                           |
    | prologue_operands | `K` each        |                                  |
    | epilogue_operands | `N'` or `TxN'`  | those of shape `TxN'` may be `init` |
    | init              | `TxN'`          | destination; `N'` is `N`, or `N/2` if paired |

    Constraints:
    - (C1) `input`, `weight` and `init` have rank 2; `weight` is static, not empty and
      agrees with `input` in `K`.
    - (C2) `init` has the rows of `input` and `N` columns, or `N/2` if paired.
    - (C3) Operands of the prologue are vectors of `K` elements; operands of the
      epilogue are vectors of `N'` elements or have the shape of `init`.
    - (C4) A weight in blocks has a `K` that is a multiple of 32. In one with scales
      a multiple of 4 elements of `K`, at most 128, share a scale. `N` is even if
      paired.
    - (C5) `operand` is f32 for any weight, bf16 for one that is neither f32 nor f16,
      f16 for one of f16, i16 for one in blocks of 32, or f8E4M3FN for one with scales.
    - (C6) The prologue, if any, takes f32: the element, the mean square if
      `mean_square`, and one for each operand. Without a prologue there are
      no operands of it and no `mean_square`.
    - (C7) The epilogue, if any, takes f32: one sum, or two if paired, and one for
      each operand. Without an epilogue there are no operands of it and the
      packing is not paired.
    - (C8) Regions yield one f32 and contain only constants and scalar ops of
      `arith` and `math`.
    - (C9) With `linear_config` the packing is in panels, `tile_columns` divides its
      columns, operands are not f16, `dot` needs bf16 operands, and `integer` is for
      i16 operands and they for it. With `gpu_linear_config` the packing is in rows,
      `tile_columns` is a multiple of twice `pair_rows`, operands are f32, f16 or
      bf16, and the weight has no scales. Kind `wgmma` has no operands of f32, no
      prologue, and an input of the type of the operands; its rows in memory begin at
      multiples of 16 bytes.

    Example:

    ```mlir
    // Normalisation, gate and value in one weight, gated unit.
    %y = kernel.linear %x, %w into %init operand(bf16)
      packing(<columns = 64, paired = true>)
      config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
      prologue mean_square (%norm : tensor<576xf32>) {
      ^bb0(%element: f32, %mean: f32, %scale: f32):
        %epsilon = arith.constant 1.0e-5 : f32
        %shifted = arith.addf %mean, %epsilon : f32
        %factor = math.rsqrt %shifted : f32
        %normed = arith.mulf %element, %factor : f32
        %scaled = arith.mulf %normed, %scale : f32
        kernel.yield %scaled : f32
      } epilogue {
      ^bb0(%gate: f32, %value: f32):
        %one = arith.constant 1.0 : f32
        %negated = arith.negf %gate : f32
        %power = math.exp %negated : f32
        %divisor = arith.addf %power, %one : f32
        %silu = arith.divf %gate, %divisor : f32
        %gated = arith.mulf %silu, %value : f32
        kernel.yield %gated : f32
      } : tensor<?x576xf32>, tensor<3072x576xbf16>, tensor<?x1536xbf16>
          -> tensor<?x1536xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$input,
    Kernel_Weight:$weight,
    Kernel_Activation:$init,
    Variadic<Kernel_Weight>:$prologue_operands,
    Variadic<Kernel_Weight>:$epilogue_operands,
    TypeAttr:$operand,
    Kernel_PackingAttrInterface:$packing,
    Kernel_LinearConfigAttrInterface:$configuration,
    UnitAttr:$mean_square
  );
  let regions = (region AnyRegion:$prologue, AnyRegion:$epilogue);
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $input `,` $weight `into` $init `operand` `(` $operand `)`
    `packing` `(` custom<Packing>($packing) `)`
    `config` `(` custom<LinearConfig>($configuration) `)`
    (`prologue` (`mean_square` $mean_square^)?
     (`(` $prologue_operands^ `:` type($prologue_operands) `)`)? $prologue^)?
    (`epilogue` (`(` $epilogue_operands^ `:` type($epilogue_operands) `)`)?
     $epilogue^)?
    attr-dict `:` type($input) `,` type($weight) `,` type($init)
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Output columns: `N`, or `N/2` if paired.
    int64_t getOutputColumns();

    /// Rows of the weight, `N`, and its columns, `K`.
    int64_t getWeightRows();
    int64_t getDepth();

    /// Where the parts of a thread's memory are if the packing is in panels.
    LinearScratch getScratch();
  }];
}

def Kernel_YieldOp : Kernel_Op<"yield", [
    Pure, Terminator, ParentOneOf<["LinearOp", "GroupedLinearOp"]>]> {
  let summary = "The value of a prologue or an epilogue";
  let description = [{
    Example:

    ```mlir
    kernel.yield %scaled : f32
    ```
  }];
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def Kernel_CacheLayerOp : Kernel_Op<"cache_layer", [Pure]> {
  let summary = "The pages of the cache of one layer";
  let description = [{
    Memory that the runtime owns, from page 0 of layer `layer` of `cache` on. Not a
    launch: it becomes an argument of launches.

    Example:

    ```mlir
    %pages = kernel.cache_layer @cache layer(%layer) : memref<?xi8>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$cache, Index:$layer);
  let results = (outs Kernel_CachePages:$result);
  let assemblyFormat = "$cache `layer` `(` $layer `)` attr-dict `:` type($result)";
}

def Kernel_RotaryTableOp : Kernel_Op<"rotary_table", [Pure]> {
  let summary = "Cosine and sine of the angles of each new token";
  let description = [{
    A table `TxD/2x2` that the runtime fills before a step, in f64, rounding once:

    ```
    result[t, j, 0] = multiplier * cos(positions[t] * frequencies[j])
    result[t, j, 1] = multiplier * sin(positions[t] * frequencies[j])
    ```

    Not a launch: it becomes an argument of launches.

    Constraints:
    - (C1) `positions` has rank 1, `result` a row of pairs for each position, one
      pair for each frequency.

    Example:

    ```mlir
    %rotary = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0)
      : tensor<?xi32> -> tensor<?x2x2xf32>
    ```
  }];
  let arguments = (ins
    Kernel_Integers:$positions,
    DenseF64ArrayAttr:$frequencies,
    F64Attr:$multiplier
  );
  let results = (outs Kernel_F32:$result);
  let assemblyFormat = [{
    $positions `frequencies` `(` $frequencies `)` `multiplier` `(` $multiplier `)`
    attr-dict `:` type($positions) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Kernel_RotaryAppendOp : Kernel_LaunchOp<"rotary_append"> {
  let summary = "Rotates queries and keys and appends keys and values to the cache";
  let description = [{
    The columns of `inputs`, one after another, are the heads of each token: `H`
    query heads and `G` key heads of `D` elements, then `G` value heads of `E`.
    Query and key heads are rotated pair by pair, with `c` and `s` the two
    elements of `rotary[t, j]`:

    ```
    rotated[t, h, a(j)] = x[t, h, a(j)] * c - x[t, h, b(j)] * s
    rotated[t, h, b(j)] = x[t, h, b(j)] * c + x[t, h, a(j)] * s
    ```

    where `a(j) = j`, `b(j) = j + D/2`, or `a(j) = 2j`, `b(j) = 2j + 1` if
    `interleaved`. Queries become the result; keys and values of token `t` become
    those of position `positions[t]` of sequence `sequences[t]` in the cache. In
    f32, rounded once to the element type of the result and of the cache.

    One tile is one token.

    | Operand    | Shape            | Meaning                                |
    |------------|------------------|----------------------------------------|
    | inputs     | `TxC` each       | the `C` add up to `H * D + G * (D + E)` |
    | rotary     | `TxD/2x2`        | cosine and sine                        |
    | positions  | `T`              | in the sequence, from 0                |
    | sequences  | `T`              | ascending                              |
    | page_table | `BxP`            | number of each page of each sequence   |
    | pages      | bytes            | the cache of this layer                |
    | init       | `TxHxD`          | destination: rotated queries           |

    Constraints:
    - (C1) There are one to three `inputs`, of rank 2; each ends where a head ends.
    - (C2) `init` has rank 3 and its head size is the key size of the cache; the
      columns of `inputs` add up to its heads and those of the cache.
    - (C3) `rotary` has rank 3 and a pair for each two elements of a head.
    - (C4) `positions` and `sequences` have rank 1, `page_table` has rank 2.

    Example:

    ```mlir
    %q = kernel.rotary_append %qkv rotary(%rotary)
      at(%positions, %sequences, %page_table) cache(%pages) into %init
      layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16>)
      : (tensor<?x960xf32>), tensor<?x32x2xf32>, tensor<?xi32>, tensor<?xi32>,
        tensor<?x?xi32>, memref<?xi8>, tensor<?x9x64xbf16> -> tensor<?x9x64xbf16>
    ```
  }];
  let arguments = (ins
    Variadic<Kernel_F32>:$inputs,
    Kernel_F32:$rotary,
    Kernel_Integers:$positions,
    Kernel_Integers:$sequences,
    Kernel_Integers:$page_table,
    Kernel_CachePages:$pages,
    Kernel_Activation:$init,
    Kernel_CacheAttr:$cache,
    UnitAttr:$interleaved
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $inputs (`interleaved` $interleaved^)? `rotary` `(` $rotary `)`
    `at` `(` $positions `,` $sequences `,` $page_table `)` `cache` `(` $pages `)`
    `into` $init `layout` `(` $cache `)` attr-dict
    `:` `(` type($inputs) `)` `,` type($rotary) `,` type($positions) `,`
    type($sequences) `,` type($page_table) `,` type($pages) `,` type($init)
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_AttentionOp : Kernel_LaunchOp<"attention"> {
  let summary = "Causal attention over the paged cache";
  let description = [{
    For token `t` and query head `h`, with `g = h / (H / G)` and `key`, `value`
    those of sequence `sequences[t]`, over the positions `s <= positions[t]`:

    ```
    p[s]            = softmax_s(scale * dot(query[t, h, :], key[s, g, :]))
    result[t, h, :] = sum_s p[s] * value[s, g, :]
    ```

    Scores, softmax and sums are in f32, the result is rounded once. The softmax
    is accumulated page by page, so that the order of every sum depends on the
    position of the query alone.

    One tile is a key/value head of a block of tokens of one sequence: tile
    `g * T + t` does the work of the block that begins with token `t`, and
    nothing if none begins there.

    | Operand    | Shape     | Meaning                                |
    |------------|-----------|----------------------------------------|
    | query      | `TxHxD`   | rotated                                |
    | positions  | `T`       | in the sequence, from 0                |
    | sequences  | `T`       | ascending                              |
    | page_table | `BxP`     | number of each page of each sequence   |
    | pages      | bytes     | the cache of this layer                |
    | init       | `TxH*E`   | destination                            |

    Constraints:
    - (C1) `query` has rank 3, its heads are a multiple of those of the cache, and
      its head size is the key size of the cache.
    - (C2) `init` has rank 2, the tokens of `query` and a column for each element
      of the values of all query heads.
    - (C3) `positions` and `sequences` have rank 1, `page_table` has rank 2.
    - (C4) With `attention_config` the cache is in vectors. With
      `gpu_attention_config` it is in rows, `tile_rows` is at least `H / G`, and
      `tile_columns` divides the tokens of a page; but for kind `simt`, it may be a
      multiple of them.

    Example:

    ```mlir
    %o = kernel.attention %q at(%positions, %sequences, %page_table)
      cache(%pages) into %init scale(0.125)
      layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16>)
      config(<block_tokens = 16, tile_rows = 6, tile_columns = 64>)
      : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
        memref<?xi8>, tensor<?x576xbf16> -> tensor<?x576xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$query,
    Kernel_Integers:$positions,
    Kernel_Integers:$sequences,
    Kernel_Integers:$page_table,
    Kernel_CachePages:$pages,
    Kernel_Activation:$init,
    F64Attr:$scale,
    Kernel_CacheAttr:$cache,
    Kernel_AttentionConfigAttrInterface:$configuration
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $query `at` `(` $positions `,` $sequences `,` $page_table `)`
    `cache` `(` $pages `)` `into` $init `scale` `(` $scale `)`
    `layout` `(` $cache `)`
    `config` `(` custom<AttentionConfig>($configuration) `)` attr-dict
    `:` type($query) `,` type($positions) `,` type($sequences) `,`
    type($page_table) `,` type($pages) `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Query heads that share one key/value head.
    int64_t getGroup();

    /// Where the parts of a thread's memory are if the cache is in vectors.
    AttentionScratch getScratch();
  }];
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

def Kernel_GatherRowsOp : Kernel_LaunchOp<"gather_rows"> {
  let summary = "Selected rows of a tensor";
  let description = [{
    `result[r, :] = input[rows[r], :]`. One tile is one row.

    | Operand | Shape | Meaning                        |
    |---------|-------|--------------------------------|
    | input   | `TxN` |                                |
    | rows    | `R`   | at least 0, less than T        |
    | init    | `RxN` | destination                    |

    Constraints:
    - (C1) `input` and `init` have rank 2 and agree in element type and columns;
      `rows` has rank 1.

    Example:

    ```mlir
    %y = kernel.gather_rows %x, %rows into %init
      : tensor<?x576xf32>, tensor<?xi32>, tensor<?x576xf32> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$input,
    Kernel_Integers:$rows,
    Kernel_Activation:$init
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $input `,` $rows `into` $init attr-dict
    `:` type($input) `,` type($rows) `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_RMSNormOp : Kernel_LaunchOp<"rms_norm", [AttrSizedOperandSegments]> {
  let summary = "Root-mean-square normalisation of rows, side by side";
  let description = [{
    For each input `i`, whose columns begin at `o_i`, the columns of those before it:

    ```
    result[t, o_i + n] = weights_i[n] * inputs_i[t, n]
                         / sqrt(mean_j(inputs_i[t, j]^2) + epsilon)
    ```

    In f32, rounded once. Where a linear layer reads the normalised rows, it
    normalises them itself; this is for rows that something else reads.

    One tile is one row.

    | Operand | Shape                | Meaning     |
    |---------|----------------------|-------------|
    | inputs  | `TxK_i` each         |             |
    | weights | `K_i` each           |             |
    | init    | `TxK_0 + K_1 + ...`  | destination |

    Constraints:
    - (C1) There is at least one input, and a weight for each.
    - (C2) `inputs` and `init` have rank 2, `weights` rank 1, and their shapes agree as
      in the table.
    - (C3) `epsilon` is positive.

    Example:

    ```mlir
    %y = kernel.rms_norm %embedded, %state norms(%a, %b : tensor<7168xbf16>, tensor<7168xbf16>)
      epsilon(1.0e-6) into %init
      : (tensor<?x7168xf32>, tensor<?x7168xf32>), tensor<?x14336xbf16> -> tensor<?x14336xbf16>
    ```
  }];
  let arguments = (ins
    Variadic<Kernel_F32>:$inputs,
    Variadic<Kernel_Weight>:$weights,
    Kernel_Activation:$init,
    F64Attr:$epsilon
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $inputs `norms` `(` $weights `:` type($weights) `)`
    `epsilon` `(` $epsilon `)` `into` $init attr-dict
    `:` `(` type($inputs) `)` `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_SampleOp : Kernel_LaunchOp<"sample"> {
  let summary = "Chooses a token for each row of logits";
  let description = [{
    `parameters[r]` is temperature, top-k, top-p, min-p and a number `u` in `[0, 1)`.
    With a temperature of 0 the token is that of the greatest logit, of equal ones the
    lowest. Else, in f64, with `l[i] = logits[r, i] / temperature`:

    - top-k, if it is not 0, keeps the k greatest `l`; of equal ones the lowest `i`,
    - `w[i] = exp(l[i] - max(l))`,
    - top-p, if it is below 1, keeps the fewest whose `w` reach the fraction p of the
      sum, greatest first, of equal ones the lowest `i`; at least one,
    - min-p keeps those with `w[i] >= minp`,
    - the token is the first, by ascending `i`, up to which the sum of `w` exceeds `u`
      times the whole sum.

    The result for logits that are no numbers to choose by is negative: `-1 - 2 i` if
    the first that is NaN or infinity, `i`, is NaN, `-2 - 2 i` if it is infinity,
    and the least number if all are -infinity.

    Numerics: `w` has the bits that the sampler of the runtime computes. Sums are in f64
    in an order of their own: where the fraction p or the number `u` meets a sum up to
    its roundings, the token may be the next one.

    What a tile is, the configuration says.

    | Operand    | Shape | Meaning                                              |
    |------------|-------|------------------------------------------------------|
    | logits     | `RxV` |                                                      |
    | parameters | `Rx5` | the temperature is 0 or from 1e-200 to 1e200         |
    | init       | `R`   | destination                                          |

    Constraints:
    - (C1) `logits` and `parameters` have rank 2, `init` has rank 1.
    - (C2) `V` is static, from 1 to 2^20, and `parameters` has 5 columns.

    Example:

    ```mlir
    %token = kernel.sample %logits, %parameters into %init
      config(<threads = 512, cluster = 8>)
      : tensor<?x128256xf32>, tensor<?x5xf64>, tensor<?xi32> -> tensor<?xi32>
    ```
  }];
  let arguments = (ins
    Kernel_F32:$logits,
    Kernel_F64:$parameters,
    Kernel_Integers:$init,
    Kernel_GpuSampleConfigAttr:$configuration
  );
  let results = (outs Optional<RankedTensorOf<[I32]>>:$result);
  let assemblyFormat = [{
    $logits `,` $parameters `into` $init `config` `(` $configuration `)` attr-dict
    `:` type($logits) `,` type($parameters) `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

include "dialects/kernel/KernelExpertOps.td"
include "dialects/kernel/KernelLatentOps.td"

#endif // TCC_DIALECTS_KERNEL_OPS_TD
