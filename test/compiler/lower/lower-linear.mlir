// RUN: tcc-opt %s --tcc-lower-linear=march=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: tcc-opt %s --tcc-lower-linear="march=x86-64-v3 fp8-activations" | FileCheck %s --check-prefixes=CHECK,FP8

transformer.weight @gate tensor("gate") : tensor<24x12xbf16>
transformer.weight @up tensor("up") : tensor<24x12xbf16>
transformer.weight @gate_bias tensor("gate_bias") : tensor<24xbf16>
transformer.weight @up_bias tensor("up_bias") : tensor<24xbf16>

// CHECK-LABEL: func @alone
//  CHECK-SAME:   %[[X:.*]]: tensor<?x12xbf16>, %[[W:.*]]: tensor<20x12xbf16>
func.func @alone(%x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  // CHECK: %[[Y:.*]] = kernel.linear %[[X]], %[[W]] into %{{.*}} operand(bf16)
  // CHECK-NOT: epilogue
  // CHECK: return %[[Y]]
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// f16 has more digits than bf16: its products are formed in f32.
// CHECK-LABEL: func @f16_weight
func.func @f16_weight(%x: tensor<?x12xbf16>, %w: tensor<20x12xf16>) -> tensor<?x20xf32> {
  // CHECK: kernel.linear {{.*}} operand(f32)
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xf16> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// An input is FP8 where it is asked for and the weight is, and is read before another
// rounding.
// CHECK-LABEL: func @fp8_weight
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>
func.func @fp8_weight(%x: tensor<?x12xf32>, %w: tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>) -> tensor<?x20xf32> {
  // BF16: kernel.linear %[[X]], {{.*}} operand(bf16)
  // FP8: kernel.linear %[[X]], {{.*}} operand(f8E4M3FN) {{.*}} config(<arithmetic = fma,
  %rounded = arith.truncf %x : tensor<?x12xf32> to tensor<?x12xbf16>
  %y = transformer.linear %rounded, %w
    : tensor<?x12xbf16>, tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func @bias
//  CHECK-SAME:   %[[B:[a-z0-9]*]]: tensor<20xbf16>
func.func @bias(%b: tensor<20xbf16>, %x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  // CHECK: kernel.linear {{.*}} epilogue(%[[B]] : tensor<20xbf16>)
  // CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[BIAS:.*]]: f32):
  // CHECK-NEXT:   %[[BIASED:.*]] = arith.addf %[[SUM]], %[[BIAS]]
  // CHECK-NEXT:   kernel.yield %[[BIASED]]
  %y = transformer.linear %x, %w bias(%b : tensor<20xbf16>)
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func @residual_on_the_left
//  CHECK-SAME:   %[[R:[a-z0-9]*]]: tensor<?x20xf32>
func.func @residual_on_the_left(%r: tensor<?x20xf32>, %x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  // CHECK: kernel.linear {{.*}} epilogue(%[[R]] : tensor<?x20xf32>)
  // CHECK: arith.addf {{.*}} : f32
  // CHECK-NOT: tensor<{{.*}}arith.addf
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %s = arith.addf %r, %y : tensor<?x20xf32>
  return %s : tensor<?x20xf32>
}

// The sum has another reader, so the layer writes what it computes.
// CHECK-LABEL: func @no_residual_read_twice
func.func @no_residual_read_twice(%r: tensor<?x20xf32>, %x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  // CHECK-NOT: epilogue
  // CHECK: arith.addf {{.*}} : tensor<?x20xf32>
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %s = arith.addf %r, %y : tensor<?x20xf32>
  return %s, %y : tensor<?x20xf32>, tensor<?x20xf32>
}

// The sum leaves the norm and becomes the epilogue of the layer before it.
// CHECK-LABEL: func @residual_norm
//  CHECK-SAME:   %[[R:[a-z0-9]*]]: tensor<?x20xf32>
func.func @residual_norm(%r: tensor<?x20xf32>, %x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>, %n: tensor<20xbf16>) -> (tensor<?x20xf32>, tensor<?x20xbf16>) {
  // CHECK: %[[SUM:.*]] = kernel.linear {{.*}} epilogue(%[[R]] : tensor<?x20xf32>)
  // CHECK: %[[NORM:.*]] = transformer.rms_norm %[[SUM]]
  // CHECK: return %[[SUM]], %[[NORM]]
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %s, %m = transformer.residual_rms_norm %r, %y, %n epsilon(1.0e-5)
    : tensor<?x20xf32>, tensor<20xbf16> -> tensor<?x20xbf16>
  return %s, %m : tensor<?x20xf32>, tensor<?x20xbf16>
}

// CHECK-LABEL: func @gated
func.func @gated(%x: tensor<?x12xbf16>) -> tensor<?x24xbf16> {
  // CHECK: kernel.linear {{.*}} packing(<columns = {{.*}}, paired = true>) {{.*}} epilogue {
  // CHECK-NEXT: ^bb0(%[[GATE:.*]]: f32, %[[VALUE:.*]]: f32):
  // CHECK: %[[SILU:.*]] = arith.divf %[[GATE]]
  // CHECK: arith.mulf %[[SILU]], %[[VALUE]]
  %w = transformer.get_weight [@gate, @up] : tensor<48x12xbf16>
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<48x12xbf16> -> tensor<?x48xf32>
  %z = transformer.swiglu %y : tensor<?x48xf32> -> tensor<?x24xbf16>
  return %z : tensor<?x24xbf16>
}

// Each half of the bias goes with its half of the weight.
// CHECK-LABEL: func @gated_with_bias
func.func @gated_with_bias(%x: tensor<?x12xbf16>) -> tensor<?x24xbf16> {
  // CHECK: %[[G:.*]] = transformer.get_weight [@gate_bias] : tensor<24xbf16>
  // CHECK: %[[U:.*]] = transformer.get_weight [@up_bias] : tensor<24xbf16>
  // CHECK: kernel.linear {{.*}} epilogue(%[[G]], %[[U]] : tensor<24xbf16>, tensor<24xbf16>)
  // CHECK-NEXT: ^bb0(%[[GATE:.*]]: f32, %[[VALUE:.*]]: f32, %[[GB:.*]]: f32, %[[UB:.*]]: f32):
  // CHECK-NEXT: arith.addf %[[GATE]], %[[GB]]
  // CHECK-NEXT: arith.addf %[[VALUE]], %[[UB]]
  %w = transformer.get_weight [@gate, @up] : tensor<48x12xbf16>
  %b = transformer.get_weight [@gate_bias, @up_bias] : tensor<48xbf16>
  %y = transformer.linear %x, %w bias(%b : tensor<48xbf16>)
    : tensor<?x12xbf16>, tensor<48x12xbf16> -> tensor<?x48xf32>
  %z = transformer.swiglu %y : tensor<?x48xf32> -> tensor<?x24xbf16>
  return %z : tensor<?x24xbf16>
}

// The bias is no pair of weights, so that it cannot be dealt out to the halves.
// CHECK-LABEL: func @no_gate_other_bias
func.func @no_gate_other_bias(%x: tensor<?x12xbf16>, %b: tensor<48xbf16>) -> tensor<?x24xbf16> {
  // CHECK-NOT: paired
  // CHECK: kernel.linear {{.*}} epilogue(%{{.*}} : tensor<48xbf16>)
  // CHECK: transformer.swiglu
  %w = transformer.get_weight [@gate, @up] : tensor<48x12xbf16>
  %y = transformer.linear %x, %w bias(%b : tensor<48xbf16>)
    : tensor<?x12xbf16>, tensor<48x12xbf16> -> tensor<?x48xf32>
  %z = transformer.swiglu %y : tensor<?x48xf32> -> tensor<?x24xbf16>
  return %z : tensor<?x24xbf16>
}

// CHECK-LABEL: func @no_gate_read_twice
func.func @no_gate_read_twice(%x: tensor<?x12xbf16>) -> (tensor<?x24xbf16>, tensor<?x48xf32>) {
  // CHECK-NOT: paired
  // CHECK: kernel.linear
  // CHECK: transformer.swiglu
  %w = transformer.get_weight [@gate, @up] : tensor<48x12xbf16>
  %y = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<48x12xbf16> -> tensor<?x48xf32>
  %z = transformer.swiglu %y : tensor<?x48xf32> -> tensor<?x24xbf16>
  return %z, %y : tensor<?x24xbf16>, tensor<?x48xf32>
}

// CHECK-LABEL: func @no_gate_without_linear
func.func @no_gate_without_linear(%y: tensor<?x48xf32>) -> tensor<?x24xbf16> {
  // CHECK-NEXT: transformer.swiglu
  %z = transformer.swiglu %y : tensor<?x48xf32> -> tensor<?x24xbf16>
  return %z : tensor<?x24xbf16>
}

// CHECK-LABEL: func @no_residual_of_scalars
func.func @no_residual_of_scalars(%x: f32) -> f32 {
  // CHECK-NEXT: arith.addf {{.*}} : f32
  %y = arith.addf %x, %x : f32
  return %y : f32
}

// Gate and value have weights of different storage, so that they are two layers:
// the gate is an operand of the epilogue.
// CHECK-LABEL: func @gate_of_another_storage
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xbf16>, %[[G:[a-z0-9]*]]: tensor<20x12xbf16>, %[[U:[a-z0-9]*]]: tensor<20x12xf32>
func.func @gate_of_another_storage(%x: tensor<?x12xbf16>, %g: tensor<20x12xbf16>, %u: tensor<20x12xf32>) -> tensor<?x20xbf16> {
  // CHECK: %[[GATE:.*]] = kernel.linear %[[X]], %[[G]] into
  // CHECK: %[[Y:.*]] = kernel.linear %[[X]], %[[U]] into {{.*}} epilogue(%[[GATE]] : tensor<?x20xf32>)
  // CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[GATED:.*]]: f32):
  // CHECK:        %[[SILU:.*]] = arith.divf %[[GATED]],
  // CHECK-NEXT:   arith.mulf %[[SILU]], %[[SUM]]
  // CHECK:      -> tensor<?x20xbf16>
  // CHECK-NEXT: return %[[Y]]
  %gate = transformer.linear %x, %g
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %up = transformer.linear %x, %u
    : tensor<?x12xbf16>, tensor<20x12xf32> -> tensor<?x20xf32>
  %silu = transformer.silu %gate : tensor<?x20xf32> -> tensor<?x20xf32>
  %product = arith.mulf %silu, %up : tensor<?x20xf32>
  %y = arith.truncf %product : tensor<?x20xf32> to tensor<?x20xbf16>
  return %y : tensor<?x20xbf16>
}

// The same where nothing is rounded, and with the gate on the right.
// CHECK-LABEL: func @gate_in_f32
func.func @gate_in_f32(%x: tensor<?x12xf32>, %g: tensor<20x12xbf16>, %u: tensor<20x12xf32>) -> tensor<?x20xf32> {
  // CHECK: %[[GATE:.*]] = kernel.linear
  // CHECK: %[[Y:.*]] = kernel.linear {{.*}} epilogue(%[[GATE]] : tensor<?x20xf32>)
  // CHECK: return %[[Y]]
  %gate = transformer.linear %x, %g
    : tensor<?x12xf32>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %up = transformer.linear %x, %u
    : tensor<?x12xf32>, tensor<20x12xf32> -> tensor<?x20xf32>
  %silu = transformer.silu %gate : tensor<?x20xf32> -> tensor<?x20xf32>
  %product = arith.mulf %up, %silu : tensor<?x20xf32>
  return %product : tensor<?x20xf32>
}
