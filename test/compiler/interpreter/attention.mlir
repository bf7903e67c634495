// Rotation and attention without a cache, by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// Position 1 turns by a quarter, position 2 by a half; the second pair does not
// turn. Halves: pairs (0, 2) and (1, 3).
// CHECK: @rotary_embedding result 0: {{\[\[\[}}1, 2, 3, 4]], {{\[\[}}-3, 2, 1, 4]], {{\[\[}}-1, 2, -3, 4]]]
func.func @rotary_embedding() -> tensor<3x1x4xf64> {
  %x = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]> : tensor<12xf64>
  %heads = tensor.expand_shape %x [[0, 1, 2]] output_shape [3, 1, 4] : tensor<12xf64> into tensor<3x1x4xf64>
  %p = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %y = transformer.rotary_embedding %heads, %p frequencies([1.5707963267948966, 0.0])
    : tensor<3x1x4xf64>, tensor<3xi32> -> tensor<3x1x4xf64>
  return %y : tensor<3x1x4xf64>
}

// Neighbours: pairs (0, 1) and (2, 3), each head; and twice as long.
// CHECK: @interleaved result 0: {{\[\[\[}}-4, 2, 6, 8], [-12, 10, 14, 16]]]
func.func @interleaved() -> tensor<1x2x4xf64> {
  %x = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]> : tensor<1x2x4xf64>
  %p = arith.constant dense<[1]> : tensor<1xi32>
  %y = transformer.rotary_embedding %x, %p interleaved frequencies([1.5707963267948966, 0.0]) multiplier(2.0)
    : tensor<1x2x4xf64>, tensor<1xi32> -> tensor<1x2x4xf64>
  return %y : tensor<1x2x4xf64>
}

// Each head as often as it says, one after another.
// CHECK: @repeat_heads result 0: {{\[\[\[}}1, 2], [1, 2], [3, 4], [3, 4]]]
func.func @repeat_heads() -> tensor<1x4x2xf32> {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %y = transformer.repeat_heads %x times(2) : tensor<1x2x2xf32> -> tensor<1x4x2xf32>
  return %y : tensor<1x4x2xf32>
}

// Keys at positions 0 and 5, queries at 4 and 5.
// CHECK: @causal_mask result 0: {{\[\[\[}}1, -inf], [3, 4]], {{\[\[}}5, -inf], [7, 8]]]
func.func @causal_mask() -> tensor<2x2x2xf32> {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %q = arith.constant dense<[4, 5]> : tensor<2xi32>
  %k = arith.constant dense<[0, 5]> : tensor<2xi32>
  %y = transformer.causal_mask %x, %q, %k : tensor<2x2x2xf32>, tensor<2xi32>, tensor<2xi32>
  return %y : tensor<2x2x2xf32>
}

// Scores of a token and two keys in two heads; a product without a sum; sums over
// two letters, of which one stands in one operand only.
// CHECK: @einsum result 0: {{\[\[\[}}11, 17]], {{\[\[}}53, 83]]]
// CHECK: @einsum result 1: {{\[\[}}3, 4], [6, 8]]
// CHECK: @einsum result 2: [102]
func.func @einsum() -> (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1xf32>) {
  %q = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %k = arith.constant dense<[[[3.0, 4.0], [7.0, 8.0]], [[5.0, 6.0], [9.0, 14.0]]]> : tensor<2x2x2xf32>
  %s = transformer.einsum "thd,shd->hts" %q, %k : tensor<1x2x2xf32>, tensor<2x2x2xf32> -> tensor<2x1x2xf32>
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %outer = transformer.einsum "i,j->ij" %a, %b : tensor<2xf32>, tensor<2xf32> -> tensor<2x2xf32>
  %m = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %v = arith.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32>
  %all = transformer.einsum "ij,ik->k" %m, %v : tensor<2x3xf32>, tensor<2x1xf32> -> tensor<1xf32>
  return %s, %outer, %all : tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1xf32>
}

// Two query heads share a key head; values are wider than keys. Token 0 sees one
// key; for token 1 the scores are 0 and ln 3 in head 0, and equal in head 1.
// CHECK: @attention result 0: {{\[\[\[}}4, 0, 1], [4, 0, 1]], {{\[\[}}7, 3, 1], [6, 2, 1]]]
func.func @attention() -> tensor<2x2x3xf64> {
  %q = arith.constant dense<[[[1.0], [9.0]], [[1.0], [0.0]]]> : tensor<2x2x1xf64>
  %k = arith.constant dense<[[[0.0]], [[2.1972245773362196]]]> : tensor<2x1x1xf64>
  %v = arith.constant dense<[[[4.0, 0.0, 1.0]], [[8.0, 4.0, 1.0]]]> : tensor<2x1x3xf64>
  %p = arith.constant dense<[0, 1]> : tensor<2xi32>
  %o = transformer.attention %q, %k, %v positions(%p, %p) scale(0.5)
    : tensor<2x2x1xf64>, tensor<2x1x1xf64>, tensor<2x1x3xf64>, tensor<2xi32>, tensor<2xi32> -> tensor<2x2x3xf64>
  return %o : tensor<2x2x3xf64>
}

// Query head 1 reads the second key head, not the first one.
// CHECK: @grouped_heads result 0: {{\[\[\[}}1], [1], [2], [2]]]
func.func @grouped_heads() -> tensor<1x4x1xf64> {
  %q = arith.constant dense<[[[1.0], [1.0], [1.0], [1.0]]]> : tensor<1x4x1xf64>
  %k = arith.constant dense<[[[1.0], [1.0]]]> : tensor<1x2x1xf64>
  %v = arith.constant dense<[[[1.0], [2.0]]]> : tensor<1x2x1xf64>
  %p = arith.constant dense<[3]> : tensor<1xi32>
  %o = transformer.attention %q, %k, %v positions(%p, %p) scale(1.0)
    : tensor<1x4x1xf64>, tensor<1x2x1xf64>, tensor<1x2x1xf64>, tensor<1xi32>, tensor<1xi32> -> tensor<1x4x1xf64>
  return %o : tensor<1x4x1xf64>
}

// A query before every key sees nothing, fused or not.
// CHECK: @no_keys result 0: {{\[\[\[}}nan]]]
// CHECK: @no_keys result 1: {{\[\[\[}}nan]]]
func.func @no_keys() -> (tensor<1x1x1xf64>, tensor<1x1x1xf64>) {
  %x = arith.constant dense<1.0> : tensor<1x1x1xf64>
  %q = arith.constant dense<[2]> : tensor<1xi32>
  %k = arith.constant dense<[3]> : tensor<1xi32>
  %o = transformer.attention %x, %x, %x positions(%q, %k) scale(1.0)
    : tensor<1x1x1xf64>, tensor<1x1x1xf64>, tensor<1x1x1xf64>, tensor<1xi32>, tensor<1xi32> -> tensor<1x1x1xf64>
  %m = transformer.causal_mask %x, %q, %k : tensor<1x1x1xf64>, tensor<1xi32>, tensor<1xi32>
  %p = transformer.softmax %m : tensor<1x1x1xf64> -> tensor<1x1x1xf64>
  return %o, %p : tensor<1x1x1xf64>, tensor<1x1x1xf64>
}
