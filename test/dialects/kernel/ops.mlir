// Every op of the dialect survives parsing and printing, as text and as bytecode.
// The bodies are the examples of KernelOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

transformer.cache @cache layers(30) heads(3) key(64) value(64) : bf16

// CHECK-LABEL: func @embedding
func.func @embedding(%tokens: tensor<?xi32>, %table: tensor<49152x576xbf16>,
                     %init: tensor<?x576xf32>) -> tensor<?x576xf32> {
  // CHECK: kernel.embedding %{{.*}}, %{{.*}} into %{{.*}} packing(<columns = 64>)
  // CHECK-SAME: -> tensor<?x576xf32>
  %x = kernel.embedding %tokens, %table into %init
    packing(<columns = 64>) : tensor<?xi32>, tensor<49152x576xbf16>,
    tensor<?x576xf32> -> tensor<?x576xf32>
  return %x : tensor<?x576xf32>
}

// A packing that is not in panels has its name.
// CHECK-LABEL: func @embedding_of_rows
func.func @embedding_of_rows(%tokens: tensor<?xi32>, %table: tensor<49152x576xbf16>,
                             %init: tensor<?x576xf32>) -> tensor<?x576xf32> {
  // CHECK: kernel.embedding %{{.*}}, %{{.*}} into %{{.*}} packing(#kernel.row_packing) :
  %x = kernel.embedding %tokens, %table into %init packing(#kernel.row_packing)
    : tensor<?xi32>, tensor<49152x576xbf16>, tensor<?x576xf32> -> tensor<?x576xf32>
  return %x : tensor<?x576xf32>
}

// CHECK-LABEL: func @sample
func.func @sample(%logits: tensor<?x128256xf32>, %parameters: tensor<?x5xf64>,
                  %init: tensor<?xi32>, %memory: memref<?xi32>,
                  %x: memref<?x7xf32>, %p: memref<?x5xf64>) -> tensor<?xi32> {
  // CHECK: kernel.sample %{{.*}}, %{{.*}} into %{{.*}} config(<threads = 512, cluster = 8>)
  // CHECK-SAME: -> tensor<?xi32>
  %token = kernel.sample %logits, %parameters into %init
    config(<threads = 512, cluster = 8>)
    : tensor<?x128256xf32>, tensor<?x5xf64>, tensor<?xi32> -> tensor<?xi32>
  // CHECK: kernel.sample %{{.*}} config(<threads = 32, cluster = 1>) : memref<?x7xf32>, memref<?x5xf64>, memref<?xi32>
  kernel.sample %x, %p into %memory config(<threads = 32, cluster = 1>)
    : memref<?x7xf32>, memref<?x5xf64>, memref<?xi32>
  return %token : tensor<?xi32>
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<?x576xf32>, %w: tensor<3072x576xbf16>,
                  %norm: tensor<576xf32>, %init: tensor<?x1536xbf16>)
    -> tensor<?x1536xbf16> {
  // CHECK: kernel.linear %{{.*}}, %{{.*}} into %{{.*}} operand(bf16)
  // CHECK-SAME: packing(<columns = 64, paired = true>)
  // CHECK-SAME: config(<arithmetic = fma, tile_rows = 6
  // CHECK-SAME: prologue mean_square(%{{.*}} : tensor<576xf32>) {
  // CHECK: kernel.yield %{{.*}} : f32
  // CHECK: epilogue {
  // Normalisation, gate and value in one weight, gated unit.
  %y = kernel.linear %x, %w into %init operand(bf16)
    packing(<columns = 64, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
    prologue mean_square (%norm : tensor<576xf32>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-5 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    } epilogue {
    ^bb0(%gate: f32, %value: f32):
      %one = arith.constant 1.0 : f32
      %negated = arith.negf %gate : f32
      %power = math.exp %negated : f32
      %divisor = arith.addf %power, %one : f32
      %silu = arith.divf %gate, %divisor : f32
      %gated = arith.mulf %silu, %value : f32
      kernel.yield %gated : f32
    } : tensor<?x576xf32>, tensor<3072x576xbf16>, tensor<?x1536xbf16>
        -> tensor<?x1536xbf16>
  return %y : tensor<?x1536xbf16>
}

// On memrefs, with operands of the epilogue alone, and with nothing at all.
// CHECK-LABEL: func @linear_memref
func.func @linear_memref(%x: memref<?x1536xbf16>,
                         %w: memref<576x1536x!transformer.block<q4_1>>,
                         %residual: memref<?x576xf32>) {
  // CHECK: epilogue(%{{.*}} : memref<?x576xf32>) {
  kernel.linear %x, %w into %residual operand(bf16) packing(<columns = 64>)
    config(<arithmetic = dot, tile_rows = 4, tile_columns = 64, block_rows = 64, block_depth = 512>)
    epilogue (%residual : memref<?x576xf32>) {
    ^bb0(%sum: f32, %r: f32):
      %z = arith.addf %sum, %r : f32
      kernel.yield %z : f32
    } : memref<?x1536xbf16>, memref<576x1536x!transformer.block<q4_1>>, memref<?x576xf32>
  // CHECK: operand(i16) packing(<columns = 64>) config(<arithmetic = integer, {{.*}} block_depth = 512>) : memref
  kernel.linear %x, %w into %residual operand(i16) packing(<columns = 64>)
    config(<arithmetic = integer, tile_rows = 4, tile_columns = 64, block_rows = 64, block_depth = 512>)
    : memref<?x1536xbf16>, memref<576x1536x!transformer.block<q4_1>>, memref<?x576xf32>
  return
}

// CHECK-LABEL: func @linear_fp8
func.func @linear_fp8(%x: memref<?x1536xbf16>,
                      %w: memref<576x1536x!transformer.scaled<f8E4M3FN, 128, 128>>,
                      %y: memref<?x576xf32>) {
  // CHECK: operand(f8E4M3FN) packing(<columns = 64>) config(<arithmetic = fma,
  kernel.linear %x, %w into %y operand(f8E4M3FN) packing(<columns = 64>)
    config(<arithmetic = fma, tile_rows = 4, tile_columns = 64, block_rows = 64, block_depth = 512>)
    : memref<?x1536xbf16>, memref<576x1536x!transformer.scaled<f8E4M3FN, 128, 128>>, memref<?x576xf32>
  return
}

// CHECK-LABEL: func @cache_layer
func.func @cache_layer(%layer: index) -> memref<?xi8> {
  // CHECK: kernel.cache_layer @cache layer(%{{.*}}) : memref<?xi8>
  %pages = kernel.cache_layer @cache layer(%layer) : memref<?xi8>
  return %pages : memref<?xi8>
}

// CHECK-LABEL: func @rotary_table
func.func @rotary_table(%positions: tensor<?xi32>) -> tensor<?x2x2xf32> {
  // CHECK: kernel.rotary_table %{{.*}} frequencies([1.000000e+00, 1.000000e-02]) multiplier(1.000000e+00)
  %rotary = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0)
    : tensor<?xi32> -> tensor<?x2x2xf32>
  return %rotary : tensor<?x2x2xf32>
}

// CHECK-LABEL: func @rotary_append
func.func @rotary_append(%qkv: tensor<?x960xf32>, %rotary: tensor<?x32x2xf32>,
                         %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
                         %page_table: tensor<?x?xi32>, %pages: memref<?xi8>,
                         %init: tensor<?x9x64xbf16>) -> tensor<?x9x64xbf16> {
  // CHECK: kernel.rotary_append %{{.*}} rotary(%{{.*}}) at(%{{.*}}, %{{.*}}, %{{.*}}) cache(%{{.*}}) into %{{.*}} layout(<page_tokens = 64
  %q = kernel.rotary_append %qkv rotary(%rotary)
    at(%positions, %sequences, %page_table) cache(%pages) into %init
    layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16>)
    : (tensor<?x960xf32>), tensor<?x32x2xf32>, tensor<?xi32>, tensor<?xi32>,
      tensor<?x?xi32>, memref<?xi8>, tensor<?x9x64xbf16> -> tensor<?x9x64xbf16>
  return %q : tensor<?x9x64xbf16>
}

