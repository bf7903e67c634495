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

#endif // TCC_DIALECTS_TRANSFORMER_TYPES_TD
