// Each `no_` case stays as it is: no weight has halves, and every rotation that was
// interleaved is.
// RUN: tcc-opt %s --split-input-file --tcc-fold-rotation | FileCheck %s
// RUN: tcc-opt %s --split-input-file -o /dev/null --tcc-verify-meaning="pipeline=tcc-fold-rotation"

// Two query heads share a key.
// CHECK: transformer.weight @q tensor("q") halves(0, 6, 6) : tensor<12x8xf32>
// CHECK: transformer.weight @k tensor("k") halves(0, 6, 6) : tensor<6x8xf32>
// CHECK-LABEL: func @f
// CHECK: %[[Q:.*]] = tensor.expand_shape
// CHECK: %[[RQ:.*]] = transformer.rotary_embedding %[[Q]], %{{.*}} frequencies([1.0
// CHECK: %[[K:.*]] = tensor.expand_shape
// CHECK: %[[RK:.*]] = transformer.rotary_embedding %[[K]], %{{.*}} frequencies([1.0
// CHECK: transformer.attention %[[RQ]], %[[RK]]
transformer.weight @q tensor("q") : tensor<12x8xf32>
transformer.weight @k tensor("k") : tensor<6x8xf32>
func.func @f(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x2x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<12x8xf32>
  %q = transformer.linear %x, %wq
    : tensor<?x8xf32>, tensor<12x8xf32> -> tensor<?x12xf32>
  %query = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 2, 6]
    : tensor<?x12xf32> into tensor<?x2x6xf32>
  %rq = transformer.rotary_embedding %query, %pos interleaved
    frequencies([1.0, 0.1, 0.01])
    : tensor<?x2x6xf32>, tensor<?xi32> -> tensor<?x2x6xf32>
  %wk = transformer.get_weight [@k] : tensor<6x8xf32>
  %k = transformer.linear %x, %wk
    : tensor<?x8xf32>, tensor<6x8xf32> -> tensor<?x6xf32>
  %key = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 6]
    : tensor<?x6xf32> into tensor<?x1x6xf32>
  %rk = transformer.rotary_embedding %key, %pos interleaved
    frequencies([1.0, 0.1, 0.01])
    : tensor<?x1x6xf32>, tensor<?xi32> -> tensor<?x1x6xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x2x6xf32>, tensor<?x1x6xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x2x4xf32>
  return %o : tensor<?x2x4xf32>
}

// -----

// A part of each head is rotated, in the key one that all heads share; the layers of both
// have biases and other columns. Two functions read the weights.
// CHECK: transformer.weight @q tensor("q.{layer}") layers(0, 4) halves(3, 4, 7) : tensor<14x8xbf16>
// CHECK: transformer.weight @q_bias tensor("q_bias.{layer}") layers(0, 4) halves(3, 4, 7) : tensor<14xf32>
// CHECK: transformer.weight @k tensor("k.{layer}") scales("s.{layer}") layers(0, 4) halves(5, 4, 9)
// CHECK: transformer.weight @k_bias tensor("k_bias.{layer}") layers(0, 4) halves(5, 4, 9)
// CHECK-LABEL: func @parts
// CHECK-NOT: interleaved
transformer.weight @q tensor("q.{layer}") layers(0, 4) : tensor<14x8xbf16>
transformer.weight @q_bias tensor("q_bias.{layer}") layers(0, 4) : tensor<14xf32>
transformer.weight @k tensor("k.{layer}") scales("s.{layer}") layers(0, 4)
  : tensor<9x8x!transformer.scaled<f8E4M3FN, 4, 4>>
