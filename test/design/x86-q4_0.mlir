// A weight in q4_0 by hand on x86: a row times its panels, decoded as it is read. A panel is
// that of #kernel.packing<columns = 16>: for each block of 32 elements of K 16 scales in f16,
// then [4][16] words. Word i of a column has the elements 8i to 8i + 7 as nibbles, even ones
// in the low half: after a shift by 4j the pair 8i + 2j, 8i + 2j + 1 is at the bottom of both
// halves. The sum of q * a of a block is multiplied by its scale once.
// RUN: cat %s %S/Inputs/shared.mlir | tcc-opt %to-x86 -o %t
// RUN: %to-avx2 | FileCheck %s
// RUN: %run %t | %python %S/Inputs/expected.py q4_0

// CHECK-LABEL: {{^}}q4_0:
// CHECK-NOT:   call
// CHECK:       vpsrld {{.*}}, %ymm
// CHECK:       vcvtdq2ps {{.*}}, %ymm
// CHECK:       vfmadd{{.*}}ps {{.*}}, %ymm
// CHECK:       vcvtph2ps
// CHECK-NOT:   call
// CHECK:       .size q4_0
func.func @q4_0(%x: memref<?xf32>, %w: memref<?xi8>, %y: memref<?xf32>, %begin: index,
                %end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %block_bytes = arith.constant 288 : index
  %scale_bytes = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %eight = arith.constant dense<-8.0> : vector<16xf32>
  %nibble = arith.constant dense<15> : vector<16xi32>
  %sixteen = arith.constant dense<16> : vector<16xi32>
  %depth = memref.dim %x, %c0 : memref<?xf32>
  %blocks = arith.divui %depth, %c32 : index
  %panel_bytes = arith.muli %blocks, %block_bytes : index
  scf.for %panel = %begin to %end step %c1 {
    %panel_place = arith.muli %panel, %panel_bytes : index
    %sum = scf.for %block = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> vector<16xf32> {
      %block_place = arith.muli %block, %block_bytes : index
      %scales_place = arith.addi %panel_place, %block_place : index
      %words_place = arith.addi %scales_place, %scale_bytes : index
      %scales = memref.view %w[%scales_place][] : memref<?xi8> to memref<16xf16>
      %words = memref.view %w[%words_place][] : memref<?xi8> to memref<4x16xi32>
      %first = arith.muli %block, %c32 : index
      %parts:2 = scf.for %i = %c0 to %c4 step %c1
          iter_args(%products = %zero, %operands = %zero) -> (vector<16xf32>, vector<16xf32>) {
        %word = vector.load %words[%i, %c0] : memref<4x16xi32>, vector<16xi32>
        %eighth = arith.muli %i, %c8 : index
        %k0 = arith.addi %first, %eighth : index
        %inner:2 = scf.for %j = %c0 to %c4 step %c1
            iter_args(%p = %products, %o = %operands) -> (vector<16xf32>, vector<16xf32>) {
          %bits = arith.muli %j, %c4 : index
          %bits32 = arith.index_cast %bits : index to i32
          %shift = vector.broadcast %bits32 : i32 to vector<16xi32>
          %shifted = arith.shrui %word, %shift : vector<16xi32>
          %even = arith.andi %shifted, %nibble : vector<16xi32>
          %upper = arith.shrui %shifted, %sixteen : vector<16xi32>
          %odd = arith.andi %upper, %nibble : vector<16xi32>
          %q0 = arith.sitofp %even : vector<16xi32> to vector<16xf32>
          %q1 = arith.sitofp %odd : vector<16xi32> to vector<16xf32>
          %pair = arith.muli %j, %c2 : index
          %k = arith.addi %k0, %pair : index
          %next = arith.addi %k, %c1 : index
          %e0 = memref.load %x[%k] : memref<?xf32>
          %e1 = memref.load %x[%next] : memref<?xf32>
          %a0 = vector.broadcast %e0 : f32 to vector<16xf32>
          %a1 = vector.broadcast %e1 : f32 to vector<16xf32>
          %p0 = vector.fma %q0, %a0, %p : vector<16xf32>
          %p1 = vector.fma %q1, %a1, %p0 : vector<16xf32>
          %o0 = arith.addf %o, %a0 : vector<16xf32>
          %o1 = arith.addf %o0, %a1 : vector<16xf32>
          scf.yield %p1, %o1 : vector<16xf32>, vector<16xf32>
        }
        scf.yield %inner#0, %inner#1 : vector<16xf32>, vector<16xf32>
      }
      // Elements are q - 8: the sum of the operands is subtracted eight times.
      %centred = vector.fma %parts#1, %eight, %parts#0 : vector<16xf32>
      %narrow = vector.load %scales[%c0] : memref<16xf16>, vector<16xf16>
      %wide = arith.extf %narrow : vector<16xf16> to vector<16xf32>
      %next = vector.fma %centred, %wide, %acc : vector<16xf32>
      scf.yield %next : vector<16xf32>
    }
    %column = arith.muli %panel, %c16 : index
    vector.store %sum, %y[%column] : memref<?xf32>, vector<16xf32>
  }
  return
}

