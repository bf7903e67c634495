// Contexts, current and primary.

#include "tools/ptxsim/driver/Context.h"

#include "tools/ptxsim/driver/Report.h"
#include "tools/ptxsim/driver/Stream.h"

namespace ptxsim::driver {

std::shared_ptr<Context> createContext(Driver &driver, unsigned flags,
                                       unsigned version) {
  auto context = std::make_shared<Context>();
  context->id = driver.nextContextId++;
  context->flags = flags;
  context->version = version;
  driver.contexts.insert(context);
  context->legacy = std::make_shared<Stream>();
  context->legacy->context = context;
  context->legacy->id = driver.nextStreamId++;
  context->legacy->isLegacy = true;
  return context;
}

/// Removes the objects of `table` that belong to `context`.
template <typename Table>
static void eraseOwned(Table &table, const std::shared_ptr<Context> &context) {
  for (const auto &object : table.all())
    if (object->context == context)
      table.erase(object->handle);
}

void destroyContext(Call &call, const std::shared_ptr<Context> &context) {
  Driver &driver = call.driver;
  call.scheduler().waitForContext(call.lock, *context);
  if (context->isDestroyed) // By another thread, while this one waited.
    return;
  context->isDestroyed = true;
  for (const std::shared_ptr<Module> &module : driver.modules.all())
    if (module->context == context)
      for (const auto &entry : module->functions)
        driver.functions.erase(entry.second->handle);
  for (const std::shared_ptr<Library> &library : driver.libraries.all())
    library->modules.erase(context->id);
  eraseOwned(driver.modules, context);
  eraseOwned(driver.streams, context);
  eraseOwned(driver.events, context);
  driver.memory().freeAll(context->id);
  driver.contexts.erase(context->handle);
  // The streams hold the context, too.
  context->legacy.reset();
  context->perThread.clear();
  context->blocking.clear();
  writeReport(driver);
}

std::shared_ptr<Context> activatePrimary(Driver &driver) {
  if (!driver.primary) {
    driver.primary = createContext(driver, driver.primaryFlags, driverVersion);
    driver.primary->isPrimary = true;
  }
  return driver.primary;
}

static CUresult create(CUcontext *result, unsigned flags, CUdevice device,
                       unsigned version,
                       const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!result || (flags & ~CU_CTX_FLAGS_MASK) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    std::shared_ptr<Context> context =
        createContext(call.driver, flags, version);
    if (!contextStack().push(context->handle))
      return CUDA_ERROR_OUT_OF_MEMORY;
    *result = context->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxCreate_v2(CUcontext *result, unsigned flags, CUdevice device) {
  return create(result, flags, device, 3020);
}

PTXSIM_API cuCtxCreate_v3(CUcontext *result, void *, int affinities,
                          unsigned flags, CUdevice device) {
  if (affinities != 0)
    return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
  return create(result, flags, device, 11040);
}

PTXSIM_API cuCtxCreate_v4(CUcontext *result, CUctxCreateParams *parameters,
                          unsigned flags, CUdevice device) {
  if (parameters && !isReadable(parameters))
    return CUDA_ERROR_INVALID_VALUE;
  if (parameters && parameters->numExecAffinityParams != 0)
    return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
  if (parameters && parameters->cigParams)
    return CUDA_ERROR_NOT_SUPPORTED;
  return create(result, flags, device, 12050);
}

static CUresult destroy(CUcontext handle,
                        const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Context> context = call.driver.contexts.find(handle);
    if (!context)
      return handle ? CUDA_ERROR_INVALID_CONTEXT : CUDA_ERROR_INVALID_VALUE;
    if (context->isPrimary)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (contextStack().top() == handle)
      contextStack().pop();
    destroyContext(call, context);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxDestroy(CUcontext handle) { return destroy(handle); }
PTXSIM_API cuCtxDestroy_v2(CUcontext handle) { return destroy(handle); }

static CUresult push(CUcontext handle,
                     const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!call.driver.contexts.find(handle))
      return CUDA_ERROR_INVALID_CONTEXT;
    return contextStack().push(handle) ? CUDA_SUCCESS
                                       : CUDA_ERROR_OUT_OF_MEMORY;
  });
}

PTXSIM_API cuCtxPushCurrent(CUcontext handle) { return push(handle); }
PTXSIM_API cuCtxPushCurrent_v2(CUcontext handle) { return push(handle); }

static CUresult pop(CUcontext *result,
                    const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &) -> CUresult {
    if (contextStack().depth == 0)
      return CUDA_ERROR_INVALID_CONTEXT;
    CUcontext handle = contextStack().pop();
    if (result)
      *result = handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxPopCurrent(CUcontext *result) { return pop(result); }
PTXSIM_API cuCtxPopCurrent_v2(CUcontext *result) { return pop(result); }

PTXSIM_API cuCtxSetCurrent(CUcontext handle) {
  return withDriver([&](Call &call) -> CUresult {
    if (handle && !call.driver.contexts.find(handle))
      return call.driver.contexts.wasDestroyed(handle)
                 ? CUDA_ERROR_CONTEXT_IS_DESTROYED
                 : CUDA_ERROR_INVALID_CONTEXT;
    contextStack().set(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetCurrent(CUcontext *result) {
  return withDriver([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = contextStack().top();
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDevicePrimaryCtxRetain(CUcontext *result, CUdevice device) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *result = activatePrimary(call.driver)->handle;
    ++call.driver.primaryUsers;
    return CUDA_SUCCESS;
  });
}

/// Ends the primary context, whoever still uses it.
static void resetPrimary(Call &call) {
  if (std::shared_ptr<Context> context = std::move(call.driver.primary)) {
    call.driver.primary = nullptr;
    destroyContext(call, context);
  }
}

static CUresult releasePrimary(CUdevice device,
                               const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if (call.driver.primaryUsers == 0)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (--call.driver.primaryUsers == 0)
      resetPrimary(call);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDevicePrimaryCtxRelease(CUdevice device) {
  return releasePrimary(device);
}
PTXSIM_API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return releasePrimary(device);
}

static CUresult reset(CUdevice device,
                      const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    resetPrimary(call);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDevicePrimaryCtxReset(CUdevice device) { return reset(device); }
PTXSIM_API cuDevicePrimaryCtxReset_v2(CUdevice device) { return reset(device); }

PTXSIM_API cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags,
                                      int *active) {
  return withDriver([&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if (!flags || !active)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = call.driver.primaryFlags;
    *active = call.driver.primary != nullptr;
    return CUDA_SUCCESS;
  });
}

static CUresult setFlags(CUdevice device, unsigned flags,
                         const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if ((flags & ~CU_CTX_FLAGS_MASK) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    call.driver.primaryFlags = flags;
    if (call.driver.primary)
      call.driver.primary->flags = flags;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) {
  return setFlags(device, flags);
}
PTXSIM_API cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  return setFlags(device, flags);
}

} // namespace ptxsim::driver
