#include "frontends/checkpoint/TokenizerTables.h"

#include <array>
#include <unordered_map>

using namespace tcc;

const char *const tcc::gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

const char *const tcc::llama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

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

std::vector<uint8_t> tcc::bytesOfPrintable(const std::string &text) {
  static const std::unordered_map<std::string, uint8_t> alphabet =
      makeAlphabet();
  std::vector<uint8_t> bytes;
  for (size_t position = 0; position < text.size();) {
    size_t length = static_cast<uint8_t>(text[position]) < 0x80 ? 1 : 2;
    auto entry = alphabet.find(text.substr(position, length));
    if (entry == alphabet.end())
      return {text.begin(), text.end()};
    bytes.push_back(entry->second);
    position += length;
  }
  return bytes;
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

std::unique_ptr<schema::StepT> tcc::makeStep(schema::StepKind kind,
                                             const std::string &text,
                                             const std::string &pattern) {
  auto step = std::make_unique<schema::StepT>();
  step->kind = kind;
  step->text = text;
  step->pattern = pattern;
  return step;
}
