// Every op of experts survives parsing and printing, as text and as bytecode.
// The bodies are the examples of TransformerExpertOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

// CHECK-LABEL: func @sigmoid
func.func @sigmoid(%x: tensor<?x256xf32>) {
  // CHECK: transformer.sigmoid %{{.*}} : tensor<?x256xf32> -> tensor<?x256xf32>
  %y = transformer.sigmoid %x : tensor<?x256xf32> -> tensor<?x256xf32>
  return
}

// CHECK-LABEL: func @select_experts
func.func @select_experts(%scores: tensor<?x256xf32>, %bias: tensor<256xf32>) {
  // CHECK: transformer.select_experts %{{.*}} bias(%{{.*}} : tensor<256xf32>) groups(8) keep(4) top(2) : tensor<?x256xf32> -> tensor<?x8xi32>
  // DeepSeek-V3.
  %experts = transformer.select_experts %scores bias(%bias : tensor<256xf32>)
    groups(8) keep(4) top(2) : tensor<?x256xf32> -> tensor<?x8xi32>
  return
}

// CHECK-LABEL: func @select_experts_of_one_group
func.func @select_experts_of_one_group(%scores: tensor<?x64xf32>) {
  // CHECK: transformer.select_experts %{{[^ ]*}} : tensor<?x64xf32> -> tensor<?x6xi32>
  %experts = transformer.select_experts %scores : tensor<?x64xf32> -> tensor<?x6xi32>
  return
}

// CHECK-LABEL: func @gather_columns
func.func @gather_columns(%x: tensor<?x256xf32>, %columns: tensor<?x8xi32>) {
  // CHECK: transformer.gather_columns %{{.*}}, %{{.*}} : tensor<?x256xf32>, tensor<?x8xi32> -> tensor<?x8xf32>
  %y = transformer.gather_columns %x, %columns
    : tensor<?x256xf32>, tensor<?x8xi32> -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @sum_norm
func.func @sum_norm(%x: tensor<?x8xf32>) {
  // CHECK: transformer.sum_norm %{{.*}} epsilon({{.*}}) : tensor<?x8xf32>
  %y = transformer.sum_norm %x epsilon(1.0e-20) : tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @expert_linear
func.func @expert_linear(%x: tensor<?x7168xbf16>, %experts: tensor<?x8xi32>,
                         %w: tensor<256x2048x7168xbf16>) {
  // CHECK: transformer.expert_linear %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x7168xbf16>, tensor<?x8xi32>, tensor<256x2048x7168xbf16> -> tensor<?x8x2048xf32>
  %y = transformer.expert_linear %x, %experts, %w : tensor<?x7168xbf16>,
    tensor<?x8xi32>, tensor<256x2048x7168xbf16> -> tensor<?x8x2048xf32>
  return
}

// CHECK-LABEL: func @route
func.func @route(%logits: tensor<?x256xf32>, %bias: tensor<256xf32>) {
  // CHECK: transformer.route %{{.*}} bias(%{{.*}} : tensor<256xf32>) sigmoid groups(8) keep(4) top(2) normalize({{.*}}) scale(2.500000e+00) : tensor<?x256xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
  // DeepSeek-V3.
  %experts, %weights = transformer.route %logits bias(%bias : tensor<256xf32>)
    sigmoid groups(8) keep(4) top(2) normalize(1.0e-20) scale(2.5)
    : tensor<?x256xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @route_by_softmax
func.func @route_by_softmax(%logits: tensor<?x64xf32>) {
  // CHECK: transformer.route %{{[^ ]*}} softmax : tensor<?x64xf32> -> tensor<?x6xi32>, tensor<?x6xf32>
  %experts, %weights = transformer.route %logits softmax
    : tensor<?x64xf32> -> tensor<?x6xi32>, tensor<?x6xf32>
  return
}

// CHECK-LABEL: func @dispatch
func.func @dispatch(%experts: tensor<?x8xi32>) {
  // CHECK: transformer.dispatch %{{.*}} : tensor<?x8xi32> -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
  %rows, %places, %offsets = transformer.dispatch %experts
    : tensor<?x8xi32> -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
  return
}

// CHECK-LABEL: func @grouped_linear
func.func @grouped_linear(%x: tensor<?x7168xbf16>, %w: tensor<256x4096x7168xbf16>,
                          %offsets: tensor<257xi32>) {
  // CHECK: transformer.grouped_linear %{{.*}}, %{{.*}} offsets(%{{.*}}) : tensor<?x7168xbf16>, tensor<256x4096x7168xbf16>, tensor<257xi32> -> tensor<?x4096xf32>
  %y = transformer.grouped_linear %x, %w offsets(%offsets) : tensor<?x7168xbf16>,
    tensor<256x4096x7168xbf16>, tensor<257xi32> -> tensor<?x4096xf32>
  return
}

// CHECK-LABEL: func @combine
func.func @combine(%x: tensor<?x7168xf32>, %places: tensor<?x8xi32>, %weights: tensor<?x8xf32>) {
  // CHECK: transformer.combine %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32> -> tensor<?x7168xf32>
  %y = transformer.combine %x, %places, %weights
    : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32> -> tensor<?x7168xf32>
  return
}
