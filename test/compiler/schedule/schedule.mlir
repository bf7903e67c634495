// RUN: tcc-opt %s --split-input-file --tcc-schedule --verify-diagnostics | FileCheck %s

// Two layers of one weight each. The carried rows stay in one buffer, what a layer
// computes in between has another, and equal kernels share a function.

// CHECK: plan.buffer @[[X:.*]] offset(0) bytes(48 T) live(0, 3)
// CHECK: plan.buffer @[[Y:.*]] offset(64 T) bytes(48 T) live(1, 2)
// CHECK: plan.buffer @[[ROWS:.*]] offset(128 T{{.*}}) bytes(48 R) live(3, 4)
// CHECK: plan.buffer @[[LOGITS:.*]] offset(128 T{{.*}}) bytes(80 R) live(4, 4)
// CHECK: plan.weight @packed_embed sources(["embed"]) packing(#kernel.packing<columns = 16>) : tensor<20x12xf32>
// CHECK: plan.weight @packed_w sources(["layers.{layer}.w"]) layers(0, 2) packing(#kernel.packing<columns = 16>) : tensor<12x12xf32>
// CHECK: plan.step @step logits(@[[LOGITS]]) arena(
// CHECK-NEXT: plan.launch @embedding_n20_k12_f32(@tokens, @packed_embed, @[[X]]) tiles(1 T) scratch(0)
// CHECK-NEXT: plan.loop layers(0, 2) {
// CHECK-NEXT:   plan.launch @[[LINEAR:linear_n12_k12_f32]](@[[X]], @packed_w, @[[Y]]) tiles(1)
// CHECK-NEXT:   plan.launch @[[LINEAR]](@[[Y]], @packed_w, @[[X]]) tiles(1)
// CHECK-NEXT: }
// CHECK-NEXT: plan.launch @gather_rows(@[[X]], @logit_rows, @[[ROWS]]) tiles(1 R) scratch(0)
// CHECK-NEXT: plan.launch @linear_n20_k12_f32(@[[ROWS]], @packed_embed, @[[LOGITS]]) tiles(2)
// CHECK: func.func @embedding_n20_k12_f32(%{{.*}}: memref<?xi32>, %{{.*}}: memref<20x12xf32>, %{{.*}}: memref<?x12xf32>) attributes {kernel.rows = "tokens"}
// CHECK: func.func @gather_rows({{.*}}) attributes {kernel.rows = "logit_rows"}
// CHECK-NOT: func.func @linear_n12_k12_f32_v2
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @embed tensor("embed") : tensor<20x12xf32>
transformer.weight @kind.w tensor("layers.{layer}.w") layers(0, 2) : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x20xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %e = transformer.get_weight [@embed] : tensor<20x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i0 = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %e into %i0 packing(<columns = 16>) : tensor<?xi32>, tensor<20x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %y = scf.for %l = %c0 to %c2 step %c1 iter_args(%h = %x) -> (tensor<?x12xf32>) {
    %z = func.call @layer(%h, %l) : (tensor<?x12xf32>, index) -> tensor<?x12xf32>
    scf.yield %z : tensor<?x12xf32>
  }
  %r = tensor.dim %rows, %c0 : tensor<?xi32>
  %i1 = tensor.empty(%r) : tensor<?x12xf32>
  %s = kernel.gather_rows %y, %rows into %i1 : tensor<?x12xf32>, tensor<?xi32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %i2 = tensor.empty(%r) : tensor<?x20xf32>
  %o = kernel.linear %s, %e into %i2 operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<20x12xf32>, tensor<?x20xf32> -> tensor<?x20xf32>
  return %o : tensor<?x20xf32>
}
func.func private @layer(%x: tensor<?x12xf32>, %l: index) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@kind.w] layer(%l) : tensor<12x12xf32>
  %n = tensor.dim %x, %c0 : tensor<?x12xf32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %y = kernel.linear %x, %w into %i operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %z = kernel.linear %y, %w into %i operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  return %z : tensor<?x12xf32>
}

// -----

// A layer that writes the next rows while it reads the old ones cannot do so in
// one buffer.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @embed tensor("embed") : tensor<20x12xf32>
transformer.weight @w tensor("layers.{layer}.w") layers(0, 2) : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %e = transformer.get_weight [@embed] : tensor<20x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i0 = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %e into %i0 packing(<columns = 16>) : tensor<?xi32>, tensor<20x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // expected-error@+1 {{expected the carried value to be free when a layer writes the next}}
  %y = scf.for %l = %c0 to %c2 step %c1 iter_args(%h = %x) -> (tensor<?x12xf32>) {
    %w = transformer.get_weight [@w] layer(%l) : tensor<12x12xf32>
    %z = kernel.linear %h, %w into %i0 operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
    scf.yield %z : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

// expected-error@+1 {{expected a function @forward of tokens, positions, sequences, page table and logit rows}}
module {}
