// The tables of a report.

#ifndef TCC_TOOLS_PTXSIM_REPORT_TABLES_H
#define TCC_TOOLS_PTXSIM_REPORT_TABLES_H

#include "tools/ptxsim/report/SourceText.h"
#include "tools/ptxsim/report/Values.h"

namespace ptxreport {

/// Prints one row for each launch.
void printLaunches(const Json &report);

/// Prints the totals of a kernel, and the `count` lines of PTX that move, wait and
/// conflict most.
void printKernel(const Json &kernel, size_t count, SourceText &sources);

} // namespace ptxreport

#endif // TCC_TOOLS_PTXSIM_REPORT_TABLES_H
