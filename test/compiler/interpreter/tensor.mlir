// tensor: views, slices and concatenation, by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// CHECK: @views result 0: {{\[\[\[}}0, 1], [2, 3]], {{\[\[}}4, 5], [6, 7]]]
// CHECK: @views result 1: [0, 1, 2, 3, 4, 5, 6, 7]
func.func @views() -> (tensor<2x2x2xf32>, tensor<8xf32>) {
  %x = arith.constant dense<[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]> : tensor<2x4xf32>
  %y = tensor.expand_shape %x [[0], [1, 2]] output_shape [2, 2, 2] : tensor<2x4xf32> into tensor<2x2x2xf32>
  %z = tensor.collapse_shape %x [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  return %y, %z : tensor<2x2x2xf32>, tensor<8xf32>
}

// Rows 0 and 2, columns 1 to 2; one row as a vector; nothing.
// CHECK: @extract_slice result 0: {{\[\[}}1, 2], [9, 10]]
// CHECK: @extract_slice result 1: [4, 5, 6, 7]
// CHECK: @extract_slice result 2: shape [3, 0], empty
func.func @extract_slice() -> (tensor<2x2xf32>, tensor<4xf32>, tensor<3x0xf32>) {
  %x = arith.constant dense<[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]> : tensor<3x4xf32>
  %a = tensor.extract_slice %x[0, 1] [2, 2] [2, 1] : tensor<3x4xf32> to tensor<2x2xf32>
  %b = tensor.extract_slice %x[1, 0] [1, 4] [1, 1] : tensor<3x4xf32> to tensor<4xf32>
  %c = tensor.extract_slice %x[0, 0] [3, 0] [1, 1] : tensor<3x4xf32> to tensor<3x0xf32>
  return %a, %b, %c : tensor<2x2xf32>, tensor<4xf32>, tensor<3x0xf32>
}

// CHECK: @insert_slice result 0: {{\[\[}}0, 0, 0], [0, 1, 2]]
func.func @insert_slice() -> tensor<2x3xf32> {
  %x = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = arith.constant dense<0.0> : tensor<2x3xf32>
  %z = tensor.insert_slice %x into %y[1, 1] [1, 2] [1, 1] : tensor<1x2xf32> into tensor<2x3xf32>
  return %z : tensor<2x3xf32>
}

// CHECK: @concat result 0: {{\[\[}}1, 2], [3, 4], [5, 6]]
// CHECK: @concat result 1: {{\[\[}}1, 2, 5], [3, 4, 6]]
func.func @concat() -> (tensor<3x2xf32>, tensor<2x3xf32>) {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = arith.constant dense<[[5.0, 6.0]]> : tensor<1x2xf32>
  %z = arith.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32>
  %below = tensor.concat dim(0) %x, %y : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  %beside = tensor.concat dim(1) %x, %z : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return %below, %beside : tensor<3x2xf32>, tensor<2x3xf32>
}

// What nobody wrote is no number.
// CHECK: @sizes result 0: 3
// CHECK: @sizes result 1: [nan, nan, nan]
// CHECK: @sizes result 2: {{\[\[}}1], [2], [3]]
func.func @sizes() -> (index, tensor<?xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %x = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %any = tensor.cast %x : tensor<3x1xf32> to tensor<?x?xf32>
  %n = tensor.dim %any, %c0 : tensor<?x?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  return %n, %empty, %any : index, tensor<?xf32>, tensor<?x?xf32>
}
