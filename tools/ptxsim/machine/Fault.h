// What goes wrong while a kernel runs, as a value and as a report.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_FAULT_H
#define TCC_TOOLS_PTXSIM_MACHINE_FAULT_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ptxsim {

/// What the driver answers for a fault; each is sticky for the context.
enum class FaultCode : uint8_t {
  IllegalAddress,     ///< CUDA_ERROR_ILLEGAL_ADDRESS
  MisalignedAddress,  ///< CUDA_ERROR_MISALIGNED_ADDRESS
  InvalidAddressSpace,///< CUDA_ERROR_INVALID_ADDRESS_SPACE
  InvalidPc,          ///< CUDA_ERROR_INVALID_PC
  HardwareStack,      ///< CUDA_ERROR_HARDWARE_STACK_ERROR
  IllegalInstruction, ///< CUDA_ERROR_ILLEGAL_INSTRUCTION
  Assert,             ///< CUDA_ERROR_ASSERT
  LaunchTimeout,      ///< CUDA_ERROR_LAUNCH_TIMEOUT: deadlock, livelock
  LaunchFailed,       ///< CUDA_ERROR_LAUNCH_FAILED: everything else
};

/// Where a thread was: in the kernel, the text and the grid.
struct Place {
  std::string kernel;
  std::string module; ///< Name of the module.
  uint32_t line = 0;  ///< Of the PTX text.
  std::string text;   ///< The instruction.
  std::string source; ///< "gemm.cu:42" from .loc; empty if unknown.
  std::array<uint32_t, 3> block = {0, 0, 0};
  int32_t warp = -1, lane = -1; ///< -1 if it is no single one.
  std::array<uint32_t, 3> thread = {0, 0, 0};
};

/// One report: what, where, who else, and what to do.
struct Fault {
  FaultCode code = FaultCode::LaunchFailed;
  std::string check;   ///< "out of bounds", "race", … as in the README.
  std::string message; ///< "expected …, got …".
  Place place;
  std::string address;            ///< Of memory, in words; empty if none.
  std::vector<std::string> notes; ///< The other party and its place.
  std::string advice;             ///< What to do.
};

/// Renders the report, of several lines, each beginning with "ptxsim: ".
std::string render(const Fault &fault);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_FAULT_H
