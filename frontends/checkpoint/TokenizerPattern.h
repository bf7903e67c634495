// Regular expressions of the `tokenizers` package, as PCRE2 understands them.

#ifndef TCC_FRONTENDS_CHECKPOINT_TOKENIZERPATTERN_H
#define TCC_FRONTENDS_CHECKPOINT_TOKENIZERPATTERN_H

#include <cstddef>
#include <string>

namespace tcc {

/// Translates `source`, a pattern for Oniguruma in Ruby's syntax, to one for
/// PCRE2 with UTF and UCP that matches the same in every text.
///
/// Classes are spelled out where the two disagree: version 0.23 of the package
/// has the letters and numbers of Unicode 16, PCRE2 10.42 those of Unicode 14,
/// and white space includes U+180E for PCRE2 alone.
///
/// Understands literals, `.`, classes, \p{L}, \p{M}, \p{N}, \p{Nd}, \p{P},
/// \p{S}, \s, \d and their complements, (?i:...) of ASCII text, groups,
/// lookahead and quantifiers. Whatever else is there may mean another thing to
/// PCRE2.
///
/// \param limit Of the bytes that the result may have with classes spelled out:
///              one of 5 bytes takes up to 600.
///
/// \param [out] problem Empty, or what is not understood, as "byte 5: expected
///                      ..., got ..."; the result means nothing then.
std::string translatePattern(const std::string &source, size_t limit,
                             std::string &problem);

/// The numbers that the pre-tokenizer Digits finds, as a class for PCRE2. They
/// are Rust's, of Unicode 17.
std::string digitsPattern();

/// A pattern for PCRE2 that matches `text` and nothing else.
std::string escapePattern(const std::string &text);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_TOKENIZERPATTERN_H
