module {
  func.func @embedding_n131_k35_f32(%arg0: memref<?xi32>, %arg1: memref<131x35xf32>, %arg2: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.embedding %arg0, %arg1 into %arg2 packing(<columns = 64>) : memref<?xi32>, memref<131x35xf32>, memref<?x35xf32>
    return
  }
  func.func @linear_n56_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<56x35xf32>, %arg2: memref<?x56xf32>, %arg3: memref<35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } : memref<?x35xf32>, memref<56x35xf32>, memref<?x56xf32>
    return
  }
  func.func @linear_n95_k25_f32(%arg0: memref<?x25xf32, strided<[56, 1]>>, %arg1: memref<95x25xf32>, %arg2: memref<?x95xf32>, %arg3: memref<25xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<25xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } : memref<?x25xf32, strided<[56, 1]>>, memref<95x25xf32>, memref<?x95xf32>
    return
  }
  func.func @head_linear_e5_n9_k21_f32(%arg0: memref<?x5x9xf32, strided<[95, 19, 1]>>, %arg1: memref<5x9x21xf32>, %arg2: memref<?x5x21xf32>) attributes {kernel.rows = "tokens"} {
    kernel.head_linear %arg0, %arg1 transposed into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) : memref<?x5x9xf32, strided<[95, 19, 1]>>, memref<5x9x21xf32>, memref<?x5x21xf32>
    return
  }
  func.func @latent_append(%arg0: memref<?x5x19xf32>, %arg1: memref<?x31xf32, strided<[56, 1], offset: 25>>, %arg2: memref<21xf32>, %arg3: memref<?x5x2xf32>, %arg4: memref<?xi32>, %arg5: memref<?xi32>, %arg6: memref<?x?xi32>, %arg7: memref<?xi8>, %arg8: memref<?x5x10xf32>) attributes {kernel.rows = "tokens"} {
    kernel.latent_append %arg0, %arg1 norm(%arg2 : memref<21xf32>) epsilon(9.9999999999999995E-7) interleaved rotary(%arg3) at(%arg4, %arg5, %arg6) cache(%arg7) into %arg8 layout(<page_tokens = 64, latent_size = 21, rotary_size = 10, element = f32>) : memref<?x5x19xf32>, memref<?x31xf32, strided<[56, 1], offset: 25>>, memref<?x5x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x5x10xf32>
    return
  }
  func.func @latent_attention(%arg0: memref<?x5x21xf32>, %arg1: memref<?x5x10xf32>, %arg2: memref<?xi32>, %arg3: memref<?xi32>, %arg4: memref<?x?xi32>, %arg5: memref<?xi8>, %arg6: memref<?x5x21xf32>) attributes {kernel.rows = "tokens"} {
    kernel.latent_attention %arg0, %arg1 at(%arg2, %arg3, %arg4) cache(%arg5) into %arg6 scale(0.29989869110988915) layout(<page_tokens = 64, latent_size = 21, rotary_size = 10, element = f32>) config(<arithmetic = fma, block_tokens = 96, block_heads = 1, tile_rows = 6, tile_columns = 64>) : memref<?x5x21xf32>, memref<?x5x10xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, memref<?x5x21xf32>
    return
  }
  func.func @head_linear_e5_n11_k21_f32(%arg0: memref<?x5x21xf32>, %arg1: memref<5x11x21xf32>, %arg2: memref<?x5x11xf32>) attributes {kernel.rows = "tokens"} {
    kernel.head_linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) : memref<?x5x21xf32>, memref<5x11x21xf32>, memref<?x5x11xf32>
    return
  }
  func.func @linear_n35_k55_f32(%arg0: memref<?x55xf32>, %arg1: memref<35x55xf32>, %arg2: memref<?x35xf32>, %arg3: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) epilogue(%arg3 : memref<?x35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32):
      %0 = arith.addf %arg4, %arg5 : f32
      kernel.yield %0 : f32
    } : memref<?x55xf32>, memref<35x55xf32>, memref<?x35xf32>
    return
  }
  func.func @linear_n90_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<90x35xf32>, %arg2: memref<?x45xf32>, %arg3: memref<35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } epilogue {
    ^bb0(%arg4: f32, %arg5: f32):
      %cst = arith.constant 1.000000e+00 : f32
      %0 = arith.negf %arg4 : f32
      %1 = math.exp %0 : f32
      %2 = arith.addf %1, %cst : f32
      %3 = arith.divf %arg4, %2 : f32
      %4 = arith.mulf %3, %arg5 : f32
      kernel.yield %4 : f32
    } : memref<?x35xf32>, memref<90x35xf32>, memref<?x45xf32>
    return
  }
  func.func @linear_n35_k45_f32(%arg0: memref<?x45xf32>, %arg1: memref<35x45xf32>, %arg2: memref<?x35xf32>, %arg3: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) epilogue(%arg3 : memref<?x35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32):
      %0 = arith.addf %arg4, %arg5 : f32
      kernel.yield %0 : f32
    } : memref<?x45xf32>, memref<35x45xf32>, memref<?x35xf32>
    return
  }
  func.func @linear_n9_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<9x35xf32>, %arg2: memref<?x9xf32>, %arg3: memref<35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } : memref<?x35xf32>, memref<9x35xf32>, memref<?x9xf32>
    return
  }
  func.func @route(%arg0: memref<?x9xf32>, %arg1: memref<?x2xi32>, %arg2: memref<?x2xf32>) attributes {kernel.rows = "tokens"} {
    kernel.route %arg0 softmax groups(3) keep(1) top(1) scale(1.600000e+01) into %arg1, %arg2 : memref<?x9xf32>, memref<?x2xi32>, memref<?x2xf32>
    return
  }
  func.func @dispatch(%arg0: memref<?x2xi32>, %arg1: memref<?xi32>, %arg2: memref<?x2xi32>, %arg3: memref<10xi32>) attributes {kernel.rows = "tokens"} {
    kernel.dispatch %arg0 into %arg1, %arg2, %arg3 : memref<?x2xi32>, memref<?xi32>, memref<?x2xi32>, memref<10xi32>
    return
  }
  func.func @grouped_linear_e9_n18_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<?xi32>, %arg2: memref<9x18x35xf32>, %arg3: memref<10xi32>, %arg4: memref<?x9xf32>, %arg5: memref<35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.grouped_linear %arg0 rows(%arg1 : memref<?xi32>), %arg2 offsets(%arg3) into %arg4 operand(f32) packing(<columns = 64, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg5 : memref<35xf32>) {
    ^bb0(%arg6: f32, %arg7: f32, %arg8: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg7, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg6, %1 : f32
      %3 = arith.mulf %2, %arg8 : f32
      kernel.yield %3 : f32
    } epilogue {
    ^bb0(%arg6: f32, %arg7: f32):
      %cst = arith.constant 1.000000e+00 : f32
      %0 = arith.negf %arg6 : f32
      %1 = math.exp %0 : f32
      %2 = arith.addf %1, %cst : f32
      %3 = arith.divf %arg6, %2 : f32
      %4 = arith.mulf %3, %arg7 : f32
      kernel.yield %4 : f32
    } : memref<?x35xf32>, memref<9x18x35xf32>, memref<10xi32>, memref<?x9xf32>
    return
  }
  func.func @grouped_linear_e9_n35_k9_f32(%arg0: memref<?x9xf32>, %arg1: memref<9x35x9xf32>, %arg2: memref<10xi32>, %arg3: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.grouped_linear %arg0, %arg1 offsets(%arg2) into %arg3 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) : memref<?x9xf32>, memref<9x35x9xf32>, memref<10xi32>, memref<?x35xf32>
    return
  }
  func.func @combine(%arg0: memref<?x35xf32>, %arg1: memref<?x2xi32>, %arg2: memref<?x2xf32>, %arg3: memref<?x35xf32>, %arg4: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.combine %arg0, %arg1, %arg2 add(%arg3 : memref<?x35xf32>) into %arg4 : memref<?x35xf32>, memref<?x2xi32>, memref<?x2xf32>, memref<?x35xf32>
    return
  }
  func.func @linear_n36_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<36x35xf32>, %arg2: memref<?x18xf32>, %arg3: memref<35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64, paired = true>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } epilogue {
    ^bb0(%arg4: f32, %arg5: f32):
      %cst = arith.constant 1.000000e+00 : f32
      %0 = arith.negf %arg4 : f32
      %1 = math.exp %0 : f32
      %2 = arith.addf %1, %cst : f32
      %3 = arith.divf %arg4, %2 : f32
      %4 = arith.mulf %3, %arg5 : f32
      kernel.yield %4 : f32
    } : memref<?x35xf32>, memref<36x35xf32>, memref<?x18xf32>
    return
  }
  func.func @linear_n35_k18_f32(%arg0: memref<?x18xf32>, %arg1: memref<35x18xf32>, %arg2: memref<?x35xf32>, %arg3: memref<?x35xf32>) attributes {kernel.rows = "tokens"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) epilogue(%arg3 : memref<?x35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32):
      %0 = arith.addf %arg4, %arg5 : f32
      kernel.yield %0 : f32
    } : memref<?x18xf32>, memref<35x18xf32>, memref<?x35xf32>
    return
  }
  func.func @gather_rows(%arg0: memref<?x35xf32>, %arg1: memref<?xi32>, %arg2: memref<?x35xf32>) attributes {kernel.rows = "logit_rows"} {
    kernel.gather_rows %arg0, %arg1 into %arg2 : memref<?x35xf32>, memref<?xi32>, memref<?x35xf32>
    return
  }
  func.func @linear_n131_k35_f32(%arg0: memref<?x35xf32>, %arg1: memref<131x35xf32>, %arg2: memref<?x131xf32>, %arg3: memref<35xf32>) attributes {kernel.rows = "logit_rows"} {
    kernel.linear %arg0, %arg1 into %arg2 operand(f32) packing(<columns = 64>) config(<arithmetic = fma, tile_rows = 6, tile_columns = 64, block_rows = 192, block_depth = 512>) prologue mean_square(%arg3 : memref<35xf32>) {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %cst = arith.constant 9.99999997E-7 : f32
      %0 = arith.addf %arg5, %cst : f32
      %1 = math.rsqrt %0 : f32
      %2 = arith.mulf %arg4, %1 : f32
      %3 = arith.mulf %2, %arg6 : f32
      kernel.yield %3 : f32
    } : memref<?x35xf32>, memref<131x35xf32>, memref<?x131xf32>
    return
  }
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(tcc-lower-kernels{march=native}, canonicalize{  max-iterations=10 max-num-rewrites=-1 region-simplify=normal test-convergence=false top-down=true}, cse, convert-scf-to-cf{allow-pattern-rollback=true}, convert-vector-to-llvm{enable-amx=false enable-arm-bf16=false enable-arm-i8mm=false enable-arm-neon=false enable-arm-sve=false enable-x86vector=true force-32bit-vector-indices=true reassociate-fp-reductions=false use-vector-alignment=false vector-contract-lowering=dot vector-transpose-lowering=eltwise}, convert-math-to-llvm{approximate-log1p=true}, convert-arith-to-llvm{index-bitwidth=0}, convert-func-to-llvm{index-bitwidth=0 use-bare-ptr-memref-call-conv=false}, convert-cf-to-llvm{index-bitwidth=0}, reconcile-unrealized-casts)",
      disable_threading: false,
      verify_each: true
    }
  }
#-}
