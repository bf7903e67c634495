// RUN: not tcc-opt %s --tcc-interpret=entry=missing -o /dev/null 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: error: expected a function 'missing', got none
// RUN: not tcc-opt %s --tcc-interpret=output=%t.npy -o /dev/null 2>&1 | FileCheck %s --check-prefix=COLUMNS
// COLUMNS: error: expected results that agree in columns, got 3 and 2
// RUN: not tcc-opt %s --tcc-interpret="entry=three output=%t.missing/x.npy" -o /dev/null 2>&1 | FileCheck %s --check-prefix=WRITE
// WRITE: error: {{.*}}x.npy

func.func @three() -> tensor<3xf32> {
  %x = arith.constant dense<1.0> : tensor<3xf32>
  return %x : tensor<3xf32>
}
func.func @two() -> tensor<2xf32> {
  %x = arith.constant dense<1.0> : tensor<2xf32>
  return %x : tensor<2xf32>
}
