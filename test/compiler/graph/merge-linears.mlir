// RUN: tcc-opt %s --tcc-merge-linears | FileCheck %s

transformer.weight @q tensor("q.{layer}") layers(0, 4) : tensor<64x32xbf16>
transformer.weight @k tensor("k.{layer}") layers(0, 4) : tensor<16x32xbf16>
transformer.weight @v tensor("v.{layer}") layers(0, 4) : tensor<16x32xbf16>
transformer.weight @v8 tensor("v.{layer}") layers(0, 4) : tensor<16x32x!transformer.block<q8_0>>
transformer.weight @q_bias tensor("q.{layer}.bias") layers(0, 4) : tensor<64xf32>
transformer.weight @k_bias tensor("k.{layer}.bias") layers(0, 4) : tensor<16xf32>
transformer.weight @v_bias tensor("v.{layer}.bias") layers(0, 4) : tensor<16xf32>
transformer.weight @gate tensor("gate.{layer}") layers(0, 4) : tensor<64x32xbf16>
transformer.weight @up tensor("up.{layer}") layers(0, 4) : tensor<64x32xbf16>
transformer.weight @other tensor("other.{layer}") layers(4, 4) : tensor<64x32xbf16>
transformer.weight @gates tensor("gate.{expert}.{layer}") layers(0, 4) : tensor<8x9x32xbf16>
transformer.weight @ups tensor("up.{expert}.{layer}") layers(0, 4) : tensor<8x9x32xbf16>

