// What the interpreter finds wrong when it runs.
// RUN: tcc-opt %s --split-input-file --tcc-interpret="length=3 page-size=2" --verify-diagnostics -o /dev/null

// expected-error@+1 {{expected a public function with a body, got none}}
module {
  func.func private @hidden() {
    return
  }
}

// -----

func.func @unknown_op(%x: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{'math.exp' op cannot be interpreted: it does not implement InterpretableOpInterface}}
  %y = math.exp %x : tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

// expected-error@+1 {{'func.func' op expected arguments of at most 268435456 elements, got 'tensor<1073741824xf32>'}}
func.func @large_argument(%x: tensor<1073741824xf32>) {
  return
}

// -----

func.func @large_tensor() {
  // expected-error@+1 {{'tensor.empty' op expected at most 1073741824 elements, got a tensor of shape [65536, 65536]}}
  %x = tensor.empty() : tensor<65536x65536xf32>
  return
}

// -----

// Products of sizes do not overflow, and a size of 0 does not hide the others.
func.func @overflowing_tensor() {
  // expected-error@+1 {{'tensor.empty' op expected at most 1073741824 elements, got a tensor of shape [0, 4294967296, 4294967296]}}
  %x = tensor.empty() : tensor<0x4294967296x4294967296xf32>
  return
}

// -----

func.func @negative_size() {
  %n = arith.constant -1 : index
  // expected-error@+1 {{'tensor.empty' op expected sizes of at least 0, got -1}}
  %x = tensor.empty(%n) : tensor<?xf32>
  return
}

// -----

func.func @result_type(%x: tensor<?xf32>) {
  // expected-error@+1 {{'tensor.cast' op expected a result of 'tensor<4xf32>', got shape [3]}}
  %y = tensor.cast %x : tensor<?xf32> to tensor<4xf32>
  return
}

// -----

// expected-error@+1 {{'func.func' op expected a body, got a declaration}}
func.func private @declared()
func.func @calls_declaration() {
  call @declared() : () -> ()
  return
}

// -----

// expected-error@+1 {{'func.func' op expected calls to nest at most 4096 deep}}
func.func @endless() {
  call @endless() : () -> ()
  return
}

// -----

func.func @step() {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  // expected-error@+1 {{'scf.for' op expected a positive step, got 0}}
  scf.for %i = %c0 to %c3 step %c0 {
  }
  return
}

// -----

//===----------------------------------------------------------------------===//
// arith
//===----------------------------------------------------------------------===//

func.func @large_integer() {
  %x = arith.constant 9007199254740991 : i64
  %c1 = arith.constant 1 : i64
  // expected-error@+1 {{'arith.addi' op expected an integer of at most 53 bits, got 9.007199e+15}}
  %y = arith.addi %x, %c1 : i64
  return
}

// -----

func.func @shapes(%x: tensor<?xf32>) {
  %y = arith.constant dense<1.0> : tensor<4xf32>
  %z = tensor.cast %y : tensor<4xf32> to tensor<?xf32>
  // expected-error@+1 {{'arith.addf' op expected operands of one shape, got [3] and [4]}}
  %s = arith.addf %x, %z : tensor<?xf32>
  return
}

// -----

func.func @divisor() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error@+1 {{'arith.ceildivsi' op expected a divisor other than 0, got 0}}
  %z = arith.ceildivsi %c1, %c0 : index
  return
}

// -----

func.func @unsigned() {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'arith.cmpi' op expected a signed comparison, got 'ult'}}
  %z = arith.cmpi ult, %c0, %c0 : index
  return
}

// -----

func.func @constant() {
  // expected-error@+1 {{'arith.constant' op expected numbers, got dense_resource<blob> : tensor<3xf32>}}
  %x = arith.constant dense_resource<blob> : tensor<3xf32>
  return
}

{-#
  dialect_resources: { builtin: { blob: "0x08000000010000000000000002000000" } }
#-}

// -----

//===----------------------------------------------------------------------===//
// tensor
//===----------------------------------------------------------------------===//

func.func @expand_shape(%x: tensor<?xf32>) {
  %c2 = arith.constant 2 : index
  // expected-error@+1 {{'tensor.expand_shape' op expected a shape of 3 elements, got [2, 2]}}
  %y = tensor.expand_shape %x [[0, 1]] output_shape [%c2, 2] : tensor<?xf32> into tensor<?x2xf32>
  return
}

// -----

func.func @dim(%x: tensor<?xf32>, %i: tensor<1xindex>) {
  %c1 = arith.constant 1 : index
  %c2 = arith.addi %c1, %c1 : index
  // expected-error@+1 {{'tensor.dim' op expected a dimension below 1, got 2}}
  %y = tensor.dim %x, %c2 : tensor<?xf32>
  return
}

// -----

func.func @unranked(%x: tensor<?xf32>) {
  // expected-error@+1 {{'tensor.cast' op expected a ranked result, got 'tensor<*xf32>'}}
  %y = tensor.cast %x : tensor<?xf32> to tensor<*xf32>
  return
}

// -----

func.func @extract_slice(%x: tensor<?xf32>) {
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice within 3 elements, got offset 2, size 2 and stride 1}}
  %y = tensor.extract_slice %x[2] [2] [1] : tensor<?xf32> to tensor<2xf32>
  return
}

