// Ends a text at the first of some strings, wherever tokens begin and end.

#ifndef TCC_RUNTIME_CORE_STOPTEXT_H
#define TCC_RUNTIME_CORE_STOPTEXT_H

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tcc::rt {

/// Receives a text in parts and gives out what lies before the first stop text:
/// the one that is complete first, of several that end together the longest.
/// What may be the beginning of one is held back until it is certain.
///
/// The one that begins first would depend on how the text is cut: a shorter one
/// may be complete within it.
class StopText {
public:
  /// \param stops Empty strings are ignored.
  explicit StopText(std::vector<std::string> stops) : stops(std::move(stops)) {}

  /// The text that is certain after `part` and was not before; nothing once
  /// `found()`.
  std::string add(const std::string &part) {
    if (isFound)
      return {};
    held += part;
    size_t complete = std::string::npos, end = 0;
    for (const std::string &stop : stops) {
      size_t begin = stop.empty() ? std::string::npos : held.find(stop);
      if (begin == std::string::npos || begin + stop.size() > complete)
        continue;
      end = begin + stop.size() < complete ? begin : std::min(begin, end);
      complete = begin + stop.size();
    }
    isFound = complete != std::string::npos;
    if (!isFound)
      end = held.size() - heldBack();
    std::string certain = held.substr(0, end);
    held.erase(0, end);
    return certain;
  }

  /// Ends the text: what was held back and is no stop text.
  std::string finish() {
    return isFound ? std::string() : std::exchange(held, std::string());
  }

  bool found() const { return isFound; }

private:
  /// Bytes at the end of `held` that begin a stop text.
  size_t heldBack() const {
    size_t longest = 0;
    for (const std::string &stop : stops)
      for (size_t size = std::min(stop.size(), held.size()); size > longest;
           --size)
        if (held.compare(held.size() - size, size, stop, 0, size) == 0)
          longest = size;
    return longest;
  }

  std::vector<std::string> stops;
  std::string held;
  bool isFound = false;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_STOPTEXT_H
