// The ops of the `plan` dialect.

#ifndef TCC_DIALECTS_PLAN_OPS_TD
#define TCC_DIALECTS_PLAN_OPS_TD

include "dialects/plan/PlanDialect.td"
include "dialects/plan/PlanEnums.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"

//===----------------------------------------------------------------------===//
// What launches read and write
//===----------------------------------------------------------------------===//

def Plan_BufferOp : Plan_Op<"buffer", [Symbol]> {
  let summary = "A range of the arena";
  let description = [{
    `bytes` bytes of the arena from `offset` on, both expressions in sizes of a
    step. The buffer holds its value from launch `live[0]` to launch `live[1]` of
    the one step that uses it, counted in the order of the text; buffers that live
    at different times, or are of different steps, may overlap.

    Constraints:
    - (C1) `offset` and `bytes` are expressions without negative terms.
    - (C2) Every term of `offset` is a multiple of 64.
    - (C3) `live` is two numbers in ascending order.

    Example:

    ```mlir
    plan.buffer @qkv offset(2304 T)
      bytes(3840 T) live(1, 2)
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    DenseI64ArrayAttr:$offset,
    DenseI64ArrayAttr:$bytes,
    DenseI64ArrayAttr:$live
  );
  let assemblyFormat = [{
    $sym_name `offset` `(` custom<Expression>($offset) `)` `bytes` `(` custom<Expression>($bytes) `)`
    `live` `(` custom<Range>($live) `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Plan_WeightOp : Plan_Op<"weight", [Symbol]> {
  let summary = "A weight of the model, packed for its kernels";
  let description = [{
    The tensors `sources` of the checkpoint on top of each other, for each layer of
    `layers` if it is given (`{layer}` in a name is the number of the layer),
    as `type`. `packing` says in which order kernels read the bytes; without it
    they are row by row, as in the checkpoint but of the element type of `type`.
    `scales` are the tensors of scales of `sources`. `halves` has a list for each source:
    empty if its rows lie as in the checkpoint, else `[first, count, of]` as `halves` of
    `transformer.weight`.

    A `type` of rank 3 is a stack of matrices. If `{expert}` stands in a name, it is
    the number of the matrix, from 0. With `rows(first, count, of)` matrix `i` is the
    rows `i * of + first` to `i * of + first + count - 1`. A `transposed` weight has
    its output columns in the last dimension.

    `split(dimension, parts)` cuts each source into equal parts, of which each device
    has one; `type` is that of the part.

    Constraints:
    - (C1) There is at least one source, and `type` has a static shape.
    - (C2) `layers`, if given, is a first layer, not negative, and a positive count.
    - (C3) `scales`, if given, has one name for each source.
    - (C4) `rows`, if given, is within `of` rows, and `count` is the second dimension
      of `type`, which has rank 3.
    - (C5) `split`, if given, is a dimension of `type` and a positive number.
    - (C6) `halves`, if given, has one list for each source: empty, or of an even and
      positive number of rows within `of`.

    Example:

    ```mlir
    plan.weight @qkv_weight sources(["model.layers.{layer}.self_attn.qkv_proj.weight"])
      layers(0, 30) : tensor<960x576xbf16>
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    StrArrayAttr:$sources,
    OptionalAttr<DenseI64ArrayAttr>:$layers,
    OptionalAttr<AnyAttr>:$packing,
    TypeAttrOf<AnyRankedTensor>:$type,
    OptionalAttr<StrArrayAttr>:$scales,
    OptionalAttr<TypedArrayAttrBase<DenseI64ArrayAttr, "lists of integers">>:$halves,
    OptionalAttr<DenseI64ArrayAttr>:$rows,
    UnitAttr:$transposed,
    OptionalAttr<DenseI64ArrayAttr>:$split
  );
  let assemblyFormat = [{
    $sym_name `sources` `(` $sources `)` (`scales` `(` $scales^ `)`)?
    (`layers` `(` custom<Range>($layers)^ `)`)? (`halves` `(` custom<Lists>($halves)^ `)`)?
    (`rows` `(` custom<Numbers>($rows)^ `)`)?
    (`transposed` $transposed^)? (`split` `(` custom<Range>($split)^ `)`)?
    (`packing` `(` $packing^ `)`)? attr-dict `:` $type
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Returns the order of the rows of source `index`.
    ::mlir::tcc::transformer::Halves getRowOrder(size_t index);
  }];
}

def Plan_CacheOp : Plan_Op<"cache", [Symbol]> {
  let summary = "The paged key/value cache of all layers";
  let description = [{
    A page holds `page_tokens` positions of one sequence in one layer, in
    `page_bytes` bytes: the keys of all heads, then the values of all heads. In a
    `latent` cache a value is a part of its key, and there are keys only.

    Constraints:
    - (C1) All sizes are positive, and `page_bytes` is a multiple of 64.

    Example:

    ```mlir
    plan.cache @cache layers(30) heads(3) key(64) value(64) page_tokens(32)
      page_bytes(24576) : bf16
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    I64Attr:$layers,
    I64Attr:$heads,
    I64Attr:$key_size,
    I64Attr:$value_size,
    I64Attr:$page_tokens,
    I64Attr:$page_bytes,
    TypeAttr:$element,
    UnitAttr:$latent
  );
  let assemblyFormat = [{
    $sym_name `layers` `(` $layers `)` `heads` `(` $heads `)` `key` `(` $key_size `)`
    `value` `(` $value_size `)` (`latent` $latent^)? `page_tokens` `(` $page_tokens `)`
    `page_bytes` `(` $page_bytes `)` attr-dict `:` $element
  }];
  let hasVerifier = 1;
}

def Plan_RotaryTableOp : Plan_Op<"rotary_table", [Symbol]> {
  let summary = "Cosine and sine of each new token's angles";
  let description = [{
    A table f32 `[T][D/2][2]` that the runtime fills before each step, in f64,
    rounding once: `multiplier * cos(position[t] * frequencies[j])`, and the sine.

    Example:

    ```mlir
    plan.rotary_table @rotary frequencies([1.0, 0.01]) multiplier(1.0)
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    DenseF64ArrayAttr:$frequencies,
    F64Attr:$multiplier
  );
  let assemblyFormat = [{
    $sym_name `frequencies` `(` $frequencies `)` `multiplier` `(` $multiplier `)`
    attr-dict
  }];
}

def Plan_InputOp : Plan_Op<"input", [Symbol]> {
  let summary = "What the runtime provides for each step";
  let description = [{
    `tokens`, `positions`, `sequences`: one number for each new token. `logit_rows`:
    the tokens whose logits are asked for. `page_table`: the pages of each sequence.
    `states`, f32 `[T][hidden]`, of a prediction: what `states` of `@step` held at the
    positions; `tokens` are then those of the positions after them. `sampling`, f64
    `[R][5]`: how a token is chosen for each row (`kernel.sample`). A launch that
    reads it runs only in steps that choose tokens on the device.

    Example:

    ```mlir
    plan.input @positions is positions
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_Input:$input);
  let assemblyFormat = "$sym_name `is` $input attr-dict";
}

//===----------------------------------------------------------------------===//
// What runs when
//===----------------------------------------------------------------------===//

def Plan_StepOp : Plan_Op<"step", [
    Symbol, NoTerminator, SingleBlock,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "One step of a ragged batch: launches, collectives and loops, in order";
  let description = [{
    Leaves the logits of the `R` rows that are asked for, f32 `[R][V]`, in the
    buffer `logits`, and, if given, the state of each token, f32 `[T][hidden]`, in
    the buffer `states`. In a step that chooses tokens on the device, `samples`, i32
    `[R]`, has those of each row of logits. `arena` is the size of the arena in bytes, as an
    expression in the sizes of the step.

    `expansion(saving, cost, chunk)` says which sequences are computed in expanded form:
    `n` new tokens after `P` cached ones where
    `saving * (n P + n (n + 1) / 2) > cost * P`. `saving` is what each pair of query
    and key costs less in expanded form, and `cost` what it costs to expand a cached
    position, both in one unit. A prompt is cut for this into chunks of `chunk`
    positions, which are the `n` tokens. Without it all are computed in absorbed form,
    as what is generated always is.

    A plan has a step `@step` and, if the model predicts several tokens, a step
    `@prediction`, which reads the states that `@step` left, and leaves states of its
    own for the prediction after it. Both run on one arena.

    Constraints:
    - (C1) `logits`, and `states` and `samples`, if given, name a `plan.buffer`.
    - (C2) The body holds launches, collectives and loops only.
    - (C3) `arena` is an expression without negative terms.
    - (C4) `expansion`, if given, is two numbers that are not negative and a positive
      one.

    Example:

    ```mlir
    plan.step @step logits(@logits) states(@x) expansion(1536, 262144, 512)
      arena(2304 T + 2048 R) {
      plan.launch @embedding(@tokens, @embed_tokens, @x)
        tiles(1 T) scratch(0)
      plan.loop layers(0, 30) {
        plan.launch @mlp(@x, @mlp_weight, @x)
          tiles(9) scratch(4096)
      }
    }
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    FlatSymbolRefAttr:$logits,
    OptionalAttr<FlatSymbolRefAttr>:$states,
    OptionalAttr<FlatSymbolRefAttr>:$samples,
    OptionalAttr<DenseI64ArrayAttr>:$expansion,
    DenseI64ArrayAttr:$arena
  );
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `logits` `(` $logits `)` (`states` `(` $states^ `)`)?
    (`samples` `(` $samples^ `)`)?
    (`expansion` `(` custom<Numbers>($expansion)^ `)`)?
    `arena` `(` custom<Expression>($arena) `)` attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Plan_LoopOp : Plan_Op<"loop", [NoTerminator, SingleBlock, HasParent<"StepOp">]> {
  let summary = "The same launches for each layer";
  let description = [{
    Runs its body for the layers `first` to `first + count - 1`. Weights with
    layers and the cache are those of the layer. Loops do not nest.

    Constraints:
    - (C1) `layers` is a first layer, not negative, and a positive count.
    - (C2) The body holds launches and collectives only.

    Example:

    ```mlir
    plan.loop layers(0, 30) {
      plan.launch @mlp(@x, @mlp_weight, @x)
        tiles(9) scratch(4096)
    }
    ```
  }];
  let arguments = (ins DenseI64ArrayAttr:$layers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`layers` `(` custom<Range>($layers) `)` attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Plan_LaunchOp : Plan_Op<"launch", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "One call of a kernel for each range of its tiles";
  let description = [{
    Calls `kernel` with `arguments` for ranges that cover `[0, tiles)`, in any
    order and at once. Each thread has `scratch` bytes of its own.

    Constraints:
    - (C1) `kernel` names a function with as many arguments as the launch has.
    - (C2) Every argument names a buffer, a weight, a cache, a rotary table or an
      input of the plan.
    - (C3) `tiles` and `scratch` are expressions without negative terms.

    Example:

    ```mlir
    plan.launch @embedding(@tokens, @embed_tokens, @x)
      tiles(1 T) scratch(0)
    ```
  }];
  let arguments = (ins
    FlatSymbolRefAttr:$kernel,
    FlatSymbolRefArrayAttr:$arguments,
    DenseI64ArrayAttr:$tiles,
    DenseI64ArrayAttr:$scratch
  );
  let assemblyFormat = [{
    $kernel `(` custom<Arguments>($arguments) `)` `tiles` `(` custom<Expression>($tiles) `)`
    `scratch` `(` custom<Expression>($scratch) `)` attr-dict
  }];
}

def Plan_CollectiveOp : Plan_Op<"collective", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "What devices do with each other's buffers";
  let description = [{
    Every device along `axes` of `grid` has a matrix of `rows` by `columns` elements in
    `source`. Afterwards each has in `target`

    - `all_reduce`: the sums of the elements of all devices, added in the order of the
      devices, so that all have the same bits; `target` may be `source`,
    - `all_gather`: rows in which the columns of all devices stand one after
      another, in the order of the devices.

    Counts as a launch in `live` of buffers.

    Constraints:
    - (C1) `source` and `target` name buffers.
    - (C2) `grid` names a `shard.grid`, which has the `axes`.
    - (C3) `rows` is an expression without negative terms, and `columns` is positive.

    Example:

    ```mlir
    plan.collective all_reduce(@x, @x) on @devices axes(0) rows(1 T) columns(576) : f32
    ```
  }];
  let arguments = (ins
    Plan_CollectiveKind:$kind,
    FlatSymbolRefAttr:$source,
    FlatSymbolRefAttr:$target,
    FlatSymbolRefAttr:$grid,
    DenseI64ArrayAttr:$axes,
    DenseI64ArrayAttr:$rows,
    I64Attr:$columns,
    TypeAttr:$element
  );
  let assemblyFormat = [{
    $kind `(` $source `,` $target `)` `on` $grid `axes` `(` custom<Numbers>($axes) `)`
    `rows` `(` custom<Expression>($rows) `)` `columns` `(` $columns `)` attr-dict
    `:` $element
  }];
}

#endif // TCC_DIALECTS_PLAN_OPS_TD
