// A kernel becomes a function that the runtime calls, in vectors as wide as the
// registers of the CPU.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-kernels=march=x86-64-v3 \
// RUN: | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-kernels=march=x86-64-v4 \
// RUN: | FileCheck %s --check-prefixes=CHECK,AVX512

// CHECK-LABEL: func.func @rows(
// CHECK-SAME:    %[[ARGUMENTS:.*]]: !llvm.ptr, %[[SIZES:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %{{.*}}: !llvm.ptr)
// CHECK-NOT:     kernel.
// CHECK:         %[[ROWS:.*]] = llvm.load {{.*}} -> i64
// CHECK:         %[[NONE_IF_NONE:.*]] = arith.muli %[[ROWS]], %[[END]]
// CHECK:         %[[LAST:.*]] = arith.minsi %[[END]], %[[NONE_IF_NONE]]
// CHECK:         scf.for %{{.*}} = %[[BEGIN]] to %[[LAST]]
// AVX2:            llvm.intr.masked.load {{.*}} -> vector<8xf32>
// AVX512:          llvm.intr.masked.load {{.*}} -> vector<16xf32>
// CHECK:           llvm.intr.masked.store
// CHECK:         return
func.func @rows(%input: memref<?x12xf32>, %rows: memref<?xi32>,
                %out: memref<?x12xf32>) attributes {kernel.rows = "logit_rows"} {
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

// Bytes of e4m3, of two vectors at a time, become f16 by a shift. Each block is summed
// alone, then scaled.
// CHECK-LABEL: func.func @scaled(
// CHECK:         llvm.intr.prefetch
// CHECK:         %[[BYTES:.*]] = llvm.load {{.*}} -> vector<[[BOTH:16|32]]xi8>
// CHECK:         %[[WIDE:.*]] = arith.extsi %[[BYTES]] : vector<[[BOTH]]xi8> to vector<[[BOTH]]xi16>
// CHECK:         %[[SHIFTED:.*]] = arith.shli %[[WIDE]]
// CHECK:         %[[BITS:.*]] = arith.andi %[[SHIFTED]]
// CHECK:         %[[HALVES:.*]] = vector.bitcast %[[BITS]] : vector<[[BOTH]]xi16> to vector<[[BOTH]]xf16>
// CHECK:         %[[HALF:.*]] = vector.shuffle %[[HALVES]], %[[HALVES]]
// CHECK:         %[[WEIGHT:.*]] = arith.extf %[[HALF]]
// CHECK:         math.fma %{{.*}}, %[[WEIGHT]], %{{.*}}
// CHECK:         %[[SCALED:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<[[LANES:8|16]]xf32>
// CHECK:         math.fma %[[SCALED]],
func.func @scaled(%input: memref<?x12xf32>,
                  %weight: tensor<6x12x!transformer.scaled<f8E4M3FN, 4, 4>>,
                  %out: memref<?x6xf32>) attributes {kernel.rows = "tokens"} {
  kernel.linear %input, %weight into %out operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x12xf32>, tensor<6x12x!transformer.scaled<f8E4M3FN, 4, 4>>, memref<?x6xf32>
  return
}

// 128 elements get one scale, and the largest magnitude is that of integers. A sum with
// 1.5 * 2^(e + 20) rounds to e4m3.
// CHECK-LABEL: func.func @quantised(
// CHECK:         arith.constant dense<953267991> : vector<[[LANES:8|16]]xi32>
// CHECK:         arith.maxsi
// CHECK:         arith.divf %{{.*}}, %{{.*}} : f32
// CHECK:         %[[Q:.*]] = arith.divf %[[X:.*]], %[[SCALE:.*]] : vector
// CHECK:         %[[EXPONENT:.*]] = arith.maxsi
// CHECK:         arith.constant dense<171966464>
// CHECK:         %[[BITS:.*]] = arith.addi %[[EXPONENT]],
// CHECK:         %[[SHIFT:.*]] = vector.bitcast %[[BITS]]
// CHECK:         %[[SHIFTED:.*]] = arith.addf %[[Q]], %[[SHIFT]]
// CHECK:         %[[NEAREST:.*]] = arith.subf %[[SHIFTED]], %[[SHIFT]]
// CHECK:         %[[VALUE:.*]] = arith.mulf %[[NEAREST]], %[[SCALE]]
// CHECK:         llvm.store %[[VALUE]],
// CHECK:         math.fma
func.func @quantised(%input: memref<?x12xf32>,
                     %weight: tensor<6x12x!transformer.scaled<f8E4M3FN, 4, 4>>,
                     %out: memref<?x6xf32>) attributes {kernel.rows = "tokens"} {
  kernel.linear %input, %weight into %out operand(f8E4M3FN) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x12xf32>, tensor<6x12x!transformer.scaled<f8E4M3FN, 4, 4>>, memref<?x6xf32>
  return
}

// Absorbed rows are those behind the expanded ones, number 4 of the sizes: what has
// rows begins with the first of them, which a page table and pages have not.
// CHECK-LABEL: func.func @absorbed(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[SIZES:.*]]: !llvm.ptr,
// CHECK:         %[[PLACE:.*]] = llvm.getelementptr inbounds %[[SIZES]][%c32_i64{{[_0-9]*}}]
// CHECK:         %[[EXPANDED:.*]] = llvm.load %[[PLACE]]
// CHECK:         %[[BYTES:.*]] = arith.muli %[[EXPANDED]], %c128_i64{{[_0-9]*}}
// CHECK:         llvm.getelementptr inbounds %{{.*}}[%[[BYTES]]]
// CHECK:         %[[BYTES:.*]] = arith.muli %[[EXPANDED]], %c64_i64{{[_0-9]*}}
// CHECK:         llvm.getelementptr inbounds %{{.*}}[%[[BYTES]]]
// CHECK-COUNT-2: arith.muli %[[EXPANDED]], %c4_i64{{[_0-9]*}}
// CHECK-NOT:     arith.muli %[[EXPANDED]], %c4_i64{{[_0-9]*}}
// CHECK:         arith.muli %[[EXPANDED]], %c128_i64{{[_0-9]*}}
// CHECK:         arith.subi %{{.*}}, %[[EXPANDED]]
func.func @absorbed(%latent: memref<?x4x8xf32>, %rotated: memref<?x4x4xf32>,
                    %positions: memref<?xi32>, %sequences: memref<?xi32>,
                    %page_table: memref<?x?xi32>, %pages: memref<?xi8>,
                    %out: memref<?x4x8xf32>) attributes {kernel.rows = "absorbed"} {
  kernel.latent_attention %latent, %rotated at(%positions, %sequences, %page_table)
    cache(%pages) into %out scale(0.5)
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = f32>)
    config(<arithmetic = fma, block_tokens = 1, block_heads = 4, tile_rows = 6, tile_columns = 32>)
    : memref<?x4x8xf32>, memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>,
      memref<?x?xi32>, memref<?xi8>, memref<?x4x8xf32>
  return
}

