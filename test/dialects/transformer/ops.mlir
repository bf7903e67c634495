// Every op of the dialect survives parsing and printing, as text and as bytecode.
// The bodies are the examples of TransformerOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

// CHECK: transformer.weight @q_proj tensor("model.layers.{layer}.self_attn.q_proj.weight") layers(0, 30) : tensor<576x576x!transformer.block<q4_1>>
transformer.weight @q_proj tensor("model.layers.{layer}.self_attn.q_proj.weight")
  layers(0, 30) : tensor<576x576x!transformer.block<q4_1>>
transformer.weight @k_proj tensor("model.layers.{layer}.self_attn.k_proj.weight")
  layers(0, 30) : tensor<192x576x!transformer.block<q4_1>>
transformer.weight @v_proj tensor("model.layers.{layer}.self_attn.v_proj.weight")
  layers(0, 30) : tensor<192x576x!transformer.block<q4_1>>

// Layers of one kind that are not neighbours.
// CHECK: transformer.weight @down_proj tensor("down.{layer}") layers(0, 4) and (8, 2) : tensor<8x32x!transformer.block<q8_0>>
transformer.weight @down_proj tensor("down.{layer}") layers(0, 4) and (8, 2)
  : tensor<8x32x!transformer.block<q8_0>>

// Rows in another order.
// CHECK: transformer.weight @q_b_proj tensor("q_b.{layer}") layers(0, 61) halves(128, 64, 192) : tensor<24576x1536xbf16>
transformer.weight @q_b_proj tensor("q_b.{layer}") layers(0, 61) halves(128, 64, 192)
  : tensor<24576x1536xbf16>

// CHECK: transformer.weight @norm tensor("model.norm.weight") : tensor<576xf32>
transformer.weight @norm tensor("model.norm.weight") : tensor<576xf32>

// CHECK: transformer.cache @cache layers(30) heads(3) key(64) value(64) : bf16
transformer.cache @cache layers(30) heads(3) key(64) value(64) : bf16

// CHECK-LABEL: func @get_weight
// CHECK-SAME: %[[LAYER:[a-z0-9]+]]: index
func.func @get_weight(%layer: index) -> tensor<960x576x!transformer.block<q4_1>> {
  // CHECK: transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%[[LAYER]]) : tensor<960x576x!transformer.block<q4_1>>
  %qkv = transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%layer)
    : tensor<960x576x!transformer.block<q4_1>>
  return %qkv : tensor<960x576x!transformer.block<q4_1>>
}

// CHECK-LABEL: func @get_weight_without_layers
func.func @get_weight_without_layers() -> tensor<576xf32> {
  // CHECK: transformer.get_weight [@norm] : tensor<576xf32>
  %w = transformer.get_weight [@norm] : tensor<576xf32>
  return %w : tensor<576xf32>
}

// CHECK-LABEL: func @embedding
func.func @embedding(%tokens: tensor<?xi32>, %table: tensor<49152x576xbf16>)
    -> tensor<?x576xf32> {
  // CHECK: transformer.embedding %{{.*}}, %{{.*}} : tensor<?xi32>, tensor<49152x576xbf16> -> tensor<?x576xf32>
  %x = transformer.embedding %tokens, %table
    : tensor<?xi32>, tensor<49152x576xbf16> -> tensor<?x576xf32>
  return %x : tensor<?x576xf32>
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<?x576xbf16>,
                  %w: tensor<960x576x!transformer.block<q4_1>>)
    -> tensor<?x960xf32> {
  // CHECK: transformer.linear %{{.*}}, %{{.*}} : tensor<?x576xbf16>, tensor<960x576x!transformer.block<q4_1>> -> tensor<?x960xf32>
  %q = transformer.linear %x, %w : tensor<?x576xbf16>,
       tensor<960x576x!transformer.block<q4_1>> -> tensor<?x960xf32>
  return %q : tensor<?x960xf32>
}

// CHECK-LABEL: func @linear_bias
func.func @linear_bias(%x: tensor<?x64xf32>, %w: tensor<32x64xf16>,
                       %b: tensor<32xf32>) -> tensor<?x32xf32> {
  // CHECK: transformer.linear %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<32xf32>) : tensor<?x64xf32>
  %q = transformer.linear %x, %w bias(%b : tensor<32xf32>)
    : tensor<?x64xf32>, tensor<32x64xf16> -> tensor<?x32xf32>
  return %q : tensor<?x32xf32>
}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<?x4096xf32>, %w: tensor<4096xbf16>)
    -> tensor<?x4096xbf16> {
  // CHECK: transformer.rms_norm %{{.*}}, %{{.*}} epsilon(1.000000e-05)
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5)
    : tensor<?x4096xf32>, tensor<4096xbf16> -> tensor<?x4096xbf16>
  return %y : tensor<?x4096xbf16>
}

