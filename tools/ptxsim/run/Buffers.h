// Buffers on the command line of ptx-run: shape, values, tensor map.

#ifndef TCC_TOOLS_PTXSIM_RUN_BUFFERS_H
#define TCC_TOOLS_PTXSIM_RUN_BUFFERS_H

#include "tools/ptxsim/run/Arguments.h"

namespace ptxrun {

/// Writes "WHAT: expected EXPECTED, got 'GOT'" to `message`.
///
/// \returns false.
bool fail(std::string &message, const std::string &what,
          const std::string &expected, const std::string &got);

std::vector<std::string> split(const std::string &text, char separator);

/// Reads a decimal number of at most `limit`.
bool readNumber(const std::string &text, uint64_t limit, uint64_t &value);

/// Reads "TYPE[SIZES]", with ",box=SIZES" and ",swizzle=BYTES" for a tensor map,
/// "=VALUES" if it is copied in, and ">FILE" if it is copied out to one.
bool readBuffer(const std::string &what, std::string text, Argument &argument,
                std::string &message);

} // namespace ptxrun

#endif // TCC_TOOLS_PTXSIM_RUN_BUFFERS_H
