// Modules.

#include "tools/ptxsim/driver/Module.h"

#include <cstring>

namespace ptxsim {

ImageText readImage(const void *image) {
  ImageText result;
  if (std::memcmp(image, "\177ELF", 4) == 0) {
    result.result = CUDA_ERROR_NO_BINARY_FOR_GPU;
    result.message = "expected PTX text, got a cubin, which holds instructions "
                     "of the hardware and not PTX; load the PTX text that it "
                     "was made from";
    return result;
  }
  result.text = static_cast<const char *>(image);
  return result;
}

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

CUresult loadModule(Call &call, std::string text, const std::string &name,
                    std::shared_ptr<Module> &module, std::string &log) {
  std::vector<ptx::Diagnostic> diagnostics;
  std::unique_ptr<ptx::Module> parsed =
      ptx::parse(std::move(text), name, diagnostics);
  auto result = std::make_shared<Module>();
  if (parsed) {
    result->ptxVersion =
        static_cast<int>(parsed->versionMajor * 10 + parsed->versionMinor);
    result->loaded = call.driver.engine().load(
        std::move(parsed), call.context->id, diagnostics);
  }
  if (!result->loaded) {
    log = describe(diagnostics, name);
    return CUDA_ERROR_INVALID_PTX;
  }
  result->context = call.context;
  call.driver.modules.insert(result);
  module = std::move(result);
  return CUDA_SUCCESS;
}

std::shared_ptr<Function> functionOf(Driver &driver,
                                     const std::shared_ptr<Module> &module,
                                     const Kernel &kernel) {
  std::shared_ptr<Function> &function = module->functions[&kernel];
  if (!function) {
    function = std::make_shared<Function>();
    function->module = module;
    function->kernel = &kernel;
    driver.functions.insert(function);
  }
  return function;
}

void unloadModule(Call &call, const std::shared_ptr<Module> &module) {
  call.scheduler().waitForContext(call.lock, *module->context);
  for (const auto &entry : module->functions)
    call.driver.functions.erase(entry.second->handle);
  call.driver.modules.erase(module->handle);
}

CUresult findFunction(Call &call, CUfunction handle,
                      std::shared_ptr<Function> &function) {
  function = call.driver.functions.find(handle);
  if (!function)
    return CUDA_ERROR_INVALID_HANDLE;
  std::shared_ptr<Module> module = function->module.lock();
  return module && module->context == call.context ? CUDA_SUCCESS
                                                   : CUDA_ERROR_INVALID_HANDLE;
}

PTXSIM_API cuModuleLoadData(CUmodule *result, const void *image) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || !image)
      return CUDA_ERROR_INVALID_VALUE;
    ImageText text = readImage(image);
    if (text.result != CUDA_SUCCESS) {
      call.driver.complain("cuModuleLoadData: " + text.message);
      return text.result;
    }
    std::shared_ptr<Module> module;
    std::string log;
    CUresult loaded =
        loadModule(call, std::move(text.text), "<memory>", module, log);
    if (loaded == CUDA_SUCCESS)
      *result = module->handle;
    else
      call.driver.complain("cuModuleLoadData:\n" + log);
    return loaded;
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

} // namespace ptxsim
