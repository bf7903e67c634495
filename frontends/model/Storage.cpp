#include "frontends/model/Storage.h"

using namespace tcc;

const StorageInfo *tcc::storageInfo(schema::Storage storage) {
  // In the order of the enumeration. The blocks are ggml's: 32 elements with
  // one f16 scale, in the *_1 forms also one f16 minimum.
  static constexpr StorageInfo infos[] = {
      {"F32", 1, 4},    {"F16", 1, 2},    {"BF16", 1, 2},    {"Q8_0", 32, 34},
      {"Q4_0", 32, 18}, {"Q4_1", 32, 20}, {"F8_E4M3", 1, 1},
  };
  auto index = static_cast<size_t>(storage);
  return index < sizeof(infos) / sizeof(infos[0]) ? &infos[index] : nullptr;
}

std::optional<uint64_t> tcc::tensorBytes(schema::Storage storage,
                                         const std::vector<int64_t> &shape) {
  const StorageInfo *info = storageInfo(storage);
  if (!info || shape.empty() || shape.back() % info->blockElements != 0)
    return std::nullopt;
  int64_t bytes = info->blockBytes;
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t count =
        i + 1 < shape.size() ? shape[i] : shape[i] / info->blockElements;
    if (count < 0 || __builtin_mul_overflow(bytes, count, &bytes))
      return std::nullopt;
  }
  return static_cast<uint64_t>(bytes);
}
