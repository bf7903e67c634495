// One case for each constraint of each op of experts, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

func.func @route_c1_destinations(%l: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x3xf32>) {
  // expected-error@+1 {{'kernel.route' op expected shapes TxE, E, TxJ and TxJ, with E and J static and positive, got 'memref<?x8xf32>', 'memref<?x2xi32>' and 'memref<?x3xf32>'}}
  kernel.route %l softmax  into %e, %w
    : memref<?x8xf32>, memref<?x2xi32>, memref<?x3xf32>
  return
}

// -----

func.func @route_c1_bias(%l: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>, %b: memref<4xf32>) {
  // expected-error@+1 {{'kernel.route' op expected shapes TxE, E, TxJ and TxJ, with E and J static and positive, got 'memref<?x8xf32>', 'memref<?x2xi32>' and 'memref<?x2xf32>'}}
  kernel.route %l bias(%b : memref<4xf32>) softmax  into %e, %w
    : memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>
  return
}

// -----

func.func @route_c2_groups(%l: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  // expected-error@+1 {{'kernel.route' op expected groups that divide the experts, and enough of them, got 3, 1 and 1 for 2 of 8 experts}}
  kernel.route %l softmax groups(3) keep(1) top(1) into %e, %w
    : memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>
  return
}

// -----

func.func @route_c2_count(%l: memref<?x8xf32>, %e: memref<?x5xi32>, %w: memref<?x5xf32>) {
  // expected-error@+1 {{'kernel.route' op expected groups that divide the experts, and enough of them, got 4, 2 and 1 for 5 of 8 experts}}
  kernel.route %l softmax groups(4) keep(2) top(1) into %e, %w
    : memref<?x8xf32>, memref<?x5xi32>, memref<?x5xf32>
  return
}

// -----

func.func @dispatch_c1_offsets(%e: memref<?x2xi32>, %r: memref<?xi32>, %p: memref<?x2xi32>, %o: memref<?xi32>) {
  // expected-error@+1 {{'kernel.dispatch' op expected shapes TxJ to M, TxJ and a static E + 1, got 'memref<?x2xi32>' to 'memref<?xi32>', 'memref<?x2xi32>' and 'memref<?xi32>'}}
  kernel.dispatch %e into %r, %p, %o
    : memref<?x2xi32>, memref<?xi32>, memref<?x2xi32>, memref<?xi32>
  return
}

// -----

func.func @dispatch_c2_experts(%e: memref<?x?xi32>, %r: memref<?xi32>, %p: memref<?x2xi32>, %o: memref<9xi32>) {
  // expected-error@+1 {{'kernel.dispatch' op expected a static number of experts of each token, got 'memref<?x?xi32>'}}
  kernel.dispatch %e into %r, %p, %o
    : memref<?x?xi32>, memref<?xi32>, memref<?x2xi32>, memref<9xi32>
  return
}

// -----

func.func @grouped_linear_c1_offsets(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<8xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected shapes TxK, ExNxK, E + 1 and MxN, with E, N and K static and positive, got 'memref<?x4xf32>', 'memref<8x6x4xbf16>', 'memref<8xi32>' and 'memref<?x6xf32>'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<8xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c2_columns(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x5xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected a destination with a row for each row of an expert and 6 columns, got 'memref<?x5xf32>'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x5xf32>
  return
}

// -----

func.func @grouped_linear_c2_rows(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<4x6xf32>, %r: memref<3xi32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected a destination with a row for each row of an expert and 6 columns, got 'memref<4x6xf32>'}}
  kernel.grouped_linear %x rows(%r : memref<3xi32>), %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<4x6xf32>
  return
}

// -----

