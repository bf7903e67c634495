// The command line of ptx-run.

#ifndef TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H
#define TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H

#include "tools/ptxsim/run/Values.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace ptxrun {

/// One parameter of the kernel: a value, a buffer or a tensor map of a buffer.
struct Argument {
  ValueType type;
  bool isBuffer = false;
  bool isCopiedIn = false;
  bool isCopiedOut = false;    ///< To `file`, or printed.
  uint64_t count = 1;          ///< Elements of a buffer.
  std::vector<uint8_t> bytes;  ///< The value, or what is copied in.
  std::string file;            ///< Empty to print.
  std::vector<uint64_t> sizes; ///< Of the dimensions, outermost first.
  std::vector<uint32_t> box;   ///< Of a tensor map; empty for a pointer.
  unsigned swizzle = 0;        ///< Bytes of its span.
};

struct Options {
  std::string file;
  std::string kernel; ///< Empty for the only one.
  std::array<unsigned, 3> grid = {1, 1, 1};
  std::array<unsigned, 3> block = {1, 1, 1};
  std::optional<std::array<unsigned, 3>> cluster;
  unsigned sharedBytes = 0;
  bool cooperative = false;
  unsigned repeat = 0; ///< Launches that are timed; 0 for one that is not.
  bool list = false; ///< Load the file and name its kernels; launch none.
  std::vector<Argument> arguments;
};

/// Reads a command line.
///
/// \returns false and a message if it is wrong.
bool readOptions(const std::vector<std::string> &words, Options &options,
                 std::string &message);

extern const char *const usage;

} // namespace ptxrun

#endif // TCC_TOOLS_PTXSIM_RUN_ARGUMENTS_H
