// What reads weights by rows, by hand; and how weights are made.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s
// RUN: tcc-opt %s --tcc-interpret=seed=1 -o /dev/null | FileCheck %s --check-prefix=SEED

// CHECK: @embedding result 0: {{\[\[}}5, 6], [1, 2], [5, 6]]
func.func @embedding() -> tensor<3x2xf32> {
  %t = arith.constant dense<[2, 0, 2]> : tensor<3xi32>
  %e = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %x = transformer.embedding %t, %e : tensor<3xi32>, tensor<3x2xf32> -> tensor<3x2xf32>
  return %x : tensor<3x2xf32>
}

// Rows of the weight are columns of the result: 1 * 4 + 2 * 5 + 3 * 6 = 32.
// CHECK: @linear result 0: {{\[\[}}32, -1], [12, -2]]
// CHECK: @linear result 1: {{\[\[}}32.5, 9], [12.5, 8]]
func.func @linear() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [0.0, 0.0, 2.0]]> : tensor<2x3xf32>
  %w = arith.constant dense<[[4.0, 5.0, 6.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32>
  %b = arith.constant dense<[0.5, 10.0]> : tensor<2xf32>
  %y = transformer.linear %x, %w : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x2xf32>
  %z = transformer.linear %x, %w bias(%b : tensor<2xf32>) : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// Eleven products, more than the lanes of the sum: 1 + 2 + ... + 11 = 66.
// CHECK: @long_sum result 0: {{\[\[}}66]]
func.func @long_sum() -> tensor<1x1xf32> {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]]> : tensor<1x11xf32>
  %w = arith.constant dense<1.0> : tensor<1x11xf32>
  %y = transformer.linear %x, %w : tensor<1x11xf32>, tensor<1x11xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

transformer.weight @a tensor("a.{layer}") layers(0, 2) and (5, 1) : tensor<2x2xf32>
transformer.weight @b tensor("b.{layer}") layers(0, 2) and (5, 1) : tensor<1x2xf32>
transformer.weight @a0 tensor("a.0") : tensor<2x2xf32>
transformer.weight @b5 tensor("b.5") : tensor<1x2xf32>

// Values depend on the name of the tensor and the seed alone: on top of each
// other they are what they are alone, and a layer is a name. No difference is
// left, which linear layers see as well.
// CHECK: @stacked result 0: {{\[\[}}0, 0], [0, 0]]
// CHECK: @stacked result 1: {{\[\[}}0, 0]]
// CHECK: @stacked result 2: {{\[\[}}0, 0, 0]]
func.func @stacked() -> (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x3xf32>) {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %both0 = transformer.get_weight [@a, @b] layer(%c0) : tensor<3x2xf32>
  %both5 = transformer.get_weight [@a, @b] layer(%c5) : tensor<3x2xf32>
  %a0 = transformer.get_weight [@a0] : tensor<2x2xf32>
  %b5 = transformer.get_weight [@b5] : tensor<1x2xf32>
  %a = tensor.extract_slice %both0[0, 0] [2, 2] [1, 1] : tensor<3x2xf32> to tensor<2x2xf32>
  %b = tensor.extract_slice %both5[2, 0] [1, 2] [1, 1] : tensor<3x2xf32> to tensor<1x2xf32>
  %da = arith.subf %a, %a0 : tensor<2x2xf32>
  %db = arith.subf %b, %b5 : tensor<1x2xf32>

  %x = arith.constant dense<[[1.0, 10.0]]> : tensor<1x2xf32>
  %a5 = transformer.get_weight [@a] layer(%c5) : tensor<2x2xf32>
  %y = transformer.linear %x, %both5 : tensor<1x2xf32>, tensor<3x2xf32> -> tensor<1x3xf32>
  %y0 = transformer.linear %x, %a5 : tensor<1x2xf32>, tensor<2x2xf32> -> tensor<1x2xf32>
  %y1 = transformer.linear %x, %b5 : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x1xf32>
  %parts = tensor.concat dim(1) %y0, %y1 : (tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x3xf32>
  %dy = arith.subf %y, %parts : tensor<1x3xf32>
  return %da, %db, %dy : tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x3xf32>
}

transformer.weight @c tensor("c") : tensor<6x2xf32>
transformer.weight @c_halves tensor("c") halves(1, 4, 6) : tensor<6x2xf32>
transformer.weight @d tensor("d") : tensor<6xf32>
transformer.weight @d_halves tensor("d") halves(0, 2, 3) : tensor<6xf32>
transformer.weight @e_halves tensor("d") halves(0, 6, 6) : tensor<6xf32>

// Rows 1 to 4 are the even ones among them, then the odd ones. Two have nothing to move.
// CHECK: @halves result 0: {{\[\[}}0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
// CHECK: @halves result 1: [0, 0, 0, 0, 0, 0]
// CHECK: @halves result 2: [0, 0, 0]
// CHECK: @halves result 3: [0, 0, 0]
func.func @halves() -> (tensor<6x2xf32>, tensor<6xf32>, tensor<3xf32>, tensor<3xf32>) {
  %c = transformer.get_weight [@c] : tensor<6x2xf32>
  %c0 = tensor.extract_slice %c[0, 0] [1, 2] [1, 1] : tensor<6x2xf32> to tensor<1x2xf32>
  %even = tensor.extract_slice %c[1, 0] [2, 2] [2, 1] : tensor<6x2xf32> to tensor<2x2xf32>
  %odd = tensor.extract_slice %c[2, 0] [2, 2] [2, 1] : tensor<6x2xf32> to tensor<2x2xf32>
  %c5 = tensor.extract_slice %c[5, 0] [1, 2] [1, 1] : tensor<6x2xf32> to tensor<1x2xf32>
  %parts = tensor.concat dim(0) %c0, %even, %odd, %c5
    : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<6x2xf32>
  %c_halves = transformer.get_weight [@c_halves] : tensor<6x2xf32>
  %dc = arith.subf %c_halves, %parts : tensor<6x2xf32>

  %d = transformer.get_weight [@d] : tensor<6xf32>
  %d_halves = transformer.get_weight [@d_halves] : tensor<6xf32>
  %dd = arith.subf %d_halves, %d : tensor<6xf32>
  %e = transformer.get_weight [@e_halves] : tensor<6xf32>
  %first = tensor.extract_slice %e[0] [3] [1] : tensor<6xf32> to tensor<3xf32>
  %second = tensor.extract_slice %e[3] [3] [1] : tensor<6xf32> to tensor<3xf32>
  %d_even = tensor.extract_slice %d[0] [3] [2] : tensor<6xf32> to tensor<3xf32>
  %d_odd = tensor.extract_slice %d[1] [3] [2] : tensor<6xf32> to tensor<3xf32>
  %de = arith.subf %first, %d_even : tensor<3xf32>
  %df = arith.subf %second, %d_odd : tensor<3xf32>
  return %dc, %dd, %de, %df : tensor<6x2xf32>, tensor<6xf32>, tensor<3xf32>, tensor<3xf32>
}

// Another layer, another seed: other values.
// CHECK: @values result 0: {{\[\[}}[[A:[-.0-9]+]],
// CHECK-NOT: @values result 1: {{\[\[}}[[A]],
// CHECK: @values result 1:
// CHECK: @values result 2: [{{0.[5-9]|1.[0-4]}}
// CHECK: @values result 3: [{{-?0.[0-4]}}
// SEED-NOT: @values result 0: {{\[\[}}-0.1
// SEED: @values result 0:
transformer.weight @norm tensor("norm") : tensor<1xf32>
transformer.weight @bias tensor("bias") : tensor<1xf32>
func.func @values() -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<1xf32>, tensor<1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = transformer.get_weight [@a] layer(%c0) : tensor<2x2xf32>
  %b = transformer.get_weight [@a] layer(%c1) : tensor<2x2xf32>
  %n = transformer.get_weight [@norm] : tensor<1xf32>
  %z = transformer.get_weight [@bias] : tensor<1xf32>
  return %a, %b, %n, %z : tensor<2x2xf32>, tensor<2x2xf32>, tensor<1xf32>, tensor<1xf32>
}
