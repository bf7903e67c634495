// The environment variables.

#include "tools/ptxsim/driver/Config.h"

#include "gtest/gtest.h"

#include <map>
#include <string>

using namespace ptxsim;
using namespace ptxsim::driver;

static std::map<std::string, std::string> variables;

static const char *lookUp(const char *name) {
  auto it = variables.find(name);
  return it == variables.end() ? nullptr : it->second.c_str();
}

/// Reads `name`=`value` and returns the message.
static std::string messageFor(const char *name, const char *value) {
  variables = {{name, value}};
  Config config;
  std::string message;
  return readConfig(lookUp, config, message) ? "" : message;
}

TEST(Config, Defaults) {
  variables.clear();
  Config config;
  std::string message;
  ASSERT_TRUE(readConfig(lookUp, config, message));
  EXPECT_EQ(config.engine.schedule.kind, Schedule::Kind::Eager);
  EXPECT_EQ(config.engine.checks, CheckLevel::All);
  EXPECT_FALSE(config.engine.hopperTensor);
  EXPECT_FALSE(config.engine.counts);
  EXPECT_EQ(config.engine.threads, 0u);
}

TEST(Config, ReadsAll) {
  variables = {{"PTXSIM_SCHEDULE", "random:18446744073709551615"},
               {"PTXSIM_CHECK", "memory"},
               {"PTXSIM_TENSOR", "hopper"},
               {"PTXSIM_REPORT", "a.json"},
               {"PTXSIM_THREADS", "3"}};
  Config config;
  std::string message;
  ASSERT_TRUE(readConfig(lookUp, config, message)) << message;
  EXPECT_EQ(config.engine.schedule.kind, Schedule::Kind::Random);
  EXPECT_EQ(config.engine.schedule.seed, UINT64_MAX);
  EXPECT_EQ(config.engine.checks, CheckLevel::Memory);
  EXPECT_TRUE(config.engine.hopperTensor);
  EXPECT_TRUE(config.engine.counts);
  EXPECT_EQ(config.reportPath, "a.json");
  EXPECT_EQ(config.engine.threads, 3u);
}

TEST(Config, SaysWhatIsWrong) {
  EXPECT_EQ(messageFor("PTXSIM_SCHEDULE", "random"),
            "PTXSIM_SCHEDULE: expected eager, lazy or random:SEED, got "
            "'random'");
  EXPECT_NE(messageFor("PTXSIM_SCHEDULE", "random:"), "");
  EXPECT_NE(messageFor("PTXSIM_SCHEDULE", "random:-1"), "");
  EXPECT_NE(messageFor("PTXSIM_SCHEDULE", "random:18446744073709551616"), "");
  EXPECT_EQ(messageFor("PTXSIM_SCHEDULE", "lazy"), "");
  EXPECT_EQ(messageFor("PTXSIM_CHECK", "some"),
            "PTXSIM_CHECK: expected all, memory or none, got 'some'");
  EXPECT_EQ(messageFor("PTXSIM_CHECK", "none"), "");
  EXPECT_EQ(messageFor("PTXSIM_TENSOR", "ampere"),
            "PTXSIM_TENSOR: expected hopper, got 'ampere'");
  EXPECT_EQ(messageFor("PTXSIM_THREADS", "0"),
            "PTXSIM_THREADS: expected a number from 1 to 1024, got '0'");
  EXPECT_NE(messageFor("PTXSIM_THREADS", "1025"), "");
  EXPECT_EQ(messageFor("PTXSIM_THREADS", ""), "");
}
