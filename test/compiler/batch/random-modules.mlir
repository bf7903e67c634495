// Phases `graph` and `batch` keep the meaning of random modules: the logits of
// several sequences, computed in steps that mix prefill and decode over pages that
// lie apart, are those of each sequence alone.
// RUN: %python %tcc/test/compiler/graph/Inputs/random_modules.py 1000 60 --recognised > %t.mlir
// RUN: tcc-opt %t.mlir --split-input-file -o %t.batched \
// RUN:   --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=batch} length=11 sequences=4 page-size=3"
// RUN: grep -c "transformer.paged_attention" %t.batched | FileCheck %s
// RUN: tcc-opt %t.mlir --split-input-file -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=batch} length=1 sequences=1 page-size=1"
// RUN: tcc-opt %t.mlir --split-input-file -o %t.graph --tcc-pipeline=stop-after=graph
// RUN: tcc-opt %t.graph --split-input-file -o /dev/null --tcc-verify-meaning="pipeline=tcc-batch"
// CHECK: {{^60$}}
