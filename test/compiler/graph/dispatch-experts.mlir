// RUN: tcc-opt %s --tcc-dispatch-experts | FileCheck %s

// Gate and up read the same rows; elementwise ops stay as they are.
// CHECK-LABEL: func @gated_experts
//  CHECK-SAME:   %[[X:[a-z0-9]+]]: tensor<?x18xbf16>, %[[E:[a-z0-9]+]]: tensor<?x3xi32>, %[[WEIGHTS:[a-z0-9]+]]: tensor<?x3xf32>, %[[WG:[a-z0-9]+]]: tensor<8x9x18xbf16>, %[[WU:[a-z0-9]+]]: tensor<8x9x18xbf16>, %[[WD:[a-z0-9]+]]: tensor<8x18x9xbf16>
func.func @gated_experts(%x: tensor<?x18xbf16>, %experts: tensor<?x3xi32>,
                         %weights: tensor<?x3xf32>, %wg: tensor<8x9x18xbf16>,
                         %wu: tensor<8x9x18xbf16>, %wd: tensor<8x18x9xbf16>)
    -> tensor<?x18xf32> {
  // CHECK-NEXT: %[[ROWS:.*]], %[[PLACES:.*]], %[[OFFSETS:.*]] = transformer.dispatch %[[E]] : tensor<?x3xi32> -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
  // CHECK-NEXT: %[[G:.*]] = transformer.gather_rows %[[X]], %[[ROWS]] : tensor<?x18xbf16>, tensor<?xi32> -> tensor<?x18xbf16>
  // CHECK-NEXT: %[[GATE:.*]] = transformer.grouped_linear %[[G]], %[[WG]] offsets(%[[OFFSETS]]) : tensor<?x18xbf16>, tensor<8x9x18xbf16>, tensor<9xi32> -> tensor<?x9xf32>
  // CHECK-NEXT: %[[UP:.*]] = transformer.grouped_linear %[[G]], %[[WU]] offsets(%[[OFFSETS]])
  // CHECK-NEXT: %[[OPEN:.*]] = transformer.silu %[[GATE]] : tensor<?x9xf32> -> tensor<?x9xf32>
  // CHECK-NEXT: %[[PRODUCT:.*]] = arith.mulf %[[OPEN]], %[[UP]] : tensor<?x9xf32>
  // CHECK-NEXT: %[[GATED:.*]] = arith.truncf %[[PRODUCT]] : tensor<?x9xf32> to tensor<?x9xbf16>
  // CHECK-NEXT: %[[DOWN:.*]] = transformer.grouped_linear %[[GATED]], %[[WD]] offsets(%[[OFFSETS]])
  // CHECK-NEXT: %[[Y:.*]] = transformer.combine %[[DOWN]], %[[PLACES]], %[[WEIGHTS]] : tensor<?x18xf32>, tensor<?x3xi32>, tensor<?x3xf32> -> tensor<?x18xf32>
  // CHECK-NEXT: return %[[Y]]
  %gates = transformer.expert_linear %x, %experts, %wg : tensor<?x18xbf16>,
    tensor<?x3xi32>, tensor<8x9x18xbf16> -> tensor<?x3x9xf32>
  %ups = transformer.expert_linear %x, %experts, %wu : tensor<?x18xbf16>,
    tensor<?x3xi32>, tensor<8x9x18xbf16> -> tensor<?x3x9xf32>
  %opens = transformer.silu %gates : tensor<?x3x9xf32> -> tensor<?x3x9xf32>
  %products = arith.mulf %opens, %ups : tensor<?x3x9xf32>
  %gateds = arith.truncf %products : tensor<?x3x9xf32> to tensor<?x3x9xbf16>
  %downs = transformer.expert_linear %gateds, %experts, %wd : tensor<?x3x9xbf16>,
    tensor<?x3xi32>, tensor<8x18x9xbf16> -> tensor<?x3x18xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %downs
    : tensor<?x3xf32>, tensor<?x3x18xf32> -> tensor<?x18xf32>
  return %y : tensor<?x18xf32>
}

// CHECK-LABEL: func @two_layers
func.func @two_layers(%x: tensor<?x18xf32>, %experts: tensor<?x3xi32>,
                      %weights: tensor<?x3xf32>, %wg: tensor<8x9x18xf32>,
                      %wd: tensor<8x18x9xf32>) -> tensor<?x18xf32> {
  // CHECK-NOT: einsum
  // CHECK: transformer.grouped_linear
  // CHECK: transformer.silu %{{.*}} : tensor<?x9xf32> -> tensor<?x9xf32>
  // CHECK: transformer.grouped_linear
  // CHECK: transformer.combine
  %gates = transformer.expert_linear %x, %experts, %wg : tensor<?x18xf32>,
    tensor<?x3xi32>, tensor<8x9x18xf32> -> tensor<?x3x9xf32>
  %opens = transformer.silu %gates : tensor<?x3x9xf32> -> tensor<?x3x9xf32>
  %downs = transformer.expert_linear %opens, %experts, %wd : tensor<?x3x9xf32>,
    tensor<?x3xi32>, tensor<8x18x9xf32> -> tensor<?x3x18xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %downs
    : tensor<?x3xf32>, tensor<?x3x18xf32> -> tensor<?x18xf32>
  return %y : tensor<?x18xf32>
}

