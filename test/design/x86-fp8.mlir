// A weight in FP8 (e4m3) with a scale for each block of 128 by 128, by hand on x86. A panel is
// that of #kernel.packing<columns = 16>: for each 128 elements of K the 16 scales of its
// columns in f32, then [elements][16] bytes; the last block has what is left of K. Every
// column has its own scale, so that a panel may lie across the border of two blocks.
//
// An e4m3 without its sign is, shifted by 20, an f32 that is 2^120 too small; its subnormals
// become subnormals, so that they must not be flushed. 0x7f is no number and would become
// 480: whoever packs refuses it.
// RUN: cat %s %S/Inputs/shared.mlir | tcc-opt %to-x86 -o %t
// RUN: %to-avx2 | FileCheck %s
// RUN: %run %t | %python %S/Inputs/expected.py fp8

// CHECK-LABEL: {{^}}fp8:
// CHECK-NOT:   call
// CHECK:       vpmovzxb{{[wd]}} {{.*}}, %ymm
// CHECK:       vpslld $20, {{.*}}, %ymm
// CHECK:       vfmadd{{.*}}ps {{.*}}, %ymm
// CHECK-NOT:   call
// CHECK:       .size fp8
func.func @fp8(%x: memref<?xf32>, %w: memref<?xi8>, %y: memref<?xf32>, %begin: index,
               %end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c127 = arith.constant 127 : index
  %c128 = arith.constant 128 : index
  %scale_bytes = arith.constant 64 : index
  %block_bytes = arith.constant 2112 : index
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %magnitude_bits = arith.constant dense<127> : vector<16xi32>
  %sign_bit = arith.constant dense<128> : vector<16xi32>
  %twenty = arith.constant dense<20> : vector<16xi32>
  %twenty_four = arith.constant dense<24> : vector<16xi32>
  %two_to_120 = arith.constant dense<0x7b800000> : vector<16xf32>
  %depth = memref.dim %x, %c0 : memref<?xf32>
  %padded = arith.addi %depth, %c127 : index
  %blocks = arith.divui %padded, %c128 : index
  %all_scales = arith.muli %blocks, %scale_bytes : index
  %all_bytes = arith.muli %depth, %c16 : index
  %panel_bytes = arith.addi %all_scales, %all_bytes : index
  scf.for %panel = %begin to %end step %c1 {
    %panel_place = arith.muli %panel, %panel_bytes : index
    %sum = scf.for %block = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> vector<16xf32> {
      %first = arith.muli %block, %c128 : index
      %left = arith.subi %depth, %first : index
      %elements = arith.minui %left, %c128 : index
      %block_place = arith.muli %block, %block_bytes : index
      %scales_place = arith.addi %panel_place, %block_place : index
      %bytes_place = arith.addi %scales_place, %scale_bytes : index
      %scales = memref.view %w[%scales_place][] : memref<?xi8> to memref<16xf32>
      %bytes = memref.view %w[%bytes_place][%elements] : memref<?xi8> to memref<?x16xi8>
      %part = scf.for %i = %c0 to %elements step %c1 iter_args(%p = %zero) -> vector<16xf32> {
        %codes = vector.load %bytes[%i, %c0] : memref<?x16xi8>, vector<16xi8>
        %wide = arith.extui %codes : vector<16xi8> to vector<16xi32>
        %magnitude = arith.andi %wide, %magnitude_bits : vector<16xi32>
        %sign = arith.andi %wide, %sign_bit : vector<16xi32>
        %low = arith.shli %magnitude, %twenty : vector<16xi32>
        %high = arith.shli %sign, %twenty_four : vector<16xi32>
        %bits = arith.ori %low, %high : vector<16xi32>
        %small = vector.bitcast %bits : vector<16xi32> to vector<16xf32>
        %q = arith.mulf %small, %two_to_120 : vector<16xf32>
        %k = arith.addi %first, %i : index
        %element = memref.load %x[%k] : memref<?xf32>
        %a = vector.broadcast %element : f32 to vector<16xf32>
        %next = vector.fma %q, %a, %p : vector<16xf32>
        scf.yield %next : vector<16xf32>
      }
      %scale = vector.load %scales[%c0] : memref<16xf32>, vector<16xf32>
      %next = vector.fma %part, %scale, %acc : vector<16xf32>
      scf.yield %next : vector<16xf32>
    }
    %column = arith.muli %panel, %c16 : index
    vector.store %sum, %y[%column] : memref<?xf32>, vector<16xf32>
  }
  return
}

