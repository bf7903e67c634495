// The model of deepseek-tp2-batched.mlir after phase `lower`, by hand. As
// deepseek-kernel.mlir, with half of the heads and hidden units, and collectives between
// kernels. What is added up already has the residual: each device adds half of it in the
// epilogue of its linear layer, which is exact.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

!f8 = !transformer.scaled<f8E4M3FN, 4, 4>

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

shard.grid @devices(shape = 2)

transformer.weight @embed_tokens tensor("model.embed_tokens.weight")
  split(<dimension = 1, grid = @devices, axis = 0>) : tensor<20x18xbf16>
transformer.weight @input_layernorm tensor("model.layers.{layer}.input_layernorm.weight")
  layers(0, 2) : tensor<18xbf16>
transformer.weight @q_a_proj tensor("model.layers.{layer}.self_attn.q_a_proj.weight")
  scales("model.layers.{layer}.self_attn.q_a_proj.weight_scale_inv") layers(0, 2)
  : tensor<12x18x!f8>
transformer.weight @q_a_layernorm tensor("model.layers.{layer}.self_attn.q_a_layernorm.weight")
  layers(0, 2) : tensor<12xbf16>
transformer.weight @q_b_proj tensor("model.layers.{layer}.self_attn.q_b_proj.weight")
  scales("model.layers.{layer}.self_attn.q_b_proj.weight_scale_inv") layers(0, 2)
  halves(4, 4, 8) split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<32x12x!f8>
transformer.weight @kv_a_proj tensor("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight")
  scales("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight_scale_inv") layers(0, 2)
  halves(8, 4, 12) : tensor<12x18x!f8>
transformer.weight @kv_a_layernorm tensor("model.layers.{layer}.self_attn.kv_a_layernorm.weight")
  layers(0, 2) : tensor<8xbf16>
