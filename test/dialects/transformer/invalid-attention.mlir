// One case for each constraint of each op, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

func.func @rotary_embedding_c1_rank(%x: tensor<?x4xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.rotary_embedding' op expected input and result of one shape of rank 3 and positions of rank 1, got 'tensor<?x4xf32>', 'tensor<?x4xf32>' and 'tensor<?xi32>'}}
  %y = transformer.rotary_embedding %x, %p frequencies([1.0, 0.1]) : tensor<?x4xf32>, tensor<?xi32> -> tensor<?x4xf32>
  return
}

// -----

func.func @rotary_embedding_c2_size(%x: tensor<?x2x6xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.rotary_embedding' op expected a head size of twice the number of frequencies, got 6 and 2}}
  %y = transformer.rotary_embedding %x, %p frequencies([1.0, 0.1]) : tensor<?x2x6xf32>, tensor<?xi32> -> tensor<?x2x6xf32>
  return
}

// -----

func.func @repeat_heads_c1_heads(%x: tensor<?x2x8xf32>) {
  // expected-error@+1 {{'transformer.repeat_heads' op expected a result of 3 times the heads of input, got 'tensor<?x2x8xf32>' and 'tensor<?x4x8xf32>'}}
  %y = transformer.repeat_heads %x times(3) : tensor<?x2x8xf32> -> tensor<?x4x8xf32>
  return
}

// -----

func.func @repeat_heads_c1_times(%x: tensor<?x2x8xf32>) {
  // expected-error@+1 {{'transformer.repeat_heads' op expected a result of 0 times the heads of input, got 'tensor<?x2x8xf32>' and 'tensor<?x0x8xf32>'}}
  %y = transformer.repeat_heads %x times(0) : tensor<?x2x8xf32> -> tensor<?x0x8xf32>
  return
}

// -----

func.func @einsum_c1_twice(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{'transformer.einsum' op expected an equation such as "thd,shd->hts", got "aa,ab->b"}}
  %y = transformer.einsum "aa,ab->b" %x, %x : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @einsum_c1_unknown(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{'transformer.einsum' op expected an equation such as "thd,shd->hts", got "ab,bc->ad"}}
  %y = transformer.einsum "ab,bc->ad" %x, %x : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @einsum_c1_arrow(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{'transformer.einsum' op expected an equation such as "thd,shd->hts", got "ab,bc"}}
  %y = transformer.einsum "ab,bc" %x, %x : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @einsum_c2_rank(%x: tensor<2x2xf32>) {
  // expected-error@+1 {{'transformer.einsum' op expected a letter for each dimension, got "abc" and 'tensor<2x2xf32>'}}
  %y = transformer.einsum "abc,bc->ab" %x, %x : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @einsum_c3_size(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) {
  // expected-error@+1 {{'transformer.einsum' op expected one size for 'b', got 3 and 4}}
  %z = transformer.einsum "ab,bc->ac" %x, %y : tensor<2x3xf32>, tensor<4x5xf32> -> tensor<2x5xf32>
  return
}

// -----

func.func @causal_mask_c1_rank(%x: tensor<?x?xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.causal_mask' op expected scores of rank 3 and positions of rank 1, got 'tensor<?x?xf32>', 'tensor<?xi32>' and 'tensor<?xi32>'}}
  %y = transformer.causal_mask %x, %p, %p : tensor<?x?xf32>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

func.func @attention_c1_rank(%q: tensor<?x8xf32>, %k: tensor<?x2x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected query, key, value and result of rank 3 and positions of rank 1, got 'tensor<?x8xf32>', 'tensor<?x2x8xf32>', 'tensor<?x2x8xf32>' and 'tensor<?x8xf32>'}}
  %o = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25) : tensor<?x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x8xf32>
  return
}

// -----

func.func @attention_c2_value(%q: tensor<?x4x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected key and value to agree in positions and heads, got 'tensor<?x2x8xf32>' and 'tensor<?x4x8xf32>'}}
  %o = transformer.attention %q, %k, %v positions(%p, %p) scale(0.25) : tensor<?x4x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x8xf32>
  return
}

// -----

func.func @attention_c3_head_size(%q: tensor<?x4x8xf32>, %k: tensor<?x2x6xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected query and key to agree in head size, got 8 and 6}}
  %o = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25) : tensor<?x4x8xf32>, tensor<?x2x6xf32>, tensor<?x2x6xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xf32>
  return
}

// -----

