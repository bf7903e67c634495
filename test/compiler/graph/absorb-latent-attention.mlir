// RUN: tcc-opt %s --tcc-absorb-latent-attention | FileCheck %s

// Keys of 5 elements for each head and 2 for all, values of 7, latents of 8.
// CHECK-LABEL: func @latent
//  CHECK-SAME:   %[[Q:[a-z0-9]+]]: tensor<?x4x5xbf16>, %[[P:[a-z0-9]+]]: tensor<?x4x2xbf16>, %[[C:[a-z0-9]+]]: tensor<?x8xbf16>, %[[SHARED:[a-z0-9]+]]: tensor<?x1x2xbf16>, %[[W:[a-z0-9]+]]: tensor<48x8xbf16>, %[[POS:[a-z0-9]+]]: tensor<?xi32>, %[[T:[a-z0-9]+]]: index
func.func @latent(%q: tensor<?x4x5xbf16>, %p: tensor<?x4x2xbf16>, %c: tensor<?x8xbf16>,
                  %shared: tensor<?x1x2xbf16>, %w: tensor<48x8xbf16>,
                  %pos: tensor<?xi32>, %t: index) -> tensor<?x4x7xbf16> {
  // CHECK: %[[ROW:.*]] = tensor.collapse_shape %[[SHARED]] {{\[\[}}0], [1, 2]] : tensor<?x1x2xbf16> into tensor<?x2xbf16>
  // CHECK: %[[BOTH:.*]] = tensor.concat dim(1) %[[C]], %[[ROW]] : (tensor<?x8xbf16>, tensor<?x2xbf16>) -> tensor<?x10xbf16>
  // CHECK: %[[KEY:.*]] = tensor.expand_shape %[[BOTH]] {{\[\[}}0], [1, 2]] output_shape [%[[T]], 1, 10] : tensor<?x10xbf16> into tensor<?x1x10xbf16>
  // CHECK: %[[VALUE:.*]] = tensor.extract_slice %[[KEY]][0, 0, 0] [%[[T]], 1, 8] [1, 1, 1] : tensor<?x1x10xbf16> to tensor<?x1x8xbf16>
  // CHECK: %[[HEADS:.*]] = tensor.expand_shape %[[W]] {{\[\[}}0, 1], [2]] output_shape [4, 12, 8] : tensor<48x8xbf16> into tensor<4x12x8xbf16>
  // CHECK: %[[WK:.*]] = tensor.extract_slice %[[HEADS]][0, 0, 0] [4, 5, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x5x8xbf16>
  // CHECK: %[[QL:.*]] = transformer.head_linear %[[Q]], %[[WK]] transposed : tensor<?x4x5xbf16>, tensor<4x5x8xbf16> -> tensor<?x4x8xbf16>
  // CHECK: %[[QUERY:.*]] = tensor.concat dim(2) %[[QL]], %[[P]] : (tensor<?x4x8xbf16>, tensor<?x4x2xbf16>) -> tensor<?x4x10xbf16>
  // CHECK: %[[U:.*]] = transformer.attention %[[QUERY]], %[[KEY]], %[[VALUE]] positions(%[[POS]], %[[POS]]) scale(3.000000e-01) : tensor<?x4x10xbf16>, tensor<?x1x10xbf16>, tensor<?x1x8xbf16>, tensor<?xi32>, tensor<?xi32> -> tensor<?x4x8xbf16>
  // CHECK: %[[WV:.*]] = tensor.extract_slice %{{.*}}[0, 5, 0] [4, 7, 8] [1, 1, 1] : tensor<4x12x8xbf16> to tensor<4x7x8xbf16>
  // CHECK: %[[O:.*]] = transformer.head_linear %[[U]], %[[WV]] : tensor<?x4x8xbf16>, tensor<4x7x8xbf16> -> tensor<?x4x7xbf16>
  // CHECK-NEXT: return %[[O]]
  %kv = transformer.linear %c, %w
    : tensor<?x8xbf16>, tensor<48x8xbf16> -> tensor<?x48xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [%t, 4, 12]
    : tensor<?x48xf32> into tensor<?x4x12xf32>
  %plain_wide = tensor.extract_slice %heads[0, 0, 0] [%t, 4, 5] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x5xf32>
  %plain = arith.truncf %plain_wide : tensor<?x4x5xf32> to tensor<?x4x5xbf16>
  %value_wide = tensor.extract_slice %heads[0, 0, 5] [%t, 4, 7] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x7xf32>
  %value = arith.truncf %value_wide : tensor<?x4x7xf32> to tensor<?x4x7xbf16>
  %all = transformer.repeat_heads %shared times(4)
    : tensor<?x1x2xbf16> -> tensor<?x4x2xbf16>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<?x4x5xbf16>, tensor<?x4x2xbf16>) -> tensor<?x4x7xbf16>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<?x4x5xbf16>, tensor<?x4x2xbf16>) -> tensor<?x4x7xbf16>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<?x4x7xbf16>, tensor<?x4x7xbf16>, tensor<?x4x7xbf16>, tensor<?xi32>,
       tensor<?xi32> -> tensor<?x4x7xbf16>
  return %o : tensor<?x4x7xbf16>
}

