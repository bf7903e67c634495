// RUN: tcc-opt %s --split-input-file --tcc-batch | FileCheck %s

// CHECK: transformer.cache @cache layers(2) heads(2) key(16) value(16) : bf16
transformer.weight @norm tensor("layers.{layer}.norm") layers(0, 2) : tensor<64xf32>

// CHECK-LABEL: func @layer
//  CHECK-SAME:   %[[Q:[a-z0-9]+]]: tensor<?x4x16xbf16>, %[[K:[a-z0-9]+]]: tensor<?x2x16xbf16>, %[[V:[a-z0-9]+]]: tensor<?x2x16xbf16>
//  CHECK-SAME:   %[[POSITIONS:[a-z0-9]+]]: tensor<?xi32>, %[[SEQUENCES:[a-z0-9]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9]+]]: tensor<?x?xi32>, %[[LAYER:[a-z0-9]+]]: index
func.func @layer(%q: tensor<?x4x16xbf16>, %k: tensor<?x2x16xbf16>,
                 %v: tensor<?x2x16xbf16>, %positions: tensor<?xi32>,
                 %layer: index) -> tensor<?x4x16xbf16> {
  // CHECK-NEXT: transformer.cache_append @cache layer(%[[LAYER]]), %[[K]], %[[V]] at(%[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]])
  // CHECK-NEXT: %[[O:.*]] = transformer.paged_attention @cache layer(%[[LAYER]]), %[[Q]] at(%[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]]) scale(2.500000e-01)
  // CHECK-NEXT: return %[[O]]
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x16xbf16>, tensor<?x2x16xbf16>,
       tensor<?x2x16xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x16xbf16>
  return %o : tensor<?x4x16xbf16>
}

// -----

// Callers pass the new arguments on, in loops too; other functions stay as they
// are. Positions need not have the same place in caller and callee. The cache has
// a layer for the last of two ranges.
// CHECK: transformer.cache @cache layers(7) heads(1) key(8) value(4) : f32
transformer.weight @norm tensor("layers.{layer}.norm") layers(0, 2) and (5, 2) : tensor<64xf32>

// CHECK-LABEL: func @forward
//  CHECK-SAME:   %[[POSITIONS:[a-z0-9]+]]: tensor<?xi32>, %[[SEQUENCES:[a-z0-9]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9]+]]: tensor<?x?xi32>, %[[X:[a-z0-9]+]]: tensor<?x1x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x1x4xf32>
func.func @forward(%positions: tensor<?xi32>, %x: tensor<?x1x8xf32>,
                   %v: tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
  // CHECK: scf.for %[[I:[a-z0-9]+]] =
  // CHECK: func.call @layer(%[[X]], %{{[a-z0-9]+}}, %[[I]], %[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]])
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%h = %v) -> tensor<?x1x4xf32> {
    %o = func.call @layer(%x, %h, %i, %positions)
      : (tensor<?x1x8xf32>, tensor<?x1x4xf32>, index, tensor<?xi32>) -> tensor<?x1x4xf32>
    %p = func.call @other(%o) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32>
    scf.yield %p : tensor<?x1x4xf32>
  }
  return %r : tensor<?x1x4xf32>
}

