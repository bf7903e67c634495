// Where prompts and what is generated are computed in two forms, a normalisation is the
// prologue of one and a launch of its own before the other, for the rows that read it.
// RUN: tcc-opt %s --pass-pipeline="builtin.module(func.func(tcc-lower-linear{march=sm_90a},tcc-fuse-norm-prologue,tcc-lower-rows{march=sm_90a}),canonicalize,cse,tcc-verify-lowered)" | FileCheck %s

// CHECK-LABEL: func @block
//  CHECK-SAME:   %[[X:[a-z0-9]*]]: tensor<?x64xf32>, %[[SCALE:[a-z0-9]*]]: tensor<64xbf16>
func.func @block(%x: tensor<?x64xf32>, %n: tensor<64xbf16>, %w: tensor<64x64xbf16>, %v: tensor<256x64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x128xbf16>) {
  // CHECK: %[[NORM:.*]] = kernel.rms_norm %[[X]] norms(%[[SCALE]] : tensor<64xbf16>) {{.*}} {kernel.rows = "expanded"}
  // CHECK: %[[P:.*]] = kernel.linear %[[NORM]], {{.*}}<kind = wgmma
  // CHECK-NOT: prologue
  // CHECK: } {kernel.rows = "expanded"}
  // CHECK: %[[G:.*]] = kernel.linear %[[X]], %{{.*}} into %[[P]] {{.*}}<kind = skinny, {{.*}} prologue mean_square(%[[SCALE]] : tensor<64xbf16>)
  // CHECK: } {kernel.rows = "absorbed"}
  // CHECK: kernel.linear %[[NORM]], {{.*}}<kind = wgmma
  // CHECK: kernel.linear %[[X]], {{.*}}<kind = skinny
  // CHECK-NOT: kernel.rms_norm
  // CHECK: return %[[G]]
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  %z = transformer.linear %y, %w : tensor<?x64xbf16>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %a = arith.addf %x, %z : tensor<?x64xf32>
  %g = transformer.linear %y, %v : tensor<?x64xbf16>, tensor<256x64xbf16> -> tensor<?x256xf32>
  %s = transformer.swiglu %g : tensor<?x256xf32> -> tensor<?x128xbf16>
  return %a, %s : tensor<?x64xf32>, tensor<?x128xbf16>
}

// A reader that has all rows needs all that are normalised.
// CHECK-LABEL: func @other_reader
func.func @other_reader(%x: tensor<?x64xf32>, %n: tensor<64xbf16>, %w: tensor<64x64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xbf16>) {
  // CHECK: kernel.rms_norm
  // CHECK-NOT: kernel.rows
  // CHECK: kernel.linear
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  %z = transformer.linear %y, %w : tensor<?x64xbf16>, tensor<64x64xbf16> -> tensor<?x64xf32>
  return %z, %y : tensor<?x64xf32>, tensor<?x64xbf16>
}
