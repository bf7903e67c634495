// Words for messages.

#include "tools/ptxsim/driver/Message.h"

#include <cstdio>

namespace ptxsim::driver {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

std::string describeFreed(Driver &driver, uint64_t address) {
  Allocation freed;
  if (!driver.memory().findFreed(address, freed))
    return "";
  return ", which was freed (allocation " + std::to_string(freed.serial) +
         " of " + std::to_string(freed.bytes) + " bytes)";
}

std::string tuple(const std::array<uint32_t, 3> &values) {
  return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) +
         ", " + std::to_string(values[2]) + ")";
}

CUresult resultOf(FaultCode code) {
  switch (code) {
  case FaultCode::IllegalAddress:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case FaultCode::MisalignedAddress:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case FaultCode::InvalidAddressSpace:
    return CUDA_ERROR_INVALID_ADDRESS_SPACE;
  case FaultCode::InvalidPc:
    return CUDA_ERROR_INVALID_PC;
  case FaultCode::HardwareStack:
    return CUDA_ERROR_HARDWARE_STACK_ERROR;
  case FaultCode::IllegalInstruction:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  case FaultCode::Assert:
    return CUDA_ERROR_ASSERT;
  case FaultCode::LaunchTimeout:
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  case FaultCode::LaunchFailed:
    return CUDA_ERROR_LAUNCH_FAILED;
  }
  return CUDA_ERROR_UNKNOWN;
}

} // namespace ptxsim::driver
