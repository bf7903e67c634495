// One `kernel.attention` by hand on x86: decoding over a paged cache with an online
// softmax, one query row at a time, page by page. The layout is that of
// #kernel.cache<page_tokens = 16, heads = 2, key_size = 32, value_size = 32,
// element = bf16>: scores are a vector across the 16 keys of a page.
// RUN: cat %s %S/Inputs/shared.mlir | tcc-opt %to-x86 -o %t
// RUN: %to-assembly | FileCheck %s --check-prefix=ASM
// RUN: %if avx512bf16 %{ %run %t | %python %S/Inputs/expected.py attention %}

// ASM-LABEL: {{^}}attention:
// ASM-NOT:     call
// ASM:         vcvtneps2bf16
// ASM-NOT:     call
// ASM:         vdpbf16ps {{.*}}(%r{{.*}}){1to16}, %zmm
// ASM-NOT:     call
// The largest score of a page takes four steps, not fifteen.
// ASM:         vmaxps %ymm
// ASM-NEXT:    {{vshuf|vextract|vperm}}
// ASM-NEXT:    vmaxps
// ASM-NOT:     call
// The loop over the keys of a page: values are widened by a shift, and weighted in f32.
// ASM:         vpslld %xmm{{[0-9]+}}, {{.*}}, %zmm
// ASM:         vpand{{[dq]}}
// ASM:         vfmadd{{.*}}, %zmm
// ASM-NOT:     {{call|zmm[0-9]+, -?[0-9]*\(%rsp\)}}
// ASM:         .size attention
func.func @attention(%query: memref<?x?x32xbf16>, %positions: memref<?xi32>,
                     %sequences: memref<?xi32>, %page_table: memref<?x?xi32>,
                     %pages: memref<?xi8>, %y: memref<?x?xbf16>,
                     %scratch: memref<16xf32>, %begin: index, %end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %page_bytes = arith.constant 4096 : index
  %value_bytes = arith.constant 2048 : index
  %head_bytes = arith.constant 1024 : index
  %scale = arith.constant dense<0.25> : vector<16xf32>
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %minus_infinity = arith.constant dense<0xff800000> : vector<16xf32>
  %no_maximum = arith.constant 0xff800000 : f32
  %high_half = arith.constant dense<0xffff0000> : vector<16xi32>
  %tokens = memref.dim %query, %c0 : memref<?x?x32xbf16>

  // Tile g * T + t is key/value head g of token t.
  scf.for %tile = %begin to %end step %c1 {
    %g = arith.divui %tile, %tokens : index
    %t = arith.remui %tile, %tokens : index
    %position32 = memref.load %positions[%t] : memref<?xi32>
    %position = arith.index_cast %position32 : i32 to index
    %sequence32 = memref.load %sequences[%t] : memref<?xi32>
    %sequence = arith.index_cast %sequence32 : i32 to index
    %keys = arith.addi %position, %c1 : index
    %page_count = arith.ceildivui %keys, %c16 : index
    %first_head = arith.muli %g, %c2 : index
    %end_head = arith.addi %first_head, %c2 : index
    %key_head = arith.muli %g, %head_bytes : index
    %value_head = arith.addi %key_head, %value_bytes : index

    scf.for %h = %first_head to %end_head step %c1 {
      %state:4 = scf.for %p = %c0 to %page_count step %c1
          iter_args(%maximum = %no_maximum, %sum = %zero, %o0 = %zero, %o1 = %zero)
          -> (f32, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
        %number = memref.load %page_table[%sequence, %p] : memref<?x?xi32>
        %page = arith.index_cast %number : i32 to index
        %place = arith.muli %page, %page_bytes : index
        %key_place = arith.addi %place, %key_head : index
        %value_place = arith.addi %place, %value_head : index
        %key = memref.view %pages[%key_place][] : memref<?xi8> to memref<16x32xbf16>
        %value = memref.view %pages[%value_place][] : memref<?xi8> to memref<8x32xi32>

        %dots = scf.for %pair = %c0 to %c16 step %c1 iter_args(%acc = %zero) -> vector<16xf32> {
          %d = arith.muli %pair, %c2 : index
          %two = vector.load %query[%t, %h, %d] : memref<?x?x32xbf16>, vector<2xbf16>
          %word = vector.bitcast %two : vector<2xbf16> to vector<1xi32>
          %words = vector.broadcast %word : vector<1xi32> to vector<16xi32>
          %q = vector.bitcast %words : vector<16xi32> to vector<32xbf16>
          %k = vector.load %key[%pair, %c0] : memref<16x32xbf16>, vector<32xbf16>
          %next = x86vector.avx512.dot %acc, %k, %q : vector<32xbf16> -> vector<16xf32>
          scf.yield %next : vector<16xf32>
        }

        // Positions after the query's were never written: whatever lies there
        // must reach neither the maximum nor the sums.
        %before = arith.muli %p, %c16 : index
        %left = arith.subi %keys, %before : index
        %valid = arith.minui %left, %c16 : index
        %valid_lanes = vector.create_mask %valid : vector<16xi1>
        %scaled = arith.mulf %dots, %scale : vector<16xf32>
        %scores = arith.select %valid_lanes, %scaled, %minus_infinity : vector<16xi1>, vector<16xf32>
        %page_maximum = func.call @largest(%scores) : (vector<16xf32>) -> f32
        %higher = arith.cmpf ogt, %maximum, %page_maximum : f32
        %new_maximum = arith.select %higher, %maximum, %page_maximum : f32
        %maxima = vector.broadcast %new_maximum : f32 to vector<16xf32>
        %distances = arith.subf %scores, %maxima : vector<16xf32>
        %powers = func.call @exp(%distances) : (vector<16xf32>) -> vector<16xf32>
        %weights = arith.select %valid_lanes, %powers, %zero : vector<16xi1>, vector<16xf32>
        %old_maxima = vector.broadcast %maximum : f32 to vector<16xf32>
        %shift = arith.subf %old_maxima, %maxima : vector<16xf32>
        %factor = func.call @exp(%shift) : (vector<16xf32>) -> vector<16xf32>
        %new_sum = vector.fma %sum, %factor, %weights : vector<16xf32>

        vector.store %weights, %scratch[%c0] : memref<16xf32>, vector<16xf32>
        %old_o0 = arith.mulf %o0, %factor : vector<16xf32>
        %old_o1 = arith.mulf %o1, %factor : vector<16xf32>
        %new_o:2 = scf.for %s = %c0 to %valid step %c1
            iter_args(%a0 = %old_o0, %a1 = %old_o1) -> (vector<16xf32>, vector<16xf32>) {
          %weight = memref.load %scratch[%s] : memref<16xf32>
          %factors = vector.broadcast %weight : f32 to vector<16xf32>
          // Pairs of positions: the even one is the low half of a word.
          %row = arith.divui %s, %c2 : index
          %odd = arith.remui %s, %c2 : index
          %even = arith.subi %c1, %odd : index
          %bits = arith.muli %even, %c16 : index
          %bits32 = arith.index_cast %bits : index to i32
          %shifts = vector.broadcast %bits32 : i32 to vector<16xi32>
          %w0 = vector.load %value[%row, %c0] : memref<8x32xi32>, vector<16xi32>
          %w1 = vector.load %value[%row, %c16] : memref<8x32xi32>, vector<16xi32>
          %s0 = arith.shli %w0, %shifts : vector<16xi32>
          %s1 = arith.shli %w1, %shifts : vector<16xi32>
          %h0 = arith.andi %s0, %high_half : vector<16xi32>
          %h1 = arith.andi %s1, %high_half : vector<16xi32>
          %v0 = vector.bitcast %h0 : vector<16xi32> to vector<16xf32>
          %v1 = vector.bitcast %h1 : vector<16xi32> to vector<16xf32>
          %b0 = vector.fma %factors, %v0, %a0 : vector<16xf32>
          %b1 = vector.fma %factors, %v1, %a1 : vector<16xf32>
          scf.yield %b0, %b1 : vector<16xf32>, vector<16xf32>
        }
        scf.yield %new_maximum, %new_sum, %new_o#0, %new_o#1
          : f32, vector<16xf32>, vector<16xf32>, vector<16xf32>
      }
      %total = vector.reduction <add>, %state#1 : vector<16xf32> into f32
      %totals = vector.broadcast %total : f32 to vector<16xf32>
      %r0 = arith.divf %state#2, %totals : vector<16xf32>
      %r1 = arith.divf %state#3, %totals : vector<16xf32>
      %b0 = arith.truncf %r0 : vector<16xf32> to vector<16xbf16>
      %b1 = arith.truncf %r1 : vector<16xf32> to vector<16xbf16>
      %column0 = arith.muli %h, %c32 : index
      %column1 = arith.addi %column0, %c16 : index
      vector.store %b0, %y[%t, %column0] : memref<?x?xbf16>, vector<16xbf16>
      vector.store %b1, %y[%t, %column1] : memref<?x?xbf16>, vector<16xbf16>
    }
  }
  return
}

