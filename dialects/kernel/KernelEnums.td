// Enumerations used by the attributes of the `kernel` dialect.

#ifndef TCC_DIALECTS_KERNEL_ENUMS_TD
#define TCC_DIALECTS_KERNEL_ENUMS_TD

include "mlir/IR/EnumAttr.td"

def Kernel_Arithmetic : I32EnumAttr<"Arithmetic",
    "which instruction multiplies and adds", [
    I32EnumAttrCase<"Fma", 0, "fma">,
    I32EnumAttrCase<"Dot", 1, "dot">,
    I32EnumAttrCase<"Integer", 2, "integer">]> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    `fma` multiplies f32 by f32; 16-bit operands are widened, which is exact.
    `dot` adds the products of two pairs of bf16 to f32 at once. `integer` adds
    the products of two pairs of i16 to i32 at once, which is exact.
  }];
}

def Kernel_Scoring : I32EnumAttr<"Scoring",
    "how a router makes scores of logits", [
    I32EnumAttrCase<"Softmax", 0, "softmax">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">]> {
  let cppNamespace = "::mlir::tcc::kernel";
}

#endif // TCC_DIALECTS_KERNEL_ENUMS_TD
