// The paged cache, by hand: pages of two positions.
// RUN: tcc-opt %s --tcc-interpret=page-size=2 -o /dev/null | FileCheck %s

transformer.cache @cache layers(2) heads(1) key(1) value(2) : f32
transformer.cache @other layers(1) heads(1) key(1) value(2) : f32

// Sequence 0 has three tokens on pages 3 and 0, sequence 1 one on page 1. Keys
// are 0, so that each token sees the mean of its own sequence's values up to its
// own position.
// CHECK: @two_sequences result 0: {{\[\[\[}}2, 20]], {{\[\[}}3, 30]], {{\[\[}}4, 40]], {{\[\[}}100, 1000]]]
func.func @two_sequences() -> tensor<4x1x2xf32> {
  %layer = arith.constant 1 : index
  %k = arith.constant dense<0.0> : tensor<4x1x1xf32>
  %v = arith.constant dense<[[[2.0, 20.0]], [[4.0, 40.0]], [[6.0, 60.0]], [[100.0, 1000.0]]]> : tensor<4x1x2xf32>
  %p = arith.constant dense<[0, 1, 2, 0]> : tensor<4xi32>
  %s = arith.constant dense<[0, 0, 0, 1]> : tensor<4xi32>
  %t = arith.constant dense<[[3, 0], [1, 2]]> : tensor<2x2xi32>
  transformer.cache_append @cache layer(%layer), %k, %v at(%p, %s, %t)
    : tensor<4x1x1xf32>, tensor<4x1x2xf32>, tensor<4xi32>, tensor<4xi32>, tensor<2x2xi32>
  %o = transformer.paged_attention @cache layer(%layer), %k at(%p, %s, %t) scale(1.0)
    : tensor<4x1x1xf32>, tensor<4xi32>, tensor<4xi32>, tensor<2x2xi32> -> tensor<4x1x2xf32>
  return %o : tensor<4x1x2xf32>
}

// Two query heads; scores 0 and ln 3 in the first, equal in the second. Later
// steps append to what is there, and what is written again replaces it. Layers
// and caches do not see each other.
// CHECK: @steps result 0: {{\[\[\[}}7, 0], [6, 0]]]
// CHECK: @steps result 1: {{\[\[\[}}10, 0], [8, 0]]]
// CHECK: @steps result 2: {{\[\[\[}}-1, 0], [-1, 0]]]
// CHECK: @steps result 3: {{\[\[\[}}-2, 0], [-2, 0]]]
func.func @steps() -> (tensor<1x2x2xf64>, tensor<1x2x2xf64>, tensor<1x2x2xf64>, tensor<1x2x2xf64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = arith.constant dense<[0]> : tensor<1xi32>
  %t = arith.constant dense<[[5]]> : tensor<1x1xi32>
  %p0 = arith.constant dense<[0]> : tensor<1xi32>
  %p1 = arith.constant dense<[1]> : tensor<1xi32>
  %k0 = arith.constant dense<[[[0.0]]]> : tensor<1x1x1xf64>
  %k1 = arith.constant dense<[[[1.0986122886681098]]]> : tensor<1x1x1xf64>
  %v0 = arith.constant dense<[[[4.0, 0.0]]]> : tensor<1x1x2xf64>
  %v1 = arith.constant dense<[[[8.0, 0.0]]]> : tensor<1x1x2xf64>
  %v2 = arith.constant dense<[[[12.0, 0.0]]]> : tensor<1x1x2xf64>
  %v3 = arith.constant dense<[[[-1.0, 0.0]]]> : tensor<1x1x2xf64>
  %v4 = arith.constant dense<[[[-2.0, 0.0]]]> : tensor<1x1x2xf64>
  %q = arith.constant dense<[[[1.0], [0.0]]]> : tensor<1x2x1xf64>
  transformer.cache_append @cache layer(%c0), %k0, %v0 at(%p0, %s, %t)
    : tensor<1x1x1xf64>, tensor<1x1x2xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  transformer.cache_append @cache layer(%c1), %k0, %v3 at(%p0, %s, %t)
    : tensor<1x1x1xf64>, tensor<1x1x2xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  transformer.cache_append @other layer(%c0), %k0, %v4 at(%p0, %s, %t)
    : tensor<1x1x1xf64>, tensor<1x1x2xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  transformer.cache_append @cache layer(%c0), %k1, %v1 at(%p1, %s, %t)
    : tensor<1x1x1xf64>, tensor<1x1x2xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  %a = transformer.paged_attention @cache layer(%c0), %q at(%p1, %s, %t) scale(1.0)
    : tensor<1x2x1xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32> -> tensor<1x2x2xf64>
  transformer.cache_append @cache layer(%c0), %k1, %v2 at(%p1, %s, %t)
    : tensor<1x1x1xf64>, tensor<1x1x2xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  %b = transformer.paged_attention @cache layer(%c0), %q at(%p1, %s, %t) scale(1.0)
    : tensor<1x2x1xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32> -> tensor<1x2x2xf64>
  %c = transformer.paged_attention @cache layer(%c1), %q at(%p0, %s, %t) scale(1.0)
    : tensor<1x2x1xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32> -> tensor<1x2x2xf64>
  %d = transformer.paged_attention @other layer(%c0), %q at(%p0, %s, %t) scale(1.0)
    : tensor<1x2x1xf64>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32> -> tensor<1x2x2xf64>
  return %a, %b, %c, %d : tensor<1x2x2xf64>, tensor<1x2x2xf64>, tensor<1x2x2xf64>, tensor<1x2x2xf64>
}
