#include "frontends/checkpoint/TokenizerPattern.h"

#include "frontends/model/Message.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string_view>
#include <vector>

using namespace tcc;

//===--- Classes ----------------------------------------------------------===//

// What Unicode 15 to 16 have added to Unicode 14. A PCRE2 that knows some of it
// matches the same.

static constexpr const char *newLetters =
    R"(\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD}\x{A7DA}-\x{A7DC})"
    R"(\x{105C0}-\x{105F3}\x{10D4A}-\x{10D65}\x{10D6F}-\x{10D85})"
    R"(\x{10EC2}-\x{10EC4}\x{1123F}-\x{11240}\x{11380}-\x{11389}\x{1138B})"
    R"(\x{1138E}\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3})"
    R"(\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10}\x{11F12}-\x{11F33})"
    R"(\x{1342F}\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D})"
    R"(\x{16D40}-\x{16D6C}\x{18CFF}\x{1B132}\x{1B155}\x{1DF25}-\x{1DF2A})"
    R"(\x{1E030}-\x{1E06D}\x{1E4D0}-\x{1E4EB}\x{1E5D0}-\x{1E5ED}\x{1E5F0})"
    R"(\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";

static constexpr const char *newMarks =
    R"(\x{897}\x{CF3}\x{ECE}\x{10D69}-\x{10D6D}\x{10EFC}-\x{10EFF})"
    R"(\x{11241}\x{113B8}-\x{113C0}\x{113C2}\x{113C5}\x{113C7}-\x{113CA})"
    R"(\x{113CC}-\x{113D0}\x{113D2}\x{113E1}-\x{113E2}\x{11F00}-\x{11F01})"
    R"(\x{11F03}\x{11F34}-\x{11F3A}\x{11F3E}-\x{11F42}\x{11F5A}\x{13440})"
    R"(\x{13447}-\x{13455}\x{1611E}-\x{1612F}\x{1E08F}\x{1E4EC}-\x{1E4EF})"
    R"(\x{1E5EE}-\x{1E5EF})";

static constexpr const char *newNumbers =
    R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9})"
    R"(\x{11F50}-\x{11F59}\x{16130}-\x{16139}\x{16D70}-\x{16D79})"
    R"(\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3}\x{1E4F0}-\x{1E4F9})"
    R"(\x{1E5F1}-\x{1E5FA})";

static constexpr const char *newDecimals =
    R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9})"
    R"(\x{11F50}-\x{11F59}\x{16130}-\x{16139}\x{16D70}-\x{16D79})"
    R"(\x{1CCF0}-\x{1CCF9}\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";

static constexpr const char *newPunctuation =
    R"(\x{1B4E}-\x{1B4F}\x{1B7F}\x{10D6E}\x{113D4}-\x{113D5})"
    R"(\x{113D7}-\x{113D8}\x{11B00}-\x{11B09}\x{11BE1}\x{11F43}-\x{11F4F})"
    R"(\x{16D6D}-\x{16D6F}\x{1E5FF})";

static constexpr const char *newSymbols =
    R"(\x{2427}-\x{2429}\x{2FFC}-\x{2FFF}\x{31E4}-\x{31E5}\x{31EF})"
    R"(\x{10D8E}-\x{10D8F}\x{1CC00}-\x{1CCEF}\x{1CD00}-\x{1CEB3}\x{1F6DC})"
    R"(\x{1F774}-\x{1F776}\x{1F77B}-\x{1F77F}\x{1F7D9}\x{1F8B2}-\x{1F8BB})"
    R"(\x{1F8C0}-\x{1F8C1}\x{1FA75}-\x{1FA77}\x{1FA87}-\x{1FA89}\x{1FA8F})"
    R"(\x{1FAAD}-\x{1FAAF}\x{1FABB}-\x{1FABF}\x{1FAC6}\x{1FACE}-\x{1FACF})"
    R"(\x{1FADA}-\x{1FADC}\x{1FADF}\x{1FAE8}-\x{1FAE9}\x{1FAF7}-\x{1FAF8})"
    R"(\x{1FBCB}-\x{1FBEF})";