// CHECK-LABEL: func @nothing_is_rounded
func.func @nothing_is_rounded(%q: tensor<?x4x5xf32>, %p: tensor<?x4x2xf32>,
                              %c: tensor<?x8xf32>, %shared: tensor<?x1x2xf32>,
                              %w: tensor<48x8xf32>, %pos: tensor<?xi32>, %t: index)
    -> tensor<?x4x7xf32> {
  // CHECK: transformer.head_linear %{{.*}} transposed
  // CHECK: transformer.attention {{.*}} : tensor<?x4x10xf32>, tensor<?x1x10xf32>, tensor<?x1x8xf32>
  // CHECK: transformer.head_linear
  %kv = transformer.linear %c, %w
    : tensor<?x8xf32>, tensor<48x8xf32> -> tensor<?x48xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [%t, 4, 12]
    : tensor<?x48xf32> into tensor<?x4x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [%t, 4, 5] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [%t, 4, 7] [1, 1, 1]
    : tensor<?x4x12xf32> to tensor<?x4x7xf32>
  %all = transformer.repeat_heads %shared times(4)
    : tensor<?x1x2xf32> -> tensor<?x4x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<?x4x5xf32>, tensor<?x4x2xf32>) -> tensor<?x4x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<?x4x5xf32>, tensor<?x4x2xf32>) -> tensor<?x4x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos)
       scale(0.3) : tensor<?x4x7xf32>, tensor<?x4x7xf32>, tensor<?x4x7xf32>,
       tensor<?xi32>, tensor<?xi32> -> tensor<?x4x7xf32>
  return %o : tensor<?x4x7xf32>
}

// Lengths are known, and there is but one head.
// CHECK-LABEL: func @one_head
func.func @one_head(%q: tensor<6x1x5xf32>, %p: tensor<6x1x2xf32>, %c: tensor<6x8xf32>,
                    %shared: tensor<6x1x2xf32>, %w: tensor<12x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x1x7xf32> {
  // CHECK: transformer.attention {{.*}} : tensor<6x1x10xf32>, tensor<6x1x10xf32>, tensor<6x1x8xf32>
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<12x8xf32> -> tensor<6x12xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 1, 12]
    : tensor<6x12xf32> into tensor<6x1x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 1, 5] [1, 1, 1]
    : tensor<6x1x12xf32> to tensor<6x1x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 1, 7] [1, 1, 1]
    : tensor<6x1x12xf32> to tensor<6x1x7xf32>
  %key = tensor.concat dim(2) %plain, %shared
    : (tensor<6x1x5xf32>, tensor<6x1x2xf32>) -> tensor<6x1x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x1x5xf32>, tensor<6x1x2xf32>) -> tensor<6x1x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x1x7xf32>, tensor<6x1x7xf32>, tensor<6x1x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x1x7xf32>
  return %o : tensor<6x1x7xf32>
}

