// Types of the `transformer` dialect.

#ifndef TCC_DIALECTS_TRANSFORMER_TYPES_TD
#define TCC_DIALECTS_TRANSFORMER_TYPES_TD

include "dialects/transformer/TransformerDialect.td"
include "dialects/transformer/TransformerEnums.td"
include "mlir/IR/AttrTypeBase.td"

def Transformer_BlockType : TypeDef<Transformer_Dialect, "Block"> {
  let mnemonic = "block";
  let summary = "Element of a weight stored in quantised blocks";
  let description = [{
    The element type of a weight whose elements are stored in blocks of 32 along
    the last dimension, as GGUF defines them. `d` and `m` are f16, `q` unsigned
    nibbles (the first half of a block in the low nibbles) or signed bytes:

    | Format | Bytes of a block | Element                |
    |--------|------------------|------------------------|
    | q8_0   | d, 32 × q        | `d * q`                |
    | q4_0   | d, 16 × q        | `d * (q - 8)`          |
    | q4_1   | d, m, 16 × q     | `d * q + m`            |

    Example: `tensor<576x1536x!transformer.block<q4_1>>`.
  }];
  let parameters = (ins EnumParameter<Transformer_BlockFormat>:$format);
  let assemblyFormat = "`<` $format `>`";
}

def Transformer_ScaledType : TypeDef<Transformer_Dialect, "Scaled"> {
  let mnemonic = "scaled";
  let summary = "Element of a weight that a tensor of scales accompanies";
  let description = [{
    The element type of a weight whose elements are numbers of type `storage`, with
    one f32 scale for each block of `rows` by `columns` of the last two dimensions,
    in a tensor of its own (`scales` of `transformer.weight`):

    ```
    element[n, k] = stored[n, k] * scales[n / rows, k / columns]
    ```

    Blocks are counted from the first element of each tensor of the checkpoint, also
    where tensors are stacked; those at the edges may be smaller. A checkpoint of
    DeepSeek-V3 has f8E4M3FN in blocks of 128 by 128.

    Example: `tensor<576x7168x!transformer.scaled<f8E4M3FN, 128, 128>>`.
  }];
  let parameters = (ins "::mlir::Type":$storage, "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` $storage `,` $rows `,` $columns `>`";
  let genVerifyDecl = 1;
}

#endif // TCC_DIALECTS_TRANSFORMER_TYPES_TD
