// Attributes of the `kernel` dialect: layouts in memory and configurations.

#ifndef TCC_DIALECTS_KERNEL_ATTRS_TD
#define TCC_DIALECTS_KERNEL_ATTRS_TD

include "dialects/kernel/KernelDialect.td"
include "dialects/kernel/KernelEnums.td"
include "dialects/kernel/KernelInterfaces.td"
include "mlir/IR/AttrTypeBase.td"

def Kernel_PackingAttr : Kernel_Attr<"Packing", "packing", [
    Kernel_PackingAttrInterface]> {
  let summary = "Order of the elements of a weight in memory";
  let description = [{
    A weight `NxK` is cut into panels of `columns` output columns, that is rows of
    the weight. A panel is one linear stream over `K`, so that a thread that works
    on a panel reads memory from front to back. Missing columns of the last
    panel are zero.

    `K'` is `K` rounded up to a multiple of 4, with zeros; `c` is `columns`. By
    storage, a panel is

    | Storage  | Panel                                                         |
    |----------|---------------------------------------------------------------|
    | f32, f16 | `[K'][c]`                                                     |
    | bf16     | `[K'/2][c][2]`                                                |
    | q8_0     | for each block of 32: `[c]` scales f16, `[8][c]` words        |
    | q4_0     | for each block of 32: `[c]` scales f16, `[4][c]` words        |
    | q4_1     | the same, with `[c]` minima f16 after the scales              |
    | scaled   | for each block of `K`: `[c]` scales f32, `[block][c]` bytes   |

    Every column has its own scale, so that neither stacked weights nor the edges of
    blocks need to meet the borders of panels. The last block of `K` may be smaller:
    a panel is those scales and `K'` bytes of each column. A block of a column that
    has a NaN has a NaN as its scale.

    Word `i` of a 4-bit block has the elements `8i` to `8i + 7` of its column as
    nibbles: even ones in the low half, odd ones in the high half, so that a
    shift by `4j` brings the pair `8i + 2j`, `8i + 2j + 1` to the bottom of both.
    Word `i` of a q8_0 block has the elements `4i` to `4i + 3`, each plus 128, as
    bytes in the same order.

    If `paired`, the rows `n` and `n + N/2` belong together (gate and value of a
    gated unit): a panel has the rows `p * c/2` to `(p + 1) * c/2 - 1` and then
    their partners.

    A weight of rank 3 is so many weights, one after another: of one expert, or of one
    head. There the rows of a weight are its output columns also where the op says
    that it is transposed.
  }];
  let parameters = (ins
    "int64_t":$columns,
    DefaultValuedParameter<"bool", "false">:$paired
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_RowPackingAttr : Kernel_Attr<"RowPacking", "row_packing", [
    Kernel_PackingAttrInterface]> {
  let summary = "Order of the elements of a weight in memory, row by row";
  let description = [{
    A weight `NxK` is one or several planes, one after another, each of which has
    something of every row. Rows of a plane begin at multiples of 16 bytes, so that a
    thread loads 16 bytes at once and a tile is what the copy engine of a GPU can
    fetch: its strides are such multiples. Planes begin at multiples of 64 bytes, and
    a weight has so many. What that adds is zero.

    | Storage        | Planes                                                      |
    |----------------|-------------------------------------------------------------|
    | f32, f16, bf16 | `[N'][K]`                                                   |
    | q8_0           | `[N'][K/32][8]` words, `[N'][K/32]` scales f16              |
    | q4_0           | `[N'][K/32][4]` words, `[N'][K/32]` scales f16              |
    | q4_1           | the same as q4_0, then `[N'][K/32]` minima f16              |

    Words are those of `#kernel.packing`: a shift and a mask bring two elements of a
    block to the low bits of both halves of a word, where the bits of a number in f16
    around them make two numbers of them.

    If there are `pair_rows`, a multiple of 8, the rows `n` and `n + N/2` belong
    together: memory has so many rows from row 0 on, then their partners, then as
    many rows again, and so on, so that a tile of rows has both. `N'` is then `N/2`
    rounded up to a multiple of `pair_rows`, twice; rows that are missing are zero.
    With 0, the default, `N'` is `N`.

    A row of an embedding is a row of each plane. A weight in rows is one matrix,
    not transposed and without scales.
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "0">:$pair_rows);
  let assemblyFormat = "(`<` struct(params)^ `>`)?";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool getPaired() const { return getPairRows() != 0; }

    /// Rows in memory, `N'`, of a weight of `rows` rows.
    int64_t getPackedRows(int64_t rows) const;
  }];
}

def Kernel_LinearConfigAttr : Kernel_Attr<"LinearConfig", "linear_config", [
    DeclareAttrInterfaceMethods<Kernel_LinearConfigAttrInterface>]> {
  let summary = "How a linear layer is cut into blocks, tiles and instructions";
  let description = [{
    A block of `block_rows` rows of the input is prepared once (prologue, rounding)
    and multiplied by all panels of the launch. A tile of `tile_rows` by
    `tile_columns` results stays in registers. If a block has more than one tile
    of rows, weights are decoded `block_depth` elements of `K` at a time and used
    by all of them. None of this changes the order of a sum.
  }];
  let parameters = (ins
    EnumParameter<Kernel_Arithmetic>:$arithmetic,
    "int64_t":$tile_rows,
    "int64_t":$tile_columns,
    "int64_t":$block_rows,
    "int64_t":$block_depth
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_GpuLinearConfigAttr
    : Kernel_Attr<"GpuLinearConfig", "gpu_linear_config", [
    DeclareAttrInterfaceMethods<Kernel_LinearConfigAttrInterface>]> {
  let summary = "How thread blocks of a GPU compute a linear layer";
  let description = [{
    A block of `threads` threads computes a tile: `tile_rows` rows of the input times
    `tile_columns` rows of the weight, as they lie in memory; of paired rows a tile
    has both. With `C` tiles beside each other, tile `r * C + c` begins with row
    `r * tile_rows` of the input and with row `c * tile_columns` of the weight. There
    are `C` tiles for each row of the input, and nothing to do in those behind its
    last row: numbers of tiles are linear in rows.

    `stages` tiles of both operands are in shared memory at once: one is multiplied
    while the others come. Blocks of a `cluster` share what they read. With `split`,
    which is then the cluster, that many blocks compute a tile, each a part of `K`, and
    add their sums in the order of the parts: there are `split` times as many tiles.

    Kind `wgmma` has 384 threads, two thirds of which multiply, tiles of 128 or 256 rows
    and at most 256 columns, a multiple of 8 for each block of the cluster: blocks that
    are below each other. Weights in blocks have no cluster, and 64 columns or a multiple.

    Of kind `skinny` a cluster has one tile of columns after the other, of all rows,
    `tile_rows` of them at a time. `stages` is then of each warp: the pieces of 16 rows
    of the weight, 128 bytes of each, that it has in shared memory at once. Warps take 16
    rows of `tile_columns` each; where there are more warps, as many have the same ones,
    and share `K` as the blocks do.

    The packing is in rows.
  }];
  let parameters = (ins
    EnumParameter<Kernel_GpuKind>:$kind,
    "int64_t":$tile_rows,
    "int64_t":$tile_columns,
    "int64_t":$threads,
    DefaultValuedParameter<"int64_t", "1">:$stages,
    DefaultValuedParameter<"int64_t", "1">:$cluster,
    DefaultValuedParameter<"int64_t", "1">:$split
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_AttentionConfigAttr : Kernel_Attr<"AttentionConfig", "attention_config", [
    DeclareAttrInterfaceMethods<Kernel_AttentionConfigAttrInterface>]> {
  let summary = "How attention is cut into blocks and tiles";
  let description = [{
    Up to `block_tokens` tokens of one sequence share each page that is read. A
    tile of `tile_rows` query rows by `tile_columns` keys or values stays in
    registers.
  }];
  let parameters = (ins
    "int64_t":$block_tokens,
    "int64_t":$tile_rows,
    "int64_t":$tile_columns
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_GpuAttentionConfigAttr
    : Kernel_Attr<"GpuAttentionConfig", "gpu_attention_config", [
    DeclareAttrInterfaceMethods<Kernel_AttentionConfigAttrInterface>]> {
  let summary = "How thread blocks of a GPU compute attention";
  let description = [{
    A block of `threads` threads computes a key/value head of a block of tokens:
    `tile_rows` query rows, which are the query heads of the head for as many tokens
    of one sequence as fit. It takes `tile_columns` positions at a time, of one page or
    of several whole ones.

    `stages` such pieces of keys and values are in shared memory at once. With `split`,
    which is then the `cluster`, that many blocks compute a tile, each the positions of
    some of its pieces, and join their sums in the order of the blocks: there are `split`
    times as many tiles. Of kind `wgmma` blocks share the work among themselves, and the
    number of tiles only says whether there is any.

    The cache is in rows.
  }];
  let parameters = (ins
    EnumParameter<Kernel_GpuKind>:$kind,
    "int64_t":$tile_rows,
    "int64_t":$tile_columns,
    "int64_t":$threads,
    DefaultValuedParameter<"int64_t", "1">:$stages,
    DefaultValuedParameter<"int64_t", "1">:$cluster,
    DefaultValuedParameter<"int64_t", "1">:$split
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_GpuSampleConfigAttr
    : Kernel_Attr<"GpuSampleConfig", "gpu_sample_config"> {
  let summary = "How thread blocks of a GPU choose a token";
  let description = [{
    The `cluster` blocks of `threads` threads of one cluster share the logits of a row:
    there are `cluster` tiles for each row.
  }];
  let parameters = (ins "int64_t":$threads, "int64_t":$cluster);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_LatentConfigAttr : Kernel_Attr<"LatentConfig", "latent_config"> {
  let summary = "How attention over latents is cut into blocks and tiles";
  let description = [{
    Up to `block_tokens` tokens of one sequence, with `block_heads` of the query
    heads each, share each page that is read: heads are dealt out so that a single
    token occupies several threads. A tile of `tile_rows` query rows by
    `tile_columns` elements of latents, or by as many keys as that are vectors,
    stays in registers.
  }];
  let parameters = (ins
    EnumParameter<Kernel_Arithmetic>:$arithmetic,
    "int64_t":$block_tokens,
    "int64_t":$block_heads,
    "int64_t":$tile_rows,
    "int64_t":$tile_columns
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Kernel_CacheOrderParameter : EnumParameter<Kernel_CacheOrder> {
  let defaultValue = "::mlir::tcc::kernel::CacheOrder::Vectors";
}

def Kernel_CacheAttr : Kernel_Attr<"Cache", "cache"> {
  let summary = "Layout of a page of the key/value cache in one layer";
  let description = [{
    A page holds `page_tokens` positions (`P`) of one sequence: for each of
    `heads` the keys, then for each head the values. `D'` is `key_size` rounded up
    to a multiple of 4, or of 16 in order `rows`, `E'` is `value_size` rounded up to a
    multiple of 16; what they add is zero.

    | Order     | Element | Keys of a head | Values of a head |
    |-----------|---------|----------------|------------------|
    | `vectors` | bf16    | `[D'/2][P][2]` | `[P/2][E'][2]`   |
    | `vectors` | f32     | `[D'][P]`      | `[P][E']`        |
    | `rows`    | any     | `[P][D']`      | `[P][E']`        |

    In order `vectors`, the default, scores are vectors across keys and outputs
    vectors across the head. In order `rows` a key and a value are what a position
    appends and what the matrix units of a GPU read; a row is 32 bytes or a multiple
    of them.
  }];
  let parameters = (ins
    "int64_t":$page_tokens,
    "int64_t":$heads,
    "int64_t":$key_size,
    "int64_t":$value_size,
    "::mlir::Type":$element,
    Kernel_CacheOrderParameter:$order
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of one element.
    int64_t getElementBytes() const;

    /// `key_size` rounded up to whole steps of a product, or to whole vectors.
    int64_t getPaddedKeySize() const;

    /// `value_size` rounded up to whole vectors.
    int64_t getPaddedValueSize() const;

    /// Bytes of the keys of one head in a page.
    int64_t getKeyBytes() const;

    /// Bytes of the values of one head in a page.
    int64_t getValueBytes() const;

    /// Bytes of one page in one layer, a multiple of 64.
    int64_t getPageBytes() const;
  }];
}

def Kernel_LatentCacheAttr : Kernel_Attr<"LatentCache", "latent_cache"> {
  let summary = "Layout of a page of a latent cache in one layer";
  let description = [{
    A page holds `page_tokens` positions (`P`) of one sequence, one row for each:
    `latent_size` elements that are normalised and serve as key and as value, then
    `rotary_size` elements that are rotated and serve as key only: `[P][D']`, with
    `D'` the sum of both rounded up to a multiple of 32. What that adds is zero.
    All heads share them.

    Scores are then sums along a row and outputs are sums of rows: one copy serves
    both.
  }];
  let parameters = (ins
    "int64_t":$page_tokens,
    "int64_t":$latent_size,
    "int64_t":$rotary_size,
    "::mlir::Type":$element
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Elements of the row of one position.
    int64_t getRowSize() const { return getLatentSize() + getRotarySize(); }

    /// `latent_size` and the elements of a row, rounded up to whole vectors of
    /// pairs.
    int64_t getPaddedLatentSize() const;
    int64_t getPaddedRowSize() const;

    /// Bytes of one element, and from one row to the next.
    int64_t getElementBytes() const;
    int64_t getRowBytes() const;

    /// Bytes of one page in one layer, a multiple of 64.
    int64_t getPageBytes() const;
  }];
}

#endif // TCC_DIALECTS_KERNEL_ATTRS_TD
