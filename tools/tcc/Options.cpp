#include "tools/tcc/Options.h"

#include "tools/support/Arguments.h"
#include "tools/support/Process.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <set>

using namespace tcc;

namespace {
/// Which options were given.
struct Given {
  bool tokens, march;
};
} // namespace

/// The first option of `options` that the interpreter has no use for, or empty.
static std::string findUnusedByInterpreter(const Options &options,
                                           Given given) {
  if (!options.output.empty())
    return "-o";
  if (!options.emit.empty())
    return "--emit";
  if (!options.stopAfter.empty())
    return "--stop-after";
  if (options.fp8Activations)
    return "--fp8-activations";
  if (given.march)
    return "--march";
  return options.report ? "--report" : "";
}

/// Whether `options` ask for IR that does not know yet for which CPU it is.
static bool stopsBeforeLowering(const Options &options) {
  return options.emit == "transformer" || options.stopAfter == "import" ||
         options.stopAfter == "graph" || options.stopAfter == "batch";
}

/// What of the targets cannot be, or empty.
static std::string findTargetConflict(const Options &options, Given given) {
  const std::vector<std::string> &targets = options.targets;
  auto has = [&](const char *name) {
    return std::find(targets.begin(), targets.end(), name) != targets.end();
  };
  if (std::set<std::string>(targets.begin(), targets.end()).size() !=
      targets.size())
    return "--target: expected each target once";
  if (given.march && !has("x86-64"))
    return "--march: expected --target=x86-64 beside it, got h100 alone";
  if (targets.size() > 1 && (options.printsStage() || options.report))
    return "--target: expected one target beside --emit, --stop-after and "
           "--report, got " +
           std::to_string(targets.size());
  bool isGpu = has("h100");
  if (options.emit == (isGpu ? "asm" : "ptx"))
    return "--emit: expected " + std::string(isGpu ? "ptx" : "asm") +
           " for this target, got " + options.emit;
  return {};
}

/// What the parser cannot say: which options go together.
static std::string findConflict(const Options &options, Given given) {
  bool hasTokens = given.tokens, hasLogits = !options.logits.empty();
  if (options.interpret && !(hasTokens && hasLogits))
    return "--interpret: expected --tokens and --logits beside it";
  if (!options.interpret && (hasTokens || hasLogits))
    return "--tokens and --logits: expected --interpret beside them";
  if (!options.interpret && !options.mtpLogits.empty())
    return "--mtp-logits: expected --interpret beside it";
  std::string unused = findUnusedByInterpreter(options, given);
  if (options.interpret && !unused.empty())
    return "--interpret: expected only --tokens, --logits and --mtp-logits "
           "beside it, got " +
           unused;
  if (options.interpret && !options.mtpLogits.empty() &&
      resolvePath(options.logits) == resolvePath(options.mtpLogits))
    return "--mtp-logits: expected another file than --logits, got '" +
           options.mtpLogits + "' twice";
  if (stopsBeforeLowering(options) && (given.march || options.fp8Activations))
    return std::string(given.march ? "--march" : "--fp8-activations") +
           ": expected a later stage beside it, got " +
           (options.emit.empty() ? options.stopAfter : options.emit) +
           ", to which it makes no difference";
  if (std::string problem = findTargetConflict(options, given);
      !problem.empty())
    return problem;
  if (options.json && !options.report)
    return "--json: expected --report beside it";
  if (options.report && options.printsStage())
    return std::string("--report: expected -o model.bin or nothing beside it, "
                       "got ") +
           (options.emit.empty() ? "--stop-after" : "--emit");
  if (options.output.empty() && !options.interpret && !options.report &&
      !options.printsStage())
    return "expected something to do: -o FILE, --emit, --stop-after, --report "
           "or --interpret";
  if (options.output == "-" && !options.printsStage())
    return "-o: expected the name of a file for a model.bin, got '-'";
  if (options.logits == "-")
    return "--logits: expected the name of a file, got '-'";
  return {};
}

