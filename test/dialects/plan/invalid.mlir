// One case for each constraint of each op, named <op>_c<n>_<what>.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics

// @buffer_c1_negative
// expected-error@+1 {{expected bytes to be an expression without negative terms, got array<i64: 0, -4, 0, 0, 0, 0, 0>}}
plan.buffer @x offset(0) bytes(-4 T) live(0, 1)

// -----

// @buffer_c2_alignment
// expected-error@+1 {{expected every term of offset to be a multiple of 64, got array<i64: 0, 96, 0, 0, 0, 0, 0>}}
plan.buffer @x offset(96 T) bytes(4 T) live(0, 1)

// -----

// @buffer_c3_order
// expected-error@+1 {{expected live(first, last) in ascending order, got array<i64: 2, 1>}}
plan.buffer @x offset(64 T) bytes(4 T) live(2, 1)

// -----

// @weight_c1_sources
// expected-error@+1 {{expected at least one source and a static shape, got 0 and 'tensor<4x4xbf16>'}}
plan.weight @w sources([]) : tensor<4x4xbf16>

// -----

// @weight_c1_shape
// expected-error@+1 {{expected at least one source and a static shape, got 1 and 'tensor<?x4xbf16>'}}
plan.weight @w sources(["w"]) : tensor<?x4xbf16>

// -----

// @weight_c2_layers
// expected-error@+1 {{expected layers(first, count) with first not negative and count positive, got array<i64: 0, 0>}}
plan.weight @w sources(["w.{layer}"]) layers(0, 0) : tensor<4x4xbf16>

// -----

// @weight_c6_sources
// expected-error@+1 {{expected no halves or those of an even number of rows within of, for each source, got [array<i64: 0, 4, 4>] for 2}}
plan.weight @w sources(["v", "w"]) halves([0, 4, 4]) : tensor<8x4xbf16>

// -----

// @weight_c6_odd
// expected-error@+1 {{expected no halves or those of an even number of rows within of, for each source, got [array<i64: 0, 3, 4>] for 1}}
plan.weight @w sources(["w"]) halves([0, 3, 4]) : tensor<4x4xbf16>

// -----

// @cache_c1_zero
// expected-error@+1 {{expected positive sizes, got 0}}
plan.cache @c layers(0) heads(1) key(4) value(4) page_tokens(32) page_bytes(512) : bf16

// -----

// @cache_c1_alignment
// expected-error@+1 {{expected page_bytes to be a multiple of 64, got 500}}
plan.cache @c layers(1) heads(1) key(4) value(4) page_tokens(32) page_bytes(500) : bf16

// -----

// @step_c1_logits
// expected-error@+1 {{expected the name of a buffer, got @nothing}}
plan.step @step logits(@nothing) arena(64 T) {
}

// -----

// @step_c1_states
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
// expected-error@+1 {{expected the name of a buffer, got @nothing}}
plan.step @step logits(@x) states(@nothing) arena(64 T) {
}

// -----

// @step_c1_samples
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
// expected-error@+1 {{expected the name of a buffer, got @nothing}}
plan.step @step logits(@x) samples(@nothing) arena(64 T) {
}

// -----

// @step_c2_body
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  // expected-error@+1 {{expected launches, collectives and loops only in a step}}
  plan.input @tokens is tokens
}

// -----

// @step_c3_arena
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
// expected-error@+1 {{expected arena to be an expression without negative terms, got array<i64: -1, 0, 0, 0, 0, 0, 0>}}
plan.step @step logits(@x) arena(-1) {
}

// -----

// @step_c3_absorbed
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
// expected-error@+1 {{expected arena to be an expression without negative terms, got array<i64: 0, 0, 0, 0, 64, -64, 0>}}
plan.step @step logits(@x) arena(64 X + -64 A) {
}

// -----

// @step_c4_expansion
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
// expected-error@+1 {{expected expansion(saving, cost, chunk) of numbers that are not negative and a positive one, got array<i64: 1, -1, 512>}}
plan.step @step logits(@x) expansion(1, -1, 512) arena(64 T) {
}

// -----

// @loop_c1_layers
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  // expected-error@+1 {{expected layers(first, count) with first not negative and count positive, got array<i64: -1, 2>}}
  plan.loop layers(-1, 2) {
  }
}

// -----

