// The model of deepseek-kernel.mlir after phase `schedule`, by hand. A part of a buffer is an
// argument with strides; how many rows each expert has stands in `@offsets`, which kernels
// read, so that every launch has a size that is known before the step. `kv_b_proj` and
// its two parts, which the absorbed form uses, are weights of their own. Both forms write
// rows of one buffer.
// RUN: tcc-opt %s | tcc-opt -o /dev/null
// RUN: tcc-opt %s | %python %S/Inputs/check-plan.py

!f8 = !transformer.scaled<f8E4M3FN, 4, 4>

plan.buffer @x offset(256 T) bytes(72 T) live(0, 17)
plan.buffer @low offset(128 T) bytes(96 T) live(1, 3)
plan.buffer @q offset(0) bytes(128 T) live(2, 5)
plan.buffer @q_rotated offset(384 T) bytes(32 T) live(3, 6)
plan.buffer @q_latent offset(128 T) bytes(64 T) live(5, 6)
plan.buffer @u offset(0) bytes(64 T) live(6, 7)
plan.buffer @o offset(192 T) bytes(64 T) live(4, 8)
plan.buffer @x1 offset(384 T) bytes(72 T) live(8, 15)
plan.buffer @router_logits offset(0) bytes(32 T) live(9, 10)
plan.buffer @experts offset(64 T) bytes(12 T) live(10, 11)
plan.buffer @expert_weights offset(704 T) bytes(12 T) live(10, 16)
plan.buffer @expert_rows offset(0) bytes(12 T) live(11, 12)
plan.buffer @offsets offset(832 T + 256 R) bytes(36) live(11, 13)
plan.buffer @places offset(768 T) bytes(12 T) live(11, 16)
plan.buffer @gateds offset(512 T) bytes(48 T) live(12, 13)
plan.buffer @downs offset(0) bytes(216 T) live(13, 16)
plan.buffer @gated offset(640 T) bytes(16 T) live(14, 15)
plan.buffer @x2 offset(512 T) bytes(72 T) live(15, 16)
plan.buffer @rows offset(832 T + 128 R) bytes(72 R) live(17, 18)
plan.buffer @logits offset(832 T) bytes(80 R) live(18, 18)

