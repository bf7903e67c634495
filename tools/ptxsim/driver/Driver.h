// The one driver of the process, and how calls enter it.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_DRIVER_H
#define TCC_TOOLS_PTXSIM_DRIVER_DRIVER_H

#include "tools/ptxsim/driver/Config.h"
#include "tools/ptxsim/driver/Handles.h"
#include "tools/ptxsim/driver/Objects.h"
#include "tools/ptxsim/driver/Scheduler.h"
#include "tools/ptxsim/driver/baseline/HostFaults.h"

#include <atomic>
#include <set>

/// Begins the definition of a function that programs call.
#define PTXSIM_API                                                             \
  extern "C" __attribute__((visibility("default"))) ::ptxsim::CUresult

/// Begins the definition of a function that takes a stream, and defines its
/// twin, for which the null stream is that of the thread.
#define PTXSIM_STREAM_API(NAME, TWIN, PARAMETERS, ARGUMENTS)                   \
  PTXSIM_API NAME PARAMETERS;                                                  \
  PTXSIM_API TWIN PARAMETERS {                                                 \
    ::ptxsim::driver::PerThreadDefault scope;                                  \
    return NAME ARGUMENTS;                                                     \
  }                                                                            \
  PTXSIM_API NAME PARAMETERS

namespace ptxsim::driver {

class Driver {
public:
  /// Makes the driver of the process, once.
  static CUresult initialise();

  /// Returns the driver; null before `initialise` and after the process began
  /// to end, which `result` then says.
  static Driver *get(CUresult &result);

  /// Ends the helper threads, warns of leaks and writes the report.
  static void shutDown();

  explicit Driver(const Config &config);

  const Config &config() const { return settings; }
  Engine &engine() { return *machine; }
  Memory &memory() { return machine->memory(); }

  /// Writes "ptxsim: <text>" to stderr.
  void complain(const std::string &text);

  /// Writes a report of the machine to stderr.
  void complain(const Fault &fault);

  /// True if the caller is the only thread of the program; threads of the
  /// simulator, whose names begin with "ptxsim", do not count.
  bool isOnlyThread() const;

  bool isStopping() const { return stopping; }

  FairMutex mutex;
  HandleTable<Context, CUcontext> contexts{HandleKind::Context};
  HandleTable<Stream, CUstream> streams{HandleKind::Stream};
  HandleTable<Event, CUevent> events{HandleKind::Event};
  HandleTable<Module, CUmodule> modules{HandleKind::Module};
  HandleTable<Function, CUfunction> functions{HandleKind::Function};
  HandleTable<Library, CUlibrary> libraries{HandleKind::Library};
  HandleTable<LibraryKernel, CUkernel> kernels{HandleKind::Kernel};
  HandleTable<Graph, CUgraph> graphs{HandleKind::Graph};
  HandleTable<GraphNode, CUgraphNode> nodes{HandleKind::Node};
  HandleTable<GraphExec, CUgraphExec> execs{HandleKind::Exec};
  HandleTable<UserObject, CUuserObject> userObjects{HandleKind::UserObject};
  HandleTable<Pool, CUmemoryPool> pools{HandleKind::Pool};
  HandleTable<Link, CUlinkState> links{HandleKind::Link};

  /// The primary context; null while it is not active.
  std::shared_ptr<Context> primary;
  unsigned primaryUsers = 0;
  unsigned primaryFlags = 0;

  /// What allocations have beyond what `Memory` knows, by address.
  std::map<uint64_t, AllocationExtra> extras;
  /// The pool of the device that calls use which name none; the first one is
  /// the default one and never destroyed.
  std::shared_ptr<Pool> defaultPool, currentPool;
  /// Memory of graphs that is allocated at present, by address.
  std::map<uint64_t, std::shared_ptr<GraphAllocation>> graphMemory;
  uint64_t graphMemoryUsed = 0, graphMemoryHigh = 0;