// Three sequences that decode their positions 20, 15 and 0, with pages in no
// order: a page and a part, exactly one page, one key. What was never written is NaN.
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %c7 = arith.constant 7 : index
  %c11 = arith.constant 11 : index
  %c13 = arith.constant 13 : index
  %c16 = arith.constant 16 : index
  %c19 = arith.constant 19 : index
  %c29 = arith.constant 29 : index
  %c31 = arith.constant 31 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %page_bytes = arith.constant 4096 : index
  %cache_bytes = arith.constant 20480 : index
  %sixteenth = arith.constant 0.0625 : f32
  %eighth = arith.constant 0.125 : f32
  %nan_byte = arith.constant 0xff : i8
  %query = memref.alloc(%c3, %c4) : memref<?x?x32xbf16>
  %positions = memref.alloc(%c3) : memref<?xi32>
  %sequences = memref.alloc(%c3) : memref<?xi32>
  %page_table = memref.alloc(%c3, %c2) : memref<?x?xi32>
  %pages = memref.alloc(%cache_bytes) : memref<?xi8>
  %y = memref.alloc(%c3, %c128) : memref<?x?xbf16>
  %scratch = memref.alloc() : memref<16xf32>
  %position0 = arith.constant 20 : i32
  %position1 = arith.constant 15 : i32
  %position2 = arith.constant 0 : i32
  memref.store %position0, %positions[%c0] : memref<?xi32>
  memref.store %position1, %positions[%c1] : memref<?xi32>
  memref.store %position2, %positions[%c2] : memref<?xi32>
  scf.for %b = %c0 to %c3 step %c1 {
    %sequence = arith.index_cast %b : index to i32
    memref.store %sequence, %sequences[%b] : memref<?xi32>
    // Pages 4, 3; 2, 1; 0, 4. The second one of the last two is not read.
    scf.for %p = %c0 to %c2 step %c1 {
      %first = arith.muli %b, %c2 : index
      %place = arith.addi %first, %p : index
      %step = arith.muli %place, %c4 : index
      %turned = arith.addi %step, %c4 : index
      %number = arith.remui %turned, %c5 : index
      %page = arith.index_cast %number : index to i32
      memref.store %page, %page_table[%b, %p] : memref<?x?xi32>
    }
    scf.for %h = %c0 to %c4 step %c1 {
      %row0 = arith.muli %b, %c4 : index
      %row = arith.addi %row0, %h : index
      scf.for %d = %c0 to %c32 step %c1 {
        %q = func.call @number(%row, %d, %c11, %c3, %c19, %eighth)
          : (index, index, index, index, index, f32) -> f32
        %rounded = arith.truncf %q : f32 to bf16
        memref.store %rounded, %query[%b, %h, %d] : memref<?x?x32xbf16>
      }
    }
  }
  scf.for %i = %c0 to %cache_bytes step %c1 {
    memref.store %nan_byte, %pages[%i] : memref<?xi8>
  }
  %halves = memref.view %pages[%c0][] : memref<?xi8> to memref<5x2x2x8x32x2xbf16>
  scf.for %b = %c0 to %c3 step %c1 {
    %position32 = memref.load %positions[%b] : memref<?xi32>
    %position = arith.index_cast %position32 : i32 to index
    %keys = arith.addi %position, %c1 : index
    scf.for %s = %c0 to %keys step %c1 {
      %p = arith.divui %s, %c16 : index
      %in_page = arith.remui %s, %c16 : index
      %number = memref.load %page_table[%b, %p] : memref<?x?xi32>
      %page = arith.index_cast %number : i32 to index
      scf.for %g = %c0 to %c2 step %c1 {
        %row0 = arith.muli %b, %c2 : index
        %row1 = arith.addi %row0, %g : index
        %row2 = arith.muli %row1, %c32 : index
        %row = arith.addi %row2, %s : index
        scf.for %d = %c0 to %c32 step %c1 {
          %k = func.call @number(%row, %d, %c5, %c7, %c29, %sixteenth)
            : (index, index, index, index, index, f32) -> f32
          %k16 = arith.truncf %k : f32 to bf16
          // Keys are [D/2][P][2]: as [8][32][2], pair d/2 begins at 16 (d/2).
          %pair = arith.divui %d, %c2 : index
          %odd = arith.remui %d, %c2 : index
          %line0 = arith.divui %pair, %c2 : index
          %line1 = arith.remui %pair, %c2 : index
          %line2 = arith.muli %line1, %c16 : index
          %column = arith.addi %line2, %in_page : index
          memref.store %k16, %halves[%page, %c0, %g, %line0, %column, %odd] : memref<5x2x2x8x32x2xbf16>
          %v = func.call @number(%row, %d, %c3, %c13, %c31, %sixteenth)
            : (index, index, index, index, index, f32) -> f32
          %v16 = arith.truncf %v : f32 to bf16
          %s_pair = arith.divui %in_page, %c2 : index
          %s_odd = arith.remui %in_page, %c2 : index
          memref.store %v16, %halves[%page, %c1, %g, %s_pair, %d, %s_odd] : memref<5x2x2x8x32x2xbf16>
        }
      }
    }
  }
  // The tiles in two ranges, as two threads would.
  call @attention(%query, %positions, %sequences, %page_table, %pages, %y, %scratch, %c4, %c6)
    : (memref<?x?x32xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
       memref<?xi8>, memref<?x?xbf16>, memref<16xf32>, index, index) -> ()
  call @attention(%query, %positions, %sequences, %page_table, %pages, %y, %scratch, %c0, %c4)
    : (memref<?x?x32xbf16>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
       memref<?xi8>, memref<?x?xbf16>, memref<16xf32>, index, index) -> ()
  scf.for %t = %c0 to %c3 step %c1 {
    scf.for %n = %c0 to %c128 step %c1 {
      %v = memref.load %y[%t, %n] : memref<?x?xbf16>
      %wide = arith.extf %v : bf16 to f32
      vector.print %wide : f32
    }
  }
  memref.dealloc %query : memref<?x?x32xbf16>
  memref.dealloc %positions : memref<?xi32>
  memref.dealloc %sequences : memref<?xi32>
  memref.dealloc %page_table : memref<?x?xi32>
  memref.dealloc %pages : memref<?xi8>
  memref.dealloc %y : memref<?x?xbf16>
  memref.dealloc %scratch : memref<16xf32>
  return
}
