// Numbers and names on a command line. Messages of the parser of options do not
// say what was expected.

#ifndef TCC_TOOLS_SUPPORT_ARGUMENTS_H
#define TCC_TOOLS_SUPPORT_ARGUMENTS_H

#include "runtime/support/Status.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tcc {

/// Reads all of `text`, the value of `option`, as a number from `least` to
/// `greatest`.
Status readInteger(const std::string &option, const std::string &text,
                   int64_t least, int64_t greatest, int64_t &result);

/// Splits "1,2,3"; an empty text has no parts.
std::vector<std::string> splitAtCommas(const std::string &text);

/// Reads the value of --tokens: ids with commas between them, or none.
Status readTokens(const std::string &text, std::vector<int32_t> &result);

/// `name` without links and "..", as far as it exists.
std::filesystem::path resolvePath(const std::string &name);

} // namespace tcc

#endif // TCC_TOOLS_SUPPORT_ARGUMENTS_H
