// A Llama's description as `transformer` IR.

#ifndef TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H
#define TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H

#include "dialects/transformer/Transformer.h"
#include "frontends/model/Model_generated.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::tcc {

/// Writes what `model` computes for one sequence, in small ops:
///
///   @forward(tokens [T], positions [T]) -> logits [T, V], f32
///
/// One private function holds the body of each kind of layer: layers whose
/// weights have the same storage types share it. Projections and the residual
/// stream are f32; what a linear layer or the attention multiplies is f32 if
/// every linear weight is, else bf16.
///
/// `model` has been checked as ModelFile.h says. Fails with an error on
/// `context` if its architecture is not Llama. Needs the dialects
/// `transformer`, `arith`, `func`, `scf` and `tensor`, and loads them.
FailureOr<OwningOpRef<ModuleOp>> importLlama(const ::tcc::schema::ModelT &model,
                                             MLIRContext &context);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H
