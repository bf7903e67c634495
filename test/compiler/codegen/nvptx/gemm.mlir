// Linear layers of kind wgmma: what brings tiles, what multiplies them, and what
// stores the result.
// RUN: tcc-opt %s --tcc-lower-kernels-to-gpu -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: %to-ptx > %t.ptx
// RUN: FileCheck %s --check-prefix=PTX --implicit-check-not=.extern < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS --implicit-check-not=C75 %}
// RUN: %if nvdisasm %{ %nvdisasm -c %t.cubin | FileCheck %s --check-prefix=SASS %}

// PTX:         .extern .shared .align 1024 .b8 dynamic_shared_memory[];
// PTX-COUNT-2: .reqntid 384

// PTXAS-COUNT-2: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Products of the loop over K, and copies.
// SASS-LABEL:   .text.copied:
// SASS-COUNT-2: UTMALDG
// SASS-COUNT-4: HGMMA.64x256x16.F32.BF16
// SASS-COUNT-4: UTMASTG
// SASS-LABEL:   .text.decoded:
// SASS:         UTMALDG
// SASS-COUNT-8: HGMMA.64x128x16.F32.BF16

// Three tensor maps, shared memory of the launch, 384 threads, clusters of two.
// CHECK-LABEL: llvm.func @copied(
// CHECK-COUNT-3: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}
// CHECK-SAME:    nvvm.cluster_dim = array<i32: 2, 1, 1>, nvvm.kernel, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 384>

// Once the launch before has ended, two barriers of each of four stages.
// CHECK-COUNT-1: griddepcontrol.wait
// CHECK-NOT:     griddepcontrol.wait
// CHECK-COUNT-8: nvvm.mbarrier.init
// CHECK:         nvvm.fence.mbarrier.init
// CHECK:         nvvm.cluster.arrive {aligned}

// One thread: the rows of its block, and a part of the weight for both blocks.
// CHECK:         nvvm.setmaxregister decrease 40
// CHECK:         nvvm.elect.sync
// CHECK:         nvvm.mbarrier.try_wait {{.*}}scope = #nvvm.mem_scope<cluster>
// CHECK:         nvvm.mbarrier.arrive.expect_tx
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK-NOT:     multicast_mask
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} multicast_mask =

// Two warpgroups: four products of a step, while those of the step before end.
// CHECK:         nvvm.setmaxregister increase 232
// CHECK:         nvvm.wgmma.fence.aligned
// CHECK-COUNT-4: wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
// CHECK:         nvvm.wgmma.commit.group.sync.aligned
// CHECK-NEXT:    wgmma.wait_group.sync.aligned 1
// CHECK:         nvvm.mapa
// CHECK:         nvvm.mbarrier.arrive {{.*}}scope = #nvvm.mem_scope<cluster>
// CHECK:         wgmma.wait_group.sync.aligned 0

// Each piece of the result: the one before it is read, then this one is copied.
// CHECK:         nvvm.cp.async.bulk.wait_group 1 {read}
// CHECK-COUNT-4: nvvm.stmatrix
// CHECK:         nvvm.fence.proxy
// CHECK:         nvvm.cp.async.bulk.tensor.global.shared.cta
// CHECK:         nvvm.cp.async.bulk.commit.group
// CHECK:         nvvm.cp.async.bulk.wait_group 0
// CHECK:         nvvm.cluster.arrive {aligned}
func.func @copied(%x: memref<?x4096xbf16>, %w: memref<6144x4096xbf16>, %y: memref<?x6144xbf16>) {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 256,
                                     threads = 384, stages = 4, cluster = 2>)
    : memref<?x4096xbf16>, memref<6144x4096xbf16>, memref<?x6144xbf16>
  return
}

// The warpgroup that brings tiles decodes the weight; threads add the residual and
// store f32.
// CHECK-LABEL: llvm.func @decoded(
// CHECK-COUNT-1: llvm.byval
// CHECK-NOT:     llvm.byval
// CHECK:         nvvm.setmaxregister decrease 104
// CHECK:         llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xi32>
// CHECK:         nvvm.mbarrier.try_wait
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:         llvm.store {{.*}} : vector<4xi32>, !llvm.ptr<3>
// CHECK:         nvvm.fence.proxy
// CHECK:         nvvm.mbarrier.arrive
// CHECK:         nvvm.setmaxregister increase 200
// CHECK-COUNT-8: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK:         llvm.load {{.*}} : !llvm.ptr<1> -> vector<2xf32>
// CHECK-NOT:     nvvm.stmatrix
// CHECK:         llvm.store {{.*}} : vector<2xf32>, !llvm.ptr<1>
func.func @decoded(%x: memref<?x4096xbf16>, %w: memref<4096x4096x!transformer.block<q4_0>>,
                   %y: memref<?x4096xf32>) {
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 256, tile_columns = 128,
                                     threads = 384, stages = 4>)
    epilogue (%y : memref<?x4096xf32>) {
    ^bb0(%sum: f32, %before: f32):
      %after = arith.addf %sum, %before : f32
      kernel.yield %after : f32
    } : memref<?x4096xbf16>, memref<4096x4096x!transformer.block<q4_0>>, memref<?x4096xf32>
  return
}