func.func @attention_c4_heads(%q: tensor<?x4x8xf32>, %k: tensor<?x3x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected the number of query heads to be a multiple of the number of key/value heads, got 4 and 3}}
  %o = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25) : tensor<?x4x8xf32>, tensor<?x3x8xf32>, tensor<?x3x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x8xf32>
  return
}

// -----

func.func @attention_c4_no_heads(%q: tensor<?x4x8xf32>, %k: tensor<?x0x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected the number of query heads to be a multiple of the number of key/value heads, got 4 and 0}}
  %o = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25) : tensor<?x4x8xf32>, tensor<?x0x8xf32>, tensor<?x0x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x8xf32>
  return
}

// -----

func.func @attention_c5_result(%q: tensor<?x4x8xf32>, %k: tensor<?x2x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected a result of the positions and heads of query and the head size of value, got 'tensor<?x2x8xf32>'}}
  %o = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25) : tensor<?x4x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

// expected-error@+1 {{'transformer.cache' op expected positive sizes, got 2 layers, 0 heads, key size 8 and value size 8}}
transformer.cache @cache_c1_heads layers(2) heads(0) key(8) value(8) : bf16

// -----

transformer.weight @w tensor("w") : tensor<4xf32>
func.func @cache_append_c1_symbol(%k: tensor<?x2x8xf32>, %p: tensor<?xi32>, %table: tensor<?x?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.cache_append' op expected the name of a cache, got @w}}
  transformer.cache_append @w layer(%layer), %k, %k at(%p, %p, %table) : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(2) key(8) value(6) : bf16
func.func @cache_append_c2_value(%k: tensor<?x2x8xf32>, %p: tensor<?xi32>, %table: tensor<?x?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.cache_append' op expected key and value of 2 heads of sizes 8 and 6, got 'tensor<?x2x8xf32>' and 'tensor<?x2x8xf32>'}}
  transformer.cache_append @cache layer(%layer), %k, %k at(%p, %p, %table) : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}

// -----

func.func @paged_attention_c1_symbol(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %table: tensor<?x?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.paged_attention' op expected the name of a cache, got @missing}}
  %o = transformer.paged_attention @missing layer(%layer), %q at(%p, %p, %table) scale(0.25) : tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

transformer.cache @cache layers(2) heads(2) key(8) value(6) : bf16
func.func @paged_attention_c2_result(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %table: tensor<?x?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.paged_attention' op expected query and result of head sizes 8 and 6, got 'tensor<?x2x8xf32>' and 'tensor<?x2x8xf32>'}}
  %o = transformer.paged_attention @cache layer(%layer), %q at(%p, %p, %table) scale(0.25) : tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

transformer.cache @cache layers(2) heads(2) key(8) value(8) : bf16
func.func @paged_attention_c3_heads(%q: tensor<?x3x8xf32>, %p: tensor<?xi32>, %table: tensor<?x?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.paged_attention' op expected the number of query heads to be a multiple of the cache's heads, got 3 and 2}}
  %o = transformer.paged_attention @cache layer(%layer), %q at(%p, %p, %table) scale(0.25) : tensor<?x3x8xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x3x8xf32>
  return
}

// -----

// expected-error@+1 {{'transformer.cache' op expected one head and values no longer than keys in a latent cache, got 2 heads, key size 12 and value size 8}}
transformer.cache @cache_c2_heads layers(2) heads(2) key(12) value(8) latent : bf16

// -----

// expected-error@+1 {{'transformer.cache' op expected one head and values no longer than keys in a latent cache, got 1 heads, key size 8 and value size 12}}
transformer.cache @cache_c2_value layers(2) heads(1) key(8) value(12) latent : bf16

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16
func.func @cache_append_c3_value(%layer: index, %k: tensor<?x1x12xbf16>, %v: tensor<?x1x8xbf16>,
                                 %p: tensor<?xi32>, %pages: tensor<?x?xi32>) {
  // expected-error@+1 {{'transformer.cache_append' op expected a value if and only if the cache is not latent, got one}}
  transformer.cache_append @cache layer(%layer), %k, %v at(%p, %p, %pages)
    : tensor<?x1x12xbf16>, tensor<?x1x8xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) : bf16
func.func @cache_append_c3_none(%layer: index, %k: tensor<?x1x12xbf16>, %p: tensor<?xi32>,
                                %pages: tensor<?x?xi32>) {
  // expected-error@+1 {{'transformer.cache_append' op expected a value if and only if the cache is not latent, got none}}
  transformer.cache_append @cache layer(%layer), %k at(%p, %p, %pages)
    : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}
