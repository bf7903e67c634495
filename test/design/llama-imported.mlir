// A Llama of two layers, by hand, as an importer writes it: one sequence, small
// ops. Hidden size 12, 4 query heads that share 2 key/value heads of size 4, MLP
// of 24, 20 tokens, tied embeddings. bf16 weights: what linear layers and the
// attention multiply is bf16, the rest f32.
//
// llama-fused.mlir and llama-batched.mlir are the same model after phases `graph`
// and `batch`.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

transformer.weight @embed_tokens tensor("model.embed_tokens.weight") : tensor<20x12xbf16>
transformer.weight @input_layernorm tensor("model.layers.{layer}.input_layernorm.weight")
  layers(0, 2) : tensor<12xbf16>
transformer.weight @q_proj tensor("model.layers.{layer}.self_attn.q_proj.weight")
  layers(0, 2) : tensor<16x12xbf16>
transformer.weight @k_proj tensor("model.layers.{layer}.self_attn.k_proj.weight")
  layers(0, 2) : tensor<8x12xbf16>
transformer.weight @v_proj tensor("model.layers.{layer}.self_attn.v_proj.weight")
  layers(0, 2) : tensor<8x12xbf16>
transformer.weight @o_proj tensor("model.layers.{layer}.self_attn.o_proj.weight")
  layers(0, 2) : tensor<12x16xbf16>
transformer.weight @post_attention_layernorm
  tensor("model.layers.{layer}.post_attention_layernorm.weight") layers(0, 2) : tensor<12xbf16>
transformer.weight @gate_proj tensor("model.layers.{layer}.mlp.gate_proj.weight")
  layers(0, 2) : tensor<24x12xbf16>
transformer.weight @up_proj tensor("model.layers.{layer}.mlp.up_proj.weight")
  layers(0, 2) : tensor<24x12xbf16>
transformer.weight @down_proj tensor("model.layers.{layer}.mlp.down_proj.weight")
  layers(0, 2) : tensor<12x24xbf16>
transformer.weight @norm tensor("model.norm.weight") : tensor<12xbf16>

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x20xf32> {
  %table = transformer.get_weight [@embed_tokens] : tensor<20x12xbf16>
  %x = transformer.embedding %tokens, %table
    : tensor<?xi32>, tensor<20x12xbf16> -> tensor<?x12xf32>

  %first = arith.constant 0 : index
  %end = arith.constant 2 : index
  %step = arith.constant 1 : index
  %last = scf.for %layer = %first to %end step %step iter_args(%h = %x) -> tensor<?x12xf32> {
    %next = func.call @layer(%h, %positions, %layer)
      : (tensor<?x12xf32>, tensor<?xi32>, index) -> tensor<?x12xf32>
    scf.yield %next : tensor<?x12xf32>
  }

  %norm_w = transformer.get_weight [@norm] : tensor<12xbf16>
  %normed = transformer.rms_norm %last, %norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %head = transformer.get_weight [@embed_tokens] : tensor<20x12xbf16>
  %logits = transformer.linear %normed, %head
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>, %layer: index)
    -> tensor<?x12xf32> {
  // Projections to query, key and value.
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<12xbf16>
  %a = transformer.rms_norm %x, %attn_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wq = transformer.get_weight [@q_proj] layer(%layer) : tensor<16x12xbf16>
  %q_flat = transformer.linear %a, %wq
    : tensor<?x12xbf16>, tensor<16x12xbf16> -> tensor<?x16xf32>
  %wk = transformer.get_weight [@k_proj] layer(%layer) : tensor<8x12xbf16>
  %k_flat = transformer.linear %a, %wk
    : tensor<?x12xbf16>, tensor<8x12xbf16> -> tensor<?x8xf32>
  %wv = transformer.get_weight [@v_proj] layer(%layer) : tensor<8x12xbf16>
  %v_flat = transformer.linear %a, %wv
    : tensor<?x12xbf16>, tensor<8x12xbf16> -> tensor<?x8xf32>

  // Heads, and the rotation of queries and keys.
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x12xf32>
  %q_heads = tensor.expand_shape %q_flat [[0], [1, 2]] output_shape [%t, 4, 4]
    : tensor<?x16xf32> into tensor<?x4x4xf32>
  %q = transformer.rotary_embedding %q_heads, %positions frequencies([1.0, 0.01])
    : tensor<?x4x4xf32>, tensor<?xi32> -> tensor<?x4x4xbf16>
  %k_heads = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%t, 2, 4]
    : tensor<?x8xf32> into tensor<?x2x4xf32>
  %k = transformer.rotary_embedding %k_heads, %positions frequencies([1.0, 0.01])
    : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %v_heads = tensor.expand_shape %v_flat [[0], [1, 2]] output_shape [%t, 2, 4]
    : tensor<?x8xf32> into tensor<?x2x4xf32>
  %v = arith.truncf %v_heads : tensor<?x2x4xf32> to tensor<?x2x4xbf16>

  // Attention.
  %keys = transformer.repeat_heads %k times(2) : tensor<?x2x4xbf16> -> tensor<?x4x4xbf16>
  %values = transformer.repeat_heads %v times(2) : tensor<?x2x4xbf16> -> tensor<?x4x4xbf16>
  %scores = transformer.einsum "thd,shd->hts" %q, %keys
    : tensor<?x4x4xbf16>, tensor<?x4x4xbf16> -> tensor<4x?x?xf32>
  %scaled = transformer.scale %scores by(0.5) : tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scaled, %positions, %positions
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %p = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xbf16>
  %o_heads = transformer.einsum "hts,she->the" %p, %values
    : tensor<4x?x?xbf16>, tensor<?x4x4xbf16> -> tensor<?x4x4xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x4x4xbf16> into tensor<?x16xbf16>
  %wo = transformer.get_weight [@o_proj] layer(%layer) : tensor<12x16xbf16>
  %attention = transformer.linear %o, %wo
    : tensor<?x16xbf16>, tensor<12x16xbf16> -> tensor<?x12xf32>
  %x1 = arith.addf %x, %attention : tensor<?x12xf32>

  // Gated MLP.
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<12xbf16>
  %m = transformer.rms_norm %x1, %mlp_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wg = transformer.get_weight [@gate_proj] layer(%layer) : tensor<24x12xbf16>
  %gate = transformer.linear %m, %wg
    : tensor<?x12xbf16>, tensor<24x12xbf16> -> tensor<?x24xf32>
  %wu = transformer.get_weight [@up_proj] layer(%layer) : tensor<24x12xbf16>
  %up = transformer.linear %m, %wu
    : tensor<?x12xbf16>, tensor<24x12xbf16> -> tensor<?x24xf32>
  %open = transformer.silu %gate : tensor<?x24xf32> -> tensor<?x24xf32>
  %product = arith.mulf %open, %up : tensor<?x24xf32>
  %gated = arith.truncf %product : tensor<?x24xf32> to tensor<?x24xbf16>
  %wd = transformer.get_weight [@down_proj] layer(%layer) : tensor<12x24xbf16>
  %mlp = transformer.linear %gated, %wd
    : tensor<?x24xbf16>, tensor<12x24xbf16> -> tensor<?x12xf32>
  %x2 = arith.addf %x1, %mlp : tensor<?x12xf32>
  return %x2 : tensor<?x12xf32>
}
