// A Llama's description as `transformer` IR.

#ifndef TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H
#define TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H

#include "dialects/transformer/Transformer.h"
#include "frontends/model/Model_generated.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::tcc {

/// Writes what `model`, a checked description of a Llama, computes, as
/// `buildDecoder` says. Layers whose weights have the same storage types share
/// one body.
OwningOpRef<ModuleOp> importLlama(const ::tcc::schema::ModelT &model,
                                  MLIRContext &context);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_LLAMA_LLAMAIMPORTER_H
