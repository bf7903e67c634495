// One `kernel.linear` by hand on x86: RMS norm as prologue, GEMM in bf16, SwiGLU
// as epilogue, for the panels `begin` to `end`. 4 rows by 32 columns (16 gates and
// their values) stay in registers. `K` is a multiple of 16.
// RUN: cat %s %S/Inputs/shared.mlir | tcc-opt %to-x86 -o %t
// RUN: %to-assembly | FileCheck %s --check-prefix=ASM
// RUN: %if avx512bf16 %{ %run %t | %python %S/Inputs/expected.py norm-swiglu %}

// ASM-LABEL: {{^}}norm_swiglu:
// ASM-NOT:     call
// ASM:         vcvtneps2bf16
// ASM-NOT:     call
// LLVM places the epilogue in front of the loop over K.
// ASM:         vdivps
// ASM-NOT:     call
// A step of K is four operands broadcast from memory, two loads of weights and
// eight products in registers: nothing is spilled.
// ASM-NOT:     zmm{{[0-9]+}}, {{-?[0-9]*}}(%rsp)
// ASM:         vbroadcastss (%r{{.*}},4), %zmm
// ASM-NEXT:    vbroadcastss (%r{{.*}},4), %zmm
// ASM-NEXT:    vbroadcastss (%r{{.*}},4), %zmm
// ASM-NEXT:    vbroadcastss (%r{{.*}},4), %zmm
// ASM-NEXT:    vmovups {{.*}}(%r{{.*}}), %zmm
// ASM-NEXT:    vmovups {{.*}}(%r{{.*}}), %zmm
// ASM-COUNT-8: vdpbf16ps %zmm
// ASM-NOT:     zmm{{[0-9]+}}, {{-?[0-9]*}}(%rsp)
// ASM-NOT:     call
// ASM:         .size norm_swiglu
func.func @norm_swiglu(%x: memref<?x?xf32>, %norm: memref<?xbf16>,
                       %w: memref<?x?x64xbf16>, %y: memref<?x?xbf16>,
                       %scratch: memref<?x?xbf16>, %begin: index, %end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %epsilon = arith.constant 1.0e-5 : f32
  %tokens = memref.dim %x, %c0 : memref<?x?xf32>
  %depth = memref.dim %x, %c1 : memref<?x?xf32>
  %pairs = arith.divui %depth, %c2 : index
  %depth_float = arith.index_cast %depth : index to i32
  %count = arith.sitofp %depth_float : i32 to f32

  // Prologue: every row once, whatever the number of panels.
  scf.for %t = %c0 to %tokens step %c1 {
    %squares = scf.for %k = %c0 to %depth step %c16 iter_args(%sum = %zero) -> vector<16xf32> {
      %element = vector.load %x[%t, %k] : memref<?x?xf32>, vector<16xf32>
      %next = vector.fma %element, %element, %sum : vector<16xf32>
      scf.yield %next : vector<16xf32>
    }
    %square = vector.reduction <add>, %squares : vector<16xf32> into f32
    %mean = arith.divf %square, %count : f32
    %shifted = arith.addf %mean, %epsilon : f32
    %factor = math.rsqrt %shifted : f32
    %factors = vector.broadcast %factor : f32 to vector<16xf32>
    scf.for %k = %c0 to %depth step %c16 {
      %element = vector.load %x[%t, %k] : memref<?x?xf32>, vector<16xf32>
      %scale = vector.load %norm[%k] : memref<?xbf16>, vector<16xbf16>
      %wide = arith.extf %scale : vector<16xbf16> to vector<16xf32>
      %normed = arith.mulf %element, %factors : vector<16xf32>
      %scaled = arith.mulf %normed, %wide : vector<16xf32>
      %rounded = arith.truncf %scaled : vector<16xf32> to vector<16xbf16>
      vector.store %rounded, %scratch[%t, %k] : memref<?x?xbf16>, vector<16xbf16>
    }
  }

  %last = arith.subi %tokens, %c1 : index
  scf.for %panel = %begin to %end step %c1 {
    %column = arith.muli %panel, %c16 : index
    scf.for %t0 = %c0 to %tokens step %c4 {
      // Rows past the end repeat the last one: the same bits are stored again.
      %r1 = arith.addi %t0, %c1 : index
      %r2 = arith.addi %t0, %c2 : index
      %r3 = arith.addi %t0, %c3 : index
      %t1 = arith.minui %r1, %last : index
      %t2 = arith.minui %r2, %last : index
      %t3 = arith.minui %r3, %last : index
      %sums:8 = scf.for %k = %c0 to %pairs step %c1
          iter_args(%g0 = %zero, %g1 = %zero, %g2 = %zero, %g3 = %zero,
                    %v0 = %zero, %v1 = %zero, %v2 = %zero, %v3 = %zero)
          -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>,
              vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
        %gates = vector.load %w[%panel, %k, %c0] : memref<?x?x64xbf16>, vector<32xbf16>
        %values = vector.load %w[%panel, %k, %c32] : memref<?x?x64xbf16>, vector<32xbf16>
        %a0 = func.call @pair(%scratch, %t0, %k) : (memref<?x?xbf16>, index, index) -> vector<32xbf16>
        %a1 = func.call @pair(%scratch, %t1, %k) : (memref<?x?xbf16>, index, index) -> vector<32xbf16>
        %a2 = func.call @pair(%scratch, %t2, %k) : (memref<?x?xbf16>, index, index) -> vector<32xbf16>
        %a3 = func.call @pair(%scratch, %t3, %k) : (memref<?x?xbf16>, index, index) -> vector<32xbf16>
        %h0 = x86vector.avx512.dot %g0, %gates, %a0 : vector<32xbf16> -> vector<16xf32>
        %h1 = x86vector.avx512.dot %g1, %gates, %a1 : vector<32xbf16> -> vector<16xf32>
        %h2 = x86vector.avx512.dot %g2, %gates, %a2 : vector<32xbf16> -> vector<16xf32>
        %h3 = x86vector.avx512.dot %g3, %gates, %a3 : vector<32xbf16> -> vector<16xf32>
        %u0 = x86vector.avx512.dot %v0, %values, %a0 : vector<32xbf16> -> vector<16xf32>
        %u1 = x86vector.avx512.dot %v1, %values, %a1 : vector<32xbf16> -> vector<16xf32>
        %u2 = x86vector.avx512.dot %v2, %values, %a2 : vector<32xbf16> -> vector<16xf32>
        %u3 = x86vector.avx512.dot %v3, %values, %a3 : vector<32xbf16> -> vector<16xf32>
        scf.yield %h0, %h1, %h2, %h3, %u0, %u1, %u2, %u3
          : vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>,
            vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
      }
      func.call @gated(%sums#0, %sums#4, %y, %t0, %column)
        : (vector<16xf32>, vector<16xf32>, memref<?x?xbf16>, index, index) -> ()
      func.call @gated(%sums#1, %sums#5, %y, %t1, %column)
        : (vector<16xf32>, vector<16xf32>, memref<?x?xbf16>, index, index) -> ()
      func.call @gated(%sums#2, %sums#6, %y, %t2, %column)
        : (vector<16xf32>, vector<16xf32>, memref<?x?xbf16>, index, index) -> ()
      func.call @gated(%sums#3, %sums#7, %y, %t3, %column)
        : (vector<16xf32>, vector<16xf32>, memref<?x?xbf16>, index, index) -> ()
    }
  }
  return
}

// The operands 2k and 2k + 1 of a row, in every lane.
func.func private @pair(%scratch: memref<?x?xbf16>, %t: index, %k: index) -> vector<32xbf16> {
  %c2 = arith.constant 2 : index
  %first = arith.muli %k, %c2 : index
  %two = vector.load %scratch[%t, %first] : memref<?x?xbf16>, vector<2xbf16>
  %word = vector.bitcast %two : vector<2xbf16> to vector<1xi32>
  %words = vector.broadcast %word : vector<1xi32> to vector<16xi32>
  %pairs = vector.bitcast %words : vector<16xi32> to vector<32xbf16>
  return %pairs : vector<32xbf16>
}

// Epilogue: silu(gate) * value, rounded once.
func.func private @gated(%gate: vector<16xf32>, %value: vector<16xf32>,
                         %y: memref<?x?xbf16>, %t: index, %column: index) {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %negated = arith.negf %gate : vector<16xf32>
  %power = func.call @exp(%negated) : (vector<16xf32>) -> vector<16xf32>
  %divisor = arith.addf %power, %one : vector<16xf32>
  %silu = arith.divf %gate, %divisor : vector<16xf32>
  %product = arith.mulf %silu, %value : vector<16xf32>
  %rounded = arith.truncf %product : vector<16xf32> to vector<16xbf16>
  vector.store %rounded, %y[%t, %column] : memref<?x?xbf16>, vector<16xbf16>
  return
}

// T = 5, K = 64, N = 64 (32 gates, 32 values), with the numbers of expected.py.
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %x = memref.alloc(%c5, %c64) : memref<?x?xf32>
  %norm = memref.alloc(%c64) : memref<?xbf16>
  %w = memref.alloc(%c2, %c32) : memref<?x?x64xbf16>
  %y = memref.alloc(%c5, %c32) : memref<?x?xbf16>
  %scratch = memref.alloc(%c5, %c64) : memref<?x?xbf16>
  %s31 = arith.constant 31 : index
  %s7 = arith.constant 7 : index
  %m17 = arith.constant 17 : index
  %quarter = arith.constant 0.25 : f32
  scf.for %t = %c0 to %c5 step %c1 {
    scf.for %k = %c0 to %c64 step %c1 {
      %v = func.call @number(%t, %k, %s31, %s7, %m17, %quarter)
        : (index, index, index, index, index, f32) -> f32
      memref.store %v, %x[%t, %k] : memref<?x?xf32>
    }
  }
  %eighth = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  scf.for %k = %c0 to %c64 step %c1 {
    %v = func.call @number(%c0, %k, %c1, %c1, %c5, %eighth)
      : (index, index, index, index, index, f32) -> f32
    %shifted = arith.addf %v, %one : f32
    %rounded = arith.truncf %shifted : f32 to bf16
    memref.store %rounded, %norm[%k] : memref<?xbf16>
  }
  // Row n of the weight is column n mod 32 of the 32 gates, then of the values.
  %s13 = arith.constant 13 : index
  %m23 = arith.constant 23 : index
  %small = arith.constant 0.03125 : f32
  scf.for %n = %c0 to %c64 step %c1 {
    %is_value = arith.divui %n, %c32 : index
    %unit = arith.remui %n, %c32 : index
    %panel = arith.divui %unit, %c16 : index
    %in_panel = arith.remui %unit, %c16 : index
    %half = arith.muli %is_value, %c16 : index
    %column = arith.addi %half, %in_panel : index
    %double = arith.muli %column, %c2 : index
    scf.for %k = %c0 to %c64 step %c1 {
      %v = func.call @number(%n, %k, %s13, %c5, %m23, %small)
        : (index, index, index, index, index, f32) -> f32
      %rounded = arith.truncf %v : f32 to bf16
      %pair = arith.divui %k, %c2 : index
      %odd = arith.remui %k, %c2 : index
      %place = arith.addi %double, %odd : index
      memref.store %rounded, %w[%panel, %pair, %place] : memref<?x?x64xbf16>
    }
  }
  // One panel at a time, as two threads would.
  call @norm_swiglu(%x, %norm, %w, %y, %scratch, %c1, %c2)
    : (memref<?x?xf32>, memref<?xbf16>, memref<?x?x64xbf16>, memref<?x?xbf16>,
       memref<?x?xbf16>, index, index) -> ()
  call @norm_swiglu(%x, %norm, %w, %y, %scratch, %c0, %c1)
    : (memref<?x?xf32>, memref<?xbf16>, memref<?x?x64xbf16>, memref<?x?xbf16>,
       memref<?x?xbf16>, index, index) -> ()
  scf.for %t = %c0 to %c5 step %c1 {
    scf.for %n = %c0 to %c32 step %c1 {
      %v = memref.load %y[%t, %n] : memref<?x?xbf16>
      %wide = arith.extf %v : bf16 to f32
      vector.print %wide : f32
    }
  }
  memref.dealloc %x : memref<?x?xf32>
  memref.dealloc %norm : memref<?xbf16>
  memref.dealloc %w : memref<?x?x64xbf16>
  memref.dealloc %y : memref<?x?xbf16>
  memref.dealloc %scratch : memref<?x?xbf16>
  return
}
