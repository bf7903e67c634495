// One safetensors file.

#include "frontends/checkpoint/Safetensors.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AllocationLimit limit(size);
  std::vector<std::unique_ptr<schema::TensorT>> tensors;
  Status status = parseSafetensors("x.safetensors", data, size, 0, tensors);
  if (!status.ok())
    return 0;
  for (const auto &tensor : tensors)
    if (tensor->offset > size || tensor->bytes > size - tensor->offset)
      __builtin_trap();
  return 0;
}
