// Attributes of launches.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_LAUNCHEX_H
#define TCC_TOOLS_PTXSIM_DRIVER_LAUNCHEX_H

#include "tools/ptxsim/driver/Launch.h"

namespace ptxsim::driver {

/// Adds an attribute to `request`; attributes that are about speed only are
/// accepted and change nothing. Complaints begin with `name`.
CUresult applyAttribute(Driver &driver, const char *name,
                        const CUlaunchAttribute &attribute,
                        LaunchRequest &request);

/// Adds those of a launch.
CUresult applyAttributes(Driver &driver, const char *name,
                         const CUlaunchConfig &config, LaunchRequest &request);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_LAUNCHEX_H
