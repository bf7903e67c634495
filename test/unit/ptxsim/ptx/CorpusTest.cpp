// Parses the files that PTXSIM_PTX_FILES names, separated by blanks: lit tests
// set it to what a compiler made.

#include "tools/ptxsim/ptx/Parser.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace ptxsim::ptx;

static std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

static void parseFile(const std::string &path) {
  std::string text = readFile(path);
  ASSERT_FALSE(text.empty()) << "expected a file " << path;
  size_t bytes = text.size();
  std::vector<Diagnostic> diagnostics;
  auto start = std::chrono::steady_clock::now();
  std::unique_ptr<Module> module = parse(std::move(text), path, diagnostics);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  for (const Diagnostic &diagnostic : diagnostics)
    ADD_FAILURE() << render(diagnostic, path);
  ASSERT_TRUE(module);
  size_t instructions = 0, withLine = 0;
  for (const Function &function : module->functions)
    for (const Instruction &instruction : function.instructions) {
      ++instructions;
      withLine += instruction.sourceLine != 0;
    }
  std::printf("%s: %zu functions, %zu variables, %zu instructions; %zu with a "
              "source line; %zu bytes in %.2f ms, %.0f MB/s\n",
              path.c_str(), module->functions.size(), module->variables.size(),
              instructions, withLine, bytes, time.count() * 1e3,
              double(bytes) / 1e6 / time.count());
}

TEST(Corpus, Parses) {
  const char *files = std::getenv("PTXSIM_PTX_FILES");
  if (!files)
    GTEST_SKIP() << "PTXSIM_PTX_FILES names no files";
  std::istringstream list(files);
  for (std::string path; list >> path;)
    parseFile(path);
}