// Five tokens with two experts each are ten rows; other letters; one layer.
// CHECK-LABEL: func @static_rows
func.func @static_rows(%x: tensor<5x4xf32>, %experts: tensor<5x2xi32>,
                       %weights: tensor<5x2xf32>, %w: tensor<8x6x4xf32>) -> tensor<5x6xf32> {
  // CHECK: transformer.dispatch %{{.*}} : tensor<5x2xi32> -> tensor<10xi32>, tensor<5x2xi32>, tensor<9xi32>
  // CHECK: transformer.gather_rows %{{.*}} : tensor<5x4xf32>, tensor<10xi32> -> tensor<10x4xf32>
  // CHECK: transformer.combine %{{.*}} : tensor<10x6xf32>, tensor<5x2xi32>, tensor<5x2xf32> -> tensor<5x6xf32>
  %z = transformer.expert_linear %x, %experts, %w : tensor<5x4xf32>, tensor<5x2xi32>,
    tensor<8x6x4xf32> -> tensor<5x2x6xf32>
  %y = transformer.einsum "ab,abc->ac" %weights, %z
    : tensor<5x2xf32>, tensor<5x2x6xf32> -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// CHECK-LABEL: func @no_dispatch_other_sum
func.func @no_dispatch_other_sum(%x: tensor<?x4xf32>, %experts: tensor<?x6xi32>,
                                 %weights: tensor<?x6xf32>, %w: tensor<8x6x4xf32>)
    -> tensor<?x6xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x6xi32>,
    tensor<8x6x4xf32> -> tensor<?x6x6xf32>
  %y = transformer.einsum "tn,tjn->tj" %weights, %z
    : tensor<?x6xf32>, tensor<?x6x6xf32> -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// CHECK-LABEL: func @no_dispatch_read_again
func.func @no_dispatch_read_again(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                  %weights: tensor<?x3xf32>, %w: tensor<8x6x4xf32>)
    -> (tensor<?x6xf32>, tensor<?x3x6xf32>) {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x6x4xf32> -> tensor<?x3x6xf32>
  %open = transformer.silu %z : tensor<?x3x6xf32> -> tensor<?x3x6xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %open
    : tensor<?x3xf32>, tensor<?x3x6xf32> -> tensor<?x6xf32>
  return %y, %z : tensor<?x6xf32>, tensor<?x3x6xf32>
}

// CHECK-LABEL: func @no_dispatch_different_experts
func.func @no_dispatch_different_experts(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                         %others: tensor<?x3xi32>, %weights: tensor<?x3xf32>,
                                         %w: tensor<8x4x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x4x4xf32> -> tensor<?x3x4xf32>
  %u = transformer.expert_linear %z, %others, %w : tensor<?x3x4xf32>, tensor<?x3xi32>,
    tensor<8x4x4xf32> -> tensor<?x3x4xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %u
    : tensor<?x3xf32>, tensor<?x3x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_dispatch_different_counts
func.func @no_dispatch_different_counts(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                        %weights: tensor<?x3xf32>, %w: tensor<8x4x4xf32>,
                                        %more: tensor<9x4x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x4x4xf32> -> tensor<?x3x4xf32>
  %u = transformer.expert_linear %z, %experts, %more : tensor<?x3x4xf32>,
    tensor<?x3xi32>, tensor<9x4x4xf32> -> tensor<?x3x4xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %u
    : tensor<?x3xf32>, tensor<?x3x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_dispatch_rows_from_elsewhere
func.func @no_dispatch_rows_from_elsewhere(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                           %weights: tensor<?x3xf32>, %w: tensor<8x6x4xf32>,
                                           %noise: tensor<?x3x6xf32>) -> tensor<?x6xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x6x4xf32> -> tensor<?x3x6xf32>
  %sum = arith.addf %z, %noise : tensor<?x3x6xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %sum
    : tensor<?x3xf32>, tensor<?x3x6xf32> -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// A softmax over columns is no op of single elements, and nobody says that it is one
// of rows.
// CHECK-LABEL: func @no_dispatch_not_elementwise
func.func @no_dispatch_not_elementwise(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                       %weights: tensor<?x3xf32>, %w: tensor<8x6x4xf32>)
    -> tensor<?x6xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x6x4xf32> -> tensor<?x3x6xf32>
  %p = transformer.softmax %z : tensor<?x3x6xf32> -> tensor<?x3x6xf32>
  %y = transformer.einsum "tj,tjn->tn" %weights, %p
    : tensor<?x3xf32>, tensor<?x3x6xf32> -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// CHECK-LABEL: func @no_dispatch_other_block
func.func @no_dispatch_other_block(%x: tensor<?x4xf32>, %experts: tensor<?x3xi32>,
                                   %weights: tensor<?x3xf32>, %w: tensor<8x4x4xf32>,
                                   %end: index) -> tensor<?x4xf32> {
  // CHECK-NOT: transformer.dispatch
  %z = transformer.expert_linear %x, %experts, %w : tensor<?x4xf32>, tensor<?x3xi32>,
    tensor<8x4x4xf32> -> tensor<?x3x4xf32>
  %first = arith.constant 0 : index
  %step = arith.constant 1 : index
  %last = scf.for %i = %first to %end step %step iter_args(%h = %x) -> tensor<?x4xf32> {
    %y = transformer.einsum "tj,tjn->tn" %weights, %z
      : tensor<?x3xf32>, tensor<?x3x4xf32> -> tensor<?x4xf32>
    scf.yield %y : tensor<?x4xf32>
  }
  return %last : tensor<?x4xf32>
}
