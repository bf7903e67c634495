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

// CHECK-LABEL: func @rms_norm
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>, %[[W:[a-z0-9]*]]: tensor<12xbf16>
func.func @rms_norm(%x: tensor<?x12xf32>, %w: tensor<12xbf16>) -> tensor<?x12xf32> {
  // CHECK: kernel.rms_norm %[[X]] norms(%[[W]] : tensor<12xbf16>) epsilon({{.*}}) into
  %y = transformer.rms_norm %x, %w epsilon(1.0e-6) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// CHECK-LABEL: func @norms_side_by_side
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>, %[[Y:[a-z0-9]*]]: tensor<?x12xf32>
func.func @norms_side_by_side(%x: tensor<?x12xf32>, %y: tensor<?x12xf32>, %w: tensor<12xbf16>) -> tensor<?x24xbf16> {
  // CHECK-NOT: tensor.concat
  // CHECK: kernel.rms_norm %[[X]], %[[Y]] norms({{.*}}) epsilon({{.*}}) into %{{.*}} : (tensor<?x12xf32>, tensor<?x12xf32>), tensor<?x24xbf16>
  %a = transformer.rms_norm %x, %w epsilon(1.0e-6) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %b = transformer.rms_norm %y, %w epsilon(1.0e-6) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %c = tensor.concat dim(1) %a, %b : (tensor<?x12xbf16>, tensor<?x12xbf16>) -> tensor<?x24xbf16>
  return %c : tensor<?x24xbf16>
}

// CHECK-LABEL: func @same_norm_twice
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>
func.func @same_norm_twice(%x: tensor<?x12xf32>, %w: tensor<12xbf16>) -> tensor<?x24xbf16> {
  // CHECK: kernel.rms_norm %[[X]], %[[X]] norms(
  // CHECK-NOT: rms_norm
  // CHECK: return
  %a = transformer.rms_norm %x, %w epsilon(1.0e-6) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %c = tensor.concat dim(1) %a, %a : (tensor<?x12xbf16>, tensor<?x12xbf16>) -> tensor<?x24xbf16>
  return %c : tensor<?x24xbf16>
}

// CHECK-LABEL: func @no_join_two_epsilons
func.func @no_join_two_epsilons(%x: tensor<?x12xf32>, %y: tensor<?x12xf32>, %w: tensor<12xbf16>) -> tensor<?x24xbf16> {
  // CHECK-COUNT-2: kernel.rms_norm
  // CHECK: tensor.concat
  %a = transformer.rms_norm %x, %w epsilon(1.0e-6) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %b = transformer.rms_norm %y, %w epsilon(1.0e-5) : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %c = tensor.concat dim(1) %a, %b : (tensor<?x12xbf16>, tensor<?x12xbf16>) -> tensor<?x24xbf16>
  return %c : tensor<?x24xbf16>
}
