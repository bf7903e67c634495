#include "test/fake-cuda/FakeCuda.h"

#include "runtime/cuda/Driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace tcc::rt::cuda;
using tcc::test::FakeCuda;
using tcc::test::FakeLaunch;

namespace {

constexpr Result invalidHandle = 400;

/// What handles of the driver stand for.
struct Object {
  std::string name;                 ///< Of a function.
  std::vector<FakeLaunch> launches; ///< Of a graph.
};

struct State {
  FakeCuda fake;
  std::map<const void *, int64_t> sizes; ///< Of memory of the device.
  bool isCapturing = false;
  std::vector<FakeLaunch> captured;

  State();
  ~State();
};

/// Reads "name=value,name=value".
void readVariable(const char *text, FakeCuda &fake) {
  std::map<std::string, int64_t *> numbers = {
      {"devices", &fake.devices},       {"version", &fake.version},
      {"capability", &fake.capability}, {"memory", &fake.memory},
      {"after", &fake.after},           {"result", &fake.result}};
  std::map<std::string, std::string *> words = {{"failing", &fake.failing},
                                                {"log", &fake.log}};
  std::string rest = text;
  while (!rest.empty()) {
    std::string part = rest.substr(0, rest.find(','));
    rest.erase(0, part.size() + 1);
    std::string name = part.substr(0, part.find('='));
    std::string value = part.substr(std::min(name.size() + 1, part.size()));
    if (numbers.count(name))
      *numbers[name] = std::stoll(value);
    else if (words.count(name))
      *words[name] = value;
    else
      fprintf(stderr, "fake-cuda: no such setting: %s\n", name.c_str());
    if (name == "failing" && fake.after == INT64_MAX)
      fake.after = 0;
  }
}

State::State() {
  if (const char *text = getenv("FAKE_CUDA"))
    readVariable(text, fake);
}

State::~State() {
  for (const auto &[handle, kind] : fake.owned)
    fprintf(stderr, "fake-cuda: leak of %s\n", kind.c_str());
  for (const std::string &mistake : fake.mistakes)
    fprintf(stderr, "fake-cuda: %s\n", mistake.c_str());
}

State &state() {
  static State instance;
  return instance;
}

/// Counts a call, and says whether it fails.
Result enter(const char *call) {
  FakeCuda &fake = state().fake;
  ++fake.counts[call];
  if (!fake.failing.empty() && fake.failing != call)
    return success;
  if (fake.after > 0) {
    --fake.after;
    return success;
  }
  if (fake.failed.empty())
    fake.failed = call;
  if (fake.once)
    fake.after = INT64_MAX;
  return static_cast<Result>(fake.result);
}

/// Gives out `handle`.
template <typename Handle>
void own(Handle *result, void *handle, const char *kind) {
  *result = static_cast<Handle>(handle);
  state().fake.owned[handle] = kind;
}

template <typename Handle>
Result create(const char *call, Handle *result, const char *kind) {
  if (Result failure = enter(call))
    return failure;
  own(reinterpret_cast<void **>(result), new Object, kind);
  return success;
}

/// Takes back what `own` gave out; also if the call fails, as the driver does
/// when its context is lost.
bool disown(const char *call, const void *handle, const char *kind) {
  FakeCuda &fake = state().fake;
  auto found = fake.owned.find(handle);
  if (found == fake.owned.end() || found->second != kind) {
    fake.mistakes.push_back(std::string(call) + " of no " + kind);
    return false;
  }
  fake.owned.erase(found);
  return true;
}

Result destroy(const char *call, void *handle, const char *kind) {
  Result failure = enter(call);
  if (!disown(call, handle, kind))
    return invalidHandle;
  delete static_cast<Object *>(handle);
  return failure;
}

template <typename Handle>
Object *objectOf(Handle handle) {
  return reinterpret_cast<Object *>(handle);
}

} // namespace

extern "C" FakeCuda *fakeCuda() { return &state().fake; }

