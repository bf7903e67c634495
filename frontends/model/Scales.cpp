#include "frontends/model/Scales.h"

#include <string_view>

using namespace tcc;

static constexpr std::string_view suffix = "_scale_inv";

std::string tcc::scalesName(const std::string &weight) {
  return weight + std::string(suffix);
}

bool tcc::isScales(const std::string &name) {
  return name.size() > suffix.size() &&
         name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::vector<int64_t> tcc::scalesShape(const std::vector<int64_t> &shape) {
  std::vector<int64_t> result;
  for (int64_t size : shape)
    result.push_back((size + scaleBlock - 1) / scaleBlock);
  return result;
}
