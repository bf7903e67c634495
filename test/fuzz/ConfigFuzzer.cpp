// A config.json, up to the list of tensors that it asks for.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/model/Architecture.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AllocationLimit limit(size);
  Json json;
  HuggingFaceConfig config;
  schema::ModelT model;
  if (!parseJson("config.json", data, size, {}, json).ok() ||
      !readConfig("config.json", json, config).ok())
    return 0;
  model.architecture = std::move(config.architecture);
  if (!checkArchitecture("config.json", model).ok())
    return 0;
  Status status = visitTensors(model, [](const ExpectedTensor &tensor) {
    if (tensor.shape.empty())
      __builtin_trap();
    return Status();
  });
  return status.ok() ? 0 : -1;
}
