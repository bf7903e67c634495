// Reduces textual IR that makes a test fail.

#include "compiler/pipeline/Registration.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::tcc::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::tcc::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
