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

// expected-error@+1 {{'func.func' op expected @forward to return a tensor with a dynamic number of rows first, got ('tensor<4x4xf32>')}}
func.func @forward(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  return %x : tensor<4x4xf32>
}

// -----

// expected-error@+1 {{'func.func' op expected @forward to return a tensor with a dynamic number of rows first, got ()}}
func.func @forward(%x: tensor<?x4xf32>) {
  return
}

// -----

func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
// expected-error@+1 {{'func.func' op expected @predict to return a tensor with a dynamic number of rows first, got ('tensor<4x4xf32>', 'tensor<?x4xf32>')}}
func.func @predict(%x: tensor<4x4xf32>, %y: tensor<?x4xf32>)
    -> (tensor<4x4xf32>, tensor<?x4xf32>) {
  return %x, %y : tensor<4x4xf32>, tensor<?x4xf32>
}
