// Compiles a transformer model to one executable file.

#include "compiler/pipeline/Compilation.h"
#include "compiler/pipeline/Report.h"
#include "tools/tcc/Options.h"
#include "llvm/Support/InitLLVM.h"

#include <chrono>
#include <csignal>
#include <iostream>
#include <unistd.h>

using namespace mlir::tcc;
using tcc::Options;
using tcc::Status;

/// Removes what is half-written and ends, when the user interrupts.
static void handleInterrupt(int) {
  tcc::AtomicFile::removeAllTemporaries();
  _exit(static_cast<int>(Status::Code::Interrupted));
}

/// Prints how much has been packed, at most five times a second.
static bool showProgress(uint64_t done, uint64_t total) {
  static auto last = std::chrono::steady_clock::now();
  static bool isTerminal = isatty(STDERR_FILENO);
  auto now = std::chrono::steady_clock::now();
  if (!isTerminal || (done < total && now - last < std::chrono::milliseconds(200)))
    return true;
  last = now;
  std::cerr << "\rpacking weights: " << done / 1000000 << " of "
            << total / 1000000 << " MB" << (done == total ? "\n" : "")
            << std::flush;
  return true;
}

static Status writeText(const std::string &path, const std::string &text) {
  if (path.empty() || path == "-") {
    std::cout << text << std::flush;
    return {};
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

static Status run(const Options &options) {
  Compilation compilation;
  if (Status status = compilation.load(options.input, options.withoutWeights);
      !status.ok())
    return status;
  for (const std::string &output : {options.output, options.logits})
    if (!output.empty() && output != "-")
      if (Status status = compilation.checkOutput(output); !status.ok())
        return status;
  if (options.interpret)
    return compilation.interpret(options.tokens, options.logits);
  if (Status status = compilation.runPasses(lastPhase(options), options.march);
      !status.ok())
    return status;
  bool printsCode = options.emit == "llvm" || options.emit == "asm";
  if (!printsCode && (!options.emit.empty() || !options.stopAfter.empty()))
    return writeText(options.output, printModule(compilation.getModule()));

  if (options.report) {
    Report report =
        makeReport(compilation.getModule(), compilation.getModel().model);
    Status status = writeText("", options.json ? formatReportAsJson(report)
                                               : formatReport(report));
    if (!status.ok() || options.output.empty())
      return status;
  }

  x86::CompiledImage image;
  auto text = options.emit == "llvm"  ? x86::ImageText::Llvm
              : options.emit == "asm" ? x86::ImageText::Assembly
                                      : x86::ImageText::None;
  if (Status status = compilation.generateCode(options.march, image, text);
      !status.ok())
    return status;
  if (printsCode)
    return writeText(options.output, image.text);
  return compilation.emit(image, options.output, showProgress);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  std::signal(SIGINT, handleInterrupt);
  std::signal(SIGTERM, handleInterrupt);
  Options options;
  if (std::optional<int> exitCode = tcc::parseOptions(argc, argv, options))
    return *exitCode;
  Status status = run(options);
  if (!status.ok())
    std::cerr << "tcc: error: " << status.message() << '\n';
  return status.exitCode();
}
