// Each pass of phase `graph`, and all of them, keep the meaning of random modules:
// heads, sizes, storage, biases and the order of ops vary, and some values have a
// second reader, which forbids to fuse them. In f64 only the order in which
// factors are multiplied is left to differ, hence 1e-12.
// RUN: %python %S/Inputs/random_modules.py 0 60 > %t.mlir

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention)" -o %t.attention
// RUN: grep -c "transformer.attention" %t.attention | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.softmax" %t.attention | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention),tcc-fold-rotation" -o %t.rotation
// RUN: grep -c "weight @q tensor.* halves" %t.rotation | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.rotary_embedding .* interleaved" %t.rotation | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-merge-linears)" -o %t.linears
// RUN: grep -c "get_weight \[@.*, @" %t.linears | FileCheck %s --check-prefix=MANY
// RUN: grep -c "get_weight \[@k\]" %t.linears | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-merge-linears,tcc-fuse-swiglu)" -o %t.swiglu
// RUN: grep -c "transformer.swiglu" %t.swiglu | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.silu" %t.swiglu | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=func.func(tcc-fuse-residual-norm)" -o %t.residual
// RUN: grep -c "transformer.residual_rms_norm" %t.residual | FileCheck %s --check-prefix=MANY
// RUN: grep -c "transformer.rms_norm" %t.residual | FileCheck %s --check-prefix=MANY

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=tcc-select-logits" -o %t.logits
// RUN: grep -c "transformer.gather_rows" %t.logits | FileCheck %s --check-prefix=ALL

// RUN: tcc-opt %t.mlir --split-input-file --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=graph}" -o /dev/null

// Passes that say that they are exact are, with the roundings that ops state.
// RUN: tcc-opt %t.mlir --split-input-file -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=func.func(tcc-merge-linears,tcc-fuse-residual-norm),tcc-select-logits round=true tolerance=0"

// Each pass both applied and did not, many times.
// MANY: {{^[1-9][0-9]+$}}
// ALL: {{^60$}}
