// The passes of phase `lower`: `transformer` to `kernel`, on tensors. Those with the
// option `march` fail with an error at ops that this target has no kernel for.

#ifndef TCC_COMPILER_LOWER_PASSES_TD
#define TCC_COMPILER_LOWER_PASSES_TD

include "compiler/target/MarchOption.td"

def Fp8ActivationsOption : Option<
    "fp8Activations", "fp8-activations", "bool", "false",
    "Round the input of layers with FP8 weights to FP8">;

def LowerAttentionPass : Pass<"tcc-lower-attention", "::mlir::func::FuncOp"> {
  let summary = "Lower rotary embedding, cache and attention to two kernels";
  let description = [{
    Rewrites

    ```
    %q = transformer.rotary_embedding (heads of columns of %qkv)
    %k = transformer.rotary_embedding (heads of the next columns of %qkv)
    transformer.cache_append @cache, %k, (heads of the next columns of %qkv)
    %o = transformer.paged_attention @cache, %q
    ```

    into

    ```
    %q = kernel.rotary_append %qkv
    %o = kernel.attention %q
    ```

    Query, key and value may also come from two or three tensors. Both rotations
    have the same frequencies, multiplier and pairs. They are at the positions of
    the attention, and so is the append, with the attention's sequences and page
    table. The cache holds keys and values of f32 or bf16. Otherwise the pass fails
    with an error at the attention.

    Numerics: probabilities are rounded to the element type of the cache before
    they weigh the values; rotated values round where they did.
  }];
  let options = [MarchOption];
  let dependentDialects = [
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
}

def LowerLatentAttentionPass
    : Pass<"tcc-lower-latent-attention", "::mlir::func::FuncOp"> {
  let summary = "Lower attention over latents to kernels";
  let description = [{
    Rewrites

    ```
    %latent = transformer.rms_norm (columns of %low)
    %k = transformer.rotary_embedding (the next columns of %low)
    %q_latent = transformer.head_linear (first part of each head of %q) transposed
    %q_rotated = transformer.rotary_embedding (last part of each head of %q)
    transformer.cache_append @cache, (%latent and %k side by side)
    %u = transformer.paged_attention @cache, (%q_latent and %q_rotated side by side)
    %o = transformer.head_linear %u
    ```

    into

    ```
    %q_rotated = kernel.latent_append %q, (columns of %low)
    %q_latent = kernel.head_linear (first part of each head of %q) transposed
    %u = kernel.latent_attention %q_latent, %q_rotated
    %o = kernel.head_linear %u
    ```

    If both layers for heads are all rows of one weight, first those of keys, each is
    for this attention alone, and a key and a value of a head together are shorter than
    two latents, then the result has two kinds of rows, those of sequences in expanded
    form and the others:

    ```
    %o_expanded = kernel.expanded_attention (first part of each head of %q), %q_rotated
    %q_latent = kernel.head_linear ... {kernel.rows = "absorbed"}
    %u = kernel.latent_attention ... {kernel.rows = "absorbed"}
    %o = kernel.head_linear %u into %o_expanded {kernel.rows = "absorbed"}
    ```

    The cache is latent and holds f32 or bf16. Rotations, append and attention are
    for the same tokens. Otherwise the pass fails with an error at the attention or
    the append.

    Numerics: probabilities are rounded to the element type of the cache before
    they weigh the latents; latents and rotated values round where they did. In
    expanded form queries, keys and values are rounded to that type instead of queries
    in the space of latents and sums of latents.
  }];
  let options = [MarchOption];
  let dependentDialects = [
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
}

def LowerLinearPass : Pass<"tcc-lower-linear", "::mlir::func::FuncOp"> {
  let summary = "Lower linear layers with what follows them";
  let description = [{
    Rewrites a `transformer.linear` to a `kernel.linear` whose epilogue is

    - the bias, if it has one, and then
    - the gated unit of `transformer.swiglu`, if that is the only reader, or
    - the addition of another tensor (`arith.addf`), if that is the only reader.

    An input that is rounded is read as it was before: the kernel rounds it to the
    type of its operands. A `transformer.residual_rms_norm` is taken apart first, so
    that its sum becomes the epilogue of the linear layer before it. The packing and
    the configuration come from the cost model of the target.

    Numerics: the sum, bias, gate and addition are in f32 and round once. Kernels with
    operands of f32, integers or FP8 round an input to these only. With
    `fp8-activations` those are FP8 where the weight has scales.
  }];
  let options = [MarchOption, Fp8ActivationsOption];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect",
    "::mlir::tcc::transformer::TransformerDialect"];
}

def LowerExpertsPass : Pass<"tcc-lower-experts", "::mlir::func::FuncOp"> {
  let summary = "Lower routing, experts and the sum of their results";
  let description = [{
    Rewrites `transformer.route`, `dispatch`, `grouped_linear` and `combine` to the
    kernels of these names.

    - A grouped layer reads its rows by their numbers instead of a gathered copy.
    - The gated unit of `transformer.swiglu`, if it is the only reader of a grouped
      layer, is its epilogue.
    - The addition of another tensor (`arith.addf`), if it is the only reader of a
      combination, is part of it.

    The packing and the configuration come from the cost model of the target.

    Numerics: bit-exact; gate and addition are in f32 and round once. With
    `fp8-activations` the input of grouped layers whose weight has scales is rounded
    to FP8.
  }];
  let options = [MarchOption, Fp8ActivationsOption];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
}

def FuseNormProloguePass
    : Pass<"tcc-fuse-norm-prologue", "::mlir::func::FuncOp"> {
  let summary = "Compute a normalisation while its readers read it";
  let description = [{
    Makes a `transformer.rms_norm` the prologue of every `kernel.linear` and
    `kernel.grouped_linear` that reads it. Each computes it again, which is cheaper
    than a launch. The norm stays if it has other readers.

    Numerics: bit-exact, except that a linear layer with operands of f32 or FP8 does not
    round the normalised value to bf16.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def LowerRowsPass : Pass<"tcc-lower-rows", "::mlir::func::FuncOp"> {
  let summary = "Lower embedding, selection and normalisation of rows";
  let description = [{
    Rewrites `transformer.embedding`, `gather_rows` and `rms_norm` to the kernels of
    these names; normalised rows that `tensor.concat` lays side by side are one
    kernel.

    Numerics: bit-exact.
  }];
  let options = [MarchOption];
  let dependentDialects = [
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
}

def AppendSamplingPass : Pass<"tcc-append-sampling", "::mlir::ModuleOp"> {
  let summary = "Choose tokens where the logits are";
  let description = [{
    On a target whose cost model says so, appends a `kernel.sample` to @forward: an
    argument, the parameters of each row of logits, and a result, the tokens. Both are
    the last ones.

    ```
    %logits = ...
    return %logits
    ```

    becomes

    ```
    %logits = ...
    %tokens = kernel.sample %logits, %parameters
    return %logits, %tokens
    ```

    Numerics: logits are bit-exact.
  }];
  let options = [MarchOption];
  let dependentDialects = [
    "::mlir::tcc::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
}

def VerifyLoweredPass : Pass<"tcc-verify-lowered", "::mlir::ModuleOp"> {
  let summary = "Check that every computation is a kernel";
  let description = [{
    Fails with an error at every op of the `transformer` dialect that is left,
    except declarations of weights and caches and uses of weights.
  }];
}

#endif // TCC_COMPILER_LOWER_PASSES_TD
