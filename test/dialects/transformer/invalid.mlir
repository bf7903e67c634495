// One case for each constraint of each op, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{'transformer.weight' op expected a static shape of rank 1 to 3, got 'tensor<2x3x4x5xf32>'}}
transformer.weight @weight_c1_rank tensor("w") : tensor<2x3x4x5xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected a static shape of rank 1 to 3, got 'tensor<?x4xf32>'}}
transformer.weight @weight_c1_dynamic tensor("w") : tensor<?x4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected the last dimension to be a multiple of the 32 elements of a block, got 'tensor<4x48x!transformer.block<q8_0>>'}}
transformer.weight @weight_c2_block tensor("w") : tensor<4x48x!transformer.block<q8_0>>

// -----

// expected-error@+1 {{'transformer.weight' op expected layers(first, count) with first not negative and count positive, in ascending order, got array<i64: -1, 2>}}
transformer.weight @weight_c3_negative tensor("w.{layer}") layers(-1, 2) : tensor<4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected layers(first, count) with first not negative and count positive, in ascending order, got array<i64: 0, 0>}}
transformer.weight @weight_c3_empty tensor("w.{layer}") layers(0, 0) : tensor<4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected layers(first, count) with first not negative and count positive, in ascending order, got array<i64: 0, 4, 3, 1>}}
transformer.weight @weight_c3_overlap tensor("w.{layer}") layers(0, 4) and (3, 1) : tensor<4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected layers(first, count) with first not negative and count positive, in ascending order, got array<i64: 0>}}
"transformer.weight"() <{sym_name = "weight_c3_odd", tensor = "w.{layer}", layers = array<i64: 0>, type = tensor<4xf32>}> : () -> ()

// -----

// expected-error@+1 {{'transformer.weight' op expected '{layer}' in the name of the tensor if and only if there are layers, got 'w'}}
transformer.weight @weight_c4_missing tensor("w") layers(0, 2) : tensor<4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected '{layer}' in the name of the tensor if and only if there are layers, got 'w.{layer}'}}
transformer.weight @weight_c4_unexpected tensor("w.{layer}") : tensor<4xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: 0, 3, 4> of 'tensor<4x8xf32>'}}
transformer.weight @weight_c9_odd tensor("w") halves(0, 3, 4) : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: 0, 0, 4> of 'tensor<4x8xf32>'}}
transformer.weight @weight_c9_none tensor("w") halves(0, 0, 4) : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: 2, 4, 4> of 'tensor<4x8xf32>'}}
transformer.weight @weight_c9_beyond tensor("w") halves(2, 4, 4) : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: -1, 2, 4> of 'tensor<4x8xf32>'}}
transformer.weight @weight_c9_negative tensor("w") halves(-1, 2, 4) : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: 0, 4, 4> of 'tensor<6xf32>'}}
transformer.weight @weight_c9_rows tensor("w") halves(0, 4, 4) : tensor<6xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected halves(first, count, of) of an even number of rows within of, which divides the rows of a vector or matrix, got array<i64: 0, 2, 2> of 'tensor<2x4x8xf32>'}}
transformer.weight @weight_c9_stack tensor("w") halves(0, 2, 2) : tensor<2x4x8xf32>

// -----

func.func @get_weight_c1_symbol() {
  // expected-error@+1 {{'transformer.get_weight' op expected the name of a weight, got @missing}}
  %w = transformer.get_weight [@missing] : tensor<4xf32>
  return
}

// -----

func.func @get_weight_c1_none() {
  // expected-error@+1 {{'transformer.get_weight' op expected at least one weight, got none}}
  %w = transformer.get_weight [] : tensor<4xf32>
  return
}

// -----

transformer.weight @a tensor("a") : tensor<4x8xf32>
transformer.weight @b tensor("b") : tensor<4x8xbf16>
func.func @get_weight_c2_storage() {
  // expected-error@+1 {{'transformer.get_weight' op expected weights that agree in all but the rows, got 'tensor<4x8xf32>' and 'tensor<4x8xbf16>'}}
  %w = transformer.get_weight [@a, @b] : tensor<8x8xf32>
  return
}

// -----

transformer.weight @a tensor("a") : tensor<4x8xf32>
func.func @get_weight_c2_result() {
  // expected-error@+1 {{'transformer.get_weight' op expected result 'tensor<8x8xf32>', got 'tensor<4x8xf32>'}}
  %w = transformer.get_weight [@a, @a] : tensor<4x8xf32>
  return
}

// -----

transformer.weight @a tensor("a.{layer}") layers(0, 2) : tensor<4xf32>
func.func @get_weight_c3_missing() {
  // expected-error@+1 {{'transformer.get_weight' op expected a layer if and only if the weights have layers}}
  %w = transformer.get_weight [@a] : tensor<4xf32>
  return
}

// -----

transformer.weight @a tensor("a.{layer}") layers(0, 2) : tensor<4xf32>
transformer.weight @b tensor("b.{layer}") layers(1, 2) : tensor<4xf32>
func.func @get_weight_c3_other(%layer: index) {
  // expected-error@+1 {{'transformer.get_weight' op expected weights of the same layers}}
  %w = transformer.get_weight [@a, @b] layer(%layer) : tensor<8xf32>
  return
}

