// The model of deepseek-imported.mlir after phase `graph`, by hand. Attention is absorbed:
// queries are brought into the space of the latents, and all heads share one key of
// 8 + 4 elements a token, whose beginning is the value. Routing is one op; the rows of each
// expert are gathered, multiplied by its weights and combined.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

!f8 = !transformer.scaled<f8E4M3FN, 4, 4>

transformer.weight @embed_tokens tensor("model.embed_tokens.weight") : tensor<20x18xbf16>
transformer.weight @input_layernorm tensor("model.layers.{layer}.input_layernorm.weight")
  layers(0, 2) : tensor<18xbf16>
transformer.weight @q_a_proj tensor("model.layers.{layer}.self_attn.q_a_proj.weight")
  scales("model.layers.{layer}.self_attn.q_a_proj.weight_scale_inv") layers(0, 2)
  : tensor<12x18x!f8>
transformer.weight @q_a_layernorm tensor("model.layers.{layer}.self_attn.q_a_layernorm.weight")
  layers(0, 2) : tensor<12xbf16>
transformer.weight @q_b_proj tensor("model.layers.{layer}.self_attn.q_b_proj.weight")
  scales("model.layers.{layer}.self_attn.q_b_proj.weight_scale_inv") layers(0, 2)
  halves(4, 4, 8) : tensor<32x12x!f8>
transformer.weight @kv_a_proj tensor("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight")
  scales("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight_scale_inv") layers(0, 2)
  halves(8, 4, 12) : tensor<12x18x!f8>
transformer.weight @kv_a_layernorm tensor("model.layers.{layer}.self_attn.kv_a_layernorm.weight")
  layers(0, 2) : tensor<8xbf16>
transformer.weight @kv_b_proj tensor("model.layers.{layer}.self_attn.kv_b_proj.weight")
  scales("model.layers.{layer}.self_attn.kv_b_proj.weight_scale_inv") layers(0, 2)
  : tensor<48x8x!f8>
transformer.weight @o_proj tensor("model.layers.{layer}.self_attn.o_proj.weight")
  scales("model.layers.{layer}.self_attn.o_proj.weight_scale_inv") layers(0, 2)
  : tensor<18x32x!f8>
transformer.weight @post_attention_layernorm tensor("model.layers.{layer}.post_attention_layernorm.weight")
  layers(0, 2) : tensor<18xbf16>
transformer.weight @router tensor("model.layers.{layer}.mlp.gate.weight")
  layers(0, 2) : tensor<8x18xbf16>
transformer.weight @router_bias tensor("model.layers.{layer}.mlp.gate.e_score_correction_bias")
  layers(0, 2) : tensor<8xf32>
transformer.weight @gate_experts tensor("model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight_scale_inv") layers(0, 2)
  : tensor<8x8x18x!f8>
transformer.weight @up_experts tensor("model.layers.{layer}.mlp.experts.{expert}.up_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.up_proj.weight_scale_inv") layers(0, 2)
  : tensor<8x8x18x!f8>
transformer.weight @down_experts tensor("model.layers.{layer}.mlp.experts.{expert}.down_proj.weight")
  scales("model.layers.{layer}.mlp.experts.{expert}.down_proj.weight_scale_inv") layers(0, 2)
  : tensor<8x18x8x!f8>
transformer.weight @shared_gate tensor("model.layers.{layer}.mlp.shared_experts.gate_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.gate_proj.weight_scale_inv") layers(0, 2)
  : tensor<8x18x!f8>
transformer.weight @shared_up tensor("model.layers.{layer}.mlp.shared_experts.up_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.up_proj.weight_scale_inv") layers(0, 2)
  : tensor<8x18x!f8>
transformer.weight @shared_down tensor("model.layers.{layer}.mlp.shared_experts.down_proj.weight")
  scales("model.layers.{layer}.mlp.shared_experts.down_proj.weight_scale_inv") layers(0, 2)
  : tensor<18x8x!f8>