extern "C" {

//===----------------------------------------------------------------------===//
// The driver and its device
//===----------------------------------------------------------------------===//

Result cuInit(unsigned) {
  Result failure = enter("cuInit");
  return failure == success && state().fake.devices == 0 ? noDevice : failure;
}

Result cuDriverGetVersion(int *version) {
  *version = static_cast<int>(state().fake.version);
  return enter("cuDriverGetVersion");
}

Result cuGetErrorName(Result result, const char **name) {
  static const std::map<Result, const char *> names = {
      {outOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {noDevice, "CUDA_ERROR_NO_DEVICE"},
      {218, "CUDA_ERROR_INVALID_PTX"},
      {unsupportedPtxVersion, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
      {invalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
  auto found = names.find(result);
  *name = found == names.end() ? nullptr : found->second;
  return success;
}

Result cuGetErrorString(Result result, const char **text) {
  *text = result == 700 ? "an illegal memory access was encountered" : nullptr;
  return success;
}

Result cuDeviceGetCount(int *count) {
  *count = static_cast<int>(state().fake.devices);
  return enter("cuDeviceGetCount");
}

Result cuDeviceGet(Device *device, int ordinal) {
  *device = ordinal;
  return enter("cuDeviceGet");
}

Result cuDeviceGetName(char *name, int bytes, Device) {
  snprintf(name, static_cast<size_t>(bytes), "Fake");
  return enter("cuDeviceGetName");
}

Result cuDeviceGetAttribute(int *value, DeviceAttribute attribute, Device) {
  auto capability = static_cast<int>(state().fake.capability);
  *value = attribute == ComputeCapabilityMajor   ? capability / 10
           : attribute == ComputeCapabilityMinor ? capability % 10
                                                 : 132;
  return enter("cuDeviceGetAttribute");
}

Result cuDevicePrimaryCtxRetain(Context *context, Device) {
  return create("cuDevicePrimaryCtxRetain", context, "context");
}

Result cuDevicePrimaryCtxRelease_v2(Device) {
  Result failure = enter("cuDevicePrimaryCtxRelease_v2");
  for (const auto &[handle, kind] : state().fake.owned)
    if (kind != "context")
      state().fake.mistakes.push_back("release of the context before " + kind);
  for (auto [handle, kind] : state().fake.owned)
    if (kind == "context") {
      delete static_cast<const Object *>(handle);
      state().fake.owned.erase(handle);
      return failure;
    }
  state().fake.mistakes.push_back("release of no context");
  return invalidHandle;
}

Result cuCtxSetCurrent(Context) { return enter("cuCtxSetCurrent"); }

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Result cuModuleLoadDataEx(Module *module, const void *, unsigned count,
                          const JitOption *options, void **values) {
  Result failure = create("cuModuleLoadDataEx", module, "module");
  char *log = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == JitOption::ErrorLog)
      log = static_cast<char *>(values[i]);
    if (options[i] == JitOption::ErrorLogBytes)
      room = reinterpret_cast<size_t>(values[i]);
  }
  if (failure != success && log && room > 0)
    snprintf(log, room, "%s", state().fake.log.c_str());
  return failure;
}

Result cuModuleUnload(Module module) {
  // The functions of a module go with it.
  FakeCuda &fake = state().fake;
  for (auto entry = fake.owned.begin(); entry != fake.owned.end();) {
    if (entry->second == "function") {
      delete static_cast<const Object *>(entry->first);
      entry = fake.owned.erase(entry);
    } else {
      ++entry;
    }
  }
  return destroy("cuModuleUnload", module, "module");
}

Result cuModuleGetFunction(Function *function, Module, const char *name) {
  Result failure = create("cuModuleGetFunction", function, "function");
  if (failure == success)
    objectOf(*function)->name = name;
  return failure;
}

Result cuFuncSetAttribute(Function, FunctionAttribute, int) {
  return enter("cuFuncSetAttribute");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Result cuMemAlloc_v2(Address *address, size_t bytes) {
  if (Result failure = enter("cuMemAlloc_v2"))
    return failure;
  auto size = static_cast<int64_t>(bytes);
  if (size > state().fake.memory)
    return outOfMemory;
  state().fake.memory -= size;
  void *memory = nullptr;
  own(&memory, malloc(bytes), "memory");
  memset(memory, 0xff, bytes);
  state().sizes[memory] = size;
  *address = reinterpret_cast<Address>(memory);
  return success;
}

Result cuMemFree_v2(Address address) {
  Result failure = enter("cuMemFree_v2");
  auto *memory = reinterpret_cast<void *>(address);
  if (!disown("cuMemFree", memory, "memory"))
    return invalidHandle;
  state().fake.memory += state().sizes[memory];
  free(memory);
  return failure;
}

Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  *free = *total = static_cast<size_t>(state().fake.memory);
  return enter("cuMemGetInfo_v2");
}

Result cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  if (Result failure = enter("cuMemHostAlloc"))
    return failure;
  own(memory, malloc(bytes), "memory of the host");
  return success;
}

Result cuMemFreeHost(void *memory) {
  Result failure = enter("cuMemFreeHost");
  if (!disown("cuMemFreeHost", memory, "memory of the host"))
    return invalidHandle;
  free(memory);
  return failure;
}

Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes,
                            Stream) {
  Result failure = enter("cuMemcpyHtoDAsync_v2");
  if (failure == success)
    memcpy(reinterpret_cast<void *>(to), from, bytes);
  return failure;
}

Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Stream) {
  Result failure = enter("cuMemcpyDtoHAsync_v2");
  if (failure == success)
    memcpy(to, reinterpret_cast<void *>(from), bytes);
  return failure;
}

