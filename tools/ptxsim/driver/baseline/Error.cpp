// Names and meanings of results.

#include "tools/ptxsim/driver/baseline/Baseline.h"
#include "tools/ptxsim/driver/baseline/HostFaults.h"

namespace ptxsim::driver {

/// A result, its name and its meaning.
struct ResultText {
  uint32_t value;
  const char *name;
  const char *text;
};

static const ResultText resultTexts[] = {
#define PTXSIM_RESULT(NAME, VALUE, TEXT) {VALUE, "CUDA_" #NAME, TEXT},
#include "tools/ptxsim/driver/Results.def"
#undef PTXSIM_RESULT
};

static const ResultText *findText(CUresult result) {
  for (const ResultText &text : resultTexts)
    if (text.value == static_cast<uint32_t>(result))
      return &text;
  return nullptr;
}

PTXSIM_BASELINE_API cuGetErrorName(CUresult result, const char **name) {
  return surviveCaller(__func__, [&] {
    if (!name)
      return CUDA_ERROR_INVALID_VALUE;
    const ResultText *text = findText(result);
    *name = text ? text->name : nullptr;
    return text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_BASELINE_API cuGetErrorString(CUresult result, const char **meaning) {
  return surviveCaller(__func__, [&] {
    if (!meaning)
      return CUDA_ERROR_INVALID_VALUE;
    const ResultText *text = findText(result);
    *meaning = text ? text->text : nullptr;
    return text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

} // namespace ptxsim::driver
