// The one device: an H100 SXM5 with 80 GB.

#include "tools/ptxsim/driver/Context.h"

#include <cctype>
#include <cstdio>
#include <cstring>

namespace ptxsim::driver {

/// An attribute of the device.
struct DeviceAttribute {
  int number;
  int value;
};

static constexpr DeviceAttribute deviceAttributes[] = {
#define PTXSIM_ATTRIBUTE(NAME, NUMBER, VALUE) {NUMBER, VALUE},
#include "tools/ptxsim/driver/DeviceAttributes.def"
#undef PTXSIM_ATTRIBUTE
};

static constexpr char deviceName[] = "NVIDIA H100 80GB HBM3";
static constexpr char deviceUuid[17] = "ptxsim-H100-SXM5";
static constexpr char pciBusId[] = "0000:1B:00.0";

/// Runs `body` for a call that names the device.
template <typename Body>
static CUresult withDevice(CUdevice device, bool hasResult, Body body,
                           const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!hasResult)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    return body(call);
  });
}

/// Copies `text` with its end, shortened to what fits.
static void copyText(char *result, int length, const char *text) {
  std::snprintf(result, static_cast<size_t>(length), "%s", text);
}

PTXSIM_API cuDeviceGet(CUdevice *result, int ordinal) {
  return withDevice(ordinal, result, [&](Call &) -> CUresult {
    *result = 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetCount(int *result) {
  return withDevice(0, result, [&](Call &) -> CUresult {
    *result = 1;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetName(char *result, int length, CUdevice device) {
  return withDevice(device, result && length > 0, [&](Call &) -> CUresult {
    copyText(result, length, deviceName);
    return CUDA_SUCCESS;
  });
}

static CUresult getUuid(CUuuid *result, CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    std::memcpy(result->bytes, deviceUuid, sizeof(result->bytes));
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetUuid(CUuuid *result, CUdevice device) {
  return getUuid(result, device);
}

PTXSIM_API cuDeviceGetUuid_v2(CUuuid *result, CUdevice device) {
  return getUuid(result, device);
}

PTXSIM_API cuDeviceTotalMem_v2(size_t *result, CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    *result = Memory::capacity;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetAttribute(int *result, int attribute, CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    for (const DeviceAttribute &entry : deviceAttributes)
      if (entry.number == attribute) {
        *result = entry.value;
        return CUDA_SUCCESS;
      }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuDeviceComputeCapability(int *major, int *minor, CUdevice device) {
  return withDevice(device, major && minor, [&](Call &) -> CUresult {
    *major = 9;
    *minor = 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetProperties(CUdevprop *result, CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    *result = {1024,
               {1024, 1024, 64},
               {0x7fffffff, 65535, 65535},
               49152,
               65536,
               32,
               0x7fffffff,
               65536,
               1980000,
               512};
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetPCIBusId(char *result, int length, CUdevice device) {
  return withDevice(device, result && length > 0, [&](Call &) -> CUresult {
    copyText(result, length, pciBusId);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetByPCIBusId(CUdevice *result, const char *text) {
  return withDevice(0, result && text, [&](Call &) -> CUresult {
    // The domain and the function may be left out.
    unsigned domain = 0, bus = 0, slot = 0, function = 0;
    if (std::sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) < 3) {
      domain = function = 0;
      if (std::sscanf(text, "%x:%x.%x", &bus, &slot, &function) < 2)
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (domain != 0 || bus != 0x1b || slot != 0 || function != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *result = 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceCanAccessPeer(int *result, CUdevice device, CUdevice peer) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    *result = 0;
    return peer == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
  });
}

PTXSIM_API cuDeviceGetP2PAttribute(int *result, uint32_t, CUdevice device,
                                   CUdevice) {
  // The two devices must be different, and there is one.
  return withDevice(device, result, [](Call &) -> CUresult {
    return CUDA_ERROR_INVALID_DEVICE;
  });
}

PTXSIM_API cuDeviceGetExecAffinitySupport(int *result, uint32_t,
                                          CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    *result = 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetTexture1DLinearMaxWidth(size_t *result, uint32_t,
                                              unsigned, CUdevice device) {
  return withDevice(device, result, [&](Call &) -> CUresult {
    *result = 268435456;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