// What Unicode 17 has added to the numbers of Unicode 16.
static constexpr const char *newerNumbers =
    R"(\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6})";

// Unicode's White_Space, without the U+180E of PCRE2's \s.
static constexpr const char *whiteSpace =
    R"(\x09-\x0D\x20\x85\xA0\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029})"
    R"(\x{202F}\x{205F}\x{3000})";

/// The members of the class that `name` stands for in \p{name}, or nothing.
static std::string propertyMembers(std::string_view name) {
  struct Property {
    const char *name, *added;
  };
  for (const Property &property :
       {Property{"L", newLetters}, Property{"M", newMarks},
        Property{"N", newNumbers}, Property{"Nd", newDecimals},
        Property{"P", newPunctuation}, Property{"S", newSymbols}})
    if (name == property.name)
      return "\\p{" + std::string(name) + "}" + property.added;
  return {};
}

static bool isPunctuation(char character) {
  return character > ' ' && character < 127 &&
         !isalnum(static_cast<unsigned char>(character));
}

std::string tcc::digitsPattern() {
  return "[" + propertyMembers("N") + newerNumbers + "]";
}

std::string tcc::escapePattern(const std::string &text) {
  std::string pattern;
  for (char character : text) {
    if (isPunctuation(character))
      pattern += '\\';
    pattern += character;
  }
  return pattern;
}

//===--- Translation ------------------------------------------------------===//

// What the compiler of PCRE2 takes without coming near its own limits.
static constexpr size_t maxDepth = 100;
static constexpr int64_t maxRepeats = 1000;

namespace {
/// Reads a pattern from left to right; `problem` ends it.
class PatternTranslator {
public:
  PatternTranslator(std::string_view source, size_t limit, std::string &problem)
      : source(source), limit(limit), problem(problem) {}

  std::string translate();

private:
  enum class Group { Plain, Caseless, Lookahead };

  std::string_view source;
  size_t limit;
  std::string &problem;
  std::string result;
  size_t at = 0;
  std::vector<Group> groups; // Those that are open.
  bool repeatable = false;   // Something is there for a quantifier to repeat.
  char lastCaseless = 0;     // The letter before, within (?i:...).

  bool startsWith(std::string_view text) const {
    return source.substr(at, text.size()) == text;
  }
  void expect(const char *what, size_t bytes = 1);
  void take(size_t bytes);
  void takeItem();
  void takeLiteral();
  void takeCaseless();
  void takeEscape();
  std::string takeMembers(bool &negated);
  void openGroup();
  void closeGroup();
  void takeQuantifier();
  void takeCount();
  int64_t takeNumber();
  void takeClass();
  std::string takeClassItem(uint32_t &codePoint);
};
} // namespace

/// Says that `what` belongs where the next `bytes` bytes are.
void PatternTranslator::expect(const char *what, size_t bytes) {
  if (!problem.empty())
    return;
  std::string_view got = source.substr(std::min(at, source.size()), bytes);
  problem = "byte " + std::to_string(at) + ": expected " + what + ", got " +
            (got.empty() ? "the end" : quoteText(got));
}

void PatternTranslator::take(size_t bytes) {
  result += source.substr(at, bytes);
  at = std::min(at + bytes, source.size());
}

std::string PatternTranslator::translate() {
  while (at < source.size() && problem.empty())
    takeItem();
  if (!groups.empty())
    expect("')'");
  return result;
}

