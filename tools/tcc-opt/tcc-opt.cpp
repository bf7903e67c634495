// Runs any pass of the compiler on textual IR: the tool of the lit tests.

#include "compiler/pipeline/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::tcc::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::tcc::registerAllDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "tcc pass driver for tests and debugging\n", registry));
}
