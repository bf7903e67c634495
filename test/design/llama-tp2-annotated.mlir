// The model of llama-batched.mlir for two devices, by hand, as a plan of the sharding
// annotates it: `split` says of which weights each device has a part. Nothing is computed
// differently yet.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

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
  %logits = transformer.linear %normed, %table
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>,
                         %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                         %layer: index) -> tensor<?x12xf32> {
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<12xbf16>
  %a = transformer.rms_norm %x, %attn_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wqkv = transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%layer)
    : tensor<32x12xbf16>
  %qkv = transformer.linear %a, %wqkv
    : tensor<?x12xbf16>, tensor<32x12xbf16> -> tensor<?x32xf32>

  %c0 = arith.constant 0 : index
  %rows = tensor.dim %qkv, %c0 : tensor<?x32xf32>
  %q_flat = tensor.extract_slice %qkv[0, 0] [%rows, 16] [1, 1]
    : tensor<?x32xf32> to tensor<?x16xf32>
  %k_flat = tensor.extract_slice %qkv[0, 16] [%rows, 8] [1, 1]
    : tensor<?x32xf32> to tensor<?x8xf32>
  %v_flat = tensor.extract_slice %qkv[0, 24] [%rows, 8] [1, 1]
    : tensor<?x32xf32> to tensor<?x8xf32>
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

  transformer.cache_append @cache layer(%layer), %k, %v
    at(%positions, %sequences, %page_table) : tensor<?x2x4xbf16>,
    tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  %o_heads = transformer.paged_attention @cache layer(%layer), %q
    at(%positions, %sequences, %page_table) scale(0.5)
    : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
      -> tensor<?x4x4xbf16>
  %o = tensor.collapse_shape %o_heads [[0], [1, 2]]
    : tensor<?x4x4xbf16> into tensor<?x16xbf16>
  %wo = transformer.get_weight [@o_proj] layer(%layer) : tensor<12x16xbf16>
  %attention = transformer.linear %o, %wo
    : tensor<?x16xbf16>, tensor<12x16xbf16> -> tensor<?x12xf32>

  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<12xbf16>
  %x1, %m = transformer.residual_rms_norm %x, %attention, %mlp_norm_w epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %wgu = transformer.get_weight [@gate_proj, @up_proj] layer(%layer) : tensor<48x12xbf16>
  %gate_up = transformer.linear %m, %wgu
    : tensor<?x12xbf16>, tensor<48x12xbf16> -> tensor<?x48xf32>
  %gated = transformer.swiglu %gate_up : tensor<?x48xf32> -> tensor<?x24xbf16>
  %wd = transformer.get_weight [@down_proj] layer(%layer) : tensor<12x24xbf16>
  %mlp = transformer.linear %gated, %wd
    : tensor<?x24xbf16>, tensor<12x24xbf16> -> tensor<?x12xf32>
  %x2 = arith.addf %x1, %mlp : tensor<?x12xf32>
  return %x2 : tensor<?x12xf32>
}
