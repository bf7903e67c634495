#include "tools/tcc/Options.h"

#include <CLI/CLI.hpp>

#include <iostream>

using namespace tcc;

/// What the parser cannot say: which options go together.
static std::string findConflict(const Options &options) {
  if (options.interpret &&
      (options.tokens.empty() || options.logits.empty()))
    return "--interpret: expected --tokens and --logits beside it";
  if (!options.interpret && (!options.tokens.empty() || !options.logits.empty()))
    return "--tokens and --logits: expected --interpret beside them";
  bool printsIr = !options.emit.empty() || !options.stopAfter.empty();
  if (options.output.empty() && !options.interpret && !options.report && !printsIr)
    return "expected something to do: -o FILE, --emit, --report or --interpret";
  if (options.json && !options.report)
    return "--json: expected --report beside it";
  if (options.report && !options.output.empty() && printsIr)
    return "--report: expected either -o model.bin or --emit beside it, got both";
  return {};
}

static void declare(CLI::App &app, Options &options) {
  app.set_version_flag("--version", "tcc " TCC_VERSION);
  app.add_option("INPUT", options.input,
                 "A model.fbs, a GGUF file, a Hugging Face directory, a "
                 "config.json (with --no-weights) or an .mlir file")
      ->required();
  app.add_option("-o,--output", options.output,
                 "The file to write: model.bin, or what --emit prints");
  app.add_option("--march", options.march,
                 "x86-64-v3, x86-64-v4, a CPU such as znver4, or native")
      ->capture_default_str();
  app.add_option("--emit", options.emit,
                 "Print a stage: transformer, kernel, plan, llvm or asm")
      ->check(CLI::IsMember({"transformer", "kernel", "plan", "llvm", "asm"}));
  app.add_option("--stop-after", options.stopAfter,
                 "Print the IR after a phase: import, graph, batch, lower or "
                 "schedule")
      ->check(CLI::IsMember({"import", "graph", "batch", "lower", "schedule"}))
      ->excludes("--emit");
  app.add_flag("--no-weights", options.withoutWeights,
               "Use the description only: a model.bin without weights, --emit "
               "and --report");
  app.add_flag("--report", options.report,
               "Print parameters, bytes, operations and kernels");
  app.add_flag("--json", options.json, "Print the report as JSON");
  app.add_flag("--interpret", options.interpret,
               "Run the model by the f64 interpreter");
  app.add_option("--tokens", options.tokens, "Token ids for --interpret")
      ->delimiter(',');
  app.add_option("--logits", options.logits,
                 "Where --interpret writes float64 [tokens, vocabulary], .npy");
}

std::optional<int> tcc::parseOptions(int argc, char **argv, Options &options) {
  CLI::App app("tcc: compiles a transformer model to one executable file", "tcc");
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::CallForVersion &) {
    std::cout << app.version() << '\n';
    return 0;
  } catch (const CLI::ParseError &error) {
    std::cerr << "tcc: error: " << error.what() << "\ntcc: note: try --help\n";
    return 64;
  }
  if (std::string conflict = findConflict(options); !conflict.empty()) {
    std::cerr << "tcc: error: " << conflict << "\ntcc: note: try --help\n";
    return 64;
  }
  return std::nullopt;
}
