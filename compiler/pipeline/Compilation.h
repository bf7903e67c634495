// A model on its way from a checkpoint to an executable file.

#ifndef TCC_COMPILER_PIPELINE_COMPILATION_H
#define TCC_COMPILER_PIPELINE_COMPILATION_H

#include "compiler/codegen/x86/CompileImage.h"
#include "compiler/emit/Emit.h"
#include "compiler/pipeline/Pipeline.h"
#include "frontends/model/ModelFile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/support/Status.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir::tcc {

/// A model and its IR; the calls go in the order of the members.
///
/// Diagnostics of MLIR become the message of the Status: BadData if the input
/// was IR, else Internal. If a pass fails or crashes, its IR is left in
/// tcc-reproducer.mlir and the message says how to run it.
class Compilation {
public:
  Compilation();

  /// Reads `path` and imports it. An .mlir file is parsed as it is.
  ::tcc::Status load(const std::string &path, bool withoutWeights);

  /// Refuses a file to write that is a folder or one of those that were read.
  ::tcc::Status checkOutput(const std::string &path) const {
    return ::tcc::checkOutput(model, path);
  }

  /// Runs the passes up to and including `last` on what was imported, for the
  /// target `march`; with `fp8Activations` layers with FP8 weights round their
  /// input to FP8.
  ::tcc::Status runPasses(Phase last, const std::string &march,
                          bool fp8Activations);

  /// Interprets @forward in f64 on one sequence and writes the logits of each
  /// token, float64 [T, V], to `path`, in NumPy's format. If `predictionPath` is
  /// not empty, it gets those of multi-token prediction, [T - 1, V].
  ::tcc::Status interpret(ArrayRef<int32_t> tokens, const std::string &path,
                          const std::string &predictionPath);

  /// Generates the code of all kernels of the plan, for the same target. Both are
  /// called again for a further one.
  ::tcc::Status generateCode(const std::string &march,
                             ImageText text = ImageText::None);

  /// What `generateCode` made last.
  const CompiledImage &getImage() const { return compiled.back().image; }

  /// Writes the executable file with the code for all targets.
  ::tcc::Status emit(const std::string &path, const EmitProgress &progress);

  /// What was imported, or what the passes made of it last.
  ModuleOp getModule() { return module ? *module : *imported; }
  const ::tcc::ModelFile &getModel() const { return model; }

private:
  ::tcc::Status checkInterpretation(size_t tokens, bool predicts);
  /// Adds `diagnostic` to what failure() says.
  void add(Diagnostic &diagnostic);
  ::tcc::Status parse(const std::string &path);
  ::tcc::Status failure(const std::string &doing) const;
  /// What opens the file for a reproducer, unless it is a link or an input.
  ReproducerStreamFactory makeReproducer() const;

  MLIRContext context;
  std::string diagnostics;
  bool hasReproducer = false; ///< Of a pass that failed.
  std::string input;
  bool inputIsIr = false;
  bool withoutWeights = false;
  ::tcc::ModelFile model;
  OwningOpRef<ModuleOp> imported, module;
  /// A module that passes made, and its code.
  struct Compiled {
    OwningOpRef<ModuleOp> module;
    CompiledImage image;
  };
  std::vector<Compiled> compiled;
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_COMPILATION_H
