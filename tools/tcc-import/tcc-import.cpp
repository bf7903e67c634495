// tcc-import: makes a model.fbs from a checkpoint.

#include "frontends/model/ModelFile.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>
#include <unistd.h>

using namespace tcc;

namespace {
struct Options {
  std::string input;
  std::string output;
  bool withoutWeights = false;
};
} // namespace

/// Leaves no temporary file behind; then dies as if the signal were not caught.
static void onInterrupt(int signal) {
  AtomicFile::removeAllTemporaries();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

static Status import(const Options &options) {
  ModelFile file;
  if (Status status = loadModel(options.input, options.withoutWeights, file);
      !status.ok())
    return status;
  if (Status status = checkOutput(file, options.output); !status.ok())
    return status;
  return writeModel(file, options.output);
}

static int fail(const Status &status) {
  fprintf(stderr, "tcc-import: error: %s\n", status.message().c_str());
  return status.exitCode();
}

/// Parses the command line; \returns the exit code if there is nothing to do.
static std::optional<int> parseOptions(int argc, char **argv,
                                       Options &options) {
  CLI::App app("Makes a model.fbs, which describes a model, from a checkpoint. "
               "The weights stay where they are.",
               "tcc-import");
  app.add_option("MODEL", options.input,
                 "A folder of Hugging Face, a GGUF file, a model.fbs or, with "
                 "--no-weights, a config.json")
      ->required();
  app.add_option("-o,--output", options.output, "The file to write")
      ->required();
  app.add_flag("--no-weights", options.withoutWeights,
               "Describe the model without its weights");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError &error) {
    fprintf(stderr, "tcc-import: error: %s\n", error.what());
    fputs("tcc-import: note: tcc-import --help says what it takes\n", stderr);
    return static_cast<int>(Status::Code::Usage);
  }
  return std::nullopt;
}

int main(int argc, char **argv) {
  Options options;
  if (std::optional<int> code = parseOptions(argc, argv, options))
    return *code;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, onInterrupt);
  try {
    Status status = import(options);
    return status.ok() ? 0 : fail(status);
  } catch (const std::bad_alloc &) {
    return fail({Status::Code::OutOfMemory, options.input + ": out of memory"});
  }
}
