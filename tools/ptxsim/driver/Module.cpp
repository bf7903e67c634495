// Modules.

#include "tools/ptxsim/driver/Module.h"

#include "tools/ptxsim/driver/Library.h"

#include <algorithm>

namespace ptxsim::driver {

/// Puts what is wrong with a module into words, one line or two for each.
static std::string describe(const std::vector<ptx::Diagnostic> &diagnostics,
                            const std::string &name) {
  std::string text;
  for (const ptx::Diagnostic &diagnostic : diagnostics) {
    text += name + ":" + std::to_string(diagnostic.location.line) + ":" +
            std::to_string(diagnostic.location.column) +
            ": error: " + diagnostic.message + "\n";
    if (!diagnostic.text.empty())
      text += "  " + diagnostic.text + "\n";
  }
  return text;
}

CUresult parseText(std::string text, const std::string &name, std::string &log,
                   std::unique_ptr<ptx::Module> &parsed) {
  std::vector<ptx::Diagnostic> diagnostics;
  parsed = ptx::parse(std::move(text), name, diagnostics);
  if (parsed)
    return CUDA_SUCCESS;
  log = describe(diagnostics, name);
  return !diagnostics.empty() && diagnostics.front().isVersion
             ? CUDA_ERROR_UNSUPPORTED_PTX_VERSION
             : CUDA_ERROR_INVALID_PTX;
}

CUresult loadParsed(Driver &driver, std::unique_ptr<ptx::Module> parsed,
                    const std::shared_ptr<Context> &context,
                    std::shared_ptr<Module> &module, std::string &log) {
  std::vector<ptx::Diagnostic> diagnostics;
  std::string name = parsed->name;
  auto result = std::make_shared<Module>();
  result->context = context;
  result->ptxVersion =
      static_cast<int>(parsed->versionMajor * 10 + parsed->versionMinor);
  result->loaded =
      driver.engine().load(std::move(parsed), context->id, diagnostics);
  if (!result->loaded) {
    log = describe(diagnostics, name);
    return CUDA_ERROR_INVALID_PTX;
  }
  driver.modules.insert(result);
  module = std::move(result);
  return CUDA_SUCCESS;
}

/// Returns the settings of `kernel` in the library of `module`; fresh ones if
/// it is none of a library.
static std::shared_ptr<FunctionSettings> settingsOf(const Module &module,
                                                    const Kernel &kernel) {
  if (std::shared_ptr<Library> library = module.library.lock())
    for (const std::shared_ptr<LibraryKernel> &entry : library->kernels)
      if (entry->name == nameOf(kernel))
        return entry->settings;
  return std::make_shared<FunctionSettings>();
}

std::shared_ptr<Function> functionOf(Driver &driver,
                                     const std::shared_ptr<Module> &module,
                                     const Kernel &kernel) {
  std::shared_ptr<Function> &function = module->functions[&kernel];
  if (!function) {
    function = std::make_shared<Function>();
    function->module = module;
    function->kernel = &kernel;
    function->settings = settingsOf(*module, kernel);
    driver.functions.insert(function);
  }
  return function;
}

void unloadModule(Call &call, const std::shared_ptr<Module> &module) {
  // What is queued may still use it.
  call.scheduler().waitForContext(call.lock, *module->context);
  for (const auto &entry : module->functions)
    call.driver.functions.erase(entry.second->handle);
  call.driver.modules.erase(module->handle);
}

CUresult findFunction(Call &call, CUfunction handle,
                      std::shared_ptr<Function> &function) {
  function = call.driver.functions.find(handle);
  if (!function) {
    std::shared_ptr<LibraryKernel> kernel =
        call.driver.kernels.find(reinterpret_cast<CUkernel>(handle));
    return kernel
               ? functionInContext(call.driver, *kernel, call.context, function)
               : CUDA_ERROR_INVALID_HANDLE;
  }
  std::shared_ptr<Module> module = function->module.lock();
  return module && module->context == call.context ? CUDA_SUCCESS
                                                   : CUDA_ERROR_INVALID_HANDLE;
}

/// Loads the text of `image` for a call of the name `caller`.
static CUresult loadImage(Call &call, const std::string &caller,
                          CUmodule *result, ImageText image,
                          const std::string &name, JitOptions &options) {
  std::string log = image.message;
  std::shared_ptr<Module> module;
  CUresult loaded = image.result;
  std::unique_ptr<ptx::Module> parsed;
  if (loaded == CUDA_SUCCESS)
    loaded = parseText(std::move(image.text), name, log, parsed);
  if (loaded == CUDA_SUCCESS)
    loaded =
        loadParsed(call.driver, std::move(parsed), call.context, module, log);
  options.finish(log);
  if (loaded == CUDA_SUCCESS)
    *result = module->handle;
  else
    call.driver.complain(caller + ": " + log);
  return loaded;
}

PTXSIM_API cuModuleLoadDataEx(CUmodule *result, const void *image,
                              unsigned optionCount, CUjit_option *options,
                              void **values) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || !image)
      return CUDA_ERROR_INVALID_VALUE;
    JitOptions jit;
    CUresult read = jit.read(optionCount, options, values);
    if (read != CUDA_SUCCESS)
      return read;
    return loadImage(call, "cuModuleLoadDataEx", result, readImage(image),
                     "<memory>", jit);
  });
}

