// What handles of the driver stand for. Everything here is guarded by the
// driver's lock.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H
#define TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H

#include "tools/ptxsim/driver/Task.h"

#include <map>

namespace ptxsim {

struct Stream;

struct Context {
  CUcontext handle = nullptr;
  uint64_t id = 0; ///< As the engine and the memory know it; from 1.
  bool isPrimary = false;
  bool isDestroyed = false;
  unsigned flags = 0;
  unsigned version = 0; ///< Of the interface it was created for.
  CUresult error = CUDA_SUCCESS; ///< Sticky: what every call answers.
  Limits limits;
  uint64_t pendingLaunches = 2048, syncDepth = 2, fetchGranularity = 64,
           persistingBytes = 0; ///< Limits that nothing feels.
  CUfunc_cache cacheConfig = CU_FUNC_CACHE_PREFER_NONE;
  /// The default stream, the default streams of threads by the number of the
  /// thread, and the streams that order themselves with the default stream.
  std::shared_ptr<Stream> legacy;
  std::map<uint64_t, std::shared_ptr<Stream>> perThread;
  std::map<uint64_t, std::shared_ptr<Stream>> blocking; ///< By id.
};

struct Stream {
  CUstream handle = nullptr;
  std::shared_ptr<Context> context;
  uint64_t id = 0;
  unsigned flags = 0;
  int priority = 0;
  bool isLegacy = false;
  bool isPerThread = false;
  /// What the next task waits for.
  std::vector<std::shared_ptr<Task>> last;
  /// Attributes that nothing feels, by CUlaunchAttributeID.
  std::map<uint32_t, CUlaunchAttributeValue> attributes;

  bool isBlocking() const { return (flags & CU_STREAM_NON_BLOCKING) == 0; }
};

struct Module;

/// Attributes that a program may set of a kernel.
struct FunctionSettings {
  uint32_t maxDynamicShared = h100::sharedBytesPerBlock;
  int carveout = -1;
  bool nonPortableCluster = false;
  uint32_t cluster[3] = {0, 0, 0}; ///< 0 where not set.
  uint32_t clusterPolicy = 0;
};

struct Function {
  CUfunction handle = nullptr;
  std::weak_ptr<Module> module;
  const Kernel *kernel = nullptr;
  FunctionSettings settings;
};

/// A module in a context.
struct Module {
  CUmodule handle = nullptr;
  std::shared_ptr<Context> context;
  std::unique_ptr<LoadedModule> loaded;
  int ptxVersion = 0; ///< 90 for 9.0
  std::map<const Kernel *, std::shared_ptr<Function>> functions;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H
