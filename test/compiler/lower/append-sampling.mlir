// Tokens are chosen where the logits are, if the target does that.
// RUN: tcc-opt %s --split-input-file --tcc-append-sampling=march=sm_90a | FileCheck %s
// RUN: tcc-opt %s --split-input-file --tcc-append-sampling=march=x86-64-v3 | FileCheck %s --check-prefix=HOST
// HOST-NOT: kernel.sample

// A warp for each 256 logits.
// CHECK-LABEL: func @forward
// CHECK-SAME:    (%{{.*}}: tensor<?x600xf32>, %[[ROWS:.*]]: tensor<?xi32>, %[[PARAMETERS:.*]]: tensor<?x5xf64>) -> (tensor<?x600xf32>, tensor<?x4xf32>, tensor<?xi32>)
// CHECK:         %[[LOGITS:.*]] = kernel.gather_rows
// CHECK:         %[[COUNT:.*]] = tensor.dim %[[ROWS]]
// CHECK:         %[[INIT:.*]] = tensor.empty(%[[COUNT]]) : tensor<?xi32>
// CHECK:         %[[TOKENS:.*]] = kernel.sample %[[LOGITS]], %[[PARAMETERS]] into %[[INIT]] config(<threads = 96, cluster = 1>)
// CHECK:         return %[[LOGITS]], %{{.*}}, %[[TOKENS]]
func.func @forward(%x: tensor<?x600xf32>, %rows: tensor<?xi32>) -> (tensor<?x600xf32>, tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %rows, %c0 : tensor<?xi32>
  %init = tensor.empty(%n) : tensor<?x600xf32>
  %states = tensor.empty(%n) : tensor<?x4xf32>
  %logits = kernel.gather_rows %x, %rows into %init
    : tensor<?x600xf32>, tensor<?xi32>, tensor<?x600xf32> -> tensor<?x600xf32>
  return %logits, %states : tensor<?x600xf32>, tensor<?x4xf32>
}

// -----

// Whole blocks of a cluster for a large vocabulary.
// CHECK-LABEL: func @forward
// CHECK:         kernel.sample {{.*}} config(<threads = 512, cluster = 8>)
func.func @forward(%x: tensor<?x128256xf32>, %rows: tensor<?xi32>) -> tensor<?x128256xf32> {
  return %x : tensor<?x128256xf32>
}

// -----

// CHECK-LABEL: func @forward
// CHECK:         kernel.sample {{.*}} config(<threads = 512, cluster = 2>)
func.func @forward(%x: tensor<?x4097xf32>, %rows: tensor<?xi32>) -> tensor<?x4097xf32> {
  return %x : tensor<?x4097xf32>
}

// -----

// More than what ranks have bits for.
// CHECK-LABEL: func @forward
// CHECK-NOT:     kernel.sample
func.func @forward(%x: tensor<?x1048577xf32>, %rows: tensor<?xi32>) -> tensor<?x1048577xf32> {
  return %x : tensor<?x1048577xf32>
}

// -----

// CHECK-LABEL: func @no_logits
// CHECK-NOT:     kernel.sample
func.func @no_logits(%x: tensor<?x600xf32>, %rows: tensor<?xi32>) -> tensor<?x600xf32> {
  return %x : tensor<?x600xf32>
}
