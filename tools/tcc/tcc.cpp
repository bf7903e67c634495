// Compiles a transformer model to one executable file.

#include "compiler/pipeline/Compilation.h"
#include "compiler/pipeline/Report.h"
#include "compiler/target/CostModel.h"
#include "tools/support/Process.h"
#include "tools/support/Progress.h"
#include "tools/tcc/Options.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"

#include <iostream>

using namespace mlir::tcc;
using tcc::Options;
using tcc::Status;

static Status writeText(const std::string &path, const std::string &text) {
  if (path.empty() || path == "-") {
    tcc::writeOutput(text, /*flush=*/false);
    return tcc::finishOutput();
  }
  tcc::AtomicFile file;
  if (Status status = file.create(path); !status.ok())
    return status;
  if (Status status = file.writeAt(0, text.data(), text.size()); !status.ok())
    return status;
  return file.commit();
}

static std::string printModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  stream << '\n';
  return text;
}

/// The phase after which the IR is what `--emit` or `--stop-after` asks for.
static Phase lastPhase(const Options &options) {
  if (options.stopAfter == "import")
    return Phase::Import;
  if (options.stopAfter == "graph")
    return Phase::Graph;
  if (options.stopAfter == "batch" || options.emit == "transformer")
    return Phase::Batch;
  if (options.stopAfter == "lower" || options.emit == "kernel")
    return Phase::Lower;
  return Phase::Schedule;
}

/// The form of the code that `--emit` or `--stop-after` asks for.
static ImageText codeToPrint(const Options &options) {
  if (options.emit == "llvm")
    return ImageText::Llvm;
  if (options.emit == "asm" || options.emit == "ptx" ||
      options.stopAfter == "codegen")
    return ImageText::Assembly;
  return ImageText::None;
}

static Status printReport(const Options &options, Compilation &compilation) {
  Report report =
      makeReport(compilation.getModule(), compilation.getModel().model);
  return writeText("", options.json ? formatReportAsJson(report)
                                    : formatReport(report));
}

/// Compiles for one target, and prints what is asked for; `done` if that is all.
static Status compileFor(const Options &options, const std::string &target,
                         Compilation &compilation, bool &done) {
  std::string march = target == "h100" ? h100March.str() : options.march;
  if (Status status = compilation.runPasses(lastPhase(options), march,
                                            options.fp8Activations);
      !status.ok())
    return status;
  ImageText code = codeToPrint(options);
  done = options.printsStage();
  if (code == ImageText::None && done)
    return writeText(options.output, printModule(compilation.getModule()));
  if (options.report) {
    Status status = printReport(options, compilation);
    if (!status.ok() || options.output.empty())
      return status;
  }
  if (Status status = compilation.generateCode(march, code); !status.ok())
    return status;
  return done ? writeText(options.output, compilation.getImage().text)
              : Status();
}

static Status run(const Options &options) {
  Compilation compilation;
  if (Status status = compilation.load(options.input, options.withoutWeights);
      !status.ok())
    return status;
  for (const std::string &note : compilation.getModel().notes)
    std::cerr << "tcc: note: " << note << '\n';
  for (const std::string &output :
       {options.output, options.logits, options.mtpLogits})
    if (!output.empty() && output != "-")
      if (Status status = compilation.checkOutput(output); !status.ok())
        return status;
  if (options.interpret)
    return compilation.interpret(options.tokens, options.logits,
                                 options.mtpLogits);
  tcc::Progress progress("tcc");
  for (const std::string &target : options.targets) {
    bool done = false;
    if (Status status = compileFor(options, target, compilation, done);
        !status.ok() || done)
      return status;
  }
  if (options.output.empty())
    return {};
  return compilation.emit(
      options.output, [&](uint64_t done, uint64_t total) {
        progress.show("packing weights: " + std::to_string(done / 1000000) +
                      " of " + std::to_string(total / 1000000) + " MB");
      });
}

/// LLVM calls this before it aborts.
static void handleFatalError(void *, const char *reason, bool) {
  // There is no memory for the stack of a thread.
  if (llvm::StringRef(reason).contains("pthread_create failed"))
    tcc::endOutOfMemory();
  std::cerr << "tcc: error: internal: " << reason << '\n';
}

/// Makes running out of memory a message, in our code and in LLVM's.
static void endWhenOutOfMemory() {
  tcc::endWhenOutOfMemory("tcc: error: memory: the system gives no more; raise "
                          "the limit of address "
                          "space (ulimit -v) or close other programs\n");
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { tcc::endOutOfMemory(); });
  llvm::install_fatal_error_handler(handleFatalError);
}

/// Makes a crash ours to hear of, and lets it leave no half-written file.
static void reportCrashes() {
  llvm::setBugReportMsg("tcc: error: internal: the compiler crashed; please "
                        "report it with the lines below and the input\n");
  llvm::sys::AddSignalHandler(
      [](void *) { tcc::AtomicFile::removeAllTemporaries(); }, nullptr);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  reportCrashes();
  tcc::prepareProcess();
  tcc::onInterrupt([](int) { tcc::endInterrupted(); });
  endWhenOutOfMemory();
  Options options;
  bool done = false;
  Status status = tcc::parseOptions(argc, argv, options, done);
  if (status.ok())
    status = done ? tcc::finishOutput() : run(options);
  if (!status.ok())
    std::cerr << "tcc: error: " << status.message() << '\n';
  return status.exitCode();
}
