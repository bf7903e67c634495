#include "compiler/pipeline/Compilation.h"

#include "compiler/pipeline/Registration.h"
#include "frontends/llama/LlamaImporter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringRef.h"

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::Status;

/// Where the IR and the pipeline go when a pass fails or crashes.
static constexpr const char *reproducerPath = "tcc-reproducer.mlir";

Compilation::Compilation()
    : context([] {
        DialectRegistry registry;
        registerAllDialects(registry);
        return registry;
      }()) {
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    llvm::raw_string_ostream stream(diagnostics);
    if (!diagnostics.empty())
      stream << "; ";
    if (auto location =
            diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      stream << location.getFilename().getValue() << ':' << location.getLine()
             << ':' << location.getColumn() << ": ";
    stream << diagnostic.str();
  });
}

Status Compilation::failure(const std::string &doing) const {
  return {inputIsIr ? Status::Code::BadData : Status::Code::Internal,
          input + ": " + doing + ": " +
              (diagnostics.empty() ? "no reason was given" : diagnostics)};
}

Status Compilation::parse(const std::string &path) {
  ::tcc::MappedFile file;
  if (Status status = ::tcc::MappedFile::open(path, file); !status.ok())
    return status;
  module = parseSourceFile<ModuleOp>(path, &context);
  return module ? Status() : failure("cannot be parsed");
}

Status Compilation::load(const std::string &path, bool noWeights) {
  input = path;
  withoutWeights = noWeights;
  inputIsIr = StringRef(path).ends_with(".mlir");
  if (inputIsIr)
    return parse(path);
  if (Status status = ::tcc::loadModel(path, withoutWeights, model);
      !status.ok())
    return status;
  FailureOr<OwningOpRef<ModuleOp>> imported =
      importLlama(model.model, context);
  if (mlir::failed(imported))
    return failure("cannot be imported");
  module = std::move(*imported);
  return {};
}

Status Compilation::runPasses(Phase last, const std::string &march) {
  PassManager manager(&context);
  manager.enableCrashReproducerGeneration(reproducerPath);
  PipelineOptions options;
  options.stopAfter = last;
  options.march = march;
  buildPipeline(manager, options);
  if (mlir::succeeded(manager.run(*module)))
    return {};
  return failure("cannot be compiled (to see it again: tcc-opt "
                 "--run-reproducer " +
                 std::string(reproducerPath) + ")");
}

Status Compilation::generateCode(const std::string &march,
                                 x86::CompiledImage &image,
                                 x86::ImageText text) {
  FailureOr<x86::CompiledImage> compiled =
      x86::compileImage(*module, march, text);
  if (mlir::failed(compiled))
    return failure("cannot generate code");
  image = std::move(*compiled);
  return {};
}

Status Compilation::emit(const x86::CompiledImage &image,
                         const std::string &path,
                         const EmitProgress &progress) {
  if (inputIsIr)
    return {Status::Code::Usage,
            input + ": expected a checkpoint to make a model.bin from, got IR"};
  ::tcc::ModelWeights weights;
  if (!withoutWeights)
    if (Status status = ::tcc::ModelWeights::open(model, weights); !status.ok())
      return status;
  return emitExecutable(*module, image, model,
                        withoutWeights ? nullptr : &weights, path, progress);
}
