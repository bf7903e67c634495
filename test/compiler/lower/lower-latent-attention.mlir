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

// The same with keys and values that are short enough, but layers for heads that are not
// those of the expanded form.
transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

// CHECK-LABEL: func @lower_other_layers(
// CHECK-NOT:   kernel.{{expanded_attention|rows}}
// CHECK-NOT:   transformer.
// CHECK:       return
func.func @lower_other_layers(%q: tensor<?x4x8xf32>, %q4: tensor<?x4x4xbf16>, %q8: tensor<?x4x8xbf16>, %low: tensor<?x24xf32>, %n: index, %norm: tensor<8xbf16>, %w: tensor<4x12x8xbf16>, %other: tensor<4x12x8xbf16>, %more: tensor<8x12x8xbf16>, %wide: tensor<4x12x16xbf16>, %stack: tensor<4x12x8x8xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x4xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>) {
  %c_flat = tensor.extract_slice %low[0, 12] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%n, 4] [1, 1] : tensor<?x24xf32> to tensor<?x4xf32>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %p interleaved frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %c = transformer.rms_norm %c_flat, %norm epsilon(1.0e-6) : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%n, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %p interleaved frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]] : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %row = tensor.concat dim(1) %c, %k_row : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %row [[0], [1, 2]] output_shape [%n, 1, 12] : tensor<?x12xbf16> into tensor<?x1x12xbf16>
  %k4 = tensor.extract_slice %w[0, 0, 0] [4, 4, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x4x8xbf16>
  %v8 = tensor.extract_slice %w[0, 4, 0] [4, 8, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x8x8xbf16>

  // The layer of values is transposed.
  %ql0 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query0 = tensor.concat dim(2) %ql0, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u0 = transformer.paged_attention @cache layer(%l), %query0 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o0 = transformer.head_linear %u0, %v8 transposed : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // That of keys is not.
  %k8 = tensor.extract_slice %w[0, 0, 0] [4, 8, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x8x8xbf16>
  %v4 = tensor.extract_slice %w[0, 8, 0] [4, 4, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x4x8xbf16>
  %ql1 = transformer.head_linear %q8, %k8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  %query1 = tensor.concat dim(2) %ql1, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u1 = transformer.paged_attention @cache layer(%l), %query1 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o1 = transformer.head_linear %u1, %v4 : tensor<?x4x8xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x4xbf16>

  // Values are the first rows, too.
  %ql2 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query2 = tensor.concat dim(2) %ql2, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u2 = transformer.paged_attention @cache layer(%l), %query2 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o2 = transformer.head_linear %u2, %k8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Keys are among the rows of values.
  %middle = tensor.extract_slice %w[0, 4, 0] [4, 4, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x4x8xbf16>
  %ql3 = transformer.head_linear %q4, %middle transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query3 = tensor.concat dim(2) %ql3, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u3 = transformer.paged_attention @cache layer(%l), %query3 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o3 = transformer.head_linear %u3, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // The last rows are neither.
  %ql4 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query4 = tensor.concat dim(2) %ql4, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u4 = transformer.paged_attention @cache layer(%l), %query4 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o4 = transformer.head_linear %u4, %middle : tensor<?x4x8xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x4xbf16>

  // Keys are every other row.
  %even = tensor.extract_slice %w[0, 0, 0] [4, 4, 8] [1, 2, 1] : tensor<4x12x8xbf16> to tensor<4x4x8xbf16>
  %ql5 = transformer.head_linear %q4, %even transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query5 = tensor.concat dim(2) %ql5, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u5 = transformer.paged_attention @cache layer(%l), %query5 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o5 = transformer.head_linear %u5, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Values are of another weight.
  %ov = tensor.extract_slice %other[0, 4, 0] [4, 8, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x8x8xbf16>
  %ql6 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query6 = tensor.concat dim(2) %ql6, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u6 = transformer.paged_attention @cache layer(%l), %query6 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o6 = transformer.head_linear %u6, %ov : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Keys and values are of two weights of one stack.
  %sk = tensor.extract_slice %stack[0, 0, 0, 0] [1, 4, 4, 8] [1, 1, 1, 1] : tensor<4x12x8x8xbf16> to tensor<4x4x8xbf16>
  %sv = tensor.extract_slice %stack[1, 4, 0, 0] [1, 4, 8, 8] [1, 1, 1, 1] : tensor<4x12x8x8xbf16> to tensor<4x8x8xbf16>
  %ql7 = transformer.head_linear %q4, %sk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query7 = tensor.concat dim(2) %ql7, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u7 = transformer.paged_attention @cache layer(%l), %query7 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o7 = transformer.head_linear %u7, %sv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // There are more heads.
  %mk = tensor.extract_slice %more[4, 0, 0] [4, 4, 8] [1, 1, 1] : tensor<8x12x8xbf16> to tensor<4x4x8xbf16>
  %mv = tensor.extract_slice %more[4, 4, 0] [4, 8, 8] [1, 1, 1] : tensor<8x12x8xbf16> to tensor<4x8x8xbf16>
  %ql8 = transformer.head_linear %q4, %mk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query8 = tensor.concat dim(2) %ql8, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u8 = transformer.paged_attention @cache layer(%l), %query8 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o8 = transformer.head_linear %u8, %mv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Matrices have more columns.
  %wk = tensor.extract_slice %wide[0, 0, 0] [4, 4, 8] [1, 1, 1] : tensor<4x12x16xbf16> to tensor<4x4x8xbf16>
  %wv = tensor.extract_slice %wide[0, 4, 0] [4, 8, 8] [1, 1, 1] : tensor<4x12x16xbf16> to tensor<4x8x8xbf16>
  %ql9 = transformer.head_linear %q4, %wk transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query9 = tensor.concat dim(2) %ql9, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u9 = transformer.paged_attention @cache layer(%l), %query9 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o9 = transformer.head_linear %u9, %wv : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Two layers read the attention.
  %ql10 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query10 = tensor.concat dim(2) %ql10, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u10 = transformer.paged_attention @cache layer(%l), %query10 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o10 = transformer.head_linear %u10, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  %o11 = transformer.head_linear %u10, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // Not attention alone reads the layer of keys,
  %ql11 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query11 = tensor.concat dim(2) %ql11, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u11 = transformer.paged_attention @cache layer(%l), %query11 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o12 = transformer.head_linear %u11, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>

  // or the queries that it is a part of.
  %ql12 = transformer.head_linear %q4, %k4 transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  %query12 = tensor.concat dim(2) %ql12, %q_rotated : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u12 = transformer.paged_attention @cache layer(%l), %query12 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o13 = transformer.head_linear %u12, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  transformer.cache_append @cache layer(%l), %latent at(%p, %s, %t) : tensor<?x1x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %u13 = transformer.paged_attention @cache layer(%l), %query12 at(%p, %s, %t) scale(0.35) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  %o14 = transformer.head_linear %u13, %v8 : tensor<?x4x8xbf16>, tensor<4x8x8xbf16> -> tensor<?x4x8xbf16>
  return %o0, %o1, %o2, %o3, %o4, %o5, %o6, %o7, %o8, %o9, %o10, %o11, %ql11, %o12, %o13, %o14 : tensor<?x4x8xbf16>, tensor<?x4x4xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x4xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4x8xbf16>
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