// CHECK-LABEL: func @residual_rms_norm
func.func @residual_rms_norm(%x: tensor<?x4096xf32>, %r: tensor<?x4096xf32>,
                             %w: tensor<4096xbf16>)
    -> (tensor<?x4096xf32>, tensor<?x4096xbf16>) {
  // CHECK: %[[SUM:.*]], %[[RESULT:.*]] = transformer.residual_rms_norm %{{.*}}, %{{.*}}, %{{.*}} epsilon(1.000000e-05)
  // CHECK: return %[[SUM]], %[[RESULT]]
  %s, %y = transformer.residual_rms_norm %x, %r, %w epsilon(1.0e-5)
    : tensor<?x4096xf32>, tensor<4096xbf16> -> tensor<?x4096xbf16>
  return %s, %y : tensor<?x4096xf32>, tensor<?x4096xbf16>
}

// CHECK-LABEL: func @silu
func.func @silu(%x: tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  // CHECK: transformer.silu %{{.*}} : tensor<?x1536xf32> -> tensor<?x1536xf32>
  %y = transformer.silu %x : tensor<?x1536xf32> -> tensor<?x1536xf32>
  return %y : tensor<?x1536xf32>
}

// CHECK-LABEL: func @swiglu
func.func @swiglu(%x: tensor<?x3072xf32>) -> tensor<?x1536xbf16> {
  // CHECK: transformer.swiglu %{{.*}} : tensor<?x3072xf32> -> tensor<?x1536xbf16>
  %y = transformer.swiglu %x : tensor<?x3072xf32> -> tensor<?x1536xbf16>
  return %y : tensor<?x1536xbf16>
}

// CHECK-LABEL: func @gather_rows
func.func @gather_rows(%x: tensor<?x576xf32>, %rows: tensor<?xi32>)
    -> tensor<?x576xf32> {
  // CHECK: transformer.gather_rows %{{.*}}, %{{.*}} : tensor<?x576xf32>, tensor<?xi32> -> tensor<?x576xf32>
  %y = transformer.gather_rows %x, %rows
    : tensor<?x576xf32>, tensor<?xi32> -> tensor<?x576xf32>
  return %y : tensor<?x576xf32>
}

// CHECK-LABEL: func @rotary_embedding
func.func @rotary_embedding(%x: tensor<?x9x4xf32>, %positions: tensor<?xi32>)
    -> tensor<?x9x4xbf16> {
  // CHECK: transformer.rotary_embedding %{{.*}}, %{{.*}} frequencies([1.000000e+00, 1.000000e-02])
  // CHECK-NOT: multiplier
  %y = transformer.rotary_embedding %x, %positions frequencies([1.0, 0.01])
    : tensor<?x9x4xf32>, tensor<?xi32> -> tensor<?x9x4xbf16>
  return %y : tensor<?x9x4xbf16>
}

// CHECK-LABEL: func @rotary_embedding_interleaved
func.func @rotary_embedding_interleaved(%x: tensor<?x9x4xf32>,
                                        %positions: tensor<?xi32>)
    -> tensor<?x9x4xf32> {
  // CHECK: interleaved frequencies([1.000000e+00, {{.*}}]) multiplier(1.250000e+00)
  %y = transformer.rotary_embedding %x, %positions interleaved
    frequencies([1.0, 0.03125]) multiplier(1.25)
    : tensor<?x9x4xf32>, tensor<?xi32> -> tensor<?x9x4xf32>
  return %y : tensor<?x9x4xf32>
}

// CHECK-LABEL: func @repeat_heads
func.func @repeat_heads(%x: tensor<?x3x64xbf16>) -> tensor<?x9x64xbf16> {
  // CHECK: transformer.repeat_heads %{{.*}} times(3) : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
  %y = transformer.repeat_heads %x times(3)
    : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
  return %y : tensor<?x9x64xbf16>
}

// CHECK-LABEL: func @einsum
func.func @einsum(%q: tensor<?x9x64xbf16>, %k: tensor<?x9x64xbf16>)
    -> tensor<9x?x?xf32> {
  // CHECK: transformer.einsum "thd,shd->hts" %{{.*}}, %{{.*}} : tensor<?x9x64xbf16>, tensor<?x9x64xbf16> -> tensor<9x?x?xf32>
  %scores = transformer.einsum "thd,shd->hts" %q, %k
    : tensor<?x9x64xbf16>, tensor<?x9x64xbf16> -> tensor<9x?x?xf32>
  return %scores : tensor<9x?x?xf32>
}

// CHECK-LABEL: func @scale
func.func @scale(%x: tensor<9x?x?xf32>) -> tensor<9x?x?xf32> {
  // CHECK: transformer.scale %{{.*}} by(1.250000e-01) : tensor<9x?x?xf32>
  %y = transformer.scale %x by(0.125) : tensor<9x?x?xf32>
  return %y : tensor<9x?x?xf32>
}

// CHECK-LABEL: func @causal_mask
func.func @causal_mask(%scores: tensor<9x?x?xf32>, %positions: tensor<?xi32>)
    -> tensor<9x?x?xf32> {
  // CHECK: transformer.causal_mask %{{.*}}, %[[P:.*]], %[[P]] : tensor<9x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %y = transformer.causal_mask %scores, %positions, %positions
    : tensor<9x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  return %y : tensor<9x?x?xf32>
}

