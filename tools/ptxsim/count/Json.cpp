// Writes JSON.

#include "tools/ptxsim/count/Json.h"

using namespace ptxsim;

/// Returns the bytes of the UTF-8 sequence at the beginning of `text`, or 0 if
/// there is none.
static size_t sequenceLength(std::string_view text) {
  unsigned char first = static_cast<unsigned char>(text[0]);
  size_t length = first < 0x80   ? 1
                  : first < 0xc2 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf5 ? 4
                                 : 0;
  if (length > text.size())
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
      return 0;
  unsigned char second = length > 1 ? static_cast<unsigned char>(text[1]) : 0;
  bool isBad = (first == 0xe0 && second < 0xa0) ||
               (first == 0xed && second >= 0xa0) ||
               (first == 0xf0 && second < 0x90) ||
               (first == 0xf4 && second >= 0x90);
  return isBad ? 0 : length;
}

void JsonWriter::quote(std::string_view value) {
  static const char digits[] = "0123456789abcdef";
  result += '"';
  while (!value.empty()) {
    size_t length = sequenceLength(value);
    unsigned char byte = static_cast<unsigned char>(value[0]);
    if (length == 0) {
      result += "\\ufffd";
      length = 1;
    } else if (byte < 0x20) {
      result += "\\u00";
      result += digits[byte / 16];
      result += digits[byte % 16];
    } else {
      if (byte == '"' || byte == '\\')
        result += '\\';
      result += value.substr(0, length);
    }
    value.remove_prefix(length);
  }
  result += '"';
}

void JsonWriter::startValue(std::string_view name) {
  if (needsComma)
    result += ',';
  if (breaks)
    result += '\n';
  else if (needsComma)
    result += ' ';
  breaks = false;
  needsComma = true;
  if (name.empty())
    return;
  quote(name);
  result += ": ";
}

void JsonWriter::begin(std::string_view name, char bracket) {
  startValue(name);
  result += bracket;
  needsComma = false;
}

void JsonWriter::end(char bracket) {
  if (breaks)
    result += '\n';
  breaks = false;
  result += bracket;
  needsComma = true;
}

void JsonWriter::number(std::string_view name, uint64_t value) {
  startValue(name);
  result += std::to_string(value);
}

void JsonWriter::string(std::string_view name, std::string_view value) {
  startValue(name);
  quote(value);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  startValue(name);
  result += value ? "true" : "false";
}