// CHECK-LABEL: func @rotary_append_memref
func.func @rotary_append_memref(
    %q: memref<?x576xf32>, %k: memref<?x192xf32>, %v: memref<?x192xf32>,
    %rotary: memref<?x32x2xf32>, %positions: memref<?xi32>,
    %sequences: memref<?xi32>, %page_table: memref<?x?xi32>,
    %pages: memref<?xi8>, %y: memref<?x9x64xf32>) {
  // CHECK: kernel.rotary_append %{{.*}}, %{{.*}}, %{{.*}} interleaved rotary
  kernel.rotary_append %q, %k, %v interleaved rotary(%rotary)
    at(%positions, %sequences, %page_table) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 3, key_size = 64, value_size = 64, element = f32>)
    : (memref<?x576xf32>, memref<?x192xf32>, memref<?x192xf32>), memref<?x32x2xf32>,
      memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x9x64xf32>
  return
}

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<?x9x64xbf16>, %positions: tensor<?xi32>,
                     %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                     %pages: memref<?xi8>, %init: tensor<?x576xbf16>)
    -> tensor<?x576xbf16> {
  // CHECK: kernel.attention %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}) cache(%{{.*}}) into %{{.*}} scale(1.250000e-01)
  // CHECK-SAME: config(<block_tokens = 16, tile_rows = 6, tile_columns = 64>)
  %o = kernel.attention %q at(%positions, %sequences, %page_table)
    cache(%pages) into %init scale(0.125)
    layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16>)
    config(<block_tokens = 16, tile_rows = 6, tile_columns = 64>)
    : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
      memref<?xi8>, tensor<?x576xbf16> -> tensor<?x576xbf16>
  return %o : tensor<?x576xbf16>
}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%embedded: tensor<?x7168xf32>, %state: tensor<?x7168xf32>,
                    %a: tensor<7168xbf16>, %b: tensor<7168xbf16>,
                    %init: tensor<?x14336xbf16>) -> tensor<?x14336xbf16> {
  // CHECK: kernel.rms_norm %{{.*}}, %{{.*}} norms(%{{.*}}, %{{.*}} : tensor<7168xbf16>, tensor<7168xbf16>) epsilon({{.*}}) into %{{.*}} : (tensor<?x7168xf32>, tensor<?x7168xf32>), tensor<?x14336xbf16> -> tensor<?x14336xbf16>
  %y = kernel.rms_norm %embedded, %state norms(%a, %b : tensor<7168xbf16>, tensor<7168xbf16>)
    epsilon(1.0e-6) into %init
    : (tensor<?x7168xf32>, tensor<?x7168xf32>), tensor<?x14336xbf16> -> tensor<?x14336xbf16>
  return %y : tensor<?x14336xbf16>
}

