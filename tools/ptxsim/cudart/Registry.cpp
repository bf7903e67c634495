// Registered fat binaries, kernels and variables; loaded when first used.

#include "tools/ptxsim/cudart/Registry.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace ptxsim::cudart {

namespace {

/// A variable of the device that a variable of the host stands for.
struct RegisteredVariable {
  std::string name;
  size_t bytes = 0;
  void **managed = nullptr; ///< Where the host looks for its address.
};

struct Binary {
  const void *image = nullptr;
  CUlibrary library = nullptr; ///< Null until it is loaded.
  Code loadResult = cudaSuccess;
  std::vector<const void *> functions, symbols; ///< That belong to it.
};

struct RegisteredFunction {
  Binary *binary = nullptr;
  std::string name;
  CUkernel kernel = nullptr; ///< Null until it is first used.
};

struct Registry {
  std::recursive_mutex mutex;
  std::vector<std::unique_ptr<Binary>> binaries;
  std::unordered_map<const void *, RegisteredFunction> functions;
  std::unordered_map<const void *, std::pair<Binary *, RegisteredVariable>>
      variables;
};

} // namespace

static Registry &registry() {
  // Never freed: programs unregister while they end, in any order.
  static Registry *registry = new Registry;
  return *registry;
}

using Guard = std::lock_guard<std::recursive_mutex>;

/// Lets the host find the managed variables of `binary`.
static Code bindManaged(Binary &binary) {
  for (const void *symbol : binary.symbols) {
    const RegisteredVariable &variable = registry().variables.at(symbol).second;
    if (!variable.managed)
      continue;
    CUdeviceptr address = 0;
    size_t bytes = 0;
    Code code = cuLibraryGetManaged(&address, &bytes, binary.library,
                                    variable.name.c_str());
    // Unused ones are not in the text.
    if (code == CUDA_ERROR_NOT_FOUND)
      continue;
    if (code != cudaSuccess)
      return code;
    *variable.managed = toPointer(address);
  }
  return cudaSuccess;
}

static Code loadBinary(Binary &binary) {
  if (binary.library || binary.loadResult != cudaSuccess)
    return binary.loadResult;
  Code code = prepare();
  if (code != cudaSuccess)
    return code;
  code = cuLibraryLoadData(&binary.library, binary.image, nullptr, nullptr, 0,
                           nullptr, nullptr, 0);
  if (code == cudaSuccess)
    code = bindManaged(binary);
  // Loading is tried once: each try would say again what is wrong.
  binary.loadResult = code;
  return code;
}

static bool isKernel(CUkernel kernel) {
  CUlibrary library = nullptr;
  return cuKernelGetLibrary(&library, kernel) == CUDA_SUCCESS;
}

Code findKernel(const void *function, CUkernel &kernel) {
  Guard guard(registry().mutex);
  auto found = registry().functions.find(function);
  if (found == registry().functions.end()) {
    kernel = reinterpret_cast<CUkernel>(const_cast<void *>(function));
    return function && isKernel(kernel) ? cudaSuccess
                                        : cudaErrorInvalidDeviceFunction;
  }
  RegisteredFunction &entry = found->second;
  if (!entry.kernel) {
    Code code = loadBinary(*entry.binary);
    if (code != cudaSuccess)
      return code;
    code = cuLibraryGetKernel(&entry.kernel, entry.binary->library,
                              entry.name.c_str());
    if (code != cudaSuccess)
      return code == CUDA_ERROR_NOT_FOUND ? cudaErrorInvalidDeviceFunction
                                          : code;
  }
  kernel = entry.kernel;
  return cudaSuccess;
}

Code findFunction(const void *function, CUfunction &result) {
  CUkernel kernel = nullptr;
  Code code = findKernel(function, kernel);
  if (code == cudaSuccess)
    return cuKernelGetFunction(&result, kernel);
  // A function of a module is used as it is.
  result = reinterpret_cast<CUfunction>(const_cast<void *>(function));
  CUmodule module = nullptr;
  if (code == cudaErrorInvalidDeviceFunction && function &&
      cuFuncGetModule(&module, result) == CUDA_SUCCESS)
    return cudaSuccess;
  return code;
}

