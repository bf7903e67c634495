// The plan of llama-tp2-kernel.mlir, by hand: as llama-plan.mlir for each of two devices, with
// parts of weights and three collectives, two of them in each layer. A collective counts as
// a launch in the lifetimes of buffers.
// RUN: tcc-opt %s | tcc-opt -o /dev/null
// RUN: tcc-opt %s | %python %S/Inputs/check-plan.py

shard.grid @devices(shape = 2)

plan.buffer @buffer_0 offset(64 T) bytes(48 T) live(0, 9)   // residual stream
plan.buffer @buffer_1 offset(0) bytes(64 T) live(1, 2)      // query, key, value
plan.buffer @buffer_2 offset(128 T) bytes(16 T) live(2, 3)  // rotated query
plan.buffer @buffer_3 offset(0) bytes(16 T) live(3, 4)      // attention
plan.buffer @buffer_4 offset(128 T) bytes(48 T) live(4, 7)  // residual stream
plan.buffer @buffer_5 offset(0) bytes(24 T) live(6, 7)      // gated unit
plan.buffer @buffer_7 offset(192 T + 128 R) bytes(48 R) live(9, 10)  // selected rows
plan.buffer @buffer_8 offset(192 T + 192 R) bytes(40 R) live(10, 11)  // half of the logits
plan.buffer @buffer_9 offset(192 T) bytes(80 R) live(11, 11)  // logits

