// RUN: tcc-opt %s --split-input-file --tcc-lower-latent-attention=march=x86-64-v3 --canonicalize --verify-diagnostics | FileCheck %s

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

// CHECK-LABEL: func @lower(
//  CHECK-SAME:   %[[Q:[a-z0-9]*]]: tensor<?x4x8xf32>, %[[LOW:[a-z0-9]*]]: tensor<?x24xf32>, %{{.*}}, %[[NORM:[a-z0-9]*]]: tensor<8xbf16>, %[[UK:[a-z0-9_]*]]: tensor<4x4x8xbf16>, %[[UV:[a-z0-9_]*]]: tensor<4x8x8xbf16>
func.func @lower(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  // CHECK-DAG: %[[NOPE:.*]] = tensor.extract_slice %[[Q]][0, 0, 0]
  // CHECK-DAG: %[[QL:.*]] = kernel.head_linear %[[NOPE]], %[[UK]] transposed into %{{.*}} operand(bf16) {{.*}} : tensor<?x4x4xf32>
  // CHECK-DAG: %[[LATENTS:.*]] = tensor.extract_slice %[[LOW]][0, 12] [%{{.*}}, 12]
  // CHECK-DAG: %[[PAGES:.*]] = kernel.cache_layer @cache
  // CHECK: %[[QR:.*]] = kernel.latent_append %[[Q]], %[[LATENTS]] norm(%[[NORM]] : tensor<8xbf16>) epsilon({{.*}}) interleaved rotary(%{{.*}}) at({{.*}}) cache(%[[PAGES]])
  // CHECK-SAME: layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
  // CHECK: %[[U:.*]] = kernel.latent_attention %[[QL]], %[[QR]] {{.*}} cache(%[[PAGES]]) {{.*}} scale(3.500000e-01)
  // CHECK: %[[O:.*]] = kernel.head_linear %[[U]], %[[UV]] into
  // CHECK-NOT: transformer.
  // CHECK: return %[[O]]
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

// Both layers for heads are of one weight: attention has two forms, which write rows of
// one result.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

// CHECK-LABEL: func @lower_two_forms(
//  CHECK-SAME:   %[[Q:[a-z0-9]*]]: tensor<?x4x8xf32>
func.func @lower_two_forms(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w: tensor<48x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  // CHECK-DAG: %[[HEADS:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]]
  // CHECK-DAG: %[[UK:.*]] = tensor.extract_slice %[[HEADS]][0, 0, 0]
  // CHECK-DAG: %[[UV:.*]] = tensor.extract_slice %[[HEADS]][0, 4, 0]
  // CHECK-DAG: %[[NOPE:.*]] = tensor.extract_slice %[[Q]][0, 0, 0]
  // CHECK-DAG: %[[QL:.*]] = kernel.head_linear %[[NOPE]], %[[UK]] transposed {{.*}} {kernel.rows = "absorbed"}
  // CHECK: %[[QR:.*]] = kernel.latent_append
  // CHECK: %[[O:.*]] = kernel.expanded_attention %[[NOPE]], %[[QR]], %[[HEADS]] {{.*}} scale(3.500000e-01)
  // CHECK-SAME: attention(<block_tokens = 512, tile_rows = 6, tile_columns = 16>) {kernel.rows = "expanded"}
  // CHECK: %[[U:.*]] = kernel.latent_attention %[[QL]], %[[QR]] {{.*}} {kernel.rows = "absorbed"}
  // CHECK: %[[BOTH:.*]] = kernel.head_linear %[[U]], %[[UV]] into %[[O]] {{.*}} {kernel.rows = "absorbed"}
  // CHECK: return %[[BOTH]]
  %heads = tensor.expand_shape %w [[0, 1], [2]] output_shape [4, 12, 8] : tensor<48x8xbf16> into tensor<4x12x8xbf16>
  %w_uk = tensor.extract_slice %heads[0, 0, 0] [4, 4, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x4x8xbf16>
  %w_uv = tensor.extract_slice %heads[0, 4, 0] [4, 8, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x8x8xbf16>
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

// The same, but keys and values of a head are as long as two latents: expanded form would
// never be the cheaper one.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

// CHECK-LABEL: func @lower_long_heads(
// CHECK-NOT:   kernel.expanded_attention
// CHECK:       kernel.latent_attention {{.*}} config(<arithmetic = fma, block_tokens = 48, block_heads = 2, tile_rows = 6, tile_columns = 16>) :
// CHECK-NOT:   kernel.rows
func.func @lower_long_heads(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w: tensor<64x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x12xbf16> {
  %heads = tensor.expand_shape %w [[0, 1], [2]] output_shape [4, 16, 8] : tensor<64x8xbf16> into tensor<4x16x8xbf16>
  %w_uk = tensor.extract_slice %heads[0, 0, 0] [4, 4, 8] [1, 1, 1] : tensor<4x16x8xbf16> to tensor<4x4x8xbf16>
  %w_uv = tensor.extract_slice %heads[0, 4, 0] [4, 12, 8] [1, 1, 1] : tensor<4x16x8xbf16> to tensor<4x12x8xbf16>
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x12x8xbf16> -> tensor<?x4x12xbf16>
  return %o : tensor<?x4x12xbf16>
}

// -----

// What should be rotated is not.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_other_parts(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_nope : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the end of each query head to be rotated}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

// The beginning of each head is rotated instead of its end.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_begin_rotated(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the end of each query head to be rotated}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_query_of_one_part(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %whole = tensor.empty(%n) : tensor<?x4x12xbf16>
  // expected-error@+1 {{expected queries of two parts, latent and rotated}}
  %u = transformer.paged_attention @cache layer(%l), %whole at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_key_of_one_part(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  %whole = tensor.empty(%n) : tensor<?x1x12xbf16>
  // expected-error@+1 {{expected keys of two parts, latent and rotated}}
  transformer.cache_append @cache layer(%l), %whole at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_without_norm(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c_round = arith.truncf %c_flat : tensor<?x8xf32> to tensor<?x8xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c_round, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  // expected-error@+1 {{expected a normalised latent and a rotated key}}
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

// Four columns lie between latent and key.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_other_columns(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 8] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  // expected-error@+1 {{expected latents and keys to be neighbouring columns of a linear layer}}
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_two_rotations(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.1]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query and key to be rotated alike, got two rotations}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_append_elsewhere(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  // expected-note@+1 {{the append is here}}
  transformer.cache_append @cache layer(%l), %latent at(%p, %other, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected the cache_append before it to have its positions, sequences and page table, got others}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_without_append(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  // expected-error@+1 {{expected a cache_append of the same cache and layer before it}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @no_lower_rotated_elsewhere(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  // expected-note@+1 {{the query is rotated here}}
  %q_rotated = transformer.rotary_embedding %q_pe, %other interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %other interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected query and key to be rotated at its positions, got others}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : f16

func.func @no_lower_f16(%q: tensor<?x4x8xf32>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w_uk: tensor<4x4x8xbf16>, %w_uv: tensor<4x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %other: tensor<?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  // expected-error@+1 {{expected a cache of f32 or bf16, got 'f16'}}
  %u = transformer.paged_attention @cache layer(%l), %query at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o = transformer.head_linear %u, %w_uv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}