const void *findHostFunction(CUfunction function) {
  Guard guard(registry().mutex);
  for (const auto &entry : registry().functions) {
    CUfunction other = nullptr;
    if (entry.second.kernel &&
        cuKernelGetFunction(&other, entry.second.kernel) == CUDA_SUCCESS &&
        other == function)
      return entry.first;
  }
  return nullptr;
}

Code findVariable(const void *symbol, CUdeviceptr &address, size_t &bytes) {
  Guard guard(registry().mutex);
  auto found = registry().variables.find(symbol);
  if (found == registry().variables.end())
    return cudaErrorInvalidSymbol;
  Binary &binary = *found->second.first;
  Code code = loadBinary(binary);
  if (code != cudaSuccess)
    return code;
  code = cuLibraryGetGlobal(&address, &bytes, binary.library,
                            found->second.second.name.c_str());
  return code == CUDA_ERROR_NOT_FOUND ? cudaErrorInvalidSymbol : code;
}

#define CUDART_ENTRY extern "C" __attribute__((visibility("default")))

CUDART_ENTRY void **__cudaRegisterFatBinary(void *image) {
  Guard guard(registry().mutex);
  auto binary = std::make_unique<Binary>();
  binary->image = image;
  registry().binaries.push_back(std::move(binary));
  return reinterpret_cast<void **>(registry().binaries.back().get());
}

/// Returns the binary of a handle; null for one that is none.
static Binary *findBinary(void **handle) {
  for (const std::unique_ptr<Binary> &binary : registry().binaries)
    if (reinterpret_cast<void **>(binary.get()) == handle)
      return binary.get();
  return nullptr;
}

CUDART_ENTRY void __cudaRegisterFatBinaryEnd(void **) {}

CUDART_ENTRY void __cudaUnregisterFatBinary(void **handle) {
  Guard guard(registry().mutex);
  Binary *binary = findBinary(handle);
  if (!binary)
    return;
  for (const void *function : binary->functions)
    registry().functions.erase(function);
  for (const void *symbol : binary->symbols)
    registry().variables.erase(symbol);
  // Fails, rightly, if the driver has ended before.
  if (binary->library)
    cuLibraryUnload(binary->library);
  std::vector<std::unique_ptr<Binary>> &binaries = registry().binaries;
  for (auto it = binaries.begin(); it != binaries.end(); ++it)
    if (it->get() == binary) {
      binaries.erase(it);
      return;
    }
}

CUDART_ENTRY void __cudaRegisterFunction(void **handle, const char *function,
                                         char *, const char *name, int, void *,
                                         void *, void *, void *, int *) {
  Guard guard(registry().mutex);
  Binary *binary = findBinary(handle);
  if (!binary)
    return;
  // Of functions that several binaries define, the first one counts.
  if (registry()
          .functions
          .emplace(function, RegisteredFunction{binary, name, nullptr})
          .second)
    binary->functions.push_back(function);
}

static void registerVariable(void **handle, const void *symbol,
                             RegisteredVariable variable) {
  Guard guard(registry().mutex);
  Binary *binary = findBinary(handle);
  if (!binary)
    return;
  if (registry()
          .variables
          .emplace(symbol, std::make_pair(binary, std::move(variable)))
          .second)
    binary->symbols.push_back(symbol);
}

CUDART_ENTRY void __cudaRegisterVar(void **handle, char *symbol, char *,
                                    const char *name, int, size_t bytes, int,
                                    int) {
  registerVariable(handle, symbol, {name, bytes, nullptr});
}

CUDART_ENTRY void __cudaRegisterManagedVar(void **handle, void **pointer,
                                           char *, const char *name, int,
                                           size_t bytes, int, int) {
  registerVariable(handle, pointer, {name, bytes, pointer});
}

CUDART_ENTRY void __cudaRegisterHostVar(void **, const char *, char *, size_t) {
}

CUDART_ENTRY char __cudaInitModule(void **handle) {
  Guard guard(registry().mutex);
  Binary *binary = findBinary(handle);
  return binary && record(loadBinary(*binary)) == cudaSuccess;
}

} // namespace ptxsim::cudart