transformer.weight @k_bias tensor("k_bias.{layer}") layers(0, 4) : tensor<9xf32>
func.func @parts(%x: tensor<?x8xf32>, %plain: tensor<?x2x3xbf16>, %v: tensor<?x2x4xbf16>,
                 %pos: tensor<?xi32>, %layer: index)
    -> (tensor<?x2x4xbf16>, tensor<?x2x3xf32>, tensor<?x5xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] layer(%layer) : tensor<14x8xbf16>
  %bq = transformer.get_weight [@q_bias] layer(%layer) : tensor<14xf32>
  %q = transformer.linear %x, %wq bias(%bq : tensor<14xf32>)
    : tensor<?x8xf32>, tensor<14x8xbf16> -> tensor<?x14xf32>
  %tq = tensor.dim %q, %c0 : tensor<?x14xf32>
  %q_heads = tensor.expand_shape %q [[0], [1, 2]] output_shape [%tq, 2, 7]
    : tensor<?x14xf32> into tensor<?x2x7xf32>
  %q_plain = tensor.extract_slice %q_heads[0, 0, 0] [%t, 2, 3] [1, 1, 1]
    : tensor<?x2x7xf32> to tensor<?x2x3xf32>
  %q_plain_rounded = arith.truncf %q_plain : tensor<?x2x3xf32> to tensor<?x2x3xbf16>
  %q_part = tensor.extract_slice %q_heads[0, 0, 3] [%tq, 2, 4] [1, 1, 1]
    : tensor<?x2x7xf32> to tensor<?x2x4xf32>
  %q_rotated = transformer.rotary_embedding %q_part, %pos interleaved
    frequencies([1.0, 0.1]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %query = tensor.concat dim(2) %q_plain_rounded, %q_rotated
    : (tensor<?x2x3xbf16>, tensor<?x2x4xbf16>) -> tensor<?x2x7xbf16>
  %wk = transformer.get_weight [@k] layer(%layer)
    : tensor<9x8x!transformer.scaled<f8E4M3FN, 4, 4>>
  %bk = transformer.get_weight [@k_bias] layer(%layer) : tensor<9xf32>
  %k = transformer.linear %x, %wk bias(%bk : tensor<9xf32>)
    : tensor<?x8xf32>, tensor<9x8x!transformer.scaled<f8E4M3FN, 4, 4>> -> tensor<?x9xf32>
  %tk = tensor.dim %k, %c0 : tensor<?x9xf32>
  %latent = tensor.extract_slice %k[0, 0] [%t, 5] [1, 1] : tensor<?x9xf32> to tensor<?x5xf32>
  %k_part = tensor.extract_slice %k[0, 5] [%tk, 4] [1, 1] : tensor<?x9xf32> to tensor<?x4xf32>
  %k_rounded = arith.truncf %k_part : tensor<?x4xf32> to tensor<?x4xbf16>
  %k_head = tensor.expand_shape %k_rounded [[0], [1, 2]] output_shape [%tk, 1, 4]
    : tensor<?x4xbf16> into tensor<?x1x4xbf16>
  %k_rotated = transformer.rotary_embedding %k_head, %pos interleaved
    frequencies([1.0, 0.1]) : tensor<?x1x4xbf16>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_all = transformer.repeat_heads %k_rotated times(2)
    : tensor<?x1x4xbf16> -> tensor<?x2x4xbf16>
  %key = tensor.concat dim(2) %plain, %k_all
    : (tensor<?x2x3xbf16>, tensor<?x2x4xbf16>) -> tensor<?x2x7xbf16>
  %o = transformer.attention %query, %key, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x2x7xbf16>, tensor<?x2x7xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x2x4xbf16>
  return %o, %q_plain, %latent : tensor<?x2x4xbf16>, tensor<?x2x3xf32>, tensor<?x5xf32>
}

