// RUN: tcc-opt %s --split-input-file --tcc-batch --verify-diagnostics

// expected-error@+1 {{expected at least one 'transformer.attention': phase 'graph' recognised none}}
module {
  func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    return %x : tensor<?x4xf32>
  }
}

// -----

func.func @other_key_positions(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>,
                               %kp: tensor<?xi32>, %layer: index) {
  // expected-error@+1 {{'transformer.attention' op expected queries and keys at the same positions}}
  %o = transformer.attention %q, %q, %q positions(%p, %kp) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @computed_positions(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %layer: index) {
  %next = arith.addi %p, %p : tensor<?xi32>
  // expected-error@+1 {{'transformer.attention' op expected the positions to be an argument of the function}}
  %o = transformer.attention %q, %q, %q positions(%next, %next) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @two_positions(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %r: tensor<?xi32>,
                         %layer: index) {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  // expected-error@+1 {{'transformer.attention' op expected all positions to be one argument of the function, got arguments 1 and 2}}
  %s = transformer.attention %q, %q, %q positions(%r, %r) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @no_layer(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op expected one argument of type index in function 'no_layer', the number of the layer}}
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @value_type(%q: tensor<?x2x8xf32>, %v: tensor<?x2x8xbf16>, %p: tensor<?xi32>,
                      %layer: index) {
  // expected-error@+1 {{'transformer.attention' op expected keys and values of static size that are both f32, f16 or bf16, got 'tensor<?x2x8xf32>' and 'tensor<?x2x8xbf16>'}}
  %o = transformer.attention %q, %q, %v positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @two_types(%q: tensor<?x2x8xf32>, %k: tensor<?x1x8xf32>, %p: tensor<?xi32>,
                     %layer: index) {
  // expected-note@+1 {{the first attention has 'tensor<?x2x8xf32>' and 'tensor<?x2x8xf32>'}}
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  // expected-error@+1 {{'transformer.attention' op expected keys and values of the same types in all layers, got 'tensor<?x1x8xf32>' and 'tensor<?x1x8xf32>'}}
  %s = transformer.attention %q, %k, %k positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x1x8xf32>, tensor<?x1x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

func.func @layer(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %layer: index) {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}
func.func @address() {
  // expected-error@+1 {{'func.constant' op expected nothing but calls of 'layer'}}
  %f = func.constant @layer : (tensor<?x2x8xf32>, tensor<?xi32>, index) -> ()
  return
}

// -----

func.func @layer(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %layer: index) {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}
func.func @caller(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %layer: index) {
  %next = arith.addi %p, %p : tensor<?xi32>
  // expected-error@+1 {{'func.call' op expected the positions to be an argument of the function}}
  call @layer(%q, %next, %layer) : (tensor<?x2x8xf32>, tensor<?xi32>, index) -> ()
  return
}
