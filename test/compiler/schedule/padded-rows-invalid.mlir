// Logits are read as one row right after another.
// RUN: tcc-opt %s --verify-diagnostics --tcc-schedule=march=sm_90a

transformer.weight @embed tensor("embed") : tensor<20x12xf32>
transformer.weight @n tensor("n") : tensor<12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xbf16> {
  %c0 = arith.constant 0 : index
  %e = transformer.get_weight [@embed] : tensor<20x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i0 = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %e into %i0 packing(#kernel.row_packing) : tensor<?xi32>, tensor<20x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %a = transformer.get_weight [@n] : tensor<12xf32>
  %i1 = tensor.empty(%n) : tensor<?x12xbf16>
  %y = kernel.rms_norm %x norms(%a : tensor<12xf32>) epsilon(1.0e-5) into %i1 : (tensor<?x12xf32>), tensor<?x12xbf16> -> tensor<?x12xbf16>
  // expected-error@+1 {{'func.return' op expected logits without bytes between rows, got 'tensor<?x12xbf16>' in a buffer of strided<[16, 1]>}}
  return %y : tensor<?x12xbf16>
}