Result cuMemsetD8Async(Address address, unsigned char value, size_t bytes,
                       Stream) {
  Result failure = enter("cuMemsetD8Async");
  if (failure == success)
    memset(reinterpret_cast<void *>(address), value, bytes);
  return failure;
}

//===----------------------------------------------------------------------===//
// Streams, events, launches
//===----------------------------------------------------------------------===//

Result cuStreamCreate(Stream *stream, unsigned) {
  return create("cuStreamCreate", stream, "stream");
}

Result cuStreamDestroy_v2(Stream stream) {
  return destroy("cuStreamDestroy_v2", stream, "stream");
}

Result cuStreamSynchronize(Stream) { return enter("cuStreamSynchronize"); }

Result cuEventCreate(Event *event, unsigned) {
  return create("cuEventCreate", event, "event");
}

Result cuEventDestroy_v2(Event event) {
  return destroy("cuEventDestroy_v2", event, "event");
}

Result cuEventRecord(Event, Stream) { return enter("cuEventRecord"); }

Result cuEventSynchronize(Event) { return enter("cuEventSynchronize"); }

Result cuEventElapsedTime(float *milliseconds, Event, Event) {
  *milliseconds = 1;
  return enter("cuEventElapsedTime");
}

Result cuTensorMapEncodeTiled(TensorMap *, TensorMapType, unsigned, void *,
                              const uint64_t *, const uint64_t *,
                              const uint32_t *, const uint32_t *, unsigned,
                              TensorMapSwizzle, TensorMapPromotion, unsigned) {
  return enter("cuTensorMapEncodeTiled");
}

Result cuLaunchKernelEx(const LaunchConfig *config, Function function, void **,
                        void **) {
  if (Result failure = enter("cuLaunchKernelEx"))
    return failure;
  auto &list = state().isCapturing ? state().captured : state().fake.launches;
  bool isDependent = false;
  for (unsigned i = 0; i < config->attributeCount; ++i)
    isDependent |= config->attributes[i].id ==
                   LaunchAttributeId::ProgrammaticStreamSerialization;
  list.push_back({objectOf(function)->name, config->grid[0], isDependent});
  return success;
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

Result cuStreamBeginCapture_v2(Stream, CaptureMode) {
  Result failure = enter("cuStreamBeginCapture_v2");
  state().isCapturing = failure == success;
  state().captured.clear();
  return failure;
}

Result cuStreamEndCapture(Stream, Graph *graph) {
  state().isCapturing = false;
  Result failure = create("cuStreamEndCapture", graph, "graph");
  if (failure == success)
    objectOf(*graph)->launches = state().captured;
  return failure;
}

Result cuGraphDestroy(Graph graph) {
  return destroy("cuGraphDestroy", graph, "graph");
}

Result cuGraphInstantiateWithFlags(GraphExec *exec, Graph graph,
                                   unsigned long long) {
  Result failure =
      create("cuGraphInstantiateWithFlags", exec, "executable graph");
  if (failure == success)
    objectOf(*exec)->launches = objectOf(graph)->launches;
  return failure;
}

Result cuGraphExecUpdate_v2(GraphExec exec, Graph graph, GraphUpdateInfo *) {
  if (Result failure = enter("cuGraphExecUpdate_v2"))
    return failure;
  if (objectOf(exec)->launches.size() != objectOf(graph)->launches.size())
    return graphUpdateFailed;
  objectOf(exec)->launches = objectOf(graph)->launches;
  return success;
}

Result cuGraphExecDestroy(GraphExec exec) {
  return destroy("cuGraphExecDestroy", exec, "executable graph");
}

Result cuGraphLaunch(GraphExec exec, Stream) {
  if (Result failure = enter("cuGraphLaunch"))
    return failure;
  const std::vector<FakeLaunch> &launches = objectOf(exec)->launches;
  state().fake.launches.insert(state().fake.launches.end(), launches.begin(),
                               launches.end());
  return success;
}

} // extern "C"
