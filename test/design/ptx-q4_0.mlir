// A weight in q4_0 by hand as PTX, in the simplest form: the panel of x86-q4_0.mlir with 32
// columns, one for each lane of a warp, times one row. A warp reads 128 bytes of words at a
// time.
// RUN: %to-ptx %s | %python %S/Inputs/extract-ptx.py > %t.ptx
// RUN: FileCheck %s < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}

// CHECK-NOT: .extern .func
// CHECK:     .entry q4_0
// CHECK:     cvt.rn.f32.u32
// CHECK:     fma.rn.f32
// CHECK:     cvt.f32.f16
// CHECK-NOT: .extern .func
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx83">] {
  llvm.func @q4_0(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %y: !llvm.ptr<1>, %blocks: i32,
                  %columns: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c4 = arith.constant 4 : i32
    %c8 = arith.constant 8 : i32
    %c15 = arith.constant 15 : i32
    %c16 = arith.constant 16 : i32
    %c32 = arith.constant 32 : i32
    %block_bytes = arith.constant 576 : i32
    %zero = arith.constant 0.0 : f32
    %minus_eight = arith.constant -8.0 : f32
    %lane = nvvm.read.ptx.sreg.tid.x : i32
    %panel = nvvm.read.ptx.sreg.ctaid.x : i32
    %panel_bytes = arith.muli %blocks, %block_bytes : i32
    %panel_place = arith.muli %panel, %panel_bytes : i32
    %sum = scf.for %block = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> f32 : i32 {
      %block_place = arith.muli %block, %block_bytes : i32
      %place = arith.addi %panel_place, %block_place : i32
      %scales = llvm.getelementptr %w[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      %words = llvm.getelementptr %scales[64] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      %first = arith.muli %block, %c32 : i32
      %parts:2 = scf.for %i = %c0 to %c4 step %c1
          iter_args(%products = %zero, %operands = %zero) -> (f32, f32) : i32 {
        %line = arith.muli %i, %c32 : i32
        %in_block = arith.addi %line, %lane : i32
        %word_address = llvm.getelementptr %words[%in_block] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        %word = llvm.load %word_address : !llvm.ptr<1> -> i32
        %eighth = arith.muli %i, %c8 : i32
        %k0 = arith.addi %first, %eighth : i32
        %inner:2 = scf.for %j = %c0 to %c4 step %c1
            iter_args(%p = %products, %o = %operands) -> (f32, f32) : i32 {
          %bits = arith.muli %j, %c4 : i32
          %shifted = arith.shrui %word, %bits : i32
          %even = arith.andi %shifted, %c15 : i32
          %upper = arith.shrui %shifted, %c16 : i32
          %odd = arith.andi %upper, %c15 : i32
          %q0 = arith.uitofp %even : i32 to f32
          %q1 = arith.uitofp %odd : i32 to f32
          %pair = arith.muli %j, %c2 : i32
          %k = arith.addi %k0, %pair : i32
          %a0_address = llvm.getelementptr %x[%k] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %a0 = llvm.load %a0_address : !llvm.ptr<1> -> f32
          %a1_address = llvm.getelementptr %a0_address[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
          %a1 = llvm.load %a1_address : !llvm.ptr<1> -> f32
          %p0 = llvm.intr.fma(%q0, %a0, %p) : (f32, f32, f32) -> f32
          %p1 = llvm.intr.fma(%q1, %a1, %p0) : (f32, f32, f32) -> f32
          %o0 = arith.addf %o, %a0 : f32
          %o1 = arith.addf %o0, %a1 : f32
          scf.yield %p1, %o1 : f32, f32
        }
        scf.yield %inner#0, %inner#1 : f32, f32
      }
      %centred = llvm.intr.fma(%parts#1, %minus_eight, %parts#0) : (f32, f32, f32) -> f32
      %scale_address = llvm.getelementptr %scales[%lane] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f16
      %narrow = llvm.load %scale_address : !llvm.ptr<1> -> f16
      %scale = arith.extf %narrow : f16 to f32
      %next = llvm.intr.fma(%centred, %scale, %acc) : (f32, f32, f32) -> f32
      scf.yield %next : f32
    }
    %first_column = arith.muli %panel, %c32 : i32
    %column = arith.addi %first_column, %lane : i32
    %inside = arith.cmpi slt, %column, %columns : i32
    scf.if %inside {
      %y_address = llvm.getelementptr %y[%column] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %sum, %y_address : f32, !llvm.ptr<1>
    }
    llvm.return
  }
}