// K = 96, N = 24: the second panel has 8 columns that are missing and zero.
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %c11 = arith.constant 11 : index
  %c12 = arith.constant 12 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c24 = arith.constant 24 : index
  %c31 = arith.constant 31 : index
  %c32 = arith.constant 32 : index
  %c96 = arith.constant 96 : index
  %c288 = arith.constant 288 : index
  %c864 = arith.constant 864 : index
  %c1728 = arith.constant 1728 : index
  %quarter = arith.constant 0.25 : f32
  %unit = arith.constant 0.03125 : f32
  %zero_byte = arith.constant 0 : i8
  %x = memref.alloc(%c96) : memref<?xf32>
  %w = memref.alloc(%c1728) : memref<?xi8>
  %y = memref.alloc(%c32) : memref<?xf32>
  scf.for %i = %c0 to %c1728 step %c1 {
    memref.store %zero_byte, %w[%i] : memref<?xi8>
  }
  scf.for %k = %c0 to %c96 step %c1 {
    %v = func.call @number(%c0, %k, %c31, %c7, %c17, %quarter)
      : (index, index, index, index, index, f32) -> f32
    memref.store %v, %x[%k] : memref<?xf32>
  }
  scf.for %n = %c0 to %c24 step %c1 {
    %panel = arith.divui %n, %c16 : index
    %column = arith.remui %n, %c16 : index
    %panel_place = arith.muli %panel, %c864 : index
    scf.for %block = %c0 to %c3 step %c1 {
      %block_place = arith.muli %block, %c288 : index
      %scales_place = arith.addi %panel_place, %block_place : index
      %words_place = arith.addi %scales_place, %c32 : index
      %scales = memref.view %w[%scales_place][] : memref<?xi8> to memref<16xf16>
      %words = memref.view %w[%words_place][] : memref<?xi8> to memref<4x16xi32>
      %scale = func.call @number(%n, %block, %c3, %c7, %c11, %unit)
        : (index, index, index, index, index, f32) -> f32
      %narrow = arith.truncf %scale : f32 to f16
      memref.store %narrow, %scales[%column] : memref<16xf16>
      scf.for %e = %c0 to %c32 step %c1 {
        %first = arith.muli %block, %c32 : index
        %k = arith.addi %first, %e : index
        %a = arith.muli %n, %c5 : index
        %b = arith.muli %k, %c3 : index
        %ab = arith.addi %a, %b : index
        %q = arith.remui %ab, %c16 : index
        %q32 = arith.index_cast %q : index to i32
        // Element e: word e / 8, nibble (e mod 8) / 2 of the low or the high half.
        %i = arith.divui %e, %c8 : index
        %in_word = arith.remui %e, %c8 : index
        %pair = arith.divui %in_word, %c2 : index
        %odd = arith.remui %in_word, %c2 : index
        %low_bits = arith.muli %pair, %c4 : index
        %half_bits = arith.muli %odd, %c16 : index
        %bits = arith.addi %low_bits, %half_bits : index
        %bits32 = arith.index_cast %bits : index to i32
        %placed = arith.shli %q32, %bits32 : i32
        %old = memref.load %words[%i, %column] : memref<4x16xi32>
        %new = arith.ori %old, %placed : i32
        memref.store %new, %words[%i, %column] : memref<4x16xi32>
      }
    }
  }
  // One panel at a time, as two threads would.
  call @q4_0(%x, %w, %y, %c1, %c2) : (memref<?xf32>, memref<?xi8>, memref<?xf32>, index, index) -> ()
  call @q4_0(%x, %w, %y, %c0, %c1) : (memref<?xf32>, memref<?xi8>, memref<?xf32>, index, index) -> ()
  scf.for %n = %c0 to %c24 step %c1 {
    %v = memref.load %y[%n] : memref<?xf32>
    vector.print %v : f32
  }
  memref.dealloc %x : memref<?xf32>
  memref.dealloc %w : memref<?xi8>
  memref.dealloc %y : memref<?xf32>
  return
}
