// The command line of tcc.

#ifndef TCC_TOOLS_TCC_OPTIONS_H
#define TCC_TOOLS_TCC_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcc {

struct Options {
  std::string input;
  std::string output;              ///< Empty: none asked for.
  std::string march = "native";
  std::string emit;                ///< A stage to print instead, or empty.
  std::string stopAfter;           ///< A phase, or empty.
  bool withoutWeights = false;
  bool report = false;
  bool json = false;
  bool interpret = false;
  std::vector<int64_t> tokens;
  std::string logits;
};

/// Parses the command line into `options`.
///
/// \returns nothing to go on, else the exit code: 0 after --help or --version,
///          64 after a message about what is wrong.
std::optional<int> parseOptions(int argc, char **argv, Options &options);

} // namespace tcc

#endif // TCC_TOOLS_TCC_OPTIONS_H
