// What cannot be scheduled, and why.
// RUN: tcc-opt %s --split-input-file --tcc-schedule --verify-diagnostics

// A part of the rows has another number of them.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // expected-error@+1 {{'tensor.extract_slice' op cannot be scheduled: expected a part of all rows, at constant offsets}}
  %half = tensor.extract_slice %x[1, 0] [%n, 12] [1, 1] : tensor<?x12xf32> to tensor<?x12xf32>
  %y = kernel.linear %half, %w into %i operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// -----

// What a weight is in the caller it is not in the layer: the name of its tensor is
// asked for where it is read.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %y = call @layer(%x, %w) : (tensor<?x12xf32>, tensor<12x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}
func.func private @layer(%x: tensor<?x12xf32>, %w: tensor<12x12xf32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x12xf32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  // expected-error@+1 {{'kernel.linear' op reads a value that no kernel, weight or input provides}}
  %y = kernel.linear %x, %w into %i operand(f32) packing(<columns = 16>) config(#config) : tensor<?x12xf32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant 0 : index
  %hi = arith.constant 4 : index
  %st = arith.constant 2 : index
  // expected-error@+1 {{'scf.for' op expected a loop over constant layers, one by one, that is in no other loop}}
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %x) -> tensor<?x12xf32> {
    scf.yield %h : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

// How many layers there are depends on the tokens.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant 0 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  // expected-error@+1 {{'scf.for' op expected a loop over constant layers, one by one, that is in no other loop}}
  %y = scf.for %l = %lo to %n step %st iter_args(%h = %x) -> tensor<?x12xf32> {
    scf.yield %h : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant 2 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  // expected-error@+1 {{'scf.for' op expected layers from 0 or later on, and one at least, got 2 to 2}}
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %x) -> tensor<?x12xf32> {
    scf.yield %h : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant -1 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  // expected-error@+1 {{'scf.for' op expected layers from 0 or later on, and one at least, got -1 to 2}}
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %x) -> tensor<?x12xf32> {
    scf.yield %h : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant 0 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %x) -> tensor<?x12xf32> {
    // expected-error@+1 {{'scf.for' op expected a loop over constant layers, one by one, that is in no other loop}}
    %z = scf.for %m = %lo to %hi step %st iter_args(%g = %h) -> tensor<?x12xf32> {
      scf.yield %g : tensor<?x12xf32>
    }
    scf.yield %z : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

// What is carried is nobody's result at first.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %lo = arith.constant 0 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  // expected-error@+1 {{'scf.for' op reads a value that no kernel, weight or input provides}}
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %i) -> tensor<?x12xf32> {
    scf.yield %h : tensor<?x12xf32>
  }
  return %y : tensor<?x12xf32>
}

// -----

// An input cannot be replaced from layer to layer.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?xi32> {
  %lo = arith.constant 0 : index
  %hi = arith.constant 2 : index
  %st = arith.constant 1 : index
  // expected-error@+1 {{'scf.for' op carries a value that is in no buffer}}
  %y = scf.for %l = %lo to %hi step %st iter_args(%h = %tokens) -> tensor<?xi32> {
    scf.yield %h : tensor<?xi32>
  }
  return %y : tensor<?xi32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // expected-error@+1 {{'func.call' op calls a function without a body}}
  %y = call @layer(%x) : (tensor<?x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}
func.func private @layer(%x: tensor<?x12xf32>) -> tensor<?x12xf32>

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %y = call @layer(%x) : (tensor<?x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}
func.func private @layer(%x: tensor<?x12xf32>) -> tensor<?x12xf32> {
  // expected-error@+1 {{'func.call' op expected no function that calls itself, got 'layer'}}
  %y = call @layer(%x) : (tensor<?x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// -----

#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  // expected-error@+1 {{'func.call' op expected a function of one block, got 2}}
  %y = call @layer(%x) : (tensor<?x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}
func.func private @layer(%x: tensor<?x12xf32>) -> tensor<?x12xf32> {
  cf.br ^end(%x : tensor<?x12xf32>)
^end(%y: tensor<?x12xf32>):
  return %y : tensor<?x12xf32>
}

// -----

// Nobody knows what it writes, and when.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
memref.global @out : memref<1xindex>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %w = transformer.get_weight [@w] : tensor<12x12xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %i = tensor.empty(%n) : tensor<?x12xf32>
  %x = kernel.embedding %tokens, %w into %i packing(<columns = 16>) : tensor<?xi32>, tensor<12x12xf32>, tensor<?x12xf32> -> tensor<?x12xf32>
  %out = memref.get_global @out : memref<1xindex>
  // expected-error@+1 {{'memref.store' op cannot be scheduled: expected kernels, loops over layers and calls}}
  memref.store %c0, %out[%c0] : memref<1xindex>
  return %x : tensor<?x12xf32>
}

// -----

// Logits that are an input.
#config = #kernel.linear_config<arithmetic = fma, tile_rows = 3, tile_columns = 16, block_rows = 6, block_depth = 512>
transformer.weight @w tensor("w") : tensor<12x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?xi32> {
  // expected-error@+1 {{'func.return' op expected logits that a kernel computes, got an argument or a weight}}
  return %tokens : tensor<?xi32>
}

// -----

// expected-error@+1 {{expected a function @forward of tokens, positions, sequences, page table and logit rows}}
module {
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) {
  return
}
}

// -----

// expected-error@+1 {{expected a function @forward of tokens, positions, sequences, page table and logit rows}}
module {
func.func @forward(%tokens: tensor<?xi32>) -> tensor<?xi32> {
  return %tokens : tensor<?xi32>
}
}

// -----

// expected-error@+1 {{expected a function @forward of tokens, positions, sequences, page table and logit rows}}
module {
func.func private @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?xi32>
}

// -----

// expected-note@+1 {{the first cache is here}}
transformer.cache @other layers(2) heads(2) key(4) value(4) : f32
// expected-error@+1 {{'transformer.cache' op expected one cache in a module, got another: 'cache'}}
transformer.cache @cache layers(2) heads(2) key(4) value(4) : f32
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<?x?xi32>, %rows: tensor<?xi32>) -> tensor<?xi32> {
  return %tokens : tensor<?xi32>
}
