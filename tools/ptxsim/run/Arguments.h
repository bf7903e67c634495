// The command line of ptx-run.

#ifndef TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H
#define TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H

#include "tools/ptxsim/run/Values.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace ptxrun {

/// One parameter of the kernel: a value or a buffer.
struct Argument {
  ValueType type;
  bool isBuffer = false;
  bool isCopiedIn = false;
  bool isPrinted = false;
  uint64_t count = 1;         ///< Elements of a buffer.
  std::vector<uint8_t> bytes; ///< The value, or what is copied in.
};

struct Options {
  std::string file;
  std::string kernel; ///< Empty for the only one.
  std::array<unsigned, 3> grid = {1, 1, 1};
  std::array<unsigned, 3> block = {1, 1, 1};
  std::optional<std::array<unsigned, 3>> cluster;
  unsigned sharedBytes = 0;
  bool cooperative = false;
  bool list = false; ///< Load the file and name its kernels; launch none.
  std::vector<Argument> arguments;
};

/// Reads an argument as the usage text describes it.
///
/// \returns false and a message if it is wrong.
bool readArgument(const std::string &text, Argument &argument,
                  std::string &message);

/// Reads a command line.
///
/// \returns false and a message if it is wrong.
bool readOptions(const std::vector<std::string> &words, Options &options,
                 std::string &message);

extern const char *const usage;

} // namespace ptxrun

#endif // TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H
