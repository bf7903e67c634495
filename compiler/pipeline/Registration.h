// What the developer tools know: every dialect, pass and pipeline.

#ifndef TCC_COMPILER_PIPELINE_REGISTRATION_H
#define TCC_COMPILER_PIPELINE_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::tcc {

/// Registers our dialects and the upstream dialects that they are used with.
void registerAllDialects(DialectRegistry &registry);

/// Registers every pass of ours, every upstream pass and the pipelines.
void registerAllPasses();

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_REGISTRATION_H
