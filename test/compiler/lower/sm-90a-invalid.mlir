// What an H100 has no kernel for is refused before anything is lowered.
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-rows=march=sm_90a
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-linear=march=sm_90a
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-experts=march=sm_90a
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-attention=march=sm_90a
// RUN: tcc-opt %s --split-input-file --verify-diagnostics --tcc-lower-latent-attention=march=sm_90a

func.func @route(%logits: tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  // expected-error@+1 {{'transformer.route' op has no kernel on sm_90a}}
  %e, %w = transformer.route %logits softmax : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return %e, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// -----

func.func @experts(%x: tensor<?x18xf32>, %w: tensor<8x16x18xf32>, %o: tensor<9xi32>) -> tensor<?x16xf32> {
  // expected-error@+1 {{'transformer.grouped_linear' op has no kernel on sm_90a}}
  %y = transformer.grouped_linear %x, %w offsets(%o) : tensor<?x18xf32>, tensor<8x16x18xf32>, tensor<9xi32> -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

func.func @heads(%x: tensor<?x4x4xbf16>, %w: tensor<4x4x8xbf16>) -> tensor<?x4x8xbf16> {
  // expected-error@+1 {{'transformer.head_linear' op has no kernel on sm_90a}}
  %y = transformer.head_linear %x, %w transposed : tensor<?x4x4xbf16>, tensor<4x4x8xbf16> -> tensor<?x4x8xbf16>
  return %y : tensor<?x4x8xbf16>
}

// -----

func.func @scales(%x: tensor<?x12xf32>, %w: tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>) -> tensor<?x20xf32> {
  // expected-error@+1 {{'transformer.linear' op has no kernel on sm_90a for weights with scales, got 'tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>>'}}
  %y = transformer.linear %x, %w
    : tensor<?x12xf32>, tensor<20x12x!transformer.scaled<f8E4M3FN, 4, 4>> -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// -----

transformer.cache @cache layers(2) heads(1) key(12) value(8) latent : bf16

func.func @latents(%q: tensor<?x4x12xbf16>, %p: tensor<?xi32>, %s: tensor<?xi32>, %t: tensor<?x?xi32>, %l: index) -> tensor<?x4x8xbf16> {
  // expected-error@+1 {{'transformer.paged_attention' op has no kernel on sm_90a for a cache of latents}}
  %o = transformer.paged_attention @cache layer(%l), %q at(%p, %s, %t) scale(0.5) : tensor<?x4x12xbf16>, tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32> -> tensor<?x4x8xbf16>
  return %o : tensor<?x4x8xbf16>
}
