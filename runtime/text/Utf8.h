// UTF-8: repair of what is not, and steps over what is.

#ifndef TCC_RUNTIME_TEXT_UTF8_H
#define TCC_RUNTIME_TEXT_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tcc::rt {

/// Replaces what is not UTF-8 in a text that arrives in parts.
///
/// Each maximal ill-formed sequence becomes one U+FFFD, as with Python's
/// errors="replace" and Unicode 15, section 3.9, "U+FFFD Substitution of
/// Maximal Subparts". The parts may end inside a character: what is given out
/// so far is always complete, and the whole does not depend on where the parts
/// end.
class Utf8Repairer {
public:
  /// Appends to `result` all that is certain after `bytes`.
  void append(std::string_view bytes, std::string &result);

  /// Ends the text: a character that was begun becomes U+FFFD.
  void finish(std::string &result);

private:
  std::string pending; // A beginning of a character, at most 3 bytes.
};

/// `text` with each maximal ill-formed sequence replaced by U+FFFD.
std::string repairUtf8(std::string_view text);

/// True if `text` is well-formed UTF-8.
bool isUtf8(std::string_view text);

/// Bytes of the character that starts with `lead`, in well-formed UTF-8.
inline size_t characterBytes(char lead) {
  uint8_t byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The code point of the character at the start of `text`, which is well formed
/// and not empty.
uint32_t firstCodePoint(std::string_view text);

/// Where the last character of `text` starts; `text` is well formed and not
/// empty.
size_t lastCharacter(std::string_view text);

/// Unicode's White_Space property.
bool isWhiteSpace(uint32_t codePoint);

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_UTF8_H
