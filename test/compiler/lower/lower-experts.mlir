// RUN: tcc-opt %s --tcc-lower-experts=march=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: tcc-opt %s --tcc-lower-experts="march=x86-64-v3 fp8-activations" | FileCheck %s --check-prefixes=CHECK,FP8

// CHECK-LABEL: func @route
//  CHECK-SAME:   %[[LOGITS:[a-z0-9]*]]: tensor<?x8xf32>, %[[BIAS:[a-z0-9]*]]: tensor<8xf32>
func.func @route(%logits: tensor<?x8xf32>, %bias: tensor<8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>) {
  // CHECK: %[[R:.*]]:2 = kernel.route %[[LOGITS]] bias(%[[BIAS]] : tensor<8xf32>) sigmoid groups(4) keep(2) top(2) normalize(9.99{{.*}}E-21) scale(2.500000e+00) into
  // CHECK: return %[[R]]#0, %[[R]]#1
  %e, %w = transformer.route %logits bias(%bias : tensor<8xf32>) sigmoid
    groups(4) keep(2) top(2) normalize(1.0e-20) scale(2.5)
    : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  return %e, %w : tensor<?x3xi32>, tensor<?x3xf32>
}

// CHECK-LABEL: func @route_softmax
func.func @route_softmax(%logits: tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  // CHECK: kernel.route %{{[a-z0-9]*}} softmax into
  %e, %w = transformer.route %logits softmax : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return %e, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// There is a row for each token and each of its experts.
// CHECK-LABEL: func @dispatch
//  CHECK-SAME:   %[[E:[a-z0-9]*]]: tensor<?x3xi32>
func.func @dispatch(%e: tensor<?x3xi32>) -> (tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[E]]
  // CHECK: %[[M:.*]] = arith.muli %[[T]], %c3
  // CHECK: %[[ROWS:.*]] = tensor.empty(%[[M]]) : tensor<?xi32>
  // CHECK: kernel.dispatch %[[E]] into %[[ROWS]]
  %r, %p, %o = transformer.dispatch %e : tensor<?x3xi32> -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
  return %r, %p, %o : tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
}

// Rows are read where they are; gate and value become one.
// CHECK-LABEL: func @gated
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x18xbf16>, %[[ROWS:[a-z0-9]*]]: tensor<?xi32>, %[[W:[a-z0-9]*]]: tensor<8x16x18xbf16>, %[[O:[a-z0-9]*]]: tensor<9xi32>
func.func @gated(%x: tensor<?x18xbf16>, %rows: tensor<?xi32>, %w: tensor<8x16x18xbf16>, %o: tensor<9xi32>) -> tensor<?x8xbf16> {
  // CHECK-NOT: gather_rows
  // CHECK: kernel.grouped_linear %[[X]] rows(%[[ROWS]] : tensor<?xi32>), %[[W]] offsets(%[[O]]) into %{{.*}} operand(bf16) packing(<columns = 32, paired = true>)
  // CHECK-SAME: epilogue
  // CHECK: math.exp
  // CHECK-NOT: swiglu
  %g = transformer.gather_rows %x, %rows : tensor<?x18xbf16>, tensor<?xi32> -> tensor<?x18xbf16>
  %y = transformer.grouped_linear %g, %w offsets(%o) : tensor<?x18xbf16>, tensor<8x16x18xbf16>, tensor<9xi32> -> tensor<?x16xf32>
  %z = transformer.swiglu %y : tensor<?x16xf32> -> tensor<?x8xbf16>
  return %z : tensor<?x8xbf16>
}

