// What the cost model of an H100 chooses, and what it has no kernel for.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(func.func(tcc-lower-attention{march=sm_90a},tcc-lower-linear{march=sm_90a},tcc-lower-rows{march=sm_90a}))" \
// RUN:   | FileCheck %s

// Wide tiles where there is one for each multiprocessor, narrower ones elsewhere.
// CHECK-LABEL: func @sizes
func.func @sizes(%x: tensor<?x64xbf16>, %a: tensor<8448x64xbf16>, %b: tensor<8384x64xbf16>,
                 %c: tensor<4192x64xbf16>, %d: tensor<20x64xbf16>)
    -> (tensor<?x8448xf32>, tensor<?x8384xf32>, tensor<?x4192xf32>, tensor<?x20xf32>) {
  // CHECK: kernel.linear {{.*}} operand(bf16) packing(#kernel.row_packing)
  // CHECK-SAME: config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 64, threads = 256>)
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 32, threads = 128>)
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 64>)
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 64>)
  %p = transformer.linear %x, %a : tensor<?x64xbf16>, tensor<8448x64xbf16> -> tensor<?x8448xf32>
  %q = transformer.linear %x, %b : tensor<?x64xbf16>, tensor<8384x64xbf16> -> tensor<?x8384xf32>
  %r = transformer.linear %x, %c : tensor<?x64xbf16>, tensor<4192x64xbf16> -> tensor<?x4192xf32>
  %s = transformer.linear %x, %d : tensor<?x64xbf16>, tensor<20x64xbf16> -> tensor<?x20xf32>
  return %p, %q, %r, %s : tensor<?x8448xf32>, tensor<?x8384xf32>, tensor<?x4192xf32>, tensor<?x20xf32>
}

// Gate and value are 8 rows apart. Rows in blocks are multiplied as bf16.
// CHECK-LABEL: func @pairs_in_blocks
func.func @pairs_in_blocks(%x: tensor<?x64xbf16>, %w: tensor<60x64x!transformer.block<q4_0>>) -> tensor<?x30xbf16> {
  // CHECK: kernel.linear {{.*}} operand(bf16) packing(#kernel.row_packing<pair_rows = 8>)
  // CHECK-SAME: tile_columns = 16
  %y = transformer.linear %x, %w
    : tensor<?x64xbf16>, tensor<60x64x!transformer.block<q4_0>> -> tensor<?x60xf32>
  %s = transformer.swiglu %y : tensor<?x60xf32> -> tensor<?x30xbf16>
  return %s : tensor<?x30xbf16>
}

// CHECK-LABEL: func @wide_numbers
func.func @wide_numbers(%x: tensor<?x12xbf16>, %v: tensor<20x12xf16>, %w: tensor<20x12xf32>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  // CHECK-COUNT-2: kernel.linear {{.*}} operand(f32)
  %y = transformer.linear %x, %v : tensor<?x12xbf16>, tensor<20x12xf16> -> tensor<?x20xf32>
  %z = transformer.linear %x, %w : tensor<?x12xbf16>, tensor<20x12xf32> -> tensor<?x20xf32>
  return %y, %z : tensor<?x20xf32>, tensor<?x20xf32>
}

// The last layer of a model reads its rows where the embedding does.
// CHECK-LABEL: func @embedding
func.func @embedding(%t: tensor<?xi32>, %table: tensor<20x12xbf16>) -> tensor<?x12xf32> {
  // CHECK: kernel.embedding {{.*}} packing(#kernel.row_packing)
  %x = transformer.embedding %t, %table : tensor<?xi32>, tensor<20x12xbf16> -> tensor<?x12xf32>
  return %x : tensor<?x12xf32>
}

// -----

transformer.cache @cache layers(2) heads(1) key(20) value(36) : f32

// A tile has all 71 query heads of a token.
// CHECK-LABEL: func @attention
func.func @attention(%q0: tensor<?x1420xf32>, %k0: tensor<?x20xf32>, %v0: tensor<?x36xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x71x36xf32> {
  // CHECK: kernel.rotary_append
  // CHECK-SAME: layout(<page_tokens = 64, heads = 1, key_size = 20, value_size = 36, element = f32, order = rows>)
  // CHECK: kernel.attention
  // CHECK-SAME: layout(<page_tokens = 64, heads = 1, key_size = 20, value_size = 36, element = f32, order = rows>)
  // CHECK-SAME: config(#kernel.gpu_attention_config<kind = simt, tile_rows = 71, tile_columns = 64, threads = 128>)
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 71, 20] : tensor<?x1420xf32> into tensor<?x71x20xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 1, 20] : tensor<?x20xf32> into tensor<?x1x20xf32>
  %v = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 1, 36] : tensor<?x36xf32> into tensor<?x1x36xf32>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 0.5, 0.25, 0.125, 0.1, 0.05, 0.04, 0.03, 0.02, 0.01]) : tensor<?x71x20xf32>, tensor<?xi32> -> tensor<?x71x20xf32>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 0.5, 0.25, 0.125, 0.1, 0.05, 0.04, 0.03, 0.02, 0.01]) : tensor<?x1x20xf32>, tensor<?xi32> -> tensor<?x1x20xf32>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x1x20xf32>, tensor<?x1x36xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x71x20xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x71x36xf32>
  return %o : tensor<?x71x36xf32>
}