func.func @grouped_linear_c3_operand(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>, %n: memref<3xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected operands of the prologue to have 4 elements, got 'memref<3xf32>'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) prologue(%n : memref<3xf32>) {
  ^bb0(%a: f32, %b: f32):
    kernel.yield %a : f32
  }  : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c4_block(%x: tensor<?x4xf32>, %w: tensor<8x6x4x!transformer.block<q8_0>>, %o: tensor<9xi32>, %y: tensor<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected K to be a multiple of the 32 elements of a block, got 4}}
  %r = kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : tensor<?x4xf32>, tensor<8x6x4x!transformer.block<q8_0>>, tensor<9xi32>, tensor<?x6xf32> -> tensor<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c4_scales(%x: tensor<?x4xf32>, %w: tensor<8x6x4x!transformer.scaled<f8E4M3FN, 4, 6>>, %o: tensor<9xi32>, %y: tensor<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected a multiple of 4 elements of K, at most 128, to share a scale, got 6}}
  %r = kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : tensor<?x4xf32>, tensor<8x6x4x!transformer.scaled<f8E4M3FN, 4, 6>>, tensor<9xi32>, tensor<?x6xf32> -> tensor<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c4_pairs(%x: memref<?x4xf32>, %w: memref<8x5x4xbf16>, %o: memref<9xi32>, %y: memref<?x2xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected an even number of paired rows, got 5}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x5x4xbf16>, memref<9xi32>, memref<?x2xf32>
  return
}

// -----

func.func @grouped_linear_c5_operand(%x: memref<?x4xf32>, %w: memref<8x6x4xf32>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected operands of type f32, bf16 if the weight is neither f32 nor f16, f16 if it is f16, i16 if it is in blocks, or f8E4M3FN if it has scales, got 'bf16' and a weight of 'f32'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xf32>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c6_prologue(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected the prologue to take 1 values of type f32, got 2 arguments of types 'f32', 'f32'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>) prologue {
  ^bb0(%a: f32, %b: f32):
    kernel.yield %a : f32
  }  : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c6_none(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected no operands and no mean square without a prologue}}
  "kernel.grouped_linear"(%x, %w, %o, %y) <{configuration = #kernel.linear_config<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>, mean_square, operand = bf16, operandSegmentSizes = array<i32: 1, 0, 1, 1, 1, 0>, packing = #kernel.packing<columns = 32>}> ({}, {})
    : (memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>) -> ()
  return
}

// -----

func.func @grouped_linear_c7_pairs(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x3xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected no pairs without an epilogue}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x3xf32>
  return
}

// -----

func.func @grouped_linear_c7_epilogue(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected the epilogue to take 1 values of type f32, got 2 arguments of types 'f32', 'f32'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)  epilogue {
  ^bb0(%a: f32, %b: f32):
    kernel.yield %a : f32
  } : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c8_body(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected only scalar ops of arith and math in its regions, got 'vector.broadcast'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)  epilogue {
  ^bb0(%a: f32):
    %v = vector.broadcast %a : f32 to vector<4xf32>
    kernel.yield %a : f32
  } : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c9_tile(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected tile_columns to divide the columns of the packing, got 24 and 32}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(bf16) packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 24, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @grouped_linear_c9_dot(%x: memref<?x4xf32>, %w: memref<8x6x4xbf16>, %o: memref<9xi32>, %y: memref<?x6xf32>) {
  // expected-error@+1 {{'kernel.grouped_linear' op expected operands of type bf16 for dot products, got 'f32'}}
  kernel.grouped_linear %x , %w offsets(%o) into %y operand(f32) packing(<columns = 32>) config(<arithmetic = dot, tile_rows = 6, tile_columns = 32, block_rows = 96, block_depth = 512>)   : memref<?x4xf32>, memref<8x6x4xbf16>, memref<9xi32>, memref<?x6xf32>
  return
}

// -----

func.func @combine_c1_addend(%x: memref<?x4xf32>, %p: memref<?x2xi32>, %w: memref<?x2xf32>, %a: memref<?x5xf32>, %y: memref<?x4xf32>) {
  // expected-error@+1 {{'kernel.combine' op expected shapes MxN, TxJ, TxJ and TxN, got 'memref<?x4xf32>', 'memref<?x2xi32>', 'memref<?x2xf32>' and 'memref<?x4xf32>'}}
  kernel.combine %x, %p, %w add(%a : memref<?x5xf32>) into %y
    : memref<?x4xf32>, memref<?x2xi32>, memref<?x2xf32>, memref<?x4xf32>
  return
}

// -----

func.func @combine_c2_columns(%x: memref<?x?xf32>, %p: memref<?x2xi32>, %w: memref<?x2xf32>, %y: memref<?x?xf32>) {
  // expected-error@+1 {{'kernel.combine' op expected static numbers of experts and columns, got 'memref<?x2xi32>' and 'memref<?x?xf32>'}}
  kernel.combine %x, %p, %w into %y
    : memref<?x?xf32>, memref<?x2xi32>, memref<?x2xf32>, memref<?x?xf32>
  return
}