plan.weight @embed_tokens
  sources(["model.embed_tokens.weight"])
  packing(#kernel.packing<columns = 32>)
  : tensor<20x18xbf16>
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
  layers(0, 2) halves([4, 4, 8]) packing(#kernel.packing<columns = 32>)
  : tensor<32x12x!f8>
plan.weight @kv_a_layernorm
  sources(["model.layers.{layer}.self_attn.kv_a_layernorm.weight"])
  layers(0, 2)
  : tensor<8xbf16>
plan.weight @heads
  sources(["model.layers.{layer}.self_attn.kv_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv"])
  layers(0, 2) rows(0, 12, 12) packing(#kernel.packing<columns = 32>)
  : tensor<4x12x8x!f8>
plan.weight @key_heads
  sources(["model.layers.{layer}.self_attn.kv_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv"])
  layers(0, 2) rows(0, 4, 12) transposed packing(#kernel.packing<columns = 32>)
  : tensor<4x4x8x!f8>
plan.weight @value_heads
  sources(["model.layers.{layer}.self_attn.kv_b_proj.weight"])
  scales(["model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv"])
  layers(0, 2) rows(4, 8, 12) packing(#kernel.packing<columns = 32>)
  : tensor<4x8x8x!f8>
plan.weight @o_proj
  sources(["model.layers.{layer}.self_attn.o_proj.weight"])
  scales(["model.layers.{layer}.self_attn.o_proj.weight_scale_inv"])
  layers(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<18x32x!f8>
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
  layers(0, 2) packing(#kernel.packing<columns = 32, paired = true>)
  : tensor<8x16x18x!f8>
plan.weight @down_experts
  sources(["model.layers.{layer}.mlp.experts.{expert}.down_proj.weight"])
  scales(["model.layers.{layer}.mlp.experts.{expert}.down_proj.weight_scale_inv"])
  layers(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<8x18x8x!f8>
plan.weight @shared_gate_up
  sources(["model.layers.{layer}.mlp.shared_experts.gate_proj.weight",
           "model.layers.{layer}.mlp.shared_experts.up_proj.weight"])
  scales(["model.layers.{layer}.mlp.shared_experts.gate_proj.weight_scale_inv",
          "model.layers.{layer}.mlp.shared_experts.up_proj.weight_scale_inv"])
  layers(0, 2) packing(#kernel.packing<columns = 32, paired = true>)
  : tensor<16x18x!f8>
plan.weight @shared_down
  sources(["model.layers.{layer}.mlp.shared_experts.down_proj.weight"])
  scales(["model.layers.{layer}.mlp.shared_experts.down_proj.weight_scale_inv"])
  layers(0, 2) packing(#kernel.packing<columns = 32>)
  : tensor<18x8x!f8>
plan.weight @norm
  sources(["model.norm.weight"])
 
  : tensor<18xbf16>
plan.weight @lm_head
  sources(["lm_head.weight"])
  packing(#kernel.packing<columns = 32>)
  : tensor<20x18xbf16>

plan.cache @latents layers(2) heads(1) key(12) value(8) latent page_tokens(64)
  page_bytes(4096) : bf16
plan.rotary_table @rotary frequencies([1.0, 0.01]) multiplier(1.0)
plan.input @tokens is tokens
plan.input @positions is positions
plan.input @sequences is sequences
plan.input @logit_rows is logit_rows
plan.input @page_table is page_table

plan.step @step logits(@logits) expansion(4, 96, 512) arena(832 T + 256 R + 64) {
  plan.launch @embedding(@tokens, @embed_tokens, @x)
    tiles(1 T) scratch(0)
  plan.loop layers(0, 2) {
    plan.launch @linear_low(@x, @low_weight, @low, @input_layernorm)
      tiles(1) scratch(76288)
    plan.launch @linear_q(@low, @q_b_proj, @q, @q_a_layernorm)
      tiles(1) scratch(62976)
    plan.launch @latent_append(@q, @low, @kv_a_layernorm, @rotary, @positions, @sequences,
        @page_table, @latents, @q_rotated)
      tiles(1 T) scratch(0)
    plan.launch @expanded_attention(@q, @q_rotated, @heads, @positions, @sequences,
        @page_table, @latents, @o)
      tiles(4 X) scratch(414720)
    plan.launch @head_linear_key(@q, @key_heads, @q_latent)
      tiles(4) scratch(61952)
    plan.launch @latent_attention(@q_latent, @q_rotated, @positions, @sequences,
        @page_table, @latents, @u)
      tiles(1 A) scratch(33152)
    plan.launch @head_linear_value(@u, @value_heads, @o)
      tiles(4) scratch(62464)
    plan.launch @linear_o(@o, @o_proj, @x1, @x)
      tiles(1) scratch(77824)
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
      tiles(8) scratch(62464)
    plan.launch @linear_gate_up(@x1, @shared_gate_up, @gated, @post_attention_layernorm)
      tiles(1) scratch(76288)
    plan.launch @linear_down(@gated, @shared_down, @x2, @x1)
      tiles(1) scratch(62464)
    plan.launch @combine(@downs, @places, @expert_weights, @x2, @x)
      tiles(1 T) scratch(0)
  }
  plan.launch @gather_rows(@x, @logit_rows, @rows)
    tiles(1 R) scratch(0)
  plan.launch @linear_logits(@rows, @lm_head, @logits, @norm)
    tiles(1) scratch(76288)
}

func.func @embedding(%tokens: memref<?xi32>, %table: memref<20x18xbf16>,
    %y: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.embedding %tokens, %table into %y packing(<columns = 32>)
    : memref<?xi32>, memref<20x18xbf16>, memref<?x18xf32>
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
    %w: memref<32x12x!f8>, %y: memref<?x32xf32>,
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
    : memref<?x12xf32, strided<[24, 1]>>, memref<32x12x!f8>, memref<?x32xf32>
  return
}

func.func @latent_append(%q: memref<?x4x8xf32>,
    %latents: memref<?x12xf32, strided<[24, 1], offset: 12>>, %norm: memref<8xbf16>,
    %rotary: memref<?x2x2xf32>, %positions: memref<?xi32>, %sequences: memref<?xi32>,
    %page_table: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xbf16>)
    attributes {kernel.rows = "tokens"} {
  kernel.latent_append %q, %latents norm(%norm : memref<8xbf16>)
    epsilon(1.0e-6) rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %y
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    : memref<?x4x8xf32>, memref<?x12xf32, strided<[24, 1], offset: 12>>,
      memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>,
      memref<?x4x4xbf16>
  return
}

func.func @expanded_attention(%q_nope: memref<?x4x4xf32, strided<[32, 8, 1]>>,
    %q_rotated: memref<?x4x4xbf16>, %w: memref<4x12x8x!f8>, %positions: memref<?xi32>,
    %sequences: memref<?xi32>, %page_table: memref<?x?xi32>, %pages: memref<?xi8>,
    %y: memref<?x4x8xbf16>)
    attributes {kernel.rows = "expanded"} {
  kernel.expanded_attention %q_nope, %q_rotated, %w
    at(%positions, %sequences, %page_table) cache(%pages) into %y scale(0.35)
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    attention(<block_tokens = 512, tile_rows = 6, tile_columns = 16>)
    : memref<?x4x4xf32, strided<[32, 8, 1]>>, memref<?x4x4xbf16>, memref<4x12x8x!f8>,
      memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x8xbf16>
  return
}

func.func @head_linear_key(%x: memref<?x4x4xf32, strided<[32, 8, 1]>>,
    %w: memref<4x4x8x!f8>, %y: memref<?x4x8xbf16>)
    attributes {kernel.rows = "absorbed"} {
  kernel.head_linear %x, %w transposed into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x4x4xf32, strided<[32, 8, 1]>>, memref<4x4x8x!f8>, memref<?x4x8xbf16>
  return
}

func.func @latent_attention(%q_latent: memref<?x4x8xbf16>, %q_rotated: memref<?x4x4xbf16>,
    %positions: memref<?xi32>, %sequences: memref<?xi32>, %page_table: memref<?x?xi32>,
    %pages: memref<?xi8>, %y: memref<?x4x8xbf16>)
    attributes {kernel.rows = "absorbed"} {
  kernel.latent_attention %q_latent, %q_rotated
    at(%positions, %sequences, %page_table) cache(%pages) into %y scale(0.35)
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    config(<arithmetic = fma, block_tokens = 12, block_heads = 4, tile_rows = 6,
           tile_columns = 16>)
    : memref<?x4x8xbf16>, memref<?x4x4xbf16>, memref<?xi32>, memref<?xi32>,
      memref<?x?xi32>, memref<?xi8>, memref<?x4x8xbf16>
  return
}

func.func @head_linear_value(%x: memref<?x4x8xbf16>,
    %w: memref<4x8x8x!f8>, %y: memref<?x4x8xbf16>)
    attributes {kernel.rows = "absorbed"} {
  kernel.head_linear %x, %w into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x4x8xbf16>, memref<4x8x8x!f8>, memref<?x4x8xbf16>
  return
}

func.func @linear_o(%x: memref<?x32xbf16>,
    %w: memref<18x32x!f8>, %y: memref<?x18xf32>,
    %old: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%old : memref<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %result = arith.addf %sum, %residual : f32
      kernel.yield %result : f32
    }
    : memref<?x32xbf16>, memref<18x32x!f8>, memref<?x18xf32>
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
    %w: memref<8x16x18x!f8>, %offsets: memref<9xi32>,
    %y: memref<?x8xbf16>, %norm: memref<18xbf16>)
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
    : memref<?x18xf32>, memref<8x16x18x!f8>, memref<9xi32>,
      memref<?x8xbf16>
  return
}

func.func @grouped_linear_down(%x: memref<?x8xbf16>,
    %w: memref<8x18x8x!f8>, %offsets: memref<9xi32>,
    %y: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.grouped_linear %x, %w offsets(%offsets)
    into %y operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : memref<?x8xbf16>, memref<8x18x8x!f8>, memref<9xi32>,
      memref<?x18xf32>
  return
}

func.func @linear_gate_up(%x: memref<?x18xf32>,
    %w: memref<16x18x!f8>, %y: memref<?x8xbf16>,
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
    : memref<?x18xf32>, memref<16x18x!f8>, memref<?x8xbf16>
  return
}

func.func @linear_down(%x: memref<?x8xbf16>,
    %w: memref<18x8x!f8>, %y: memref<?x18xf32>,
    %old: memref<?x18xf32>)
    attributes {kernel.rows = "tokens"} {
  kernel.linear %x, %w into %y operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%old : memref<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %result = arith.addf %sum, %residual : f32
      kernel.yield %result : f32
    }
    : memref<?x8xbf16>, memref<18x8x!f8>, memref<?x18xf32>
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

func.func @linear_logits(%x: memref<?x18xf32>, %w: memref<20x18xbf16>,
    %y: memref<?x20xf32>, %norm: memref<18xbf16>)
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
    : memref<?x18xf32>, memref<20x18xbf16>, memref<?x20xf32>
  return
}
