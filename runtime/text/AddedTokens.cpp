#include "runtime/text/AddedTokens.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

// What Unicode 15 to 16 have added to the characters of words of Unicode 14,
// which PCRE2 10.42 knows.
static constexpr const char *newWordCharacters =
    R"(\x{897}\x{CF3}\x{ECE}\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD})"
    R"(\x{A7DA}-\x{A7DC}\x{105C0}-\x{105F3}\x{10D40}-\x{10D65})"
    R"(\x{10D69}-\x{10D6D}\x{10D6F}-\x{10D85}\x{10EC2}-\x{10EC4})"
    R"(\x{10EFC}-\x{10EFF}\x{1123F}-\x{11241}\x{11380}-\x{11389}\x{1138B})"
    R"(\x{1138E}\x{11390}-\x{113B5}\x{113B7}-\x{113C0}\x{113C2}\x{113C5})"
    R"(\x{113C7}-\x{113CA}\x{113CC}-\x{113D3}\x{113E1}-\x{113E2})"
    R"(\x{116D0}-\x{116E3}\x{11BC0}-\x{11BE0}\x{11BF0}-\x{11BF9})"
    R"(\x{11F00}-\x{11F10}\x{11F12}-\x{11F3A}\x{11F3E}-\x{11F42})"
    R"(\x{11F50}-\x{11F5A}\x{1342F}\x{13440}-\x{13455}\x{13460}-\x{143FA})"
    R"(\x{16100}-\x{16139}\x{16D40}-\x{16D6C}\x{16D70}-\x{16D79}\x{18CFF})"
    R"(\x{1B132}\x{1B155}\x{1CCF0}-\x{1CCF9}\x{1DF25}-\x{1DF2A})"
    R"(\x{1E030}-\x{1E06D}\x{1E08F}\x{1E4D0}-\x{1E4F9}\x{1E5D0}-\x{1E5FA})"
    R"(\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
/// Compiles what `\w` of the Rust crate `regex` matches (Unicode Technical
/// Standard 18, annex C, with Unicode 16).
static Status compileWord(Pattern &result) {
  return Pattern::compile(
      "word boundary",
      std::string("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}") +
          newWordCharacters + "]",
      result);
}

/// Bytes of the texts of a set, each of which takes some fifty in memory. Llama
/// 3 has 8 kB.
static constexpr size_t maxSetBytes = size_t{1} << 20;

/// The key of the edge that leaves `node` with `byte`.
static uint64_t edge(uint32_t node, char byte) {
  return uint64_t{node} << 8 | static_cast<uint8_t>(byte);
}

Status AddedTokenSet::add(AddedToken token) {
  if (token.text.empty())
    return Status::badData("expected a text that can be matched, got none");
  textBytes += token.text.size();
  if (textBytes > maxSetBytes)
    return Status::badData("expected at most " + std::to_string(maxSetBytes) +
                           " bytes of added tokens, got " +
                           std::to_string(textBytes));
  uint32_t node = 0;
  for (char byte : token.text) {
    auto [child, inserted] = children.try_emplace(
        edge(node, byte), static_cast<uint32_t>(tokenAt.size()));
    if (inserted)
      tokenAt.push_back(-1);
    node = child->second;
  }
  if (tokenAt[node] >= 0)
    return Status::badData(
        "expected a text of its own, got that of token " +
        std::to_string(tokens[static_cast<size_t>(tokenAt[node])].id));
  if (token.singleWord && !hasSingleWords) {
    if (Status status = compileWord(word); !status.ok())
      return status;
    hasSingleWords = true;
  }
  tokenAt[node] = static_cast<int32_t>(tokens.size());
  startsToken[static_cast<uint8_t>(token.text[0])] = true;
  tokens.push_back(std::move(token));
  return {};
}

/// The longest token that `text` starts with, or null.
const AddedToken *AddedTokenSet::longestAt(std::string_view text) const {
  const AddedToken *longest = nullptr;
  uint32_t node = 0;
  for (char byte : text) {
    auto child = children.find(edge(node, byte));
    if (child == children.end())
      break;
    node = child->second;
    if (tokenAt[node] >= 0)
      longest = &tokens[static_cast<size_t>(tokenAt[node])];
  }
  return longest;
}

/// True if the only character of `character` is part of a word.
Status AddedTokenSet::isWord(std::string_view character, bool &result) const {
  result = false;
  return Matcher(word).forEachMatch(character,
                                    [&](size_t, size_t) { result = true; });
}

/// Whether `text`[begin, end) lies between word boundaries.
Status AddedTokenSet::isSingleWord(std::string_view text, size_t begin,
                                   size_t end, bool &result) const {
  bool wordBefore = false, wordAfter = false;
  if (begin > 0) {
    std::string_view before = text.substr(0, begin);
    if (Status status =
            isWord(before.substr(lastCharacter(before)), wordBefore);
        !status.ok())
      return status;
  }
  if (end < text.size()) {
    std::string_view after = text.substr(end, characterBytes(text[end]));
    if (Status status = isWord(after, wordAfter); !status.ok())
      return status;
  }
  result = !wordBefore && !wordAfter;
  return {};
}

/// Where the white space that ends at `end` begins, at `least` or later.
static size_t whiteSpaceBefore(std::string_view text, size_t end,
                               size_t least) {
  while (end > least) {
    size_t last = lastCharacter(text.substr(0, end));
    if (!isWhiteSpace(firstCodePoint(text.substr(last))))
      break;
    end = last;
  }
  return end;
}

/// Where the white space that begins at `begin` ends.
static size_t whiteSpaceAfter(std::string_view text, size_t begin) {
  while (begin < text.size() &&
         isWhiteSpace(firstCodePoint(text.substr(begin))))
    begin += characterBytes(text[begin]);
  return begin;
}

Status AddedTokenSet::split(std::string_view text,
                            std::vector<Stretch> &result) const {
  size_t covered = 0, position = 0;
  size_t spaceEnd = 0; // Of the white space that was last taken along.
  while (position < text.size() && !tokens.empty()) {
    const AddedToken *token = startsToken[static_cast<uint8_t>(text[position])]
                                  ? longestAt(text.substr(position))
                                  : nullptr;
    if (!token) {
      ++position;
      continue;
    }
    size_t begin = position, end = position + token->text.size();
    position = end;
    if (token->singleWord) {
      bool single = false;
      if (Status status = isSingleWord(text, begin, end, single); !status.ok())
        return status;
      if (!single)
        continue;
    }
    if (token->leftStrip)
      begin = std::max(whiteSpaceBefore(text, begin, covered), covered);
    if (token->rightStrip)
      end = spaceEnd = whiteSpaceAfter(text, std::max(end, spaceEnd));
    if (covered < begin)
      result.push_back({covered, begin, -1});
    // The one before may have taken all of it along as white space.
    if (begin < end)
      result.push_back({begin, end, token->id});
    covered = end;
  }
  if (covered < text.size())
    result.push_back({covered, text.size(), -1});
  return {};
}
