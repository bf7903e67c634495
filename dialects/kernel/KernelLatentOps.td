// The ops of latent attention in two forms. In the absorbed form keys and values are
// never expanded: queries are brought into the space of the latents instead. In the
// expanded form each page of latents becomes keys and values of a head.
//
// Letters of dimensions: `T` new tokens, `B` sequences, `H` query heads, `C` size of
// a latent, `R` rotated elements, `K` input columns, `N` output columns; in
// `expanded_attention`, `N` elements of a key that are not rotated and `V` elements of
// a value.

#ifndef TCC_DIALECTS_KERNEL_LATENTOPS_TD
#define TCC_DIALECTS_KERNEL_LATENTOPS_TD

def Kernel_HeadLinearOp : Kernel_LaunchOp<"head_linear"> {
  let summary = "A linear layer for each head";
  let description = [{
    ```
    result[t, h, n] = sum_k round_operand(input[t, h, k]) * weight[h, n, k]
    ```

    or, if `transposed`, with `weight[h, k, n]`. Sums are in f32, in the order of
    `kernel.linear`; the result is rounded once. `input` may be a part of each head of
    a larger tensor: a view of upstream `tensor`, or a memref with strides.

    One tile is one panel of one head: tile `h * panels + p`.

    | Operand | Shape                          | Meaning     |
    |---------|--------------------------------|-------------|
    | input   | `TxHxK`                        |             |
    | weight  | `HxNxK`, `HxKxN` if transposed | packed      |
    | init    | `TxHxN`                        | destination |

    Constraints:
    - (C1) All have rank 3, `weight` is static and not empty, and the shapes agree as
      in the table.
    - (C2) `packing` is not paired, and a weight in blocks is not transposed and has
      a `K` that is a multiple of 32. In one with scales a multiple of 4 elements of
      `K`, at most 128, share a scale.
    - (C3) `operand` is f32 for any weight, bf16 for one that is neither f32 nor f16,
      i16 for one in blocks of 32, or f8E4M3FN for one with scales.
    - (C4) The packing is in panels, `tile_columns` divides its columns, `dot` needs bf16
      operands, and `integer` is for i16 operands and they for it.

    Example:

    ```mlir
    %y = kernel.head_linear %x, %w transposed into %init operand(bf16)
      packing(<columns = 64>)
      config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 128>)
      : tensor<?x128x128xf32>, tensor<128x128x512xbf16>, tensor<?x128x512xbf16>
        -> tensor<?x128x512xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$input,
    Kernel_Weight:$weight,
    Kernel_Activation:$init,
    TypeAttr:$operand,
    Kernel_PackingAttrInterface:$packing,
    Kernel_LinearConfigAttrInterface:$configuration,
    UnitAttr:$transposed
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $input `,` $weight (`transposed` $transposed^)? `into` $init
    `operand` `(` $operand `)` `packing` `(` custom<Packing>($packing) `)`
    `config` `(` custom<LinearConfig>($configuration) `)` attr-dict
    `:` type($input) `,` type($weight) `,` type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Heads, `H`; output columns, `N`, and input columns, `K`, of one head.
    int64_t getHeads();
    int64_t getOutputColumns();
    int64_t getDepth();

    /// Panels of one head's weight.
    int64_t getPanels();

    /// Where the parts of a thread's memory are.
    LinearScratch getScratch();
  }];
}

def Kernel_LatentAppendOp : Kernel_LaunchOp<"latent_append"> {
  let summary = "Rotates queries and appends latents to the cache";
  let description = [{
    `latents` has for each token `C` elements that are normalised and `R` that are
    rotated; together they become the row of position `positions[t]` of sequence
    `sequences[t]` in the cache:

    ```
    row[i]     = norm[i] * latents[t, i] / sqrt(mean_j(latents[t, j]^2) + epsilon)    i, j < C
    row[C + i] = rotated(latents[t, C + i])
    ```

    The last `R` elements of each query head are rotated and become the result. Pairs
    and angles are those of `kernel.rotary_append`. In f32, rounded once to the
    element type of the result and of the cache.

    One tile is one token.

    | Operand    | Shape        | Meaning                                |
    |------------|--------------|----------------------------------------|
    | query      | `TxHxD`      | `D` is `R` at least                    |
    | latents    | `TxC+R`      |                                        |
    | norm       | `C`          |                                        |
    | rotary     | `TxR/2x2`    | cosine and sine                        |
    | positions  | `T`          | in the sequence, from 0                |
    | sequences  | `T`          | ascending                              |
    | page_table | `BxP`        | number of each page of each sequence   |
    | pages      | bytes        | the cache of this layer                |
    | init       | `TxHxR`      | destination: rotated queries           |

    Constraints:
    - (C1) `query`, `rotary` and `init` have rank 3, `latents` rank 2, `norm` rank 1,
      and their shapes agree as in the table, with `C` and `R` those of the layout.
    - (C2) `epsilon` is positive.
    - (C3) `positions` and `sequences` have rank 1, `page_table` has rank 2.

    Example:

    ```mlir
    %q_rotated = kernel.latent_append %q, %latents norm(%norm : tensor<512xbf16>)
      epsilon(1.0e-6) interleaved rotary(%rotary) at(%positions, %sequences, %page_table)
      cache(%pages) into %q_init
      layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
      : tensor<?x128x192xf32>, tensor<?x576xf32>, tensor<?x32x2xf32>, tensor<?xi32>,
        tensor<?xi32>, tensor<?x?xi32>, memref<?xi8>, tensor<?x128x64xbf16>
        -> tensor<?x128x64xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_F32:$query,
    Kernel_F32:$latents,
    Kernel_Weight:$norm,
    Kernel_F32:$rotary,
    Kernel_Integers:$positions,
    Kernel_Integers:$sequences,
    Kernel_Integers:$page_table,
    Kernel_CachePages:$pages,
    Kernel_Activation:$init,
    F64Attr:$epsilon,
    Kernel_LatentCacheAttr:$cache,
    UnitAttr:$interleaved
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $query `,` $latents `norm` `(` $norm `:` type($norm) `)`
    `epsilon` `(` $epsilon `)` (`interleaved` $interleaved^)? `rotary` `(` $rotary `)`
    `at` `(` $positions `,` $sequences `,` $page_table `)` `cache` `(` $pages `)`
    `into` $init `layout` `(` $cache `)` attr-dict
    `:` type($query) `,` type($latents) `,` type($rotary) `,` type($positions) `,`
    type($sequences) `,` type($page_table) `,` type($pages) `,` type($init)
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Kernel_LatentAttentionOp : Kernel_LaunchOp<"latent_attention"> {
  let summary = "Causal attention over the paged latents";
  let description = [{
    For token `t` and query head `h`, with `row` those of sequence `sequences[t]`, over
    the positions `s <= positions[t]`:

    ```
    p[s]            = softmax_s(scale * (dot(latent_query[t, h, :], row[s][:C])
                                         + dot(rotated_query[t, h, :], row[s][C:])))
    result[t, h, :] = sum_s p[s] * row[s][:C]
    ```

    Scores, softmax and sums are in f32, the result is rounded once. The softmax is
    accumulated page by page, so that the order of every sum depends on the
    position of the query alone.

    One tile is `block_heads` heads of a block of tokens of one sequence: tile
    `g * T + t` does the work of the block that begins with token `t`, and nothing if
    none begins there.

    | Operand       | Shape     | Meaning                                |
    |---------------|-----------|----------------------------------------|
    | latent_query  | `TxHxC`   | in the space of the latents            |
    | rotated_query | `TxHxR`   |                                        |
    | positions     | `T`       | in the sequence, from 0                |
    | sequences     | `T`       | ascending                              |
    | page_table    | `BxP`     | number of each page of each sequence   |
    | pages         | bytes     | the cache of this layer                |
    | init          | `TxHxC`   | destination                            |

    Constraints:
    - (C1) The queries and `init` have rank 3, and their shapes agree as in the table,
      with `C` and `R` those of the layout.
    - (C2) `positions` and `sequences` have rank 1, `page_table` has rank 2.
    - (C3) `block_heads` divides the heads; the arithmetic is `fma`, or `dot` if the
      queries and the cache are bf16.

    Example:

    ```mlir
    // DeepSeek-V3.
    %u = kernel.latent_attention %q_latent, %q_rotated
      at(%positions, %sequences, %page_table) cache(%pages) into %init scale(0.1352337788609)
      layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
      config(<arithmetic = dot, block_tokens = 6, block_heads = 16, tile_rows = 6, tile_columns = 64>)
      : tensor<?x128x512xbf16>, tensor<?x128x64xbf16>, tensor<?xi32>, tensor<?xi32>,
        tensor<?x?xi32>, memref<?xi8>, tensor<?x128x512xbf16> -> tensor<?x128x512xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$latent_query,
    Kernel_Activation:$rotated_query,
    Kernel_Integers:$positions,
    Kernel_Integers:$sequences,
    Kernel_Integers:$page_table,
    Kernel_CachePages:$pages,
    Kernel_Activation:$init,
    F64Attr:$scale,
    Kernel_LatentCacheAttr:$cache,
    Kernel_LatentConfigAttr:$configuration
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $latent_query `,` $rotated_query
    `at` `(` $positions `,` $sequences `,` $page_table `)` `cache` `(` $pages `)`
    `into` $init `scale` `(` $scale `)` `layout` `(` $cache `)`
    `config` `(` $configuration `)` attr-dict
    `:` type($latent_query) `,` type($rotated_query) `,` type($positions) `,`
    type($sequences) `,` type($page_table) `,` type($pages) `,` type($init)
    (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Query heads, `H`.
    int64_t getHeads();

    /// Where the parts of a thread's memory are.
    LatentScratch getScratch();
  }];
}

def Kernel_ExpandedAttentionOp : Kernel_LaunchOp<"expanded_attention"> {
  let summary = "Causal attention over keys and values that are expanded from latents";
  let description = [{
    For token `t` and query head `h`, with `row` those of sequence `sequences[t]`, over
    the positions `s <= positions[t]`:

    ```
    key[s, n]       = sum_c row[s][c] * weight[h, n, c]        n < N
    value[s, v]     = sum_c row[s][c] * weight[h, N + v, c]    v < V
    p[s]            = softmax_s(scale * (dot(nope_query[t, h, :], key[s, :])
                                         + dot(rotated_query[t, h, :], row[s][C:])))
    result[t, h, :] = sum_s p[s] * value[s, :]
    ```

    Queries, keys and values are rounded to the element type of the cache. Sums over
    `C` are those of `kernel.linear`; scores, softmax and sums are in f32, the result
    is rounded once. The softmax is accumulated page by page, so that the order of
    every sum depends on the position of the query alone. `nope_query` may be a part
    of each head of a larger tensor.

    A page is expanded once for each block of tokens: this form is for sequences of
    which many tokens are new.

    One tile is a head of a block of tokens of one sequence: tile `h * T + t` does the
    work of the block that begins with token `t`, and nothing if none begins there.

    | Operand       | Shape     | Meaning                                |
    |---------------|-----------|----------------------------------------|
    | nope_query    | `TxHxN`   | what is not rotated                    |
    | rotated_query | `TxHxR`   |                                        |
    | weight        | `HxN+VxC` | packed                                 |
    | positions     | `T`       | in the sequence, from 0                |
    | sequences     | `T`       | ascending                              |
    | page_table    | `BxP`     | number of each page of each sequence   |
    | pages         | bytes     | the cache of this layer                |
    | init          | `TxHxV`   | destination                            |

    Constraints:
    - (C1) The queries, `weight` and `init` have rank 3, `weight` is static and not
      empty, and their shapes agree as in the table, with `C` and `R` those of the
      layout.
    - (C2) `positions` and `sequences` have rank 1, `page_table` has rank 2.
    - (C3) `packing` is not paired and `tile_columns` divides its columns. The weight is
      not in blocks; in one with scales a multiple of 4 elements of `C`, at most 128,
      share a scale.
    - (C4) The arithmetic is `fma`, or `dot` if the cache is bf16, the weight neither
      f32 nor f16, and `N` even.

    Example:

    ```mlir
    // DeepSeek-V3.
    %o = kernel.expanded_attention %q_nope, %q_rotated, %w
      at(%positions, %sequences, %page_table) cache(%pages) into %init scale(0.1352337788609)
      layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
      packing(<columns = 64>)
      config(<arithmetic = dot, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
      attention(<block_tokens = 512, tile_rows = 6, tile_columns = 64>)
      : tensor<?x128x128xf32>, tensor<?x128x64xbf16>, tensor<128x256x512xbf16>,
        tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, memref<?xi8>,
        tensor<?x128x128xbf16> -> tensor<?x128x128xbf16>
    ```
  }];
  let arguments = (ins
    Kernel_Activation:$nope_query,
    Kernel_Activation:$rotated_query,
    Kernel_Weight:$weight,
    Kernel_Integers:$positions,
    Kernel_Integers:$sequences,
    Kernel_Integers:$page_table,
    Kernel_CachePages:$pages,
    Kernel_Activation:$init,
    F64Attr:$scale,
    Kernel_LatentCacheAttr:$cache,
    Kernel_PackingAttr:$packing,
    Kernel_LinearConfigAttr:$configuration,
    Kernel_AttentionConfigAttr:$attention
  );
  let results = (outs Optional<Kernel_Result>:$result);
  let assemblyFormat = [{
    $nope_query `,` $rotated_query `,` $weight
    `at` `(` $positions `,` $sequences `,` $page_table `)` `cache` `(` $pages `)`
    `into` $init `scale` `(` $scale `)` `layout` `(` $cache `)`
    `packing` `(` $packing `)` `config` `(` $configuration `)`
    `attention` `(` $attention `)` attr-dict
    `:` type($nope_query) `,` type($rotated_query) `,` type($weight) `,`
    type($positions) `,` type($sequences) `,` type($page_table) `,` type($pages) `,`
    type($init) (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = launchDeclarations # [{
    /// Query heads, `H`; elements of a key that are not rotated, `N`, and of a value,
    /// `V`.
    int64_t getHeads();
    int64_t getNopeSize();
    int64_t getValueSize();

    /// Elements of a query and a key, and of a value, in memory of a thread: both
    /// parts of a key, and a value, are rounded up to whole vectors of pairs.
    int64_t getPaddedNopeSize();
    int64_t getPaddedKeySize();
    int64_t getPaddedValueSize();

    /// Whether products are dot products of pairs of bf16.
    bool usesDot();

    /// Where the parts of a thread's memory are.
    ExpandedScratch getScratch();
  }];
}

#endif // TCC_DIALECTS_KERNEL_LATENTOPS_TD
