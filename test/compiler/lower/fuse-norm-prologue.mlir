// RUN: tcc-opt %s --tcc-lower-linear=march=x86-64-v3 --tcc-fuse-norm-prologue | FileCheck %s

// CHECK-LABEL: func @one_reader
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>, %[[N:[a-z0-9]*]]: tensor<12xbf16>
func.func @one_reader(%x: tensor<?x12xf32>, %n: tensor<12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  // CHECK-NOT: transformer.rms_norm
  // CHECK: kernel.linear %[[X]], {{.*}} prologue mean_square(%[[N]] : tensor<12xbf16>)
  // CHECK-NEXT: ^bb0(%[[ELEMENT:.*]]: f32, %[[MEAN:.*]]: f32, %[[SCALE:.*]]: f32):
  // CHECK: %[[SHIFTED:.*]] = arith.addf %[[MEAN]]
  // CHECK: %[[FACTOR:.*]] = math.rsqrt %[[SHIFTED]]
  // CHECK: %[[NORMED:.*]] = arith.mulf %[[ELEMENT]], %[[FACTOR]]
  // CHECK: %[[SCALED:.*]] = arith.mulf %[[NORMED]], %[[SCALE]]
  // CHECK: kernel.yield %[[SCALED]]
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %z = transformer.linear %y, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %z : tensor<?x20xf32>
}

// Someone else reads the normalised rows: they are written for him.
// CHECK-LABEL: func @no_erase_other_reader
func.func @no_erase_other_reader(%x: tensor<?x12xf32>, %n: tensor<12xbf16>, %w: tensor<20x12xbf16>) -> (tensor<?x20xf32>, tensor<?x12xbf16>) {
  // CHECK: %[[Y:.*]] = transformer.rms_norm
  // CHECK: kernel.linear %{{.*}} prologue mean_square
  // CHECK: return %{{.*}}, %[[Y]]
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  %z = transformer.linear %y, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %z, %y : tensor<?x20xf32>, tensor<?x12xbf16>
}

// CHECK-LABEL: func @no_prologue_without_norm
func.func @no_prologue_without_norm(%x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  // CHECK-NOT: prologue
  %z = transformer.linear %x, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %z : tensor<?x20xf32>
}
