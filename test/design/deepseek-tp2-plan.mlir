// The plan of deepseek-tp2-kernel.mlir, by hand: as deepseek-plan.mlir for each of two
// devices, with parts of weights and four collectives, two of them in each layer.
// RUN: tcc-opt %s | tcc-opt -o /dev/null
// RUN: tcc-opt %s | %python %S/Inputs/check-plan.py

!f8 = !transformer.scaled<f8E4M3FN, 4, 4>

shard.grid @devices(shape = 2)

plan.buffer @x_part offset(0) bytes(36 T) live(0, 1)
plan.buffer @x offset(256 T) bytes(72 T) live(1, 19)
plan.buffer @low offset(0) bytes(96 T) live(2, 4)
plan.buffer @q offset(128 T) bytes(64 T) live(3, 5)
plan.buffer @q_rotated offset(192 T) bytes(16 T) live(4, 6)
plan.buffer @q_latent offset(0) bytes(32 T) live(5, 6)
plan.buffer @u offset(64 T) bytes(32 T) live(6, 7)
plan.buffer @o offset(0) bytes(32 T) live(7, 8)
plan.buffer @x1 offset(384 T) bytes(72 T) live(8, 16)
plan.buffer @router_logits offset(0) bytes(32 T) live(10, 11)
plan.buffer @experts offset(64 T) bytes(12 T) live(11, 12)
plan.buffer @expert_weights offset(640 T) bytes(12 T) live(11, 17)
plan.buffer @expert_rows offset(0) bytes(12 T) live(12, 13)
plan.buffer @offsets offset(832 T + 192 R) bytes(36) live(12, 14)
plan.buffer @places offset(704 T) bytes(12 T) live(12, 17)
plan.buffer @gateds offset(512 T) bytes(24 T) live(13, 14)
plan.buffer @downs offset(0) bytes(216 T) live(14, 17)
plan.buffer @gated offset(768 T) bytes(8 T) live(15, 16)
plan.buffer @x2 offset(512 T) bytes(72 T) live(16, 17)
plan.buffer @rows offset(832 T) bytes(72 R) live(19, 20)
plan.buffer @logits_part offset(832 T + 128 R) bytes(40 R) live(20, 21)
plan.buffer @logits offset(832 T) bytes(80 R) live(21, 21)

