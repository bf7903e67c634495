// RUN: tcc-opt %s --tcc-lower-linear=march=x86-64-v3 --tcc-fuse-norm-prologue --canonicalize | FileCheck %s

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

// Rounding is what kernels do themselves.
// CHECK-LABEL: func @rounded
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x12xf32>
func.func @rounded(%x: tensor<?x12xf32>, %n: tensor<12xbf16>, %w: tensor<20x12xbf16>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  // CHECK-NOT: rms_norm
  // CHECK-NOT: truncf
  // CHECK-DAG: kernel.linear %[[X]], {{.*}} operand(bf16) {{.*}} prologue mean_square
  // CHECK-DAG: kernel.linear %[[X]], {{.*}} operand(f32) {{.*}} prologue mean_square
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xf32>
  %r = arith.truncf %y : tensor<?x12xf32> to tensor<?x12xbf16>
  %z = transformer.linear %r, %w
    : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  %u = transformer.linear %y, %w
    : tensor<?x12xf32>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %z, %u : tensor<?x20xf32>, tensor<?x20xf32>
}

// The rows of experts are normalised as they are read.
// CHECK-LABEL: func @grouped
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x18xf32>
func.func @grouped(%x: tensor<?x18xf32>, %n: tensor<18xbf16>, %rows: tensor<?xi32>, %w: tensor<8x16x18xbf16>, %o: tensor<9xi32>, %i: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // CHECK-NOT: rms_norm
  // CHECK: kernel.grouped_linear %[[X]] rows({{.*}} prologue mean_square(%{{.*}} : tensor<18xbf16>)
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5)
    : tensor<?x18xf32>, tensor<18xbf16> -> tensor<?x18xbf16>
  %z = kernel.grouped_linear %y rows(%rows : tensor<?xi32>), %w offsets(%o) into %i operand(bf16) packing(<columns = 32>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 192, block_depth = 512>)
    : tensor<?x18xbf16>, tensor<8x16x18xbf16>, tensor<9xi32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %z : tensor<?x16xf32>
}
