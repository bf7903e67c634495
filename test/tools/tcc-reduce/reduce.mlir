// A module in our dialects that some test finds interesting becomes a smaller one
// that it still does. Here the test is whether batching fails for want of a layer.
// RUN: tcc-reduce %s --opt-reduction-pass="opt-pass=symbol-privatize{exclude=attention},symbol-dce,canonicalize test=%S/Inputs/batch-fails.sh test-arg=%bin/tcc-opt" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: not tcc-opt %t.mlir --tcc-batch 2>&1 | FileCheck %s --check-prefix=STILL

// A module that is not interesting is refused.
// RUN: not tcc-reduce %S/Inputs/layer.mlir --opt-reduction-pass="opt-pass=symbol-dce test=%S/Inputs/batch-fails.sh test-arg=%bin/tcc-opt" 2>&1 \
// RUN: | FileCheck %s --check-prefix=DULL

// CHECK-NOT: transformer.rms_norm
// CHECK: func.func {{.*}}@attention
// CHECK: transformer.attention
// CHECK-NOT: transformer.rms_norm
// STILL: expected one argument of type index
// DULL: the original input is not interested

func.func @other(%x: tensor<?x4xf32>, %w: tensor<4xf32>) -> tensor<?x4xf32> {
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5) : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func @attention(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %x: tensor<?x4xf32>, %w: tensor<4xf32>) -> (tensor<?x2x8xf32>) {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5) : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x2x8xf32>
}
