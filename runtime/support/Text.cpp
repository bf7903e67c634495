#include "runtime/support/Text.h"

#include <cstdint>

std::string tcc::rt::printable(std::string_view text) {
  constexpr size_t longest = 120;
  constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (char c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~') {
      result += c;
      continue;
    }
    auto byte = static_cast<uint8_t>(c);
    result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return result + (text.size() > longest ? "..." : "");
}