// -----

func.func @embedding_c1_columns(%tokens: tensor<?xi32>, %table: tensor<9x8xf32>) {
  // expected-error@+1 {{'transformer.embedding' op expected a result of one row of the table for each token, got 'tensor<?xi32>' and 'tensor<9x8xf32>' to 'tensor<?x9xf32>'}}
  %x = transformer.embedding %tokens, %table : tensor<?xi32>, tensor<9x8xf32> -> tensor<?x9xf32>
  return
}

// -----

func.func @linear_c1_rank(%x: tensor<2x4x8xf32>, %w: tensor<6x8xf32>) {
  // expected-error@+1 {{'transformer.linear' op expected input, weight and result of rank 2, got 'tensor<2x4x8xf32>', 'tensor<6x8xf32>' and 'tensor<4x6xf32>'}}
  %y = transformer.linear %x, %w : tensor<2x4x8xf32>, tensor<6x8xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @linear_c2_columns(%x: tensor<4x7xf32>, %w: tensor<6x8xf32>) {
  // expected-error@+1 {{'transformer.linear' op expected shapes TxK, NxK, N and TxN, got 'tensor<4x7xf32>', 'tensor<6x8xf32>' and 'tensor<4x6xf32>'}}
  %y = transformer.linear %x, %w : tensor<4x7xf32>, tensor<6x8xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @linear_c2_bias(%x: tensor<4x8xf32>, %w: tensor<6x8xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{'transformer.linear' op expected shapes TxK, NxK, N and TxN, got 'tensor<4x8xf32>', 'tensor<6x8xf32>' and 'tensor<4x6xf32>'}}
  %y = transformer.linear %x, %w bias(%b : tensor<5xf32>) : tensor<4x8xf32>, tensor<6x8xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @rms_norm_c1_weight(%x: tensor<4x8xf32>, %w: tensor<7xf32>) {
  // expected-error@+1 {{'transformer.rms_norm' op expected weight to be a vector of the length of the last dimension of input and not empty, got 'tensor<7xf32>' and 'tensor<4x8xf32>'}}
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5) : tensor<4x8xf32>, tensor<7xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @rms_norm_c1_empty(%x: tensor<4x0xf32>, %w: tensor<0xf32>) {
  // expected-error@+1 {{'transformer.rms_norm' op expected weight to be a vector of the length of the last dimension of input and not empty, got 'tensor<0xf32>' and 'tensor<4x0xf32>'}}
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5) : tensor<4x0xf32>, tensor<0xf32> -> tensor<4x0xf32>
  return
}

// -----

func.func @rms_norm_c2_epsilon(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{'transformer.rms_norm' op expected epsilon to be positive, got 0.000000e+00}}
  %y = transformer.rms_norm %x, %w epsilon(0.0) : tensor<4x8xf32>, tensor<8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @rms_norm_c3_result(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{'transformer.rms_norm' op expected a result of the shape of input, got 'tensor<4x8xf32>' and 'tensor<5x8xf32>'}}
  %y = transformer.rms_norm %x, %w epsilon(1.0e-5) : tensor<4x8xf32>, tensor<8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @residual_rms_norm_c1_weight(%x: tensor<4x8xf32>, %w: tensor<7xf32>) {
  // expected-error@+1 {{'transformer.residual_rms_norm' op expected weight to be a vector of the length of the last dimension of input and not empty, got 'tensor<7xf32>' and 'tensor<4x8xf32>'}}
  %s, %y = transformer.residual_rms_norm %x, %x, %w epsilon(1.0e-5) : tensor<4x8xf32>, tensor<7xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @residual_rms_norm_c2_epsilon(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{'transformer.residual_rms_norm' op expected epsilon to be positive, got -1.000000e+00}}
  %s, %y = transformer.residual_rms_norm %x, %x, %w epsilon(-1.0) : tensor<4x8xf32>, tensor<8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @residual_rms_norm_c3_result(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{'transformer.residual_rms_norm' op expected a result of the shape of input, got 'tensor<4x8xf32>' and 'tensor<4x9xf32>'}}
  %s, %y = transformer.residual_rms_norm %x, %x, %w epsilon(1.0e-5) : tensor<4x8xf32>, tensor<8xf32> -> tensor<4x9xf32>
  return
}

// -----

func.func @swiglu_c1_columns(%x: tensor<?x7xf32>) {
  // expected-error@+1 {{'transformer.swiglu' op expected input to have twice the columns of result, got 'tensor<?x7xf32>' and 'tensor<?x3xf32>'}}
  %y = transformer.swiglu %x : tensor<?x7xf32> -> tensor<?x3xf32>
  return
}

// -----

func.func @gather_rows_c1_columns(%x: tensor<?x8xf32>, %rows: tensor<?xi32>) {
  // expected-error@+1 {{'transformer.gather_rows' op expected a result of the selected rows of input, got 'tensor<?x8xf32>' and 'tensor<?xi32>' to 'tensor<?x7xf32>'}}
  %y = transformer.gather_rows %x, %rows : tensor<?x8xf32>, tensor<?xi32> -> tensor<?x7xf32>
  return
}

// -----

// expected-error@+1 {{'transformer.weight' op expected '{expert}' only in the name of a weight of rank 3, got 'w.{expert}' and 'tensor<4x8xf32>'}}
transformer.weight @weight_c5_rank tensor("w.{expert}") : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected scales if and only if matrices have '!transformer.scaled' elements, got 'tensor<4x8x!transformer.scaled<f8E4M3FN, 4, 4>>'}}
transformer.weight @weight_c6_none tensor("w") : tensor<4x8x!transformer.scaled<f8E4M3FN, 4, 4>>

