// A stack of decoder layers as a module: all that is not the body of a layer.

#ifndef TCC_FRONTENDS_IMPORTER_DECODERBUILDER_H
#define TCC_FRONTENDS_IMPORTER_DECODERBUILDER_H

#include "frontends/importer/WeightSymbols.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::tcc {

/// Writes the body of the layers of a kind, as LayerBuilder does.
using BuildLayer = llvm::function_ref<func::FuncOp(
    ImplicitLocOpBuilder &, const WeightSymbols &, const LayerKind &)>;

/// Writes what `model` computes for one sequence, in small ops:
///
///   @forward(tokens [T], positions [T]) -> logits [T, V], f32
///
/// and, if there is a module for multi-token prediction, what it computes from
/// the states of tokens, which @forward then returns too, and the token behind
/// each:
///
///   @predict(states [T, N], next tokens [T], positions [T])
///     -> logits [T, V], states [T, N]
///
/// States are what a last norm gives, in f32; those of @predict predict another
/// token.
///
/// One private function, which `buildLayer` writes, holds the body of each kind
/// of layer. Projections and the residual stream are f32; what a linear layer
/// or the attention multiplies is f32 if every linear weight is, else bf16.
///
/// Needs the dialects `transformer`, `arith`, `func`, `scf` and `tensor`, and
/// loads them.
OwningOpRef<ModuleOp> buildDecoder(const ::tcc::schema::ModelT &model,
                                   const LayerParts &parts,
                                   BuildLayer buildLayer, MLIRContext &context);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_IMPORTER_DECODERBUILDER_H
