// Tokens that are matched in the input as a whole, before any merging.

#ifndef TCC_RUNTIME_TEXT_ADDEDTOKENS_H
#define TCC_RUNTIME_TEXT_ADDEDTOKENS_H

#include "runtime/support/Status.h"
#include "runtime/text/Pattern.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tcc::rt {

/// What one added token matches.
struct AddedToken {
  std::string text;
  int32_t id = -1;
  bool leftStrip = false;  ///< Takes the white space before it along.
  bool rightStrip = false; ///< Takes the white space after it along.
  bool singleWord = false; ///< Only between word boundaries.
};

/// A part of a text: an added token, or what lies between them.
struct Stretch {
  size_t begin, end; ///< In bytes.
  int32_t id;        ///< Of the added token, or -1.
};

/// Finds added tokens in a text: of all that match, the leftmost, and of those
/// the longest. Thread-safe once built.
class AddedTokenSet {
public:
  /// \returns BadData if a token's text is empty or there twice, or if all
  ///          together are longer than 1 MiB.
  Status add(AddedToken token);

  bool empty() const { return tokens.empty(); }

  /// Cuts `text`, well-formed UTF-8, into stretches that are not empty.
  ///
  /// A token of white space that the one before it has taken along is left out.
  Status split(std::string_view text, std::vector<Stretch> &result) const;

private:
  std::vector<AddedToken> tokens;
  // The trie of their texts: (node, byte) to node, and node to token.
  std::unordered_map<uint64_t, uint32_t> children;
  std::vector<int32_t> tokenAt = {-1};
  size_t textBytes = 0; // Of all tokens.
  bool startsToken[256] = {};
  bool hasSingleWords = false;
  Pattern word; // A character of a word, if there are single words.

  const AddedToken *longestAt(std::string_view text) const;
  Status isWord(std::string_view character, bool &result) const;
  Status isSingleWord(std::string_view text, size_t begin, size_t end,
                      bool &result) const;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_ADDEDTOKENS_H
