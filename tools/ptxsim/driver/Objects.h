// What handles of the driver stand for. Everything here is guarded by the
// driver's lock.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H
#define TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H

#include "tools/ptxsim/driver/JitOptions.h"
#include "tools/ptxsim/driver/Task.h"

#include <map>

namespace ptxsim::driver {

struct Stream;

struct Context {
  CUcontext handle = nullptr;
  uint64_t id = 0; ///< As the engine and the memory know it; from 1.
  bool isPrimary = false;
  bool isDestroyed = false;
  unsigned flags = 0;
  unsigned version = 0;          ///< Of the interface it was created for.
  CUresult error = CUDA_SUCCESS; ///< Sticky: what every call answers.
  Limits limits;
  ptxsim::Clock submitted; ///< The positions of all its works, see WorkOrder.
  uint64_t pendingLaunches = 2048, syncDepth = 2, fetchGranularity = 64,
           persistingBytes = 0; ///< Limits that nothing feels.
  CUfunc_cache cacheConfig = CU_FUNC_CACHE_PREFER_NONE;
  /// The default stream, the default streams of threads by the number of the
  /// thread, and the streams that order themselves with the default stream.
  std::shared_ptr<Stream> legacy;
  std::map<uint64_t, std::shared_ptr<Stream>> perThread;
  std::map<uint64_t, std::shared_ptr<Stream>> blocking; ///< By id.
};

struct Graph;
struct GraphNode;
struct GraphExec;
struct UserObject;

/// A node that another one depends on, and how.
struct NodeDependency {
  std::shared_ptr<GraphNode> node;
  CUgraphEdgeData data = {};
};

/// The recording of the work of one or more streams as a graph.
struct Capture {
  uint64_t id = 0;
  std::shared_ptr<Graph> graph;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  uint64_t thread = 0; ///< That began it.
  bool isInvalidated = false;
  std::weak_ptr<Stream> origin;
  std::vector<std::weak_ptr<Stream>> streams;    ///< That take part.
  std::vector<std::shared_ptr<GraphNode>> nodes; ///< That it made.
};

struct Stream {
  CUstream handle = nullptr;
  std::shared_ptr<Context> context;
  uint64_t id = 0;
  unsigned flags = 0;
  int priority = 0;
  bool isLegacy = false;
  bool isPerThread = false;
  bool isDestroyed = false;
  /// What the next task waits for.
  std::vector<std::shared_ptr<Task>> last;
  std::shared_ptr<Capture> capture;        ///< Null unless it is captured.
  std::vector<NodeDependency> captureLast; ///< What the next node waits for.
  /// Attributes that nothing feels, by CUlaunchAttributeID.
  std::map<uint32_t, CUlaunchAttributeValue> attributes;

  bool isBlocking() const { return (flags & CU_STREAM_NON_BLOCKING) == 0; }
};

struct Event {
  CUevent handle = nullptr;
  std::shared_ptr<Context> context;
  unsigned flags = 0;
  /// What it was recorded behind last; null if it never was.
  std::shared_ptr<Task> task;
  EdgeKind kind = EdgeKind::Full;
  /// Where it was recorded last, if that was a stream under capture.
  std::shared_ptr<Capture> capture;
  std::vector<NodeDependency> captureLast;
};

/// A pool of memory. Nothing is kept in it: what is freed goes back at once.
struct Pool {
  CUmemoryPool handle = nullptr;
  uint64_t releaseThreshold = 0;
  uint64_t used = 0, usedHigh = 0;
  uint64_t maxBytes = 0;    ///< 0 for no limit.
  int reuse[3] = {1, 1, 1}; ///< Of no effect.
};

/// What an allocation has beyond its range.
/// What the program has said about a part of managed memory. It moves nothing.
struct RangeAdvice {
  bool readMostly = false;
  CUmemLocation preferred = {CU_MEM_LOCATION_TYPE_INVALID, 0};
  CUmemLocation lastPrefetch = {CU_MEM_LOCATION_TYPE_INVALID, 0};
  bool byDevice = false, byHost = false; ///< Who accesses it.
};

struct AllocationExtra {
  unsigned hostFlags = 0;     ///< Of pinned and registered memory.
  bool syncMemops = false;    ///< CU_POINTER_ATTRIBUTE_SYNC_MEMOPS
  std::shared_ptr<Pool> pool; ///< That it comes from, if any.
  bool isBeingFreed = false;  ///< A stream is going to free it.
  /// Of managed memory: what holds from each address on, up to the next.
  std::map<uint64_t, RangeAdvice> advice;
};

/// Memory that a node of a graph allocates at a fixed address.
struct GraphAllocation {
  explicit GraphAllocation(Memory &memory) : memory(memory) {}
  /// Gives the address back, which nodes and executable graphs share.
  ~GraphAllocation() { memory.free(address); }

  Memory &memory;
  uint64_t address = 0, bytes = 0;
  bool isLive = false;
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
  /// Shared with the kernel of the library that it belongs to, if any.
  std::shared_ptr<FunctionSettings> settings;
};

struct Library;

/// A kernel of a library, which has a function in each context that uses it.
struct LibraryKernel {
  CUkernel handle = nullptr;
  std::weak_ptr<Library> library;
  std::string name;
  std::shared_ptr<FunctionSettings> settings;
};

/// A text that is loaded into a context when the context first uses it.
struct Library {
  CUlibrary handle = nullptr;
  std::string text, name;
  /// Parsed already, for the first context.
  std::unique_ptr<ptx::Module> parsed;
  std::vector<std::shared_ptr<LibraryKernel>> kernels; ///< As in the text.
  std::map<uint64_t, std::shared_ptr<Module>> modules; ///< By Context::id.
};

/// A module in a context.
struct Module {
  CUmodule handle = nullptr;
  std::shared_ptr<Context> context;
  std::unique_ptr<LoadedModule> loaded;
  int ptxVersion = 0;             ///< 90 for 9.0
  std::weak_ptr<Library> library; ///< That it was made for, if any.
  std::map<const Kernel *, std::shared_ptr<Function>> functions;
};

/// A linker.
struct Link {
  CUlinkState handle = nullptr;
  std::string text;
  JitOptions options;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_OBJECTS_H
