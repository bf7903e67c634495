// One case for each constraint of each op of latent attention, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

func.func @head_linear_c1_shape(%x: memref<?x4x8xf32>, %w: memref<4x6x8xbf16>, %y: memref<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected shapes TxHxK, HxKxN and TxHxN, with H, N and K static and positive, got 'memref<?x4x8xf32>', 'memref<4x6x8xbf16>' and 'memref<?x4x6xf32>'}}
  kernel.head_linear %x, %w transposed into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) : memref<?x4x8xf32>, memref<4x6x8xbf16>, memref<?x4x6xf32>
  return
}

// -----

func.func @head_linear_c2_pairs(%x: memref<?x4x8xf32>, %w: memref<4x6x8xbf16>, %y: memref<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected no pairs, and no transposed weight in blocks, got #kernel.packing<columns = 32, paired = true> and 'memref<4x6x8xbf16>'}}
  kernel.head_linear %x, %w  into %y operand(bf16) packing(<columns = 32, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) : memref<?x4x8xf32>, memref<4x6x8xbf16>, memref<?x4x6xf32>
  return
}

// -----

func.func @head_linear_c2_block(%x: tensor<?x4x8xf32>, %w: tensor<4x6x8x!transformer.block<q8_0>>, %y: tensor<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected K to be a multiple of the 32 elements of a block, got 8}}
  %r = kernel.head_linear %x, %w  into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) : tensor<?x4x8xf32>, tensor<4x6x8x!transformer.block<q8_0>>, tensor<?x4x6xf32> -> tensor<?x4x6xf32>
  return
}

// -----

func.func @head_linear_c2_scales(%x: tensor<?x4x8xf32>, %w: tensor<4x8x6x!transformer.scaled<f8E4M3FN, 6, 4>>, %y: tensor<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected a multiple of 4 elements of K, at most 128, to share a scale, got 6}}
  %r = kernel.head_linear %x, %w transposed into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) : tensor<?x4x8xf32>, tensor<4x8x6x!transformer.scaled<f8E4M3FN, 6, 4>>, tensor<?x4x6xf32> -> tensor<?x4x6xf32>
  return
}

// -----

func.func @head_linear_c3_operand(%x: memref<?x4x8xf32>, %w: memref<4x6x8xf32>, %y: memref<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'bf16' and a weight of 'f32'}}
  kernel.head_linear %x, %w  into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) : memref<?x4x8xf32>, memref<4x6x8xf32>, memref<?x4x6xf32>
  return
}

// -----

func.func @head_linear_c4_tile(%x: memref<?x4x8xf32>, %w: memref<4x6x8xbf16>, %y: memref<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.head_linear' op expected tile_columns to divide the columns of the packing, got 24 and 32}}
  kernel.head_linear %x, %w  into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 24, block_rows = 96, block_depth = 512>) : memref<?x4x8xf32>, memref<4x6x8xbf16>, memref<?x4x6xf32>
  return
}

// -----

