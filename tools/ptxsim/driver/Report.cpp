// Writes the file of PTXSIM_REPORT.

#include "tools/ptxsim/driver/Report.h"

#include "tools/ptxsim/driver/Driver.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace ptxsim::driver {

/// Writes `text` to a new file.
///
/// \returns false with errno set.
static bool writeFile(const std::string &path, const std::string &text) {
  FILE *file = std::fopen(path.c_str(), "wb");
  if (!file)
    return false;
  bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int error = errno;
  if (std::fclose(file) != 0)
    return false;
  errno = error;
  return good;
}

/// The name with the number of the process for each %p.
static std::string nameFor(std::string path, const std::string &process) {
  for (size_t at = 0; (at = path.find("%p", at)) != std::string::npos;
       at += process.size())
    path.replace(at, 2, process);
  return path;
}

void writeReport(Driver &driver) {
  if (driver.config().reportPath.empty())
    return;
  std::string text = driver.engine().report();
  if (text.empty())
    return;
  std::string process = std::to_string(getpid());
  std::string path = nameFor(driver.config().reportPath, process);
  // Beside it, so that the file system can rename it; of this process, since
  // others may write the same report.
  std::string temporary = path + "." + process + ".tmp";
  if (writeFile(temporary, text) &&
      std::rename(temporary.c_str(), path.c_str()) == 0)
    return;
  int error = errno;
  std::remove(temporary.c_str());
  driver.complain("PTXSIM_REPORT: expected a file that can be written, got '" +
                  path + "': " + std::strerror(error));
}

} // namespace ptxsim::driver