/// Refuses all values but `names`.
static CLI::Validator oneOf(std::vector<std::string> names) {
  auto check = [names = std::move(names)](const std::string &value) {
    if (std::find(names.begin(), names.end(), value) != names.end())
      return std::string();
    std::string text = "expected ";
    for (const std::string &name : names)
      text += name + (&name == &names.back() ? "" : ", ");
    return text + ", got '" + value + "'";
  };
  return CLI::Validator(std::move(check), "");
}

static void declare(CLI::App &app, Options &options,
                    std::optional<std::string> &tokens) {
  app.set_version_flag("--version", "tcc " TCC_VERSION);
  app.add_option("INPUT", options.input,
                 "A model.fbs, a GGUF file, a Hugging Face directory, a "
                 "config.json (with --no-weights) or an .mlir file")
      ->required();
  app.add_option("-o,--output", options.output,
                 "The file to write: model.bin, or what --emit prints");
  app.add_option("--target", options.targets,
                 "What to compile for, one or both: x86-64, h100")
      ->delimiter(',')
      ->type_name("TARGET,...")
      ->check(oneOf({"x86-64", "h100"}))
      ->default_str("x86-64");
  app.add_option("--march", options.march,
                 "x86-64-v3, x86-64-v4, a CPU such as znver4, or native")
      ->capture_default_str();
  app.add_flag(
      "--fp8-activations", options.fp8Activations,
      "Round the input of layers with FP8 weights to FP8, with a scale "
      "for each 128 channels; without, to bf16");
  app.add_option("--emit", options.emit,
                 "Print a stage: transformer, kernel, plan, llvm, asm or ptx")
      ->check(oneOf({"transformer", "kernel", "plan", "llvm", "asm", "ptx"}));
  app.add_option("--stop-after", options.stopAfter,
                 "Print what a phase leaves: import, graph, batch, lower, "
                 "schedule or codegen")
      ->check(
          oneOf({"import", "graph", "batch", "lower", "schedule", "codegen"}))
      ->excludes("--emit");
  app.add_flag("--no-weights", options.withoutWeights,
               "Use the description only: a model.bin without weights, --emit "
               "and --report");
  app.add_flag("--report", options.report,
               "Print parameters, bytes, operations and kernels");
  app.add_flag("--json", options.json, "Print the report as JSON");
  app.add_flag("--interpret", options.interpret,
               "Run the model by the f64 interpreter");
  app.add_option("--tokens", tokens, "Token ids for --interpret")
      ->type_name("ID,ID,...");
  app.add_option("--logits", options.logits,
                 "Where --interpret writes float64 [tokens, vocabulary], .npy");
  app.add_option("--mtp-logits", options.mtpLogits,
                 "The same of multi-token prediction, [tokens - 1, vocabulary]");
}

Status tcc::parseOptions(int argc, char **argv, Options &result, bool &done) {
  CLI::App app("tcc: compiles a transformer model to one executable file",
               "tcc");
  Options options;
  std::optional<std::string> tokens;
  declare(app, options, tokens);
  std::string problem;
  try {
    app.parse(argc, argv);
    problem =
        findConflict(options, {tokens.has_value(), app.count("--march") != 0});
    if (problem.empty() && tokens)
      problem = readTokens(*tokens, options.tokens).message();
    if (problem.empty() && tokens && options.tokens.empty())
      problem = "--tokens: expected at least one id, got none";
  } catch (const CLI::CallForHelp &) {
    writeOutput(app.help(), /*flush=*/false);
    done = true;
  } catch (const CLI::CallForVersion &) {
    writeOutput(app.version() + "\n", /*flush=*/false);
    done = true;
  } catch (const CLI::ParseError &error) {
    problem = error.what();
  }
  if (!problem.empty())
    return {Status::Code::Usage, problem + "\ntcc: note: try --help"};
  result = std::move(options);
  return {};
}
