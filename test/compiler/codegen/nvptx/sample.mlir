// A cluster chooses a token: blocks send what they have to each other, and weights are
// of f64, without one operation fused that the runtime does not fuse, but for quotients.
// RUN: tcc-opt %s --tcc-lower-kernels-to-gpu -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: %to-ptx > %t.ptx
// RUN: FileCheck %s --check-prefix=PTX --implicit-check-not=.extern < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}

// CHECK:     llvm.mlir.global internal @{{.*}} {addr_space = 3 : i32, {{.*}}} : !llvm.array<15360 x i8>
// CHECK:     llvm.func @sample(
// CHECK-SAME: nvvm.cluster_dim = array<i32: 8, 1, 1>, {{.*}}nvvm.reqntid = array<i32: 512>
// CHECK:     nvvm.mapa
// CHECK:     nvvm.cluster.arrive
// CHECK:     nvvm.cluster.wait
// CHECK:     math.fma {{.*}} : f64

// PTX:       .entry sample(
// PTX:       mapa.shared::cluster
// PTX:       st.shared::cluster.b64
// PTX:       barrier.cluster.arrive.aligned
// PTX:       barrier.cluster.wait.aligned
// PTX:       mul.rn.f64
// PTX:       cvt.rmi.f64.f64

// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
func.func @sample(%x: memref<?x128256xf32>, %p: memref<?x5xf64>, %y: memref<?xi32>)
    attributes {kernel.rows = "logit_rows"} {
  kernel.sample %x, %p into %y config(<threads = 512, cluster = 8>)
    : memref<?x128256xf32>, memref<?x5xf64>, memref<?xi32>
  return
}
