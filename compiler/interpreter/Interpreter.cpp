#include "compiler/interpreter/Interpreter.h"

#include "compiler/interpreter/Devices.h"
#include "compiler/interpreter/Execution.h"
#include "compiler/interpreter/Interpretations.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;

FailureOr<SmallVector<Tensor>> Interpreter::run(StringRef entry,
                                                ArrayRef<Tensor> arguments) {
  auto function = module.lookupSymbol<FunctionOpInterface>(entry);
  if (!function)
    return module.emitError("expected a function '")
           << entry << "', got a module without it";
  FailureOr<SmallVector<int64_t>> grid = gridOf(module);
  if (failed(grid))
    return failure();
  int64_t devices = 1;
  for (int64_t size : *grid)
    devices *= size;
  caches.resize(devices, CacheState(options.pageSize));
  return runOnDevices(module, weights, caches, options, *grid, function,
                      arguments);
}

void tcc::registerInterpretations(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, arith::ArithDialect *) {
        attachArithInterpretations(context);
      });
  registry.addExtension(
      +[](MLIRContext *context, tensor::TensorDialect *) {
        attachTensorInterpretations(context);
      });
  registry.addExtension(
      +[](MLIRContext *context, func::FuncDialect *) {
        attachFunctionInterpretations(context);
      });
  registry.addExtension(
      +[](MLIRContext *context, scf::SCFDialect *) {
        attachControlFlowInterpretations(context);
      });
  registry.addExtension(
      +[](MLIRContext *context, transformer::TransformerDialect *) {
        attachGetWeightInterpretation(context);
        attachLinearInterpretations(context);
        attachRowInterpretations(context);
        attachAttentionInterpretations(context);
        attachEinsumInterpretation(context);
        attachCacheInterpretations(context);
        attachRoutingInterpretations(context);
      });
  registry.addExtension(
      +[](MLIRContext *context, shard::ShardDialect *) {
        attachCollectiveInterpretations(context);
      });
}
