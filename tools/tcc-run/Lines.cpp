// Texts to ids and back, line by line, without running the model.

#include "tools/tcc-run/Session.h"

using namespace tcc;
using namespace tcc::run;

Status tcc::run::convertLines(const rt::Executable &executable,
                              const Options &options) {
  return {Status::Code::Internal, "later"};
}
