// RUN: tcc-opt %s --tcc-fuse-routing | FileCheck %s

// DeepSeek-V3's, with a bias that was widened.
// CHECK-LABEL: func @every_step
//  CHECK-SAME:   %[[L:.*]]: tensor<?x8xf32>, %[[B:.*]]: tensor<8xbf16>
func.func @every_step(%logits: tensor<?x8xf32>, %bias: tensor<8xbf16>)
    -> (tensor<?x3xi32>, tensor<?x3xf32>) {
  // CHECK-NEXT: %[[E:.*]], %[[W:.*]] = transformer.route %[[L]] bias(%[[B]] : tensor<8xbf16>) sigmoid groups(4) keep(2) top(2) normalize(9.9999999999999995E-21) scale(2.500000e+00)
  // CHECK-NEXT: return %[[E]], %[[W]]
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %wide = arith.extf %bias : tensor<8xbf16> to tensor<8xf32>
  %experts = transformer.select_experts %scores bias(%wide : tensor<8xf32>)
    groups(4) keep(2) top(2) : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  %normalised = transformer.sum_norm %chosen epsilon(1.0e-20) : tensor<?x3xf32>
  %weights = transformer.scale %normalised by(2.5) : tensor<?x3xf32>
  return %experts, %weights : tensor<?x3xi32>, tensor<?x3xf32>
}

// DeepSeek-V2-Lite's.
// CHECK-LABEL: func @softmax_alone
func.func @softmax_alone(%logits: tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>) {
  // CHECK-NEXT: %[[E:.*]], %[[W:.*]] = transformer.route %{{.*}} softmax : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  // CHECK-NEXT: return %[[E]], %[[W]]
  %scores = transformer.softmax %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  return %experts, %chosen : tensor<?x3xi32>, tensor<?x3xf32>
}

// Experts are read, by what needs no weights, before they have weights.
// CHECK-LABEL: func @experts_read_before
func.func @experts_read_before(%logits: tensor<?x8xbf16>, %x: tensor<?x4xf32>,
                               %w: tensor<8x5x4xf32>)
    -> (tensor<?x3x5xf32>, tensor<?x3xf32>) {
  // CHECK-NEXT: %[[E:.*]], %[[W:.*]] = transformer.route {{.*}} scale(2.000000e+00) : tensor<?x8xbf16>
  // CHECK-NEXT: %[[Y:.*]] = transformer.expert_linear %{{.*}}, %[[E]], %{{.*}}
  // CHECK-NEXT: return %[[Y]], %[[W]]
  %scores = transformer.softmax %logits : tensor<?x8xbf16> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %y = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x5x4xf32> -> tensor<?x3x5xf32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  %weights = transformer.scale %chosen by(2.0) : tensor<?x3xf32>
  return %y, %weights : tensor<?x3x5xf32>, tensor<?x3xf32>
}

// The sum is of scaled weights: its epsilon weighs less.
// CHECK-LABEL: func @scale_before_norm
func.func @scale_before_norm(%logits: tensor<?x8xf32>) -> tensor<?x3xf32> {
  // CHECK-NEXT: %{{.*}}, %[[W:.*]] = transformer.route %{{.*}} sigmoid scale(2.000000e+00) :
  // CHECK-NEXT: transformer.sum_norm %[[W]]
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  %scaled = transformer.scale %chosen by(2.0) : tensor<?x3xf32>
  %weights = transformer.sum_norm %scaled epsilon(1.0e-3) : tensor<?x3xf32>
  return %weights : tensor<?x3xf32>
}

// CHECK-LABEL: func @no_norm_read_twice
func.func @no_norm_read_twice(%logits: tensor<?x8xf32>)
    -> (tensor<?x3xf32>, tensor<?x3xf32>) {
  // CHECK-NEXT: %{{.*}}, %[[W:.*]] = transformer.route %{{.*}} sigmoid :
  // CHECK-NEXT: transformer.sum_norm %[[W]]
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  %weights = transformer.sum_norm %chosen epsilon(1.0e-3) : tensor<?x3xf32>
  return %chosen, %weights : tensor<?x3xf32>, tensor<?x3xf32>
}

// CHECK-LABEL: func @no_fuse_scores_read_again
func.func @no_fuse_scores_read_again(%logits: tensor<?x8xf32>)
    -> (tensor<?x3xf32>, tensor<?x8xf32>) {
  // CHECK-NOT: transformer.route
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  return %chosen, %scores : tensor<?x3xf32>, tensor<?x8xf32>
}

// The biased scores are the weights: a mistake of others, but what this says.
// CHECK-LABEL: func @no_fuse_other_scores
func.func @no_fuse_other_scores(%logits: tensor<?x8xf32>, %biases: tensor<?x8xf32>)
    -> tensor<?x3xf32> {
  // CHECK-NOT: transformer.route
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %biased = arith.addf %scores, %biases : tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %biased, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  return %chosen : tensor<?x3xf32>
}

// CHECK-LABEL: func @no_fuse_other_scoring
func.func @no_fuse_other_scoring(%logits: tensor<?x8xf32>) -> tensor<?x3xf32> {
  // CHECK-NOT: transformer.route
  %scores = transformer.silu %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %experts = transformer.select_experts %scores : tensor<?x8xf32> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  return %chosen : tensor<?x3xf32>
}

// Scores that were rounded to bf16 may choose other experts.
// CHECK-LABEL: func @no_fuse_rounded_scores
func.func @no_fuse_rounded_scores(%logits: tensor<?x8xf32>) -> tensor<?x3xbf16> {
  // CHECK-NOT: transformer.route
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xbf16>
  %experts = transformer.select_experts %scores : tensor<?x8xbf16> -> tensor<?x3xi32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xbf16>, tensor<?x3xi32> -> tensor<?x3xbf16>
  return %chosen : tensor<?x3xbf16>
}

// CHECK-LABEL: func @no_fuse_experts_from_elsewhere
func.func @no_fuse_experts_from_elsewhere(%logits: tensor<?x8xf32>,
                                          %experts: tensor<?x3xi32>) -> tensor<?x3xf32> {
  // CHECK-NOT: transformer.route
  %scores = transformer.sigmoid %logits : tensor<?x8xf32> -> tensor<?x8xf32>
  %chosen = transformer.gather_columns %scores, %experts
    : tensor<?x8xf32>, tensor<?x3xi32> -> tensor<?x3xf32>
  return %chosen : tensor<?x3xf32>
}
