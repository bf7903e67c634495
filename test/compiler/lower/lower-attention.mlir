// RUN: tcc-opt %s --split-input-file --tcc-lower-attention=march=x86-64-v3 --canonicalize --verify-diagnostics | FileCheck %s

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

// CHECK-LABEL: func @merged
//  CHECK-SAME:   %[[QKV:[a-z0-9]*]]: tensor<?x32xf32>
func.func @merged(%qkv: tensor<?x32xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x16xbf16> {
  // CHECK: %[[PAGES:.*]] = kernel.cache_layer @cache layer(%{{.*}})
  // CHECK: %[[TABLE:.*]] = kernel.rotary_table %[[P:.*]] frequencies([1.000000e+00, 1.000000e-02]) multiplier(1.000000e+00)
  // CHECK: %[[Q:.*]] = kernel.rotary_append %[[QKV]] rotary(%[[TABLE]]) {{.*}} cache(%[[PAGES]]) into
  // CHECK-SAME: heads = 2, key_size = 4, value_size = 4, element = bf16
  // CHECK: %[[O:.*]] = kernel.attention %[[Q]] {{.*}} cache(%[[PAGES]]) {{.*}} scale(5.000000e-01)
  // CHECK: return %[[O]]
  %q0 = tensor.extract_slice %qkv[0, 0] [%n, 16] [1, 1] : tensor<?x32xf32> to tensor<?x16xf32>
  %k0 = tensor.extract_slice %qkv[0, 16] [%n, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
  %v0 = tensor.extract_slice %qkv[0, 24] [%n, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  %c = tensor.collapse_shape %o [[0], [1, 2]] : tensor<?x4x4xbf16> into tensor<?x16xbf16>
  return %c : tensor<?x16xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

// Query, key and value of three layers are three inputs.
// CHECK-LABEL: func @separate
//  CHECK-SAME:   %[[Q:[a-z0-9]*]]: tensor<?x16xf32>, %[[K:[a-z0-9]*]]: tensor<?x8xf32>, %[[V:[a-z0-9]*]]: tensor<?x8xf32>
func.func @separate(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  // CHECK: kernel.rotary_append %[[Q]], %[[K]], %[[V]] interleaved rotary
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p interleaved frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_two_rotations(%q0: tensor<?x4x4xf32>, %k0: tensor<?x2x4xf32>, %v: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q = transformer.rotary_embedding %q0, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k0, %p frequencies([1.0, 0.1]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query and key to be rotated alike, got two rotations}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_without_append(%q0: tensor<?x4x4xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q = transformer.rotary_embedding %q0, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  // expected-error@+1 {{expected a cache_append of the same cache and layer before it}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_without_rotation(%q: tensor<?x4x4xbf16>, %k: tensor<?x2x4xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  transformer.cache_append @cache layer(%l), %k, %k at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query and key to be rotary embeddings}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

// Key and value have changed places: the columns of the one end where the other
// should begin.
func.func @no_lower_other_order(%qkv: tensor<?x32xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q0 = tensor.extract_slice %qkv[0, 0] [%n, 16] [1, 1] : tensor<?x32xf32> to tensor<?x16xf32>
  %k0 = tensor.extract_slice %qkv[0, 24] [%n, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
  %v0 = tensor.extract_slice %qkv[0, 16] [%n, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query, key and value to be neighbouring columns of linear layers}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

// Four columns of the tensor are nobody's.
func.func @no_lower_columns_left(%q0: tensor<?x16xf32>, %kv: tensor<?x20xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %k0 = tensor.extract_slice %kv[0, 0] [%n, 8] [1, 1] : tensor<?x20xf32> to tensor<?x8xf32>
  %v0 = tensor.extract_slice %kv[0, 8] [%n, 8] [1, 1] : tensor<?x20xf32> to tensor<?x8xf32>
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query, key and value to be neighbouring columns of linear layers}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_rotated_elsewhere(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  // expected-note@+1 {{the query is rotated here}}
  %q = transformer.rotary_embedding %q1, %other frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %other frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query and key to be rotated at its positions, got others}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_other_positions(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  // expected-note@+1 {{the append is here}}
  transformer.cache_append @cache layer(%l), %k, %v at(%other, %s, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the cache_append before it to have its positions, sequences and page table, got others}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_other_sequences(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  // expected-note@+1 {{the append is here}}
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %other, %t) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the cache_append before it to have its positions, sequences and page table, got others}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

func.func @no_lower_other_page_table(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
  // expected-note@+1 {{the append is here}}
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %other) : tensor<?x2x4xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the cache_append before it to have its positions, sequences and page table, got others}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}

// -----

transformer.cache @cache layers(2) heads(2) key(4) value(4) : f16

func.func @no_lower_f16(%q0: tensor<?x16xf32>, %k0: tensor<?x8xf32>, %v0: tensor<?x8xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xf16> {
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.01]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xf16>
  %v = arith.truncf %v1 : tensor<?x2x4xf32> to tensor<?x2x4xf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x2x4xf16>, tensor<?x2x4xf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected a cache of f32 or bf16, got 'f16'}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xf16>
  return %o : tensor<?x4x4xf16>
}

// -----

// Attention over latents is left to its own pass.
transformer.cache @cache layers(2) heads(1) key(4) value(4) latent : bf16
// CHECK-LABEL: func @no_lower_latent
func.func @no_lower_latent(%q: tensor<?x4x4xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x4xbf16> {
  // CHECK: transformer.paged_attention
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x4xbf16>
  return %o : tensor<?x4x4xbf16>
}