// CHECK-LABEL: func @gate_and_up
//  CHECK-SAME:   %[[X:.*]]: tensor<?x32xbf16>, %[[LAYER:[a-z0-9]+]]: index
func.func @gate_and_up(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK: %[[W:.*]] = transformer.get_weight [@gate, @up] layer(%[[LAYER]]) : tensor<128x32xbf16>
  // CHECK: %[[BOTH:.*]] = transformer.linear %[[X]], %[[W]] : tensor<?x32xbf16>, tensor<128x32xbf16> -> tensor<?x128xf32>
  // CHECK: %[[ROWS:.*]] = tensor.dim %[[BOTH]], %{{.*}}
  // CHECK: %[[GATE:.*]] = tensor.extract_slice %[[BOTH]][0, 0] [%[[ROWS]], 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
  // CHECK: %[[UP:.*]] = tensor.extract_slice %[[BOTH]][0, 64] [%[[ROWS]], 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
  // CHECK: return %[[GATE]], %[[UP]]
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %gate = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
  %up = transformer.linear %x, %wu
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %gate, %up : tensor<?x64xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @query_key_value_with_biases
//  CHECK-SAME:   %[[X:.*]]: tensor<?x32xbf16>, %[[LAYER:[a-z0-9]+]]: index
func.func @query_key_value_with_biases(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  // CHECK: %[[W:.*]] = transformer.get_weight [@q, @k, @v] layer(%[[LAYER]]) : tensor<96x32xbf16>
  // CHECK: %[[B:.*]] = transformer.get_weight [@q_bias, @k_bias, @v_bias] layer(%[[LAYER]]) : tensor<96xf32>
  // CHECK: %[[ALL:.*]] = transformer.linear %[[X]], %[[W]] bias(%[[B]] : tensor<96xf32>)
  // CHECK-DAG: %[[Q:.*]] = tensor.extract_slice %[[ALL]][0, 0] [%{{.*}}, 64]
  // CHECK-DAG: %[[K:.*]] = tensor.extract_slice %[[ALL]][0, 64] [%{{.*}}, 16]
  // CHECK-DAG: %[[V:.*]] = tensor.extract_slice %[[ALL]][0, 80] [%{{.*}}, 16]
  // CHECK-NOT: transformer.linear
  // CHECK: return %[[Q]], %[[K]], %[[V]]
  %wq = transformer.get_weight [@q] layer(%layer) : tensor<64x32xbf16>
  %wk = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %wv = transformer.get_weight [@v] layer(%layer) : tensor<16x32xbf16>
  %bq = transformer.get_weight [@q_bias] layer(%layer) : tensor<64xf32>
  %bk = transformer.get_weight [@k_bias] layer(%layer) : tensor<16xf32>
  %bv = transformer.get_weight [@v_bias] layer(%layer) : tensor<16xf32>
  %q = transformer.linear %x, %wq bias(%bq : tensor<64xf32>)
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %k = transformer.linear %x, %wk bias(%bk : tensor<16xf32>)
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %v = transformer.linear %x, %wv bias(%bv : tensor<16xf32>)
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  return %q, %k, %v : tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// Values have a storage of their own; queries and keys are merged.
// CHECK-LABEL: func @mixed_storage
func.func @mixed_storage(%x: tensor<8x32xbf16>, %layer: index)
    -> (tensor<8x16xf32>, tensor<8x64xf32>, tensor<8x16xf32>) {
  // CHECK: %[[W:.*]] = transformer.get_weight [@q, @k] layer
  // CHECK: %[[BOTH:.*]] = transformer.linear %{{.*}}, %[[W]]
  // CHECK: tensor.extract_slice %[[BOTH]][0, 0] [8, 64] [1, 1]
  // CHECK: tensor.extract_slice %[[BOTH]][0, 64] [8, 16] [1, 1]
  // CHECK-NOT: extract_slice
  %wv = transformer.get_weight [@v8] layer(%layer) : tensor<16x32x!transformer.block<q8_0>>
  %v = transformer.linear %x, %wv
    : tensor<8x32xbf16>, tensor<16x32x!transformer.block<q8_0>> -> tensor<8x16xf32>
  %wq = transformer.get_weight [@q] layer(%layer) : tensor<64x32xbf16>
  %q = transformer.linear %x, %wq
    : tensor<8x32xbf16>, tensor<64x32xbf16> -> tensor<8x64xf32>
  %wk = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %k = transformer.linear %x, %wk
    : tensor<8x32xbf16>, tensor<16x32xbf16> -> tensor<8x16xf32>
  return %v, %q, %k : tensor<8x16xf32>, tensor<8x64xf32>, tensor<8x16xf32>
}

// Matrix upon matrix for each expert.
// CHECK-LABEL: func @gate_and_up_of_experts
//  CHECK-SAME:   %[[X:.*]]: tensor<?x32xbf16>, %[[O:.*]]: tensor<9xi32>, %[[LAYER:[a-z0-9]+]]: index
func.func @gate_and_up_of_experts(%x: tensor<?x32xbf16>, %offsets: tensor<9xi32>,
                                  %layer: index) -> (tensor<?x9xf32>, tensor<?x9xf32>) {
  // CHECK: %[[W:.*]] = transformer.get_weight [@gates, @ups] layer(%[[LAYER]]) : tensor<8x18x32xbf16>
  // CHECK: %[[BOTH:.*]] = transformer.grouped_linear %[[X]], %[[W]] offsets(%[[O]]) : tensor<?x32xbf16>, tensor<8x18x32xbf16>, tensor<9xi32> -> tensor<?x18xf32>
  // CHECK: %[[GATE:.*]] = tensor.extract_slice %[[BOTH]][0, 0] [%{{.*}}, 9] [1, 1]
  // CHECK: %[[UP:.*]] = tensor.extract_slice %[[BOTH]][0, 9] [%{{.*}}, 9] [1, 1]
  // CHECK: return %[[GATE]], %[[UP]]
  %wg = transformer.get_weight [@gates] layer(%layer) : tensor<8x9x32xbf16>
  %gate = transformer.grouped_linear %x, %wg offsets(%offsets)
    : tensor<?x32xbf16>, tensor<8x9x32xbf16>, tensor<9xi32> -> tensor<?x9xf32>
  %wu = transformer.get_weight [@ups] layer(%layer) : tensor<8x9x32xbf16>
  %up = transformer.grouped_linear %x, %wu offsets(%offsets)
    : tensor<?x32xbf16>, tensor<8x9x32xbf16>, tensor<9xi32> -> tensor<?x9xf32>
  return %gate, %up : tensor<?x9xf32>, tensor<?x9xf32>
}

// CHECK-LABEL: func @part_of_a_part
func.func @part_of_a_part(%x: tensor<?x32xbf16>, %layer: index, %rows: index)
    -> (tensor<?x64xf32>, tensor<?x8xf32>) {
  // CHECK: %[[BOTH:.*]] = transformer.linear
  // CHECK-DAG: %[[Q:.*]] = tensor.extract_slice %[[BOTH]][0, 0] [%{{.*}}, 64]
  // CHECK-DAG: %[[PART:.*]] = tensor.extract_slice %[[BOTH]][0, 70] [%{{.*}}, 8] [1, 1] : tensor<?x80xf32> to tensor<?x8xf32>
  // CHECK: return %[[Q]], %[[PART]]
  %wq = transformer.get_weight [@q] layer(%layer) : tensor<64x32xbf16>
  %q = transformer.linear %x, %wq
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %wk = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %k = transformer.linear %x, %wk
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %part = tensor.extract_slice %k[0, 6] [%rows, 8] [1, 1]
    : tensor<?x16xf32> to tensor<?x8xf32>
  return %q, %part : tensor<?x64xf32>, tensor<?x8xf32>
}

// Gate and up stay halves of one tensor.
// CHECK-LABEL: func @no_merge_router
func.func @no_merge_router(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x2xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK: transformer.get_weight [@k]
  // CHECK: transformer.get_weight [@gate, @up]
  %wr = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %logits = transformer.linear %x, %wr
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %experts, %weights = transformer.route %logits sigmoid
    : tensor<?x16xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %gate = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
  %up = transformer.linear %x, %wu
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %weights, %gate, %up : tensor<?x2xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @no_merge_other_offsets
func.func @no_merge_other_offsets(%x: tensor<?x32xbf16>, %offsets: tensor<9xi32>,
                                  %others: tensor<9xi32>, %layer: index)
    -> (tensor<?x9xf32>, tensor<?x9xf32>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gates] layer(%layer) : tensor<8x9x32xbf16>
  %gate = transformer.grouped_linear %x, %wg offsets(%offsets)
    : tensor<?x32xbf16>, tensor<8x9x32xbf16>, tensor<9xi32> -> tensor<?x9xf32>
  %wu = transformer.get_weight [@ups] layer(%layer) : tensor<8x9x32xbf16>
  %up = transformer.grouped_linear %x, %wu offsets(%others)
    : tensor<?x32xbf16>, tensor<8x9x32xbf16>, tensor<9xi32> -> tensor<?x9xf32>
  return %gate, %up : tensor<?x9xf32>, tensor<?x9xf32>
}

// CHECK-LABEL: func @no_merge_bias_from_elsewhere
func.func @no_merge_bias_from_elsewhere(%x: tensor<?x32xbf16>, %b: tensor<16xf32>,
                                        %layer: index)
    -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  // CHECK-NOT: extract_slice
  %wk = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %wv = transformer.get_weight [@v] layer(%layer) : tensor<16x32xbf16>
  %k = transformer.linear %x, %wk bias(%b : tensor<16xf32>)
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %v = transformer.linear %x, %wv bias(%b : tensor<16xf32>)
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  return %k, %v : tensor<?x16xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: func @no_merge_one_bias
func.func @no_merge_one_bias(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  // CHECK-NOT: extract_slice
  %wk = transformer.get_weight [@k] layer(%layer) : tensor<16x32xbf16>
  %wv = transformer.get_weight [@v] layer(%layer) : tensor<16x32xbf16>
  %bk = transformer.get_weight [@k_bias] layer(%layer) : tensor<16xf32>
  %k = transformer.linear %x, %wk bias(%bk : tensor<16xf32>)
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %v = transformer.linear %x, %wv
    : tensor<?x32xbf16>, tensor<16x32xbf16> -> tensor<?x16xf32>
  return %k, %v : tensor<?x16xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: func @no_merge_other_input
func.func @no_merge_other_input(%x: tensor<?x32xbf16>, %y: tensor<?x32xbf16>,
                                %layer: index)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
  %a = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = transformer.linear %y, %wu
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @no_merge_other_result_type
func.func @no_merge_other_result_type(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x64xf32>, tensor<?x64xbf16>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
  %a = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = transformer.linear %x, %wu
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xbf16>
  return %a, %b : tensor<?x64xf32>, tensor<?x64xbf16>
}

// CHECK-LABEL: func @no_merge_other_layer
func.func @no_merge_other_layer(%x: tensor<?x32xbf16>, %i: index, %j: index)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gate] layer(%i) : tensor<64x32xbf16>
  %wu = transformer.get_weight [@up] layer(%j) : tensor<64x32xbf16>
  %a = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = transformer.linear %x, %wu
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}

// A get_weight of both would be ill-formed: they have other layers.
// CHECK-LABEL: func @no_merge_other_layers_of_weight
func.func @no_merge_other_layers_of_weight(%x: tensor<?x32xbf16>, %layer: index)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %wo = transformer.get_weight [@other] layer(%layer) : tensor<64x32xbf16>
  %a = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = transformer.linear %x, %wo
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @no_merge_weight_from_elsewhere
func.func @no_merge_weight_from_elsewhere(%x: tensor<?x32xbf16>, %w: tensor<64x32xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NOT: extract_slice
  %a = transformer.linear %x, %w
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = transformer.linear %x, %w
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}

// The second layer may not run at all.
// CHECK-LABEL: func @no_merge_other_block
func.func @no_merge_other_block(%x: tensor<?x32xbf16>, %layer: index, %c: i1)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK-NOT: extract_slice
  %wg = transformer.get_weight [@gate] layer(%layer) : tensor<64x32xbf16>
  %a = transformer.linear %x, %wg
    : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
  %b = scf.if %c -> tensor<?x64xf32> {
    %wu = transformer.get_weight [@up] layer(%layer) : tensor<64x32xbf16>
    %u = transformer.linear %x, %wu
      : tensor<?x32xbf16>, tensor<64x32xbf16> -> tensor<?x64xf32>
    scf.yield %u : tensor<?x64xf32>
  } else {
    scf.yield %a : tensor<?x64xf32>
  }
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}
