func.func @attention(%q: tensor<?x2x8xf32>, %p: tensor<?xi32>, %layer: index) -> tensor<?x2x8xf32> {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return %o : tensor<?x2x8xf32>
}
