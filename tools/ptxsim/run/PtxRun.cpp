// ptx-run: launches one kernel of a PTX file and prints its buffers.
//
// It uses nothing but the driver API, which it opens at run time, so that it
// runs on the simulator and on hardware alike.

#include "tools/ptxsim/driver/Abi.h"
#include "tools/ptxsim/run/Arguments.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fstream>

namespace ptxrun {

using namespace ptxsim;

/// The functions of the driver that ptx-run calls.
struct Api {
  CUresult (*init)(unsigned);
  CUresult (*errorName)(CUresult, const char **);
  CUresult (*deviceGet)(CUdevice *, int);
  CUresult (*retain)(CUcontext *, CUdevice);
  CUresult (*release)(CUdevice);
  CUresult (*setCurrent)(CUcontext);
  CUresult (*synchronize)();
  CUresult (*loadFile)(CUmodule *, const char *);
  CUresult (*unload)(CUmodule);
  CUresult (*functionCount)(unsigned *, CUmodule);
  CUresult (*enumerate)(CUfunction *, unsigned, CUmodule);
  CUresult (*functionName)(const char **, CUfunction);
  CUresult (*functionAttribute)(int *, CUfunction_attribute, CUfunction);
  CUresult (*getFunction)(CUfunction *, CUmodule, const char *);
  CUresult (*setAttribute)(CUfunction, CUfunction_attribute, int);
  CUresult (*alloc)(CUdeviceptr *, size_t);
  CUresult (*free)(CUdeviceptr);
  CUresult (*copyIn)(CUdeviceptr, const void *, size_t);
  CUresult (*copyOut)(void *, CUdeviceptr, size_t);
  CUresult (*launch)(const CUlaunchConfig *, CUfunction, void **, void **);
  CUresult (*encodeTiled)(void *, uint32_t type, uint32_t rank, CUdeviceptr,
                          const uint64_t *sizes, const uint64_t *strides,
                          const uint32_t *box, const uint32_t *steps,
                          uint32_t interleave, uint32_t swizzle,
                          uint32_t promotion, uint32_t fill);
};

/// A CUtensorMap.
struct alignas(64) TensorMap {
  uint8_t bytes[128];
};

template <typename Function>
static bool load(void *library, const char *name, Function &function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function)
    std::fprintf(stderr, "ptx-run: expected %s in libcuda.so.1, got none\n",
                 name);
  return function;
}

static bool openApi(Api &api) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "ptx-run: %s\n", dlerror());
    return false;
  }
  return load(library, "cuInit", api.init) &&
         load(library, "cuGetErrorName", api.errorName) &&
         load(library, "cuDeviceGet", api.deviceGet) &&
         load(library, "cuDevicePrimaryCtxRetain", api.retain) &&
         load(library, "cuDevicePrimaryCtxRelease_v2", api.release) &&
         load(library, "cuCtxSetCurrent", api.setCurrent) &&
         load(library, "cuCtxSynchronize", api.synchronize) &&
         load(library, "cuModuleLoad", api.loadFile) &&
         load(library, "cuModuleUnload", api.unload) &&
         load(library, "cuModuleGetFunctionCount", api.functionCount) &&
         load(library, "cuModuleEnumerateFunctions", api.enumerate) &&
         load(library, "cuFuncGetName", api.functionName) &&
         load(library, "cuFuncGetAttribute", api.functionAttribute) &&
         load(library, "cuModuleGetFunction", api.getFunction) &&
         load(library, "cuFuncSetAttribute", api.setAttribute) &&
         load(library, "cuMemAlloc_v2", api.alloc) &&
         load(library, "cuMemFree_v2", api.free) &&
         load(library, "cuMemcpyHtoD_v2", api.copyIn) &&
         load(library, "cuMemcpyDtoH_v2", api.copyOut) &&
         load(library, "cuLaunchKernelEx", api.launch) &&
         load(library, "cuTensorMapEncodeTiled", api.encodeTiled);
}

/// Runs one command line.
class Run {
public:
  Run(const Api &api, const Options &options) : api(api), options(options) {}

  bool run();

private:
  bool check(CUresult result, const char *call);
  bool listKernels();
  bool findKernel();
  bool makeBuffers();
  bool makeMap(const Argument &argument, CUdeviceptr address, TensorMap &map);
  bool setAttributes(CUlaunchConfig &config, CUlaunchAttribute *attributes);
  bool launch();
  bool launchRepeatedly(const CUlaunchConfig &config, void **parameters);
  bool copyOut();
  void clean();

  const Api &api;
  const Options &options;
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  std::vector<CUdeviceptr> buffers; ///< One for each argument; 0 for values.
  std::vector<TensorMap> maps;      ///< One for each argument.
};

