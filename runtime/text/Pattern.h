// Regular expressions over UTF-8, by PCRE2.

#ifndef TCC_RUNTIME_TEXT_PATTERN_H
#define TCC_RUNTIME_TEXT_PATTERN_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tcc::rt {

/// What to do about a tokenizer that exceeds a limit, at the end of a message.
inline constexpr const char *otherTokenizer =
    "; use a model with another tokenizer";

/// A compiled regular expression, of untrusted source.
///
/// Thread-safe: matching changes no state.
class Pattern {
public:
  Pattern();
  Pattern(Pattern &&) noexcept;
  Pattern &operator=(Pattern &&) noexcept;
  ~Pattern();

  /// Compiles `source` (PCRE2 with UTF and UCP, newline is LF).
  ///
  /// \param place File and place, for messages.
  ///
  /// \returns BadData if it is too long or no regular expression.
  static Status compile(const std::string &place, const std::string &source,
                        Pattern &result);

private:
  friend class Matcher;
  struct Code;
  std::unique_ptr<Code> code;
};

/// Searches texts for one pattern, with memory that it keeps from text to text.
///
/// One thread at a time; the pattern must outlive it.
class Matcher {
public:
  explicit Matcher(const Pattern &pattern);
  ~Matcher();

  /// Calls `visit(begin, end)` for the matches in `text`, from left to right.
  ///
  /// A match starts where the one before it ended, or later. It is empty only
  /// if it does not touch the end of the one before it, as in Oniguruma's
  /// iteration.
  ///
  /// \param text Well-formed UTF-8.
  ///
  /// \returns BadData if the work for all texts so far exceeds a limit that
  ///          grows with their bytes.
  Status forEachMatch(std::string_view text,
                      const std::function<void(size_t, size_t)> &visit);

private:
  struct Memory;
  const Pattern &pattern;
  std::unique_ptr<Memory> memory;
  size_t stepsLeft = 0;

  int match(std::string_view text, size_t first, size_t last, size_t steps);
  int findMatch(std::string_view text, size_t position);
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_PATTERN_H
