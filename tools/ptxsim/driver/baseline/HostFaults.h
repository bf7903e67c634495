// Survives addresses of the host that nothing is at.
//
// A caller may pass any bits as a pointer. Asking the system about a range
// before each use costs as much as copying it, so the driver uses what it is
// given, and a fault ends the use and not the process.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTFAULTS_H
#define TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTFAULTS_H

#include "tools/ptxsim/driver/Abi.h"

#include <cstdint>

namespace ptxsim::driver {

/// Runs `body(argument)`. A fault in it leaves the functions that it has called
/// at once, without their destructors: they may leak what they own, and hold no
/// locks where they use memory of the caller. The first call sets handlers of
/// the process; faults elsewhere go to those that the program had before.
///
/// \param [out] address Of the fault; 0 if it is none that memory can have.
/// \returns false if there was a fault.
bool surviveFaults(void (*body)(void *), void *argument, uint64_t &address);

template <typename Body>
bool surviveFaults(Body body, uint64_t &address) {
  return surviveFaults([](void *it) { (*static_cast<Body *>(it))(); }, &body,
                       address);
}

/// Says that the call `name` was given an address that nothing is at.
///
/// \returns CUDA_ERROR_INVALID_VALUE.
CUresult refuseAddress(const char *name, uint64_t address);

/// Runs `body()` for the call `name`, unless the caller gave it an address that
/// nothing is at.
template <typename Body>
CUresult surviveCaller(const char *name, Body body) {
  CUresult result = CUDA_SUCCESS;
  uint64_t address = 0;
  bool isGood = surviveFaults([&] { result = body(); }, address);
  return isGood ? result : refuseAddress(name, address);
}

/// While it lives, faults of the thread are those of the simulator itself or of
/// the program, and end the process as ever.
class NoSurvival {
public:
  NoSurvival();
  ~NoSurvival();
  NoSurvival(const NoSurvival &) = delete;

private:
  void *suspended;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTFAULTS_H
