// Configurations of kind skinny that no kernel has.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-kernels-to-gpu

func.func @rows(%x: memref<?x64xf32>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.linear' op expected tile_rows to be a multiple of 8, at most 64, of kind 'skinny', got 12}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 12, tile_columns = 32,
                                     threads = 64, stages = 2>)
    : memref<?x64xf32>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

func.func @rows_of_floats(%x: memref<?x64xf32>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.linear' op expected tile_rows to be 8 or 16, for operands of f32, of kind 'skinny', got 64}}
  kernel.linear %x, %w into %y operand(f32) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 64, tile_columns = 32,
                                     threads = 64, stages = 2>)
    : memref<?x64xf32>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

func.func @columns(%x: memref<?x64xf32>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.linear' op expected tile_columns to be 16, or as many for each of some of the warps, of kind 'skinny', got 48}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 8, tile_columns = 48,
                                     threads = 128, stages = 2>)
    : memref<?x64xf32>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

func.func @stages(%x: memref<?x64xf32>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.linear' op expected 2 stages or more of kind 'skinny', got 1}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 8, tile_columns = 32,
                                     threads = 64, stages = 1>)
    : memref<?x64xf32>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

func.func @shared(%x: memref<?x64xf32>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.linear' op expected at most 232448 bytes of shared memory of kind 'skinny', got }}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = skinny, tile_rows = 8, tile_columns = 128,
                                     threads = 256, stages = 16>)
    : memref<?x64xf32>, memref<64x64xbf16>, memref<?x64xf32>
  return
}