// A bias would have to be cached, or added to what the latents give.
// CHECK-LABEL: func @no_absorb_bias
func.func @no_absorb_bias(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>, %c: tensor<6x8xf32>,
                          %shared: tensor<6x1x2xf32>, %w: tensor<36x8xf32>,
                          %b: tensor<36xf32>, %pos: tensor<6xi32>) -> tensor<6x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w bias(%b : tensor<36xf32>)
    : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x7xf32>
  return %o : tensor<6x3x7xf32>
}

// Each head of a token has a latent of its own: rows, not columns, become heads.
// CHECK-LABEL: func @no_absorb_heads_of_tokens
func.func @no_absorb_heads_of_tokens(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>,
                                     %c: tensor<18x8xf32>, %shared: tensor<6x1x2xf32>,
                                     %w: tensor<12x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<18x8xf32>, tensor<12x8xf32> -> tensor<18x12xf32>
  %heads = tensor.expand_shape %kv [[0, 1], [2]] output_shape [6, 3, 12]
    : tensor<18x12xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x7xf32>
  return %o : tensor<6x3x7xf32>
}

// Values come before keys in each head: with sizes that happen to fit.
// CHECK-LABEL: func @no_absorb_values_first
func.func @no_absorb_values_first(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>,
                                  %c: tensor<6x8xf32>, %shared: tensor<6x1x2xf32>,
                                  %w: tensor<30x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x3x5xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<30x8xf32> -> tensor<6x30xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 10]
    : tensor<6x30xf32> into tensor<6x3x10xf32>
  %plain = tensor.extract_slice %heads[0, 0, 5] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x10xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x10xf32> to tensor<6x3x5xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x5xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x5xf32>
  return %o : tensor<6x3x5xf32>
}

// Rows between those of key and value belong to neither.
// CHECK-LABEL: func @no_absorb_gap
func.func @no_absorb_gap(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>, %c: tensor<6x8xf32>,
                         %shared: tensor<6x1x2xf32>, %w: tensor<36x8xf32>,
                         %pos: tensor<6xi32>) -> tensor<6x3x6xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 6] [6, 3, 6] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x6xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x6xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x6xf32>
  return %o : tensor<6x3x6xf32>
}

// Values are linear in another latent.
// CHECK-LABEL: func @no_absorb_two_latents
func.func @no_absorb_two_latents(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>,
                                 %c: tensor<6x8xf32>, %d: tensor<6x8xf32>,
                                 %shared: tensor<6x1x2xf32>, %w: tensor<36x8xf32>,
                                 %pos: tensor<6xi32>) -> tensor<6x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %others = transformer.linear %d, %w
    : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %other_heads = tensor.expand_shape %others [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %value = tensor.extract_slice %other_heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x7xf32>
  return %o : tensor<6x3x7xf32>
}

// Heads of which the first half shares one rotated key, the second another.
// CHECK-LABEL: func @no_absorb_two_shared
func.func @no_absorb_two_shared(%q: tensor<6x4x5xf32>, %p: tensor<6x4x2xf32>,
                                %c: tensor<6x8xf32>, %shared: tensor<6x2x2xf32>,
                                %w: tensor<48x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x4x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<48x8xf32> -> tensor<6x48xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 4, 12]
    : tensor<6x48xf32> into tensor<6x4x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 4, 5] [1, 1, 1]
    : tensor<6x4x12xf32> to tensor<6x4x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 4, 7] [1, 1, 1]
    : tensor<6x4x12xf32> to tensor<6x4x7xf32>
  %all = transformer.repeat_heads %shared times(2) : tensor<6x2x2xf32> -> tensor<6x4x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x4x5xf32>, tensor<6x4x2xf32>) -> tensor<6x4x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x4x5xf32>, tensor<6x4x2xf32>) -> tensor<6x4x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x4x7xf32>, tensor<6x4x7xf32>, tensor<6x4x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x4x7xf32>
  return %o : tensor<6x4x7xf32>
}

