// The ops of attention: as the paper writes it, fused, and over a paged cache. The
// letters of dimensions are those of TransformerOps.td.

#ifndef TCC_DIALECTS_TRANSFORMER_ATTENTIONOPS_TD
#define TCC_DIALECTS_TRANSFORMER_ATTENTIONOPS_TD

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
    Pure, Elementwise, SameOperandsAndResultType]> {
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

#endif // TCC_DIALECTS_TRANSFORMER_ATTENTIONOPS_TD
