// Linear layers of kind skinny: what a warp does in a step, and how the sums of
// warps and of blocks come together.
// RUN: tcc-opt %s --tcc-lower-kernels-to-gpu -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: %to-ptx > %t.ptx
// RUN: FileCheck %s --check-prefix=PTX --implicit-check-not=.extern < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS --implicit-check-not=C75 %}

// PTX:         .extern .shared .align 1024 .b8 dynamic_shared_memory[];

// PTXAS-COUNT-6: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// One barrier of the block lets all warps write their sums, one lets them read
// those of others.
// CHECK-LABEL: llvm.func @alone(
// CHECK-NOT:     nvvm.cluster
// CHECK:         nvvm.cp.async.wait.group 2
// CHECK:         nvvm.bar.warp.sync
// CHECK:         nvvm.cp.async.shared.global {{.*}} 16, cache = cg
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         nvvm.mma.sync
// CHECK:         nvvm.barrier0
// CHECK:         nvvm.barrier0

// Weights and inputs are read 16 bytes at a time.
// PTX-LABEL: .entry alone(
// PTX:         cp.async.wait_group 2;
// PTX:         cp.async.cg.shared.global [{{.*}}], [{{.*}}], 16;
// PTX-LABEL: .entry cluster(
// PTX:         .explicitcluster
// PTX:         ld.shared.v4.b32
// PTX:         ld.shared.v4.b32
// PTX:         ld.shared.v4.b32
// PTX-NEXT:    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// PTX:         barrier.cluster.arrive.aligned;
// PTX-NEXT:    barrier.cluster.wait.aligned;
// PTX:         ld.shared::cluster.b32

// A byte above zero is one of bf16 by three instructions for two; the sum over a
// block is multiplied by its scale.
// PTX-LABEL: .entry bytes(
// PTX:         cp.async.ca.shared.global [{{.*}}], [{{.*}}], 8;
// PTX:         ld.shared.v2.b32
// PTX:         sub.rn.bf16x2
// PTX:         mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// PTX:         mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// PTX:         fma.rn.f32
// PTX-LABEL: .entry nibbles(
// PTX:         ld.shared.b32
// PTX:         add.rn.bf16x2

// What f32 is multiplied by stays f32.
// PTX-LABEL: .entry floats(
// PTX-NOT:     mma.sync
// PTX-LABEL: .entry gated(

func.func @alone(%x: memref<?x4096xf32>, %w: memref<4096x4096xbf16>,
                 %y: memref<?x4096xf32>, %norm: memref<4096xf32>)
    attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 32,
                                     threads = 256, stages = 4>)
    prologue mean_square (%norm : memref<4096xf32>) {
    ^bb0(%element: f32, %mean: f32, %scale: f32):
      %factor = math.rsqrt %mean : f32
      %normed = arith.mulf %element, %factor : f32
      %scaled = arith.mulf %normed, %scale : f32
      kernel.yield %scaled : f32
    } : memref<?x4096xf32>, memref<4096x4096xbf16>, memref<?x4096xf32>
  return
}

// CHECK-LABEL: llvm.func @cluster(
// CHECK-SAME:    nvvm.cluster_dim = array<i32: 4, 1, 1>
// CHECK:         nvvm.cluster.arrive {aligned}
// CHECK:         nvvm.mapa
func.func @cluster(%x: memref<?x4096xf32>, %w: memref<4096x4096xf16>,
                   %y: memref<?x4096xf32>) attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(f16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 128,
                                     threads = 256, stages = 4, cluster = 4, split = 4>)
    : memref<?x4096xf32>, memref<4096x4096xf16>, memref<?x4096xf32>
  return
}

func.func @bytes(%x: memref<?x4096xf32>, %w: memref<4096x4096x!transformer.block<q8_0>>,
                 %y: memref<?x4096xf32>) attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 128,
                                     threads = 256, stages = 4, cluster = 4, split = 4>)
    : memref<?x4096xf32>, memref<4096x4096x!transformer.block<q8_0>>, memref<?x4096xf32>
  return
}

func.func @nibbles(%x: memref<?x14336xf32>, %w: memref<4096x14336x!transformer.block<q4_1>>,
                   %y: memref<?x4096xf32>) attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 128,
                                     threads = 256, stages = 4, cluster = 8, split = 8>)
    : memref<?x14336xf32>, memref<4096x14336x!transformer.block<q4_1>>, memref<?x4096xf32>
  return
}

func.func @floats(%x: memref<?x4096xf32>, %w: memref<4096x4096xf32>,
                  %y: memref<?x4096xf32>) attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 16, tile_columns = 64,
                                     threads = 256, stages = 4, cluster = 2, split = 2>)
    : memref<?x4096xf32>, memref<4096x4096xf32>, memref<?x4096xf32>
  return
}

func.func @gated(%x: memref<?x4096xbf16>, %w: memref<28672x4096xbf16>,
                 %y: memref<?x14336xbf16>) attributes {kernel.rows = "absorbed"} {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing<pair_rows = 8>)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 128,
                                     threads = 256, stages = 4, cluster = 4, split = 4>)
    epilogue {
    ^bb0(%gate: f32, %value: f32):
      %gated = arith.mulf %gate, %value : f32
      kernel.yield %gated : f32
    } : memref<?x4096xbf16>, memref<28672x4096xbf16>, memref<?x14336xbf16>
  return
}
