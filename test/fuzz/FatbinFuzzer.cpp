// Fat binaries: a text or an error comes of them.

#include "test/fuzz/AllocationLimit.h"
#include "tools/ptxsim/driver/Image.h"

using namespace ptxsim;
using namespace ptxsim::driver;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tcc::AllocationLimit limit(size);
  ImageText image = driver::readFatbin(data, size);
  if (image.result == CUDA_SUCCESS ? !image.message.empty()
                                   : image.message.empty() || !image.text.empty())
    __builtin_trap();
  return 0;
}