// CHECK-LABEL: func @parts_again
// CHECK-NOT: interleaved
func.func @parts_again(%x: tensor<?x8xf32>, %plain: tensor<?x2x3xbf16>, %v: tensor<?x2x4xbf16>,
                 %pos: tensor<?xi32>, %layer: index)
    -> (tensor<?x2x4xbf16>, tensor<?x2x3xf32>, tensor<?x5xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] layer(%layer) : tensor<14x8xbf16>
  %bq = transformer.get_weight [@q_bias] layer(%layer) : tensor<14xf32>
  %q = transformer.linear %x, %wq bias(%bq : tensor<14xf32>)
    : tensor<?x8xf32>, tensor<14x8xbf16> -> tensor<?x14xf32>
  %tq = tensor.dim %q, %c0 : tensor<?x14xf32>
  %q_heads = tensor.expand_shape %q [[0], [1, 2]] output_shape [%tq, 2, 7]
    : tensor<?x14xf32> into tensor<?x2x7xf32>
  %q_plain = tensor.extract_slice %q_heads[0, 0, 0] [%t, 2, 3] [1, 1, 1]
    : tensor<?x2x7xf32> to tensor<?x2x3xf32>
  %q_plain_rounded = arith.truncf %q_plain : tensor<?x2x3xf32> to tensor<?x2x3xbf16>
  %q_part = tensor.extract_slice %q_heads[0, 0, 3] [%tq, 2, 4] [1, 1, 1]
    : tensor<?x2x7xf32> to tensor<?x2x4xf32>
  %q_rotated = transformer.rotary_embedding %q_part, %pos interleaved
    frequencies([1.0, 0.1]) : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xbf16>
  %query = tensor.concat dim(2) %q_plain_rounded, %q_rotated
    : (tensor<?x2x3xbf16>, tensor<?x2x4xbf16>) -> tensor<?x2x7xbf16>
  %wk = transformer.get_weight [@k] layer(%layer)
    : tensor<9x8x!transformer.scaled<f8E4M3FN, 4, 4>>
  %bk = transformer.get_weight [@k_bias] layer(%layer) : tensor<9xf32>
  %k = transformer.linear %x, %wk bias(%bk : tensor<9xf32>)
    : tensor<?x8xf32>, tensor<9x8x!transformer.scaled<f8E4M3FN, 4, 4>> -> tensor<?x9xf32>
  %tk = tensor.dim %k, %c0 : tensor<?x9xf32>
  %latent = tensor.extract_slice %k[0, 0] [%t, 5] [1, 1] : tensor<?x9xf32> to tensor<?x5xf32>
  %k_part = tensor.extract_slice %k[0, 5] [%tk, 4] [1, 1] : tensor<?x9xf32> to tensor<?x4xf32>
  %k_rounded = arith.truncf %k_part : tensor<?x4xf32> to tensor<?x4xbf16>
  %k_head = tensor.expand_shape %k_rounded [[0], [1, 2]] output_shape [%tk, 1, 4]
    : tensor<?x4xbf16> into tensor<?x1x4xbf16>
  %k_rotated = transformer.rotary_embedding %k_head, %pos interleaved
    frequencies([1.0, 0.1]) : tensor<?x1x4xbf16>, tensor<?xi32> -> tensor<?x1x4xbf16>
  %k_all = transformer.repeat_heads %k_rotated times(2)
    : tensor<?x1x4xbf16> -> tensor<?x2x4xbf16>
  %key = tensor.concat dim(2) %plain, %k_all
    : (tensor<?x2x3xbf16>, tensor<?x2x4xbf16>) -> tensor<?x2x7xbf16>
  %o = transformer.attention %query, %key, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x2x7xbf16>, tensor<?x2x7xbf16>, tensor<?x2x4xbf16>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x2x4xbf16>
  return %o, %q_plain, %latent : tensor<?x2x4xbf16>, tensor<?x2x3xf32>, tensor<?x5xf32>
}

// -----

