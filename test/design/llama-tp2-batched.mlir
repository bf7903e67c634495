// The model of llama-tp2-annotated.mlir after phase `shard`, by hand: the program of each of
// two devices. It has half of the heads and half of the hidden units, reads its part of the
// weights (`local`) and adds up what the other has, twice a layer. The table of the
// embedding is whole, and half of it makes half of the logits.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

transformer.cache @cache layers(2) heads(1) key(4) value(4) : bf16

shard.grid @devices(shape = 2)

transformer.weight @embed_tokens tensor("model.embed_tokens.weight")
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<20x12xbf16>
transformer.weight @input_layernorm tensor("model.layers.{layer}.input_layernorm.weight")
  layers(0, 2) : tensor<12xbf16>
transformer.weight @q_proj tensor("model.layers.{layer}.self_attn.q_proj.weight")
  layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<16x12xbf16>
transformer.weight @k_proj tensor("model.layers.{layer}.self_attn.k_proj.weight")
  layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<8x12xbf16>
transformer.weight @v_proj tensor("model.layers.{layer}.self_attn.v_proj.weight")
  layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<8x12xbf16>
transformer.weight @o_proj tensor("model.layers.{layer}.self_attn.o_proj.weight")
  layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>) : tensor<12x16xbf16>
transformer.weight @post_attention_layernorm
  tensor("model.layers.{layer}.post_attention_layernorm.weight") layers(0, 2) : tensor<12xbf16>
transformer.weight @gate_proj tensor("model.layers.{layer}.mlp.gate_proj.weight")
  layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<24x12xbf16>
transformer.weight @up_proj tensor("model.layers.{layer}.mlp.up_proj.weight")
  layers(0, 2)
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<24x12xbf16>
transformer.weight @down_proj tensor("model.layers.{layer}.mlp.down_proj.weight")
  layers(0, 2)
  split(<dimension = 1, grid = @devices, axis = 0>) : tensor<12x24xbf16>
transformer.weight @norm tensor("model.norm.weight") : tensor<12xbf16>

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>,
                   %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                   %logit_rows: tensor<?xi32>) -> tensor<?x20xf32> {
  %table = transformer.get_weight [@embed_tokens] : tensor<20x12xbf16>
  %x = transformer.embedding %tokens, %table
    : tensor<?xi32>, tensor<20x12xbf16> -> tensor<?x12xf32>

  %first = arith.constant 0 : index
  %end = arith.constant 2 : index
  %step = arith.constant 1 : index
  %last = scf.for %layer = %first to %end step %step iter_args(%h = %x) -> tensor<?x12xf32> {
    %next = func.call @layer(%h, %positions, %sequences, %page_table, %layer)
      : (tensor<?x12xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, index)
      -> tensor<?x12xf32>
    scf.yield %next : tensor<?x12xf32>
  }

  %norm_w = transformer.get_weight [@norm] : tensor<12xbf16>
  %rows = transformer.gather_rows %last, %logit_rows
    : tensor<?x12xf32>, tensor<?xi32> -> tensor<?x12xf32>
  %normed = transformer.rms_norm %rows, %norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %head = transformer.get_weight local [@embed_tokens] : tensor<10x12xbf16>
  %logits_part = transformer.linear %normed, %head
    : tensor<?x12xbf16>, tensor<10x12xbf16> -> tensor<?x10xf32>
  %logits = shard.all_gather %logits_part on @devices grid_axes = [0] gather_axis = 1
    : tensor<?x10xf32> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>,
                         %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                         %layer: index) -> tensor<?x12xf32> {
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<12xbf16>
  %a = transformer.rms_norm %x, %attn_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wqkv = transformer.get_weight local [@q_proj, @k_proj, @v_proj] layer(%layer)
    : tensor<16x12xbf16>
  %qkv = transformer.linear %a, %wqkv
    : tensor<?x12xbf16>, tensor<16x12xbf16> -> tensor<?x16xf32>

  %c0 = arith.constant 0 : index
  %rows = tensor.dim %qkv, %c0 : tensor<?x16xf32>
  %q_flat = tensor.extract_slice %qkv[0, 0] [%rows, 8] [1, 1]
    : tensor<?x16xf32> to tensor<?x8xf32>
  %k_flat = tensor.extract_slice %qkv[0, 8] [%rows, 4] [1, 1]
    : tensor<?x16xf32> to tensor<?x4xf32>
  %v_flat = tensor.extract_slice %qkv[0, 12] [%rows, 4] [1, 1]
    : tensor<?x16xf32> to tensor<?x4xf32>
  %t = tensor.dim %x, %c0 : tensor<?x12xf32>
  %q_heads = tensor.expand_shape %q_flat [[0], [1, 2]] output_shape [%t, 2, 4]
    : tensor<?x8xf32> into tensor<?x2x4xf32>
  %q = transformer.rotary_embedding %q_heads, %positions frequencies([1.0, 0.01])
    : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %k_heads = tensor.expand_shape %k_flat [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k = transformer.rotary_embedding %k_heads, %positions frequencies([1.0, 0.01])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %v_heads = tensor.expand_shape %v_flat [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %v = arith.truncf %v_heads : tensor<?x1x4xf32> to tensor<?x1x4xbf16>

  transformer.cache_append @cache layer(%layer), %k, %v
    at(%positions, %sequences, %page_table) : tensor<?x1x4xbf16>,
    tensor<?x1x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o_heads = transformer.paged_attention @cache layer(%layer), %q
    at(%positions, %sequences, %page_table) scale(0.5)
    : tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
      -> tensor<?x2x4xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x2x4xbf16> into tensor<?x8xbf16>
  %wo = transformer.get_weight local [@o_proj] layer(%layer) : tensor<12x8xbf16>
  %attention_part = transformer.linear %o, %wo
    : tensor<?x8xbf16>, tensor<12x8xbf16> -> tensor<?x12xf32>
  %attention = shard.all_reduce %attention_part on @devices grid_axes = [0]
    : tensor<?x12xf32> -> tensor<?x12xf32>

  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<12xbf16>
  %x1, %m = transformer.residual_rms_norm %x, %attention, %mlp_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wgu = transformer.get_weight local [@gate_proj, @up_proj] layer(%layer) : tensor<24x12xbf16>
  %gate_up = transformer.linear %m, %wgu
    : tensor<?x12xbf16>, tensor<24x12xbf16> -> tensor<?x24xf32>
  %gated = transformer.swiglu %gate_up : tensor<?x24xf32> -> tensor<?x12xbf16>
  %wd = transformer.get_weight local [@down_proj] layer(%layer) : tensor<12x12xbf16>
  %mlp_part = transformer.linear %gated, %wd
    : tensor<?x12xbf16>, tensor<12x12xbf16> -> tensor<?x12xf32>
  %mlp = shard.all_reduce %mlp_part on @devices grid_axes = [0]
    : tensor<?x12xf32> -> tensor<?x12xf32>
  %x2 = arith.addf %x1, %mlp : tensor<?x12xf32>
  return %x2 : tensor<?x12xf32>
}
