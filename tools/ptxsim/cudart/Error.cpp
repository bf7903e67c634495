// Errors: their names and the last one.

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

/// An error, its name and its meaning.
struct ErrorText {
  uint32_t value;
  const char *name, *text;
};

static const ErrorText errorTexts[] = {
#define PTXSIM_ERROR(NAME, VALUE, TEXT) {VALUE, "cuda" #NAME, TEXT},
#include "tools/ptxsim/cudart/Errors.def"
#undef PTXSIM_ERROR
};

static const ErrorText *findText(cudaError_t error) {
  for (const ErrorText &text : errorTexts)
    if (text.value == static_cast<uint32_t>(error))
      return &text;
  return nullptr;
}

static constexpr char unknown[] = "unrecognized error code";

extern "C" __attribute__((visibility("default"))) const char *
cudaGetErrorName(cudaError_t error) {
  const ErrorText *text = findText(error);
  return text ? text->name : unknown;
}

extern "C" __attribute__((visibility("default"))) const char *
cudaGetErrorString(cudaError_t error) {
  const ErrorText *text = findText(error);
  return text ? text->text : unknown;
}

CUDART_API cudaGetLastError() { return lastError(true); }
CUDART_API cudaPeekAtLastError() { return lastError(false); }

} // namespace ptxsim::cudart