// -----

func.func @insert_slice(%x: tensor<?xf32>) {
  %c1 = arith.constant 1 : index
  %n = arith.constant 3 : index
  // expected-error@+1 {{'tensor.insert_slice' op expected a slice within 3 elements, got offset 1, size 3 and stride 1}}
  %y = tensor.insert_slice %x into %x[%c1] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return
}

// -----

// Places do not overflow: the last would be at 2^64.
func.func @far_slice(%x: tensor<?xf32>) {
  %n = arith.constant 4097 : index
  %s = arith.constant 4503599627370496 : index
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice within 3 elements, got offset 0, size 4097 and stride 4503599627370496}}
  %y = tensor.extract_slice %x[0] [%n] [%s] : tensor<?xf32> to tensor<?xf32>
  return
}

// -----

func.func @collapse_shape(%x: tensor<?x2x3xf32>) {
  // expected-error@+1 {{'tensor.collapse_shape' op expected groups of the dimensions 0 to 2 in their order, got 1099511627776}}
  %y = tensor.collapse_shape %x [[1099511627776], [1, 2]] : tensor<?x2x3xf32> into tensor<?x6xf32>
  return
}

// -----

func.func @insert_slice_source(%x: tensor<?xf32>) {
  %c2 = arith.constant 2 : index
  // expected-error@+1 {{'tensor.insert_slice' op expected a source of 2 elements, got 3}}
  %y = tensor.insert_slice %x into %x[0] [%c2] [1] : tensor<?xf32> into tensor<?xf32>
  return
}

// -----