// CHECK-LABEL: func private @layer
//  CHECK-SAME:   %{{.*}}: index, %[[POSITIONS:[a-z0-9]+]]: tensor<?xi32>, %[[SEQUENCES:[a-z0-9]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9]+]]: tensor<?x?xi32>)
func.func private @layer(%x: tensor<?x1x8xf32>, %v: tensor<?x1x4xf32>, %layer: index,
                         %positions: tensor<?xi32>) -> tensor<?x1x4xf32> {
  // CHECK: transformer.paged_attention
  %o = transformer.attention %x, %x, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x1x8xf32>, tensor<?x1x8xf32>, tensor<?x1x4xf32>,
       tensor<?xi32>, tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// CHECK-LABEL: func private @other(%{{[a-z0-9]+}}: tensor<?x1x4xf32>) ->
func.func private @other(%x: tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
  return %x : tensor<?x1x4xf32>
}

// -----

// The value is the beginning of the only key: an entry of the cache is both.
// CHECK: transformer.cache @cache layers(1) heads(1) key(8) value(6) latent : bf16
// CHECK-LABEL: func @latent
//  CHECK-SAME:   %[[Q:[a-z0-9]+]]: tensor<?x4x8xbf16>, %[[K:[a-z0-9]+]]: tensor<?x1x8xbf16>
func.func @latent(%q: tensor<?x4x8xbf16>, %k: tensor<?x1x8xbf16>, %t: index,
                  %positions: tensor<?xi32>) -> tensor<?x4x6xbf16> {
  // CHECK-NEXT: transformer.cache_append @cache layer(%{{.*}}), %[[K]] at(
  // CHECK-NEXT: %[[O:.*]] = transformer.paged_attention @cache layer(%{{.*}}), %[[Q]] at({{.*}}) scale(2.500000e-01) : tensor<?x4x8xbf16>, {{.*}} -> tensor<?x4x6xbf16>
  // CHECK-NEXT: return %[[O]]
  %v = tensor.extract_slice %k[0, 0, 0] [%t, 1, 6] [1, 1, 1]
    : tensor<?x1x8xbf16> to tensor<?x1x6xbf16>
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x1x8xbf16>,
       tensor<?x1x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  return %o : tensor<?x4x6xbf16>
}

// -----

// One cache serves both layers, so neither is latent.
// CHECK: transformer.cache @cache layers(1) heads(1) key(8) value(6) : bf16
// CHECK-LABEL: func @no_latent_in_all_layers
func.func @no_latent_in_all_layers(%q: tensor<?x4x8xbf16>, %k: tensor<?x1x8xbf16>,
                                   %w: tensor<?x1x6xbf16>, %t: index,
                                   %positions: tensor<?xi32>) -> tensor<?x4x6xbf16> {
  // CHECK: %[[V:.*]] = tensor.extract_slice
  // CHECK: transformer.cache_append @cache layer(%{{.*}}), %{{.*}}, %[[V]] at(
  %v = tensor.extract_slice %k[0, 0, 0] [%t, 1, 6] [1, 1, 1]
    : tensor<?x1x8xbf16> to tensor<?x1x6xbf16>
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x1x8xbf16>,
       tensor<?x1x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  %p = transformer.attention %q, %k, %w positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x1x8xbf16>,
       tensor<?x1x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  %sum = arith.addf %o, %p : tensor<?x4x6xbf16>
  return %sum : tensor<?x4x6xbf16>
}

// -----

// CHECK: transformer.cache @cache layers(1) heads(1) key(8) value(6) : bf16
func.func @no_latent_end_of_key(%q: tensor<?x4x8xbf16>, %k: tensor<?x1x8xbf16>, %t: index,
                                %positions: tensor<?xi32>) -> tensor<?x4x6xbf16> {
  %v = tensor.extract_slice %k[0, 0, 2] [%t, 1, 6] [1, 1, 1]
    : tensor<?x1x8xbf16> to tensor<?x1x6xbf16>
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x1x8xbf16>,
       tensor<?x1x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  return %o : tensor<?x4x6xbf16>
}

// -----

// CHECK: transformer.cache @cache layers(1) heads(2) key(8) value(6) : bf16
func.func @no_latent_two_heads(%q: tensor<?x4x8xbf16>, %k: tensor<?x2x8xbf16>, %t: index,
                               %positions: tensor<?xi32>) -> tensor<?x4x6xbf16> {
  %v = tensor.extract_slice %k[0, 0, 0] [%t, 2, 6] [1, 1, 1]
    : tensor<?x2x8xbf16> to tensor<?x2x6xbf16>
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x2x8xbf16>,
       tensor<?x2x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  return %o : tensor<?x4x6xbf16>
}

// -----

// CHECK: transformer.cache @cache layers(1) heads(1) key(8) value(6) : bf16
func.func @no_latent_other_key(%q: tensor<?x4x8xbf16>, %k: tensor<?x1x8xbf16>,
                               %l: tensor<?x1x8xbf16>, %t: index,
                               %positions: tensor<?xi32>) -> tensor<?x4x6xbf16> {
  %v = tensor.extract_slice %l[0, 0, 0] [%t, 1, 6] [1, 1, 1]
    : tensor<?x1x8xbf16> to tensor<?x1x6xbf16>
  %o = transformer.attention %q, %k, %v positions(%positions, %positions)
       scale(0.25) : tensor<?x4x8xbf16>, tensor<?x1x8xbf16>,
       tensor<?x1x6xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x6xbf16>
  return %o : tensor<?x4x6xbf16>
}
