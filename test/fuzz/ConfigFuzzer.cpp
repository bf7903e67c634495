// A config.json, up to the list of tensors that it asks for.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/model/LlamaTensors.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AllocationLimit limit(size);
  Json json;
  HuggingFaceConfig config;
  if (!parseJson("config.json", data, size, {}, json).ok() ||
      !readConfig("config.json", json, config).ok() ||
      !checkLlama("config.json", config.llama).ok())
    return 0;
  for (const ExpectedTensor &tensor : llamaTensors(config.llama))
    if (tensor.shape.empty())
      __builtin_trap();
  return 0;
}
