// With `round` every result is rounded to its element type, to nearest with ties
// to even; without it nothing is.
// RUN: tcc-opt %s --tcc-interpret=round=true -o /dev/null | FileCheck %s
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s --check-prefix=EXACT

// 1 + 2^-8 and 1 + 3 2^-8 lie between two numbers of bf16; 2^-134 is below the
// smallest, 3.4e38 above the largest.
// CHECK: @bf16 result 0: [1, 1.015625, 0, inf, -inf]
// EXACT: @bf16 result 0: [1.00390625, 1.01171875, 4.59{{[0-9]*}}e-41, 3.4e+38, -3.4e+38]
func.func @bf16() -> tensor<5xbf16> {
  %x = arith.constant dense<[1.00390625, 1.01171875, 4.591774807899561e-41, 3.4e38, -3.4e38]> : tensor<5xf64>
  %y = arith.truncf %x : tensor<5xf64> to tensor<5xbf16>
  return %y : tensor<5xbf16>
}

// 1 + 2^-11 ties to 1; 2^-24 is the smallest number, half of it ties to 0;
// 65520 ties to what is no f16 any more.
// CHECK: @f16 result 0: [1, 5.96046448e-08, 0, 65504, inf]
func.func @f16() -> tensor<5xf16> {
  %x = arith.constant dense<[1.00048828125, 5.9604644775390625e-8, 2.98023223876953125e-8, 65519.0, 65520.0]> : tensor<5xf64>
  %y = arith.truncf %x : tensor<5xf64> to tensor<5xf16>
  return %y : tensor<5xf16>
}

// CHECK: @f32 result 0: [16777216, 16777220]
// EXACT: @f32 result 0: [16777217, 16777219]
func.func @f32() -> tensor<2xf32> {
  %x = arith.constant dense<[16777217.0, 16777219.0]> : tensor<2xf64>
  %y = arith.truncf %x : tensor<2xf64> to tensor<2xf32>
  return %y : tensor<2xf32>
}

// The sum rounds to 256 in bf16 before it is normalised: 256 / sqrt(256^2 + 0).
// CHECK: @rounded_sum result 0: [256]
// CHECK: @rounded_sum result 1: [1]
// EXACT: @rounded_sum result 0: [257]
func.func @rounded_sum() -> (tensor<1xbf16>, tensor<1xf64>) {
  %x = arith.constant dense<256.0> : tensor<1xbf16>
  %r = arith.constant dense<1.0> : tensor<1xbf16>
  %w = arith.constant dense<1.0> : tensor<1xf32>
  %s, %y = transformer.residual_rms_norm %x, %r, %w epsilon(1.0e-30) : tensor<1xbf16>, tensor<1xf32> -> tensor<1xf64>
  return %s, %y : tensor<1xbf16>, tensor<1xf64>
}

// What is appended is rounded as the cache holds it.
// CHECK: @cached result 0: {{\[\[\[}}256]]]
// EXACT: @cached result 0: {{\[\[\[}}257]]]
transformer.cache @cache layers(1) heads(1) key(1) value(1) : bf16
func.func @cached() -> tensor<1x1x1xf32> {
  %layer = arith.constant 0 : index
  %x = arith.constant dense<257.0> : tensor<1x1x1xf32>
  %p = arith.constant dense<[0]> : tensor<1xi32>
  %t = arith.constant dense<[[0]]> : tensor<1x1xi32>
  transformer.cache_append @cache layer(%layer), %x, %x at(%p, %p, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  %o = transformer.paged_attention @cache layer(%layer), %x at(%p, %p, %t) scale(1.0)
    : tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32> -> tensor<1x1x1xf32>
  return %o : tensor<1x1x1xf32>
}

// Cosine and sine are f32: that of 1 is 0.540302277 and not 0.540302306.
// CHECK: @rotation result 0: {{\[\[\[}}0.540302277, 0.841470957]]]
// EXACT: @rotation result 0: {{\[\[\[}}0.540302306, 0.841470985]]]
func.func @rotation() -> tensor<1x1x2xf64> {
  %x = arith.constant dense<[[[1.0, 0.0]]]> : tensor<1x1x2xf64>
  %p = arith.constant dense<[1]> : tensor<1xi32>
  %y = transformer.rotary_embedding %x, %p frequencies([1.0]) : tensor<1x1x2xf64>, tensor<1xi32> -> tensor<1x1x2xf64>
  return %y : tensor<1x1x2xf64>
}
