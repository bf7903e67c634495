// Options of the compiler.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_JITOPTIONS_H
#define TCC_TOOLS_PTXSIM_DRIVER_JITOPTIONS_H

#include "tools/ptxsim/driver/Abi.h"

#include <chrono>
#include <string>

namespace ptxsim::driver {

/// Options of the compiler, as far as they ask for something.
class JitOptions {
public:
  /// Reads `count` options; `values` are changed when `finish` is called.
  CUresult read(unsigned count, const CUjit_option *options, void **values);
  /// Writes `log` and the time into the buffers that the options name.
  void finish(const std::string &log);

private:
  char *errorLog = nullptr, *infoLog = nullptr;
  void **errorSize = nullptr, **infoSize = nullptr, **wallTime = nullptr;
  std::chrono::steady_clock::time_point begun =
      std::chrono::steady_clock::now();
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_JITOPTIONS_H
