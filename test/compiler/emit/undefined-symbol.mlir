// Code that would need a function of a library is refused: the runtime maps the
// image and links nothing. Here it is the tangent in an epilogue; exp, of which
// LLVM would make a call as well, is a polynomial.
// RUN: not tcc %s --emit=asm --march=x86-64-v3 2>&1 | FileCheck %s
// RUN: sed s/math.tan/math.exp/ %s > %t.mlir
// RUN: tcc %t.mlir --emit=asm --march=x86-64-v3 | FileCheck %s --check-prefix=EXP
// RUN: tcc %t.mlir --emit=llvm --march=x86-64-v4 | FileCheck %s --check-prefix=EXP

// CHECK: tcc: error: {{.*}}undefined-symbol.mlir: cannot generate code: {{.*}}kernels cannot be linked: code refers to the undefined symbol 'tanf'
// EXP-NOT: {{call.*exp}}
// EXP: linear_n20_k12_f32
// EXP-NOT: {{call.*exp}}

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @embed tensor("embed") : tensor<20x12xf32>
transformer.weight @q tensor("layers.{layer}.q") layers(0, 1) : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x20xf32> {
  %c0 = arith.constant 0 : index
  %table = transformer.get_weight [@embed] : tensor<20x12xf32>
  %x = transformer.embedding %tokens, %table : tensor<?xi32>, tensor<20x12xf32> -> tensor<?x12xf32>
  %y = func.call @layer(%x, %positions, %c0) : (tensor<?x12xf32>, tensor<?xi32>, index) -> tensor<?x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %init = tensor.empty(%n) : tensor<?x20xf32>
  %logits = kernel.linear %y, %table into %init operand(f32) packing(<columns = 32>) config(#config)
    epilogue {
    ^bb0(%sum: f32):
      %z = math.tan %sum : f32
      kernel.yield %z : f32
    } : tensor<?x12xf32>, tensor<20x12xf32>, tensor<?x20xf32> -> tensor<?x20xf32>
  return %logits : tensor<?x20xf32>
}
func.func private @layer(%x: tensor<?x12xf32>, %positions: tensor<?xi32>, %layer: index) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@q] layer(%layer) : tensor<12x12xf32>
  %rows = tensor.dim %x, %c0 : tensor<?x12xf32>
  %q0 = transformer.linear %x, %w : tensor<?x12xf32>, tensor<12x12xf32> -> tensor<?x12xf32>
  %q1 = tensor.extract_slice %q0[0, 0] [%rows, 4] [1, 1] : tensor<?x12xf32> to tensor<?x4xf32>
  %k1 = tensor.extract_slice %q0[0, 4] [%rows, 4] [1, 1] : tensor<?x12xf32> to tensor<?x4xf32>
  %v1 = tensor.extract_slice %q0[0, 8] [%rows, 4] [1, 1] : tensor<?x12xf32> to tensor<?x4xf32>
  %q2 = tensor.expand_shape %q1 [[0], [1, 2]] output_shape [%rows, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %k2 = tensor.expand_shape %k1 [[0], [1, 2]] output_shape [%rows, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %v2 = tensor.expand_shape %v1 [[0], [1, 2]] output_shape [%rows, 1, 4] : tensor<?x4xf32> into tensor<?x1x4xf32>
  %q = transformer.rotary_embedding %q2, %positions frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %k = transformer.rotary_embedding %k2, %positions frequencies([1.0, 0.01]) : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %q, %k, %v2 positions(%positions, %positions) scale(0.5)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o1 = tensor.collapse_shape %o [[0], [1, 2]] : tensor<?x1x4xf32> into tensor<?x4xf32>
  %wo = transformer.get_weight [@o] layer(%layer) : tensor<12x4xf32>
  %y = transformer.linear %o1, %wo : tensor<?x4xf32>, tensor<12x4xf32> -> tensor<?x12xf32>
  %sum = arith.addf %x, %y : tensor<?x12xf32>
  return %sum : tensor<?x12xf32>
}
transformer.weight @o tensor("layers.{layer}.o") layers(0, 1) : tensor<12x4xf32>