bool Run::check(CUresult result, const char *call) {
  if (result == CUDA_SUCCESS)
    return true;
  const char *name = nullptr;
  if (api.errorName(result, &name) != CUDA_SUCCESS || !name)
    name = "an unknown result";
  std::fflush(stdout);
  std::fprintf(stderr, "ptx-run: %s: %s\n", call, name);
  return false;
}

/// Prints the name of each kernel and what it needs.
bool Run::listKernels() {
  unsigned count = 0;
  if (!check(api.functionCount(&count, module), "cuModuleGetFunctionCount"))
    return false;
  std::vector<CUfunction> kernels(count);
  if (count == 0)
    return true;
  if (!check(api.enumerate(kernels.data(), count, module),
             "cuModuleEnumerateFunctions"))
    return false;
  for (CUfunction kernel : kernels) {
    const char *name = nullptr;
    int registers = 0, shared = 0;
    if (!check(api.functionName(&name, kernel), "cuFuncGetName") ||
        !check(api.functionAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS,
                                     kernel),
               "cuFuncGetAttribute") ||
        !check(api.functionAttribute(
                   &shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel),
               "cuFuncGetAttribute"))
      return false;
    std::printf("%s: %d registers, %d bytes of shared memory\n", name,
                registers, shared);
  }
  return true;
}

bool Run::findKernel() {
  if (!options.kernel.empty())
    return check(api.getFunction(&function, module, options.kernel.c_str()),
                 "cuModuleGetFunction");
  unsigned count = 0;
  if (!check(api.functionCount(&count, module), "cuModuleGetFunctionCount"))
    return false;
  if (count != 1) {
    std::fprintf(stderr,
                 "ptx-run: expected --kernel or one kernel in the file, "
                 "got %u\n",
                 count);
    return false;
  }
  return check(api.enumerate(&function, 1, module),
               "cuModuleEnumerateFunctions");
}

bool Run::makeBuffers() {
  for (const Argument &argument : options.arguments) {
    CUdeviceptr address = 0;
    size_t bytes = argument.count * argument.type.bytes;
    if (argument.isBuffer && !check(api.alloc(&address, bytes), "cuMemAlloc"))
      return false;
    buffers.push_back(address);
    if (argument.isCopiedIn &&
        !check(api.copyIn(address, argument.bytes.data(), bytes),
               "cuMemcpyHtoD"))
      return false;
    maps.emplace_back();
    if (!argument.box.empty() && !makeMap(argument, address, maps.back()))
      return false;
  }
  return true;
}

/// Returns the CUtensorMapDataType of `type`; bytes for what has none.
static uint32_t tensorType(const ValueType &type) {
  switch (type.kind) {
  case ValueType::Kind::Float:
    return type.bytes == 8   ? 8
           : type.bytes == 4 ? 7
           : type.bytes == 1 ? 0
                             : type.exponentBits == 5 ? 6 : 9;
  case ValueType::Kind::Signed:
    if (type.bytes >= 4)
      return type.bytes == 4 ? 3 : 5;
    [[fallthrough]];
  default:
    return type.bytes == 8   ? 4
           : type.bytes == 4 ? 2
           : type.bytes == 2 ? 1
                             : 0;
  }
}

/// Makes the map of a dense buffer. The driver counts dimensions from the
/// innermost.
bool Run::makeMap(const Argument &argument, CUdeviceptr address,
                  TensorMap &map) {
  std::vector<uint64_t> sizes(argument.sizes.rbegin(), argument.sizes.rend());
  std::vector<uint32_t> box(argument.box.rbegin(), argument.box.rend());
  std::vector<uint64_t> strides;
  uint64_t stride = argument.type.bytes;
  for (uint64_t size : sizes)
    strides.push_back(stride *= size);
  std::vector<uint32_t> steps(sizes.size(), 1);
  uint32_t swizzle = argument.swizzle == 128  ? 3
                     : argument.swizzle == 64 ? 2
                     : argument.swizzle == 32 ? 1
                                              : 0;
  return check(api.encodeTiled(&map, tensorType(argument.type),
                               static_cast<uint32_t>(sizes.size()), address,
                               sizes.data(), strides.data(), box.data(),
                               steps.data(), 0, swizzle, 0, 0),
               "cuTensorMapEncodeTiled");
}

