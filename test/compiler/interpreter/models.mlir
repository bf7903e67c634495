// The entry of a model gives the same logits as a batch of sequences with a cache
// and as one sequence, with and without a choice of rows, for any size of pages
// and any number of sequences.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-interpret="length=11 sequences=4" -o /dev/null > %t.imported
// RUN: tcc-opt %tcc/test/design/llama-fused.mlir --tcc-interpret="length=11 sequences=4" -o /dev/null > %t.fused
// RUN: tcc-opt %tcc/test/design/llama-batched.mlir --tcc-interpret="length=11 sequences=4 page-size=1" -o /dev/null > %t.one
// RUN: tcc-opt %tcc/test/design/llama-batched.mlir --tcc-interpret="length=11 sequences=4 page-size=5" -o /dev/null > %t.five
// RUN: diff %t.imported %t.fused
// RUN: diff %t.imported %t.one
// RUN: diff %t.imported %t.five
// RUN: FileCheck %s < %t.imported
// Another seed is another model.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-interpret="length=11 sequences=4 seed=1" -o /dev/null > %t.seed
// RUN: not diff %t.imported %t.seed > /dev/null

// CHECK: @forward sequence 0: shape [11, 20], L2
// CHECK: @forward sequence 1: shape [8, 20], L2
// CHECK: @forward sequence 2: shape [5, 20], L2
// CHECK: @forward sequence 3: {{\[\[}}

// An entry may return states, and a prediction from states too. They are compared
// over a cache in test/compiler/graph/tiny-deepseeks.test.
// RUN: tcc %tcc/test/fixtures/deepseek/v3-mtp --stop-after=import > %t.mtp.mlir
// RUN: tcc-opt %t.mtp.mlir --tcc-interpret="sequences=1" -o /dev/null | FileCheck %s --check-prefix=STATES
// STATES:      @forward sequence 0: shape [8, 130], L2
// STATES-NEXT: @forward states of sequence 0: shape [8, 28], L2
// STATES-NEXT: @predict sequence 0: shape [8, 130], L2
// STATES-NEXT: @predict states of sequence 0: shape [8, 28], L2
