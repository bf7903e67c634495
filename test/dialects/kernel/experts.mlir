// The kernels of experts survive parsing and printing, as text and as bytecode.
// The bodies are the examples of KernelExpertOps.td.
// RUN: tcc-opt %s | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --mlir-print-op-generic | tcc-opt | FileCheck %s
// RUN: tcc-opt %s --emit-bytecode | tcc-opt | FileCheck %s

// CHECK-LABEL: func @route
func.func @route(%logits: tensor<?x256xf32>, %bias: tensor<256xf32>,
                 %e_init: tensor<?x8xi32>, %w_init: tensor<?x8xf32>) {
  // CHECK: kernel.route %{{.*}} bias(%{{.*}} : tensor<256xf32>) sigmoid groups(8) keep(4) top(2) normalize({{.*}}) scale(2.500000e+00) into %{{.*}}, %{{.*}} : tensor<?x256xf32>, tensor<?x8xi32>, tensor<?x8xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
  %e, %w = kernel.route %logits bias(%bias : tensor<256xf32>) sigmoid
    groups(8) keep(4) top(2) normalize(1.0e-20) scale(2.5) into %e_init, %w_init
    : tensor<?x256xf32>, tensor<?x8xi32>, tensor<?x8xf32>
      -> tensor<?x8xi32>, tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @route_on_memrefs
func.func @route_on_memrefs(%logits: memref<?x64xf32>, %e: memref<?x6xi32>,
                            %w: memref<?x6xf32>) {
  // CHECK: kernel.route %{{[^ ]*}} softmax into %{{.*}}, %{{.*}} : memref<?x64xf32>, memref<?x6xi32>, memref<?x6xf32>
  kernel.route %logits softmax into %e, %w
    : memref<?x64xf32>, memref<?x6xi32>, memref<?x6xf32>
  return
}

// CHECK-LABEL: func @dispatch
func.func @dispatch(%e: tensor<?x8xi32>, %rows_init: tensor<?xi32>,
                    %places_init: tensor<?x8xi32>, %offsets_init: tensor<257xi32>) {
  // CHECK: kernel.dispatch %{{.*}} into %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xi32>, tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32> -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
  %rows, %places, %offsets = kernel.dispatch %e into %rows_init, %places_init, %offsets_init
    : tensor<?x8xi32>, tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
      -> tensor<?xi32>, tensor<?x8xi32>, tensor<257xi32>
  return
}

// CHECK-LABEL: func @grouped_linear
func.func @grouped_linear(%x: tensor<?x7168xf32>, %rows: tensor<?xi32>,
                          %w: tensor<256x4096x7168xbf16>, %offsets: tensor<257xi32>,
                          %init: tensor<?x4096xf32>) {
  // CHECK: kernel.grouped_linear %{{.*}} rows(%{{.*}} : tensor<?xi32>), %{{.*}} offsets(%{{.*}}) into %{{.*}} operand(bf16)
  %y = kernel.grouped_linear %x rows(%rows : tensor<?xi32>), %w offsets(%offsets)
    into %init operand(bf16) packing(<columns = 64>)
    config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 96, block_depth = 512>)
    : tensor<?x7168xf32>, tensor<256x4096x7168xbf16>, tensor<257xi32>,
      tensor<?x4096xf32> -> tensor<?x4096xf32>
  return
}

// CHECK-LABEL: func @combine
func.func @combine(%x: tensor<?x7168xf32>, %places: tensor<?x8xi32>, %weights: tensor<?x8xf32>,
                   %residual: tensor<?x7168xf32>, %shared: tensor<?x7168xf32>, %init: tensor<?x7168xf32>) {
  // CHECK: kernel.combine %{{.*}}, %{{.*}}, %{{.*}} add(%{{.*}}, %{{.*}} : tensor<?x7168xf32>, tensor<?x7168xf32>) into %{{.*}} : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32>, tensor<?x7168xf32> -> tensor<?x7168xf32>
  %y = kernel.combine %x, %places, %weights
    add(%residual, %shared : tensor<?x7168xf32>, tensor<?x7168xf32>) into %init
    : tensor<?x7168xf32>, tensor<?x8xi32>, tensor<?x8xf32>, tensor<?x7168xf32>
      -> tensor<?x7168xf32>
  return
}
