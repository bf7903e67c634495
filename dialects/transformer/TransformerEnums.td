// Enumerations used by the types and ops of the `transformer` dialect.

#ifndef TCC_DIALECTS_TRANSFORMER_ENUMS_TD
#define TCC_DIALECTS_TRANSFORMER_ENUMS_TD

include "mlir/IR/EnumAttr.td"

def Transformer_BlockFormat : I32EnumAttr<"BlockFormat",
    "how a block of weights is quantised", [
    I32EnumAttrCase<"Q8_0", 0, "q8_0">,
    I32EnumAttrCase<"Q4_0", 1, "q4_0">,
    I32EnumAttrCase<"Q4_1", 2, "q4_1">]> {
  let cppNamespace = "::mlir::tcc::transformer";
}

def Transformer_Scoring : I32EnumAttr<"Scoring",
    "how a router makes scores of logits", [
    I32EnumAttrCase<"Softmax", 0, "softmax">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">]> {
  let cppNamespace = "::mlir::tcc::transformer";
}

#endif // TCC_DIALECTS_TRANSFORMER_ENUMS_TD
