// One case for each constraint of each op, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

//===----------------------------------------------------------------------===//
// embedding
//===----------------------------------------------------------------------===//

func.func @embedding_c1_tokens_rank(%tokens: memref<?x2xi32>, %table: memref<20x12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a row of a static table for each token, got 'memref<?x2xi32>' and 'memref<20x12xf32>' into 'memref<?x12xf32>'}}
  kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : memref<?x2xi32>, memref<20x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @embedding_c1_dynamic_table(%tokens: memref<?xi32>, %table: memref<?x12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a row of a static table for each token, got 'memref<?xi32>' and 'memref<?x12xf32>' into 'memref<?x12xf32>'}}
  kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : memref<?xi32>, memref<?x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @embedding_c1_table_rank(%tokens: memref<?xi32>, %table: memref<12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a row of a static table for each token, got 'memref<?xi32>' and 'memref<12xf32>' into 'memref<?x12xf32>'}}
  kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : memref<?xi32>, memref<12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @embedding_c1_columns(%tokens: memref<?xi32>, %table: memref<20x12xf32>, %y: memref<?x13xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a row of a static table for each token, got 'memref<?xi32>' and 'memref<20x12xf32>' into 'memref<?x13xf32>'}}
  kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : memref<?xi32>, memref<20x12xf32>, memref<?x13xf32>
  return
}

// -----

func.func @embedding_c1_rows(%tokens: memref<3xi32>, %table: memref<20x12xf32>, %y: memref<4x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a row of a static table for each token, got 'memref<3xi32>' and 'memref<20x12xf32>' into 'memref<4x12xf32>'}}
  kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : memref<3xi32>, memref<20x12xf32>, memref<4x12xf32>
  return
}

// -----

