// Ops that work on rows, by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// Mean squares 7 and 0: 7 + epsilon is 4 * 4, 0 + epsilon is 3 * 3.
// CHECK: @rms_norm result 0: {{\[\[}}0.25, 0.5, 0.75, 5], [0, 0, 0, 0]]
func.func @rms_norm() -> tensor<2x4xf32> {
  %x = arith.constant dense<[[1.0, 1.0, 1.0, 5.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %w = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %y = transformer.rms_norm %x, %w epsilon(9.0) : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// The sum is [1, 1, 1, 5].
// CHECK: @residual_rms_norm result 0: {{\[\[}}1, 1, 1, 5]]
// CHECK: @residual_rms_norm result 1: {{\[\[}}0.25, 0.5, 0.75, 5]]
func.func @residual_rms_norm() -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  %x = arith.constant dense<[[0.5, 3.0, 1.0, 6.0]]> : tensor<1x4xf32>
  %r = arith.constant dense<[[0.5, -2.0, 0.0, -1.0]]> : tensor<1x4xf32>
  %w = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %s, %y = transformer.residual_rms_norm %x, %r, %w epsilon(9.0) : tensor<1x4xf32>, tensor<4xf32> -> tensor<1x4xf32>
  return %s, %y : tensor<1x4xf32>, tensor<1x4xf32>
}

// ln 3: exp(-x) is 1/3, so that 3/4 of x are left; -ln 3: a quarter. The limits.
// CHECK: @silu result 0: [0.823959217, -0.274653072, 0, 0, inf]
func.func @silu() -> tensor<5xf32> {
  %x = arith.constant dense<[1.0986122886681098, -1.0986122886681098, 0.0, 0xFFF0000000000000, 0x7FF0000000000000]> : tensor<5xf64>
  %y = transformer.silu %x : tensor<5xf64> -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// The gate is the first half: 3/4 ln 3 * 4 and 0 * 5.
// CHECK: @swiglu result 0: {{\[\[}}3.29583687, 0]]
func.func @swiglu() -> tensor<1x2xf64> {
  %x = arith.constant dense<[[1.0986122886681098, 0.0, 4.0, 5.0]]> : tensor<1x4xf64>
  %y = transformer.swiglu %x : tensor<1x4xf64> -> tensor<1x2xf64>
  return %y : tensor<1x2xf64>
}

// 1 : 3 at any height, even where exp overflows, and beside minus infinity.
// CHECK: @softmax result 0: {{\[\[}}0.25, 0.75, 0], [0.25, 0.75, 0]]
// CHECK: @softmax result 1: {{\[\[}}1], [1]]
func.func @softmax() -> (tensor<2x3xf64>, tensor<2x1xf64>) {
  %x = arith.constant dense<[[0.0, 1.0986122886681098, 0xFFF0000000000000],
                             [1000.0, 1001.0986122886681098, -1000.0]]> : tensor<2x3xf64>
  %y = transformer.softmax %x : tensor<2x3xf64> -> tensor<2x3xf64>
  %u = arith.constant dense<[[5.0], [-5.0]]> : tensor<2x1xf64>
  %v = transformer.softmax %u : tensor<2x1xf64> -> tensor<2x1xf64>
  return %y, %v : tensor<2x3xf64>, tensor<2x1xf64>
}

// CHECK: @scale result 0: [0.25, -0.5]
func.func @scale() -> tensor<2xf32> {
  %x = arith.constant dense<[2.0, -4.0]> : tensor<2xf32>
  %y = transformer.scale %x by(0.125) : tensor<2xf32>
  return %y : tensor<2xf32>
}

// Rows of any rank, one of them twice, and none.
// CHECK: @gather_rows result 0: {{\[\[\[}}5, 6]], {{\[\[}}1, 2]], {{\[\[}}5, 6]]]
// CHECK: @gather_rows result 1: shape [0, 1, 2], empty
func.func @gather_rows() -> (tensor<3x1x2xf32>, tensor<0x1x2xf32>) {
  %x = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]> : tensor<3x1x2xf32>
  %r = arith.constant dense<[2, 0, 2]> : tensor<3xi32>
  %y = transformer.gather_rows %x, %r : tensor<3x1x2xf32>, tensor<3xi32> -> tensor<3x1x2xf32>
  %n = arith.constant dense<> : tensor<0xi32>
  %z = transformer.gather_rows %x, %n : tensor<3x1x2xf32>, tensor<0xi32> -> tensor<0x1x2xf32>
  return %y, %z : tensor<3x1x2xf32>, tensor<0x1x2xf32>
}