plan.weight @embed_tokens
  sources(["model.embed_tokens.weight"])
  split(1, 2) packing(#kernel.packing<columns = 32>)
  : tensor<20x9xbf16>
plan.weight @input_layernorm
  sources(["model.layers.{layer}.input_layernorm.weight"])
  layers(0, 2)
  : tensor<18xbf16>
plan.weight @low_weight
  sources(["model.layers.{layer}.self_attn.q_a_proj.weight",
           "model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight"])
  scales(["model.layers.{layer}.self_attn.q_a_proj.weight_scale_inv",
          "model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight_scale_inv"])
  layers(0, 2) halves([], [8, 4, 12]) packing(#kernel.packing<columns = 32>)
  : tensor<24x18x!f8>
plan.weight @q_a_layernorm
  sources(["model.layers.{layer}.self_attn.q_a_layernorm.weight"])
  layers(0, 2)
  : tensor<12xbf16>
plan.weight @q_b_proj
  sources(["model.layers.{layer}.self_attn.q_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.q_b_proj.weight_scale_inv"])
  layers(0, 2) halves([4, 4, 8]) split(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<16x12x!f8>
plan.weight @kv_a_layernorm
  sources(["model.layers.{layer}.self_attn.kv_a_layernorm.weight"])
  layers(0, 2)
  : tensor<8xbf16>
plan.weight @key_heads
  sources(["model.layers.{layer}.self_attn.kv_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv"])
  layers(0, 2) rows(0, 4, 12) transposed split(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<2x4x8x!f8>
plan.weight @value_heads
  sources(["model.layers.{layer}.self_attn.kv_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv"])
  layers(0, 2) rows(4, 8, 12) split(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<2x8x8x!f8>
plan.weight @o_proj
  sources(["model.layers.{layer}.self_attn.o_proj.weight"])
  scales(["model.layers.{layer}.self_attn.o_proj.weight_scale_inv"])
  layers(0, 2) split(1, 2) packing(#kernel.packing<columns = 32>)
  : tensor<18x16x!f8>
plan.weight @post_attention_layernorm
  sources(["model.layers.{layer}.post_attention_layernorm.weight"])
  layers(0, 2)
  : tensor<18xbf16>
plan.weight @router
  sources(["model.layers.{layer}.mlp.gate.weight"])
  layers(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<8x18xbf16>
plan.weight @router_bias
  sources(["model.layers.{layer}.mlp.gate.e_score_correction_bias"])
  layers(0, 2)
  : tensor<8xf32>
plan.weight @gate_up_experts
  sources(["model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight",
           "model.layers.{layer}.mlp.experts.{expert}.up_proj.weight"])
  scales(["model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight_scale_inv",
          "model.layers.{layer}.mlp.experts.{expert}.up_proj.weight_scale_inv"])
  layers(0, 2) split(1, 2) packing(#kernel.packing<columns = 32, paired = true>)
  : tensor<8x8x18x!f8>
plan.weight @down_experts
  sources(["model.layers.{layer}.mlp.experts.{expert}.down_proj.weight"])
  scales(["model.layers.{layer}.mlp.experts.{expert}.down_proj.weight_scale_inv"])
  layers(0, 2) split(2, 2) packing(#kernel.packing<columns = 32>)
  : tensor<8x18x4x!f8>
plan.weight @shared_gate_up
  sources(["model.layers.{layer}.mlp.shared_experts.gate_proj.weight",
           "model.layers.{layer}.mlp.shared_experts.up_proj.weight"])
  scales(["model.layers.{layer}.mlp.shared_experts.gate_proj.weight_scale_inv",
          "model.layers.{layer}.mlp.shared_experts.up_proj.weight_scale_inv"])
  layers(0, 2) split(0, 2) packing(#kernel.packing<columns = 32, paired = true>)
  : tensor<8x18x!f8>
plan.weight @shared_down
  sources(["model.layers.{layer}.mlp.shared_experts.down_proj.weight"])
  scales(["model.layers.{layer}.mlp.shared_experts.down_proj.weight_scale_inv"])
  layers(0, 2) split(1, 2) packing(#kernel.packing<columns = 32>)
  : tensor<18x4x!f8>
plan.weight @norm
  sources(["model.norm.weight"])
 
  : tensor<18xbf16>
plan.weight @lm_head
  sources(["lm_head.weight"])
  split(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<10x18xbf16>

plan.cache @latents layers(2) heads(1) key(12) value(8) latent page_tokens(64)
  page_bytes(4096) : bf16
plan.rotary_table @rotary frequencies([1.0, 0.01]) multiplier(1.0)
plan.input @tokens is tokens
plan.input @positions is positions
plan.input @sequences is sequences
plan.input @logit_rows is logit_rows
plan.input @page_table is page_table

plan.step @step logits(@logits) arena(832 T + 192 R + 64) {
  plan.launch @embedding(@tokens, @embed_tokens, @x_part)
    tiles(1 T) scratch(0)
  plan.collective all_gather(@x_part, @x) on @devices axes(0)
    rows(1 T) columns(9) : f32
  plan.loop layers(0, 2) {
    plan.launch @linear_low(@x, @low_weight, @low, @input_layernorm)
      tiles(1) scratch(76288)
    plan.launch @linear_q(@low, @q_b_proj, @q, @q_a_layernorm)
      tiles(1) scratch(62976)
    plan.launch @latent_append(@q, @low, @kv_a_layernorm, @rotary, @positions, @sequences,
        @page_table, @latents, @q_rotated)
      tiles(1 T) scratch(0)
    plan.launch @head_linear_key(@q, @key_heads, @q_latent)
      tiles(2) scratch(61952)
    plan.launch @latent_attention(@q_latent, @q_rotated, @positions, @sequences,
        @page_table, @latents, @u)
      tiles(1 T) scratch(20736)
    plan.launch @head_linear_value(@u, @value_heads, @o)
      tiles(2) scratch(62464)
    plan.launch @linear_o(@o, @o_proj, @x1, @x)
      tiles(1) scratch(63488)
    plan.collective all_reduce(@x1, @x1) on @devices axes(0)
      rows(1 T) columns(18) : f32
    plan.launch @linear_router(@x1, @router, @router_logits, @post_attention_layernorm)
      tiles(1) scratch(76288)
    plan.launch @route(@router_logits, @router_bias, @experts, @expert_weights)
      tiles(1 T) scratch(192)
    plan.launch @dispatch(@experts, @expert_rows, @places, @offsets)
      tiles(1) scratch(0)
    plan.launch @grouped_linear_gate_up(@x1, @expert_rows, @gate_up_experts, @offsets,
        @gateds, @post_attention_layernorm)
      tiles(8) scratch(76288)
    plan.launch @grouped_linear_down(@gateds, @down_experts, @offsets, @downs)
      tiles(8) scratch(61952)
    plan.launch @linear_gate_up(@x1, @shared_gate_up, @gated, @post_attention_layernorm)
      tiles(1) scratch(76288)
    plan.launch @linear_down(@gated, @shared_down, @x2, @x1)
      tiles(1) scratch(61952)
    plan.launch @combine(@downs, @places, @expert_weights, @x2, @x)
      tiles(1 T) scratch(0)
    plan.collective all_reduce(@x, @x) on @devices axes(0)
      rows(1 T) columns(18) : f32
  }
  plan.launch @gather_rows(@x, @logit_rows, @rows)
    tiles(1 R) scratch(0)
  plan.launch @linear_logits(@rows, @lm_head, @logits_part, @norm)
    tiles(1) scratch(76288)
  plan.collective all_gather(@logits_part, @logits) on @devices axes(0)
    rows(1 R) columns(10) : f32
}

func.func @embedding(%tokens: memref<?xi32>, %table: memref<20x9xbf16>, %y: memref<?x9xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.embedding %tokens, %table into %y packing(<columns = 32>)
    : memref<?xi32>, memref<20x9xbf16>, memref<?x9xf32>
  return
}

func.func @linear_low(%x: memref<?x18xf32>,
    %w: memref<24x18x!f8>, %y: memref<?x24xf32>,
    %norm: memref<18xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x18xf32>, memref<24x18x!f8>, memref<?x24xf32>
  return
}

func.func @linear_q(%x: memref<?x12xf32, strided<[24, 1]>>,
    %w: memref<16x12x!f8>, %y: memref<?x16xf32>,
    %norm: memref<12xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x12xf32, strided<[24, 1]>>, memref<16x12x!f8>, memref<?x16xf32>
  return
}

func.func @latent_append(%q: memref<?x2x8xf32>,
    %latents: memref<?x12xf32, strided<[24, 1], offset: 12>>, %norm: memref<8xbf16>,
    %rotary: memref<?x2x2xf32>, %positions: memref<?xi32>, %sequences: memref<?xi32>,
    %page_table: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x2x4xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.latent_append %q, %latents norm(%norm : memref<8xbf16>)
    epsilon(1.0e-6) rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %y
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    : memref<?x2x8xf32>, memref<?x12xf32, strided<[24, 1], offset: 12>>,
      memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>,
      memref<?x2x4xbf16>
  return
}

func.func @head_linear_key(%x: memref<?x2x4xf32, strided<[16, 8, 1]>>,
    %w: memref<2x4x8x!f8>, %y: memref<?x2x8xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.head_linear %x, %w transposed into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x2x4xf32, strided<[16, 8, 1]>>, memref<2x4x8x!f8>, memref<?x2x8xbf16>
  return
}

func.func @latent_attention(%q_latent: memref<?x2x8xbf16>, %q_rotated: memref<?x2x4xbf16>,
    %positions: memref<?xi32>, %sequences: memref<?xi32>, %page_table: memref<?x?xi32>,
    %pages: memref<?xi8>, %y: memref<?x2x8xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.latent_attention %q_latent, %q_rotated
    at(%positions, %sequences, %page_table) cache(%pages) into %y scale(0.35)
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    config(<arithmetic = fma, block_tokens = 12, block_heads = 2, tile_rows = 6,
           tile_columns = 16>)
    : memref<?x2x8xbf16>, memref<?x2x4xbf16>, memref<?xi32>, memref<?xi32>,
      memref<?x?xi32>, memref<?xi8>, memref<?x2x8xbf16>
  return
}

func.func @head_linear_value(%x: memref<?x2x8xbf16>,
    %w: memref<2x8x8x!f8>, %y: memref<?x2x8xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.head_linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x2x8xbf16>, memref<2x8x8x!f8>, memref<?x2x8xbf16>
  return
}

func.func @linear_o(%x: memref<?x16xbf16>,
    %w: memref<18x16x!f8>, %y: memref<?x18xf32>,
    %old: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%old : memref<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : memref<?x16xbf16>, memref<18x16x!f8>, memref<?x18xf32>
  return
}

func.func @linear_router(%x: memref<?x18xf32>, %w: memref<8x18xbf16>, %y: memref<?x8xf32>,
    %norm: memref<18xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(f32)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x18xf32>, memref<8x18xbf16>, memref<?x8xf32>
  return
}

func.func @route(%logits: memref<?x8xf32>, %bias: memref<8xf32>, %experts: memref<?x3xi32>,
    %weights: memref<?x3xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.route %logits bias(%bias : memref<8xf32>) sigmoid groups(4) keep(2) top(2)
    normalize(1.0e-20) scale(2.5) into %experts, %weights
    : memref<?x8xf32>, memref<?x3xi32>, memref<?x3xf32>
  return
}

func.func @dispatch(%experts: memref<?x3xi32>, %rows: memref<?xi32>,
    %places: memref<?x3xi32>, %offsets: memref<9xi32>)
    attributes {kernel.rows = "tokens"} {
  kernel.dispatch %experts into %rows, %places, %offsets
    : memref<?x3xi32>, memref<?xi32>, memref<?x3xi32>, memref<9xi32>
  return
}

func.func @grouped_linear_gate_up(%x: memref<?x18xf32>, %rows: memref<?xi32>,
    %w: memref<8x8x18x!f8>, %offsets: memref<9xi32>,
    %y: memref<?x4xbf16>, %norm: memref<18xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.grouped_linear %x rows(%rows : memref<?xi32>), %w offsets(%offsets)
    into %y operand(bf16) packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
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
    : memref<?x18xf32>, memref<8x8x18x!f8>, memref<9xi32>,
      memref<?x4xbf16>
  return
}

func.func @grouped_linear_down(%x: memref<?x4xbf16>,
    %w: memref<8x18x4x!f8>, %offsets: memref<9xi32>,
    %y: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.grouped_linear %x, %w offsets(%offsets)
    into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x4xbf16>, memref<8x18x4x!f8>, memref<9xi32>,
      memref<?x18xf32>
  return
}

func.func @linear_gate_up(%x: memref<?x18xf32>,
    %w: memref<8x18x!f8>, %y: memref<?x4xbf16>,
    %norm: memref<18xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
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
    : memref<?x18xf32>, memref<8x18x!f8>, memref<?x4xbf16>
  return
}

func.func @linear_down(%x: memref<?x4xbf16>,
    %w: memref<18x4x!f8>, %y: memref<?x18xf32>,
    %old: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%old : memref<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : memref<?x4xbf16>, memref<18x4x!f8>, memref<?x18xf32>
  return
}

func.func @combine(%x: memref<?x18xf32>, %places: memref<?x3xi32>,
    %weights: memref<?x3xf32>, %old: memref<?x18xf32>, %y: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.combine %x, %places, %weights add(%old : memref<?x18xf32>) into %y
    : memref<?x18xf32>, memref<?x3xi32>, memref<?x3xf32>, memref<?x18xf32>
  return
}

func.func @gather_rows(%x: memref<?x18xf32>, %rows: memref<?xi32>, %y: memref<?x18xf32>)
    attributes {kernel.rows = "logit_rows"} {
  kernel.gather_rows %x, %rows into %y
    : memref<?x18xf32>, memref<?xi32>, memref<?x18xf32>
  return
}

func.func @linear_logits(%x: memref<?x18xf32>, %w: memref<10x18xbf16>,
    %y: memref<?x10xf32>, %norm: memref<18xbf16>)
    attributes {kernel.rows = "logit_rows"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm : memref<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : memref<?x18xf32>, memref<10x18xbf16>, memref<?x10xf32>
  return
}
