// One case for each constraint of each op of experts, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

func.func @select_experts_c1_bias(%s: tensor<?x8xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected shapes TxE, E and TxJ, with E and J static and positive, got 'tensor<?x8xf32>' to 'tensor<?x2xi32>'}}
  %e = transformer.select_experts %s bias(%b : tensor<4xf32>)
    : tensor<?x8xf32> -> tensor<?x2xi32>
  return
}

// -----

func.func @select_experts_c1_dynamic(%s: tensor<?x?xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected shapes TxE, E and TxJ, with E and J static and positive, got 'tensor<?x?xf32>' to 'tensor<?x2xi32>'}}
  %e = transformer.select_experts %s : tensor<?x?xf32> -> tensor<?x2xi32>
  return
}

// -----

func.func @select_experts_c2_groups(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected groups that divide the experts, of which some are kept by some of their experts, got 3, 1 and 1 for 8 experts}}
  %e = transformer.select_experts %s groups(3) keep(1) top(1)
    : tensor<?x8xf32> -> tensor<?x2xi32>
  return
}

// -----

func.func @select_experts_c2_keep(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected groups that divide the experts, of which some are kept by some of their experts, got 4, 5 and 1 for 8 experts}}
  %e = transformer.select_experts %s groups(4) keep(5) top(1)
    : tensor<?x8xf32> -> tensor<?x2xi32>
  return
}

// -----

func.func @select_experts_c2_top(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected groups that divide the experts, of which some are kept by some of their experts, got 4, 2 and 3 for 8 experts}}
  %e = transformer.select_experts %s groups(4) keep(2) top(3)
    : tensor<?x8xf32> -> tensor<?x2xi32>
  return
}

// -----

func.func @select_experts_c3_count(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.select_experts' op expected at most 4 experts of a token, got 5}}
  %e = transformer.select_experts %s groups(4) keep(2) top(1)
    : tensor<?x8xf32> -> tensor<?x5xi32>
  return
}

// -----

func.func @gather_columns_c1_rows(%x: tensor<3x8xf32>, %c: tensor<4x2xi32>) {
  // expected-error@+1 {{'transformer.gather_columns' op expected a result of the selected elements of each row, got 'tensor<3x8xf32>' and 'tensor<4x2xi32>' to 'tensor<4x2xf32>'}}
  %y = transformer.gather_columns %x, %c
    : tensor<3x8xf32>, tensor<4x2xi32> -> tensor<4x2xf32>
  return
}

// -----

func.func @sum_norm_c1_negative(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.sum_norm' op expected epsilon not to be negative, got -1.000000e+00}}
  %y = transformer.sum_norm %x epsilon(-1.0) : tensor<?x8xf32>
  return
}

// -----

func.func @expert_linear_c1_choices(%x: tensor<?x3x4xf32>, %e: tensor<?x2xi32>, %w: tensor<8x6x4xf32>) {
  // expected-error@+1 {{'transformer.expert_linear' op expected shapes TxK or TxJxK, TxJ, ExNxK and TxJxN, got 'tensor<?x3x4xf32>', 'tensor<?x2xi32>', 'tensor<8x6x4xf32>' and 'tensor<?x2x6xf32>'}}
  %y = transformer.expert_linear %x, %e, %w
    : tensor<?x3x4xf32>, tensor<?x2xi32>, tensor<8x6x4xf32> -> tensor<?x2x6xf32>
  return
}

// -----

func.func @route_c1_weights(%l: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.route' op expected experts and weights of one shape, got 'tensor<?x2xi32>' and 'tensor<?x3xf32>'}}
  %e, %w = transformer.route %l softmax
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x3xf32>
  return
}

// -----

func.func @route_c1_rank(%l: tensor<8xf32>) {
  // expected-error@+1 {{'transformer.route' op expected shapes TxE, E and TxJ, with E and J static and positive, got 'tensor<8xf32>' to 'tensor<?x2xi32>'}}
  %e, %w = transformer.route %l softmax
    : tensor<8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_c2_groups(%l: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.route' op expected groups that divide the experts, of which some are kept by some of their experts, got 3, 1 and 1 for 8 experts}}
  %e, %w = transformer.route %l softmax groups(3) keep(1) top(1)
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @route_c3_count(%l: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.route' op expected at most 4 experts of a token, got 5}}
  %e, %w = transformer.route %l softmax groups(4) keep(2) top(1)
    : tensor<?x8xf32> -> tensor<?x5xi32>, tensor<?x5xf32>
  return
}

// -----

func.func @route_c4_normalize(%l: tensor<?x8xf32>) {
  // expected-error@+1 {{'transformer.route' op expected normalize not to be negative, got -1.000000e+00}}
  %e, %w = transformer.route %l softmax normalize(-1.0)
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

func.func @dispatch_c1_offsets(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{'transformer.dispatch' op expected shapes TxJ to M, TxJ and a static E + 1, got 'tensor<?x2xi32>' to 'tensor<?xi32>', 'tensor<?x2xi32>' and 'tensor<?xi32>'}}
  %r, %p, %o = transformer.dispatch %e
    : tensor<?x2xi32> -> tensor<?xi32>, tensor<?x2xi32>, tensor<?xi32>
  return
}

// -----

func.func @dispatch_c1_places(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{'transformer.dispatch' op expected shapes TxJ to M, TxJ and a static E + 1, got 'tensor<?x2xi32>' to 'tensor<?xi32>', 'tensor<?x3xi32>' and 'tensor<9xi32>'}}
  %r, %p, %o = transformer.dispatch %e
    : tensor<?x2xi32> -> tensor<?xi32>, tensor<?x3xi32>, tensor<9xi32>
  return
}

// -----

func.func @grouped_linear_c1_offsets(%x: tensor<?x4xf32>, %w: tensor<8x6x4xf32>, %o: tensor<8xi32>) {
  // expected-error@+1 {{'transformer.grouped_linear' op expected shapes MxK, ExNxK, E + 1 and MxN, got 'tensor<?x4xf32>', 'tensor<8x6x4xf32>', 'tensor<8xi32>' and 'tensor<?x6xf32>'}}
  %y = transformer.grouped_linear %x, %w offsets(%o)
    : tensor<?x4xf32>, tensor<8x6x4xf32>, tensor<8xi32> -> tensor<?x6xf32>
  return
}

// -----

func.func @combine_c1_columns(%x: tensor<?x4xf32>, %p: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{'transformer.combine' op expected shapes MxN, TxJ, TxJ and TxN, got 'tensor<?x4xf32>', 'tensor<?x2xi32>', 'tensor<?x2xf32>' and 'tensor<?x5xf32>'}}
  %y = transformer.combine %x, %p, %w
    : tensor<?x4xf32>, tensor<?x2xi32>, tensor<?x2xf32> -> tensor<?x5xf32>
  return
}
