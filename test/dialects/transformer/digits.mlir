// Numbers survive printing with every digit: what a model is rotated by may not
// depend on whether it was written to a file in between.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s

// CHECK-LABEL: func @frequencies
func.func @frequencies(%x: tensor<?x9x4xf32>, %positions: tensor<?xi32>)
    -> tensor<?x9x4xf32> {
  // CHECK: frequencies([0.31622776601683794, 0.002166570763503]) multiplier(1.3688879454113936)
  %y = transformer.rotary_embedding %x, %positions
    frequencies([0.31622776601683794, 2.166570763503e-3])
    multiplier(1.3688879454113936)
    : tensor<?x9x4xf32>, tensor<?xi32> -> tensor<?x9x4xf32>
  return %y : tensor<?x9x4xf32>
}
