// RUN: tcc-opt %s --split-input-file --tcc-verify-batch --verify-diagnostics

// What works row by row may stay, softmax over the experts of a token included.
func.func @rows(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = transformer.softmax %x : tensor<?x8xf32> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// expected-note@+1 {{in function 'attention_left'}}
func.func @attention_left(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.attention' op is left after phase 'batch': it works on one sequence, and belongs to no attention that phase 'graph' recognised}}
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return
}

// -----

// expected-note@+1 {{in function 'einsum_left'}}
func.func @einsum_left(%q: tensor<?x2x8xf32>) {
  // expected-error@+1 {{'transformer.einsum' op is left after phase 'batch': it works on one sequence, and belongs to no attention that phase 'graph' recognised}}
  %s = transformer.einsum "thd,shd->hts" %q, %q
     : tensor<?x2x8xf32>, tensor<?x2x8xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// expected-note@+1 {{in function 'mask_left'}}
func.func @mask_left(%s: tensor<2x?x?xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.causal_mask' op is left after phase 'batch': it works on one sequence, and belongs to no attention that phase 'graph' recognised}}
  %m = transformer.causal_mask %s, %p, %p
     : tensor<2x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  return
}