// -----

// expected-error@+1 {{'transformer.weight' op expected scales if and only if matrices have '!transformer.scaled' elements, got 'tensor<4x8xf32>'}}
transformer.weight @weight_c6_unexpected tensor("w") scales("s") : tensor<4x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected scales if and only if matrices have '!transformer.scaled' elements, got 'tensor<8x!transformer.scaled<f8E4M3FN, 4, 4>>'}}
transformer.weight @weight_c6_vector tensor("w") scales("s")
  : tensor<8x!transformer.scaled<f8E4M3FN, 4, 4>>

// -----

// expected-error@+1 {{'transformer.weight' op expected '{layer}' and '{expert}' in the name of the scales as in that of the tensor, got 's' and 'w.{layer}'}}
transformer.weight @weight_c6_layer tensor("w.{layer}") scales("s") layers(0, 2)
  : tensor<4x8x!transformer.scaled<f8E4M3FN, 4, 4>>

// -----

shard.grid @devices(shape = 2)
// expected-error@+1 {{'transformer.weight' op expected a dimension that the devices along an axis of a static grid divide, got #transformer.split<dimension = 0, grid = @devices, axis = 0> of 'tensor<5x8xf32>'}}
transformer.weight @weight_c7_uneven tensor("w")
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<5x8xf32>

// -----

// expected-error@+1 {{'transformer.weight' op expected a dimension that the devices along an axis of a static grid divide, got #transformer.split<dimension = 0, grid = @devices, axis = 0> of 'tensor<4x8xf32>'}}
transformer.weight @weight_c7_grid tensor("w")
  split(<dimension = 0, grid = @devices, axis = 0>) : tensor<4x8xf32>

// -----

shard.grid @devices(shape = 2)
// expected-error@+1 {{'transformer.weight' op expected parts of whole blocks of 32 elements, got parts of 48}}
transformer.weight @weight_c8_block tensor("w")
  split(<dimension = 1, grid = @devices, axis = 0>) : tensor<4x96x!transformer.block<q8_0>>

// -----

shard.grid @devices(shape = 2)
// expected-error@+1 {{'transformer.weight' op expected parts of whole blocks of 4 elements, got parts of 6}}
transformer.weight @weight_c8_scaled tensor("w") scales("s")
  split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<12x8x!transformer.scaled<f8E4M3FN, 4, 8>>

// -----

shard.grid @devices(shape = 2)
transformer.weight @a tensor("a") split(<dimension = 0, grid = @devices, axis = 0>)
  : tensor<4x8xf32>
func.func @get_weight_c2_local() {
  // expected-error@+1 {{'transformer.get_weight' op expected result 'tensor<2x8xf32>', got 'tensor<4x8xf32>'}}
  %w = transformer.get_weight local [@a] : tensor<4x8xf32>
  return
}

// -----

// expected-error@+1 {{expected storage f8E4M3FN, got 'f32'}}
func.func private @scaled_storage(tensor<4x8x!transformer.scaled<f32, 4, 4>>)

// -----

// expected-error@+1 {{expected blocks of positive sizes, got 0 by 4}}
func.func private @scaled_sizes(tensor<4x8x!transformer.scaled<f8E4M3FN, 0, 4>>)

// -----

func.func @head_linear_c1_shape(%x: tensor<?x4x8xbf16>, %w: tensor<4x6x8xbf16>) {
  // expected-error@+1 {{'transformer.head_linear' op expected shapes TxHxK, HxKxN and TxHxN, got 'tensor<?x4x8xbf16>', 'tensor<4x6x8xbf16>' and 'tensor<?x4x6xbf16>'}}
  %y = transformer.head_linear %x, %w transposed
    : tensor<?x4x8xbf16>, tensor<4x6x8xbf16> -> tensor<?x4x6xbf16>
  return
}

// -----

func.func @head_linear_c1_rank(%x: tensor<?x32xbf16>, %w: tensor<4x6x8xbf16>) {
  // expected-error@+1 {{'transformer.head_linear' op expected shapes TxHxK, HxNxK and TxHxN, got 'tensor<?x32xbf16>', 'tensor<4x6x8xbf16>' and 'tensor<?x4x6xbf16>'}}
  %y = transformer.head_linear %x, %w
    : tensor<?x32xbf16>, tensor<4x6x8xbf16> -> tensor<?x4x6xbf16>
  return
}
