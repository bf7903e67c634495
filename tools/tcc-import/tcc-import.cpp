// tcc-import: makes a model.fbs from a checkpoint.

#include "frontends/model/ModelFile.h"
#include "tools/support/Process.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

using namespace tcc;

namespace {
/// The command line.
struct Options {
  std::string input;
  std::string output;
  bool withoutWeights = false;
};
} // namespace

static Status import(const Options &options) {
  ModelFile file;
  if (Status status = loadModel(options.input, options.withoutWeights, file);
      !status.ok())
    return status;
  for (const std::string &note : file.notes)
    fprintf(stderr, "tcc-import: note: %s\n", note.c_str());
  if (Status status = checkOutput(file, options.output); !status.ok())
    return status;
  return writeModel(file, options.output);
}

/// Parses the command line into `options`. Sets `done` if that is all there is
/// to do, as after --help or --version.
///
/// \returns Usage, with what was expected.
static Status parseOptions(int argc, char **argv, Options &options,
                           bool &done) {
  CLI::App app("Makes a model.fbs, which describes a model, from a checkpoint. "
               "The weights stay where they are.",
               "tcc-import");
  app.set_version_flag("--version", "tcc-import " TCC_VERSION);
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
    writeOutput(app.help(), /*flush=*/false);
    done = true;
  } catch (const CLI::CallForVersion &) {
    writeOutput(app.version() + "\n", /*flush=*/false);
    done = true;
  } catch (const CLI::ParseError &error) {
    return {Status::Code::Usage,
            std::string(error.what()) +
                "\ntcc-import: note: tcc-import --help says what it takes"};
  }
  return {};
}

static Status run(int argc, char **argv) {
  Options options;
  bool done = false;
  if (Status status = parseOptions(argc, argv, options, done); !status.ok())
    return status;
  return done ? finishOutput() : import(options);
}

int main(int argc, char **argv) {
  prepareProcess();
  onInterrupt([](int) { endInterrupted(); });
  endWhenOutOfMemory(
      "tcc-import: error: memory: the system gives no more; raise the limit of "
      "address space (ulimit -v) or close other programs\n");
  Status status;
  try {
    status = run(argc, argv);
  } catch (const std::exception &error) {
    status = {Status::Code::Internal, std::string("internal: ") + error.what()};
  }
  if (!status.ok())
    fprintf(stderr, "tcc-import: error: %s\n", status.message().c_str());
  return status.exitCode();
}
