#include "runtime/text/Utf8.h"

using namespace tcc::rt;

static constexpr std::string_view replacement = "\xEF\xBF\xBD";

namespace {
/// What a text starts with.
struct Sequence {
  enum { Complete, IllFormed, Incomplete } form;
  size_t bytes; // Of the character, or of the maximal part of one.
};
} // namespace

/// The values that the second byte may have after `lead`, and the bytes of the
/// whole; no bytes if nothing starts with `lead`. Unicode 15, table 3-7.
static size_t secondByteRange(uint8_t lead, uint8_t &low, uint8_t &high) {
  low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (lead < 0xC2 || lead > 0xF4)
    return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// Looks at the start of `text`, which is not empty.
static Sequence scan(std::string_view text) {
  uint8_t lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80)
    return {Sequence::Complete, 1};
  uint8_t low, high;
  size_t bytes = secondByteRange(lead, low, high);
  if (bytes == 0)
    return {Sequence::IllFormed, 1};
  for (size_t i = 1; i < bytes; ++i) {
    if (i == text.size())
      return {Sequence::Incomplete, i};
    uint8_t byte = static_cast<uint8_t>(text[i]);
    if (byte < low || byte > high)
      return {Sequence::IllFormed, i};
    low = 0x80;
    high = 0xBF;
  }
  return {Sequence::Complete, bytes};
}

void Utf8Repairer::append(std::string_view bytes, std::string &result) {
  std::string joined;
  if (!pending.empty()) {
    joined = pending;
    joined += bytes;
    bytes = joined;
    pending.clear();
  }
  size_t copied = 0, position = 0;
  while (position < bytes.size()) {
    Sequence sequence = scan(bytes.substr(position));
    if (sequence.form == Sequence::Incomplete) {
      pending = bytes.substr(position);
      break;
    }
    if (sequence.form == Sequence::IllFormed) {
      result += bytes.substr(copied, position - copied);
      result += replacement;
      copied = position + sequence.bytes;
    }
    position += sequence.bytes;
  }
  result += bytes.substr(copied, position - copied);
}

void Utf8Repairer::finish(std::string &result) {
  if (!pending.empty())
    result += replacement;
  pending.clear();
}

std::string tcc::rt::repairUtf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  Utf8Repairer repairer;
  repairer.append(text, result);
  repairer.finish(result);
  return result;
}

bool tcc::rt::isUtf8(std::string_view text) {
  while (!text.empty()) {
    Sequence sequence = scan(text);
    if (sequence.form != Sequence::Complete)
      return false;
    text.remove_prefix(sequence.bytes);
  }
  return true;
}

uint32_t tcc::rt::firstCodePoint(std::string_view text) {
  size_t bytes = characterBytes(text[0]);
  uint32_t lead = static_cast<uint8_t>(text[0]);
  uint32_t codePoint = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i)
    codePoint = codePoint << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  return codePoint;
}

size_t tcc::rt::lastCharacter(std::string_view text) {
  size_t position = text.size() - 1;
  while (position > 0 && (static_cast<uint8_t>(text[position]) & 0xC0) == 0x80)
    --position;
  return position;
}

bool tcc::rt::isWhiteSpace(uint32_t codePoint) {
  switch (codePoint) {
  case 0x20:
  case 0x85:
  case 0xA0:
  case 0x1680:
  case 0x2028:
  case 0x2029:
  case 0x202F:
  case 0x205F:
  case 0x3000:
    return true;
  default:
    return (codePoint >= 0x09 && codePoint <= 0x0D) ||
           (codePoint >= 0x2000 && codePoint <= 0x200A);
  }
}