transformer.weight @norm tensor("model.norm.weight") : tensor<18xbf16>
transformer.weight @lm_head tensor("lm_head.weight") : tensor<20x18xbf16>

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>,
                   %logit_rows: tensor<?xi32>) -> tensor<?x20xf32> {
  %table = transformer.get_weight [@embed_tokens] : tensor<20x18xbf16>
  %x = transformer.embedding %tokens, %table
    : tensor<?xi32>, tensor<20x18xbf16> -> tensor<?x18xf32>

  %first = arith.constant 0 : index
  %end = arith.constant 2 : index
  %step = arith.constant 1 : index
  %last = scf.for %layer = %first to %end step %step iter_args(%h = %x) -> tensor<?x18xf32> {
    %next = func.call @layer(%h, %positions, %layer)
      : (tensor<?x18xf32>, tensor<?xi32>, index)
      -> tensor<?x18xf32>
    scf.yield %next : tensor<?x18xf32>
  }

  %norm_w = transformer.get_weight [@norm] : tensor<18xbf16>
  %rows = transformer.gather_rows %last, %logit_rows
    : tensor<?x18xf32>, tensor<?xi32> -> tensor<?x18xf32>
  %normed = transformer.rms_norm %rows, %norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xbf16>
  %head = transformer.get_weight [@lm_head] : tensor<20x18xbf16>
  %logits = transformer.linear %normed, %head
    : tensor<?x18xbf16>, tensor<20x18xbf16> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x18xf32>, %positions: tensor<?xi32>, %layer: index)
    -> tensor<?x18xf32> {
  // Both low-rank projections are one linear layer.
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<18xbf16>
  %a = transformer.rms_norm %x, %attn_norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xbf16>
  %wa = transformer.get_weight [@q_a_proj, @kv_a_proj] layer(%layer)
    : tensor<24x18x!f8>
  %low = transformer.linear %a, %wa
    : tensor<?x18xbf16>, tensor<24x18x!f8> -> tensor<?x24xf32>
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x18xf32>
  %q_a = tensor.extract_slice %low[0, 0] [%t, 12] [1, 1]
    : tensor<?x24xf32> to tensor<?x12xf32>
  %c_flat = tensor.extract_slice %low[0, 12] [%t, 8] [1, 1]
    : tensor<?x24xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %low[0, 20] [%t, 4] [1, 1]
    : tensor<?x24xf32> to tensor<?x4xf32>
  %q_norm_w = transformer.get_weight [@q_a_layernorm] layer(%layer) : tensor<12xbf16>
  %cq = transformer.rms_norm %q_a, %q_norm_w epsilon(1.0e-6)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wqb = transformer.get_weight [@q_b_proj] layer(%layer)
    : tensor<32x12x!f8>
  %q_flat = transformer.linear %cq, %wqb
    : tensor<?x12xbf16>, tensor<32x12x!f8> -> tensor<?x32xf32>
  %q = tensor.expand_shape %q_flat [[0], [1, 2]] output_shape [%t, 4, 8]
    : tensor<?x32xf32> into tensor<?x4x8xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%t, 4, 4] [1, 1, 1]
    : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%t, 4, 4] [1, 1, 1]
    : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %positions
    frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>

  // The latent of a token: normalised elements, then rotated ones.
  %kv_norm_w = transformer.get_weight [@kv_a_layernorm] layer(%layer) : tensor<8xbf16>
  %c = transformer.rms_norm %c_flat, %kv_norm_w epsilon(1.0e-6)
    : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %positions
    frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_row = tensor.collapse_shape %k_rotated [[0], [1, 2]]
    : tensor<?x1x4xbf16> into tensor<?x4xbf16>
  %latent_row = tensor.concat dim(1) %c, %k_row
    : (tensor<?x8xbf16>, tensor<?x4xbf16>) -> tensor<?x12xbf16>
  %latent = tensor.expand_shape %latent_row [[0], [1, 2]] output_shape [%t, 1, 12]
    : tensor<?x12xbf16> into tensor<?x1x12xbf16>

  // Absorbed: what would expand the keys multiplies the queries, what would expand the
  // values multiplies the result.
  %wkvb = transformer.get_weight [@kv_b_proj] layer(%layer)
    : tensor<48x8x!f8>
  %wkvb_heads = tensor.expand_shape %wkvb [[0, 1], [2]] output_shape [4, 12, 8]
    : tensor<48x8x!f8> into tensor<4x12x8x!f8>
  %w_uk = tensor.extract_slice %wkvb_heads[0, 0, 0] [4, 4, 8] [1, 1, 1]
    : tensor<4x12x8x!f8> to tensor<4x4x8x!f8>
  %w_uv = tensor.extract_slice %wkvb_heads[0, 4, 0] [4, 8, 8] [1, 1, 1]
    : tensor<4x12x8x!f8> to tensor<4x8x8x!f8>
  %q_latent = transformer.head_linear %q_nope, %w_uk transposed
    : tensor<?x4x4xbf16>, tensor<4x4x8x!f8> -> tensor<?x4x8xbf16>
  %query = tensor.concat dim(2) %q_latent, %q_rotated
    : (tensor<?x4x8xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x12xbf16>
  %value = tensor.extract_slice %latent[0, 0, 0] [%t, 1, 8] [1, 1, 1]
    : tensor<?x1x12xbf16> to tensor<?x1x8xbf16>
  %u = transformer.attention %query, %latent, %value positions(%positions, %positions)
    scale(0.35) : tensor<?x4x12xbf16>, tensor<?x1x12xbf16>, tensor<?x1x8xbf16>,
    tensor<?xi32>, tensor<?xi32> -> tensor<?x4x8xbf16>
  %o_heads = transformer.head_linear %u, %w_uv
    : tensor<?x4x8xbf16>, tensor<4x8x8x!f8> -> tensor<?x4x8xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x4x8xbf16> into tensor<?x32xbf16>
  %wo = transformer.get_weight [@o_proj] layer(%layer)
    : tensor<18x32x!f8>
  %attention = transformer.linear %o, %wo
    : tensor<?x32xbf16>, tensor<18x32x!f8> -> tensor<?x18xf32>

  // Routing.
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<18xbf16>
  %x1, %m_wide = transformer.residual_rms_norm %x, %attention, %mlp_norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xf32>
  %m = arith.truncf %m_wide : tensor<?x18xf32> to tensor<?x18xbf16>
  %wr = transformer.get_weight [@router] layer(%layer) : tensor<8x18xbf16>
  %router_logits = transformer.linear %m_wide, %wr
    : tensor<?x18xf32>, tensor<8x18xbf16> -> tensor<?x8xf32>
  %bias = transformer.get_weight [@router_bias] layer(%layer) : tensor<8xf32>
  %experts, %weights = transformer.route %router_logits bias(%bias : tensor<8xf32>)
    sigmoid groups(4) keep(2) top(2) normalize(1.0e-20) scale(2.5)
    : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>

  // The rows of each expert, one expert after another.
  %expert_rows, %places, %offsets = transformer.dispatch %experts
    : tensor<?x3xi32> -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
  %gathered = transformer.gather_rows %m, %expert_rows
    : tensor<?x18xbf16>, tensor<?xi32> -> tensor<?x18xbf16>
  %wgue = transformer.get_weight [@gate_experts, @up_experts] layer(%layer)
    : tensor<8x16x18x!f8>
  %gate_ups = transformer.grouped_linear %gathered, %wgue offsets(%offsets)
    : tensor<?x18xbf16>, tensor<8x16x18x!f8>,
    tensor<9xi32> -> tensor<?x16xf32>
  %gateds = transformer.swiglu %gate_ups : tensor<?x16xf32> -> tensor<?x8xbf16>
  %wde = transformer.get_weight [@down_experts] layer(%layer)
    : tensor<8x18x8x!f8>
  %downs = transformer.grouped_linear %gateds, %wde offsets(%offsets)
    : tensor<?x8xbf16>, tensor<8x18x8x!f8>,
    tensor<9xi32> -> tensor<?x18xf32>
  %routed = transformer.combine %downs, %places, %weights
    : tensor<?x18xf32>, tensor<?x3xi32>, tensor<?x3xf32> -> tensor<?x18xf32>
  %x2 = arith.addf %x1, %routed : tensor<?x18xf32>

  // The expert that all tokens share.
  %wgu = transformer.get_weight [@shared_gate, @shared_up] layer(%layer)
    : tensor<16x18x!f8>
  %gate_up = transformer.linear %m, %wgu
    : tensor<?x18xbf16>, tensor<16x18x!f8> -> tensor<?x16xf32>
  %gated = transformer.swiglu %gate_up : tensor<?x16xf32> -> tensor<?x8xbf16>
  %wd = transformer.get_weight [@shared_down] layer(%layer)
    : tensor<18x8x!f8>
  %shared = transformer.linear %gated, %wd
    : tensor<?x8xbf16>, tensor<18x8x!f8> -> tensor<?x18xf32>
  %x3 = arith.addf %x2, %shared : tensor<?x18xf32>
  return %x3 : tensor<?x18xf32>
}
