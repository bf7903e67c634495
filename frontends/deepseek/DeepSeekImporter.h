// A DeepSeek's description as `transformer` IR.

#ifndef TCC_FRONTENDS_DEEPSEEK_DEEPSEEKIMPORTER_H
#define TCC_FRONTENDS_DEEPSEEK_DEEPSEEKIMPORTER_H

#include "dialects/transformer/Transformer.h"
#include "frontends/model/Model_generated.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::tcc {

/// Writes what `model`, a checked description of a DeepSeek, computes, as
/// `buildDecoder` says: attention over all heads, and each token's experts one
/// by one. Layers with one MLP and layers with experts are kinds of their own;
/// those of a kind share one body.
OwningOpRef<ModuleOp> importDeepSeek(const ::tcc::schema::ModelT &model,
                                     MLIRContext &context);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_DEEPSEEK_DEEPSEEKIMPORTER_H