transformer.weight @kv_b_proj tensor("model.layers.{layer}.self_attn.kv_b_proj.weight")
  scales("model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<48x8x!f8>
transformer.weight @o_proj tensor("model.layers.{layer}.self_attn.o_proj.weight")
  scales("model.layers.{layer}.self_attn.o_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>)
  : tensor<18x32x!f8>
transformer.weight @post_attention_layernorm tensor("model.layers.{layer}.post_attention_layernorm.weight")
  layers(0, 2) : tensor<18xbf16>
transformer.weight @router tensor("model.layers.{layer}.mlp.gate.weight")
  layers(0, 2) : tensor<8x18xbf16>
transformer.weight @router_bias tensor("model.layers.{layer}.mlp.gate.e_score_correction_bias")
  layers(0, 2) : tensor<8xf32>
transformer.weight @gate_experts tensor("model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>)
  : tensor<8x8x18x!f8>
transformer.weight @up_experts tensor("model.layers.{layer}.mlp.experts.{expert}.up_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.up_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>)
  : tensor<8x8x18x!f8>
transformer.weight @down_experts tensor("model.layers.{layer}.mlp.experts.{expert}.down_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.down_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 2, grid = @devices, axis = 0>)
  : tensor<8x18x8x!f8>
transformer.weight @shared_gate tensor("model.layers.{layer}.mlp.shared_experts.gate_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.gate_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<8x18x!f8>
transformer.weight @shared_up tensor("model.layers.{layer}.mlp.shared_experts.up_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.up_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<8x18x!f8>
transformer.weight @shared_down tensor("model.layers.{layer}.mlp.shared_experts.down_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.down_proj.weight_scale_inv") layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>)
  : tensor<18x8x!f8>
transformer.weight @norm tensor("model.norm.weight") : tensor<18xbf16>
transformer.weight @lm_head tensor("lm_head.weight")
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<20x18xbf16>

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>,
                   %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                   %logit_rows: tensor<?xi32>) -> tensor<?x20xf32> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %t = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = transformer.get_weight local [@embed_tokens] : tensor<20x9xbf16>
  %x_init = tensor.empty(%t) : tensor<?x9xf32>
  %x_part = kernel.embedding %tokens, %table into %x_init packing(<columns = 32>)
    : tensor<?xi32>, tensor<20x9xbf16>, tensor<?x9xf32> -> tensor<?x9xf32>
  %x = shard.all_gather %x_part on @devices grid_axes = [0] gather_axis = 1
    : tensor<?x9xf32> -> tensor<?x18xf32>

  %last = scf.for %layer = %c0 to %c2 step %c1 iter_args(%h = %x) -> tensor<?x18xf32> {
    %next = func.call @layer(%h, %positions, %sequences, %page_table, %layer)
      : (tensor<?x18xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, index)
      -> tensor<?x18xf32>
    scf.yield %next : tensor<?x18xf32>
  }

  %norm_w = transformer.get_weight [@norm] : tensor<18xbf16>
  %r = tensor.dim %logit_rows, %c0 : tensor<?xi32>
  %rows_init = tensor.empty(%r) : tensor<?x18xf32>
  %rows = kernel.gather_rows %last, %logit_rows into %rows_init
    : tensor<?x18xf32>, tensor<?xi32>, tensor<?x18xf32> -> tensor<?x18xf32>
  %head = transformer.get_weight local [@lm_head] : tensor<10x18xbf16>
  %logits_init = tensor.empty(%r) : tensor<?x10xf32>
  %logits_part = kernel.linear %rows, %head into %logits_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%norm_w : tensor<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x18xf32>, tensor<10x18xbf16>, tensor<?x10xf32> -> tensor<?x10xf32>
  %logits = shard.all_gather %logits_part on @devices grid_axes = [0] gather_axis = 1
    : tensor<?x10xf32> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x18xf32>, %positions: tensor<?xi32>,
                         %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                         %layer: index) -> tensor<?x18xf32> {
  // Norm, then both low-rank projections as one linear layer; its parts are views.
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x18xf32>
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<18xbf16>
  %wa = transformer.get_weight [@q_a_proj, @kv_a_proj] layer(%layer)
    : tensor<24x18x!f8>
  %low_init = tensor.empty(%t) : tensor<?x24xf32>
  %low = kernel.linear %x, %wa into %low_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%attn_norm_w : tensor<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x18xf32>, tensor<24x18x!f8>, tensor<?x24xf32> -> tensor<?x24xf32>
  %q_a = tensor.extract_slice %low[0, 0] [%t, 12] [1, 1]
    : tensor<?x24xf32> to tensor<?x12xf32>
  %latents = tensor.extract_slice %low[0, 12] [%t, 12] [1, 1]
    : tensor<?x24xf32> to tensor<?x12xf32>

  // Queries.
  %q_norm_w = transformer.get_weight [@q_a_layernorm] layer(%layer) : tensor<12xbf16>
  %wqb = transformer.get_weight local [@q_b_proj] layer(%layer)
    : tensor<16x12x!f8>
  %q_init = tensor.empty(%t) : tensor<?x16xf32>
  %q_flat = kernel.linear %q_a, %wqb into %q_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%q_norm_w : tensor<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x12xf32>, tensor<16x12x!f8>, tensor<?x16xf32> -> tensor<?x16xf32>
  %q = tensor.expand_shape %q_flat [[0], [1, 2]] output_shape [%t, 2, 8]
    : tensor<?x16xf32> into tensor<?x2x8xf32>

  // Rotation; latents go to the cache.
  %pages = kernel.cache_layer @cache layer(%layer) : memref<?xi8>
  %rotary = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0)
    : tensor<?xi32> -> tensor<?x2x2xf32>
  %kv_norm_w = transformer.get_weight [@kv_a_layernorm] layer(%layer) : tensor<8xbf16>
  %q_rotated_init = tensor.empty(%t) : tensor<?x2x4xbf16>
  %q_rotated = kernel.latent_append %q, %latents norm(%kv_norm_w : tensor<8xbf16>)
    epsilon(1.0e-6) rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %q_rotated_init
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    : tensor<?x2x8xf32>, tensor<?x12xf32>, tensor<?x2x2xf32>, tensor<?xi32>,
      tensor<?xi32>, tensor<?x?xi32>, memref<?xi8>, tensor<?x2x4xbf16>
      -> tensor<?x2x4xbf16>

  // Attention over latents, between the two halves of what would expand them.
  %wkvb = transformer.get_weight local [@kv_b_proj] layer(%layer)
    : tensor<24x8x!f8>
  %wkvb_heads = tensor.expand_shape %wkvb [[0, 1], [2]] output_shape [2, 12, 8]
    : tensor<24x8x!f8> into tensor<2x12x8x!f8>
  %w_uk = tensor.extract_slice %wkvb_heads[0, 0, 0] [2, 4, 8] [1, 1, 1]
    : tensor<2x12x8x!f8> to tensor<2x4x8x!f8>
  %w_uv = tensor.extract_slice %wkvb_heads[0, 4, 0] [2, 8, 8] [1, 1, 1]
    : tensor<2x12x8x!f8> to tensor<2x8x8x!f8>
  %q_nope = tensor.extract_slice %q[0, 0, 0] [%t, 2, 4] [1, 1, 1]
    : tensor<?x2x8xf32> to tensor<?x2x4xf32>
  %heads_init = tensor.empty(%t) : tensor<?x2x8xbf16>
  %q_latent = kernel.head_linear %q_nope, %w_uk transposed into %heads_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : tensor<?x2x4xf32>, tensor<2x4x8x!f8>, tensor<?x2x8xbf16>
      -> tensor<?x2x8xbf16>
  %u = kernel.latent_attention %q_latent, %q_rotated
    at(%positions, %sequences, %page_table) cache(%pages) into %heads_init scale(0.35)
    layout(<page_tokens = 64, latent_size = 8, rotary_size = 4, element = bf16>)
    config(<arithmetic = fma, block_tokens = 12, block_heads = 2, tile_rows = 6,
           tile_columns = 16>)
    : tensor<?x2x8xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>,
      tensor<?x?xi32>, memref<?xi8>, tensor<?x2x8xbf16> -> tensor<?x2x8xbf16>
  %o_heads = kernel.head_linear %u, %w_uv into %heads_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : tensor<?x2x8xbf16>, tensor<2x8x8x!f8>, tensor<?x2x8xbf16>
      -> tensor<?x2x8xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x2x8xbf16> into tensor<?x16xbf16>

  // Output projection and residual.
  %wo = transformer.get_weight local [@o_proj] layer(%layer)
    : tensor<18x16x!f8>
  %x_init = tensor.empty(%t) : tensor<?x18xf32>
  %x1_part = kernel.linear %o, %wo into %x_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%x : tensor<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : tensor<?x16xbf16>, tensor<18x16x!f8>, tensor<?x18xf32> -> tensor<?x18xf32>
  %x1 = shard.all_reduce %x1_part on @devices grid_axes = [0]
    : tensor<?x18xf32> -> tensor<?x18xf32>

  // Routing, in f32.
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<18xbf16>
  %wr = transformer.get_weight [@router] layer(%layer) : tensor<8x18xbf16>
  %router_init = tensor.empty(%t) : tensor<?x8xf32>
  %router_logits = kernel.linear %x1, %wr into %router_init operand(f32)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%mlp_norm_w : tensor<18xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-6 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x18xf32>, tensor<8x18xbf16>, tensor<?x8xf32> -> tensor<?x8xf32>
  %bias = transformer.get_weight [@router_bias] layer(%layer) : tensor<8xf32>
  %experts_init = tensor.empty(%t) : tensor<?x3xi32>
  %weights_init = tensor.empty(%t) : tensor<?x3xf32>
  %experts, %weights = kernel.route %router_logits bias(%bias : tensor<8xf32>) sigmoid
    groups(4) keep(2) top(2) normalize(1.0e-20) scale(2.5) into %experts_init, %weights_init
    : tensor<?x8xf32>, tensor<?x3xi32>, tensor<?x3xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %c3 = arith.constant 3 : index
  %m = arith.muli %t, %c3 : index
  %expert_rows_init = tensor.empty(%m) : tensor<?xi32>
  %offsets_init = tensor.empty() : tensor<9xi32>
  %expert_rows, %places, %offsets = kernel.dispatch %experts
    into %expert_rows_init, %experts_init, %offsets_init
    : tensor<?x3xi32>, tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
      -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>

  // Experts.
  %wgue = transformer.get_weight local [@gate_experts, @up_experts] layer(%layer)
    : tensor<8x8x18x!f8>
  %gateds_init = tensor.empty(%m) : tensor<?x4xbf16>
  %gateds = kernel.grouped_linear %x1 rows(%expert_rows : tensor<?xi32>), %wgue offsets(%offsets)
    into %gateds_init operand(bf16) packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%mlp_norm_w : tensor<18xbf16>) {
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
    : tensor<?x18xf32>, tensor<8x8x18x!f8>, tensor<9xi32>,
      tensor<?x4xbf16> -> tensor<?x4xbf16>
  %wde = transformer.get_weight local [@down_experts] layer(%layer)
    : tensor<8x18x4x!f8>
  %downs_init = tensor.empty(%m) : tensor<?x18xf32>
  %downs = kernel.grouped_linear %gateds, %wde offsets(%offsets)
    into %downs_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    : tensor<?x4xbf16>, tensor<8x18x4x!f8>, tensor<9xi32>,
      tensor<?x18xf32> -> tensor<?x18xf32>

  // The expert that all tokens share, the residual, and the sum of all.
  %wgu = transformer.get_weight local [@shared_gate, @shared_up] layer(%layer)
    : tensor<8x18x!f8>
  %gated_init = tensor.empty(%t) : tensor<?x4xbf16>
  %gated = kernel.linear %x1, %wgu into %gated_init operand(bf16)
    packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    prologue mean_square(%mlp_norm_w : tensor<18xbf16>) {
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
    : tensor<?x18xf32>, tensor<8x18x!f8>, tensor<?x4xbf16> -> tensor<?x4xbf16>
  %wd = transformer.get_weight local [@shared_down] layer(%layer)
    : tensor<18x4x!f8>
  %x2 = kernel.linear %gated, %wd into %x_init operand(bf16)
    packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
           block_depth = 512>)
    epilogue(%x1 : tensor<?x18xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : tensor<?x4xbf16>, tensor<18x4x!f8>, tensor<?x18xf32> -> tensor<?x18xf32>
  %x3_part = kernel.combine %downs, %places, %weights add(%x2 : tensor<?x18xf32>)
    into %x_init : tensor<?x18xf32>, tensor<?x3xi32>, tensor<?x3xf32>,
    tensor<?x18xf32> -> tensor<?x18xf32>
  %x3 = shard.all_reduce %x3_part on @devices grid_axes = [0]
    : tensor<?x18xf32> -> tensor<?x18xf32>
  return %x3 : tensor<?x18xf32>
}
