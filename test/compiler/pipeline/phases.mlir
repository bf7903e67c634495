// The phases, in order. A change here is a change of compiler/README.md too.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=march=x86-64-v3 --dump-pass-pipeline -o /dev/null 2> %t
// RUN: FileCheck %s --implicit-check-not=tcc- < %t
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=fp8-activations --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=FP8
// Each phase is a beginning of the whole.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=import --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=IMPORT
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=graph --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=GRAPH
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=batch --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=BATCH
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=lower --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=LOWER
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=schedule --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not tcc-opt %tcc/test/design/llama-imported.mlir --tcc-pipeline=stop-after=codegen 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// CHECK: tcc-fuse-attention
// CHECK: tcc-fold-rotation
// CHECK: tcc-absorb-latent-attention
// CHECK: tcc-fuse-routing
// CHECK: tcc-dispatch-experts
// CHECK: tcc-merge-linears
// CHECK: tcc-fuse-swiglu
// CHECK: tcc-fuse-residual-norm
// CHECK: tcc-select-logits
// CHECK: cse
// CHECK: tcc-batch
// CHECK: tcc-verify-batch
// CHECK: tcc-lower-attention{march=x86-64-v3}
// CHECK: tcc-lower-latent-attention{march=x86-64-v3}
// CHECK: tcc-lower-experts{fp8-activations=false march=x86-64-v3}
// CHECK: tcc-lower-linear{fp8-activations=false march=x86-64-v3}
// CHECK: tcc-fuse-norm-prologue
// CHECK: tcc-lower-rows{march=x86-64-v3}
// CHECK: tcc-append-sampling{march=x86-64-v3}
// CHECK: canonicalize
// CHECK: cse
// CHECK: tcc-verify-lowered
// CHECK: tcc-schedule

// FP8: tcc-lower-experts{fp8-activations=true
// FP8: tcc-lower-linear{fp8-activations=true

// IMPORT-NOT: tcc-
// GRAPH: tcc-select-logits
// GRAPH-NOT: tcc-
// BATCH: tcc-verify-batch
// BATCH-NEXT: {{^\)}}
// LOWER: tcc-verify-lowered
// LOWER-NEXT: {{^\)}}
// SCHEDULE: tcc-schedule
// SCHEDULE-NEXT: {{^\)}}
// UNKNOWN: for the --stop-after option: Cannot find option named 'codegen'

module {}