/// Fills in the attributes of the launch and of the function that it needs.
bool Run::setAttributes(CUlaunchConfig &config, CUlaunchAttribute *attributes) {
  auto set = [&](CUfunction_attribute attribute, unsigned value) {
    return check(
        api.setAttribute(function, attribute, static_cast<int>(value)),
        "cuFuncSetAttribute");
  };
  if (options.cluster) {
    CUlaunchAttribute &attribute = attributes[config.numAttrs++];
    const std::array<unsigned, 3> &size = *options.cluster;
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.value.clusterDim = {size[0], size[1], size[2]};
    if (uint64_t(size[0]) * size[1] * size[2] > 8 &&
        !set(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1))
      return false;
  }
  if (options.cooperative) {
    CUlaunchAttribute &attribute = attributes[config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
    attribute.value.cooperative = 1;
  }
  return options.sharedBytes <= 48 * 1024 ||
         set(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
             options.sharedBytes);
}

bool Run::launch() {
  std::vector<void *> parameters;
  for (size_t i = 0; i < options.arguments.size(); ++i) {
    const Argument &argument = options.arguments[i];
    parameters.push_back(!argument.box.empty() ? static_cast<void *>(&maps[i])
                         : argument.isBuffer
                             ? static_cast<void *>(&buffers[i])
                             : const_cast<uint8_t *>(argument.bytes.data()));
  }
  CUlaunchAttribute attributes[2];
  std::memset(attributes, 0, sizeof(attributes));
  CUlaunchConfig config = {options.grid[0],     options.grid[1],
                           options.grid[2],     options.block[0],
                           options.block[1],    options.block[2],
                           options.sharedBytes, nullptr,
                           attributes,          0};
  if (!setAttributes(config, attributes))
    return false;
  if (options.repeat != 0)
    return launchRepeatedly(config, parameters.data());
  return check(api.launch(&config, function, parameters.data(), nullptr),
               "cuLaunchKernelEx") &&
         check(api.synchronize(), "cuCtxSynchronize");
}

/// Launches --repeat times and prints the best and the median time.
bool Run::launchRepeatedly(const CUlaunchConfig &config, void **parameters) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (unsigned i = 0; i < options.repeat; ++i) {
    Clock::time_point begin = Clock::now();
    if (!check(api.launch(&config, function, parameters, nullptr),
               "cuLaunchKernelEx") ||
        !check(api.synchronize(), "cuCtxSynchronize"))
      return false;
    times.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%u launches, best %.3f ms, median %.3f ms\n", options.repeat,
              times.front(), times[times.size() / 2]);
  return true;
}

bool Run::copyOut() {
  for (size_t i = 0; i < options.arguments.size(); ++i) {
    const Argument &argument = options.arguments[i];
    if (!argument.isCopiedOut)
      continue;
    std::vector<uint8_t> bytes(argument.count * argument.type.bytes);
    if (!check(api.copyOut(bytes.data(), buffers[i], bytes.size()),
               "cuMemcpyDtoH"))
      return false;
    if (!argument.file.empty()) {
      std::ofstream file(argument.file, std::ios::binary);
      file.write(reinterpret_cast<const char *>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
      if (file.flush())
        continue;
      std::fprintf(stderr, "ptx-run: %s: expected a file to write to\n",
                   argument.file.c_str());
      return false;
    }
    std::string line = "arg" + std::to_string(i) + ":";
    for (uint64_t j = 0; j < argument.count; ++j)
      line += " " +
              printValue(bytes.data() + j * argument.type.bytes, argument.type);
    std::puts(line.c_str());
  }
  return true;
}

/// Frees what is left, so that no leak is reported of ptx-run itself.
void Run::clean() {
  for (CUdeviceptr buffer : buffers)
    if (buffer != 0)
      api.free(buffer);
  if (module)
    api.unload(module);
  api.release(0);
}

bool Run::run() {
  CUdevice device = 0;
  CUcontext context = nullptr;
  if (!check(api.init(0), "cuInit") ||
      !check(api.deviceGet(&device, 0), "cuDeviceGet") ||
      !check(api.retain(&context, device), "cuDevicePrimaryCtxRetain") ||
      !check(api.setCurrent(context), "cuCtxSetCurrent"))
    return false;
  bool ok = check(api.loadFile(&module, options.file.c_str()), "cuModuleLoad") &&
            (options.list
                 ? listKernels()
                 : findKernel() && makeBuffers() && launch() && copyOut());
  clean();
  return ok;
}

} // namespace ptxrun

int main(int argc, char **argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help") {
    std::fputs(ptxrun::usage, words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  ptxrun::Options options;
  std::string message;
  if (!ptxrun::readOptions(words, options, message)) {
    std::fprintf(stderr, "ptx-run: %s\n", message.c_str());
    return 2;
  }
  ptxrun::Api api = {};
  if (!ptxrun::openApi(api))
    return 1;
  return ptxrun::Run(api, options).run() ? 0 : 1;
}