// N = K = 160: two blocks of 128 and 32 in both directions, ten panels of 16.
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c7 = arith.constant 7 : index
  %c10 = arith.constant 10 : index
  %c13 = arith.constant 13 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c31 = arith.constant 31 : index
  %c64 = arith.constant 64 : index
  %c127 = arith.constant 127 : index
  %c128 = arith.constant 128 : index
  %c160 = arith.constant 160 : index
  %c256 = arith.constant 256 : index
  %c2112 = arith.constant 2112 : index
  %c2688 = arith.constant 2688 : index
  %c26880 = arith.constant 26880 : index
  %quarter = arith.constant 0.25 : f32
  %unit = arith.constant 0.0009765625 : f32
  %x = memref.alloc(%c160) : memref<?xf32>
  %w = memref.alloc(%c26880) : memref<?xi8>
  %y = memref.alloc(%c160) : memref<?xf32>
  scf.for %k = %c0 to %c160 step %c1 {
    %v = func.call @number(%c0, %k, %c31, %c7, %c17, %quarter)
      : (index, index, index, index, index, f32) -> f32
    memref.store %v, %x[%k] : memref<?xf32>
  }
  scf.for %n = %c0 to %c160 step %c1 {
    %panel = arith.divui %n, %c16 : index
    %column = arith.remui %n, %c16 : index
    %panel_place = arith.muli %panel, %c2688 : index
    %n_block = arith.divui %n, %c128 : index
    scf.for %k = %c0 to %c160 step %c1 {
      %block = arith.divui %k, %c128 : index
      %i = arith.remui %k, %c128 : index
      %block_place = arith.muli %block, %c2112 : index
      %scales_place = arith.addi %panel_place, %block_place : index
      %bytes_place = arith.addi %scales_place, %c64 : index
      %scales = memref.view %w[%scales_place][] : memref<?xi8> to memref<16xf32>
      %twice = arith.muli %n_block, %c2 : index
      %both = arith.addi %twice, %block : index
      %steps = arith.addi %both, %c1 : index
      %steps32 = arith.index_cast %steps : index to i32
      %float = arith.sitofp %steps32 : i32 to f32
      %scale = arith.mulf %float, %unit : f32
      memref.store %scale, %scales[%column] : memref<16xf32>
      %a = arith.muli %n, %c7 : index
      %b = arith.muli %k, %c13 : index
      %ab = arith.addi %a, %b : index
      %raw = arith.remui %ab, %c256 : index
      %rest = arith.remui %raw, %c128 : index
      %is_nan = arith.cmpi eq, %rest, %c127 : index
      %code = arith.select %is_nan, %c1, %raw : index
      %byte = arith.index_cast %code : index to i8
      %line = arith.muli %i, %c16 : index
      %in_block = arith.addi %line, %column : index
      %place = arith.addi %bytes_place, %in_block : index
      memref.store %byte, %w[%place] : memref<?xi8>
    }
  }
  call @fp8(%x, %w, %y, %c3, %c10) : (memref<?xf32>, memref<?xi8>, memref<?xf32>, index, index) -> ()
  call @fp8(%x, %w, %y, %c0, %c3) : (memref<?xf32>, memref<?xi8>, memref<?xf32>, index, index) -> ()
  scf.for %n = %c0 to %c160 step %c1 {
    %v = memref.load %y[%n] : memref<?xf32>
    vector.print %v : f32
  }
  memref.dealloc %x : memref<?xf32>
  memref.dealloc %w : memref<?xi8>
  memref.dealloc %y : memref<?xf32>
  return
}
