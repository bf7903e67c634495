// What tcc-interpret runs, on what, and what it prints.
// RUN: tcc-opt %s --tcc-interpret=entry=doubled -o /dev/null | FileCheck %s --check-prefix=ENTRY
// RUN: tcc-opt %s --tcc-interpret=length=3 -o %t.mlir | FileCheck %s
// RUN: FileCheck %s --check-prefix=SAME < %t.mlir
// RUN: tcc-opt %s --tcc-interpret="entry=large output=%t.npy" -o /dev/null
// RUN: %python %S/Inputs/show-npy.py %t.npy | FileCheck %s --check-prefix=NPY
// RUN: tcc-opt %s --tcc-interpret="entry=forward length=5 sequences=2 output=%t.forward.npy" -o /dev/null
// RUN: %python %S/Inputs/show-npy.py %t.forward.npy | FileCheck %s --check-prefix=FORWARD

// ENTRY:     @doubled result 0: [2, -4, 1]
// ENTRY-NOT: @
// CHECK: @doubled result 0: [2, -4, 1]
// SAME: func.func @doubled
func.func @doubled() -> tensor<3xf32> {
  %x = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  %y = arith.addf %x, %x : tensor<3xf32>
  return %y : tensor<3xf32>
}

// Arguments: integers count from 0, dynamic dimensions are `length`.
// CHECK: @arguments result 0: [0, 1, 2]
// CHECK: @arguments result 1: 0
// CHECK: @arguments result 2: {{\[\[[-.0-9]+, [-.0-9]+\], \[[-.0-9]+, [-.0-9]+\], \[[-.0-9]+, [-.0-9]+\]\]}}
func.func @arguments(%a: tensor<?xi32>, %b: index, %c: tensor<?x2xf32>) -> (tensor<?xi32>, index, tensor<?x2xf32>) {
  return %a, %b, %c : tensor<?xi32>, index, tensor<?x2xf32>
}

// More than 64 elements are not printed one by one: 1 to 3, and 63 zeros.
// CHECK: @large result 0: shape [2, 33], L2 3.74165739, from 0 to 3
// NPY: (2, 33) 3.0 2.0 1.0 0.0
func.func @large() -> tensor<2x33xf32> {
  %x = arith.constant dense<[[3.0, 2.0, 1.0]]> : tensor<1x3xf32>
  %zero = arith.constant dense<0.0> : tensor<2x33xf32>
  %y = tensor.insert_slice %x into %zero[0, 0] [1, 3] [1, 1] : tensor<1x3xf32> into tensor<2x33xf32>
  return %y : tensor<2x33xf32>
}

// CHECK: @nothing result 0: shape [0, 7], empty
func.func @nothing() -> tensor<0x7xf32> {
  %x = tensor.empty() : tensor<0x7xf32>
  return %x : tensor<0x7xf32>
}

// The entry of a model runs on sequences that get shorter. The logits of a token
// are its position and the token itself; tokens are those of the vocabulary.
// CHECK: @forward sequence 0: {{\[\[}}0, [[A:[01]]]], [1, [[B:[01]]]], [2, [[C:[01]]]]]
// CHECK: @forward sequence 1: {{\[\[}}0, [[D:[01]]]]]
// CHECK: @forward sequence 2: {{\[\[}}0, [[E:[01]]]]]
// Two sequences of 5 and 2 tokens below each other.
// FORWARD: (7, 2)
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x2xf32> {
  %p = arith.sitofp %positions : tensor<?xi32> to tensor<?xf32>
  %t = arith.sitofp %tokens : tensor<?xi32> to tensor<?xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %a = tensor.expand_shape %p [[0, 1]] output_shape [%n, 1] : tensor<?xf32> into tensor<?x1xf32>
  %b = tensor.expand_shape %t [[0, 1]] output_shape [%n, 1] : tensor<?xf32> into tensor<?x1xf32>
  %y = tensor.concat dim(1) %a, %b : (tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK-NOT: @unseen
func.func private @unseen() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
