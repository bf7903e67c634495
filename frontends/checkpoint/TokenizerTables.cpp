#include "frontends/checkpoint/TokenizerTables.h"

#include "frontends/checkpoint/TokenizerPattern.h"

#include <cassert>
#include <unordered_map>

using namespace tcc;

/// GPT-2's alphabet: printable characters of Latin-1 stand for themselves, the
/// other bytes for the characters from U+0100 on, in order.
static std::unordered_map<std::string, uint8_t> makeAlphabet() {
  std::unordered_map<std::string, uint8_t> alphabet;
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= 33 && byte <= 126) ||
                     (byte >= 161 && byte <= 172) || byte >= 174;
    uint32_t character = printable ? byte : next++;
    std::string text;
    if (character < 0x80)
      text = {static_cast<char>(character)};
    else
      text = {static_cast<char>(0xC0 | character >> 6),
              static_cast<char>(0x80 | (character & 0x3F))};
    alphabet[text] = static_cast<uint8_t>(byte);
  }
  return alphabet;
}

/// Appends the bytes that `text` stands for; \returns false at the first
/// character that is not in the alphabet.
static bool convertPrintable(const std::string &text,
                             std::vector<uint8_t> &bytes) {
  static const std::unordered_map<std::string, uint8_t> alphabet =
      makeAlphabet();
  for (size_t position = 0; position < text.size();) {
    size_t length = static_cast<uint8_t>(text[position]) < 0x80 ? 1 : 2;
    auto entry = alphabet.find(text.substr(position, length));
    if (entry == alphabet.end())
      return false;
    bytes.push_back(entry->second);
    position += length;
  }
  return true;
}

bool tcc::isPrintable(const std::string &text) {
  std::vector<uint8_t> bytes;
  return convertPrintable(text, bytes);
}

std::vector<uint8_t> tcc::bytesOfPrintable(const std::string &text) {
  std::vector<uint8_t> bytes;
  if (convertPrintable(text, bytes))
    return bytes;
  return {text.begin(), text.end()};
}

std::unique_ptr<schema::StepT> tcc::makeSplit(const std::string &pattern,
                                              schema::SplitBehavior behavior,
                                              bool inverted) {
  auto step = std::make_unique<schema::StepT>();
  step->kind = schema::StepKind::Split;
  step->pattern = pattern;
  step->behavior = behavior;
  step->inverted = inverted;
  return step;
}

/// A step that cuts at the matches of `source`, for Oniguruma.
static std::unique_ptr<schema::StepT> makeKnownSplit(const char *source) {
  std::string problem;
  std::string pattern = translatePattern(source, SIZE_MAX, problem);
  assert(problem.empty() && "the patterns below can be translated");
  return makeSplit(pattern);
}

std::unique_ptr<schema::StepT> tcc::makeGpt2Split() {
  return makeKnownSplit(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
}

std::unique_ptr<schema::StepT> tcc::makeLlama3Split() {
  return makeKnownSplit(
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
      R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
}

std::unique_ptr<schema::StepT> tcc::makeStep(schema::StepKind kind,
                                             const std::string &text,
                                             const std::string &pattern) {
  auto step = std::make_unique<schema::StepT>();
  step->kind = kind;
  step->text = text;
  step->pattern = pattern;
  return step;
}
