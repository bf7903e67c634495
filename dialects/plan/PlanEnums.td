// Enumerations used by the ops of the `plan` dialect.

#ifndef TCC_DIALECTS_PLAN_ENUMS_TD
#define TCC_DIALECTS_PLAN_ENUMS_TD

include "mlir/IR/EnumAttr.td"

def Plan_Input : I32EnumAttr<"Input", "what the runtime provides for a step", [
    I32EnumAttrCase<"Tokens", 0, "tokens">,
    I32EnumAttrCase<"Positions", 1, "positions">,
    I32EnumAttrCase<"Sequences", 2, "sequences">,
    I32EnumAttrCase<"LogitRows", 3, "logit_rows">,
    I32EnumAttrCase<"PageTable", 4, "page_table">,
    I32EnumAttrCase<"States", 5, "states">,
    I32EnumAttrCase<"Sampling", 6, "sampling">]> {
  let cppNamespace = "::mlir::tcc::plan";
}

def Plan_CollectiveKind : I32EnumAttr<"CollectiveKind",
    "what devices do with each other's buffers", [
    I32EnumAttrCase<"AllReduce", 0, "all_reduce">,
    I32EnumAttrCase<"AllGather", 1, "all_gather">]> {
  let cppNamespace = "::mlir::tcc::plan";
}

#endif // TCC_DIALECTS_PLAN_ENUMS_TD
