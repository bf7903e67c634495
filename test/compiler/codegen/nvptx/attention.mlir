// Attention in tensor cores: of kind split for generated tokens, of kind wgmma for
// prompts.
// RUN: tcc-opt %s --tcc-lower-kernels-to-gpu -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: %to-ptx > %t.ptx
// RUN: FileCheck %s --check-prefix=PTX --implicit-check-not=.extern < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS --implicit-check-not=C75 %}
// RUN: %if nvdisasm %{ %nvdisasm -c %t.cubin > %t.sass %}
// RUN: %if nvdisasm %{ FileCheck %s --check-prefix=COPIES < %t.sass %}
// RUN: %if nvdisasm %{ FileCheck %s --check-prefix=PRODUCTS < %t.sass %}

// PTX: .extern .shared .align 1024 .b8 dynamic_shared_memory[];

// PTXAS-COUNT-6: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads

// Two pages of keys and of values in two panels each; scores of the first stage and of
// others, with and without a mask, and as many products with values.
// COPIES-LABEL:      .text.prompt:
// COPIES-COUNT-8:    UTMALDG
// PRODUCTS-LABEL:    .text.prompt:
// PRODUCTS-COUNT-48: HGMMA.64x128x16.F32.BF16

// Eight blocks share the positions of a token; what they have meets in the memory of
// all of them.
// CHECK-LABEL: llvm.func @decode(
// CHECK-SAME:    nvvm.cluster_dim = array<i32: 8, 1, 1>, nvvm.kernel, {{.*}}nvvm.reqntid = array<i32: 256>
// CHECK:         nvvm.read.ptx.sreg.cluster.ctarank

// Keys and values come straight to the registers of a product.
// CHECK:         scf.for
// CHECK:         llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xi32>
// CHECK:         llvm.load volatile {{.*}} : !llvm.ptr<3> -> vector<4xi32>
// CHECK-COUNT-16: nvvm.mma.sync
// CHECK:         nvvm.convert.f32x2.to.bf16x2
// CHECK:         llvm.nvvm.prmt
// CHECK-COUNT-16: nvvm.mma.sync
// CHECK:         nvvm.cluster.arrive {aligned}
// CHECK:         nvvm.cluster.wait {aligned}
// CHECK:         llvm.load {{.*}} : !llvm.ptr<7> -> f32
// CHECK:         nvvm.cluster.arrive {aligned}
func.func @decode(%q: memref<?x32x128xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                  %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4096xbf16>)
                  attributes {kernel.rows = "absorbed"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.0883883461)
    layout(<page_tokens = 64, heads = 8, key_size = 128, value_size = 128, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = split, tile_rows = 4, tile_columns = 128, threads = 256, cluster = 8, split = 8>)
    : memref<?x32x128xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4096xbf16>
  return
}

// A map of keys and one of values, 384 threads.
// CHECK-LABEL: llvm.func @prompt(
// CHECK-COUNT-2: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}
// CHECK-SAME:    nvvm.kernel, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 384>

// The producer: a page by its number in the page table.
// CHECK:         nvvm.setmaxregister decrease 24
// CHECK:         nvvm.elect.sync
// CHECK:         nvvm.mbarrier.try_wait
// CHECK:         nvvm.mbarrier.arrive.expect_tx
// CHECK-COUNT-4: nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:         nvvm.mbarrier.arrive.expect_tx
// CHECK-COUNT-4: nvvm.cp.async.bulk.tensor.shared.cluster.global

// A consumer: the first scores; then keys of a stage and values of the one before, and
// the softmax before the wait for these.
// CHECK:         nvvm.setmaxregister increase 240
// CHECK:         nvvm.fence.proxy
// CHECK-COUNT-8: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK:         wgmma.wait_group.sync.aligned 0
// CHECK:         scf.for
// CHECK:           nvvm.barrier id
// CHECK-COUNT-16:  wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// CHECK:           nvvm.barrier.arrive
// CHECK:           wgmma.wait_group.sync.aligned 1
// CHECK:           llvm.nvvm.ex2.approx.ftz.f
// CHECK:           wgmma.wait_group.sync.aligned 0
func.func @prompt(%q: memref<?x32x128xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                  %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4096xbf16>)
                  attributes {kernel.rows = "expanded"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.0883883461)
    layout(<page_tokens = 64, heads = 8, key_size = 128, value_size = 128, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 2>)
    : memref<?x32x128xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4096xbf16>
  return
}

// Long heads leave registers for 64 positions at once.
// CHECK-LABEL: llvm.func @decode_long(
func.func @decode_long(%q: memref<?x16x256xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                       %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4096xbf16>)
                       attributes {kernel.rows = "absorbed"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.0625)
    layout(<page_tokens = 64, heads = 8, key_size = 256, value_size = 256, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = split, tile_rows = 2, tile_columns = 128, threads = 256, cluster = 8, split = 8>)
    : memref<?x16x256xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4096xbf16>
  return
}

// CHECK-LABEL: llvm.func @prompt_long(
// CHECK:       wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
// CHECK:       wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
func.func @prompt_long(%q: memref<?x16x256xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                       %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x4096xbf16>)
                       attributes {kernel.rows = "expanded"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.0625)
    layout(<page_tokens = 64, heads = 8, key_size = 256, value_size = 256, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 384, stages = 2>)
    : memref<?x16x256xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4096xbf16>
  return
}

// A head that no power of two is: products are of 96 columns, and so many registers.
// CHECK-LABEL: llvm.func @prompt_96(
// CHECK:       wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16
func.func @prompt_96(%q: memref<?x9x96xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                     %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x864xf32>)
                     attributes {kernel.rows = "expanded"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.1)
    layout(<page_tokens = 64, heads = 3, key_size = 96, value_size = 96, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 2>)
    : memref<?x9x96xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x864xf32>
  return
}

// CHECK-LABEL: llvm.func @prompt_64(
// CHECK:       wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
func.func @prompt_64(%q: memref<?x9x64xbf16>, %p: memref<?xi32>, %s: memref<?xi32>,
                     %t: memref<?x?xi32>, %c: memref<?xi8>, %y: memref<?x576xbf16>)
                     attributes {kernel.rows = "expanded"} {
  kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.125)
    layout(<page_tokens = 64, heads = 3, key_size = 64, value_size = 64, element = bf16, order = rows>)
    config(#kernel.gpu_attention_config<kind = wgmma, tile_rows = 128, tile_columns = 128, threads = 384, stages = 2>)
    : memref<?x9x64xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x576xbf16>
  return
}
