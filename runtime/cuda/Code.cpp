#include "runtime/cuda/Code.h"

#include <sstream>
#include <vector>

using namespace tcc;
using namespace tcc::rt::cuda;

/// What a compiler says about one mistake fits.
static constexpr size_t logBytes = 8192;

/// The version that `ptx` says it is of, or "?".
static std::string versionOf(const std::string &ptx) {
  static const std::string directive = ".version";
  size_t place = ptx.find(directive);
  if (place == std::string::npos)
    return "?";
  std::istringstream rest(ptx.substr(place + directive.size(), 16));
  std::string version;
  rest >> version;
  return version;
}

/// The lines of `log` as one.
static std::string joinLines(const std::string &log) {
  std::istringstream lines(log);
  std::string joined;
  for (std::string line; std::getline(lines, line);) {
    size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos)
      continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    joined += (joined.empty() ? "" : " | ") + line;
  }
  return joined;
}

static Status tooOld(const Driver &driver, const std::string &ptx) {
  int version = 0;
  (void)driver.driverVersion(&version);
  return {Status::Code::DeviceUnavailable,
          "expected a driver that takes PTX " + versionOf(ptx) +
              ", got one of CUDA " + nameOfVersion(version) +
              "; install a newer driver"};
}

Status tcc::rt::cuda::loadPtx(const Driver &driver, const std::string &ptx,
                              Module &module) {
  std::vector<char> log(logBytes);
  JitOption options[] = {JitOption::ErrorLog, JitOption::ErrorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  Result result = driver.loadModule(&module, ptx.c_str(), 2, options, values);
  if (result == success)
    return {};
  if (result == unsupportedPtxVersion)
    return tooOld(driver, ptx);
  Status status = driver.statusOf(result, "cuModuleLoadDataEx");
  log.back() = '\0';
  std::string said = joinLines(log.data());
  return {status.code(),
          status.message() +
              (said.empty() ? "" : "; the driver's compiler says: " + said)};
}
