// Phases `graph` and `batch` keep the meaning of random modules with latent attention
// and experts, whose cache holds latents: as random-modules.mlir.
// RUN: %python %tcc/test/compiler/graph/Inputs/random_deepseeks.py 1000 60 --recognised > %t.mlir
// RUN: tcc-opt %t.mlir --split-input-file -o %t.batched \
// RUN:   --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=batch} length=11 sequences=4 page-size=3"
// RUN: grep -c "transformer.cache @.* latent" %t.batched | FileCheck %s
// RUN: grep -c "transformer.paged_attention" %t.batched | FileCheck %s
// RUN: grep -c "transformer.route" %t.batched | FileCheck %s
// RUN: grep -c "transformer.dispatch" %t.batched | FileCheck %s
// RUN: tcc-opt %t.mlir --split-input-file -o /dev/null \
// RUN:   --tcc-verify-meaning="pipeline=tcc-pipeline{stop-after=batch} length=1 sequences=1 page-size=1"
// CHECK: {{^60$}}
