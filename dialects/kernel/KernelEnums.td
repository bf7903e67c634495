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

def Kernel_GpuKind : I32EnumAttr<"GpuKind",
    "which units of a GPU multiply and add", [
    I32EnumAttrCase<"Simt", 0, "simt">,
    I32EnumAttrCase<"Wgmma", 1, "wgmma">,
    I32EnumAttrCase<"Skinny", 2, "skinny">,
    I32EnumAttrCase<"Split", 3, "split">]> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    `simt` multiplies f32 by f32 in the lanes of threads; operands and weights of
    fewer bits are widened, which is exact. `wgmma` multiplies tiles of 16-bit operands
    in the tensor cores: for the many rows of prompts. `skinny`, of linear layers, reads
    each weight once for few rows. `split`, of attention, deals out the positions of a
    context for few queries.
  }];
}

def Kernel_CacheOrder : I32EnumAttr<"CacheOrder",
    "in which order the elements of a page are", [
    I32EnumAttrCase<"Vectors", 0, "vectors">,
    I32EnumAttrCase<"Rows", 1, "rows">]> {
  let cppNamespace = "::mlir::tcc::kernel";
}

def Kernel_Scoring : I32EnumAttr<"Scoring",
    "how a router makes scores of logits", [
    I32EnumAttrCase<"Softmax", 0, "softmax">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">]> {
  let cppNamespace = "::mlir::tcc::kernel";
}

def Kernel_Rows : I32EnumAttr<"Rows",
    "which rows of a step a launch computes", [
    I32EnumAttrCase<"Tokens", 0, "tokens">,
    I32EnumAttrCase<"LogitRows", 1, "logit_rows">,
    I32EnumAttrCase<"Expanded", 2, "expanded">,
    I32EnumAttrCase<"Absorbed", 3, "absorbed">]> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    `tokens` are all new tokens, `logit_rows` those whose logits are asked for. Where
    there are two forms, `expanded` and `absorbed` are the tokens of the sequences
    that are computed in that form; the expanded ones come first.

    It stands in `kernel.rows` of the function of a launch; before that, of an op
    whose rows its operands do not tell.
  }];
}

#endif // TCC_DIALECTS_KERNEL_ENUMS_TD
