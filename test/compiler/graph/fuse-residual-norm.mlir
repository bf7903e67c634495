// RUN: tcc-opt %s --tcc-fuse-residual-norm | FileCheck %s

// CHECK-LABEL: func @sum_read_once
//  CHECK-SAME:   %[[X:.*]]: tensor<?x64xf32>, %[[R:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<64xf32>
func.func @sum_read_once(%x: tensor<?x64xf32>, %r: tensor<?x64xf32>, %w: tensor<64xf32>)
    -> tensor<?x64xbf16> {
  // CHECK-NEXT: %{{.*}}, %[[NORM:.*]] = transformer.residual_rms_norm %[[X]], %[[R]], %[[W]] epsilon(1.000000e-05) : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
  // CHECK-NEXT: return %[[NORM]]
  %s = arith.addf %x, %r : tensor<?x64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// The sum has a second reader, which reads the fused op.
// CHECK-LABEL: func @sum_read_twice
func.func @sum_read_twice(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>, %w: tensor<64xf32>)
    -> (tensor<8x64xf32>, tensor<8x64xf32>) {
  // CHECK-NOT: arith.addf
  // CHECK: %[[SUM:.*]], %[[NORM:.*]] = transformer.residual_rms_norm
  // CHECK: return %[[SUM]], %[[NORM]]
  %s = arith.addf %x, %r : tensor<8x64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  return %s, %y : tensor<8x64xf32>, tensor<8x64xf32>
}

// The weight is defined between the two, as importers write it.
transformer.weight @norm tensor("norm") : tensor<64xf32>
// CHECK-LABEL: func @weight_after_sum
func.func @weight_after_sum(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>) -> tensor<8x64xf32> {
  // CHECK: %[[W:.*]] = transformer.get_weight
  // CHECK: transformer.residual_rms_norm %{{.*}}, %{{.*}}, %[[W]]
  %s = arith.addf %x, %r : tensor<8x64xf32>
  %w = transformer.get_weight [@norm] : tensor<64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// The second normalisation reads the sum of the fused op.
// CHECK-LABEL: func @two_norms
func.func @two_norms(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>, %w: tensor<64xf32>)
    -> (tensor<8x64xf32>, tensor<8x64xbf16>) {
  // CHECK: %[[SUM:.*]], %{{.*}} = transformer.residual_rms_norm
  // CHECK-NEXT: transformer.rms_norm %[[SUM]]
  %s = arith.addf %x, %r : tensor<8x64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  %z = transformer.rms_norm %s, %w epsilon(1.0e-6)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xbf16>
  return %y, %z : tensor<8x64xf32>, tensor<8x64xbf16>
}

// The sum is read before the normalisation, where the fused op does not stand.
// CHECK-LABEL: func @no_fuse_sum_read_before
func.func @no_fuse_sum_read_before(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>)
    -> tensor<8x64xf32> {
  // CHECK-NOT: transformer.residual_rms_norm
  %s = arith.addf %x, %r : tensor<8x64xf32>
  %row = tensor.extract_slice %s[0, 0] [1, 64] [1, 1] : tensor<8x64xf32> to tensor<64xf32>
  %y = transformer.rms_norm %s, %row epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// CHECK-LABEL: func @no_fuse_fast_math
func.func @no_fuse_fast_math(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>, %w: tensor<64xf32>)
    -> tensor<8x64xf32> {
  // CHECK-NOT: transformer.residual_rms_norm
  %s = arith.addf %x, %r fastmath<reassoc> : tensor<8x64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// CHECK-LABEL: func @no_fuse_product
func.func @no_fuse_product(%x: tensor<8x64xf32>, %r: tensor<8x64xf32>, %w: tensor<64xf32>)
    -> tensor<8x64xf32> {
  // CHECK-NOT: transformer.residual_rms_norm
  %s = arith.mulf %x, %r : tensor<8x64xf32>
  %y = transformer.rms_norm %s, %w epsilon(1.0e-5)
    : tensor<8x64xf32>, tensor<64xf32> -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}
