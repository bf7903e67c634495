// One `kernel.linear` by hand as PTX, in the simplest form: RMS norm as prologue, GEMM in
// bf16 with f32 sums, SwiGLU as epilogue. One warp computes a panel of 32 gates and their 32
// values for one token; each lane has one gate and its value. The weight is packed as
// #kernel.packing<columns = 64, paired = true>, so that a warp reads whole lines.
// RUN: %to-ptx %s | %python %S/Inputs/extract-ptx.py > %t.ptx
// RUN: FileCheck %s < %t.ptx
// RUN: %if ptxas %{ %ptxas -arch=sm_90a -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s --check-prefix=PTXAS %}

// CHECK-NOT: .extern .func
// CHECK:     .entry norm_swiglu
// CHECK:     shfl.sync.bfly.b32
// CHECK:     rsqrt.approx.ftz.f32
// CHECK:     cvt.rn.bf16
// CHECK:     fma.rn.f32
// CHECK:     ex2.approx.ftz.f32
// CHECK-NOT: .extern .func
// PTXAS-NOT: C75
// PTXAS:     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx83">] {
  llvm.func @norm_swiglu(%x: !llvm.ptr<1>, %norm: !llvm.ptr<1>, %w: !llvm.ptr<1>,
                         %y: !llvm.ptr<1>, %depth: i32, %units: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c16 = arith.constant 16 : i32
    %c32 = arith.constant 32 : i32
    %c64 = arith.constant 64 : i32
    %high = arith.constant 0xffff0000 : i32
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %epsilon = arith.constant 1.0e-5 : f32
    %minus_log2e = arith.constant -1.44269504 : f32
    %lane = nvvm.read.ptx.sreg.tid.x : i32
    %panel = nvvm.read.ptx.sreg.ctaid.x : i32
    %token = nvvm.read.ptx.sreg.ctaid.y : i32
    %row = arith.muli %token, %depth : i32

    // Prologue: the mean square, each lane a 32nd of the row.
    %squares = scf.for %k = %lane to %depth step %c32 iter_args(%sum = %zero) -> f32 : i32 {
      %place = arith.addi %row, %k : i32
      %address = llvm.getelementptr %x[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %element = llvm.load %address : !llvm.ptr<1> -> f32
      %next = llvm.intr.fma(%element, %element, %sum) : (f32, f32, f32) -> f32
      scf.yield %next : f32
    }
    %w_all = arith.constant -1 : i32
    %w_clamp = arith.constant 31 : i32
    %w_d16 = arith.constant 16 : i32
    %w_o16 = nvvm.shfl.sync bfly %w_all, %squares, %w_d16, %w_clamp : f32 -> f32
    %w_s16 = arith.addf %squares, %w_o16 : f32
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
    %square = arith.addf %w_s2, %w_o1 : f32
    %count = arith.sitofp %depth : i32 to f32
    %mean = arith.divf %square, %count : f32
    %shifted = arith.addf %mean, %epsilon : f32
    %factor = llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.ftz.f"(%shifted) : (f32) -> f32

    // Pairs of K: every lane prepares the same two operands.
    %pairs = arith.divui %depth, %c2 : i32
    %panel_words = arith.muli %pairs, %c64 : i32
    %first_word = arith.muli %panel, %panel_words : i32
    %lane_word = arith.addi %first_word, %lane : i32
    %sums:2 = scf.for %pair = %c0 to %pairs step %c1
        iter_args(%gate = %zero, %value = %zero) -> (f32, f32) : i32 {
      %k = arith.muli %pair, %c2 : i32
      %place = arith.addi %row, %k : i32
      %x_address = llvm.getelementptr %x[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %x0 = llvm.load %x_address : !llvm.ptr<1> -> f32
      %x1_address = llvm.getelementptr %x_address[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
      %x1 = llvm.load %x1_address : !llvm.ptr<1> -> f32
      %norm_address = llvm.getelementptr %norm[%pair] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      %norms = llvm.load %norm_address : !llvm.ptr<1> -> i32
      %n0_bits = arith.shli %norms, %c16 : i32
      %n1_bits = arith.andi %norms, %high : i32
      %n0 = arith.bitcast %n0_bits : i32 to f32
      %n1 = arith.bitcast %n1_bits : i32 to f32
      %normed0 = arith.mulf %x0, %factor : f32
      %normed1 = arith.mulf %x1, %factor : f32
      %scaled0 = arith.mulf %normed0, %n0 : f32
      %scaled1 = arith.mulf %normed1, %n1 : f32
      %b0 = arith.truncf %scaled0 : f32 to bf16
      %b1 = arith.truncf %scaled1 : f32 to bf16
      %a0 = arith.extf %b0 : bf16 to f32
      %a1 = arith.extf %b1 : bf16 to f32

      %line = arith.muli %pair, %c64 : i32
      %word = arith.addi %lane_word, %line : i32
      %w_address = llvm.getelementptr %w[%word] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      %gates = llvm.load %w_address : !llvm.ptr<1> -> i32
      %v_address = llvm.getelementptr %w_address[32] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
      %values = llvm.load %v_address : !llvm.ptr<1> -> i32
      %g0_bits = arith.shli %gates, %c16 : i32
      %g1_bits = arith.andi %gates, %high : i32
      %v0_bits = arith.shli %values, %c16 : i32
      %v1_bits = arith.andi %values, %high : i32
      %g0 = arith.bitcast %g0_bits : i32 to f32
      %g1 = arith.bitcast %g1_bits : i32 to f32
      %v0 = arith.bitcast %v0_bits : i32 to f32
      %v1 = arith.bitcast %v1_bits : i32 to f32
      %gate0 = llvm.intr.fma(%a0, %g0, %gate) : (f32, f32, f32) -> f32
      %gate1 = llvm.intr.fma(%a1, %g1, %gate0) : (f32, f32, f32) -> f32
      %value0 = llvm.intr.fma(%a0, %v0, %value) : (f32, f32, f32) -> f32
      %value1 = llvm.intr.fma(%a1, %v1, %value0) : (f32, f32, f32) -> f32
      scf.yield %gate1, %value1 : f32, f32
    }

    // Epilogue: silu(gate) * value, rounded once.
    %exponent = arith.mulf %sums#0, %minus_log2e : f32
    %power = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%exponent) : (f32) -> f32
    %divisor = arith.addf %power, %one : f32
    %silu = arith.divf %sums#0, %divisor : f32
    %product = arith.mulf %silu, %sums#1 : f32
    %rounded = arith.truncf %product : f32 to bf16
    %first_unit = arith.muli %panel, %c32 : i32
    %unit = arith.addi %first_unit, %lane : i32
    %inside = arith.cmpi slt, %unit, %units : i32
    scf.if %inside {
      %y_row = arith.muli %token, %units : i32
      %y_place = arith.addi %y_row, %unit : i32
      %y_address = llvm.getelementptr %y[%y_place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
      llvm.store %rounded, %y_address : bf16, !llvm.ptr<1>
    }
    llvm.return
  }
}
