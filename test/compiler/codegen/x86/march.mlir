// What the cost model chooses for CPUs, and CPUs that there are none of.
// RUN: tcc-opt %s --tcc-lower-linear=march=x86-64-v3 | FileCheck %s --check-prefix=V3
// RUN: tcc-opt %s --tcc-lower-linear=march=x86-64-v4 | FileCheck %s --check-prefix=V4
// RUN: tcc-opt %s --tcc-lower-linear=march=znver4 | FileCheck %s --check-prefix=ZNVER4
// RUN: tcc-opt %s --tcc-lower-linear=march=sapphirerapids | FileCheck %s --check-prefix=SAPPHIRERAPIDS
// RUN: not tcc-opt %s --tcc-lower-linear=march=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not tcc-opt %s --tcc-lower-linear=march=nehalem 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: not tcc-opt %s --tcc-lower-rows=march=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not tcc-opt %s --tcc-lower-attention=march=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: --march: expected x86-64-v3, x86-64-v4, native or a CPU that LLVM knows, got 'z80'
// OLD: error: --march: expected a CPU with AVX2, FMA and F16C, got 'nehalem'

// Sixteen registers of eight lanes, thirty-two of sixteen.
// V3: packing(<columns = 32>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 16,
// V4: packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64,
// Pairs of bf16 are added at once where that is faster.
// ZNVER4: packing(<columns = 64>) config(<arithmetic = dot, tile_rows = 6, tile_columns = 64,
// SAPPHIRERAPIDS: packing(<columns = 64>) config(<arithmetic = fma,
func.func @bf16(%x: tensor<?x12xbf16>, %w: tensor<20x12xbf16>) -> tensor<?x20xf32> {
  %y = transformer.linear %x, %w : tensor<?x12xbf16>, tensor<20x12xbf16> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
// Of f32 there are no such products.
// ZNVER4: operand(f32) packing(<columns = 64>) config(<arithmetic = fma,
func.func @f32(%x: tensor<?x12xf32>, %w: tensor<20x12xf32>) -> tensor<?x20xf32> {
  %y = transformer.linear %x, %w : tensor<?x12xf32>, tensor<20x12xf32> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
