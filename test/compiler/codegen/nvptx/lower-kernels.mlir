// A kernel becomes the code of one thread, which the runtime launches in blocks.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-kernels-to-gpu | FileCheck %s

// Nothing is read before the launch before has ended.
// Block b of n copies the rows b, b + n, and so on; its threads share the columns,
// of which each copies four at once.
// CHECK-LABEL: llvm.func @rows(
// CHECK-SAME:    %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %[[TILES:.*]]: i64)
// CHECK-SAME:    nvvm.kernel, nvvm.reqntid = array<i32: 128>
// CHECK:         llvm.inline_asm has_side_effects {{.*}}"griddepcontrol.wait;"
// CHECK:         llvm.inline_asm has_side_effects {{.*}}"griddepcontrol.launch_dependents;"
// CHECK:         %[[BLOCK32:.*]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK:         %[[BLOCK:.*]] = arith.extui %[[BLOCK32]]
// CHECK:         %[[COUNT32:.*]] = nvvm.read.ptx.sreg.nctaid.x
// CHECK:         %[[COUNT:.*]] = arith.extui %[[COUNT32]]
// CHECK:         scf.for %{{.*}} = %[[BLOCK]] to %[[TILES]] step %[[COUNT]]
// CHECK:           %[[THREAD32:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK:           %[[THREAD:.*]] = arith.extui %[[THREAD32]]
// CHECK:           scf.for %{{.*}} = %[[THREAD]] to %c3_i64
// CHECK:         llvm.return
func.func @rows(%input: memref<?x12xf32>, %rows: memref<?xi32>,
                %out: memref<?x12xf32>) attributes {kernel.rows = "logit_rows"} {
  kernel.gather_rows %input, %rows into %out
    : memref<?x12xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

// The sum of a row: of each thread, of its warp, of the block.
// CHECK-LABEL: llvm.func @norm(
// CHECK:         math.fma
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK:         llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK:         nvvm.barrier0
// CHECK:         math.sqrt
func.func @norm(%x: memref<?x200xf32>, %w: memref<200xbf16>, %y: memref<?x200xbf16>) {
  kernel.rms_norm %x norms(%w : memref<200xbf16>) epsilon(1.0e-5) into %y
    : (memref<?x200xf32>), memref<?x200xbf16>
  return
}

// -----

func.func @panels(%tokens: memref<?xi32>, %table: memref<10x8xbf16>, %out: memref<?x8xf32>) {
  // expected-error @+1 {{expected a packing of the H100, got #kernel.packing<columns = 64>}}
  kernel.embedding %tokens, %table into %out packing(<columns = 64>)
    : memref<?xi32>, memref<10x8xbf16>, memref<?x8xf32>
  return
}

// -----

// Pointers are to the first row that is absorbed, X, and there are T - X of them.
// CHECK-LABEL: llvm.func @absorbed(
// CHECK-SAME:    %[[X:.*]]: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %[[Y:.*]]: !llvm.ptr<1>, %[[SIZES:.*]]: !llvm.ptr<1>, %{{.*}}: i64)
// CHECK:         %[[PLACE:.*]] = llvm.getelementptr inbounds %[[SIZES]][%c32
// CHECK:         %[[EXPANDED:.*]] = llvm.load %[[PLACE]]
// CHECK:         %[[TOKENS:.*]] = llvm.load %[[SIZES]]
// CHECK:         arith.subi %[[TOKENS]], %[[EXPANDED]]
// CHECK:         %[[BYTES:.*]] = arith.muli %[[EXPANDED]], %c48
// CHECK:         llvm.getelementptr inbounds %[[X]][%[[BYTES]]]
// CHECK:         llvm.getelementptr inbounds %[[Y]][%{{.*}}]
func.func @absorbed(%x: memref<?x12xf32>, %w: memref<12xf32>, %y: memref<?x12xf32>)
    attributes {kernel.rows = "absorbed"} {
  kernel.rms_norm %x norms(%w : memref<12xf32>) epsilon(1.0e-5) into %y
    : (memref<?x12xf32>), memref<?x12xf32>
  return
}
