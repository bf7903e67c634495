#include "runtime/text/Tokenizer.h"

using namespace tcc::rt;
using tcc::schema::Decoder;
using tcc::schema::TokenKind;

static constexpr std::string_view lowerOneEighthBlock =
    "\xE2\x96\x81"; // U+2581

/// Appends `text` with `space` for each U+2581.
static void appendSpaced(std::string_view text, std::string_view space,
                         std::string &result) {
  size_t position = 0;
  for (size_t found; (found = text.find(lowerOneEighthBlock, position)) !=
                     std::string_view::npos;
       position = found + lowerOneEighthBlock.size()) {
    result += text.substr(position, found - position);
    result += space;
  }
  result += text.substr(position);
}

/// Ends a run of <0xNN> tokens.
void StreamingDecoder::endByteRun(std::string &result) {
  if (isUtf8(byteRun))
    result += byteRun;
  else
    for (size_t i = 0; i < byteRun.size(); ++i)
      result += "\xEF\xBF\xBD";
  byteRun.clear();
}

/// Adds a token of the decoder ByteFallback.
void StreamingDecoder::addBytes(std::string_view text, int16_t byteValue,
                                std::string &result) {
  if (byteValue >= 0) {
    byteRun.push_back(static_cast<char>(byteValue));
    return;
  }
  endByteRun(result);
  appendSpaced(text, " ", result);
}

/// Adds a token of the decoder Metaspace.
void StreamingDecoder::addMetaspace(std::string_view text,
                                    std::string &result) {
  bool dropped = !started && tokenizer.stripDecodedSpace;
  appendSpaced(text, dropped ? "" : " ", result);
  started = true;
}

/// Drops the first space of the whole text.
void StreamingDecoder::strip(std::string &result) {
  if (started || result.empty() || tokenizer.decoder != Decoder::ByteFallback)
    return;
  started = true;
  if (tokenizer.stripDecodedSpace && result[0] == ' ')
    result.erase(0, 1);
}

std::string StreamingDecoder::add(int32_t id) {
  if (id < 0 || id >= tokenizer.vocabularySize())
    return {};
  const Tokenizer::Token &token = tokenizer.tokens[static_cast<size_t>(id)];
  if (token.kind == TokenKind::Unused ||
      (skipSpecial && token.kind == TokenKind::Special))
    return {};
  std::string_view text = tokenizer.textOf(token.decoded);
  std::string decoded, result;
  switch (tokenizer.decoder) {
  case Decoder::ByteLevel:
    decoded = text;
    break;
  case Decoder::ByteFallback:
    addBytes(text, token.byteValue, decoded);
    break;
  case Decoder::Metaspace:
    addMetaspace(text, decoded);
    break;
  }
  strip(decoded);
  repairer.append(decoded, result);
  return result;
}

std::string StreamingDecoder::finish() {
  std::string decoded, result;
  endByteRun(decoded);
  strip(decoded);
  repairer.append(decoded, result);
  repairer.finish(result);
  return result;
}
