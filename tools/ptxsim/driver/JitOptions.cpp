// Options of the compiler.

#include "tools/ptxsim/driver/JitOptions.h"

#include <algorithm>
#include <cstring>

namespace ptxsim::driver {

CUresult JitOptions::read(unsigned count, const CUjit_option *options,
                          void **values) {
  if (count != 0 && (!options || !values))
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < count; ++i)
    switch (options[i]) {
    case CU_JIT_WALL_TIME:
      wallTime = &values[i];
      break;
    case CU_JIT_INFO_LOG_BUFFER:
      infoLog = static_cast<char *>(values[i]);
      break;
    case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
      infoSize = &values[i];
      break;
    case CU_JIT_ERROR_LOG_BUFFER:
      errorLog = static_cast<char *>(values[i]);
      break;
    case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
      errorSize = &values[i];
      break;
    default:
      // All others choose code of the hardware.
      if (options[i] >= CU_JIT_NUM_OPTIONS)
        return CUDA_ERROR_INVALID_VALUE;
    }
  return CUDA_SUCCESS;
}

/// Writes as much of `text` as there is room for and says how much it was.
static void writeLog(char *log, void **size, const std::string &text) {
  if (!size)
    return;
  size_t room = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(*size));
  size_t bytes = 0;
  if (log && room != 0) {
    bytes = std::min(room - 1, text.size());
    std::memcpy(log, text.data(), bytes);
    log[bytes] = 0;
  }
  *size = reinterpret_cast<void *>(bytes);
}

void JitOptions::finish(const std::string &log) {
  writeLog(errorLog, errorSize, log);
  writeLog(infoLog, infoSize, "");
  if (!wallTime)
    return;
  float milliseconds = std::chrono::duration<float, std::milli>(
                           std::chrono::steady_clock::now() - begun)
                           .count();
  // The value is a number in place of a pointer.
  std::memcpy(wallTime, &milliseconds, sizeof(milliseconds));
}

} // namespace ptxsim::driver
