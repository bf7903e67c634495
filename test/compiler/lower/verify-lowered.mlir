// RUN: tcc-opt %s --split-input-file --tcc-verify-lowered --verify-diagnostics

// expected-note@+1 {{in function 'norm_left'}}
func.func @norm_left(%x: tensor<?x12xf32>, %n: tensor<12xbf16>) -> tensor<?x12xbf16> {
  // expected-error@+1 {{'transformer.rms_norm' op is left after phase 'lower': no pass lowers it}}
  %y = transformer.rms_norm %x, %n epsilon(1.0e-5)
    : tensor<?x12xf32>, tensor<12xbf16> -> tensor<?x12xbf16>
  return %y : tensor<?x12xbf16>
}

// -----

// expected-note@+1 {{in function 'addition_left'}}
func.func @addition_left(%x: tensor<?x12xf32>) -> tensor<?x12xf32> {
  // expected-error@+1 {{'arith.addf' op is left after phase 'lower': no pass lowers it}}
  %y = arith.addf %x, %x : tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// -----

// Uses of weights are no computation.
transformer.weight @w tensor("w") : tensor<12xbf16>
func.func @weight() -> tensor<12xbf16> {
  %w = transformer.get_weight [@w] : tensor<12xbf16>
  return %w : tensor<12xbf16>
}
