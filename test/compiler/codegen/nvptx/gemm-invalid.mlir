// What tensor cores do not multiply.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-kernels-to-gpu

// A copy of a tile begins at a multiple of 16 bytes.
func.func @offset(%x: memref<?x64xbf16, strided<[72, 1], offset: 4>>, %w: memref<64x64xbf16>,
                  %y: memref<?x64xf32>) {
  // expected-error @+1 {{expected rows of the input that begin at multiples of 16 bytes of kind 'wgmma', got 'memref<?x64xbf16, strided<[72, 1], offset: 4>>'}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 384, stages = 3>)
    : memref<?x64xbf16, strided<[72, 1], offset: 4>>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

func.func @threads(%x: memref<?x64xbf16>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{expected 384 threads and tiles of 128 or 256 rows and of at most 256 columns}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 64, threads = 256, stages = 3>)
    : memref<?x64xbf16>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

// Each block of the cluster copies rows of the weight in multiples of 8.
func.func @parts(%x: memref<?x64xbf16>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{a multiple of 8 for each block of the cluster}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 72, threads = 384, stages = 3, cluster = 2>)
    : memref<?x64xbf16>, memref<64x64xbf16>, memref<?x64xf32>
  return
}

// -----

// More than the shared memory of a block.
func.func @stages(%x: memref<?x64xbf16>, %w: memref<64x64xbf16>, %y: memref<?x64xf32>) {
  // expected-error @+1 {{expected at most 232448 bytes of shared memory, got 393344}}
  kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing)
    config(#kernel.gpu_linear_config<kind = wgmma, tile_rows = 128, tile_columns = 256, threads = 384, stages = 8>)
    : memref<?x64xbf16>, memref<64x64xbf16>, memref<?x64xf32>
  return
}
