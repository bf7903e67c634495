// The kernels of latent attention survive parsing and printing, as text and as bytecode.
// The bodies are the examples of KernelLatentOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

// CHECK-LABEL: func @head_linear
func.func @head_linear(%x: tensor<?x128x128xf32>, %w: tensor<128x128x512xbf16>,
                       %init: tensor<?x128x512xbf16>) {
  // CHECK: kernel.head_linear %{{.*}}, %{{.*}} transposed into %{{.*}} operand(bf16)
  %y = kernel.head_linear %x, %w transposed into %init operand(bf16)
    packing(<columns = 64>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 128>)
    : tensor<?x128x128xf32>, tensor<128x128x512xbf16>, tensor<?x128x512xbf16>
      -> tensor<?x128x512xbf16>
  return
}

// CHECK-LABEL: func @latent_append
func.func @latent_append(%q: tensor<?x128x192xf32>, %latents: tensor<?x576xf32>,
    %norm: tensor<512xbf16>, %rotary: tensor<?x32x2xf32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
    %page_table: tensor<?x?xi32>, %pages: memref<?xi8>,
    %q_init: tensor<?x128x64xbf16>) {
  // CHECK: kernel.latent_append %{{.*}}, %{{.*}} norm(%{{.*}} : tensor<512xbf16>) epsilon({{.*}}) interleaved rotary(%{{.*}})
  %q_rotated = kernel.latent_append %q, %latents norm(%norm : tensor<512xbf16>)
    epsilon(1.0e-6) interleaved rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %q_init
    layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
    : tensor<?x128x192xf32>, tensor<?x576xf32>, tensor<?x32x2xf32>, tensor<?xi32>,
      tensor<?xi32>, tensor<?x?xi32>, memref<?xi8>, tensor<?x128x64xbf16>
      -> tensor<?x128x64xbf16>
  return
}

// CHECK-LABEL: func @latent_attention
func.func @latent_attention(%q_latent: tensor<?x128x512xbf16>, %q_rotated: tensor<?x128x64xbf16>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
    %page_table: tensor<?x?xi32>, %pages: memref<?xi8>, %init: tensor<?x128x512xbf16>) {
  // CHECK: kernel.latent_attention %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}) cache(%{{.*}}) into
  // DeepSeek-V3.
  %u = kernel.latent_attention %q_latent, %q_rotated
    at(%positions, %sequences, %page_table) cache(%pages) into %init scale(0.1352337788609)
    layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
    config(<arithmetic = dot, block_tokens = 6, block_heads = 16, tile_rows = 6, tile_columns = 64>)
    : tensor<?x128x512xbf16>, tensor<?x128x64xbf16>, tensor<?xi32>, tensor<?xi32>,
      tensor<?x?xi32>, memref<?xi8>, tensor<?x128x512xbf16> -> tensor<?x128x512xbf16>
  return
}

// CHECK-LABEL: func @expanded_attention
func.func @expanded_attention(%q_nope: tensor<?x128x128xf32>, %q_rotated: tensor<?x128x64xbf16>,
    %w: tensor<128x256x512xbf16>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
    %page_table: tensor<?x?xi32>, %pages: memref<?xi8>, %init: tensor<?x128x128xbf16>) {
  // CHECK: kernel.expanded_attention %{{.*}}, %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}) cache(%{{.*}}) into
  // CHECK-SAME: attention(<block_tokens = 512, tile_rows = 6, tile_columns = 64>)
  // DeepSeek-V3.
  %o = kernel.expanded_attention %q_nope, %q_rotated, %w
    at(%positions, %sequences, %page_table) cache(%pages) into %init scale(0.1352337788609)
    layout(<page_tokens = 64, latent_size = 512, rotary_size = 64, element = bf16>)
    packing(<columns = 64>)
    config(<arithmetic = dot, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
    attention(<block_tokens = 512, tile_rows = 6, tile_columns = 64>)
    : tensor<?x128x128xf32>, tensor<?x128x64xbf16>, tensor<128x256x512xbf16>,
      tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, memref<?xi8>,
      tensor<?x128x128xbf16> -> tensor<?x128x128xbf16>
  return
}
