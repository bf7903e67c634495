// RUN: tcc-opt %s --tcc-fuse-swiglu | FileCheck %s

// CHECK-LABEL: func @rounded
//  CHECK-SAME:   %[[BOTH:.*]]: tensor<?x128xf32>
func.func @rounded(%both: tensor<?x128xf32>) -> tensor<?x64xbf16> {
  // CHECK-NEXT: %[[Y:.*]] = transformer.swiglu %[[BOTH]] : tensor<?x128xf32> -> tensor<?x64xbf16>
  // CHECK-NEXT: return %[[Y]]
  %zero = arith.constant 0 : index
  %rows = tensor.dim %both, %zero : tensor<?x128xf32>
  %gate = tensor.extract_slice %both[0, 0] [%rows, 64] [1, 1]
    : tensor<?x128xf32> to tensor<?x64xf32>
  %up = tensor.extract_slice %both[0, 64] [%rows, 64] [1, 1]
    : tensor<?x128xf32> to tensor<?x64xf32>
  %open = transformer.silu %gate : tensor<?x64xf32> -> tensor<?x64xf32>
  %product = arith.mulf %open, %up : tensor<?x64xf32>
  %y = arith.truncf %product : tensor<?x64xf32> to tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// In f32 throughout, the product the other way round, rows known.
// CHECK-LABEL: func @full_precision
//  CHECK-SAME:   %[[BOTH:.*]]: tensor<5x6xf32>
func.func @full_precision(%both: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NEXT: %[[Y:.*]] = transformer.swiglu %[[BOTH]] : tensor<5x6xf32> -> tensor<5x3xf32>
  // CHECK-NEXT: return %[[Y]]
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %up, %open : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// The product has another reader: the rounding stays an op of its own.
// CHECK-LABEL: func @product_read_twice
func.func @product_read_twice(%both: tensor<5x6xf32>) -> (tensor<5x3xf32>, tensor<5x3xbf16>) {
  // CHECK: %[[Y:.*]] = transformer.swiglu %{{.*}} : tensor<5x6xf32> -> tensor<5x3xf32>
  // CHECK: arith.truncf %[[Y]]
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  %y = arith.truncf %product : tensor<5x3xf32> to tensor<5x3xbf16>
  return %product, %y : tensor<5x3xf32>, tensor<5x3xbf16>
}

// The gate is the second half: swiglu takes it from the first.
// CHECK-LABEL: func @no_fuse_gate_second
func.func @no_fuse_gate_second(%both: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %up = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %gate = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// CHECK-LABEL: func @no_fuse_overlapping_halves
func.func @no_fuse_overlapping_halves(%both: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 2] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// CHECK-LABEL: func @no_fuse_two_sources
func.func @no_fuse_two_sources(%a: tensor<5x6xf32>, %b: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %a[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %b[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// Columns that are left out at the end.
// CHECK-LABEL: func @no_fuse_more_columns
func.func @no_fuse_more_columns(%both: tensor<5x7xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x7xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x7xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// Not all rows, which the types do not show.
// CHECK-LABEL: func @no_fuse_some_rows
func.func @no_fuse_some_rows(%both: tensor<?x6xf32>, %rows: index) -> tensor<?x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [%rows, 3] [1, 1] : tensor<?x6xf32> to tensor<?x3xf32>
  %up = tensor.extract_slice %both[0, 3] [%rows, 3] [1, 1] : tensor<?x6xf32> to tensor<?x3xf32>
  %open = transformer.silu %gate : tensor<?x3xf32> -> tensor<?x3xf32>
  %product = arith.mulf %open, %up : tensor<?x3xf32>
  return %product : tensor<?x3xf32>
}

// CHECK-LABEL: func @no_fuse_strided
func.func @no_fuse_strided(%both: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 2] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// silu rounds to bf16 before the product, which swiglu would not.
// CHECK-LABEL: func @no_fuse_rounded_between
func.func @no_fuse_rounded_between(%both: tensor<5x6xbf16>) -> tensor<5x3xbf16> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xbf16> to tensor<5x3xbf16>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xbf16> to tensor<5x3xbf16>
  %open = transformer.silu %gate : tensor<5x3xbf16> -> tensor<5x3xbf16>
  %product = arith.mulf %open, %up : tensor<5x3xbf16>
  return %product : tensor<5x3xbf16>
}

// CHECK-LABEL: func @no_fuse_fast_math
func.func @no_fuse_fast_math(%both: tensor<5x6xf32>) -> tensor<5x3xf32> {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up fastmath<fast> : tensor<5x3xf32>
  return %product : tensor<5x3xf32>
}

// The product is fused, a rounding that is not to nearest is not.
// CHECK-LABEL: func @no_fuse_rounding_mode
func.func @no_fuse_rounding_mode(%both: tensor<5x6xf32>) -> tensor<5x3xbf16> {
  // CHECK: %[[Y:.*]] = transformer.swiglu %{{.*}} -> tensor<5x3xf32>
  // CHECK: arith.truncf %[[Y]] toward_zero
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  %y = arith.truncf %product toward_zero : tensor<5x3xf32> to tensor<5x3xbf16>
  return %y : tensor<5x3xbf16>
}

// CHECK-LABEL: func @no_fuse_silu_read_twice
func.func @no_fuse_silu_read_twice(%both: tensor<5x6xf32>) -> (tensor<5x3xf32>, tensor<5x3xf32>) {
  // CHECK-NOT: transformer.swiglu
  %gate = tensor.extract_slice %both[0, 0] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %up = tensor.extract_slice %both[0, 3] [5, 3] [1, 1] : tensor<5x6xf32> to tensor<5x3xf32>
  %open = transformer.silu %gate : tensor<5x3xf32> -> tensor<5x3xf32>
  %product = arith.mulf %open, %up : tensor<5x3xf32>
  return %product, %open : tensor<5x3xf32>, tensor<5x3xf32>
}
