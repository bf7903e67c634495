// A GGUF file, up to the check against the architecture.

#include "frontends/checkpoint/GgufLlama.h"
#include "frontends/model/CheckModel.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  schema::ModelT model;
  if (!readGgufLlama("x.gguf", data, size, false, model).ok() ||
      !checkModel("x.gguf", model).ok())
    return 0;
  for (const auto &tensor : model.tensors)
    if (tensor->offset > size || tensor->bytes > size - tensor->offset)
      __builtin_trap();
  return 0;
}
