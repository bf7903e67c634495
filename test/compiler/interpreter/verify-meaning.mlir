// Runs pipelines that keep the meaning: differences are reported, and the module
// is the rewritten one. A batched entry is compared with one for one sequence.
// RUN: tcc-opt %s --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention),cse report=true" \
// RUN:   -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: FileCheck %s < %t.mlir
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=batch} length=13 sequences=4 page-size=3 report=true" 2>&1 \
// RUN: | FileCheck %s --check-prefix=BATCH
// Bit by bit, with roundings:
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=func.func(tcc-merge-linears,tcc-fuse-residual-norm),tcc-select-logits round=true tolerance=0"

// REPORT: remark: result 0 differs by {{(0.0|[0-9.]+e-1[5-9])}}{{.*}} in all, by {{.*}} in row {{[0-9]+}}
// REPORT: remark: result 0 differs by 0.000000e+00 in all, by 0.000000e+00 in row 0
// REPORT-NOT: {{.}}differs
// CHECK: transformer.attention
func.func @attention(%q: tensor<?x2x4xf32>, %k: tensor<?x2x4xf32>, %p: tensor<?xi32>) -> tensor<?x2x4xf32> {
  %scores = transformer.einsum "thd,shd->hts" %q, %k : tensor<?x2x4xf32>, tensor<?x2x4xf32> -> tensor<2x?x?xf32>
  %masked = transformer.causal_mask %scores, %p, %p : tensor<2x?x?xf32>, tensor<?xi32>, tensor<?xi32>
  %weights = transformer.softmax %masked : tensor<2x?x?xf32> -> tensor<2x?x?xf32>
  %o = transformer.einsum "hts,she->the" %weights, %k : tensor<2x?x?xf32>, tensor<?x2x4xf32> -> tensor<?x2x4xf32>
  return %o : tensor<?x2x4xf32>
}
func.func @untouched(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  return %x : tensor<?x2xf32>
}

// BATCH: remark: sequence 0 differs by
// BATCH: remark: sequence 1 differs by
// BATCH: remark: sequence 2 differs by
// BATCH: remark: sequence 3 differs by
