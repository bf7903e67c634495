// RUN: tcc-opt %s --tcc-fuse-attention | FileCheck %s

// CHECK-LABEL: func @grouped_heads
//  CHECK-SAME:   %[[Q:.*]]: tensor<?x9x64xbf16>, %[[K:.*]]: tensor<?x3x64xbf16>, %[[V:.*]]: tensor<?x3x64xbf16>, %[[P:.*]]: tensor<?xi32>
func.func @grouped_heads(%q: tensor<?x9x64xbf16>, %k: tensor<?x3x64xbf16>,
                         %v: tensor<?x3x64xbf16>, %positions: tensor<?xi32>)
    -> tensor<?x9x64xbf16> {
  // CHECK-NEXT: %[[O:.*]] = transformer.attention %[[Q]], %[[K]], %[[V]] positions(%[[P]], %[[P]]) scale(1.250000e-01)
  // CHECK-NEXT: return %[[O]]
  %keys = transformer.repeat_heads %k times(3)
    : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
  %values = transformer.repeat_heads %v times(3)
    : tensor<?x3x64xbf16> -> tensor<?x9x64xbf16>
  %scores = transformer.einsum "thd,shd->hts" %q, %keys
    : tensor<?x9x64xbf16>, tensor<?x9x64xbf16> -> tensor<9x?x?xf32>
  %scaled = transformer.scale %scores by(0.125) : tensor<9x?x?xf32>
  %masked = transformer.causal_mask %scaled, %positions, %positions
    : tensor<9x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked
    : tensor<9x?x?xf32> -> tensor<9x?x?xbf16>
  %o = transformer.einsum "hts,she->the" %weights, %values
    : tensor<9x?x?xbf16>, tensor<?x9x64xbf16> -> tensor<?x9x64xbf16>
  return %o : tensor<?x9x64xbf16>
}

// Each query head has its own keys, and values have another size; other letters;
// queries and keys at different positions; the scale after the mask.
// CHECK-LABEL: func @own_heads
//  CHECK-SAME:   %[[Q:.*]]: tensor<?x4x8xf32>, %[[K:.*]]: tensor<?x4x8xf32>, %[[V:.*]]: tensor<?x4x6xf32>, %[[QP:.*]]: tensor<?xi32>, %[[KP:.*]]: tensor<?xi32>
func.func @own_heads(%q: tensor<?x4x8xf32>, %k: tensor<?x4x8xf32>,
                     %v: tensor<?x4x6xf32>, %qp: tensor<?xi32>, %kp: tensor<?xi32>)
    -> tensor<?x4x6xf32> {
  // CHECK-NEXT: transformer.attention %[[Q]], %[[K]], %[[V]] positions(%[[QP]], %[[KP]]) scale(5.000000e-01)
  // CHECK-NEXT: return
  %scores = transformer.einsum "qnd,knd->nqk" %q, %k
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %qp, %kp
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %scaled = transformer.scale %masked by(0.5) : tensor<4x?x?xf32>
  %weights = transformer.softmax %scaled : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "abc,cad->bad" %weights, %v
    : tensor<4x?x?xf32>, tensor<?x4x6xf32> -> tensor<?x4x6xf32>
  return %o : tensor<?x4x6xf32>
}

// CHECK-LABEL: func @scale_on_both_sides
func.func @scale_on_both_sides(%q: tensor<?x4x8xf32>, %p: tensor<?xi32>)
    -> tensor<?x4x8xf32> {
  // CHECK-NEXT: transformer.attention {{.*}} scale(1.250000e-01)
  // CHECK-NEXT: return
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %before = transformer.scale %scores by(0.5) : tensor<4x?x?xf32>
  %masked = transformer.causal_mask %before, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %after = transformer.scale %masked by(0.25) : tensor<4x?x?xf32>
  %weights = transformer.softmax %after : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o : tensor<?x4x8xf32>
}

