// A model of two latent-attention expert layers, by hand, as an importer writes it: one
// sequence, small ops. Hidden size 18, 4 heads with keys of 4 elements that are not
// rotated and 4 that are, values of 8; queries through rank 12, keys and values through
// rank 8. 8 experts in 4 groups, 3 for each token, and one that all share. Weights are
// FP8 with a scale for each block of 4 by 4 (DeepSeek-V3: 128 by 128); 18 is no multiple
// of 4, so that there are blocks at edges.
//
// No op knows that this is latent attention or a mixture of experts. deepseek-fused.mlir
// and deepseek-batched.mlir are the same model after phases `graph` and `batch`.
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
  : tensor<32x12x!f8>
transformer.weight @kv_a_proj tensor("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight")
  scales("model.layers.{layer}.self_attn.kv_a_proj_with_mqa.weight_scale_inv") layers(0, 2)
  : tensor<12x18x!f8>
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

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x20xf32> {
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
  %normed = transformer.rms_norm %last, %norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xbf16>
  %head = transformer.get_weight [@lm_head] : tensor<20x18xbf16>
  %logits = transformer.linear %normed, %head
    : tensor<?x18xbf16>, tensor<20x18xbf16> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x18xf32>, %positions: tensor<?xi32>, %layer: index)
    -> tensor<?x18xf32> {
  // Queries, through a low rank.
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<18xbf16>
  %a = transformer.rms_norm %x, %attn_norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xbf16>
  %wqa = transformer.get_weight [@q_a_proj] layer(%layer)
    : tensor<12x18x!f8>
  %q_a = transformer.linear %a, %wqa
    : tensor<?x18xbf16>, tensor<12x18x!f8> -> tensor<?x12xf32>
  %q_norm_w = transformer.get_weight [@q_a_layernorm] layer(%layer) : tensor<12xbf16>
  %cq = transformer.rms_norm %q_a, %q_norm_w epsilon(1.0e-6)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wqb = transformer.get_weight [@q_b_proj] layer(%layer)
    : tensor<32x12x!f8>
  %q_flat = transformer.linear %cq, %wqb
    : tensor<?x12xbf16>, tensor<32x12x!f8> -> tensor<?x32xf32>
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x18xf32>
  %q = tensor.expand_shape %q_flat [[0], [1, 2]] output_shape [%t, 4, 8]
    : tensor<?x32xf32> into tensor<?x4x8xf32>
  %q_nope_wide = tensor.extract_slice %q[0, 0, 0] [%t, 4, 4] [1, 1, 1]
    : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_nope = arith.truncf %q_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %q_pe = tensor.extract_slice %q[0, 0, 4] [%t, 4, 4] [1, 1, 1]
    : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %q_rotated = transformer.rotary_embedding %q_pe, %positions interleaved
    frequencies([1.0, 0.01]) : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %query = tensor.concat dim(2) %q_nope, %q_rotated
    : (tensor<?x4x4xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x8xbf16>

  // Keys and values, through a lower rank, and one rotated key that all heads share.
  %wkva = transformer.get_weight [@kv_a_proj] layer(%layer)
    : tensor<12x18x!f8>
  %kv_a = transformer.linear %a, %wkva
    : tensor<?x18xbf16>, tensor<12x18x!f8> -> tensor<?x12xf32>
  %c_flat = tensor.extract_slice %kv_a[0, 0] [%t, 8] [1, 1]
    : tensor<?x12xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %kv_a[0, 8] [%t, 4] [1, 1]
    : tensor<?x12xf32> to tensor<?x4xf32>
  %kv_norm_w = transformer.get_weight [@kv_a_layernorm] layer(%layer) : tensor<8xbf16>
  %c = transformer.rms_norm %c_flat, %kv_norm_w epsilon(1.0e-6)
    : tensor<?x8xf32>, tensor<8xbf16> -> tensor<?x8xbf16>
  %k_head = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k_rotated = transformer.rotary_embedding %k_head, %positions interleaved
    frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %wkvb = transformer.get_weight [@kv_b_proj] layer(%layer)
    : tensor<48x8x!f8>
  %kv_flat = transformer.linear %c, %wkvb
    : tensor<?x8xbf16>, tensor<48x8x!f8> -> tensor<?x48xf32>
  %kv = tensor.expand_shape %kv_flat [[0], [1, 2]] output_shape [%t, 4, 12]
    : tensor<?x48xf32> into tensor<?x4x12xf32>
  %k_nope_wide = tensor.extract_slice %kv[0, 0, 0] [%t, 4, 4] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x4xf32>
  %k_nope = arith.truncf %k_nope_wide : tensor<?x4x4xf32> to tensor<?x4x4xbf16>
  %v_wide = tensor.extract_slice %kv[0, 0, 4] [%t, 4, 8] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x8xf32>
  %values = arith.truncf %v_wide : tensor<?x4x8xf32> to tensor<?x4x8xbf16>
  %k_rotated_all = transformer.repeat_heads %k_rotated times(4)
    : tensor<?x1x4xbf16> -> tensor<?x4x4xbf16>
  %keys = tensor.concat dim(2) %k_nope, %k_rotated_all
    : (tensor<?x4x4xbf16>, tensor<?x4x4xbf16>) -> tensor<?x4x8xbf16>

  // Attention.
  %scores = transformer.einsum "thd,shd->hts" %query, %keys
    : tensor<?x4x8xbf16>, tensor<?x4x8xbf16> -> tensor<4x?x?xf32>
  %scaled = transformer.scale %scores by(0.35) : tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scaled, %positions, %positions
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %p = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xbf16>
  %o_heads = transformer.einsum "hts,she->the" %p, %values
    : tensor<4x?x?xbf16>, tensor<?x4x8xbf16> -> tensor<?x4x8xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x4x8xbf16> into tensor<?x32xbf16>
  %wo = transformer.get_weight [@o_proj] layer(%layer)
    : tensor<18x32x!f8>
  %attention = transformer.linear %o, %wo
    : tensor<?x32xbf16>, tensor<18x32x!f8> -> tensor<?x18xf32>
  %x1 = arith.addf %x, %attention : tensor<?x18xf32>

  // The router. It reads the norm in f32.
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<18xbf16>
  %m_wide = transformer.rms_norm %x1, %mlp_norm_w epsilon(1.0e-6)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xf32>
  %m = arith.truncf %m_wide : tensor<?x18xf32> to tensor<?x18xbf16>
  %wr = transformer.get_weight [@router] layer(%layer) : tensor<8x18xbf16>
  %router_logits = transformer.linear %m_wide, %wr
    : tensor<?x18xf32>, tensor<8x18xbf16> -> tensor<?x8xf32>
  %expert_scores = transformer.sigmoid %router_logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %bias = transformer.get_weight [@router_bias] layer(%layer) : tensor<8xf32>
  %experts = transformer.select_experts %expert_scores bias(%bias : tensor<8xf32>)
    groups(4) keep(2) top(2) : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %expert_scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  %normalised = transformer.sum_norm %chosen epsilon(1.0e-20) : tensor<?x3xf32>
  %weights = transformer.scale %normalised by(2.5) : tensor<?x3xf32>

  // The weighted sum of the chosen experts.
  %wge = transformer.get_weight [@gate_experts] layer(%layer)
    : tensor<8x8x18x!f8>
  %gates = transformer.expert_linear %m, %experts, %wge : tensor<?x18xbf16>,
    tensor<?x3xi32>, tensor<8x8x18x!f8> -> tensor<?x3x8xf32>
  %wue = transformer.get_weight [@up_experts] layer(%layer)
    : tensor<8x8x18x!f8>
  %ups = transformer.expert_linear %m, %experts, %wue : tensor<?x18xbf16>,
    tensor<?x3xi32>, tensor<8x8x18x!f8> -> tensor<?x3x8xf32>
  %opens = transformer.silu %gates : tensor<?x3x8xf32> -> tensor<?x3x8xf32>
  %products = arith.mulf %opens, %ups : tensor<?x3x8xf32>
  %gateds = arith.truncf %products : tensor<?x3x8xf32> to tensor<?x3x8xbf16>
  %wde = transformer.get_weight [@down_experts] layer(%layer)
    : tensor<8x18x8x!f8>
  %downs = transformer.expert_linear %gateds, %experts, %wde : tensor<?x3x8xbf16>,
    tensor<?x3xi32>, tensor<8x18x8x!f8> -> tensor<?x3x18xf32>
  %routed = transformer.einsum "tj,tjn->tn" %weights, %downs
    : tensor<?x3xf32>, tensor<?x3x18xf32> -> tensor<?x18xf32>
  %x2 = arith.addf %x1, %routed : tensor<?x18xf32>

  // The expert that all tokens share.
  %wg = transformer.get_weight [@shared_gate] layer(%layer)
    : tensor<8x18x!f8>
  %gate = transformer.linear %m, %wg
    : tensor<?x18xbf16>, tensor<8x18x!f8> -> tensor<?x8xf32>
  %wu = transformer.get_weight [@shared_up] layer(%layer)
    : tensor<8x18x!f8>
  %up = transformer.linear %m, %wu
    : tensor<?x18xbf16>, tensor<8x18x!f8> -> tensor<?x8xf32>
  %open = transformer.silu %gate : tensor<?x8xf32> -> tensor<?x8xf32>
  %product = arith.mulf %open, %up : tensor<?x8xf32>
  %gated = arith.truncf %product : tensor<?x8xf32> to tensor<?x8xbf16>
  %wd = transformer.get_weight [@shared_down] layer(%layer)
    : tensor<18x8x!f8>
  %shared = transformer.linear %gated, %wd
    : tensor<?x8xbf16>, tensor<18x8x!f8> -> tensor<?x18xf32>
  %x3 = arith.addf %x2, %shared : tensor<?x18xf32>
  return %x3 : tensor<?x18xf32>
}
