// Four devices in a grid of 2 by 2. Each has a row or a column of a weight, and what they
// exchange along one axis or both is the same on all.
// RUN: tcc-opt %s --tcc-interpret -o /dev/null | FileCheck %s

shard.grid @devices(shape = 2x2)

transformer.weight @rows tensor("w") split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<4x6xf32>
transformer.weight @columns tensor("w") split(<dimension = 1, grid = @devices, axis = 1>)
  : tensor<4x6xf32>
transformer.weight @vector tensor("v") split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<4xf32>
transformer.weight @experts tensor("e.{expert}")
  split(<dimension = 0, grid = @devices, axis = 1>) : tensor<4x2x3xf32>
transformer.weight @units tensor("e.{expert}")
  split(<dimension = 1, grid = @devices, axis = 0>) : tensor<4x2x3xf32>

// Parts that are joined are the whole; two halves stacked are joined part by part.
// CHECK: @parts result 0: {{\[\[}}0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]
// CHECK: @parts result 1: {{\[\[}}0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]
// CHECK: @parts result 2: [0, 0, 0, 0]
// CHECK: @parts result 3: {{\[\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]]]
// CHECK: @parts result 4: {{\[\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]], {{\[\[}}0, 0, 0], [0, 0, 0]]]
func.func @parts() -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<4xf32>, tensor<4x2x3xf32>,
                       tensor<4x2x3xf32>) {
  %whole = transformer.get_weight [@rows] : tensor<4x6xf32>
  %rows = transformer.get_weight local [@rows] : tensor<2x6xf32>
  %all_rows = shard.all_gather %rows on @devices grid_axes = [0] gather_axis = 0
    : tensor<2x6xf32> -> tensor<4x6xf32>
  %d0 = arith.subf %all_rows, %whole : tensor<4x6xf32>
  %columns = transformer.get_weight local [@columns] : tensor<4x3xf32>
  %all_columns = shard.all_gather %columns on @devices grid_axes = [1] gather_axis = 1
    : tensor<4x3xf32> -> tensor<4x6xf32>
  %d1 = arith.subf %all_columns, %whole : tensor<4x6xf32>
  %vector = transformer.get_weight [@vector] : tensor<4xf32>
  %part = transformer.get_weight local [@vector] : tensor<2xf32>
  %all_parts = shard.all_gather %part on @devices grid_axes = [0] gather_axis = 0
    : tensor<2xf32> -> tensor<4xf32>
  %d2 = arith.subf %all_parts, %vector : tensor<4xf32>
  %stack = transformer.get_weight [@experts] : tensor<4x2x3xf32>
  %experts = transformer.get_weight local [@experts] : tensor<2x2x3xf32>
  %all_experts = shard.all_gather %experts on @devices grid_axes = [1] gather_axis = 0
    : tensor<2x2x3xf32> -> tensor<4x2x3xf32>
  %d3 = arith.subf %all_experts, %stack : tensor<4x2x3xf32>
  %units = transformer.get_weight local [@units] : tensor<4x1x3xf32>
  %all_units = shard.all_gather %units on @devices grid_axes = [0] gather_axis = 1
    : tensor<4x1x3xf32> -> tensor<4x2x3xf32>
  %d4 = arith.subf %all_units, %stack : tensor<4x2x3xf32>
  return %d0, %d1, %d2, %d3, %d4 : tensor<4x6xf32>, tensor<4x6xf32>, tensor<4xf32>,
    tensor<4x2x3xf32>, tensor<4x2x3xf32>
}

// Of four devices, two or all are added up.
// CHECK: @sums result 0: [2, 2]
// CHECK: @sums result 1: [4, 4]
func.func @sums() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = arith.constant dense<1.0> : tensor<2xf32>
  %two = shard.all_reduce %x on @devices grid_axes = [1] : tensor<2xf32> -> tensor<2xf32>
  %four = shard.all_reduce %x on @devices grid_axes = [0, 1] : tensor<2xf32> -> tensor<2xf32>
  return %two, %four : tensor<2xf32>, tensor<2xf32>
}