// CHECK-LABEL: func.func @no_kernel(
// CHECK-SAME:    %{{.*}}: memref<?xf32>)
func.func @no_kernel(%input: memref<?xf32>) {
  return
}

// -----

func.func @no_view_of_result(%input: memref<?x12xf32>, %weight: memref<6x12xbf16>,
                             %out: memref<?x6xf32, strided<[8, 1]>>)
    attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected views only where the target takes some, with static strides, the last of them 1, and a static offset, got 'memref<?x6xf32, strided<[8, 1]>>'}}
  kernel.linear %input, %weight into %out operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x12xf32>, memref<6x12xbf16>, memref<?x6xf32, strided<[8, 1]>>
  return
}

// -----

func.func @no_view_in_steps(%input: memref<?x12xf32, strided<[24, 2]>>,
                            %weight: memref<6x12xbf16>, %out: memref<?x6xf32>)
    attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected views only where the target takes some, with static strides, the last of them 1, and a static offset, got 'memref<?x12xf32, strided<[24, 2]>>'}}
  kernel.linear %input, %weight into %out operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x12xf32, strided<[24, 2]>>, memref<6x12xbf16>, memref<?x6xf32>
  return
}

// -----

func.func @no_view_anywhere(%input: memref<?x12xf32, strided<[24, 1], offset: ?>>,
                            %weight: memref<6x12xbf16>, %out: memref<?x6xf32>)
    attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected views only where the target takes some, with static strides, the last of them 1, and a static offset, got 'memref<?x12xf32, strided<[24, 1], offset: ?>>'}}
  kernel.linear %input, %weight into %out operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x12xf32, strided<[24, 1], offset: ?>>, memref<6x12xbf16>, memref<?x6xf32>
  return
}

