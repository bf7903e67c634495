// Runs a model that tcc compiled.

#include "tools/tcc-run/Options.h"
#include "tools/tcc-run/Session.h"

#include <cstdio>

using namespace tcc;
using namespace tcc::run;

static Status runMode(const Options &options) {
  std::unique_ptr<rt::Executable> executable;
  if (Status status = loadExecutable(options, executable); !status.ok())
    return status;
  switch (options.mode) {
  case Mode::Generate:
    return generate(*executable, options);
  case Mode::Bench:
    return bench(*executable, options);
  case Mode::Info:
    return info(*executable, options);
  case Mode::Tokenize:
  case Mode::Detokenize:
    return convertLines(*executable, options);
  }
  return {};
}

int main(int argc, char **argv) {
  startTime();
  prepareProcess();
  endWhenOutOfMemory(
      "tcc-run: error: memory: the system gives no more; raise the limit of "
      "address space (ulimit -v) or use a shorter prompt\n");
  Options options;
  bool done = false;
  Status status = parseOptions(argc, argv, options, done);
  if (status.ok())
    status = done ? finishOutput() : runMode(options);
  if (!status.ok() && status.code() != Status::Code::Interrupted)
    fprintf(stderr, "tcc-run: error: %s\n", status.message().c_str());
  return status.exitCode();
}
