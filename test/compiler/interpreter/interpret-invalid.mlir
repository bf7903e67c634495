// RUN: not tcc-opt %s --tcc-interpret=entry=missing -o /dev/null 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: error: expected a function 'missing', got none
// RUN: not tcc-opt %s --tcc-interpret=output=%t.npy -o /dev/null 2>&1 | FileCheck %s --check-prefix=COLUMNS
// COLUMNS: error: expected results that agree in columns, got 3 and 2
// RUN: not tcc-opt %s --tcc-interpret="entry=three output=%t.missing/x.npy" -o /dev/null 2>&1 | FileCheck %s --check-prefix=WRITE
// WRITE: error: {{.*}}x.npy
// RUN: not tcc-opt %s --tcc-interpret=length=0 -o /dev/null 2>&1 | FileCheck %s --check-prefix=LENGTH
// LENGTH: error: 'func.func' op expected length from 1 to 1048576, got 0
// RUN: not tcc-opt %s --tcc-interpret=length=1000000000000 -o /dev/null 2>&1 | FileCheck %s --check-prefix=LONG
// LONG: error: 'func.func' op expected length from 1 to 1048576, got 1000000000000
// RUN: not tcc-opt %s --tcc-interpret=sequences=1000000000000 -o /dev/null 2>&1 | FileCheck %s --check-prefix=SEQUENCES
// SEQUENCES: error: 'func.func' op expected sequences from 1 to 1048576, got 1000000000000
// RUN: not tcc-opt %s --tcc-interpret=page-size=0 -o /dev/null 2>&1 | FileCheck %s --check-prefix=PAGE
// PAGE: error: 'func.func' op expected page-size from 1 to 65536, got 0
// RUN: not tcc-opt %s --tcc-verify-meaning=page-size=-3 -o /dev/null 2>&1 | FileCheck %s --check-prefix=PAGES
// PAGES: error: 'func.func' op expected page-size from 1 to 65536, got -3

func.func @three() -> tensor<3xf32> {
  %x = arith.constant dense<1.0> : tensor<3xf32>
  return %x : tensor<3xf32>
}
func.func @two() -> tensor<2xf32> {
  %x = arith.constant dense<1.0> : tensor<2xf32>
  return %x : tensor<2xf32>
}
