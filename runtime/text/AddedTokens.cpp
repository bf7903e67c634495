#include "runtime/text/AddedTokens.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

static uint64_t edge(uint32_t node, char byte) {
  return uint64_t{node} << 8 | static_cast<uint8_t>(byte);
}

Status AddedTokenSet::add(AddedToken token) {
  if (token.text.empty())
    return Status::badData("token " + std::to_string(token.id) +
                           ": expected a text that can be matched, got none");
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
        "token " + std::to_string(token.id) + ": expected a text of its own, got '" +
        token.text + "' of token " +
        std::to_string(tokens[static_cast<size_t>(tokenAt[node])].id));
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

/// True if the only character of `character` is part of a word, as `\w` of the
/// Rust crate `regex` says (Unicode Technical Standard 18, annex C).
static Status isWord(std::string_view character, bool &result) {
  Pattern word;
  if (Status status = Pattern::compile(
          "word boundary",
          "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]", word);
      !status.ok())
    return status;
  result = false;
  return Matcher(word).forEachMatch(character,
                                    [&](size_t, size_t) { result = true; });
}

/// Whether `text`[begin, end) lies between word boundaries.
static Status isSingleWord(std::string_view text, size_t begin, size_t end,
                           bool &result) {
  bool wordBefore = false, wordAfter = false;
  if (begin > 0) {
    std::string_view before = text.substr(0, begin);
    if (Status status = isWord(before.substr(lastCharacter(before)), wordBefore);
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

/// Where the white space that ends at `end` begins.
static size_t whiteSpaceBefore(std::string_view text, size_t end) {
  while (end > 0) {
    size_t last = lastCharacter(text.substr(0, end));
    if (!isWhiteSpace(firstCodePoint(text.substr(last))))
      break;
    end = last;
  }
  return end;
}

/// Where the white space that begins at `begin` ends.
static size_t whiteSpaceAfter(std::string_view text, size_t begin) {
  while (begin < text.size() && isWhiteSpace(firstCodePoint(text.substr(begin))))
    begin += characterBytes(text[begin]);
  return begin;
}

Status AddedTokenSet::split(std::string_view text,
                            std::vector<Stretch> &result) const {
  size_t covered = 0, position = 0;
  while (position < text.size() && !tokens.empty()) {
    const AddedToken *token =
        startsToken[static_cast<uint8_t>(text[position])]
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
      begin = std::max(whiteSpaceBefore(text, begin), covered);
    if (token->rightStrip)
      end = whiteSpaceAfter(text, end);
    if (covered < begin)
      result.push_back({covered, begin, -1});
    result.push_back({begin, end, token->id});
    covered = end;
  }
  if (covered < text.size())
    result.push_back({covered, text.size(), -1});
  return {};
}
