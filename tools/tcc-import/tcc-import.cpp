// tcc-import: makes a model.fbs from a checkpoint.

#include "frontends/model/ModelFile.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>

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

static int run(int argc, char **argv) {
  Options options;
  if (std::optional<int> code = parseOptions(argc, argv, options))
    return *code;
  Status status = import(options);
  return status.ok() ? 0 : fail(status);
}

int main(int argc, char **argv) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, onInterrupt);
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc &) {
    fputs("tcc-import: error: out of memory\n", stderr);
    return static_cast<int>(Status::Code::OutOfMemory);
  } catch (const std::exception &error) {
    fprintf(stderr, "tcc-import: error: internal: %s\n", error.what());
    return static_cast<int>(Status::Code::Internal);
  }
}
