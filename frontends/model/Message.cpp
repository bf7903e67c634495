#include "frontends/model/Message.h"

#include "runtime/support/Text.h"

using namespace tcc;

std::string tcc::quoteText(std::string_view text) {
  return "'" + rt::printable(text) + "'";
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
