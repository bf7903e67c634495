// The model of llama-tp2-batched.mlir after phase `lower`, by hand: as llama-kernel.mlir with
// half of the heads and hidden units, and collectives between kernels. What is added up
// already has the residual: each device adds half of it in the epilogue of its linear
// layer, which is exact.
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
  // Half of the table of the embedding, which is whole for the embedding itself.
  %head = transformer.get_weight local [@embed_tokens] : tensor<10x12xbf16>
  %logits_init = tensor.empty(%r) : tensor<?x10xf32>
  %logits_part = kernel.linear %rows, %head into %logits_init operand(bf16) packing(<columns = 32>)
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
    : tensor<?x12xf32>, tensor<10x12xbf16>, tensor<?x10xf32> -> tensor<?x10xf32>
  %logits = shard.all_gather %logits_part on @devices grid_axes = [0] gather_axis = 1
    : tensor<?x10xf32> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}

func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>,
                         %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>,
                         %layer: index) -> tensor<?x12xf32> {
  // Norm, then query, key and value as one linear layer.
  %c0 = arith.constant 0 : index
  %attn_norm_w = transformer.get_weight [@input_layernorm] layer(%layer) : tensor<12xbf16>
  %wqkv = transformer.get_weight local [@q_proj, @k_proj, @v_proj] layer(%layer)
    : tensor<16x12xbf16>
  %rows = tensor.dim %x, %c0 : tensor<?x12xf32>
  %qkv_init = tensor.empty(%rows) : tensor<?x16xf32>
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
    : tensor<?x12xf32>, tensor<16x12xbf16>, tensor<?x16xf32> -> tensor<?x16xf32>

  // Rotation; keys and values go to the cache, queries to the attention.
  %pages = kernel.cache_layer @cache layer(%layer) : memref<?xi8>
  %rotary = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0)
    : tensor<?xi32> -> tensor<?x2x2xf32>
  %t = tensor.dim %positions, %c0 : tensor<?xi32>
  %q_init = tensor.empty(%t) : tensor<?x2x4xbf16>
  %q = kernel.rotary_append %qkv rotary(%rotary) at(%positions, %sequences, %page_table)
    cache(%pages) into %q_init
    layout(<page_tokens = 64, heads = 1, key_size = 4, value_size = 4, element = bf16>)
    : (tensor<?x16xf32>), tensor<?x2x2xf32>, tensor<?xi32>, tensor<?xi32>,
      tensor<?x?xi32>, memref<?xi8>, tensor<?x2x4xbf16> -> tensor<?x2x4xbf16>
  %o_init = tensor.empty(%t) : tensor<?x8xbf16>
  %o = kernel.attention %q at(%positions, %sequences, %page_table) cache(%pages)
    into %o_init scale(0.5)
    layout(<page_tokens = 64, heads = 1, key_size = 4, value_size = 4, element = bf16>)
    config(<block_tokens = 48, tile_rows = 6, tile_columns = 16>)
    : tensor<?x2x4xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>,
      memref<?xi8>, tensor<?x8xbf16> -> tensor<?x8xbf16>

  // Output projection and residual.
  %wo = transformer.get_weight local [@o_proj] layer(%layer) : tensor<12x8xbf16>
  %mlp_norm_w = transformer.get_weight [@post_attention_layernorm] layer(%layer)
    : tensor<12xbf16>
  %x_init = tensor.empty(%t) : tensor<?x12xf32>
  %x1_part = kernel.linear %o, %wo into %x_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%x : tensor<?x12xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : tensor<?x8xbf16>, tensor<12x8xbf16>, tensor<?x12xf32> -> tensor<?x12xf32>
  %x1 = shard.all_reduce %x1_part on @devices grid_axes = [0]
    : tensor<?x12xf32> -> tensor<?x12xf32>

  // Norm, gate and value, gated unit.
  %wgu = transformer.get_weight local [@gate_proj, @up_proj] layer(%layer) : tensor<24x12xbf16>
  %gated_init = tensor.empty(%t) : tensor<?x12xbf16>
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
    : tensor<?x12xf32>, tensor<24x12xbf16>, tensor<?x12xbf16> -> tensor<?x12xbf16>

  // Down projection and residual.
  %wd = transformer.get_weight local [@down_proj] layer(%layer) : tensor<12x12xbf16>
  %x2_part = kernel.linear %gated, %wd into %x_init operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192,
      block_depth = 512>)
    epilogue(%x1 : tensor<?x12xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      %half = arith.constant 0.5 : f32
      %part = arith.mulf %residual, %half : f32
      %result = arith.addf %sum, %part : f32
      kernel.yield %result : f32
    }
    : tensor<?x12xbf16>, tensor<12x12xbf16>, tensor<?x12xf32> -> tensor<?x12xf32>
  %x2 = shard.all_reduce %x2_part on @devices grid_axes = [0]
    : tensor<?x12xf32> -> tensor<?x12xf32>
  return %x2 : tensor<?x12xf32>
}