// CHECK-LABEL: func @softmax
func.func @softmax(%scores: tensor<9x?x?xf32>) -> tensor<9x?x?xbf16> {
  // CHECK: transformer.softmax %{{.*}} : tensor<9x?x?xf32> -> tensor<9x?x?xbf16>
  %p = transformer.softmax %scores : tensor<9x?x?xf32> -> tensor<9x?x?xbf16>
  return %p : tensor<9x?x?xbf16>
}

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<?x9x64xbf16>, %k: tensor<?x3x64xbf16>,
                     %v: tensor<?x3x64xbf16>, %positions: tensor<?xi32>)
    -> tensor<?x9x64xbf16> {
  // CHECK: transformer.attention %{{.*}}, %{{.*}}, %{{.*}} positions(%[[P:.*]], %[[P]]) scale(1.250000e-01)
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.125) : tensor<?x9x64xbf16>, tensor<?x3x64xbf16>,
       tensor<?x3x64xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x9x64xbf16>
  return %o : tensor<?x9x64xbf16>
}

// CHECK-LABEL: func @cache_append
// CHECK-SAME: %[[LAYER:[a-z0-9]+]]: index
func.func @cache_append(%k: tensor<?x3x64xbf16>, %v: tensor<?x3x64xbf16>,
                        %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
                        %page_table: tensor<?x?xi32>, %layer: index) {
  // CHECK: transformer.cache_append @cache layer(%[[LAYER]]), %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}})
  transformer.cache_append @cache layer(%layer), %k, %v
    at(%positions, %sequences, %page_table) : tensor<?x3x64xbf16>,
    tensor<?x3x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}

// CHECK-LABEL: func @paged_attention
// CHECK-SAME: %[[LAYER:[a-z0-9]+]]: index
func.func @paged_attention(%q: tensor<?x9x64xbf16>, %positions: tensor<?xi32>,
                           %sequences: tensor<?xi32>,
                           %page_table: tensor<?x?xi32>, %layer: index)
    -> tensor<?x9x64xbf16> {
  // CHECK: transformer.paged_attention @cache layer(%[[LAYER]]), %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}) scale(1.250000e-01)
  %o = transformer.paged_attention @cache layer(%layer), %q
       at(%positions, %sequences, %page_table) scale(0.125)
     : tensor<?x9x64xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
       -> tensor<?x9x64xbf16>
  return %o : tensor<?x9x64xbf16>
}

// A stack of experts in FP8 with scales, and the part of it that a device has.
// CHECK: shard.grid @devices
shard.grid @devices(shape = 2)
// CHECK: transformer.weight @gate_experts tensor("layers.{layer}.experts.{expert}.gate_proj.weight") scales("layers.{layer}.experts.{expert}.gate_proj.weight_scale_inv") layers(3, 58) split(<dimension = 1, grid = @devices, axis = 0>) : tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>>
transformer.weight @gate_experts tensor("layers.{layer}.experts.{expert}.gate_proj.weight")
  scales("layers.{layer}.experts.{expert}.gate_proj.weight_scale_inv") layers(3, 58)
  split(<dimension = 1, grid = @devices, axis = 0>)
  : tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>>

// CHECK-LABEL: func @get_local_weight
func.func @get_local_weight(%layer: index)
    -> tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>> {
  // CHECK: transformer.get_weight local [@gate_experts, @gate_experts] layer(%{{.*}}) : tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>>
  %w = transformer.get_weight local [@gate_experts, @gate_experts] layer(%layer)
    : tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>>
  return %w : tensor<256x2048x7168x!transformer.scaled<f8E4M3FN, 128, 128>>
}

// CHECK-LABEL: func @head_linear
func.func @head_linear(%x: tensor<?x128x128xbf16>, %w: tensor<128x128x512xbf16>)
    -> tensor<?x128x512xbf16> {
  // CHECK: transformer.head_linear %{{.*}}, %{{.*}} transposed : tensor<?x128x128xbf16>, tensor<128x128x512xbf16> -> tensor<?x128x512xbf16>
  %y = transformer.head_linear %x, %w transposed
    : tensor<?x128x128xbf16>, tensor<128x128x512xbf16> -> tensor<?x128x512xbf16>
  return %y : tensor<?x128x512xbf16>
}

// CHECK: transformer.cache @latents layers(61) heads(1) key(576) value(512) latent : bf16
transformer.cache @latents layers(61) heads(1) key(576) value(512) latent : bf16

// CHECK-LABEL: func @append_latents
func.func @append_latents(%layer: index, %k: tensor<?x1x576xbf16>, %positions: tensor<?xi32>,
                          %sequences: tensor<?xi32>, %page_table: tensor<?x?xi32>) {
  // CHECK: transformer.cache_append @latents layer(%{{.*}}), %{{[^,]*}} at(%{{.*}}) : tensor<?x1x576xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  transformer.cache_append @latents layer(%layer), %k
    at(%positions, %sequences, %page_table) : tensor<?x1x576xbf16>,
    tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>
  return
}
