// RUN: tcc-opt %s --split-input-file --tcc-select-logits --verify-diagnostics

// expected-error@+1 {{expected a function @forward}}
module {}

// -----

// expected-error@+1 {{'func.func' op expected no calls of @forward}}
func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
func.func @caller(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = call @forward(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// expected-error@+1 {{'func.func' op expected @forward to have one block, got 0}}
func.func private @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32>

// -----

// expected-error@+1 {{'func.func' op expected @forward to return one tensor with a dynamic number of rows, got 'tensor<4x4xf32>'}}
func.func @forward(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  return %x : tensor<4x4xf32>
}

// -----

// expected-error@+1 {{'func.func' op expected @forward to return one tensor with a dynamic number of rows, got 'tensor<?x4xf32>', 'tensor<?x4xf32>'}}
func.func @forward(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  return %x, %x : tensor<?x4xf32>, tensor<?x4xf32>
}