/// The bytes of the character that starts with `lead`.
static size_t lengthOf(char lead) {
  auto byte = static_cast<uint8_t>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

void PatternTranslator::takeItem() {
  if (!groups.empty() && groups.back() == Group::Caseless &&
      std::string_view(")|").find(source[at]) == std::string_view::npos)
    return takeCaseless();
  switch (source[at]) {
  case '\\':
    return takeEscape();
  case '[':
    return takeClass();
  case '(':
    return openGroup();
  case ')':
    return closeGroup();
  case '|':
    repeatable = false;
    lastCaseless = 0;
    return take(1);
  case '?':
  case '*':
  case '+':
    return takeQuantifier();
  case '{':
    return takeCount();
  case '^':
  case '$':
    return expect("no anchor");
  default:
    return takeLiteral();
  }
}

void PatternTranslator::takeLiteral() {
  repeatable = true;
  take(lengthOf(source[at]));
}

/// Takes one character within (?i:...). Oniguruma lets two letters match one
/// character there, as "ss" and "st" do U+00DF and U+FB06, PCRE2 does not.
void PatternTranslator::takeCaseless() {
  char letter = source[at];
  bool isLetter = isalpha(static_cast<uint8_t>(letter));
  if (!isLetter &&
      std::string_view("' -_").find(letter) == std::string_view::npos)
    return expect("ASCII letters in (?i:...)", lengthOf(letter));
  auto small = static_cast<char>(tolower(letter));
  for (std::string_view pair : {"ff", "fi", "fl", "ss", "st"})
    if (lastCaseless == pair[0] && small == pair[1])
      return expect("no letters that have a ligature in (?i:...)");
  lastCaseless = small;
  repeatable = false;
  take(1);
}

/// Takes \p{L} and the like; \returns its members, or nothing if that is no
/// class.
std::string PatternTranslator::takeMembers(bool &negated) {
  char letter = at + 1 < source.size() ? source[at + 1] : '\0';
  negated = letter == 'P' || letter == 'S' || letter == 'D';
  std::string members;
  size_t bytes = 2;
  if (letter == 's' || letter == 'S')
    members = whiteSpace;
  if (letter == 'd' || letter == 'D')
    members = propertyMembers("Nd");
  if ((letter == 'p' || letter == 'P') && at + 2 < source.size() &&
      source[at + 2] == '{') {
    bytes = std::min(source.find('}', at), source.size() - 1) + 1 - at;
    members = propertyMembers(source.substr(at + 3, bytes - 4));
  }
  if (result.size() + members.size() > limit && problem.empty())
    problem = "byte " + std::to_string(at) + ": expected at most " +
              std::to_string(limit) +
              " bytes with classes spelled out, got more";
  if (!members.empty())
    at += bytes;
  return members;
}

void PatternTranslator::takeEscape() {
  repeatable = true;
  bool negated = false;
  std::string members = takeMembers(negated);
  if (!members.empty()) {
    result += (negated ? "[^" : "[") + members + "]";
    return;
  }
  char letter = at + 1 < source.size() ? source[at + 1] : '\0';
  if (isPunctuation(letter) || letter == 'r' || letter == 'n' || letter == 't')
    return take(2);
  expect("one of \\p{L}, \\p{M}, \\p{N}, \\p{Nd}, \\p{P}, \\p{S}, \\s, \\d, "
         "\\r, \\n, \\t or escaped punctuation",
         6);
}

void PatternTranslator::openGroup() {
  struct Opening {
    std::string_view text;
    Group group;
  };
  if (groups.size() == maxDepth)
    return expect("at most 100 groups within each other");
  repeatable = false;
  lastCaseless = 0;
  for (const Opening &opening :
       {Opening{"(?:", Group::Plain}, Opening{"(?i:", Group::Caseless},
        Opening{"(?=", Group::Lookahead}, Opening{"(?!", Group::Lookahead}})
    if (startsWith(opening.text)) {
      groups.push_back(opening.group);
      return take(opening.text.size());
    }
  if (startsWith("(?"))
    return expect("(?:, (?i:, (?= or (?!", 3);
  groups.push_back(Group::Plain);
  take(1);
}

void PatternTranslator::closeGroup() {
  if (groups.empty())
    return expect("'(' before");
  repeatable = groups.back() != Group::Lookahead;
  groups.pop_back();
  take(1);
}

/// Takes ?, * or +, and what makes it lazy or possessive.
void PatternTranslator::takeQuantifier() {
  if (!repeatable)
    return expect("something to repeat before");
  repeatable = false;
  take(1);
  if (at < source.size() && (source[at] == '?' || source[at] == '+'))
    take(1);
}

/// Takes a number of a counted quantifier; \returns -1 if there is none.
int64_t PatternTranslator::takeNumber() {
  int64_t number = -1;
  for (; at < source.size() && source[at] >= '0' && source[at] <= '9'; take(1))
    number = std::min(std::max<int64_t>(number, 0) * 10 + source[at] - '0',
                      maxRepeats + 1);
  return number;
}

/// Takes {n}, {n,} or {n,m}. What Oniguruma takes for more than that, as {,m}
/// and a second quantifier behind, PCRE2 reads differently.
void PatternTranslator::takeCount() {
  if (!repeatable)
    return expect("something to repeat before");
  repeatable = false;
  take(1);
  int64_t least = takeNumber(), most = least;
  if (at < source.size() && source[at] == ',') {
    take(1);
    bool isOpen = at < source.size() && source[at] == '}';
    most = isOpen ? maxRepeats : takeNumber();
  }
  if (least < 0 || most < least || most > maxRepeats || at == source.size() ||
      source[at] != '}')
    return expect("{n}, {n,} or {n,m} with numbers up to 1000");
  take(1);
  if (at < source.size() && (source[at] == '?' || source[at] == '+'))
    expect("no second quantifier");
}

/// The code point of the character that `text` starts with.
static uint32_t codePointOf(std::string_view text) {
  size_t bytes = std::min(lengthOf(text[0]), text.size());
  uint32_t codePoint = static_cast<uint8_t>(text[0]);
  if (bytes > 1)
    codePoint &= 0x7Fu >> bytes;
  for (size_t i = 1; i < bytes; ++i)
    codePoint = codePoint << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  return codePoint;
}

/// Takes a member of a class; \returns it for PCRE2. `codePoint` is 0 for what
/// is itself a class.
std::string PatternTranslator::takeClassItem(uint32_t &codePoint) {
  bool negated = false;
  codePoint = 0;
  if (source[at] == '\\') {
    size_t begin = at;
    std::string members = takeMembers(negated);
    if (negated)
      at = begin;
    char letter = at + 1 < source.size() ? source[at + 1] : '\0';
    bool isControl = letter == 'r' || letter == 'n' || letter == 't';
    if (negated || (members.empty() && !isControl && !isPunctuation(letter)))
      expect(
          "one of \\p{L}, \\p{M}, \\p{N}, \\p{Nd}, \\p{P}, \\p{S}, \\s, \\d, "
          "\\r, \\n, \\t or escaped punctuation",
          6);
    if (!members.empty())
      return members;
    at = std::min(at + 2, source.size());
    // \r, \n and \t are refused as bounds of a range.
    codePoint = isControl ? 0 : static_cast<uint8_t>(letter);
    return {'\\', letter};
  }
  if (source[at] == '[' || startsWith("&&"))
    expect("no class within a class", 2);
  codePoint = codePointOf(source.substr(at));
  std::string item(source.substr(at, lengthOf(source[at])));
  at += item.size();
  return escapePattern(item);
}

void PatternTranslator::takeClass() {
  repeatable = true;
  take(startsWith("[^") ? 2 : 1);
  if (startsWith("]"))
    expect("a member of the class");
  while (problem.empty() && at < source.size() && source[at] != ']') {
    uint32_t first = 0, last = 0;
    result += takeClassItem(first);
    bool isRange =
        startsWith("-") && at + 1 < source.size() && source[at + 1] != ']';
    if (!isRange || !problem.empty())
      continue;
    at += 1;
    result += '-' + takeClassItem(last);
    if (first == 0 || last < first)
      expect("a range from one character to a greater one before");
  }
  if (at == source.size())
    return expect("']'");
  take(1);
}

std::string tcc::translatePattern(const std::string &source, size_t limit,
                                  std::string &problem) {
  problem.clear();
  return PatternTranslator(source, limit, problem).translate();
}