// Packings and configurations of a target that is not the first have their names.
// CHECK-LABEL: func @thread_blocks
func.func @thread_blocks(%q: tensor<?x9x64xbf16>, %w: tensor<960x576xbf16>, %p: tensor<?xi32>,
                         %s: tensor<?xi32>, %t: tensor<?x?xi32>, %pages: memref<?xi8>,
                         %o_init: tensor<?x576xbf16>, %y_init: tensor<?x960xf32>) -> tensor<?x960xf32> {
  // CHECK: kernel.attention {{.*}} layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16, order = rows>) config(#kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 64, threads = 128>)
  %o = kernel.attention %q at(%p, %s, %t) cache(%pages) into %o_init scale(0.125)
    layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 64, threads = 128>)
    : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
      memref<?xi8>, tensor<?x576xbf16> -> tensor<?x576xbf16>
  // CHECK: kernel.linear {{.*}} packing(#kernel.row_packing) config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 64, threads = 256>)
  %y = kernel.linear %o, %w into %y_init operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 64, threads = 256>)
    : tensor<?x576xbf16>, tensor<960x576xbf16>, tensor<?x960xf32> -> tensor<?x960xf32>
  return %y : tensor<?x960xf32>
}

// Kinds for prompts and for what is generated; what is usual is not printed.
// CHECK-LABEL: func @tensor_cores
func.func @tensor_cores(%q: tensor<?x9x64xbf16>, %w: tensor<960x576xbf16>, %v: tensor<960x576xf16>, %p: tensor<?xi32>,
                        %s: tensor<?xi32>, %t: tensor<?x?xi32>, %pages: memref<?xi8>,
                        %o_init: tensor<?x576xbf16>, %y_init: tensor<?x960xf32>) -> (tensor<?x960xf32>, tensor<?x960xf32>) {
  // CHECK: kernel.attention {{.*}} config(#kernel.gpu_attention_config<kind = split, tile_rows = 8, tile_columns = 128, threads = 128, stages = 2, cluster = 4, split = 4>)
  %o = kernel.attention %q at(%p, %s, %t) cache(%pages) into %o_init scale(0.125)
    layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = split, tile_rows = 8, tile_columns = 128, threads = 128, stages = 2, cluster = 4, split = 4>)
    : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
      memref<?xi8>, tensor<?x576xbf16> -> tensor<?x576xbf16>
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 4>)
  %y = kernel.linear %o, %w into %y_init operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 4, cluster = 1, split = 1>)
    : tensor<?x576xbf16>, tensor<960x576xbf16>, tensor<?x960xf32> -> tensor<?x960xf32>
  // CHECK: kernel.linear {{.*}} config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 8, tile_columns = 16, threads = 128, cluster = 2, split = 2>)
  %z = kernel.linear %o, %v into %y_init operand(f16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 8, tile_columns = 16, threads = 128, cluster = 2, split = 2>)
    : tensor<?x576xbf16>, tensor<960x576xf16>, tensor<?x960xf32> -> tensor<?x960xf32>
  return %y, %z : tensor<?x960xf32>, tensor<?x960xf32>
}

// CHECK-LABEL: func @gather_rows
func.func @gather_rows(%x: tensor<?x576xf32>, %rows: tensor<?xi32>,
                       %init: tensor<?x576xf32>) -> tensor<?x576xf32> {
  // CHECK: kernel.gather_rows %{{.*}}, %{{.*}} into %{{.*}} : tensor<?x576xf32>, tensor<?xi32>, tensor<?x576xf32> -> tensor<?x576xf32>
  %y = kernel.gather_rows %x, %rows into %init
    : tensor<?x576xf32>, tensor<?xi32>, tensor<?x576xf32> -> tensor<?x576xf32>
  return %y : tensor<?x576xf32>
}
