// The `transformer` dialect: what a model computes.

#ifndef TCC_DIALECTS_TRANSFORMER_DIALECT_TD
#define TCC_DIALECTS_TRANSFORMER_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Transformer_Dialect : Dialect {
  let name = "transformer";
  let cppNamespace = "::mlir::tcc::transformer";
  let summary = "What a transformer model computes, before any target";
  let description = [{
    The `transformer` dialect states *what* a model computes: projections,
    attention, normalisation, routing. Its ops have value semantics and know
    nothing of tiles, memory or devices.

    Activations are ranked tensors whose element type says where values are
    rounded: an op computes as its description says and rounds once, to the
    element type of its result. Weights are symbols (`transformer.weight`); a
    tensor of a weight has its storage as element type.

    Elementwise arithmetic is upstream `arith` on tensors, and views are upstream
    `tensor`. An op belongs in this dialect only if recognising it later, from
    its parts, would need a search.
  }];
  let dependentDialects = ["::mlir::shard::ShardDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

class Transformer_Op<string mnemonic, list<Trait> traits = []>
    : Op<Transformer_Dialect, mnemonic, traits>;

#endif // TCC_DIALECTS_TRANSFORMER_DIALECT_TD
