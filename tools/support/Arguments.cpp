#include "tools/support/Arguments.h"

#include <cerrno>
#include <cstdlib>
#include <limits>

using namespace tcc;

Status tcc::readInteger(const std::string &option, const std::string &text,
                        int64_t least, int64_t greatest, int64_t &result) {
  errno = 0;
  char *end = nullptr;
  int64_t value = strtoll(text.c_str(), &end, 10);
  bool isNumber = !text.empty() && *end == '\0' && errno == 0 && text[0] > ' ';
  if (!isNumber || value < least || value > greatest)
    return {Status::Code::Usage,
            option + ": expected a whole number from " + std::to_string(least) +
                " to " + std::to_string(greatest) + ", got '" + text + "'"};
  result = value;
  return {};
}

std::vector<std::string> tcc::splitAtCommas(const std::string &text) {
  std::vector<std::string> parts;
  if (text.empty())
    return parts;
  size_t begin = 0;
  for (size_t comma; (comma = text.find(',', begin)) != std::string::npos;
       begin = comma + 1)
    parts.push_back(text.substr(begin, comma - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

Status tcc::readTokens(const std::string &text, std::vector<int32_t> &result) {
  for (const std::string &part : splitAtCommas(text)) {
    int64_t token;
    if (Status status = readInteger("--tokens", part, 0,
                                    std::numeric_limits<int32_t>::max(), token);
        !status.ok())
      return status;
    result.push_back(static_cast<int32_t>(token));
  }
  return {};
}

std::filesystem::path tcc::resolvePath(const std::string &name) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(name, error);
  std::filesystem::path resolved =
      std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved;
}
