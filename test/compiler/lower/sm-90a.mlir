// What the cost model of an H100 chooses, and what it has no kernel for.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(func.func(tcc-lower-attention{march=sm_90a},tcc-lower-linear{march=sm_90a},tcc-lower-rows{march=sm_90a}))" \
// RUN:   | FileCheck %s

// Prompts, which come first, are computed in tensor cores: with the largest tiles where
// there are enough of them, and two blocks below each other share a weight. What is
// generated reads weights once: a part of K for each block where there are few rows of
// weights. Both write to one result.
// CHECK-LABEL: func @sizes
//  CHECK-SAME:   %[[X:.*]]: tensor<?x4096xbf16>, %[[A:.*]]: tensor<8448x4096xbf16>
func.func @sizes(%x: tensor<?x4096xbf16>, %a: tensor<8448x4096xbf16>, %b: tensor<4096x4096xbf16>,
                 %c: tensor<576x4096xbf16>) -> (tensor<?x8448xf32>, tensor<?x4096xf32>, tensor<?x576xf32>) {
  // CHECK: %[[EMPTY:.*]] = tensor.empty
  // CHECK: %[[P:.*]] = kernel.linear %[[X]], %[[A]] into %[[EMPTY]] operand(bf16) packing(#kernel.row_packing)
  // CHECK-SAME: config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 256, threads = 384, stages = 4, cluster = 2>) {kernel.rows = "expanded"}
  // CHECK: %[[G:.*]] = kernel.linear %[[X]], %[[A]] into %[[P]] operand(bf16) packing(#kernel.row_packing)
  // CHECK-SAME: kind = skinny, tile_rows = 64, tile_columns = 128, threads = 256, stages = 4, cluster = 2, split = 2>) {kernel.rows = "absorbed"}
  // CHECK: kernel.linear {{.*}}<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 5, cluster = 2>
  // CHECK: kernel.linear {{.*}}<kind = skinny, tile_rows = 64, tile_columns = 128, threads = 256, stages = 4, cluster = 4, split = 4>
  // CHECK: kernel.linear {{.*}}<kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 384, stages = 5, cluster = 2>
  // CHECK: kernel.linear {{.*}}<kind = skinny, tile_rows = 64, {{.*}} cluster = 8, split = 8>
  // CHECK: return %[[G]],
  %p = transformer.linear %x, %a : tensor<?x4096xbf16>, tensor<8448x4096xbf16> -> tensor<?x8448xf32>
  %q = transformer.linear %x, %b : tensor<?x4096xbf16>, tensor<4096x4096xbf16> -> tensor<?x4096xf32>
  %r = transformer.linear %x, %c : tensor<?x4096xbf16>, tensor<576x4096xbf16> -> tensor<?x576xf32>
  return %p, %q, %r : tensor<?x8448xf32>, tensor<?x4096xf32>, tensor<?x576xf32>
}

// Rows of any number of columns: phase `schedule` lets each begin where copies of tiles can.
// CHECK-LABEL: func @odd_rows
func.func @odd_rows(%x: tensor<?x12xbf16>, %a: tensor<8448x12xbf16>, %b: tensor<20x12xbf16>)
    -> (tensor<?x8448xf32>, tensor<?x20xf32>) {
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 256, {{.*}} {kernel.rows = "expanded"}
  // CHECK: kernel.linear {{.*}}<kind = skinny, {{.*}} {kernel.rows = "absorbed"}
  // CHECK: kernel.linear {{.*}}<kind = wgmma, {{.*}} {kernel.rows = "expanded"}
  %p = transformer.linear %x, %a : tensor<?x12xbf16>, tensor<8448x12xbf16> -> tensor<?x8448xf32>
  %q = transformer.linear %x, %b : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %p, %q : tensor<?x8448xf32>, tensor<?x20xf32>
}

// Few rows have logits: they are computed as those that are generated.
// CHECK-LABEL: func @logits
func.func @logits(%x: tensor<?x64xf32>, %rows: tensor<?xi32>, %n: tensor<64xbf16>, %a: tensor<128x64xbf16>) -> tensor<?x128xf32> {
  // CHECK-NOT: kernel.rows
  // CHECK: kernel.linear {{.*}}<kind = skinny
  // CHECK-NOT: kernel.rows
  // CHECK: return
  %g = transformer.gather_rows %x, %rows : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  %y = transformer.rms_norm %g, %n epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  %z = transformer.linear %y, %a : tensor<?x64xbf16>, tensor<128x64xbf16> -> tensor<?x128xf32>
  return %z : tensor<?x128xf32>
}

// Gate and value are 8 rows apart. Rows in blocks are multiplied as bf16.
// CHECK-LABEL: func @pairs_in_blocks
func.func @pairs_in_blocks(%x: tensor<?x64xbf16>, %w: tensor<60x64x!transformer.block<q4_0>>) -> tensor<?x30xbf16> {
  // CHECK: kernel.linear {{.*}} operand(bf16) packing(#kernel.row_packing<pair_rows = 8>)
  // CHECK-SAME: kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 384, stages = 5>
  // CHECK: kernel.linear {{.*}} operand(bf16) packing(#kernel.row_packing<pair_rows = 8>)
  // CHECK-SAME: kind = skinny
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

// -----

transformer.cache @cache layers(2) heads(8) key(128) value(128) : bf16

// Prompts in tensor cores, contexts of what is generated split among 8 blocks.
// CHECK-LABEL: func @two_attentions
func.func @two_attentions(%q0: tensor<?x4096xf32>, %k0: tensor<?x1024xf32>, %v0: tensor<?x1024xf32>, %n: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x32x128xbf16> {
  // CHECK: %[[Q:.*]] = kernel.rotary_append
  // CHECK: %[[O:.*]] = kernel.attention %[[Q]]
  // CHECK-SAME: config(#kernel.gpu_attention_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 2>) {kernel.rows = "expanded"}
  // CHECK: kernel.attention %[[Q]] {{.*}} into %[[O]]
  // CHECK-SAME: config(#kernel.gpu_attention_config<kind = split, tile_rows = 4, tile_columns = 64, threads = 128, cluster = 8, split = 8>) {kernel.rows = "absorbed"}
  %q1 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%n, 32, 128] : tensor<?x4096xf32> into tensor<?x32x128xf32>
  %k1 = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [%n, 8, 128] : tensor<?x1024xf32> into tensor<?x8x128xf32>
  %v1 = tensor.expand_shape %v0 [[0], [1, 2]] output_shape [%n, 8, 128] : tensor<?x1024xf32> into tensor<?x8x128xf32>
  %v = arith.truncf %v1 : tensor<?x8x128xf32> to tensor<?x8x128xbf16>
  %q = transformer.rotary_embedding %q1, %p frequencies([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) : tensor<?x32x128xf32>, tensor<?xi32> -> tensor<?x32x128xbf16>
  %k = transformer.rotary_embedding %k1, %p frequencies([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) : tensor<?x8x128xf32>, tensor<?xi32> -> tensor<?x8x128xbf16>
  transformer.cache_append @cache layer(%l), %k, %v at(%p, %s, %t) : tensor<?x8x128xbf16>, tensor<?x8x128xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x32x128xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x32x128xbf16>
  return %o : tensor<?x32x128xbf16>
}
