// Lines of the source files that a kernel was compiled from.

#ifndef TCC_TOOLS_PTXSIM_REPORT_SOURCETEXT_H
#define TCC_TOOLS_PTXSIM_REPORT_SOURCETEXT_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ptxreport {

class SourceText {
public:
  /// Returns the line without the blanks around it; empty if there is none, or no
  /// such file on this machine.
  std::string lineOf(const std::string &path, uint64_t line);

private:
  std::map<std::string, std::vector<std::string>> files;
};

} // namespace ptxreport

#endif // TCC_TOOLS_PTXSIM_REPORT_SOURCETEXT_H