func.func @latent_append_c1_norm(%q: memref<?x4x8xf32>, %k: memref<?x12xf32>, %n: memref<12xf32>, %r: memref<?x2x2xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.latent_append' op expected latents of 8 and 4 elements, and so many rotated ones of each head, got 'memref<?x4x8xf32>', 'memref<?x12xf32>', 'memref<12xf32>' and 'memref<?x2x2xf32>' to 'memref<?x4x4xf32>'}}
  kernel.latent_append %q, %k norm(%n : memref<12xf32>) epsilon(1.0e-6) rotary(%r) at(%p, %s, %t) cache(%c) into %y layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) : memref<?x4x8xf32>, memref<?x12xf32>, memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @latent_append_c2_epsilon(%q: memref<?x4x8xf32>, %k: memref<?x12xf32>, %n: memref<8xf32>, %r: memref<?x2x2xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.latent_append' op expected epsilon to be positive, got 0.000000e+00}}
  kernel.latent_append %q, %k norm(%n : memref<8xf32>) epsilon(0.0) rotary(%r) at(%p, %s, %t) cache(%c) into %y layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) : memref<?x4x8xf32>, memref<?x12xf32>, memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @latent_append_c3_places(%q: memref<?x4x8xf32>, %k: memref<?x12xf32>, %n: memref<8xf32>, %r: memref<?x2x2xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?xi32>, %c: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.latent_append' op expected positions and sequences of rank 1 and a page table of rank 2, got 'memref<?xi32>', 'memref<?xi32>' and 'memref<?xi32>'}}
  kernel.latent_append %q, %k norm(%n : memref<8xf32>) epsilon(1.0e-6) rotary(%r) at(%p, %s, %t) cache(%c) into %y layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) : memref<?x4x8xf32>, memref<?x12xf32>, memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @latent_attention_c1_heads(%q: memref<?x4x8xf32>, %r: memref<?x3x4xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.latent_attention' op expected queries and a destination with heads of 8 and 4 elements, got 'memref<?x4x8xf32>', 'memref<?x3x4xf32>' and 'memref<?x4x8xf32>'}}
  kernel.latent_attention %q, %r at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) config(<arithmetic = fma, block_tokens = 1, block_heads = 2, tile_rows = 6, tile_columns = 16>) : memref<?x4x8xf32>, memref<?x3x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @latent_attention_c2_places(%q: memref<?x4x8xf32>, %r: memref<?x4x4xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.latent_attention' op expected positions and sequences of rank 1 and a page table of rank 2, got 'memref<?xi32>', 'memref<?xi32>' and 'memref<?xi32>'}}
  kernel.latent_attention %q, %r at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) config(<arithmetic = fma, block_tokens = 1, block_heads = 2, tile_rows = 6, tile_columns = 16>) : memref<?x4x8xf32>, memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @latent_attention_c3_heads(%q: memref<?x4x8xf32>, %r: memref<?x4x4xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.latent_attention' op expected block_heads to divide the heads, got 3 and 4}}
  kernel.latent_attention %q, %r at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>) config(<arithmetic = fma, block_tokens = 1, block_heads = 3, tile_rows = 6, tile_columns = 16>) : memref<?x4x8xf32>, memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @latent_attention_c3_arithmetic(%q: memref<?x4x8xf32>, %r: memref<?x4x4xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.latent_attention' op expected the arithmetic to be 'fma', or 'dot' if queries and cache are bf16, got 'dot'}}
  kernel.latent_attention %q, %r at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>) config(<arithmetic = dot, block_tokens = 1, block_heads = 2, tile_rows = 6, tile_columns = 16>) : memref<?x4x8xf32>, memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c1_weight(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x11x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected shapes TxHxN, TxHx4, HxN+Vx8 and TxHxV, with H, N and V static and positive, got 'memref<?x4x4xf32>', 'memref<?x4x4xf32>', 'memref<4x11x8xbf16>' and 'memref<?x4x8xf32>'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x11x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c2_places(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x12x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected positions and sequences of rank 1 and a page table of rank 2, got 'memref<?xi32>', 'memref<?xi32>' and 'memref<?xi32>'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x12x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c3_pairs(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x12x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected no pairs and a weight that is not in blocks, got #kernel.packing<columns = 32, paired = true> and 'bf16'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x12x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c3_block(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: tensor<4x12x8x!transformer.block<q8_0>>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected no pairs and a weight that is not in blocks, got #kernel.packing<columns = 32> and '!transformer.block<q8_0>'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, tensor<4x12x8x!transformer.block<q8_0>>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c3_scale(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: tensor<4x12x8x!transformer.scaled<f8E4M3FN, 4, 6>>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected a multiple of 4 elements of K, at most 128, to share a scale, got 6}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, tensor<4x12x8x!transformer.scaled<f8E4M3FN, 4, 6>>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c3_tile(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x12x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected tile_columns to divide the columns of the packing, got 24 and 32}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 24, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x12x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c4_cache(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x12x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected the arithmetic to be 'fma', or 'dot' if the cache is bf16, the weight neither f32 nor f16, and N even, got 'dot'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>) packing(<columns = 32>) config(<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x12x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c4_weight(%q: memref<?x4x4xf32>, %r: memref<?x4x4xf32>, %w: memref<4x12x8xf32>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected the arithmetic to be 'fma', or 'dot' if the cache is bf16, the weight neither f32 nor f16, and N even, got 'dot'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>) packing(<columns = 32>) config(<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x4xf32>, memref<?x4x4xf32>, memref<4x12x8xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

func.func @expanded_attention_c4_odd(%q: memref<?x4x3xf32>, %r: memref<?x4x4xf32>, %w: memref<4x11x8xbf16>, %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4x8xf32>) {
  // expected-error@+1 {{'kernel.expanded_attention' op expected the arithmetic to be 'fma', or 'dot' if the cache is bf16, the weight neither f32 nor f16, and N even, got 'dot'}}
  kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.5) layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>) packing(<columns = 32>) config(<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 128>) attention(<block_tokens = 512, tile_rows = 6, tile_columns = 32>) : memref<?x4x3xf32>, memref<?x4x4xf32>, memref<4x11x8xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// -----

// expected-error@+1 {{expected page_tokens to be a positive multiple of 32, got 8}}
func.func private @latent_cache_pages() attributes {layout = #kernel.latent_cache<page_tokens = 8, latent_size = 8, rotary_size = 4, element = f32>}

// -----

// expected-error@+1 {{expected positive sizes and an even rotary_size, got 8 and 3}}
func.func private @latent_cache_sizes() attributes {layout = #kernel.latent_cache<page_tokens = 64, latent_size = 8, rotary_size = 3, element = f32>}

// -----

// expected-error@+1 {{expected elements of type bf16 or f32, got 'f16'}}
func.func private @latent_cache_element() attributes {layout = #kernel.latent_cache<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f16>}

// -----

// expected-error@+1 {{expected positive sizes and tile_columns to be a multiple of 16, got 1, 0, 6 and 16}}
func.func private @latent_config_sizes() attributes {configuration = #kernel.latent_config<arithmetic = fma, block_tokens = 1, block_heads = 0, tile_rows = 6, tile_columns = 16>}
