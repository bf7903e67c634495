// The body of one kind of Llama layer.

#ifndef TCC_FRONTENDS_LLAMA_LLAMALAYER_H
#define TCC_FRONTENDS_LLAMA_LLAMALAYER_H

#include "frontends/llama/LlamaWeights.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tcc {

/// Normalises `input` by the weight `weight`, to `operandType`.
Value buildNorm(ImplicitLocOpBuilder &builder, Value input, Value weight,
                double epsilon, Type operandType);

/// Multiplies `input` by a weight, to f32; `bias` may be null.
Value buildLinear(ImplicitLocOpBuilder &builder, Value input, Value weight,
                  Value bias);

/// Declares the private function of the layers of `kind` at the insertion point
/// of `builder`:
///
///   @<kind>(x [T, N] f32, positions [T], layer) -> [T, N] f32
func::FuncOp buildLayer(ImplicitLocOpBuilder &builder,
                        const ::tcc::schema::LlamaT &llama,
                        const LlamaWeights &weights, const LayerKind &kind);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_LLAMA_LLAMALAYER_H
