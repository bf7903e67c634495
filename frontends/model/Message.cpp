#include "frontends/model/Message.h"

using namespace tcc;

std::string tcc::quoteText(std::string_view text) {
  constexpr size_t longest = 120;
  constexpr char digits[] = "0123456789abcdef";
  std::string result = "'";
  for (char c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~') {
      result += c;
      continue;
    }
    auto byte = static_cast<uint8_t>(c);
    result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return result + (text.size() > longest ? "...'" : "'");
}

std::string tcc::shapeText(const std::vector<int64_t> &shape) {
  std::string result = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    result += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return result + "]";
}

Status tcc::damagedData(const std::string &message) {
  return Status::badData(message + "; the file is truncated or damaged: "
                                   "download or convert it again");
}

Status tcc::unsupportedData(const std::string &message) {
  return Status::badData(message + "; correct it, or use another model");
}