// CHECK-LABEL: func @no_scale
func.func @no_scale(%q: tensor<?x4x8xf32>, %p: tensor<?xi32>) -> tensor<?x4x8xf32> {
  // CHECK-NEXT: transformer.attention {{.*}} scale(1.000000e+00)
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o : tensor<?x4x8xf32>
}

// CHECK-LABEL: func @no_fuse_without_mask
func.func @no_fuse_without_mask(%q: tensor<?x4x8xf32>) -> tensor<?x4x8xf32> {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %weights = transformer.softmax %scores : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o : tensor<?x4x8xf32>
}

// A negative factor makes what the mask excludes plus infinity.
// CHECK-LABEL: func @no_fuse_negative_scale_after_mask
func.func @no_fuse_negative_scale_after_mask(%q: tensor<?x4x8xf32>, %p: tensor<?xi32>)
    -> tensor<?x4x8xf32> {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %after = transformer.scale %masked by(-0.25) : tensor<4x?x?xf32>
  %weights = transformer.softmax %after : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o : tensor<?x4x8xf32>
}

// CHECK-LABEL: func @no_fuse_scores_read_twice
func.func @no_fuse_scores_read_twice(%q: tensor<?x4x8xf32>, %p: tensor<?xi32>)
    -> (tensor<?x4x8xf32>, tensor<4x?x?xf32>) {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o, %scores : tensor<?x4x8xf32>, tensor<4x?x?xf32>
}

// CHECK-LABEL: func @no_fuse_weights_read_twice
func.func @no_fuse_weights_read_twice(%q: tensor<?x4x8xf32>, %p: tensor<?xi32>)
    -> (tensor<?x4x8xf32>, tensor<4x?x?xf32>) {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o, %weights : tensor<?x4x8xf32>, tensor<4x?x?xf32>
}

// Head h reads the keys of head h / 2 but its own values.
// CHECK-LABEL: func @no_fuse_keys_repeated_only
func.func @no_fuse_keys_repeated_only(%q: tensor<?x4x8xf32>, %k: tensor<?x2x8xf32>,
                                      %v: tensor<?x4x8xf32>, %p: tensor<?xi32>)
    -> tensor<?x4x8xf32> {
  // CHECK-NOT: transformer.attention
  %keys = transformer.repeat_heads %k times(2) : tensor<?x2x8xf32> -> tensor<?x4x8xf32>
  %scores = transformer.einsum "thd,shd->hts" %q, %keys
    : tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<4x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %v
    : tensor<4x?x?xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %o : tensor<?x4x8xf32>
}

// The sum over queries in place of keys: square, so that the verifier agrees.
// CHECK-LABEL: func @no_fuse_transposed_weights
func.func @no_fuse_transposed_weights(%q: tensor<4x4x8xf32>, %p: tensor<4xi32>)
    -> tensor<4x4x8xf32> {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,shd->hts" %q, %q
    : tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x4xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x4x4xf32>, tensor<4xi32>, tensor<4xi32>
  %weights = transformer.softmax %masked : tensor<4x4x4xf32> -> tensor<4x4x4xf32>
  %o = transformer.einsum "hts,the->she" %weights, %q
    : tensor<4x4x4xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  return %o : tensor<4x4x8xf32>
}

// Scores between heads, not between positions.
// CHECK-LABEL: func @no_fuse_other_scores
func.func @no_fuse_other_scores(%q: tensor<4x4x8xf32>, %p: tensor<4xi32>)
    -> tensor<4x4x8xf32> {
  // CHECK-NOT: transformer.attention
  %scores = transformer.einsum "thd,sgd->hts" %q, %q
    : tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x4xf32>
  %masked = transformer.causal_mask %scores, %p, %p
    : tensor<4x4x4xf32>, tensor<4xi32>, tensor<4xi32>
  %weights = transformer.softmax %masked : tensor<4x4x4xf32> -> tensor<4x4x4xf32>
  %o = transformer.einsum "hts,she->the" %weights, %q
    : tensor<4x4x4xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  return %o : tensor<4x4x8xf32>
}
