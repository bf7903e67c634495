// Versions of PTX.

#ifndef TCC_TOOLS_PTXSIM_PTX_VERSION_H
#define TCC_TOOLS_PTXSIM_PTX_VERSION_H

#include "tools/ptxsim/ptx/Module.h"

#include <string>
#include <tuple>

namespace ptxsim::ptx {

struct Version {
  uint32_t major = 0, minor = 0;

  bool operator<=(const Version &other) const {
    return std::tie(major, minor) <= std::tie(other.major, other.minor);
  }
};

/// Says what is wrong if the `.version` of `module` is older than that which
/// has `feature`; nothing otherwise.
inline std::string checkVersion(const Module &module, Version needed,
                                std::string_view feature) {
  Version have{module.versionMajor, module.versionMinor};
  if (needed <= have)
    return "";
  auto name = [](Version version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor);
  };
  return "expected .version " + name(needed) + " or later for " +
         std::string(feature) + ", got " + name(have);
}

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_VERSION_H
