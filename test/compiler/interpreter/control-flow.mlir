// Calls, loops and conditions, by hand.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

// 1 + 3 + 5, in one variable; the other one swaps with it.
// CHECK: @loop result 0: 9
// CHECK: @loop result 1: 4
func.func @loop() -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c6 = arith.constant 6 : index
  %c0 = arith.constant 0 : index
  %sum, %last = scf.for %i = %c1 to %c6 step %c2 iter_args(%s = %c0, %t = %c0) -> (index, index) {
    %next = arith.addi %s, %i : index
    scf.yield %next, %s : index, index
  }
  return %sum, %last : index, index
}

// CHECK: @no_iteration result 0: 6
func.func @no_iteration() -> index {
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %r = scf.for %i = %c6 to %c6 step %c1 iter_args(%s = %c6) -> index {
    scf.yield %c1 : index
  }
  return %r : index
}

// CHECK: @nested result 0: 30
func.func @nested() -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c10 = arith.constant 10 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %c0) -> index {
    %inner = scf.for %j = %c0 to %c10 step %c1 iter_args(%t = %s) -> index {
      %next = arith.addi %t, %c1 : index
      scf.yield %next : index
    }
    scf.yield %inner : index
  }
  return %r : index
}

// CHECK: @conditions result 0: 1
// CHECK: @conditions result 1: 2
func.func @conditions() -> (index, index) {
  %yes = arith.constant true
  %no = arith.constant false
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = scf.if %yes -> index {
    scf.yield %c1 : index
  } else {
    scf.yield %c2 : index
  }
  %b = scf.if %no -> index {
    scf.yield %c1 : index
  } else {
    scf.yield %c2 : index
  }
  scf.if %no {
    %d = arith.divsi %c1, %b : index
  }
  return %a, %b : index, index
}

// A function is called twice with values of its own, and its results are in order.
// CHECK: @calls result 0: [3, -1]
// CHECK: @calls result 1: [11, -3]
// CHECK-NOT: @sum_and_difference
func.func @calls() -> (tensor<2xf32>, tensor<2xf32>) {
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %two = arith.constant dense<2.0> : tensor<1xf32>
  %four = arith.constant dense<4.0> : tensor<1xf32>
  %seven = arith.constant dense<7.0> : tensor<1xf32>
  %a, %b = call @sum_and_difference(%one, %two) : (tensor<1xf32>, tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
  %c, %d = call @sum_and_difference(%four, %seven) : (tensor<1xf32>, tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
  %x = tensor.concat dim(0) %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  %y = tensor.concat dim(0) %c, %d : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  return %x, %y : tensor<2xf32>, tensor<2xf32>
}
func.func private @sum_and_difference(%x: tensor<1xf32>, %y: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %sum = arith.addf %x, %y : tensor<1xf32>
  %difference = arith.subf %x, %y : tensor<1xf32>
  return %sum, %difference : tensor<1xf32>, tensor<1xf32>
}

// A thousand calls deep: the stack of the interpreter is not that of C++.
// CHECK: @deep result 0: 1000
func.func @deep() -> index {
  %n = arith.constant 1000 : index
  %r = call @count(%n) : (index) -> index
  return %r : index
}
func.func private @count(%n: index) -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %more = arith.cmpi sgt, %n, %c0 : index
  %r = scf.if %more -> index {
    %next = arith.subi %n, %c1 : index
    %rest = func.call @count(%next) : (index) -> index
    %sum = arith.addi %rest, %c1 : index
    scf.yield %sum : index
  } else {
    scf.yield %c0 : index
  }
  return %r : index
}
