// Libraries.

#include "tools/ptxsim/driver/Library.h"

namespace ptxsim::driver {

CUresult moduleInContext(Driver &driver,
                         const std::shared_ptr<Library> &library,
                         const std::shared_ptr<Context> &context,
                         std::shared_ptr<Module> &module) {
  std::shared_ptr<Module> &entry = library->modules[context->id];
  if (!entry) {
    std::string log;
    std::unique_ptr<ptx::Module> parsed = std::move(library->parsed);
    CUresult result = CUDA_SUCCESS;
    if (!parsed)
      result = parseText(library->text, library->name, log, parsed);
    if (result == CUDA_SUCCESS)
      result = loadParsed(driver, std::move(parsed), context, entry, log);
    if (result != CUDA_SUCCESS) {
      library->modules.erase(context->id);
      driver.complain("a library: " + log);
      return result;
    }
    entry->library = library;
  }
  module = entry;
  return CUDA_SUCCESS;
}

CUresult functionInContext(Driver &driver, const LibraryKernel &kernel,
                           const std::shared_ptr<Context> &context,
                           std::shared_ptr<Function> &function) {
  std::shared_ptr<Library> library = kernel.library.lock();
  if (!library)
    return CUDA_ERROR_INVALID_HANDLE;
  std::shared_ptr<Module> module;
  CUresult result = moduleInContext(driver, library, context, module);
  if (result != CUDA_SUCCESS)
    return result;
  const Kernel *found = module->loaded->findKernel(kernel.name);
  if (!found)
    return CUDA_ERROR_NOT_FOUND;
  function = functionOf(driver, module, *found);
  return CUDA_SUCCESS;
}

/// Makes a library from `image`. If the thread has a context, it is loaded
/// there at once, so that errors show early.
static CUresult load(Call &call, const char *caller, CUlibrary *result,
                     ImageText image, const std::string &name,
                     JitOptions &options) {
  std::string log = image.message;
  auto library = std::make_shared<Library>();
  if (image.result == CUDA_SUCCESS) {
    library->text = image.text;
    library->name = name;
    image.result =
        parseText(std::move(image.text), name, log, library->parsed);
  }
  options.finish(log);
  if (image.result != CUDA_SUCCESS) {
    call.driver.complain(std::string(caller) + ": " + log);
    return image.result;
  }
  for (const ptx::Function &function : library->parsed->functions) {
    if (!function.isEntry || !function.isDefined)
      continue;
    auto kernel = std::make_shared<LibraryKernel>();
    kernel->library = library;
    kernel->name = std::string(function.name);
    kernel->settings = std::make_shared<FunctionSettings>();
    library->kernels.push_back(kernel);
  }
  std::shared_ptr<Module> module;
  if (findCurrent(call.driver, call.context) == CUDA_SUCCESS) {
    CUresult loaded =
        moduleInContext(call.driver, library, call.context, module);
    if (loaded != CUDA_SUCCESS)
      return loaded;
  }
  for (const std::shared_ptr<LibraryKernel> &kernel : library->kernels)
    call.driver.kernels.insert(kernel);
  *result = call.driver.libraries.insert(library);
  return CUDA_SUCCESS;
}

PTXSIM_API cuLibraryLoadData(CUlibrary *result, const void *image,
                             CUjit_option *jitOptions, void **jitValues,
                             unsigned jitCount, CUlibraryOption *, void **,
                             unsigned) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result || !image)
      return CUDA_ERROR_INVALID_VALUE;
    JitOptions options;
    CUresult read = options.read(jitCount, jitOptions, jitValues);
    if (read != CUDA_SUCCESS)
      return read;
    return load(call, "cuLibraryLoadData", result, readImage(image), "<memory>",
                options);
  });
}

PTXSIM_API cuLibraryLoadFromFile(CUlibrary *result, const char *path,
                                 CUjit_option *jitOptions, void **jitValues,
                                 unsigned jitCount, CUlibraryOption *, void **,
                                 unsigned) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result || !path)
      return CUDA_ERROR_INVALID_VALUE;
    JitOptions options;
    CUresult read = options.read(jitCount, jitOptions, jitValues);
    if (read != CUDA_SUCCESS)
      return read;
    std::string bytes;
    if (!readFile(path, bytes))
      return CUDA_ERROR_FILE_NOT_FOUND;
    return load(call, "cuLibraryLoadFromFile", result,
                readImage(bytes.data(), bytes.size()), path, options);
  });
}

