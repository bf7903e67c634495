// Routing, the linear layers of experts and heads, dispatch and combine, by numbers that
// can be checked by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// CHECK: @sigmoid result 0: [0.5, 0.75, 0, 1]
func.func @sigmoid() -> tensor<4xf32> {
  %x = arith.constant dense<[0.0, 1.09861228866811, -1000.0, 1000.0]> : tensor<4xf64>
  %y = transformer.sigmoid %x : tensor<4xf64> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// A row of zeros stays one; without epsilon it is no number.
// CHECK: @sum_norm result 0: {{\[\[}}0.25, 0.75], [0, 0]]
// CHECK: @sum_norm result 1: {{\[\[}}0.2, 0.6], [0, 0]]
func.func @sum_norm() -> (tensor<2x2xf64>, tensor<2x2xf64>) {
  %x = arith.constant dense<[[1.0, 3.0], [0.0, 0.0]]> : tensor<2x2xf64>
  %y = transformer.sum_norm %x epsilon(1.0e-20) : tensor<2x2xf64>
  %z = transformer.sum_norm %x epsilon(1.0) : tensor<2x2xf64>
  return %y, %z : tensor<2x2xf64>, tensor<2x2xf64>
}

// The largest first, of equal ones the lowest, NaN last.
// CHECK: @select result 0: {{\[\[}}2, 1], [0, 1], [1, 3], [2, 0]]
func.func @select() -> tensor<4x2xi32> {
  %scores = arith.constant dense<[[0.0, 1.0, 2.0, 1.0], [5.0, 5.0, 5.0, 5.0],
    [0x7FF8000000000000, 1.0, 0x7FF8000000000000, 0.0],
    [-1.0, 0x7FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000]]> : tensor<4x4xf64>
  %y = transformer.select_experts %scores : tensor<4x4xf64> -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// Biased scores of both groups are negative: the experts of the group that is left out
// must not come back with scores of 0. The second row has its two largest in group 0, but
// one largest in group 1.
// CHECK: @groups result 0: {{\[\[}}4, 5, 6], [0, 1, 2]]
// CHECK: @groups result 1: {{\[\[}}4, 5, 6], [4, 5, 6]]
// CHECK: @groups result 2: {{\[\[}}4, 5, 6], [4, 5, 6]]
func.func @groups() -> (tensor<2x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>) {
  %scores = arith.constant dense<[[0.05, 0.12, 0.02, 0.05, 0.73, 0.73, 0.62, 0.55],
                                  [0.6, 0.6, 0.1, 0.1, 0.9, 0.2, 0.1, 0.1]]> : tensor<2x8xf64>
  %bias = arith.constant dense<-0.95> : tensor<8xf32>
  %reversed = arith.constant dense<[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]> : tensor<8xf32>
  %y = transformer.select_experts %scores bias(%bias : tensor<8xf32>)
    groups(2) keep(1) top(2) : tensor<2x8xf64> -> tensor<2x3xi32>
  %z = transformer.select_experts %scores bias(%bias : tensor<8xf32>)
    groups(2) keep(1) top(1) : tensor<2x8xf64> -> tensor<2x3xi32>
  %w = transformer.select_experts %scores bias(%reversed : tensor<8xf32>)
    groups(2) keep(1) top(2) : tensor<2x8xf64> -> tensor<2x3xi32>
  return %y, %z, %w : tensor<2x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>
}

// Weights are scores without the bias. Of two equal groups the first is kept.
// CHECK: @route result 0: {{\[\[}}3, 1]]
// CHECK: @route result 1: {{\[\[}}1, 1]]
// CHECK: @route result 2: {{\[\[}}0, 1]]
// CHECK: @route result 3: {{\[\[}}0.25, 0.25]]
// CHECK: @route result 4: {{\[\[}}0, 1]]
func.func @route() -> (tensor<1x2xi32>, tensor<1x2xf64>, tensor<1x2xi32>, tensor<1x2xf64>,
                       tensor<1x2xi32>) {
  %logits = arith.constant dense<0.0> : tensor<1x4xf64>
  %bias = arith.constant dense<[0.0, 1.0, 0.0, 2.0]> : tensor<4xf32>
  %e, %w = transformer.route %logits bias(%bias : tensor<4xf32>) sigmoid
    normalize(0.0) scale(2.0) : tensor<1x4xf64> -> tensor<1x2xi32>, tensor<1x2xf64>
  %f, %v = transformer.route %logits softmax
    : tensor<1x4xf64> -> tensor<1x2xi32>, tensor<1x2xf64>
  %g, %u = transformer.route %logits softmax groups(2) keep(1) top(2)
    : tensor<1x4xf64> -> tensor<1x2xi32>, tensor<1x2xf64>
  return %e, %w, %f, %v, %g : tensor<1x2xi32>, tensor<1x2xf64>, tensor<1x2xi32>,
    tensor<1x2xf64>, tensor<1x2xi32>
}

// CHECK: @gather_columns result 0: {{\[\[}}3, 1], [5, 5]]
func.func @gather_columns() -> tensor<2x2xf64> {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf64>
  %columns = arith.constant dense<[[2, 0], [1, 1]]> : tensor<2x2xi32>
  %y = transformer.gather_columns %x, %columns
    : tensor<2x3xf64>, tensor<2x2xi32> -> tensor<2x2xf64>
  return %y : tensor<2x2xf64>
}

// Expert 1 of 4 has no token; the tokens of an expert keep their order.
// CHECK: @dispatch result 0: [1, 2, 0, 2, 0, 1]
// CHECK: @dispatch result 1: {{\[\[}}4, 2], [0, 5], [3, 1]]
// CHECK: @dispatch result 2: [0, 2, 2, 4, 6]
func.func @dispatch() -> (tensor<?xi32>, tensor<3x2xi32>, tensor<5xi32>) {
  %experts = arith.constant dense<[[3, 2], [0, 3], [2, 0]]> : tensor<3x2xi32>
  %rows, %places, %offsets = transformer.dispatch %experts
    : tensor<3x2xi32> -> tensor<?xi32>, tensor<3x2xi32>, tensor<5xi32>
  return %rows, %places, %offsets : tensor<?xi32>, tensor<3x2xi32>, tensor<5xi32>
}

// CHECK: @combine result 0: {{\[\[}}32, 64], [0.5, -1]]
func.func @combine() -> tensor<2x2xf64> {
  %x = arith.constant dense<[[1.0, 2.0], [10.0, 20.0], [0.0, -3.0]]> : tensor<3x2xf64>
  %places = arith.constant dense<[[0, 1], [0, 2]]> : tensor<2x2xi32>
  %weights = arith.constant dense<[[2.0, 3.0], [0.5, 0.666666666666666666]]> : tensor<2x2xf64>
  %y = transformer.combine %x, %places, %weights
    : tensor<3x2xf64>, tensor<2x2xi32>, tensor<2x2xf64> -> tensor<2x2xf64>
  return %y : tensor<2x2xf64>
}

// Expert 0 multiplies by [1, 2], expert 1 by [10, 20].
// CHECK: @experts result 0: {{\[\[\[}}50], [5]], {{\[\[}}11], [110]]]
// CHECK: @experts result 1: {{\[\[\[}}50], [11]], {{\[\[}}5], [110]]]
// CHECK: @experts result 2: {{\[\[}}5], [110]]
func.func @experts() -> (tensor<2x2x1xf64>, tensor<2x2x1xf64>, tensor<2x1xf64>) {
  %w = arith.constant dense<[[[1.0, 2.0]], [[10.0, 20.0]]]> : tensor<2x1x2xf32>
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf64>
  %each = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]]> : tensor<2x2x2xf64>
  %chosen = arith.constant dense<[[1, 0], [0, 1]]> : tensor<2x2xi32>
  %y = transformer.expert_linear %x, %chosen, %w
    : tensor<2x2xf64>, tensor<2x2xi32>, tensor<2x1x2xf32> -> tensor<2x2x1xf64>
  %z = transformer.expert_linear %each, %chosen, %w
    : tensor<2x2x2xf64>, tensor<2x2xi32>, tensor<2x1x2xf32> -> tensor<2x2x1xf64>
  %offsets = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %g = transformer.grouped_linear %x, %w offsets(%offsets)
    : tensor<2x2xf64>, tensor<2x1x2xf32>, tensor<3xi32> -> tensor<2x1xf64>
  return %y, %z, %g : tensor<2x2x1xf64>, tensor<2x2x1xf64>, tensor<2x1xf64>
}

// CHECK: @heads result 0: {{\[\[\[}}5, 11], [700, 1500]]]
// CHECK: @heads result 1: {{\[\[\[}}7, 10], [1000, 1400]]]
func.func @heads() -> (tensor<1x2x2xf64>, tensor<1x2x2xf64>) {
  %w = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[100.0, 200.0], [300.0, 400.0]]]> : tensor<2x2x2xf32>
  %x = arith.constant dense<[[[1.0, 2.0], [1.0, 3.0]]]> : tensor<1x2x2xf64>
  %y = transformer.head_linear %x, %w
    : tensor<1x2x2xf64>, tensor<2x2x2xf32> -> tensor<1x2x2xf64>
  %z = transformer.head_linear %x, %w transposed
    : tensor<1x2x2xf64>, tensor<2x2x2xf32> -> tensor<1x2x2xf64>
  return %y, %z : tensor<1x2x2xf64>, tensor<1x2x2xf64>
}
