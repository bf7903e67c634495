// What the environment says: the PTXSIM_ variables.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_CONFIG_H
#define TCC_TOOLS_PTXSIM_DRIVER_CONFIG_H

#include "tools/ptxsim/machine/Engine.h"

#include <string>

namespace ptxsim::driver {

struct Config {
  EngineOptions engine;
  std::string reportPath; ///< PTXSIM_REPORT; empty for no report.
};

/// Looks up a variable of the environment; null if it is not set.
using Environment = const char *(*)(const char *name);

/// Reads the variables.
///
/// \returns false and a message if one of them is wrong.
bool readConfig(Environment environment, Config &config, std::string &message);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_CONFIG_H
