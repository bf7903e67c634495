// The phases, in order. A change here is a change of compiler/README.md too.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=march=x86-64-v3 --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=graph --dump-pass-pipeline -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GRAPH
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=lower --dump-pass-pipeline -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LOWER

// CHECK: tcc-fuse-attention
// CHECK: tcc-merge-linears
// CHECK: tcc-fuse-swiglu
// CHECK: tcc-fuse-residual-norm
// CHECK: tcc-select-logits
// CHECK: tcc-batch
// CHECK: tcc-verify-batch
// CHECK: tcc-lower-attention{march=x86-64-v3}
// CHECK: tcc-lower-linear{march=x86-64-v3}
// CHECK: tcc-fuse-norm-prologue
// CHECK: tcc-lower-rows{march=x86-64-v3}
// CHECK: tcc-verify-lowered
// CHECK: tcc-schedule

// GRAPH:     tcc-select-logits
// GRAPH-NOT: tcc-batch

// LOWER:     tcc-verify-lowered
// LOWER-NOT: tcc-schedule

module {}
