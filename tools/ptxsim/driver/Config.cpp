// Reads the PTXSIM_ variables.

#include "tools/ptxsim/driver/Config.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ptxsim::driver {

static bool fail(std::string &message, const char *variable,
                 const char *expected, const std::string &value) {
  message = std::string(variable) + ": expected " + expected + ", got '" +
            value + "'";
  return false;
}

/// Reads digits and nothing else.
static bool readNumber(const std::string &text, uint64_t &value) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  errno = 0;
  value = std::strtoull(text.c_str(), nullptr, 10);
  return errno == 0;
}

static bool readSchedule(const std::string &value, Schedule &schedule,
                         std::string &message) {
  static const std::string randomPrefix = "random:";
  if (value == "eager") {
    schedule.kind = Schedule::Kind::Eager;
    return true;
  }
  if (value == "lazy") {
    schedule.kind = Schedule::Kind::Lazy;
    return true;
  }
  if (value.compare(0, randomPrefix.size(), randomPrefix) == 0 &&
      readNumber(value.substr(randomPrefix.size()), schedule.seed)) {
    schedule.kind = Schedule::Kind::Random;
    return true;
  }
  return fail(message, "PTXSIM_SCHEDULE", "eager, lazy or random:SEED", value);
}

static bool readChecks(const std::string &value, CheckLevel &checks,
                       std::string &message) {
  if (value == "all")
    checks = CheckLevel::All;
  else if (value == "memory")
    checks = CheckLevel::Memory;
  else if (value == "none")
    checks = CheckLevel::None;
  else
    return fail(message, "PTXSIM_CHECK", "all, memory or none", value);
  return true;
}

bool readConfig(Environment environment, Config &config, std::string &message) {
  // An empty variable is one that is not set.
  auto read = [&](const char *name) -> std::string {
    const char *value = environment(name);
    return value ? value : "";
  };
  std::string schedule = read("PTXSIM_SCHEDULE");
  if (!schedule.empty() &&
      !readSchedule(schedule, config.engine.schedule, message))
    return false;
  std::string checks = read("PTXSIM_CHECK");
  if (!checks.empty() && !readChecks(checks, config.engine.checks, message))
    return false;
  std::string tensor = read("PTXSIM_TENSOR");
  if (!tensor.empty() && tensor != "hopper")
    return fail(message, "PTXSIM_TENSOR", "hopper", tensor);
  config.engine.hopperTensor = !tensor.empty();
  std::string threads = read("PTXSIM_THREADS");
  uint64_t count = 0;
  if (!threads.empty() &&
      (!readNumber(threads, count) || count == 0 || count > 1024))
    return fail(message, "PTXSIM_THREADS", "a number from 1 to 1024", threads);
  config.engine.threads = static_cast<unsigned>(count);
  // Blocks that run on several threads race in an order that no seed fixes: who
  // asks for a schedule gets one that can be repeated.
  if (threads.empty() && !schedule.empty())
    config.engine.threads = 1;
  config.reportPath = read("PTXSIM_REPORT");
  config.engine.counts = !config.reportPath.empty();
  return true;
}

} // namespace ptxsim::driver