func.func @embedding_c2_paired_rows(%tokens: memref<?xi32>, %table: memref<20x12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a packing that is not paired, got #kernel.row_packing<pair_rows = 8>}}
  kernel.embedding %tokens, %table into %y packing(#kernel.row_packing<pair_rows = 8>)
    : memref<?xi32>, memref<20x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @embedding_c2_paired(%tokens: memref<?xi32>, %table: memref<20x12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a packing that is not paired, got #kernel.packing<columns = 32, paired = true>}}
  kernel.embedding %tokens, %table into %y packing(<columns = 32, paired = true>)
    : memref<?xi32>, memref<20x12xf32>, memref<?x12xf32>
  return
}

// -----

func.func @embedding_c3_scales(%tokens: tensor<?xi32>, %table: tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, %y: tensor<?x12xf32>) {
  // expected-error@+1 {{'kernel.embedding' op expected a table without scales, got 'tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>'}}
  %x = kernel.embedding %tokens, %table into %y packing(<columns = 16>)
    : tensor<?xi32>, tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, tensor<?x12xf32> -> tensor<?x12xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c1_input_rank(%x: memref<?x1x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected shapes TxK, NxK and TxN, with N and K static and positive, got 'memref<?x1x12xf32>', 'memref<20x12xf32>' and 'memref<?x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x1x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c1_depth(%x: memref<?x13xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected shapes TxK, NxK and TxN, with N and K static and positive, got 'memref<?x13xf32>', 'memref<20x12xf32>' and 'memref<?x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x13xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c1_dynamic_weight(%x: memref<?x12xf32>, %w: memref<?x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected shapes TxK, NxK and TxN, with N and K static and positive, got 'memref<?x12xf32>', 'memref<?x12xf32>' and 'memref<?x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<?x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c1_empty_weight(%x: memref<?x0xf32>, %w: memref<20x0xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected shapes TxK, NxK and TxN, with N and K static and positive, got 'memref<?x0xf32>', 'memref<20x0xf32>' and 'memref<?x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x0xf32>, memref<20x0xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c2_columns(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x21xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a destination with the rows of the input and 20 columns, got 'memref<?x21xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x21xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c2_rows(%x: memref<3x12xf32>, %w: memref<20x12xf32>, %y: memref<4x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a destination with the rows of the input and 20 columns, got 'memref<4x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<3x12xf32>, memref<20x12xf32>, memref<4x20xf32>
  return
}

// -----

// Half of the rows of a paired weight become columns.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c2_paired_columns(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a destination with the rows of the input and 10 columns, got 'memref<?x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32, paired = true>) config(#config)
    epilogue {
    ^bb0(%gate: f32, %value: f32):
      kernel.yield %gate : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c3_prologue_operand(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %n: memref<20xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of the prologue to have 12 elements, got 'memref<20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    prologue (%n : memref<20xf32>) {
    ^bb0(%element: f32, %scale: f32):
      kernel.yield %element : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c3_epilogue_vector(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %b: memref<12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of the epilogue to have 20 elements or the shape of the destination, got 'memref<12xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    epilogue (%b : memref<12xf32>) {
    ^bb0(%sum: f32, %bias: f32):
      kernel.yield %sum : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c3_epilogue_matrix(%x: memref<3x12xf32>, %w: memref<20x12xf32>, %r: memref<4x20xf32>, %y: memref<3x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of the epilogue to have 20 elements or the shape of the destination, got 'memref<4x20xf32>'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    epilogue (%r : memref<4x20xf32>) {
    ^bb0(%sum: f32, %residual: f32):
      kernel.yield %sum : f32
    } : memref<3x12xf32>, memref<20x12xf32>, memref<3x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c4_block(%x: memref<?x48xf32>, %w: memref<20x48x!transformer.block<q8_0>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected K to be a multiple of the 32 elements of a block, got 48}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x48xf32>, memref<20x48x!transformer.block<q8_0>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c4_odd_scales(%x: memref<?x48xf32>, %w: memref<20x48x!transformer.scaled<f8E4M3FN, 4, 6>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a multiple of 4 elements of K, at most 128, to share a scale, got 6}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x48xf32>, memref<20x48x!transformer.scaled<f8E4M3FN, 4, 6>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c4_far_scales(%x: memref<?x48xf32>, %w: memref<20x48x!transformer.scaled<f8E4M3FN, 1, 256>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a multiple of 4 elements of K, at most 128, to share a scale, got 256}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x48xf32>, memref<20x48x!transformer.scaled<f8E4M3FN, 1, 256>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c4_odd_pairs(%x: memref<?x12xf32>, %w: memref<21x12xf32>, %y: memref<?x10xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected an even number of paired rows, got 21}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32, paired = true>) config(#config)
    epilogue {
    ^bb0(%gate: f32, %value: f32):
      kernel.yield %gate : f32
    } : memref<?x12xf32>, memref<21x12xf32>, memref<?x10xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c5_operand_type(%x: memref<?x12xf32>, %w: memref<20x12xbf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'f16' and a weight of 'bf16'}}
  kernel.linear %x, %w into %y operand(f16) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xbf16>, memref<?x20xf32>
  return
}

// -----

// bf16 has fewer digits than the weight.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c5_wide_weight(%x: memref<?x12xf32>, %w: memref<20x12xf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'bf16' and a weight of 'f16'}}
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xf16>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c9_f16_on_cpu(%x: memref<?x12xf32>, %w: memref<20x12xf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected no operands of type f16 on a CPU}}
  kernel.linear %x, %w into %y operand(f16) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xf16>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = integer, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c5_integers_without_blocks(%x: memref<?x12xf32>, %w: memref<20x12xbf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'i16' and a weight of 'bf16'}}
  kernel.linear %x, %w into %y operand(i16) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xbf16>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c5_fp8_without_scales(%x: memref<?x12xf32>, %w: memref<20x12xbf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'f8E4M3FN' and a weight of 'bf16'}}
  kernel.linear %x, %w into %y operand(f8E4M3FN) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xbf16>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c5_other_fp8(%x: memref<?x12xf32>, %w: memref<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'f8E5M2' and a weight of '!transformer.scaled<f8E4M3FN, 4, 4>'}}
  kernel.linear %x, %w into %y operand(f8E5M2) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c9_integers_by_fma(%x: memref<?x32xf32>, %w: memref<20x32x!transformer.block<q8_0>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type i16 if and only if the arithmetic is 'integer', got 'i16' and 'fma'}}
  kernel.linear %x, %w into %y operand(i16) packing(<columns = 16>) config(#config)
    : memref<?x32xf32>, memref<20x32x!transformer.block<q8_0>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = integer, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c9_floats_by_integers(%x: memref<?x32xf32>, %w: memref<20x32x!transformer.block<q8_0>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type i16 if and only if the arithmetic is 'integer', got 'bf16' and 'integer'}}
  kernel.linear %x, %w into %y operand(bf16) packing(<columns = 16>) config(#config)
    : memref<?x32xf32>, memref<20x32x!transformer.block<q8_0>>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c6_operand_without_prologue(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %n: memref<12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected no operands and no mean square without a prologue}}
  "kernel.linear"(%x, %w, %y, %n) <{configuration = #config, operand = f32,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>, packing = #kernel.packing<columns = 16>}> ({}, {})
    : (memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>, memref<12xf32>) -> ()
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c6_mean_without_prologue(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected no operands and no mean square without a prologue}}
  "kernel.linear"(%x, %w, %y) <{configuration = #config, mean_square, operand = f32,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, packing = #kernel.packing<columns = 16>}> ({}, {})
    : (memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>) -> ()
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c6_mean_is_an_argument(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %n: memref<12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected the prologue to take 3 values of type f32, got 2 arguments}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    prologue mean_square (%n : memref<12xf32>) {
    ^bb0(%element: f32, %scale: f32):
      kernel.yield %element : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

// bf16 operands reach the region as f32.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c6_argument_type(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %n: memref<12xbf16>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected the prologue to take 2 values of type f32, got 2 arguments of types 'f32', 'bf16'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    prologue (%n : memref<12xbf16>) {
    ^bb0(%element: f32, %scale: bf16):
      kernel.yield %element : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c7_operand_without_epilogue(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %b: memref<20xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected no operands and no pairs without an epilogue}}
  "kernel.linear"(%x, %w, %y, %b) <{configuration = #config, operand = f32,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>, packing = #kernel.packing<columns = 16>}> ({}, {})
    : (memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>, memref<20xf32>) -> ()
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c7_pairs_without_epilogue(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x10xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected no operands and no pairs without an epilogue}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32, paired = true>) config(#config)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x10xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c7_one_sum_of_two(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x10xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected the epilogue to take 2 values of type f32, got 1 arguments}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32, paired = true>) config(#config)
    epilogue {
    ^bb0(%sum: f32):
      kernel.yield %sum : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x10xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c8_other_op(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected only scalar ops of arith and math in its regions, got 'llvm.mlir.poison'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    epilogue {
    ^bb0(%sum: f32):
      %z = llvm.mlir.poison : f32
      kernel.yield %z : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c8_vector(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected only scalar ops of arith and math in its regions, got 'arith.constant'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    prologue {
    ^bb0(%element: f32):
      %z = arith.constant dense<1.0> : vector<4xf32>
      kernel.yield %element : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c8_terminator(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected regions to end with 'kernel.yield', got 'llvm.unreachable'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    epilogue {
    ^bb0(%sum: f32):
      llvm.unreachable
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c8_no_terminator(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected regions to end with 'kernel.yield', got 'arith.negf'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    epilogue {
    ^bb0(%sum: f32):
      %z = arith.negf %sum : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 48, block_rows = 6, block_depth = 512>
func.func @linear_c9_tile_columns(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected tile_columns to divide the columns of the packing, got 48 and 64}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 64>) config(#config)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

func.func @linear_c9_rows_of_panels(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a packing in rows, got #kernel.packing<columns = 32>}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 32>)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 24, threads = 64>)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

func.func @linear_c9_pairs_of_a_tile(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x10xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected tile_columns to be a multiple of twice pair_rows, got 24 and 8}}
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing<pair_rows = 8>)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 24, threads = 64>)
    epilogue {
    ^bb0(%gate: f32, %value: f32):
      kernel.yield %gate : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x10xf32>
  return
}

// -----

func.func @linear_c9_scales_in_rows(%x: memref<?x12xf32>, %w: tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a weight in rows to be one matrix without scales, got 'tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>'}}
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 24, threads = 64>)
    : memref<?x12xf32>, tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>, memref<?x20xf32>
  return
}

// -----

func.func @linear_c9_integers_on_a_gpu(%x: memref<?x32xf32>, %w: tensor<20x32x!transformer.block<q8_0>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type f32, f16 or bf16 on a GPU, got 'i16'}}
  kernel.linear %x, %w into %y operand(i16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = simt, tile_rows = 64, tile_columns = 24, threads = 64>)
    : memref<?x32xf32>, tensor<20x32x!transformer.block<q8_0>>, memref<?x20xf32>
  return
}

// -----

func.func @linear_c9_words_in_tensor_cores(%x: memref<?x32xf32>, %w: tensor<20x32x!transformer.block<q8_0>>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of 16 bits of kind 'wgmma', got 'f32'}}
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 64, tile_columns = 24, threads = 64>)
    : memref<?x32xf32>, tensor<20x32x!transformer.block<q8_0>>, memref<?x20xf32>
  return
}

// -----

func.func @linear_c9_panels_of_rows(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x10xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected a packing in panels, got #kernel.row_packing<pair_rows = 8>}}
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing<pair_rows = 8>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 16, block_rows = 6, block_depth = 512>)
    epilogue {
    ^bb0(%gate: f32, %value: f32):
      kernel.yield %gate : f32
    } : memref<?x12xf32>, memref<20x12xf32>, memref<?x10xf32>
  return
}

// -----

#config = #kernel.linear_config<arithmetic = dot, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
func.func @linear_c9_dot_of_f32(%x: memref<?x12xf32>, %w: memref<20x12xf32>, %y: memref<?x20xf32>) {
  // expected-error@+1 {{'kernel.linear' op expected operands of type bf16 for dot products, got 'f32'}}
  kernel.linear %x, %w into %y operand(f32) packing(<columns = 16>) config(#config)
    : memref<?x12xf32>, memref<20x12xf32>, memref<?x20xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rotary_table
//===----------------------------------------------------------------------===//

func.func @rotary_table_c1_positions(%positions: tensor<?x1xi32>) {
  // expected-error@+1 {{'kernel.rotary_table' op expected a row of 2 pairs for each position, got 'tensor<?x1xi32>' and 'tensor<?x2x2xf32>'}}
  %t = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0) : tensor<?x1xi32> -> tensor<?x2x2xf32>
  return
}

// -----

func.func @rotary_table_c1_pairs(%positions: tensor<?xi32>) {
  // expected-error@+1 {{'kernel.rotary_table' op expected a row of 2 pairs for each position, got 'tensor<?xi32>' and 'tensor<?x3x2xf32>'}}
  %t = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0) : tensor<?xi32> -> tensor<?x3x2xf32>
  return
}

// -----

func.func @rotary_table_c1_rows(%positions: tensor<4xi32>) {
  // expected-error@+1 {{'kernel.rotary_table' op expected a row of 2 pairs for each position, got 'tensor<4xi32>' and 'tensor<5x2x2xf32>'}}
  %t = kernel.rotary_table %positions frequencies([1.0, 0.01]) multiplier(1.0) : tensor<4xi32> -> tensor<5x2x2xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rotary_append: 4 query heads and 2 key heads of 4, 2 value heads of 6
//===----------------------------------------------------------------------===//

func.func @rotary_append_c1_no_inputs(%rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected one to three inputs, got 0}}
  "kernel.rotary_append"(%rotary, %p, %p, %t, %pages, %y)
    <{cache = #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>}>
    : (memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>) -> ()
  return
}

// -----

func.func @rotary_append_c1_four_inputs(%q: memref<?x8xf32>, %k: memref<?x8xf32>, %v: memref<?x12xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected one to three inputs, got 4}}
  kernel.rotary_append %q, %q, %k, %v rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x8xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<?x12xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @rotary_append_c1_rank(%q: memref<?x4x4xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected inputs of rank 2 that are whole heads, got 'memref<?x4x4xf32>'}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x4x4xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

// The first input ends within a query head.
func.func @rotary_append_c1_half_a_head(%a: memref<?x18xf32>, %b: memref<?x18xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected inputs of rank 2 that are whole heads, got 'memref<?x18xf32>'}}
  kernel.rotary_append %a, %b rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x18xf32>, memref<?x18xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

