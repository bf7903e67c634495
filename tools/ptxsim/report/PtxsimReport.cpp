// ptxsim-report: prints the file that PTXSIM_REPORT names as tables.

#include "tools/ptxsim/report/Tables.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace ptxreport {

static constexpr char usage[] =
    "usage: ptxsim-report [--lines N] FILE.json\n"
    "\n"
    "Prints what PTXSIM_REPORT=FILE.json has counted: one row for each launch,\n"
    "then, for each kernel, its totals and the N lines of PTX (10) that execute,\n"
    "move, conflict and wait most, with their source lines where these are known.\n"
    "tools/ptxsim/count/Counts.def says what each counter means.\n";

/// Says what is wrong with a file or an option, or with the command line if
/// `what` is empty.
static bool fail(const std::string &what, const std::string &expected,
                 const std::string &got) {
  std::fprintf(stderr, "ptxsim-report: %s%sexpected %s, got %s\n", what.c_str(),
               what.empty() ? "" : ": ", expected.c_str(), got.c_str());
  return false;
}

struct Options {
  std::string file;
  size_t lines = 10;
};

static bool readOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--lines") {
      std::string value = i + 1 < argc ? argv[++i] : "";
      if (value.empty() || value.size() > 6 ||
          value.find_first_not_of("0123456789") != std::string::npos)
        return fail(word, "a number below 1000000", "'" + value + "'");
      options.lines = std::stoul(value);
    } else if (word.compare(0, 2, "--") == 0) {
      return fail("", "an option of the usage text", "'" + word + "'");
    } else if (!options.file.empty()) {
      return fail("", "one file", "a second one, '" + word + "'");
    } else {
      options.file = word;
    }
  }
  return !options.file.empty() || fail("", "a file", "none");
}

static bool print(const Options &options) {
  std::ifstream file(options.file, std::ios::binary);
  if (!file)
    return fail(options.file, "a file", "none that can be read");
  Json report = Json::parse(file, nullptr, false);
  std::string format = textOf(report, "format");
  if (format != "ptxsim-counts-1")
    return fail(options.file, "a report of format 'ptxsim-counts-1'",
                report.is_discarded() ? "no JSON" : "'" + format + "'");
  printLaunches(report);
  SourceText sources;
  for (const Json &kernel : member(report, "kernels"))
    printKernel(kernel, options.lines, sources);
  return true;
}

} // namespace ptxreport

int main(int argc, char **argv) {
  bool asksForHelp = argc == 2 && std::strcmp(argv[1], "--help") == 0;
  if (argc < 2 || asksForHelp) {
    std::fputs(ptxreport::usage, asksForHelp ? stdout : stderr);
    return asksForHelp ? 0 : 2;
  }
  ptxreport::Options options;
  if (!ptxreport::readOptions(argc, argv, options))
    return 2;
  if (!ptxreport::print(options))
    return 1;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return 0;
  ptxreport::fail("", "an output that can be written", std::strerror(errno));
  return 73; // EX_CANTCREAT
}
