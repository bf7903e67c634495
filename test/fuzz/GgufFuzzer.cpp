// A GGUF file, up to the check against the architecture.

#include "frontends/checkpoint/GgufLlama.h"
#include "frontends/model/CheckModel.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AllocationLimit limit(size);
  ModelFile file;
  if (!readGgufLlama("x.gguf", data, size, false, file.model).ok() ||
      !checkModel("x.gguf", file).ok())
    return 0;
  for (const auto &tensor : file.model.tensors)
    if (tensor->offset > size || tensor->bytes > size - tensor->offset)
      __builtin_trap();
  return 0;
}