// The first input ends within a value head, at what would be the end of a key.
func.func @rotary_append_c1_half_a_value(%a: memref<?x28xf32>, %b: memref<?x8xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected inputs of rank 2 that are whole heads, got 'memref<?x28xf32>'}}
  kernel.rotary_append %a, %b rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x28xf32>, memref<?x8xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @rotary_append_c2_head_size(%q: memref<?x36xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x6xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected a destination TxHxD with heads of 4 elements, got 'memref<?x4x6xf32>'}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x36xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x6xf32>
  return
}

// -----

func.func @rotary_append_c2_rank(%q: memref<?x36xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x16xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected a destination TxHxD with heads of 4 elements, got 'memref<?x16xf32>'}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x36xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x16xf32>
  return
}

// -----

func.func @rotary_append_c2_columns(%q: memref<?x30xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected the columns of the inputs to add up to 36, got 30}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x30xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @rotary_append_c3_pairs(%q: memref<?x36xf32>, %rotary: memref<?x4x2xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected 2 pairs for each token, got 'memref<?x4x2xf32>'}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x36xf32>), memref<?x4x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

func.func @rotary_append_c4_page_table(%q: memref<?x36xf32>, %rotary: memref<?x2x2xf32>, %p: memref<?xi32>, %t: memref<?xi32>, %pages: memref<?xi8>, %y: memref<?x4x4xf32>) {
  // expected-error@+1 {{'kernel.rotary_append' op expected positions and sequences of rank 1 and a page table of rank 2, got 'memref<?xi32>', 'memref<?xi32>' and 'memref<?xi32>'}}
  kernel.rotary_append %q rotary(%rotary) at(%p, %p, %t) cache(%pages) into %y
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    : (memref<?x36xf32>), memref<?x2x2xf32>, memref<?xi32>, memref<?xi32>, memref<?xi32>, memref<?xi8>, memref<?x4x4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// attention: 4 query heads and 2 key heads of 4, value heads of 6
//===----------------------------------------------------------------------===//

func.func @attention_c1_heads(%q: memref<?x3x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x18xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected queries TxHxD with a multiple of 2 heads of 4 elements, got 'memref<?x3x4xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x3x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x18xf32>
  return
}

// -----

func.func @attention_c1_no_heads(%q: memref<?x0x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x0xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected queries TxHxD with a multiple of 2 heads of 4 elements, got 'memref<?x0x4xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x0x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x0xf32>
  return
}

// -----

func.func @attention_c1_head_size(%q: memref<?x4x6xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected queries TxHxD with a multiple of 2 heads of 4 elements, got 'memref<?x4x6xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x4x6xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c1_rank(%q: memref<?x16xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected queries TxHxD with a multiple of 2 heads of 4 elements, got 'memref<?x16xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x16xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c2_columns(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x16xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected a destination with the tokens of the query and 24 columns, got 'memref<?x16xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x16xf32>
  return
}

// -----

func.func @attention_c2_tokens(%q: memref<3x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<4x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected a destination with the tokens of the query and 24 columns, got 'memref<4x24xf32>'}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<3x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<4x24xf32>
  return
}

// -----

func.func @attention_c3_positions(%q: memref<?x4x4xf32>, %p: memref<?x1xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected positions and sequences of rank 1 and a page table of rank 2, got 'memref<?x1xi32>', 'memref<?xi32>' and 'memref<?x?xi32>'}}
  kernel.attention %q at(%p, %s, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x4x4xf32>, memref<?x1xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c4_cache_in_rows(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected a cache in vectors, got #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32, order = rows>}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32, order = rows>)
    config(<block_tokens = 4, tile_rows = 6, tile_columns = 16>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c4_cache_in_vectors(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected a cache in rows, got #kernel.cache<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32>)
    config(#kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 32, threads = 32>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c4_tile_rows(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected tile_rows to be at least 2 and tile_columns to divide the 32 tokens of a page, got 1 and 32}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32, order = rows>)
    config(#kernel.gpu_attention_config<kind = simt, tile_rows = 1, tile_columns = 32, threads = 32>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

func.func @attention_c4_tile_columns(%q: memref<?x4x4xf32>, %p: memref<?xi32>, %t: memref<?x?xi32>, %pages: memref<?xi8>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.attention' op expected tile_rows to be at least 2 and tile_columns to divide the 32 tokens of a page, got 64 and 24}}
  kernel.attention %q at(%p, %p, %t) cache(%pages) into %y scale(0.5)
    layout(<page_tokens = 32, heads = 2, key_size = 4, value_size = 6, element = f32, order = rows>)
    config(#kernel.gpu_attention_config<kind = simt, tile_rows = 64, tile_columns = 24, threads = 32>)
    : memref<?x4x4xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x24xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// gather_rows
//===----------------------------------------------------------------------===//

func.func @gather_rows_c1_columns(%x: memref<?x12xf32>, %rows: memref<?xi32>, %y: memref<?x13xf32>) {
  // expected-error@+1 {{'kernel.gather_rows' op expected the selected rows of the input, got 'memref<?x12xf32>' and 'memref<?xi32>' into 'memref<?x13xf32>'}}
  kernel.gather_rows %x, %rows into %y : memref<?x12xf32>, memref<?xi32>, memref<?x13xf32>
  return
}

// -----

func.func @gather_rows_c1_element(%x: memref<?x12xf32>, %rows: memref<?xi32>, %y: memref<?x12xbf16>) {
  // expected-error@+1 {{'kernel.gather_rows' op expected the selected rows of the input, got 'memref<?x12xf32>' and 'memref<?xi32>' into 'memref<?x12xbf16>'}}
  kernel.gather_rows %x, %rows into %y : memref<?x12xf32>, memref<?xi32>, memref<?x12xbf16>
  return
}

// -----

func.func @gather_rows_c1_rank(%x: memref<?x12xf32>, %rows: memref<?x1xi32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.gather_rows' op expected the selected rows of the input, got 'memref<?x12xf32>' and 'memref<?x1xi32>' into 'memref<?x12xf32>'}}
  kernel.gather_rows %x, %rows into %y : memref<?x12xf32>, memref<?x1xi32>, memref<?x12xf32>
  return
}

// -----

func.func @gather_rows_c1_input_rank(%x: memref<?x3x4xf32>, %rows: memref<?xi32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.gather_rows' op expected the selected rows of the input, got 'memref<?x3x4xf32>' and 'memref<?xi32>' into 'memref<?x12xf32>'}}
  kernel.gather_rows %x, %rows into %y : memref<?x3x4xf32>, memref<?xi32>, memref<?x12xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// sample
//===----------------------------------------------------------------------===//

func.func @sample_c1_logits(%x: memref<?xf32>, %p: memref<?x5xf64>, %y: memref<?xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected rows of logits and of parameters and a token for each, got 'memref<?xf32>' and 'memref<?x5xf64>' into 'memref<?xi32>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?xf32>, memref<?x5xf64>, memref<?xi32>
  return
}

// -----

func.func @sample_c1_parameters(%x: memref<?x9xf32>, %p: memref<?xf64>, %y: memref<?xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected rows of logits and of parameters and a token for each, got 'memref<?x9xf32>' and 'memref<?xf64>' into 'memref<?xi32>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?x9xf32>, memref<?xf64>, memref<?xi32>
  return
}

// -----

func.func @sample_c1_tokens(%x: memref<?x9xf32>, %p: memref<?x5xf64>, %y: memref<?x1xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected rows of logits and of parameters and a token for each, got 'memref<?x9xf32>' and 'memref<?x5xf64>' into 'memref<?x1xi32>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?x9xf32>, memref<?x5xf64>, memref<?x1xi32>
  return
}

// -----

func.func @sample_c2_dynamic(%x: memref<?x?xf32>, %p: memref<?x5xf64>, %y: memref<?xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected 1 to 1048576 logits and 5 parameters a row, got 'memref<?x?xf32>' and 'memref<?x5xf64>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?x?xf32>, memref<?x5xf64>, memref<?xi32>
  return
}

// -----

func.func @sample_c2_vocabulary(%x: memref<?x1048577xf32>, %p: memref<?x5xf64>, %y: memref<?xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected 1 to 1048576 logits and 5 parameters a row, got 'memref<?x1048577xf32>' and 'memref<?x5xf64>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?x1048577xf32>, memref<?x5xf64>, memref<?xi32>
  return
}

// -----

func.func @sample_c2_parameters(%x: memref<?x9xf32>, %p: memref<?x6xf64>, %y: memref<?xi32>) {
  // expected-error@+1 {{'kernel.sample' op expected 1 to 1048576 logits and 5 parameters a row, got 'memref<?x9xf32>' and 'memref<?x6xf64>'}}
  kernel.sample %x, %p into %y config(<threads = 32, cluster = 1>) : memref<?x9xf32>, memref<?x6xf64>, memref<?xi32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rms_norm
//===----------------------------------------------------------------------===//

func.func @rms_norm_c1_weights(%x: memref<?x12xf32>, %w: memref<12xf32>, %y: memref<?x24xf32>) {
  // expected-error@+1 {{'kernel.rms_norm' op expected one input at least and a weight for each, got 2 and 1}}
  kernel.rms_norm %x, %x norms(%w : memref<12xf32>) epsilon(1.0e-6) into %y : (memref<?x12xf32>, memref<?x12xf32>), memref<?x24xf32>
  return
}

// -----

func.func @rms_norm_c2_weight(%x: memref<?x12xf32>, %w: memref<13xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.rms_norm' op expected rows and an element of the weight for each column, got 'memref<?x12xf32>' and 'memref<13xf32>'}}
  kernel.rms_norm %x norms(%w : memref<13xf32>) epsilon(1.0e-6) into %y : (memref<?x12xf32>), memref<?x12xf32>
  return
}

// -----

func.func @rms_norm_c2_init(%x: memref<?x12xf32>, %w: memref<12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.rms_norm' op expected a destination of 24 columns, got 'memref<?x12xf32>'}}
  kernel.rms_norm %x, %x norms(%w, %w : memref<12xf32>, memref<12xf32>) epsilon(1.0e-6) into %y : (memref<?x12xf32>, memref<?x12xf32>), memref<?x12xf32>
  return
}

// -----

func.func @rms_norm_c3_epsilon(%x: memref<?x12xf32>, %w: memref<12xf32>, %y: memref<?x12xf32>) {
  // expected-error@+1 {{'kernel.rms_norm' op expected a positive epsilon, got 0.000000e+00}}
  kernel.rms_norm %x norms(%w : memref<12xf32>) epsilon(0.0) into %y : (memref<?x12xf32>), memref<?x12xf32>
  return
}