// @loop_c2_body
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  plan.loop layers(0, 2) {
    // expected-error@+1 {{expected launches and collectives only in a loop}}
    plan.input @tokens is tokens
  }
}

// -----

// @launch_c1_arguments
func.func private @kernel(memref<4xf32>, memref<4xf32>)
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  // expected-error@+1 {{expected the name of a function of 1 arguments, got @kernel}}
  plan.launch @kernel(@x) tiles(1) scratch(0)
}

// -----

// @launch_c2_argument
func.func private @kernel(memref<4xf32>)
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  // expected-error@+1 {{expected a buffer, weight, cache, rotary table or input as argument, got @kernel}}
  plan.launch @kernel(@kernel) tiles(1) scratch(0)
}

// -----

// @launch_c3_tiles
func.func private @kernel(memref<4xf32>)
plan.buffer @x offset(0) bytes(4 T) live(0, 1)
plan.step @step logits(@x) arena(64 T) {
  // expected-error@+1 {{expected tiles to be an expression without negative terms, got array<i64: 0, 0, 0, -1, 0, 0, 0>}}
  plan.launch @kernel(@x) tiles(-1 R) scratch(0)
}

// -----

// expected-error@+1 {{'plan.weight' op expected scales for each source, got 1 for 2}}
plan.weight @weight_c3_scales sources(["a", "b"]) scales(["s"]) : tensor<4x8xf32>

// -----

// expected-error@+1 {{'plan.weight' op expected rows(first, count, of) of matrices of count rows, got array<i64: 4, 4, 6> and 'tensor<2x4x8xf32>'}}
plan.weight @weight_c4_beyond sources(["a"]) rows(4, 4, 6) : tensor<2x4x8xf32>

// -----

// expected-error@+1 {{'plan.weight' op expected rows(first, count, of) of matrices of count rows, got array<i64: 0, 3, 6> and 'tensor<2x4x8xf32>'}}
plan.weight @weight_c4_count sources(["a"]) rows(0, 3, 6) : tensor<2x4x8xf32>

// -----

// expected-error@+1 {{'plan.weight' op expected split(dimension, parts) of a dimension of the type, got array<i64: 2, 2> and 'tensor<4x8xf32>'}}
plan.weight @weight_c5_dimension sources(["a"]) split(2, 2) : tensor<4x8xf32>

// -----

shard.grid @devices(shape = 2)
plan.buffer @logits offset(0) bytes(64) live(0, 1)
plan.step @collective_c1_buffer logits(@logits) arena(64) {
  // expected-error@+1 {{'plan.collective' op expected the name of a buffer, got @x}}
  plan.collective all_reduce(@logits, @x) on @devices axes(0) rows(1 T) columns(4) : f32
}

// -----

shard.grid @devices(shape = 2)
plan.buffer @logits offset(0) bytes(64) live(0, 1)
plan.step @collective_c2_axes logits(@logits) arena(64) {
  // expected-error@+1 {{'plan.collective' op expected axes of a grid, got array<i64: 1> of @devices}}
  plan.collective all_reduce(@logits, @logits) on @devices axes(1) rows(1 T) columns(4) : f32
}

// -----

plan.buffer @logits offset(0) bytes(64) live(0, 1)
plan.step @collective_c2_grid logits(@logits) arena(64) {
  // expected-error@+1 {{'plan.collective' op expected axes of a grid, got array<i64: 0> of @devices}}
  plan.collective all_reduce(@logits, @logits) on @devices axes(0) rows(1 T) columns(4) : f32
}

// -----

shard.grid @devices(shape = 2)
plan.buffer @logits offset(0) bytes(64) live(0, 1)
plan.step @collective_c3_rows logits(@logits) arena(64) {
  // expected-error@+1 {{'plan.collective' op expected rows to be an expression without negative terms, got array<i64: -1, 0, 0, 0, 0, 0, 0>}}
  plan.collective all_reduce(@logits, @logits) on @devices axes(0) rows(-1) columns(4) : f32
}

// -----

shard.grid @devices(shape = 2)
plan.buffer @logits offset(0) bytes(64) live(0, 1)
plan.step @collective_c3_columns logits(@logits) arena(64) {
  // expected-error@+1 {{'plan.collective' op expected positive columns, got 0}}
  plan.collective all_gather(@logits, @logits) on @devices axes(0) rows(1 T) columns(0) : f32
}
