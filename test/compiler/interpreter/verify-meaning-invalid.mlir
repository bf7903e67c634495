// Every reason to fail.
// RUN: not tcc-opt %S/Inputs/shape.mlir --tcc-verify-meaning="pipeline=tcc-select-logits length=3" -o /dev/null 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: 'func.func' op expected result 0 of shape [5, 2], got [3, 2]
// RUN: not tcc-opt %S/Inputs/results.mlir --tcc-verify-meaning="pipeline=tcc-select-logits" -o /dev/null 2>&1 | FileCheck %s --check-prefix=RESULTS
// RESULTS: error: 'func.func' op expected 1 results, got 3
// RUN: not tcc-opt %s --tcc-verify-meaning="pipeline=no-such-pass" -o /dev/null 2>&1 | FileCheck %s --check-prefix=PARSE
// PARSE: error: expected a pass pipeline, got 'no-such-pass': {{.*}}'no-such-pass' does not refer to a registered pass or pass pipeline

// RUN: not tcc-opt %s --tcc-verify-meaning="entry=other" -o /dev/null 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: error: expected a function 'other', got none

// A pass of the pipeline fails.
// RUN: not tcc-opt %s --tcc-verify-meaning="pipeline=tcc-batch" -o /dev/null 2>&1 | FileCheck %s --check-prefix=PASS
// PASS: error: 'transformer.attention' op expected one argument of type index in function 'attention', the number of the layer
// PASS-NOT: differs

// Probabilities are no longer rounded to bf16: more than nothing, less than 1%.
// RUN: not tcc-opt %s --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention) round=true tolerance=1e-4 entry=rounded" -o /dev/null 2>&1 \
// RUN: | FileCheck %s --check-prefix=DIFFERS
// DIFFERS: error: 'func.func' op result 0 differs by [[WHOLE:[1-9][.0-9]+e-0[34]]] in all, by {{[1-9][.0-9]+e-0[34]}} in row {{[0-9]+}}, expected at most 1.000000e-04 (relative L2)
// RUN: tcc-opt %s --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention) round=true tolerance=1e-2 entry=rounded" -o /dev/null
// RUN: tcc-opt %s --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention) entry=rounded" -o /dev/null

// RUN: not tcc-opt %s --tcc-verify-meaning="pipeline=symbol-privatize{exclude=attention,rounded,dead},symbol-dce entry=gone" -o /dev/null 2>&1 \
// RUN: | FileCheck %s --check-prefix=GONE
// GONE: error: 'func.func' op expected the pipeline to keep the function, got a module without it

func.func @attention(%q: tensor<?x2x4xf32>, %p: tensor<?xi32>) -> tensor<?x2x4xf32> {
  %o = transformer.attention %q, %q, %q positions(%p, %p) scale(0.25)
     : tensor<?x2x4xf32>, tensor<?x2x4xf32>, tensor<?x2x4xf32>, tensor<?xi32>, tensor<?xi32> -> tensor<?x2x4xf32>
  return %o : tensor<?x2x4xf32>
}
func.func @rounded(%q: tensor<?x2x4xf32>, %p: tensor<?xi32>) -> tensor<?x2x4xf32> {
  %scores = transformer.einsum "thd,shd->hts" %q, %q : tensor<?x2x4xf32>, tensor<?x2x4xf32> -> tensor<2x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p : tensor<2x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<2x?x?xf32> -> tensor<2x?x?xbf16>
  %o = transformer.einsum "hts,she->the" %weights, %q : tensor<2x?x?xbf16>, tensor<?x2x4xf32> -> tensor<?x2x4xf32>
  return %o : tensor<?x2x4xf32>
}
func.func @gone() {
  return
}
