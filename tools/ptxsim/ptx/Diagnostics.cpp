// Collects the errors of one text, renders them, and finds similar names.

#include "tools/ptxsim/ptx/Diagnostics.h"

#include "tools/ptxsim/ptx/Lexer.h"

#include <algorithm>
#include <array>

using namespace ptxsim::ptx;

/// Returns the line that contains `location`, at most about 160 characters of
/// it: names of C++ take thousands.
static std::string lineAt(std::string_view text, Location location) {
  constexpr size_t longest = 160;
  size_t start = 0;
  for (uint32_t line = 1; line < location.line; ++line)
    start = text.find('\n', start) + 1;
  std::string_view line = text.substr(start, text.find('\n', start) - start);
  size_t column = std::min<size_t>(location.column - 1, line.size());
  size_t from =
      column > longest / 2 && line.size() > longest ? column - longest / 2 : 0;
  while (from < line.size() && (line[from] == ' ' || line[from] == '\t'))
    ++from;
  bool isCut = line.size() - from > longest;
  line = line.substr(from, longest);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
    line.remove_suffix(1);
  std::string printable;
  for (char c : line)
    printable += c >= ' ' && c <= '~' ? c : c == '\t' ? ' ' : '?';
  return printable + (isCut ? "…" : "");
}

void Diagnostics::add(Location location, std::string message,
                      bool isVersion) {
  if (isFull())
    return;
  list.push_back(
      {location, std::move(message), lineAt(text, location), isVersion});
}

std::string ptxsim::ptx::render(const Diagnostic &diagnostic,
                                std::string_view name) {
  std::string result(name);
  (result += ':') += std::to_string(diagnostic.location.line);
  (result += ':') += std::to_string(diagnostic.location.column);
  (result += ": error: ") += diagnostic.message;
  if (!diagnostic.text.empty())
    (result += "\n  ") += diagnostic.text;
  return result + "\n";
}

/// Returns the number of edits that turn `a` into `b`, or `limit` if there are
/// as many or more. Only the diagonals nearer than `limit` are computed.
static size_t editDistance(std::string_view a, std::string_view b,
                           size_t limit) {
  constexpr size_t longest = 128;
  if (a.size() > b.size())
    std::swap(a, b);
  if (b.size() - a.size() >= limit || b.size() > longest)
    return limit;
  std::array<size_t, longest + 1> row;
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t from = i > limit ? i - limit : 0, to = std::min(b.size(), i + limit);
    size_t diagonal = row[from], best = limit;
    row[from] = from == 0 ? i : limit;
    for (size_t j = from + 1; j <= to; ++j) {
      size_t above = j == i + limit ? limit : row[j];
      size_t cost = std::min(
          {diagonal + (a[i - 1] != b[j - 1]), above + 1, row[j - 1] + 1});
      diagonal = row[j];
      row[j] = cost;
      best = std::min(best, cost);
    }
    if (best >= limit && row[from] >= limit)
      return limit;
  }
  return std::min(row[b.size()], limit);
}

void NearestName::consider(std::string_view candidate) {
  // One letter in four may differ, else anything is near a short name.
  size_t most = std::min(bestDistance, name.size() / 4 + 1);
  size_t distance = editDistance(name, candidate, most);
  if (distance >= most)
    return;
  best = candidate;
  bestDistance = distance;
}

std::string NearestName::suggestion() const {
  return best.empty() ? "" : "; did you mean " + quote(best) + "?";
}
