// What layouts and configurations reject.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{expected columns to be a positive multiple of 16, or of 32 if paired, got 8}}
module attributes {test.packing = #kernel.packing<columns = 8>} {}

// -----

// expected-error@+1 {{expected columns to be a positive multiple of 16, or of 32 if paired, got -16}}
module attributes {test.packing = #kernel.packing<columns = -16>} {}

// -----

// expected-error@+1 {{expected columns to be a positive multiple of 16, or of 32 if paired, got 48}}
module attributes {test.packing = #kernel.packing<columns = 48, paired = true>} {}

// -----

// expected-error@+1 {{expected pair_rows to be 0 or a positive multiple of 8, got 12}}
module attributes {test.packing = #kernel.row_packing<pair_rows = 12>} {}

// -----

// expected-error@+1 {{expected pair_rows to be 0 or a positive multiple of 8, got -8}}
module attributes {test.packing = #kernel.row_packing<pair_rows = -8>} {}

// -----

// expected-error@+1 {{expected block_rows to be at least tile_rows and tile_rows at least 1, got 5 and 6}}
module attributes {test.config = #kernel.linear_config<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 5, block_depth = 512>} {}

// -----

// expected-error@+1 {{expected block_rows to be at least tile_rows and tile_rows at least 1, got 6 and 0}}
module attributes {test.config = #kernel.linear_config<arithmetic = fma, tile_rows = 0, tile_columns = 16, block_rows = 6, block_depth = 512>} {}

// -----

// expected-error@+1 {{expected tile_columns to be a positive multiple of 8, got 12}}
module attributes {test.config = #kernel.linear_config<arithmetic = fma, tile_rows = 6, tile_columns = 12, block_rows = 6, block_depth = 512>} {}

// -----

// expected-error@+1 {{expected block_depth to be a positive multiple of 128, got 64}}
module attributes {test.config = #kernel.linear_config<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 6, block_depth = 64>} {}

// -----

// expected-error@+1 {{expected tile_rows to be positive and tile_columns to be a positive multiple of 8, got 0 and 16}}
module attributes {test.config = #kernel.gpu_linear_config<kind = simt, tile_rows = 0, tile_columns = 16, threads = 64>} {}

// -----

// expected-error@+1 {{expected tile_rows to be positive and tile_columns to be a positive multiple of 8, got 64 and 12}}
module attributes {test.config = #kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 12, threads = 64>} {}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32, at most 1024, got 48}}
module attributes {test.config = #kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 48>} {}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32, at most 1024, got 0}}
module attributes {test.config = #kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 0>} {}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32, at most 1024, got 1056}}
module attributes {test.config = #kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 1056>} {}

// -----

// expected-error@+1 {{expected tile_rows to be positive and tile_columns to be a positive multiple of 8, got 64 and 0}}
module attributes {test.config = #kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 0, threads = 32>} {}

// -----

// expected-error@+1 {{expected a kind of linear layers, got 'split'}}
module attributes {test.config = #kernel.gpu_linear_config<kind = split, tile_rows = 64, tile_columns = 16, threads = 64>} {}

// -----

// expected-error@+1 {{expected a kind of attention, got 'skinny'}}
module attributes {test.config = #kernel.gpu_attention_config<kind = skinny, tile_rows = 64, tile_columns = 16, threads = 64>} {}

// -----

// expected-error@+1 {{expected positive stages and split and a cluster of 1 to 8 blocks, got 0, 1 and 1}}
module attributes {test.config = #kernel.gpu_linear_config<kind = wgmma, tile_rows = 64, tile_columns = 16, threads = 64, stages = 0>} {}

// -----

// expected-error@+1 {{expected positive stages and split and a cluster of 1 to 8 blocks, got 1, 1 and 16}}
module attributes {test.config = #kernel.gpu_attention_config<kind = split, tile_rows = 64, tile_columns = 16, threads = 64, cluster = 16>} {}

// -----

// expected-error@+1 {{expected split to be 1 or the cluster of 2 blocks, got 4}}
module attributes {test.config = #kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 16, threads = 64, cluster = 2, split = 4>} {}

// -----

// expected-error@+1 {{expected one stage and no cluster of kind 'simt', got 1 and 2}}
module attributes {test.config = #kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 16, threads = 64, cluster = 2>} {}

// -----

// expected-error@+1 {{expected positive sizes and tile_columns to be a multiple of 8, got 0, 6 and 16}}
module attributes {test.config = #kernel.attention_config<block_tokens = 0, tile_rows = 6, tile_columns = 16>} {}

// -----

// expected-error@+1 {{expected positive sizes and tile_columns to be a multiple of 8, got 4, 0 and 16}}
module attributes {test.config = #kernel.attention_config<block_tokens = 4, tile_rows = 0, tile_columns = 16>} {}

// -----

// expected-error@+1 {{expected positive sizes and tile_columns to be a multiple of 8, got 4, 6 and 20}}
module attributes {test.config = #kernel.attention_config<block_tokens = 4, tile_rows = 6, tile_columns = 20>} {}

// -----

// expected-error@+1 {{expected page_tokens to be a positive multiple of 32, got 16}}
module attributes {test.cache = #kernel.cache<page_tokens = 16, heads = 2, key_size = 4, value_size = 4, element = f32>} {}

// -----

// expected-error@+1 {{expected positive sizes and an even key_size, got 2, 5 and 4}}
module attributes {test.cache = #kernel.cache<page_tokens = 32, heads = 2, key_size = 5, value_size = 4, element = f32>} {}

// -----

// expected-error@+1 {{expected positive sizes and an even key_size, got 0, 4 and 4}}
module attributes {test.cache = #kernel.cache<page_tokens = 32, heads = 0, key_size = 4, value_size = 4, element = f32>} {}

// -----

// expected-error@+1 {{expected positive sizes and an even key_size, got 2, 4 and 0}}
module attributes {test.cache = #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 0, element = f32>} {}

// -----

// expected-error@+1 {{expected elements of type bf16 or f32, got 'f16'}}
module attributes {test.cache = #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 4, element = f16>} {}

// -----

func.func @packing_of_attention(%tokens: memref<?xi32>, %table: memref<20x12xf32>, %y: memref<?x12xf32>) {
  kernel.embedding %tokens, %table into %y
    // expected-error@+1 {{expected a packing, got #kernel.attention_config<block_tokens = 4, tile_rows = 6, tile_columns = 16>}}
    packing(#kernel.attention_config<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?xi32>, memref<20x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @linear_layer_of_a_packing(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32>)
    // expected-error@+1 {{expected a configuration of a linear layer, got #kernel.packing<columns = 32>}}
    config(#kernel.packing<columns = 32>)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

func.func @attention_of_a_packing(%q: memref<?x4x4xbf16>, %p: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x16xbf16>) {
  kernel.attention %q at(%p, %p, %t) cache(%c) into %y scale(0.5)
    layout(<page_tokens = 64, heads = 2, key_size = 4, value_size = 4, element = bf16>)
    // expected-error@+1 {{expected a configuration of attention, got #kernel.packing<columns = 32>}}
    config(#kernel.packing<columns = 32>)
    : memref<?x4x4xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x16xbf16>
  return
}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32 up to 1024, got 48}}
module attributes {test.config = #kernel.gpu_sample_config<threads = 48, cluster = 1>} {}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32 up to 1024, got 0}}
module attributes {test.config = #kernel.gpu_sample_config<threads = 0, cluster = 1>} {}

// -----

// expected-error@+1 {{expected threads to be a positive multiple of 32 up to 1024, got 1056}}
module attributes {test.config = #kernel.gpu_sample_config<threads = 1056, cluster = 1>} {}

// -----

// expected-error@+1 {{expected a cluster of 1 to 8 blocks, got 0}}
module attributes {test.config = #kernel.gpu_sample_config<threads = 32, cluster = 0>} {}

// -----

// expected-error@+1 {{expected a cluster of 1 to 8 blocks, got 9}}
module attributes {test.config = #kernel.gpu_sample_config<threads = 32, cluster = 9>} {}
