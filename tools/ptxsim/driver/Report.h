// The file of PTXSIM_REPORT.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_REPORT_H
#define TCC_TOOLS_PTXSIM_DRIVER_REPORT_H

namespace ptxsim::driver {

class Driver;

/// Writes what was counted so far, if there is something and it is to be written,
/// and says so if that fails. The file is replaced as a whole. The driver is
/// locked.
void writeReport(Driver &driver);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_REPORT_H
