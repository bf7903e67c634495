// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-interpret -o /dev/null

shard.grid @devices(shape = 2)
transformer.weight @w tensor("w") split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<4xf32>
// expected-error@+1 {{'func.func' op expected the same results on all devices, got others on some}}
func.func @different() -> tensor<2xf32> {
  %w = transformer.get_weight local [@w] : tensor<2xf32>
  return %w : tensor<2xf32>
}

// -----

shard.grid @devices(shape = 2)
func.func @largest() -> tensor<2xf32> {
  %x = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error@+1 {{'shard.all_reduce' op expected a sum, got 'max'}}
  %y = shard.all_reduce %x on @devices grid_axes = [0] reduction = max
    : tensor<2xf32> -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// expected-error@+1 {{'shard.grid' op expected a static grid of at most 64 devices, got [8, 9]}}
shard.grid @devices(shape = 8x9)
func.func @many() {
  return
}

// -----

// expected-error@+1 {{'shard.grid' op expected one grid of devices, got 2}}
shard.grid @devices(shape = 2)
shard.grid @others(shape = 2)
func.func @two_grids() {
  return
}
