// On the H100, rows of matrices of 16-bit elements begin at multiples of 16 bytes, where
// copies of tiles can: what their columns take is rounded up. A CPU needs nothing of it.
// RUN: tcc-opt %s --verify-diagnostics --tcc-schedule=march=sm_90a | FileCheck %s
// RUN: tcc-opt %s --tcc-schedule=march=x86-64-v3 | FileCheck %s --check-prefix=CPU --implicit-check-not=strided

// Rows of 12 columns of f32 take 48 bytes, those of bf16 32 instead of 24, and 20 of them
// 48 instead of 40. Rows with logits are no exception; logits, of f32, are.
// CHECK: plan.buffer @buffer_0 {{.*}} bytes(48 T)
// CHECK: plan.buffer @buffer_1 {{.*}} bytes(32 T)
// CHECK: plan.buffer @buffer_2 {{.*}} bytes(48 T)
// CHECK: plan.buffer @buffer_3 {{.*}} bytes(48 R)
// CHECK: plan.buffer @buffer_4 {{.*}} bytes(44 R)
// CHECK: func.func @rms_norm(%{{.*}}: memref<?x12xf32>, %{{.*}}: memref<12xf32>, %{{.*}}: memref<?x12xbf16, strided<[16, 1]>>)
// CHECK: func.func @linear_n20_k12_bf16(%{{.*}}: memref<?x12xbf16, strided<[16, 1]>>, %{{.*}}: memref<20x12xbf16>, %{{.*}}: memref<?x20xbf16, strided<[24, 1]>>)
// CHECK: func.func @gather_rows(%{{.*}}: memref<?x20xbf16, strided<[24, 1]>>, %{{.*}}: memref<?xi32>, %{{.*}}: memref<?x20xbf16, strided<[24, 1]>>)
// CHECK: func.func @linear_n11_k20_bf16(%{{.*}}: memref<?x20xbf16, strided<[24, 1]>>, %{{.*}}: memref<11x20xbf16>, %{{.*}}: memref<?x11xf32>)
// CPU: plan.buffer @buffer_1 {{.*}} bytes(24 T)
// CPU: plan.buffer @buffer_2 {{.*}} bytes(40 T)
#config = #kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 384, stages = 3>
transformer.weight @embed tensor("embed") : tensor<20x12xf32>
transformer.weight @n tensor("n") : tensor<12xf32>
transformer.weight @w tensor("w") : tensor<20x12xbf16>
transformer.weight @v tensor("v") : tensor<11x20xbf16>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x11xf32> {
  %c0 = arith.constant 0 : index
  %e = transformer.get_weight [@embed] : tensor<20x12xf32>
  %a = transformer.get_weight [@n] : tensor<12xf32>
  %w = transformer.get_weight [@w] : tensor<20x12xbf16>
  %v = transformer.get_weight [@v] : tensor<11x20xbf16>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i0 = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %e into %i0 packing(#kernel.row_packing) : tensor<?xi32>, tensor<20x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %i1 = tensor.empty(%n) : tensor<?x12xbf16>
  %y = kernel.rms_norm %x norms(%a : tensor<12xf32>) epsilon(1.0e-5) into %i1 : (tensor<?x12xf32>), tensor<?x12xbf16> -> tensor<?x12xbf16>
  %i2 = tensor.empty(%n) : tensor<?x20xbf16>
  %z = kernel.linear %y, %w into %i2 operand(bf16) packing(#kernel.row_packing) config(#config) : tensor<?x12xbf16>, tensor<20x12xbf16>, tensor<?x20xbf16> -> tensor<?x20xbf16>
  %r = tensor.dim %rows, %c0 : tensor<?xi32>
  %i3 = tensor.empty(%r) : tensor<?x20xbf16>
  %s = kernel.gather_rows %z, %rows into %i3 : tensor<?x20xbf16>, tensor<?xi32>, tensor<?x20xbf16> -> tensor<?x20xbf16>
  %i4 = tensor.empty(%r) : tensor<?x11xf32>
  %o = kernel.linear %s, %v into %i4 operand(bf16) packing(#kernel.row_packing) config(#config) : tensor<?x20xbf16>, tensor<11x20xbf16>, tensor<?x11xf32> -> tensor<?x11xf32>
  return %o : tensor<?x11xf32>
}
