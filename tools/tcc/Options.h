// The command line of tcc.

#ifndef TCC_TOOLS_TCC_OPTIONS_H
#define TCC_TOOLS_TCC_OPTIONS_H

#include "runtime/support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tcc {

/// What the user asked for. Names and values are those of --help; combinations
/// that make no sense are refused before this is filled.
struct Options {
  std::string input;
  std::string output; ///< Empty: none asked for.
  std::vector<std::string> targets = {"x86-64"}; ///< x86-64 and h100.
  std::string march = "native";
  bool fp8Activations = false;
  std::string emit;      ///< A stage to print instead, or empty.
  std::string stopAfter; ///< A phase, or empty.
  bool withoutWeights = false;
  bool report = false;
  bool json = false;
  bool interpret = false;
  std::vector<int32_t> tokens; ///< Ids for the interpreter.
  std::string logits;          ///< Where the interpreter writes them, or empty.
  std::string mtpLogits;       ///< The same of multi-token prediction.

  /// Whether a stage is printed, and no model.bin made.
  bool printsStage() const { return !emit.empty() || !stopAfter.empty(); }
};

/// Parses the command line into `result`. Sets `done` if that is all there is
/// to do, as after --help.
///
/// \returns Usage, with what was expected.
Status parseOptions(int argc, char **argv, Options &result, bool &done);

} // namespace tcc

#endif // TCC_TOOLS_TCC_OPTIONS_H
