// The model of llama-batched.mlir after phase `lower`, by hand: eight launches. What
// was an op is the prologue (norm) or the epilogue (gate, residual) of a linear layer,
// rotation and cache are one kernel, and every kernel has a destination. Packings and
// configurations are those of x86-64-v3.
// RUN: tcc-opt %s | tcc-opt -o /dev/null

transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

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

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>,
                   %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                   %logit_rows: tensor<?xi32>) -> tensor<?x20xf32> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %table = transformer.get_weight [@embed_tokens] : tensor<20x12xbf16>
  %t = tensor.dim %tokens, %c0 : tensor<?xi32>
  %x_init = tensor.empty(%t) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %table into %x_init packing(<columns = 32>)
    : tensor<?xi32>, tensor<20x12xbf16>, tensor<?x12xf32> -> tensor<?x12xf32>

  %last = scf.for %layer = %c0 to %c2 step %c1 iter_args(%h = %x) -> tensor<?x12xf32> {
    %next = func.call @layer(%h, %positions, %sequences, %page_table, %layer)
      : (tensor<?x12xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>, index)
      -> tensor<?x12xf32>
    scf.yield %next : tensor<?x12xf32>
  }

  %norm_w = transformer.get_weight [@norm] : tensor<12xbf16>
  %r = tensor.dim %logit_rows, %c0 : tensor<?xi32>
  %rows_init = tensor.empty(%r) : tensor<?x12xf32>
  %rows = kernel.gather_rows %last, %logit_rows into %rows_init
    : tensor<?x12xf32>, tensor<?xi32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // The last layer reads the table of the embedding in the packing that both share.
  %logits_init = tensor.empty(%r) : tensor<?x20xf32>
  %logits = kernel.linear %rows, %table into %logits_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%norm_w : tensor<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-5 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x12xf32>, tensor<20x12xbf16>, tensor<?x20xf32> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>,
                         %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                         %layer: index) -> tensor<?x12xf32> {
  // Norm, then query, key and value as one linear layer.
  %c0 = arith.constant 0 : index
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<12xbf16>
  %wqkv = transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%layer)
    : tensor<32x12xbf16>
  %rows = tensor.dim %x, %c0 : tensor<?x12xf32>
  %qkv_init = tensor.empty(%rows) : tensor<?x32xf32>
  %qkv = kernel.linear %x, %wqkv into %qkv_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%attn_norm_w : tensor<12xbf16>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %epsilon = arith.constant 1.0e-5 : f32
      %shifted = arith.addf %mean, %epsilon : f32
      %factor = math.rsqrt %shifted : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    }
    : tensor<?x12xf32>, tensor<32x12xbf16>, tensor<?x32xf32> -> tensor<?x32xf32>

  // Rotation; keys and values go to the cache, queries to the attention.
  %pages = kernel.cache_layer @cache layer(%layer) : memref<?xi8>
  %rotary = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0)
    : tensor<?xi32> -> tensor<?x2x2xf32>
  %t = tensor.dim %positions, %c0 : tensor<?xi32>
  %q_init = tensor.empty(%t) : tensor<?x4x4xbf16>
  %q = kernel.rotary_append %qkv rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %q_init
    layout(<page_tokens = 64, heads = 2, key_size = 4, value_size = 4, element = bf16>)
    : (tensor<?x32xf32>), tensor<?x2x2xf32>, tensor<?xi32>, tensor<?xi32>,
      tensor<?x?xi32>, memref<?xi8>, tensor<?x4x4xbf16> -> tensor<?x4x4xbf16>
  %o_init = tensor.empty(%t) : tensor<?x16xbf16>
  %o = kernel.attention %q at(%positions, %sequences, %page_table) cache(%pages)
    into %o_init scale(0.5)
    layout(<page_tokens = 64, heads = 2, key_size = 4, value_size = 4, element = bf16>)
    config(<block_tokens = 48, tile_rows = 6, tile_columns = 16>)
    : tensor<?x4x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
      memref<?xi8>, tensor<?x16xbf16> -> tensor<?x16xbf16>

  // Output projection and residual.
  %wo = transformer.get_weight [@o_proj] layer(%layer) : tensor<12x16xbf16>
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<12xbf16>
  %x_init = tensor.empty(%t) : tensor<?x12xf32>
  %x1 = kernel.linear %o, %wo into %x_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%x : tensor<?x12xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %result = arith.addf %sum, %residual : f32
      kernel.yield %result : f32
    }
    : tensor<?x16xbf16>, tensor<12x16xbf16>, tensor<?x12xf32> -> tensor<?x12xf32>

  // Norm, gate and value, gated unit.
  %wgu = transformer.get_weight [@gate_proj, @up_proj] layer(%layer) : tensor<48x12xbf16>
  %gated_init = tensor.empty(%t) : tensor<?x24xbf16>
  %gated = kernel.linear %x1, %wgu into %gated_init operand(bf16)
    packing(<columns = 32, paired = true>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    prologue mean_square(%mlp_norm_w : tensor<12xbf16>) {
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
    : tensor<?x12xf32>, tensor<48x12xbf16>, tensor<?x24xbf16> -> tensor<?x24xbf16>

  // Down projection and residual.
  %wd = transformer.get_weight [@down_proj] layer(%layer) : tensor<12x24xbf16>
  %x2 = kernel.linear %gated, %wd into %x_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%x1 : tensor<?x12xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %result = arith.addf %sum, %residual : f32
      kernel.yield %result : f32
    }
    : tensor<?x24xbf16>, tensor<12x24xbf16>, tensor<?x12xf32> -> tensor<?x12xf32>
  return %x2 : tensor<?x12xf32>
}
