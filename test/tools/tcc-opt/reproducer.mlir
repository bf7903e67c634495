// A reproducer holds the module and the pipeline that failed, and runs again:
// with the same error, or, where there is none, with the result of the pipeline.
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: not tcc-opt %s --tcc-pipeline=march=x86-64-v3 --mlir-pass-pipeline-crash-reproducer=tcc-reproducer.mlir 2>&1 | FileCheck %s --check-prefix=FAILS
// RUN: FileCheck %s --check-prefix=REPRODUCER < tcc-reproducer.mlir
// RUN: not tcc-opt --run-reproducer tcc-reproducer.mlir 2>&1 | FileCheck %s --check-prefix=AGAIN
// RUN: tcc-opt --run-reproducer %S/Inputs/reproducer.mlir | FileCheck %s --check-prefix=RUNS

// FAILS: error: 'transformer.attention' op expected one argument of type index in function 'layer', the number of the layer
// REPRODUCER: transformer.attention
// REPRODUCER: external_resources
// REPRODUCER: mlir_reproducer
// REPRODUCER: pipeline: "builtin.module({{.*}}tcc-fuse-attention{{.*}}tcc-batch{{.*}}tcc-lower-linear{{{.*}}march=x86-64-v3}
// AGAIN: error: 'transformer.attention' op expected one argument of type index in function 'layer', the number of the layer
// RUNS-NOT: transformer.repeat_heads
// RUNS: transformer.attention

func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %q: tensor<?x2x8xf32>) -> tensor<?x2x8xf32> {
  %o = call @layer(%q, %positions) : (tensor<?x2x8xf32>, tensor<?xi32>) -> tensor<?x2x8xf32>
  return %o : tensor<?x2x8xf32>
}
func.func private @layer(%q: tensor<?x2x8xf32>, %positions: tensor<?xi32>) -> tensor<?x2x8xf32> {
  %o = transformer.attention %q, %q, %q positions(%positions, %positions) scale(0.25)
     : tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x8xf32>
  return %o : tensor<?x2x8xf32>
}
