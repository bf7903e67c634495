// What phases `graph` and `batch` make of a Llama: the form that phase `lower`
// starts from. The input is what an importer writes.
// RUN: tcc-opt %tcc/test/design/llama-imported.mlir --tcc-fuse-attention \
// RUN:   --tcc-merge-linears --tcc-fuse-swiglu --tcc-fuse-residual-norm \
// RUN:   --tcc-select-logits --cse --tcc-batch --tcc-verify-batch | FileCheck %s

// CHECK: transformer.cache @cache layers(2) heads(2) key(4) value(4) : bf16

// CHECK-LABEL: func @forward
//  CHECK-SAME:   %[[TOKENS:[a-z0-9]+]]: tensor<?xi32>, %[[POSITIONS:[a-z0-9]+]]: tensor<?xi32>, %[[SEQUENCES:[a-z0-9]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9]+]]: tensor<?x?xi32>, %[[ROWS:[a-z0-9]+]]: tensor<?xi32>) -> tensor<?x20xf32>
// CHECK: %[[X:.*]] = transformer.embedding %[[TOKENS]]
// CHECK: %[[LAST:.*]] = scf.for %[[LAYER:[a-z0-9]+]] = {{.*}} iter_args(%[[H:.*]] = %[[X]])
// CHECK:   func.call @layer(%[[H]], %[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]], %[[LAYER]])
// CHECK: %[[SELECTED:.*]] = transformer.gather_rows %[[LAST]], %[[ROWS]]
// CHECK: %[[NORMED:.*]] = transformer.rms_norm %[[SELECTED]]
// CHECK: %[[LOGITS:.*]] = transformer.linear %[[NORMED]]
// CHECK: return %[[LOGITS]]

// CHECK-LABEL: func private @layer
//  CHECK-SAME:   %[[X:[a-z0-9]+]]: tensor<?x12xf32>, %[[POSITIONS:[a-z0-9]+]]: tensor<?xi32>, %[[SEQUENCES:[a-z0-9]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9]+]]: tensor<?x?xi32>, %[[LAYER:[a-z0-9]+]]: index
// CHECK: %[[A:.*]] = transformer.rms_norm %[[X]]
// CHECK: %[[WQKV:.*]] = transformer.get_weight [@q_proj, @k_proj, @v_proj] layer(%[[LAYER]])
// CHECK: %[[QKV:.*]] = transformer.linear %[[A]], %[[WQKV]] : {{.*}} -> tensor<?x32xf32>
// CHECK: %[[Q_FLAT:.*]] = tensor.extract_slice %[[QKV]][0, 0]
// CHECK: %[[K_FLAT:.*]] = tensor.extract_slice %[[QKV]][0, 16]
// CHECK: %[[V_FLAT:.*]] = tensor.extract_slice %[[QKV]][0, 24]
// CHECK: %[[Q_HEADS:.*]] = tensor.expand_shape %[[Q_FLAT]]
// CHECK: %[[Q:.*]] = transformer.rotary_embedding %[[Q_HEADS]], %[[POSITIONS]] {{.*}} -> tensor<?x4x4xbf16>
// CHECK: %[[K_HEADS:.*]] = tensor.expand_shape %[[K_FLAT]]
// CHECK: %[[K:.*]] = transformer.rotary_embedding %[[K_HEADS]], %[[POSITIONS]] {{.*}} -> tensor<?x2x4xbf16>
// CHECK: %[[V_HEADS:.*]] = tensor.expand_shape %[[V_FLAT]]
// CHECK: %[[V:.*]] = arith.truncf %[[V_HEADS]] : tensor<?x2x4xf32> to tensor<?x2x4xbf16>
// CHECK: transformer.cache_append @cache layer(%[[LAYER]]), %[[K]], %[[V]] at(%[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]])
// CHECK: %[[O_HEADS:.*]] = transformer.paged_attention @cache layer(%[[LAYER]]), %[[Q]] at(%[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]]) scale(5.000000e-01)
// CHECK: %[[O:.*]] = tensor.collapse_shape %[[O_HEADS]]
// CHECK: %[[ATTENTION:.*]] = transformer.linear %[[O]], {{.*}} -> tensor<?x12xf32>
// CHECK: %[[X1:.*]], %[[M:.*]] = transformer.residual_rms_norm %[[X]], %[[ATTENTION]]
// CHECK: %[[WGU:.*]] = transformer.get_weight [@gate_proj, @up_proj] layer(%[[LAYER]])
// CHECK: %[[GATE_UP:.*]] = transformer.linear %[[M]], %[[WGU]] : {{.*}} -> tensor<?x48xf32>
// CHECK: %[[GATED:.*]] = transformer.swiglu %[[GATE_UP]] : tensor<?x48xf32> -> tensor<?x24xbf16>
// CHECK: %[[MLP:.*]] = transformer.linear %[[GATED]], {{.*}} -> tensor<?x12xf32>
// CHECK: %[[X2:.*]] = arith.addf %[[X1]], %[[MLP]]
// CHECK: return %[[X2]]
