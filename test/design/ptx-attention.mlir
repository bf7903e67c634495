// One `kernel.attention` by hand as PTX, in the simplest form: decoding over a paged cache with
// an online softmax. One warp computes one query head of one token; each lane has one of 32
// elements. A page holds for each key/value head 16 keys, then 16 values, bf16, row by row.
// RUN: %to-ptx %s | %python %S/Inputs/extract-ptx.py > %t.ptx
// RUN: FileCheck %s < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}

// CHECK-NOT:     .extern .func
// CHECK:         .entry attention
// CHECK-COUNT-5: shfl.sync.bfly.b32
// CHECK:         ex2.approx.ftz.f32
// CHECK:         cvt.rn.bf16.f32
// CHECK-NOT:     .extern .func
// PTXAS-NOT:     C75
// PTXAS:         0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx83">] {
  llvm.func @attention(%query: !llvm.ptr<1>, %positions: !llvm.ptr<1>,
                       %sequences: !llvm.ptr<1>, %page_table: !llvm.ptr<1>,
                       %pages: !llvm.ptr<1>, %y: !llvm.ptr<1>, %heads: i32, %group: i32,
                       %table_stride: i32, %page_bytes: i64, %scale_log2e: f32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c16 = arith.constant 16 : i32
    %c32 = arith.constant 32 : i32
    %values_after = arith.constant 512 : i32
    %head_elements = arith.constant 1024 : i32
    %zero = arith.constant 0.0 : f32
    %minus_infinity = arith.constant 0xff800000 : f32
    %lane = nvvm.read.ptx.sreg.tid.x : i32
    %h = nvvm.read.ptx.sreg.ctaid.x : i32
    %t = nvvm.read.ptx.sreg.ctaid.y : i32
    %position_address = llvm.getelementptr %positions[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %position = llvm.load %position_address : !llvm.ptr<1> -> i32
    %sequence_address = llvm.getelementptr %sequences[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %sequence = llvm.load %sequence_address : !llvm.ptr<1> -> i32
    %table_row = arith.muli %sequence, %table_stride : i32
    %token_row = arith.muli %t, %heads : i32
    %head_row = arith.addi %token_row, %h : i32
    %row_place = arith.muli %head_row, %c32 : i32
    %place = arith.addi %row_place, %lane : i32
    %q_address = llvm.getelementptr %query[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
    %q_narrow = llvm.load %q_address : !llvm.ptr<1> -> bf16
    %q_wide = arith.extf %q_narrow : bf16 to f32
    // With the scale and log2 e in the query, a power of two is all that is left of exp.
    %q = arith.mulf %q_wide, %scale_log2e : f32
    %g = arith.divui %h, %group : i32
    %head_place = arith.muli %g, %head_elements : i32
    %keys = arith.addi %position, %c1 : i32

    %state:3 = scf.for %s = %c0 to %keys step %c1
        iter_args(%maximum = %minus_infinity, %sum = %zero, %output = %zero)
        -> (f32, f32, f32) : i32 {
      %page_number = arith.divui %s, %c16 : i32
      %in_page = arith.remui %s, %c16 : i32
      %table_place = arith.addi %table_row, %page_number : i32
      %table_address = llvm.getelementptr %page_table[%table_place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      %page = llvm.load %table_address : !llvm.ptr<1> -> i32
      %page_wide = arith.extui %page : i32 to i64
      %page_offset = arith.muli %page_wide, %page_bytes : i64
      %page_address = llvm.getelementptr %pages[%page_offset] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %line = arith.muli %in_page, %c32 : i32
      %head_line = arith.addi %head_place, %line : i32
      %k_place = arith.addi %head_line, %lane : i32
      %k_address = llvm.getelementptr %page_address[%k_place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
      %k_narrow = llvm.load %k_address : !llvm.ptr<1> -> bf16
      %k = arith.extf %k_narrow : bf16 to f32
      %v_place = arith.addi %k_place, %values_after : i32
      %v_address = llvm.getelementptr %page_address[%v_place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
      %v_narrow = llvm.load %v_address : !llvm.ptr<1> -> bf16
      %v = arith.extf %v_narrow : bf16 to f32

      %product = arith.mulf %q, %k : f32
      %w_all = arith.constant -1 : i32
      %w_clamp = arith.constant 31 : i32
      %w_d16 = arith.constant 16 : i32
      %w_o16 = nvvm.shfl.sync bfly %w_all, %product, %w_d16, %w_clamp : f32 -> f32
      %w_s16 = arith.addf %product, %w_o16 : f32
      %w_d8 = arith.constant 8 : i32
      %w_o8 = nvvm.shfl.sync bfly %w_all, %w_s16, %w_d8, %w_clamp : f32 -> f32
      %w_s8 = arith.addf %w_s16, %w_o8 : f32
      %w_d4 = arith.constant 4 : i32
      %w_o4 = nvvm.shfl.sync bfly %w_all, %w_s8, %w_d4, %w_clamp : f32 -> f32
      %w_s4 = arith.addf %w_s8, %w_o4 : f32
      %w_d2 = arith.constant 2 : i32
      %w_o2 = nvvm.shfl.sync bfly %w_all, %w_s4, %w_d2, %w_clamp : f32 -> f32
      %w_s2 = arith.addf %w_s4, %w_o2 : f32
      %w_d1 = arith.constant 1 : i32
      %w_o1 = nvvm.shfl.sync bfly %w_all, %w_s2, %w_d1, %w_clamp : f32 -> f32
      %score = arith.addf %w_s2, %w_o1 : f32
      %higher = arith.cmpf ogt, %score, %maximum : f32
      %new_maximum = arith.select %higher, %score, %maximum : f32
      %shift = arith.subf %maximum, %new_maximum : f32
      %factor = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%shift) : (f32) -> f32
      %distance = arith.subf %score, %new_maximum : f32
      %weight = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%distance) : (f32) -> f32
      %new_sum = llvm.intr.fma(%sum, %factor, %weight) : (f32, f32, f32) -> f32
      %old_output = arith.mulf %output, %factor : f32
      %new_output = llvm.intr.fma(%weight, %v, %old_output) : (f32, f32, f32) -> f32
      scf.yield %new_maximum, %new_sum, %new_output : f32, f32, f32
    }
    %result = arith.divf %state#2, %state#1 : f32
    %rounded = arith.truncf %result : f32 to bf16
    %y_address = llvm.getelementptr %y[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
    llvm.store %rounded, %y_address : bf16, !llvm.ptr<1>
    llvm.return
  }
}