static CUresult loadData(const char *caller, CUmodule *result,
                         const void *image) {
  return withContext(caller, [&](Call &call) -> CUresult {
    if (!result || !image)
      return CUDA_ERROR_INVALID_VALUE;
    JitOptions none;
    return loadImage(call, caller, result, readImage(image), "<memory>", none);
  });
}

PTXSIM_API cuModuleLoadData(CUmodule *result, const void *image) {
  return loadData("cuModuleLoadData", result, image);
}

PTXSIM_API cuModuleLoadFatBinary(CUmodule *result, const void *image) {
  return loadData("cuModuleLoadFatBinary", result, image);
}

PTXSIM_API cuModuleLoad(CUmodule *result, const char *path) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || !path)
      return CUDA_ERROR_INVALID_VALUE;
    std::string bytes;
    if (!readFile(path, bytes))
      return CUDA_ERROR_FILE_NOT_FOUND;
    JitOptions none;
    return loadImage(call, "cuModuleLoad", result,
                     readImage(bytes.data(), bytes.size()), path, none);
  });
}

PTXSIM_API cuModuleUnload(CUmodule handle) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Module> module = call.driver.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    unloadModule(call, module);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuModuleGetFunction(CUfunction *result, CUmodule handle,
                               const char *name) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || !name)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Module> module = call.driver.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    const Kernel *kernel = module->loaded->findKernel(name);
    if (!kernel)
      return CUDA_ERROR_NOT_FOUND;
    *result = functionOf(call.driver, module, *kernel)->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes,
                                CUmodule handle, const char *name) {
  return withContext([&](Call &call) -> CUresult {
    if (!name)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Module> module = call.driver.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    ModuleVariable variable;
    if (!module->loaded->findVariable(name, variable))
      return CUDA_ERROR_NOT_FOUND;
    if (address)
      *address = variable.address;
    if (bytes)
      *bytes = variable.bytes;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuModuleGetLoadingMode(CUmoduleLoadingMode *result) {
  return withDriver([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = CU_MODULE_LAZY_LOADING;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuModuleGetFunctionCount(unsigned *result, CUmodule handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Module> module = call.driver.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    *result = static_cast<unsigned>(module->loaded->kernels().size());
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuModuleEnumerateFunctions(CUfunction *result, unsigned count,
                                      CUmodule handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || count == 0)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Module> module = call.driver.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    std::vector<const Kernel *> kernels = module->loaded->kernels();
    for (size_t i = 0; i < std::min<size_t>(count, kernels.size()); ++i)
      result[i] = functionOf(call.driver, module, *kernels[i])->handle;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
