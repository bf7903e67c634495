// RUN: tcc-opt %s --split-input-file --tcc-select-logits | FileCheck %s

// CHECK-LABEL: func @forward
//  CHECK-SAME:   %[[X:.*]]: tensor<?x64xf32>, %[[NORM:.*]]: tensor<64xf32>, %[[HEAD:.*]]: tensor<100x64xf32>, %[[ROWS:.*]]: tensor<?xi32>) -> tensor<?x100xf32>
func.func @forward(%x: tensor<?x64xf32>, %norm: tensor<64xf32>,
                   %head: tensor<100x64xf32>) -> tensor<?x100xf32> {
  // CHECK-NEXT: %[[SELECTED:.*]] = transformer.gather_rows %[[X]], %[[ROWS]] : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  // CHECK-NEXT: %[[Y:.*]] = transformer.rms_norm %[[SELECTED]], %[[NORM]]
  // CHECK-NEXT: %[[LOGITS:.*]] = transformer.linear %[[Y]], %[[HEAD]]
  // CHECK-NEXT: return %[[LOGITS]]
  %y = transformer.rms_norm %x, %norm epsilon(1.0e-5)
    : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %logits = transformer.linear %y, %head
    : tensor<?x64xf32>, tensor<100x64xf32> -> tensor<?x100xf32>
  return %logits : tensor<?x100xf32>
}

// -----

// The normalised rows have another reader, which wants all of them.
// CHECK-LABEL: func @forward
func.func @forward(%x: tensor<?x64xf32>, %norm: tensor<64xf32>,
                   %head: tensor<100x64xf32>) -> tensor<?x100xf32> {
  // CHECK: %[[Y:.*]] = transformer.rms_norm %{{.*}}
  // CHECK: call @keep(%[[Y]])
  // CHECK: %[[SELECTED:.*]] = transformer.gather_rows %[[Y]]
  // CHECK: transformer.linear %[[SELECTED]]
  %y = transformer.rms_norm %x, %norm epsilon(1.0e-5)
    : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  call @keep(%y) : (tensor<?x64xf32>) -> ()
  %logits = transformer.linear %y, %head
    : tensor<?x64xf32>, tensor<100x64xf32> -> tensor<?x100xf32>
  return %logits : tensor<?x100xf32>
}
func.func private @keep(%x: tensor<?x64xf32>)

// -----

// Softmax is no op of rows of tokens: here it is one over keys.
// CHECK-LABEL: func @forward
func.func @forward(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK: %[[Y:.*]] = transformer.softmax
  // CHECK: transformer.gather_rows %[[Y]]
  %y = transformer.softmax %x : tensor<?x64xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// States are wanted of all tokens, rounded ones of some; for the prediction too.
// CHECK-LABEL: func @forward
//  CHECK-SAME:   %[[ROWS:[a-z0-9]+]]: tensor<?xi32>) -> (tensor<?x100xf32>, tensor<?x64xf32>)
func.func @forward(%x: tensor<?x64xf32>, %norm: tensor<64xf32>,
                   %head: tensor<100x64xbf16>) -> (tensor<?x100xf32>, tensor<?x64xf32>) {
  // CHECK-NEXT: %[[STATES:.*]] = transformer.rms_norm
  // CHECK-NEXT: %[[SELECTED:.*]] = transformer.gather_rows %[[STATES]], %[[ROWS]] : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  // CHECK-NEXT: %[[ROUNDED:.*]] = arith.truncf %[[SELECTED]]
  // CHECK-NEXT: %[[LOGITS:.*]] = transformer.linear %[[ROUNDED]]
  // CHECK-NEXT: return %[[LOGITS]], %[[STATES]]
  %states = transformer.rms_norm %x, %norm epsilon(1.0e-5)
    : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %y = arith.truncf %states : tensor<?x64xf32> to tensor<?x64xbf16>
  %logits = transformer.linear %y, %head
    : tensor<?x64xbf16>, tensor<100x64xbf16> -> tensor<?x100xf32>
  return %logits, %states : tensor<?x100xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @predict
//  CHECK-SAME:   %[[X:.*]]: tensor<?x64xf32>, %[[NEXT:.*]]: tensor<?x64xf32>, %[[HEAD:.*]]: tensor<100x64xf32>, %[[ROWS:.*]]: tensor<?xi32>)
func.func @predict(%x: tensor<?x64xf32>, %next: tensor<?x64xf32>,
                   %head: tensor<100x64xf32>) -> tensor<?x100xf32> {
  // CHECK-NEXT: %[[A:.*]] = transformer.gather_rows %[[X]], %[[ROWS]]
  // CHECK-NEXT: %[[B:.*]] = transformer.gather_rows %[[NEXT]], %[[ROWS]]
  // CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[A]], %[[B]]
  // CHECK-NEXT: transformer.linear %[[SUM]]
  %sum = arith.addf %x, %next : tensor<?x64xf32>
  %logits = transformer.linear %sum, %head
    : tensor<?x64xf32>, tensor<100x64xf32> -> tensor<?x100xf32>
  return %logits : tensor<?x100xf32>
}
