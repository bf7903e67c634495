// Attributes of the `transformer` dialect.

#ifndef TCC_DIALECTS_TRANSFORMER_ATTRS_TD
#define TCC_DIALECTS_TRANSFORMER_ATTRS_TD

include "dialects/transformer/TransformerDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Transformer_SplitAttr : AttrDef<Transformer_Dialect, "Split"> {
  let mnemonic = "split";
  let summary = "How a weight is divided among devices";
  let description = [{
    Dimension `dimension` of each tensor of the weight is cut into equal parts, one
    for each device along `axis` of the `shard.grid` called `grid`, in their order.
    Devices that differ in other axes have the same part.
  }];
  let parameters = (ins
    "int64_t":$dimension,
    "::mlir::FlatSymbolRefAttr":$grid,
    "int64_t":$axis
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // TCC_DIALECTS_TRANSFORMER_ATTRS_TD