// -----

func.func @no_memrefs(%input: tensor<?x12xf32>, %rows: tensor<?xi32>,
                      %out: tensor<?x12xf32>) -> tensor<?x12xf32> {
  // expected-error @+1 {{'kernel.gather_rows' op expected no result and to be alone in its function, as phase 'schedule' leaves it}}
  %0 = kernel.gather_rows %input, %rows into %out
    : tensor<?x12xf32>, tensor<?xi32>, tensor<?x12xf32> -> tensor<?x12xf32>
  return %0 : tensor<?x12xf32>
}

// -----

func.func @no_argument(%input: memref<?x12xf32>, %rows: memref<?xi32>, %size: index) {
  %out = memref.alloc(%size) : memref<?x12xf32>
  // expected-error @+1 {{'kernel.gather_rows' op expected no result and to be alone in its function, as phase 'schedule' leaves it}}
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

// -----

func.func @no_second_kernel(%input: memref<?x12xf32>, %rows: memref<?xi32>,
                            %out: memref<?x12xf32>) {
  // expected-error @+1 {{'kernel.gather_rows' op expected no result and to be alone in its function, as phase 'schedule' leaves it}}
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

// -----

func.func @floats_by_blocks(%input: memref<?x32xf32>,
                            %weight: tensor<6x32x!transformer.block<q8_0>>,
                            %out: memref<?x6xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected operands of type i16 for a weight in blocks on x86-64, got 'bf16'}}
  kernel.linear %input, %weight into %out operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x32xf32>, tensor<6x32x!transformer.block<q8_0>>, memref<?x6xf32>
  return
}

// -----

func.func @rows_of_another_target(%tokens: memref<?xi32>, %table: memref<20x12xf32>,
                                  %out: memref<?x12xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.embedding' op expected a packing of x86-64, got #kernel.row_packing}}
  kernel.embedding %tokens, %table into %out packing(#kernel.row_packing)
    : memref<?xi32>, memref<20x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @thread_blocks_of_another_target(%x: memref<?x12xf32>, %w: memref<20x12xf32>,
                                           %out: memref<?x20xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected a packing of x86-64, got #kernel.row_packing}}
  kernel.linear %x, %w into %out operand(f32) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 64>)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

func.func @attention_of_another_target(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>,
                                       %pages: memref<?xi8>, %out: memref<?x24xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.attention' op expected a configuration of x86-64, got #kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 32, threads = 32>}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %out scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32, order = rows>)
    config(#kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 32, threads = 32>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @cache_of_another_target(%q: memref<?x32xf32>, %r: memref<?x2x2xf32>, %p: memref<?xi32>,
                                   %t: memref<?x?xi32>, %pages: memref<?xi8>, %out: memref<?x4x4xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.rotary_append' op expected a cache of x86-64, got #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 4, element = f32, order = rows>}}
  kernel.rotary_append %q rotary(%r) at(%p, %p, %t) cache(%pages) into %out
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 4, element = f32, order = rows>)
    : (memref<?x32xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @no_dot_products(%input: memref<?x32xf32>, %weight: memref<6x32xbf16>,
                           %out: memref<?x6xf32>) attributes {kernel.rows = "tokens"} {
  // expected-error @+1 {{'kernel.linear' op expected no dot products for a CPU that multiplies bf16 no faster than f32, got #kernel.linear_config<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>}}
  kernel.linear %input, %weight into %out operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)
    : memref<?x32xf32>, memref<6x32xbf16>, memref<?x6xf32>
  return
}

// -----

// expected-error @+1 {{'func.func' op expected 'kernel.rows' to be tokens, logit_rows, expanded or absorbed, got "pages"}}
func.func @no_such_rows(%input: memref<?x12xf32>, %rows: memref<?xi32>,
                        %out: memref<?x12xf32>) attributes {kernel.rows = "pages"} {
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}