/// Runs `body(call, library)` for a call that names a library.
template <typename Body>
static CUresult withLibrary(CUlibrary handle, bool hasResult, Body body,
                            const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!hasResult)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Library> library = call.driver.libraries.find(handle);
    return library ? body(call, library) : CUDA_ERROR_INVALID_HANDLE;
  });
}

using LibraryRef = const std::shared_ptr<Library> &;

PTXSIM_API cuLibraryUnload(CUlibrary handle) {
  return withLibrary(handle, true, [&](Call &call, LibraryRef library) {
    // Unloading may let other threads in, which may change the list.
    while (!library->modules.empty()) {
      std::shared_ptr<Module> module = library->modules.begin()->second;
      library->modules.erase(library->modules.begin());
      unloadModule(call, module);
    }
    for (const std::shared_ptr<LibraryKernel> &kernel : library->kernels)
      call.driver.kernels.erase(kernel->handle);
    call.driver.libraries.erase(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuLibraryGetKernel(CUkernel *result, CUlibrary handle,
                              const char *name) {
  return withLibrary(handle, result && name, [&](Call &, LibraryRef library) {
    for (const std::shared_ptr<LibraryKernel> &kernel : library->kernels)
      if (kernel->name == name) {
        *result = kernel->handle;
        return CUDA_SUCCESS;
      }
    return CUDA_ERROR_NOT_FOUND;
  });
}

PTXSIM_API cuLibraryGetKernelCount(unsigned *result, CUlibrary handle) {
  return withLibrary(handle, result, [&](Call &, LibraryRef library) {
    *result = static_cast<unsigned>(library->kernels.size());
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuLibraryEnumerateKernels(CUkernel *result, unsigned count,
                                     CUlibrary handle) {
  return withLibrary(handle, result, [&](Call &, LibraryRef library) {
    for (size_t i = 0; i < std::min<size_t>(count, library->kernels.size());
         ++i)
      result[i] = library->kernels[i]->handle;
    return CUDA_SUCCESS;
  });
}

/// Finds the module of `library` in the current context.
static CUresult findModule(Call &call, LibraryRef library,
                           std::shared_ptr<Module> &module) {
  CUresult result = findCurrent(call.driver, call.context);
  return result == CUDA_SUCCESS
             ? moduleInContext(call.driver, library, call.context, module)
             : result;
}

PTXSIM_API cuLibraryGetModule(CUmodule *result, CUlibrary handle) {
  return withLibrary(handle, result, [&](Call &call, LibraryRef library) {
    std::shared_ptr<Module> module;
    CUresult found = findModule(call, library, module);
    if (found == CUDA_SUCCESS)
      *result = module->handle;
    return found;
  });
}

static CUresult getVariable(CUdeviceptr *address, size_t *bytes,
                            CUlibrary handle, const char *name,
                            bool mustBeManaged) {
  return withLibrary(handle, name, [&](Call &call, LibraryRef library) {
    std::shared_ptr<Module> module;
    CUresult found = findModule(call, library, module);
    if (found != CUDA_SUCCESS)
      return found;
    ModuleVariable variable;
    if (!module->loaded->findVariable(name, variable) ||
        (mustBeManaged && !variable.isManaged))
      return CUDA_ERROR_NOT_FOUND;
    if (address)
      *address = variable.address;
    if (bytes)
      *bytes = variable.bytes;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuLibraryGetGlobal(CUdeviceptr *address, size_t *bytes,
                              CUlibrary handle, const char *name) {
  return getVariable(address, bytes, handle, name, false);
}

PTXSIM_API cuLibraryGetManaged(CUdeviceptr *address, size_t *bytes,
                               CUlibrary handle, const char *name) {
  return getVariable(address, bytes, handle, name, true);
}

} // namespace ptxsim::driver
