// The passes for latent attention and experts, and all of phase `graph`, keep the
// meaning of random modules of that family: sizes, routers, storage and the order of
// ops vary, and some have what forbids a pass to match. Absorbed and expanded attention
// agree in f64 up to the order of sums, hence 1e-12.
// RUN: %python %S/Inputs/random_deepseeks.py 0 60 > %t.mlir

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention,tcc-absorb-latent-attention)" -o %t.absorbed
// RUN: grep -c "transformer.head_linear" %t.absorbed | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.attention .*, tensor<?x4x[0-9]*x[a-z0-9]*>, tensor<?x4x" %t.absorbed | FileCheck %s --check-prefix=SOME

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention),tcc-fold-rotation,func.func(tcc-absorb-latent-attention)" -o %t.rotation
// RUN: grep -c "transformer.weight .* halves" %t.rotation | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.rotary_embedding .* interleaved" %t.rotation | FileCheck %s --check-prefix=SOME

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-routing)" -o %t.routing
// RUN: grep -c "transformer.route" %t.routing | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.select_experts" %t.routing | FileCheck %s --check-prefix=SOME
// RUN: grep -c "transformer.sum_norm" %t.routing | FileCheck %s --check-prefix=SOME

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-dispatch-experts)" -o %t.dispatch
// RUN: grep -c "transformer.dispatch" %t.dispatch | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.expert_linear" %t.dispatch | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-dispatch-experts,tcc-merge-linears)" -o %t.linears
// RUN: grep -c "get_weight \[@gates, @ups\]" %t.linears | FileCheck %s --check-prefix=MANY
// RUN: grep -c "get_weight \[@gates\]" %t.linears | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=graph}" -o /dev/null

// Passes that say that they are exact are, with the roundings that ops state.
// RUN: tcc-opt %t.mlir --split-input-file -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=func.func(tcc-dispatch-experts,tcc-merge-linears),tcc-select-logits round=true tolerance=0"

// Each pass both applied and did not.
// MANY: {{^[1-9][0-9]+$}}
// SOME: {{^[1-9][0-9]*$}}