// Parts of the query end elsewhere than those of the key.
// CHECK-LABEL: func @no_absorb_other_query
func.func @no_absorb_other_query(%q: tensor<6x3x4xf32>, %p: tensor<6x3x3xf32>,
                                 %c: tensor<6x8xf32>, %shared: tensor<6x1x2xf32>,
                                 %w: tensor<36x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x4xf32>, tensor<6x3x3xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x7xf32>
  return %o : tensor<6x3x7xf32>
}

// Two query heads share each key, of which none knows the matrix of another.
// CHECK-LABEL: func @no_absorb_grouped
func.func @no_absorb_grouped(%q: tensor<6x6x5xf32>, %p: tensor<6x6x2xf32>,
                             %c: tensor<6x8xf32>, %shared: tensor<6x1x2xf32>,
                             %w: tensor<36x8xf32>, %pos: tensor<6xi32>)
    -> tensor<6x6x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xf32>, tensor<36x8xf32> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x6x5xf32>, tensor<6x6x2xf32>) -> tensor<6x6x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x6x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x6x7xf32>
  return %o : tensor<6x6x7xf32>
}

// Latents in bf16 and a rotated part in f32 cannot be one key.
// CHECK-LABEL: func @no_absorb_other_type
func.func @no_absorb_other_type(%q: tensor<6x3x5xf32>, %p: tensor<6x3x2xf32>,
                                %c: tensor<6x8xbf16>, %shared: tensor<6x1x2xf32>,
                                %w: tensor<36x8xbf16>, %pos: tensor<6xi32>)
    -> tensor<6x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<6x8xbf16>, tensor<36x8xbf16> -> tensor<6x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [6, 3, 12]
    : tensor<6x36xf32> into tensor<6x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [6, 3, 5] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [6, 3, 7] [1, 1, 1]
    : tensor<6x3x12xf32> to tensor<6x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<6x1x2xf32> -> tensor<6x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<6x3x5xf32>, tensor<6x3x2xf32>) -> tensor<6x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6x3x7xf32>, tensor<6xi32>,
       tensor<6xi32> -> tensor<6x3x7xf32>
  return %o : tensor<6x3x7xf32>
}

// Keys and values of all rows but the last: `%t` is nothing that is known.
// CHECK-LABEL: func @no_absorb_some_rows
func.func @no_absorb_some_rows(%q: tensor<?x3x5xf32>, %p: tensor<?x3x2xf32>,
                               %c: tensor<?x8xf32>, %shared: tensor<?x1x2xf32>,
                               %w: tensor<36x8xf32>, %pos: tensor<?xi32>, %t: index,
                               %rows: index) -> tensor<?x3x7xf32> {
  // CHECK-NOT: transformer.head_linear
  %kv = transformer.linear %c, %w : tensor<?x8xf32>, tensor<36x8xf32> -> tensor<?x36xf32>
  %heads = tensor.expand_shape %kv [[0], [1, 2]] output_shape [%rows, 3, 12]
    : tensor<?x36xf32> into tensor<?x3x12xf32>
  %plain = tensor.extract_slice %heads[0, 0, 0] [%t, 3, 5] [1, 1, 1]
    : tensor<?x3x12xf32> to tensor<?x3x5xf32>
  %value = tensor.extract_slice %heads[0, 0, 5] [%t, 3, 7] [1, 1, 1]
    : tensor<?x3x12xf32> to tensor<?x3x7xf32>
  %all = transformer.repeat_heads %shared times(3) : tensor<?x1x2xf32> -> tensor<?x3x2xf32>
  %key = tensor.concat dim(2) %plain, %all
    : (tensor<?x3x5xf32>, tensor<?x3x2xf32>) -> tensor<?x3x7xf32>
  %query = tensor.concat dim(2) %q, %p
    : (tensor<?x3x5xf32>, tensor<?x3x2xf32>) -> tensor<?x3x7xf32>
  %o = transformer.attention %query, %key, %value positions(%pos, %pos) scale(0.3)
     : tensor<?x3x7xf32>, tensor<?x3x7xf32>, tensor<?x3x7xf32>, tensor<?xi32>,
       tensor<?xi32> -> tensor<?x3x7xf32>
  return %o : tensor<?x3x7xf32>
}
