// A machine whose kernels are C++ functions, to test the driver without one.
//
// It stands in for the parser and the engine: `ptx::parse` finds the names of
// entries and variables in a text and nothing else, and a kernel runs the
// function that is registered under its name.

#ifndef TCC_TEST_UNIT_PTXSIM_DRIVER_FAKEMACHINE_H
#define TCC_TEST_UNIT_PTXSIM_DRIVER_FAKEMACHINE_H

#include "tools/ptxsim/machine/Engine.h"

#include <cstring>
#include <functional>
#include <string>

namespace ptxsim::fake {

/// What one turn of a kernel came to.
enum class Turn : uint8_t {
  Done,
  Again,   ///< It went on and wants another turn.
  Polls,   ///< It did not go on.
  Trigger, ///< It went on, and all its blocks are triggered.
};

/// A launch as a kernel sees it.
struct Run {
  const LaunchParameters &launch;
  Memory &memory;
  unsigned turn = 0; ///< Counts from 0.
  bool prerequisitesDone = true;
  Fault fault; ///< Filled to fail; `failed` says so.
  bool failed = false;

  /// Returns parameter `index`.
  template <typename T>
  T parameter(size_t index) const;
};

using Body = std::function<Turn(Run &)>;

struct KernelDefinition {
  KernelAttributes attributes;
  Body body;
};

/// Registers a kernel whose parameters have the sizes `parameterBytes`.
void define(const std::string &name, std::vector<uint64_t> parameterBytes,
            Body body, KernelAttributes attributes = {});

/// Registers the kernels that several tests use; see FakeKernels.cpp.
void defineCommonKernels();

/// What the engine has been told and how often it was called.
struct Log {
  uint64_t hostWrites = 0, copies = 0, runs = 0, stallsFailed = 0;
  std::vector<std::string> started; ///< Names of kernels.
  std::vector<LaunchParameters> launches;
};
Log &log();

const KernelDefinition *find(const std::string &name);
ParameterLayout layoutOf(const LaunchParameters &launch, size_t index);

template <typename T>
T Run::parameter(size_t index) const {
  T value;
  std::memcpy(&value, launch.parameters.data() + layoutOf(launch, index).offset,
              sizeof(T));
  return value;
}

} // namespace ptxsim::fake

#endif // TCC_TEST_UNIT_PTXSIM_DRIVER_FAKEMACHINE_H
