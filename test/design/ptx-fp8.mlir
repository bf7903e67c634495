// A weight in FP8 (e4m3) with a scale for each block of 128 by 128, by hand as PTX, in the
// simplest form: the panel of x86-fp8.mlir with 32 columns, one for each lane of a warp, times
// one row. The last block of K has what is left of it. e4m3 becomes f16 by an instruction,
// which is exact.
// RUN: %to-ptx %s | %python %S/Inputs/extract-ptx.py > %t.ptx
// RUN: FileCheck %s < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}

// CHECK-NOT: .extern .func
// CHECK:     .entry fp8
// CHECK:     cvt.rn.f16x2.e4m3x2
// CHECK:     fma.rn.f32
// CHECK-NOT: .extern .func
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx83">] {
  llvm.func @fp8(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %y: !llvm.ptr<1>, %depth: i32,
                 %columns: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c32 = arith.constant 32 : i32
    %c127 = arith.constant 127 : i32
    %c128 = arith.constant 128 : i32
    // 32 scales in f32, then 128 rows of 32 bytes.
    %block_bytes = arith.constant 4224 : i32
    %scale_bytes = arith.constant 128 : i32
    %zero = arith.constant 0.0 : f32
    %lane = nvvm.read.ptx.sreg.tid.x : i32
    %panel = nvvm.read.ptx.sreg.ctaid.x : i32
    %padded = arith.addi %depth, %c127 : i32
    %blocks = arith.divui %padded, %c128 : i32
    %all_scales = arith.muli %blocks, %scale_bytes : i32
    %all_bytes = arith.muli %depth, %c32 : i32
    %panel_bytes = arith.addi %all_scales, %all_bytes : i32
    %panel_place = arith.muli %panel, %panel_bytes : i32
    %sum = scf.for %block = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> f32 : i32 {
      %first = arith.muli %block, %c128 : i32
      %left = arith.subi %depth, %first : i32
      %elements = arith.minui %left, %c128 : i32
      %block_place = arith.muli %block, %block_bytes : i32
      %place = arith.addi %panel_place, %block_place : i32
      %scales = llvm.getelementptr %w[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
      %bytes = llvm.getelementptr %scales[128] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      %part = scf.for %i = %c0 to %elements step %c1 iter_args(%p = %zero) -> f32 : i32 {
        %line = arith.muli %i, %c32 : i32
        %in_block = arith.addi %line, %lane : i32
        %address = llvm.getelementptr %bytes[%in_block] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
        %code = llvm.load %address : !llvm.ptr<1> -> i8
        %word = arith.extui %code : i8 to i16
        %two = llvm.inline_asm asm_dialect = att "cvt.rn.f16x2.e4m3x2 $0, $1;", "=r,h" %word : (i16) -> i32
        %low = arith.trunci %two : i32 to i16
        %narrow = arith.bitcast %low : i16 to f16
        %q = arith.extf %narrow : f16 to f32
        %k = arith.addi %first, %i : i32
        %a_address = llvm.getelementptr %x[%k] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
        %a = llvm.load %a_address : !llvm.ptr<1> -> f32
        %next = llvm.intr.fma(%q, %a, %p) : (f32, f32, f32) -> f32
        scf.yield %next : f32
      }
      %scale_address = llvm.getelementptr %scales[%lane] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %scale = llvm.load %scale_address : !llvm.ptr<1> -> f32
      %next = llvm.intr.fma(%part, %scale, %acc) : (f32, f32, f32) -> f32
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
