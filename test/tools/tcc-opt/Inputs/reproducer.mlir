module {
  func.func @attention(%q: tensor<?x2x4xf32>, %p: tensor<?xi32>) -> tensor<?x2x4xf32> {
    %k = transformer.repeat_heads %q times(1) : tensor<?x2x4xf32> -> tensor<?x2x4xf32>
    %scores = transformer.einsum "thd,shd->hts" %q, %k : tensor<?x2x4xf32>, tensor<?x2x4xf32> -> tensor<2x?x?xf32>
    %masked = transformer.causal_mask %scores, %p, %p : tensor<2x?x?xf32>, tensor<?xi32>, tensor<?xi32>
    %weights = transformer.softmax %masked : tensor<2x?x?xf32> -> tensor<2x?x?xf32>
    %o = transformer.einsum "hts,she->the" %weights, %q : tensor<2x?x?xf32>, tensor<?x2x4xf32> -> tensor<?x2x4xf32>
    return %o : tensor<?x2x4xf32>
  }
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(func.func(tcc-fuse-attention))",
      disable_threading: false,
      verify_each: true
    }
  }
#-}
