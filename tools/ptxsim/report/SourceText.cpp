// Reads source files when they are first asked for.

#include "tools/ptxsim/report/SourceText.h"

#include <fstream>

namespace ptxreport {

std::string SourceText::lineOf(const std::string &path, uint64_t line) {
  auto [entry, isNew] = files.try_emplace(path);
  std::vector<std::string> &lines = entry->second;
  if (isNew) {
    std::ifstream file(path);
    for (std::string text; std::getline(file, text);)
      lines.push_back(text);
  }
  if (line == 0 || line > lines.size())
    return "";
  const std::string &text = lines[line - 1];
  size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos)
    return "";
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

} // namespace ptxreport
