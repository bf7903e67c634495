// RUN: tcc-opt %s --tcc-lower-rows=march=x86-64-v3 | FileCheck %s

// CHECK-LABEL: func @embedding
//  CHECK-SAME:   %[[T:[a-z0-9]*]]: tensor<?xi32>, %[[E:[a-z0-9]*]]: tensor<20x12xbf16>
func.func @embedding(%t: tensor<?xi32>, %e: tensor<20x12xbf16>) -> tensor<?x12xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[T]]
  // CHECK: %[[INIT:.*]] = tensor.empty(%[[N]])
  // CHECK: kernel.embedding %[[T]], %[[E]] into %[[INIT]] packing(<columns =
  %x = transformer.embedding %t, %e
    : tensor<?xi32>, tensor<20x12xbf16> -> tensor<?x12xf32>
  return %x : tensor<?x12xf32>
}

// The destination has the rows that are selected, not those of the input.
// CHECK-LABEL: func @gather_rows
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>, %[[R:[a-z0-9]*]]: tensor<?xi32>
func.func @gather_rows(%x: tensor<?x12xf32>, %r: tensor<?xi32>) -> tensor<?x12xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[R]]
  // CHECK: %[[INIT:.*]] = tensor.empty(%[[N]])
  // CHECK: kernel.gather_rows %[[X]], %[[R]] into %[[INIT]]
  %y = transformer.gather_rows %x, %r
    : tensor<?x12xf32>, tensor<?xi32> -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}
