// Every op of the dialect survives parsing and printing, as text and as bytecode.
// The bodies are the examples of PlanOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

// CHECK: plan.buffer @qkv offset(2304 T) bytes(3840 T) live(1, 2)
plan.buffer @qkv offset(2304 T)
  bytes(3840 T) live(1, 2)
plan.buffer @x offset(0)
  bytes(2304 T) live(0, 4)
plan.buffer @logits offset(2304 T)
  bytes(2048 R) live(3, 4)

// CHECK: plan.weight @qkv_weight sources(["model.layers.{layer}.self_attn.qkv_proj.weight"]) layers(0, 30) : tensor<960x576xbf16>
plan.weight @qkv_weight sources(["model.layers.{layer}.self_attn.qkv_proj.weight"])
  layers(0, 30) : tensor<960x576xbf16>
plan.weight @embed_tokens sources(["model.embed_tokens.weight"]) : tensor<512x576xbf16>
plan.weight @mlp_weight sources(["model.layers.{layer}.mlp.weight"])
  layers(0, 30) : tensor<576x576xbf16>

// CHECK: plan.cache @cache layers(30) heads(3) key(64) value(64) page_tokens(32) page_bytes(24576) : bf16
plan.cache @cache layers(30) heads(3) key(64) value(64) page_tokens(32)
  page_bytes(24576) : bf16

// CHECK: plan.rotary_table @rotary frequencies([1.000000e+00, 1.000000e-02]) multiplier(1.000000e+00)
plan.rotary_table @rotary frequencies([1.0, 0.01]) multiplier(1.0)

// CHECK: plan.input @positions is positions
plan.input @positions is positions
plan.input @tokens is tokens

func.func private @embedding(memref<?xi32>, memref<512x576xbf16>, memref<?x576xf32>)
func.func private @mlp(memref<?x576xf32>, memref<576x576xbf16>, memref<?x576xf32>)

// CHECK: plan.step @step logits(@logits) states(@x) expansion(1536, 262144, 512) arena(2304 T + 2048 R) {
// CHECK:   plan.launch @embedding(@tokens, @embed_tokens, @x) tiles(1 T) scratch(0)
// CHECK:   plan.loop layers(0, 30) {
// CHECK:     plan.launch @mlp(@x, @mlp_weight, @x) tiles(9) scratch(4096)
plan.step @step logits(@logits) states(@x) expansion(1536, 262144, 512)
  arena(2304 T + 2048 R) {
  plan.launch @embedding(@tokens, @embed_tokens, @x)
    tiles(1 T) scratch(0)
  plan.loop layers(0, 30) {
    plan.launch @mlp(@x, @mlp_weight, @x)
      tiles(9) scratch(4096)
  }
}

// Multi-token prediction, and every size of a step.
// CHECK: plan.input @states is states
plan.input @states is states
func.func private @combine_states(memref<?xi32>, memref<?x576xf32>, memref<?x576xf32>)
// CHECK: plan.step @prediction logits(@logits) states(@x) arena(2304 T + 128 B + 2048 R + 64 X + 192 A + 256 E + 512) {
plan.step @prediction logits(@logits) states(@x)
  arena(512 + 2304 T + 128 B + 2048 R + 64 X + 192 A + 256 E) {
  // CHECK: plan.launch @combine_states(@tokens, @states, @x) tiles(1 E + 1) scratch(64 X)
  plan.launch @combine_states(@tokens, @states, @x) tiles(1 E + 1) scratch(64 X)
}

// A step that may choose tokens.
// CHECK: plan.input @sampling is sampling
plan.input @sampling is sampling
plan.buffer @samples offset(0) bytes(4 R) live(0, 0)
func.func private @sample(memref<?x512xf32>, memref<?x5xf64>, memref<?xi32>)
// CHECK: plan.step @sampled logits(@logits) samples(@samples) arena(2304 T + 2048 R) {
plan.step @sampled logits(@logits) samples(@samples) arena(2304 T + 2048 R) {
  // CHECK: plan.launch @sample(@logits, @sampling, @samples) tiles(8 R) scratch(0)
  plan.launch @sample(@logits, @sampling, @samples) tiles(8 R) scratch(0)
}

// Two devices: parts of stacks of matrices, and what devices add up.
// CHECK: shard.grid @devices
shard.grid @devices(shape = 2)

// CHECK: plan.weight @value_heads sources(["kv_b.{layer}"]) scales(["kv_b_scale.{layer}"]) layers(0, 30) rows(128, 128, 256) split(0, 2) packing(#kernel.packing<columns = 64>) : tensor<64x128x512x!transformer.scaled<f8E4M3FN, 128, 128>>
plan.weight @value_heads sources(["kv_b.{layer}"]) scales(["kv_b_scale.{layer}"])
  layers(0, 30) rows(128, 128, 256) split(0, 2) packing(#kernel.packing<columns = 64>)
  : tensor<64x128x512x!transformer.scaled<f8E4M3FN, 128, 128>>
// CHECK: plan.weight @low sources(["q_a", "kv_a"]) halves([], [512, 64, 576]) : tensor<2112x7168xbf16>
plan.weight @low sources(["q_a", "kv_a"]) halves([], [512, 64, 576]) : tensor<2112x7168xbf16>
// CHECK: plan.weight @key_heads sources(["kv_b"]) rows(0, 128, 256) transposed : tensor<64x128x512xbf16>
plan.weight @key_heads sources(["kv_b"]) rows(0, 128, 256) transposed : tensor<64x128x512xbf16>

// CHECK: plan.cache @latents layers(61) heads(1) key(576) value(512) latent page_tokens(64) page_bytes(73728) : bf16
plan.cache @latents layers(61) heads(1) key(576) value(512) latent page_tokens(64)
  page_bytes(73728) : bf16

// CHECK: plan.step @step_of_two
plan.step @step_of_two logits(@logits) arena(2304 T + 2048 R) {
  // CHECK: plan.collective all_reduce(@x, @x) on @devices axes(0) rows(1 T) columns(576) : f32
  plan.collective all_reduce(@x, @x) on @devices axes(0) rows(1 T) columns(576) : f32
  // CHECK: plan.collective all_gather(@x, @logits) on @devices axes(0) rows(1 R) columns(256) : f32
  plan.collective all_gather(@x, @logits) on @devices axes(0) rows(1 R) columns(256) : f32
}