  uint64_t nextContextId = 1;
  uint64_t nextStreamId = 1;
  uint64_t nextLaunchSerial = 1;
  uint64_t nextCaptureId = 1;
  std::vector<std::weak_ptr<Capture>> captures; ///< Those that are going on.
  std::set<std::string> unsupportedCalls;       ///< That were named already.

private:
  Config settings;
  std::unique_ptr<Engine> machine;
  std::atomic<bool> stopping{false};

public:
  Scheduler scheduler; ///< Last: its threads use the rest.
};

/// One call of a program, with the driver locked.
struct Call {
  Driver &driver;
  Lock &lock;
  std::shared_ptr<Context> context; ///< The current one; null if not asked for.

  Scheduler &scheduler() { return driver.scheduler; }
};

/// Stands for the twin of a call: the null stream is the thread's while it
/// lives.
class PerThreadDefault {
public:
  PerThreadDefault();
  ~PerThreadDefault();
  static bool isActive();

private:
  bool before;
};

/// Returns a number of the calling thread that no other thread ever has.
uint64_t threadNumber();

/// The current contexts of a thread, innermost last. Has no destructor, since
/// calls may come after those of the thread have run.
struct ContextStack {
  static constexpr unsigned capacity = 128;
  CUcontext entries[capacity];
  unsigned depth;

  CUcontext top() const { return depth == 0 ? nullptr : entries[depth - 1]; }
  bool push(CUcontext context);
  CUcontext pop() { return depth == 0 ? nullptr : entries[--depth]; }
  /// Replaces the innermost; a null pops it.
  bool set(CUcontext context);
};

/// Returns that of the calling thread.
ContextStack &contextStack();

/// Returns the current context of the thread, or why it cannot be used.
CUresult findCurrent(Driver &driver, std::shared_ptr<Context> &context);

/// True if `pointer` is at something; says what is wrong unless it is null.
template <typename T>
bool isReadable(const T *pointer, const char *name = __builtin_FUNCTION()) {
  static_assert(sizeof(T) <= 4096, "it is in two pages at most");
  auto *bytes = reinterpret_cast<const volatile uint8_t *>(pointer);
  return pointer && surviveCaller(name, [&] {
                      (void)bytes[0];
                      (void)bytes[sizeof(T) - 1];
                      return CUDA_SUCCESS;
                    }) == CUDA_SUCCESS;
}

/// Gives a result to the caller of a call that `withDriver` is not around.
template <typename T>
CUresult giveResult(T *pointer, T value,
                    const char *name = __builtin_FUNCTION()) {
  return surviveCaller(name, [&] {
    *pointer = value;
    return CUDA_SUCCESS;
  });
}

/// Runs `body(call)` for the call `name` with the driver locked, then whatever
/// the schedule wants.
template <typename Body>
CUresult withDriver(const char *name, Body body) {
  CUresult result = CUDA_SUCCESS;
  Driver *driver = Driver::get(result);
  if (!driver)
    return result;
  if (HostRunner::isCurrent())
    return CUDA_ERROR_NOT_PERMITTED;
  Lock lock(driver->mutex);
  Call call{*driver, lock, nullptr};
  result = surviveCaller(name, [&] { return body(call); });
  driver->scheduler.advance(lock);
  return result;
}

/// Likewise with the current context, which must be usable.
template <typename Body>
CUresult withContext(const char *name, Body body) {
  return withDriver(name, [&](Call &call) -> CUresult {
    CUresult result = findCurrent(call.driver, call.context);
    return result == CUDA_SUCCESS ? body(call) : result;
  });
}

/// Likewise for the call that is the function which calls this.
template <typename Body>
CUresult withDriver(Body body, const char *name = __builtin_FUNCTION()) {
  return withDriver(name, body);
}
template <typename Body>
CUresult withContext(Body body, const char *name = __builtin_FUNCTION()) {
  return withContext(name, body);
}

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_DRIVER_H
