// Kernels that several tests use.

#include "test/unit/ptxsim/driver/FakeMachine.h"

namespace ptxsim::fake {

/// Runs `body(i)` for each of the threads of a grid in one dimension.
template <typename Function>
static void forThreads(const Run &run, Function body) {
  uint64_t count = uint64_t(run.launch.grid[0]) * run.launch.block[0];
  for (uint64_t i = 0; i < count; ++i)
    body(i);
}

/// add_one(u32 *data, u32 n): data[i] += 1
static Turn addOne(Run &run) {
  uint64_t data = run.parameter<uint64_t>(0);
  uint32_t n = run.parameter<uint32_t>(1);
  forThreads(run, [&](uint64_t i) {
    if (i >= n || run.failed)
      return;
    if (!run.memory.contains(data + 4 * i, 4)) {
      run.failed = true;
      run.fault.code = FaultCode::IllegalAddress;
      run.fault.check = "out of bounds";
      run.fault.message = "expected an address of an allocation, got none";
      run.fault.place.kernel = "add_one";
      return;
    }
    ++reinterpret_cast<uint32_t *>(data)[i];
  });
  return Turn::Done;
}

/// scale(f32 *to, const f32 *from, f32 factor): to[i] = from[i] * factor
static Turn scale(Run &run) {
  auto *to = reinterpret_cast<float *>(run.parameter<uint64_t>(0));
  auto *from = reinterpret_cast<const float *>(run.parameter<uint64_t>(1));
  float factor = run.parameter<float>(2);
  forThreads(run, [&](uint64_t i) { to[i] = from[i] * factor; });
  return Turn::Done;
}

/// spin(u32 *flag): waits until *flag is not 0
static Turn spin(Run &run) {
  auto *flag =
      reinterpret_cast<volatile uint32_t *>(run.parameter<uint64_t>(0));
  return *flag ? Turn::Done : Turn::Polls;
}

/// set(u32 *flag, u32 value): *flag = value
static Turn set(Run &run) {
  *reinterpret_cast<volatile uint32_t *>(run.parameter<uint64_t>(0)) =
      run.parameter<uint32_t>(1);
  return Turn::Done;
}

/// nothing()
static Turn nothing(Run &) { return Turn::Done; }

/// fails()
static Turn fails(Run &run) {
  run.failed = true;
  run.fault.code = FaultCode::Assert;
  run.fault.check = "assert";
  run.fault.message = "expected a condition to hold, got that it does not";
  run.fault.place.kernel = "fails";
  return Turn::Done;
}

void defineCommonKernels() {
  define("add_one", {8, 4}, addOne);
  define("scale", {8, 8, 4}, scale);
  define("spin", {8}, spin);
  define("set", {8, 4}, set);
  define("nothing", {}, nothing);
  define("fails", {}, fails);
}

/// Makes the kernels known in a shared library that has only the driver's
/// functions.
__attribute__((constructor)) static void defineOnLoad() {
  defineCommonKernels();
}

} // namespace ptxsim::fake