func.func @concat(%x: tensor<?x2xf32>) {
  %y = arith.constant dense<1.0> : tensor<4x2xf32>
  %z = tensor.cast %y : tensor<4x2xf32> to tensor<?x2xf32>
  // expected-error@+1 {{'tensor.concat' op expected inputs that agree in all dimensions but 1, got one of shape [4, 2]}}
  %s = tensor.concat dim(1) %x, %z : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// transformer
//===----------------------------------------------------------------------===//

transformer.weight @w tensor("w.{layer}") layers(0, 2) and (4, 1) : tensor<2x2xf32>
func.func @layer() {
  %layer = arith.constant 3 : index
  // expected-error@+1 {{'transformer.get_weight' op expected a layer of '@w', got 3}}
  %w = transformer.get_weight [@w] layer(%layer) : tensor<2x2xf32>
  return
}

// -----

transformer.weight @w tensor("w") : tensor<4294967296x4294967296xf32>
func.func @large_weight() -> tensor<4294967296x4294967296xf32> {
  // expected-error@+1 {{'transformer.get_weight' op expected at most 1073741824 elements, got a tensor of shape [4294967296, 4294967296]}}
  %w = transformer.get_weight [@w] : tensor<4294967296x4294967296xf32>
  return %w : tensor<4294967296x4294967296xf32>
}

// -----

func.func @token(%e: tensor<2x2xf32>) {
  %t = arith.constant dense<[1, 2]> : tensor<2xi32>
  // expected-error@+1 {{'transformer.embedding' op expected tokens of at least 0 and less than 2, got 2}}
  %x = transformer.embedding %t, %e : tensor<2xi32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @negative_token(%e: tensor<2x2xf32>) {
  %t = arith.constant dense<[1, -1]> : tensor<2xi32>
  // expected-error@+1 {{'transformer.embedding' op expected tokens of at least 0 and less than 2, got -1}}
  %x = transformer.embedding %t, %e : tensor<2xi32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @linear_depth(%x: tensor<?x?xf32>, %w: tensor<2x4xf32>) {
  // expected-error@+1 {{'transformer.linear' op expected dimension K of weight to be 3, got 4}}
  %y = transformer.linear %x, %w : tensor<?x?xf32>, tensor<2x4xf32> -> tensor<?x2xf32>
  return
}

// -----

func.func @norm_weight(%x: tensor<2x?xf32>) {
  %w = arith.constant dense<1.0> : tensor<4xf32>
  %any = tensor.cast %w : tensor<4xf32> to tensor<?xf32>
  // expected-error@+1 {{'transformer.rms_norm' op expected a weight of 3 elements, got shape [4]}}
  %y = transformer.rms_norm %x, %any epsilon(1.0e-5) : tensor<2x?xf32>, tensor<?xf32> -> tensor<2x?xf32>
  return
}

// -----

func.func @residual_shape(%x: tensor<?x2xf32>, %w: tensor<2xf32>) {
  %y = arith.constant dense<1.0> : tensor<4x2xf32>
  %z = tensor.cast %y : tensor<4x2xf32> to tensor<?x2xf32>
  // expected-error@+1 {{'transformer.residual_rms_norm' op expected operands of one shape, got [3, 2] and [4, 2]}}
  %s, %n = transformer.residual_rms_norm %x, %z, %w epsilon(1.0e-5) : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  return
}

// -----

func.func @row(%x: tensor<?x2xf32>) {
  %r = arith.constant dense<[3]> : tensor<1xi32>
  // expected-error@+1 {{'transformer.gather_rows' op expected rows of at least 0 and less than 3, got 3}}
  %y = transformer.gather_rows %x, %r : tensor<?x2xf32>, tensor<1xi32> -> tensor<1x2xf32>
  return
}

// -----

func.func @positions(%x: tensor<?x1x2xf32>) {
  %p = arith.constant dense<[0, 1]> : tensor<2xi32>
  // expected-error@+1 {{'transformer.rotary_embedding' op expected dimension T of positions to be 3, got 2}}
  %y = transformer.rotary_embedding %x, %p frequencies([1.0]) : tensor<?x1x2xf32>, tensor<2xi32> -> tensor<?x1x2xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// transformer: the cache
//===----------------------------------------------------------------------===//

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @cache_layer(%x: tensor<1x1x1xf32>, %p: tensor<1xi32>, %t: tensor<1x1xi32>) {
  %layer = arith.constant 2 : index
  // expected-error@+1 {{'transformer.cache_append' op expected a layer of at least 0 and less than 2, got 2}}
  transformer.cache_append @cache layer(%layer), %x, %x at(%p, %p, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @sequence(%x: tensor<1x1x1xf32>, %p: tensor<1xi32>, %t: tensor<2x1xi32>) {
  %layer = arith.constant 0 : index
  %s = arith.constant dense<[2]> : tensor<1xi32>
  // expected-error@+1 {{'transformer.cache_append' op expected sequences of at least 0 and less than 2, got 2}}
  transformer.cache_append @cache layer(%layer), %x, %x at(%p, %s, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<2x1xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @ascending(%x: tensor<2x1x1xf32>, %t: tensor<2x1xi32>) {
  %layer = arith.constant 0 : index
  %p = arith.constant dense<[0, 0]> : tensor<2xi32>
  %s = arith.constant dense<[1, 0]> : tensor<2xi32>
  // expected-error@+1 {{'transformer.cache_append' op expected ascending sequences, got 0 after 1}}
  transformer.cache_append @cache layer(%layer), %x, %x at(%p, %s, %t)
    : tensor<2x1x1xf32>, tensor<2x1x1xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2x1xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @position(%x: tensor<1x1x1xf32>, %s: tensor<1xi32>, %t: tensor<1x3xi32>) {
  %layer = arith.constant 0 : index
  %p = arith.constant dense<[6]> : tensor<1xi32>
  // expected-error@+1 {{'transformer.paged_attention' op expected positions within 3 pages of 2, got 6}}
  %o = transformer.paged_attention @cache layer(%layer), %x at(%p, %s, %t) scale(1.0)
    : tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x3xi32> -> tensor<1x1x1xf32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @page(%x: tensor<1x1x1xf32>, %s: tensor<1xi32>) {
  %layer = arith.constant 0 : index
  %p = arith.constant dense<[3]> : tensor<1xi32>
  %t = arith.constant dense<[[0, -1]]> : tensor<1x2xi32>
  // expected-error@+1 {{'transformer.cache_append' op expected a page for position 3 of sequence 0, got -1}}
  transformer.cache_append @cache layer(%layer), %x, %x at(%p, %s, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x2xi32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @never_appended(%x: tensor<1x1x1xf32>, %s: tensor<1xi32>, %t: tensor<1x2xi32>) {
  %layer = arith.constant 0 : index
  %p0 = arith.constant dense<[0]> : tensor<1xi32>
  %p2 = arith.constant dense<[2]> : tensor<1xi32>
  transformer.cache_append @cache layer(%layer), %x, %x at(%p0, %s, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x2xi32>
  // expected-error@+1 {{'transformer.paged_attention' op expected every position up to 2 in the cache, got none at 1}}
  %o = transformer.paged_attention @cache layer(%layer), %x at(%p2, %s, %t) scale(1.0)
    : tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1x2xi32> -> tensor<1x1x1xf32>
  return
}

// -----

transformer.cache @cache layers(2) heads(1) key(1) value(1) : f32
func.func @page_table_rank(%x: tensor<1x1x1xf32>, %s: tensor<1xi32>, %t: tensor<1xi32>) {
  %layer = arith.constant 0 : index
  // expected-error@+1 {{'transformer.cache_append' op expected page_table of rank 2, got rank 1}}
  transformer.cache_append @cache layer(%layer), %x, %x at(%s, %s, %t)
    : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Entries of models
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'func.func' op expected at most 268435456 logits, got 3 sequences of up to 3 tokens and 134217728 logits each}}
func.func @large_vocabulary(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x134217728xf32> {
  %x = arith.constant dense<1.0> : tensor<1x134217728xf32>
  %y = tensor.cast %x : tensor<1x134217728xf32> to tensor<?x134217728xf32>
  return %y : tensor<?x134217728xf32>
}

// -----

// expected-error@+1 {{'func.func' op expected logits of 3 rows, got 2}}
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x4xf32> {
  %x = arith.constant dense<1.0> : tensor<2x4xf32>
  %y = tensor.cast %x : tensor<2x4xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
