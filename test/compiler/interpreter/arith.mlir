// arith, on tensors and on scalars, by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// CHECK: @float result 0: [5, -1, 4.5]
// CHECK: @float result 1: [-3, 5, -3.5]
// CHECK: @float result 2: [4, -6, 2]
// CHECK: @float result 3: [0.25, -0.666666667, 0.125]
// CHECK: @float result 4: [4, 2, 4]
// CHECK: @float result 5: [-1, -2, -0.5]
func.func @float() -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %x = arith.constant dense<[1.0, 2.0, 0.5]> : tensor<3xf32>
  %y = arith.constant dense<[4.0, -3.0, 4.0]> : tensor<3xf32>
  %sum = arith.addf %x, %y : tensor<3xf32>
  %difference = arith.subf %x, %y : tensor<3xf32>
  %product = arith.mulf %x, %y : tensor<3xf32>
  %quotient = arith.divf %x, %y : tensor<3xf32>
  %maximum = arith.maximumf %x, %y : tensor<3xf32>
  %negated = arith.negf %x : tensor<3xf32>
  return %sum, %difference, %product, %quotient, %maximum, %negated
    : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// One of them is no number, and so is the larger.
// CHECK: @maximum_of_nan result 0: [nan, nan, 1]
func.func @maximum_of_nan() -> tensor<3xf32> {
  %x = arith.constant dense<[0x7FC00000, 1.0, 1.0]> : tensor<3xf32>
  %y = arith.constant dense<[1.0, 0x7FC00000, 0.0]> : tensor<3xf32>
  %maximum = arith.maximumf %x, %y : tensor<3xf32>
  return %maximum : tensor<3xf32>
}

// Without roundings nothing is rounded: 1 + 2^-20 in bf16 stays what it is.
// CHECK: @conversions result 0: [1.00000095]
// CHECK: @conversions result 1: [1.00000095]
// CHECK: @conversions result 2: [-7]
// CHECK: @conversions result 3: [-2]
func.func @conversions() -> (tensor<1xbf16>, tensor<1xf32>, tensor<1xf32>, tensor<1xi32>) {
  %x = arith.constant dense<1.00000095367431640625> : tensor<1xf32>
  %small = arith.truncf %x : tensor<1xf32> to tensor<1xbf16>
  %large = arith.extf %small : tensor<1xbf16> to tensor<1xf32>
  %i = arith.constant dense<-7> : tensor<1xi32>
  %f = arith.sitofp %i : tensor<1xi32> to tensor<1xf32>
  %y = arith.constant dense<-2.75> : tensor<1xf32>
  %whole = arith.fptosi %y : tensor<1xf32> to tensor<1xi32>
  return %small, %large, %f, %whole : tensor<1xbf16>, tensor<1xf32>, tensor<1xf32>, tensor<1xi32>
}

// -7 and 2: quotients are cut off, rounded down and rounded up.
// CHECK: @integers result 0: -5
// CHECK: @integers result 1: -9
// CHECK: @integers result 2: -14
// CHECK: @integers result 3: -3
// CHECK: @integers result 4: -4
// CHECK: @integers result 5: -3
// CHECK: @integers result 6: -1
// CHECK: @integers result 7: -7
// CHECK: @integers result 8: 2
func.func @integers() -> (index, index, index, index, index, index, index, index, index) {
  %x = arith.constant -7 : index
  %y = arith.constant 2 : index
  %sum = arith.addi %x, %y : index
  %difference = arith.subi %x, %y : index
  %product = arith.muli %x, %y : index
  %quotient = arith.divsi %x, %y : index
  %floor = arith.floordivsi %x, %y : index
  %ceil = arith.ceildivsi %x, %y : index
  %remainder = arith.remsi %x, %y : index
  %smaller = arith.minsi %x, %y : index
  %larger = arith.maxsi %x, %y : index
  return %sum, %difference, %product, %quotient, %floor, %ceil, %remainder, %smaller, %larger
    : index, index, index, index, index, index, index, index, index
}

// CHECK: @index_cast result 0: 7
func.func @index_cast() -> i32 {
  %x = arith.constant 7 : index
  %y = arith.index_cast %x : index to i32
  return %y : i32
}

// CHECK: @comparisons result 0: [0, 1, 0]
// CHECK: @comparisons result 1: [1, 0, 1]
// CHECK: @comparisons result 2: [1, 0, 0]
// CHECK: @comparisons result 3: [1, 1, 0]
// CHECK: @comparisons result 4: [0, 0, 1]
// CHECK: @comparisons result 5: [0, 1, 1]
func.func @comparisons() -> (tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>) {
  %x = arith.constant dense<[-1, 2, 3]> : tensor<3xi32>
  %y = arith.constant dense<[1, 2, -3]> : tensor<3xi32>
  %eq = arith.cmpi eq, %x, %y : tensor<3xi32>
  %ne = arith.cmpi ne, %x, %y : tensor<3xi32>
  %slt = arith.cmpi slt, %x, %y : tensor<3xi32>
  %sle = arith.cmpi sle, %x, %y : tensor<3xi32>
  %sgt = arith.cmpi sgt, %x, %y : tensor<3xi32>
  %sge = arith.cmpi sge, %x, %y : tensor<3xi32>
  return %eq, %ne, %slt, %sle, %sgt, %sge
    : tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>
}

// A condition for each element, and one for the whole.
// CHECK: @select result 0: [1, 5, 3]
// CHECK: @select result 1: [4, 5, 6]
func.func @select() -> (tensor<3xf32>, tensor<3xf32>) {
  %each = arith.constant dense<[true, false, true]> : tensor<3xi1>
  %no = arith.constant false
  %x = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %y = arith.constant dense<[4.0, 5.0, 6.0]> : tensor<3xf32>
  %chosen = arith.select %each, %x, %y : tensor<3xi1>, tensor<3xf32>
  %other = arith.select %no, %x, %y : tensor<3xf32>
  return %chosen, %other : tensor<3xf32>, tensor<3xf32>
}