// The key is rotated in halves already.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_two_rotations
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}} frequencies
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_two_rotations(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Query and key are rotated at different elements of the head.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_other_place
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<2x8xf32>
transformer.weight @k tensor("k") : tensor<2x8xf32>
func.func @no_other_place(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>,
    %p: tensor<?x1x2xf32>) -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<2x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %cq = tensor.concat dim(2) %p, %rq
    : (tensor<?x1x2xf32>, tensor<?x1x2xf32>) -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<2x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %ck = tensor.concat dim(2) %rk, %p
    : (tensor<?x1x2xf32>, tensor<?x1x2xf32>) -> tensor<?x1x4xf32>
  %o = transformer.attention %cq, %ck, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// More of the query is rotated than of the key.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_other_size
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<2x8xf32>
func.func @no_other_size(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>,
    %p: tensor<?x1x2xf32>) -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<2x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %ck = tensor.concat dim(2) %rk, %p
    : (tensor<?x1x2xf32>, tensor<?x1x2xf32>) -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %ck, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Both parts of query and key are rotated.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK: transformer.weight @a tensor("a") :
// CHECK: transformer.weight @b tensor("b") :
// CHECK-LABEL: func @no_two_parts
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<2x8xf32>
transformer.weight @k tensor("k") : tensor<2x8xf32>
transformer.weight @a tensor("a") : tensor<2x8xf32>
transformer.weight @b tensor("b") : tensor<2x8xf32>
func.func @no_two_parts(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<2x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %wk = transformer.get_weight [@k] : tensor<2x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %wa = transformer.get_weight [@a] : tensor<2x8xf32>
  %a = transformer.linear %x, %wa : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %ha = tensor.expand_shape %a [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %ra = transformer.rotary_embedding %ha, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %wb = transformer.get_weight [@b] : tensor<2x8xf32>
  %b = transformer.linear %x, %wb : tensor<?x8xf32>, tensor<2x8xf32> -> tensor<?x2xf32>
  %hb = tensor.expand_shape %b [[0], [1, 2]] output_shape [%t, 1, 2]
    : tensor<?x2xf32> into tensor<?x1x2xf32>
  %rb = transformer.rotary_embedding %hb, %pos interleaved frequencies([1.0])
    : tensor<?x1x2xf32>, tensor<?xi32> -> tensor<?x1x2xf32>
  %cq = tensor.concat dim(2) %rq, %ra
    : (tensor<?x1x2xf32>, tensor<?x1x2xf32>) -> tensor<?x1x4xf32>
  %ck = tensor.concat dim(2) %rk, %rb
    : (tensor<?x1x2xf32>, tensor<?x1x2xf32>) -> tensor<?x1x4xf32>
  %o = transformer.attention %cq, %ck, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// The rotated key is a value too.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_value_is_key
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_value_is_key(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %rk positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// The rotated key is returned.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_reader_of_rotated
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_reader_of_rotated(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<?x1x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %rk : tensor<?x1x4xf32>, tensor<?x1x4xf32>
}

// -----

// The key before rotation is returned.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_reader_of_key
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_reader_of_key(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %k : tensor<?x1x4xf32>, tensor<?x4xf32>
}

// -----

// Some of the elements that are rotated are read by another slice.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_reader_of_columns
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<9x8xf32>
func.func @no_reader_of_columns(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<9x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<9x8xf32> -> tensor<?x9xf32>
  %part = tensor.extract_slice %k[0, 5] [%t, 4] [1, 1] : tensor<?x9xf32> to tensor<?x4xf32>
  %other = tensor.extract_slice %k[0, 2] [%t, 4] [1, 1] : tensor<?x9xf32> to tensor<?x4xf32>
  %hk = tensor.expand_shape %part [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %other : tensor<?x1x4xf32>, tensor<?x4xf32>
}

// -----

// Heads are a part of the columns: which rows they are is no period of all rows.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_heads_of_slice
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<9x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_heads_of_slice(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x2x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<9x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<9x8xf32> -> tensor<?x9xf32>
  %part = tensor.extract_slice %q[0, 1] [%t, 8] [1, 1] : tensor<?x9xf32> to tensor<?x8xf32>
  %hq = tensor.expand_shape %part [[0], [1, 2]] output_shape [%t, 2, 4]
    : tensor<?x8xf32> into tensor<?x2x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x2x4xf32>, tensor<?xi32> -> tensor<?x2x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x2x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x2x4xf32>
  return %o : tensor<?x2x4xf32>
}

// -----

// What is rotated is no linear layer.
// CHECK: transformer.weight @q tensor("q") :
// CHECK-LABEL: func @no_linear
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
func.func @no_linear(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %hk = arith.addf %v, %v : tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Another layer reads the weight of the key.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_reader_of_weight
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_reader_of_weight(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %again = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %again : tensor<?x1x4xf32>, tensor<?x4xf32>
}

// -----

// The weight of the query is also what a layer multiplies.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_weight_as_input
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_weight_as_input(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<4x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wm = transformer.get_weight [@q] : tensor<4x8xf32>
  %m = transformer.linear %wm, %wq : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %m : tensor<?x1x4xf32>, tensor<4x4xf32>
}

// -----

// Another function reads the weight of the key together with another.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_joined_weight
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_joined_weight(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}
func.func @joined() -> tensor<8x8xf32> {
  %w = transformer.get_weight [@q, @k] : tensor<8x8xf32>
  return %w : tensor<8x8xf32>
}

// -----

// The weight of the key has another order already.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") halves(0, 2, 4) :
// CHECK-LABEL: func @no_second_order
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") halves(0, 2, 4) : tensor<4x8xf32>
func.func @no_second_order(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Query and key are columns of one layer, which wants two orders of one weight.
// CHECK: transformer.weight @q tensor("q") :
// CHECK-LABEL: func @no_two_orders
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<8x8xf32>
func.func @no_two_orders(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %w = transformer.get_weight [@q] : tensor<8x8xf32>
  %both = transformer.linear %x, %w : tensor<?x8xf32>, tensor<8x8xf32> -> tensor<?x8xf32>
  %q = tensor.extract_slice %both[0, 0] [%t, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  %k = tensor.extract_slice %both[0, 4] [%t, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Weights of the checkpoint alone can be in another order.
// CHECK: transformer.weight @q tensor("q") :
// CHECK-LABEL: func @no_argument
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
func.func @no_argument(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>,
    %wk: tensor<4x8xf32>) -> tensor<?x1x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o : tensor<?x1x4xf32>
}

// -----

// Scores that are no attention are not looked into.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK-LABEL: func @no_attention
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
func.func @no_attention(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> tensor<1x?x?xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.einsum "thd,shd->hts" %rq, %rk
    : tensor<?x1x4xf32>, tensor<?x1x4xf32> -> tensor<1x?x?xf32>
  return %o : tensor<1x?x?xf32>
}

// -----

// A second attention shares the weight of the key, and the weight of its query is
// returned: neither attention is folded. A third, which shares nothing, is.
// CHECK: transformer.weight @q tensor("q") :
// CHECK: transformer.weight @k tensor("k") :
// CHECK: transformer.weight @a tensor("a") :
// CHECK: transformer.weight @c tensor("c") halves(0, 4, 4) :
// CHECK: transformer.weight @d tensor("d") halves(0, 4, 4) :
// CHECK-LABEL: func @no_shared_weight
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{.*}} interleaved
// CHECK: transformer.rotary_embedding %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}} frequencies
// CHECK: transformer.rotary_embedding %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}} frequencies
transformer.weight @q tensor("q") : tensor<4x8xf32>
transformer.weight @k tensor("k") : tensor<4x8xf32>
transformer.weight @a tensor("a") : tensor<4x8xf32>
transformer.weight @c tensor("c") : tensor<4x8xf32>
transformer.weight @d tensor("d") : tensor<4x8xf32>
func.func @no_shared_weight(%x: tensor<?x8xf32>, %v: tensor<?x1x4xf32>, %pos: tensor<?xi32>)
    -> (tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>,
    tensor<4x8xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %wq = transformer.get_weight [@q] : tensor<4x8xf32>
  %q = transformer.linear %x, %wq : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hq = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rq = transformer.rotary_embedding %hq, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wk = transformer.get_weight [@k] : tensor<4x8xf32>
  %k = transformer.linear %x, %wk : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hk = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rk = transformer.rotary_embedding %hk, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o = transformer.attention %rq, %rk, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  %wa = transformer.get_weight [@a] : tensor<4x8xf32>
  %a = transformer.linear %x, %wa : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %ha = tensor.expand_shape %a [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %ra = transformer.rotary_embedding %ha, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wb = transformer.get_weight [@k] : tensor<4x8xf32>
  %b = transformer.linear %x, %wb : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hb = tensor.expand_shape %b [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rb = transformer.rotary_embedding %hb, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o2 = transformer.attention %ra, %rb, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  %wc = transformer.get_weight [@c] : tensor<4x8xf32>
  %c = transformer.linear %x, %wc : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hc = tensor.expand_shape %c [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rc = transformer.rotary_embedding %hc, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %wd = transformer.get_weight [@d] : tensor<4x8xf32>
  %d = transformer.linear %x, %wd : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %hd = tensor.expand_shape %d [[0], [1, 2]] output_shape [%t, 1, 4]
    : tensor<?x4xf32> into tensor<?x1x4xf32>
  %rd = transformer.rotary_embedding %hd, %pos interleaved frequencies([1.0, 0.1])
    : tensor<?x1x4xf32>, tensor<?xi32> -> tensor<?x1x4xf32>
  %o3 = transformer.attention %rc, %rd, %v positions(%pos, %pos) scale(0.4)
    : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?xi32>,
      tensor<?xi32> -> tensor<?x1x4xf32>
  return %o, %o2, %o3, %wa : tensor<?x1x4xf32>, tensor<?x1x4xf32>, tensor<?x1x4xf32>,
    tensor<4x8xf32>
}