// CHECK-LABEL: func @fp8_weight
func.func @fp8_weight(%x: tensor<?x18xbf16>, %w: tensor<8x16x18x!transformer.scaled<f8E4M3FN, 4, 4>>, %o: tensor<9xi32>) -> tensor<?x16xf32> {
  // BF16: kernel.grouped_linear {{.*}} operand(bf16)
  // FP8: kernel.grouped_linear {{.*}} operand(f8E4M3FN) {{.*}} config(<arithmetic = fma,
  %y = transformer.grouped_linear %x, %w offsets(%o) : tensor<?x18xbf16>, tensor<8x16x18x!transformer.scaled<f8E4M3FN, 4, 4>>, tensor<9xi32> -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK-LABEL: func @no_gate_two_readers
func.func @no_gate_two_readers(%x: tensor<?x18xf32>, %w: tensor<8x16x18xf32>, %o: tensor<9xi32>) -> (tensor<?x8xf32>, tensor<?x16xf32>) {
  // CHECK: %[[Y:.*]] = kernel.grouped_linear %{{[a-z0-9]*}}, %{{.*}} operand(f32) packing(<columns = 32>)
  // CHECK: transformer.swiglu %[[Y]]
  %y = transformer.grouped_linear %x, %w offsets(%o) : tensor<?x18xf32>, tensor<8x16x18xf32>, tensor<9xi32> -> tensor<?x16xf32>
  %z = transformer.swiglu %y : tensor<?x16xf32> -> tensor<?x8xf32>
  return %z, %y : tensor<?x8xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: func @no_erase_gathered
func.func @no_erase_gathered(%x: tensor<?x18xf32>, %rows: tensor<?xi32>, %w: tensor<8x16x18xf32>, %o: tensor<9xi32>) -> (tensor<?x16xf32>, tensor<?x18xf32>) {
  // CHECK: %[[G:.*]] = transformer.gather_rows
  // CHECK: return %{{.*}}, %[[G]]
  %g = transformer.gather_rows %x, %rows : tensor<?x18xf32>, tensor<?xi32> -> tensor<?x18xf32>
  %y = transformer.grouped_linear %g, %w offsets(%o) : tensor<?x18xf32>, tensor<8x16x18xf32>, tensor<9xi32> -> tensor<?x16xf32>
  return %y, %g : tensor<?x16xf32>, tensor<?x18xf32>
}

// CHECK-LABEL: func @combine_residual
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x18xf32>, %[[P:[a-z0-9]*]]: tensor<?x3xi32>, %[[W:[a-z0-9]*]]: tensor<?x3xf32>, %[[R:[a-z0-9]*]]: tensor<?x18xf32>
func.func @combine_residual(%x: tensor<?x18xf32>, %p: tensor<?x3xi32>, %w: tensor<?x3xf32>, %r: tensor<?x18xf32>) -> tensor<?x18xf32> {
  // CHECK: %[[Y:.*]] = kernel.combine %[[X]], %[[P]], %[[W]] add(%[[R]] : tensor<?x18xf32>) into
  // CHECK-NEXT: return %[[Y]]
  %y = transformer.combine %x, %p, %w : tensor<?x18xf32>, tensor<?x3xi32>, tensor<?x3xf32> -> tensor<?x18xf32>
  %z = arith.addf %y, %r : tensor<?x18xf32>
  return %z : tensor<?x18xf32>
}

// CHECK-LABEL: func @no_addend_two_readers
func.func @no_addend_two_readers(%x: tensor<?x18xf32>, %p: tensor<?x3xi32>, %w: tensor<?x3xf32>, %r: tensor<?x18xf32>) -> (tensor<?x18xf32>, tensor<?x18xf32>) {
  // CHECK: %[[Y:.*]] = kernel.combine %{{[a-z0-9]*}}, %{{[a-z0-9]*}}, %{{[a-z0-9]*}} into
  // CHECK: arith.addf %[[Y]]
  %y = transformer.combine %x, %p, %w : tensor<?x18xf32>, tensor<?x3xi32>, tensor<?x3xf32> -> tensor<?x18xf32>
  %z = arith.addf %y, %r : tensor<?x18xf32>
  return %z, %y : tensor<?x18xf32>, tensor<?x18xf32>
}
