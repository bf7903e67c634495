// cudaDeviceProp, filled from the attributes of the device.

#include "tools/ptxsim/cudart/Runtime.h"

#include <cstring>

namespace ptxsim::cudart {

/// Numbers of attributes by their names.
enum Attribute : int {
#define PTXSIM_ATTRIBUTE(NAME, NUMBER, VALUE) NAME = NUMBER,
#include "tools/ptxsim/driver/DeviceAttributes.def"
#undef PTXSIM_ATTRIBUTE
};

/// Reads attributes and remembers whether one could not be read.
class AttributeReader {
public:
  int operator()(Attribute attribute) {
    int value = 0;
    if (code == cudaSuccess)
      code = cuDeviceGetAttribute(&value, attribute, 0);
    return value;
  }
  size_t bytes(Attribute attribute) {
    return static_cast<size_t>((*this)(attribute));
  }

  Code code = cudaSuccess;
};

static void fillLimits(AttributeReader &get, cudaDeviceProp &result) {
  result.sharedMemPerBlock = get.bytes(MAX_SHARED_MEMORY_PER_BLOCK);
  result.regsPerBlock = get(MAX_REGISTERS_PER_BLOCK);
  result.warpSize = get(WARP_SIZE);
  result.memPitch = get.bytes(MAX_PITCH);
  result.maxThreadsPerBlock = get(MAX_THREADS_PER_BLOCK);
  result.maxThreadsDim[0] = get(MAX_BLOCK_DIM_X);
  result.maxThreadsDim[1] = get(MAX_BLOCK_DIM_Y);
  result.maxThreadsDim[2] = get(MAX_BLOCK_DIM_Z);
  result.maxGridSize[0] = get(MAX_GRID_DIM_X);
  result.maxGridSize[1] = get(MAX_GRID_DIM_Y);
  result.maxGridSize[2] = get(MAX_GRID_DIM_Z);
  result.totalConstMem = get.bytes(TOTAL_CONSTANT_MEMORY);
  result.major = get(COMPUTE_CAPABILITY_MAJOR);
  result.minor = get(COMPUTE_CAPABILITY_MINOR);
  result.multiProcessorCount = get(MULTIPROCESSOR_COUNT);
  result.maxThreadsPerMultiProcessor = get(MAX_THREADS_PER_MULTIPROCESSOR);
  result.sharedMemPerMultiprocessor =
      get.bytes(MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  result.regsPerMultiprocessor = get(MAX_REGISTERS_PER_MULTIPROCESSOR);
  result.sharedMemPerBlockOptin = get.bytes(MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  result.maxBlocksPerMultiProcessor = get(MAX_BLOCKS_PER_MULTIPROCESSOR);
  result.reservedSharedMemPerBlock =
      get.bytes(RESERVED_SHARED_MEMORY_PER_BLOCK);
  result.memoryBusWidth = get(GLOBAL_MEMORY_BUS_WIDTH);
  result.l2CacheSize = get(L2_CACHE_SIZE);
  result.persistingL2CacheMaxSize = get(MAX_PERSISTING_L2_CACHE_SIZE);
  result.accessPolicyMaxWindowSize = get(MAX_ACCESS_POLICY_WINDOW_SIZE);
}

static void fillTextures(AttributeReader &get, cudaDeviceProp &result) {
  result.textureAlignment = get.bytes(TEXTURE_ALIGNMENT);
  result.texturePitchAlignment = get.bytes(TEXTURE_PITCH_ALIGNMENT);
  result.surfaceAlignment = get.bytes(SURFACE_ALIGNMENT);
  result.maxTexture1D = get(MAXIMUM_TEXTURE1D_WIDTH);
  result.maxTexture1DMipmap = get(MAXIMUM_TEXTURE1D_MIPMAPPED_WIDTH);
  result.maxTexture2D[0] = get(MAXIMUM_TEXTURE2D_WIDTH);
  result.maxTexture2D[1] = get(MAXIMUM_TEXTURE2D_HEIGHT);
  result.maxTexture2DMipmap[0] = get(MAXIMUM_TEXTURE2D_MIPMAPPED_WIDTH);
  result.maxTexture2DMipmap[1] = get(MAXIMUM_TEXTURE2D_MIPMAPPED_HEIGHT);
  result.maxTexture2DLinear[0] = get(MAXIMUM_TEXTURE2D_LINEAR_WIDTH);
  result.maxTexture2DLinear[1] = get(MAXIMUM_TEXTURE2D_LINEAR_HEIGHT);
  result.maxTexture2DLinear[2] = get(MAXIMUM_TEXTURE2D_LINEAR_PITCH);
  result.maxTexture2DGather[0] = get(MAXIMUM_TEXTURE2D_GATHER_WIDTH);
  result.maxTexture2DGather[1] = get(MAXIMUM_TEXTURE2D_GATHER_HEIGHT);
  result.maxTexture3D[0] = get(MAXIMUM_TEXTURE3D_WIDTH);
  result.maxTexture3D[1] = get(MAXIMUM_TEXTURE3D_HEIGHT);
  result.maxTexture3D[2] = get(MAXIMUM_TEXTURE3D_DEPTH);
  result.maxTexture3DAlt[0] = get(MAXIMUM_TEXTURE3D_WIDTH_ALTERNATE);
  result.maxTexture3DAlt[1] = get(MAXIMUM_TEXTURE3D_HEIGHT_ALTERNATE);
  result.maxTexture3DAlt[2] = get(MAXIMUM_TEXTURE3D_DEPTH_ALTERNATE);
  result.maxTextureCubemap = get(MAXIMUM_TEXTURECUBEMAP_WIDTH);
  result.maxTexture1DLayered[0] = get(MAXIMUM_TEXTURE1D_LAYERED_WIDTH);
  result.maxTexture1DLayered[1] = get(MAXIMUM_TEXTURE1D_LAYERED_LAYERS);
  result.maxTexture2DLayered[0] = get(MAXIMUM_TEXTURE2D_LAYERED_WIDTH);
  result.maxTexture2DLayered[1] = get(MAXIMUM_TEXTURE2D_LAYERED_HEIGHT);
  result.maxTexture2DLayered[2] = get(MAXIMUM_TEXTURE2D_LAYERED_LAYERS);
  result.maxTextureCubemapLayered[0] =
      get(MAXIMUM_TEXTURECUBEMAP_LAYERED_WIDTH);
  result.maxTextureCubemapLayered[1] =
      get(MAXIMUM_TEXTURECUBEMAP_LAYERED_LAYERS);
}

static void fillSurfaces(AttributeReader &get, cudaDeviceProp &result) {
  result.maxSurface1D = get(MAXIMUM_SURFACE1D_WIDTH);
  result.maxSurface2D[0] = get(MAXIMUM_SURFACE2D_WIDTH);
  result.maxSurface2D[1] = get(MAXIMUM_SURFACE2D_HEIGHT);
  result.maxSurface3D[0] = get(MAXIMUM_SURFACE3D_WIDTH);
  result.maxSurface3D[1] = get(MAXIMUM_SURFACE3D_HEIGHT);
  result.maxSurface3D[2] = get(MAXIMUM_SURFACE3D_DEPTH);
  result.maxSurface1DLayered[0] = get(MAXIMUM_SURFACE1D_LAYERED_WIDTH);
  result.maxSurface1DLayered[1] = get(MAXIMUM_SURFACE1D_LAYERED_LAYERS);
  result.maxSurface2DLayered[0] = get(MAXIMUM_SURFACE2D_LAYERED_WIDTH);
  result.maxSurface2DLayered[1] = get(MAXIMUM_SURFACE2D_LAYERED_HEIGHT);
  result.maxSurface2DLayered[2] = get(MAXIMUM_SURFACE2D_LAYERED_LAYERS);
  result.maxSurfaceCubemap = get(MAXIMUM_SURFACECUBEMAP_WIDTH);
  result.maxSurfaceCubemapLayered[0] =
      get(MAXIMUM_SURFACECUBEMAP_LAYERED_WIDTH);
  result.maxSurfaceCubemapLayered[1] =
      get(MAXIMUM_SURFACECUBEMAP_LAYERED_LAYERS);
}

static void fillAbilities(AttributeReader &get, cudaDeviceProp &result) {
  result.integrated = get(INTEGRATED);
  result.canMapHostMemory = get(CAN_MAP_HOST_MEMORY);
  result.concurrentKernels = get(CONCURRENT_KERNELS);
  result.ECCEnabled = get(ECC_ENABLED);
  result.pciBusID = get(PCI_BUS_ID);
  result.pciDeviceID = get(PCI_DEVICE_ID);
  result.pciDomainID = get(PCI_DOMAIN_ID);
  result.tccDriver = get(TCC_DRIVER);
  result.asyncEngineCount = get(ASYNC_ENGINE_COUNT);
  result.unifiedAddressing = get(UNIFIED_ADDRESSING);
  result.streamPrioritiesSupported = get(STREAM_PRIORITIES_SUPPORTED);
  result.globalL1CacheSupported = get(GLOBAL_L1_CACHE_SUPPORTED);
  result.localL1CacheSupported = get(LOCAL_L1_CACHE_SUPPORTED);
  result.managedMemory = get(MANAGED_MEMORY);
  result.isMultiGpuBoard = get(MULTI_GPU_BOARD);
  result.multiGpuBoardGroupID = get(MULTI_GPU_BOARD_GROUP_ID);
  result.hostNativeAtomicSupported = get(HOST_NATIVE_ATOMIC_SUPPORTED);
  result.pageableMemoryAccess = get(PAGEABLE_MEMORY_ACCESS);
  result.concurrentManagedAccess = get(CONCURRENT_MANAGED_ACCESS);
  result.computePreemptionSupported = get(COMPUTE_PREEMPTION_SUPPORTED);
  result.canUseHostPointerForRegisteredMem =
      get(CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM);
  result.cooperativeLaunch = get(COOPERATIVE_LAUNCH);
  result.hostRegisterSupported = get(HOST_REGISTER_SUPPORTED);
  result.memoryPoolsSupported = get(MEMORY_POOLS_SUPPORTED);
  result.clusterLaunch = get(CLUSTER_LAUNCH);
  result.deviceNumaId = get(NUMA_ID);
  result.hostNumaId = get(HOST_NUMA_ID);
  result.gpuPciDeviceID = static_cast<unsigned>(get(GPU_PCI_DEVICE_ID));
  result.gpuPciSubsystemID = static_cast<unsigned>(get(GPU_PCI_SUBSYSTEM_ID));
}

CUDART_API cudaGetDeviceProperties(cudaDeviceProp *result, int device) {
  return callDriver([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    if (device != 0)
      return cudaErrorInvalidDevice;
    // Everything that is not set here is 0: the device has no such ability.
    std::memset(result, 0, sizeof(*result));
    AttributeReader get;
    fillLimits(get, *result);
    fillTextures(get, *result);
    fillSurfaces(get, *result);
    fillAbilities(get, *result);
    Code code = get.code;
    if (code == cudaSuccess)
      code = cuDeviceGetName(result->name, sizeof(result->name), 0);
    if (code == cudaSuccess)
      code = cuDeviceGetUuid_v2(&result->uuid, 0);
    if (code == cudaSuccess)
      code = cuDeviceTotalMem_v2(&result->totalGlobalMem, 0);
    return code;
  });
}

CUDART_API cudaChooseDevice(int *result, const cudaDeviceProp *properties) {
  return callDriver([&]() -> Code {
    if (!result || !properties)
      return cudaErrorInvalidValue;
    *result = 0;
    return cudaSuccess;
  });
}

} // namespace ptxsim::cudart