plan.weight @packed_embed_tokens sources(["model.embed_tokens.weight"])
  packing(#kernel.packing<columns = 32>) : tensor<20x12xbf16>
plan.weight @packed_head sources(["model.embed_tokens.weight"]) split(0, 2)
  packing(#kernel.packing<columns = 32>) : tensor<10x12xbf16>
plan.weight @packed_q_proj_k_proj_v_proj
  sources(["model.layers.{layer}.self_attn.q_proj.weight",
           "model.layers.{layer}.self_attn.k_proj.weight",
           "model.layers.{layer}.self_attn.v_proj.weight"])
  layers(0, 2) split(0, 2) packing(#kernel.packing<columns = 32>) : tensor<16x12xbf16>
plan.weight @packed_input_layernorm
  sources(["model.layers.{layer}.input_layernorm.weight"]) layers(0, 2) : tensor<12xbf16>
plan.weight @packed_o_proj sources(["model.layers.{layer}.self_attn.o_proj.weight"])
  layers(0, 2) split(1, 2) packing(#kernel.packing<columns = 32>) : tensor<12x8xbf16>
plan.weight @packed_gate_proj_up_proj
  sources(["model.layers.{layer}.mlp.gate_proj.weight",
           "model.layers.{layer}.mlp.up_proj.weight"])
  layers(0, 2) split(0, 2) packing(#kernel.packing<columns = 32, paired = true>)
  : tensor<24x12xbf16>
plan.weight @packed_post_attention_layernorm
  sources(["model.layers.{layer}.post_attention_layernorm.weight"])
  layers(0, 2) : tensor<12xbf16>
plan.weight @packed_down_proj sources(["model.layers.{layer}.mlp.down_proj.weight"])
  layers(0, 2) split(1, 2) packing(#kernel.packing<columns = 32>) : tensor<12x12xbf16>
plan.weight @packed_norm sources(["model.norm.weight"]) : tensor<12xbf16>
plan.cache @kv_cache layers(2) heads(1) key(4) value(4) page_tokens(64)
  page_bytes(2560) : bf16
plan.rotary_table @rotary_0 frequencies([1.0, 0.01]) multiplier(1.0)
plan.input @tokens is tokens
plan.input @positions is positions
plan.input @sequences is sequences
plan.input @logit_rows is logit_rows
plan.input @page_table is page_table

plan.step @step logits(@buffer_9) arena(192 T + 256 R) {
  plan.launch @embedding_n20_k12_bf16(@tokens, @packed_embed_tokens, @buffer_0)
    tiles(1 T) scratch(0)
  plan.loop layers(0, 2) {
    plan.launch @linear_n16_k12_bf16(@buffer_0, @packed_q_proj_k_proj_v_proj,
        @buffer_1, @packed_input_layernorm)
      tiles(1) scratch(62976)
    plan.launch @rotary_append(@buffer_1, @rotary_0, @positions, @sequences,
        @page_table, @kv_cache, @buffer_2)
      tiles(1 T) scratch(0)
    plan.launch @attention(@buffer_2, @positions, @sequences, @page_table,
        @kv_cache, @buffer_3)
      tiles(1 T) scratch(33024)
    plan.launch @linear_n12_k8_bf16(@buffer_3, @packed_o_proj, @buffer_4, @buffer_0)
      tiles(1) scratch(62976)
    plan.collective all_reduce(@buffer_4, @buffer_4) on @devices axes(0)
      rows(1 T) columns(12) : f32
    plan.launch @linear_n24_k12_bf16(@buffer_4, @packed_gate_proj_up_proj,
        @buffer_5, @packed_post_attention_layernorm)
      tiles(1) scratch(62976)
    plan.launch @linear_n12_k12_bf16(@buffer_5, @packed_down_proj, @buffer_0, @buffer_4)
      tiles(1) scratch(62976)
    plan.collective all_reduce(@buffer_0, @buffer_0) on @devices axes(0)
      rows(1 T) columns(12) : f32
  }
  plan.launch @gather_rows(@buffer_0, @logit_rows, @buffer_7) tiles(1 R) scratch(0)
  plan.launch @linear_n10_k12_bf16(@buffer_7, @packed_head, @buffer_8, @packed_norm)
    tiles(1) scratch(62976)
  plan.collective all_gather(@buffer_8, @buffer_9) on @devices axes(0)
    rows(1 R) columns(10) : f32
}

func.func @embedding_n20_k12_bf16(%tokens: memref<?xi32>, %table: memref<20x12xbf16>,
    %y: memref<?x12xf32>) attributes {kernel.rows = "tokens"} {
  kernel.embedding %tokens, %table into %y packing(<columns = 32>)
    : memref<?xi32>, memref<20x12xbf16>, memref<?x12xf32>
  return
}

func.func @linear_n16_k12_bf16(%x: memref<?x12xf32>, %w: memref<16x12xbf16>,
    %y: memref<?x16xf32>, %norm: memref<12xbf16>) attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%norm : memref<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-5 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x12xf32>, memref<16x12xbf16>, memref<?x16xf32>
  return
}

func.func @rotary_append(%qkv: memref<?x16xf32>, %rotary: memref<?x2x2xf32>,
    %positions: memref<?xi32>, %sequences: memref<?xi32>, %page_table: memref<?x?xi32>,
    %pages: memref<?xi8>, %q: memref<?x2x4xbf16>) attributes {kernel.rows = "tokens"} {
  kernel.rotary_append %qkv rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %q
    layout(<page_tokens = 64, heads = 1, key_size = 4, value_size = 4, element = bf16>)
    : (memref<?x16xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>,
      memref<?x?xi32>, memref<?xi8>, memref<?x2x4xbf16>
  return
}

func.func @attention(%q: memref<?x2x4xbf16>, %positions: memref<?xi32>,
    %sequences: memref<?xi32>, %page_table: memref<?x?xi32>, %pages: memref<?xi8>,
    %o: memref<?x8xbf16>) attributes {kernel.rows = "tokens"} {
  kernel.attention %q at(%positions, %sequences, %page_table) cache(%pages)
    into %o scale(0.5)
    layout(<page_tokens = 64, heads = 1, key_size = 4, value_size = 4, element = bf16>)
    config(<block_tokens = 48, tile_rows = 6, tile_columns = 16>)
    : memref<?x2x4xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
      memref<?xi8>, memref<?x8xbf16>
  return
}

func.func @linear_n12_k8_bf16(%x: memref<?x8xbf16>, %w: memref<12x8xbf16>,
    %y: memref<?x12xf32>, %residual: memref<?x12xf32>) attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%residual : memref<?x12xf32>) {
    ^bb0(%sum: f32, %old: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %old, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : memref<?x8xbf16>, memref<12x8xbf16>, memref<?x12xf32>
  return
}

func.func @linear_n24_k12_bf16(%x: memref<?x12xf32>, %w: memref<24x12xbf16>,
    %y: memref<?x12xbf16>, %norm: memref<12xbf16>) attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%norm : memref<12xbf16>) {
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
      %open = arith.divf %gate, %divisor : f32
      %gated = arith.mulf %open, %value : f32
      kernel.yield %gated : f32
    }
    : memref<?x12xf32>, memref<24x12xbf16>, memref<?x12xbf16>
  return
}

func.func @linear_n12_k12_bf16(%x: memref<?x12xbf16>, %w: memref<12x12xbf16>,
    %y: memref<?x12xf32>, %residual: memref<?x12xf32>) attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%residual : memref<?x12xf32>) {
    ^bb0(%sum: f32, %old: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %old, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : memref<?x12xbf16>, memref<12x12xbf16>, memref<?x12xf32>
  return
}

func.func @gather_rows(%x: memref<?x12xf32>, %rows: memref<?xi32>,
    %y: memref<?x12xf32>) attributes {kernel.rows = "logit_rows"} {
  kernel.gather_rows %x, %rows into %y
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

func.func @linear_n10_k12_bf16(%x: memref<?x12xf32>, %w: memref<10x12xbf16>,
    %y: memref<?x10xf32>, %norm: memref<12xbf16>) attributes {kernel.rows = "logit_rows"} {
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%norm : memref<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-5 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x12xf32>, memref<10x12xbf16>, memref<?x10xf32>
  return
}
