// How many blocks and clusters run at once.

#include "tools/ptxsim/driver/LaunchEx.h"
#include "tools/ptxsim/driver/Module.h"

#include <algorithm>

namespace ptxsim::driver {

/// Multiprocessors of each of the groups within which a cluster must fit.
static constexpr uint32_t groupSizes[] = {16, 16, 16, 16, 16, 16, 18, 18};

/// Gets what occupancy depends on.
static CUresult getKernel(CUfunction handle, KernelAttributes &attributes,
                          FunctionSettings &settings,
                          const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    attributes = attributesOf(*function->kernel);
    settings = *function->settings;
    return CUDA_SUCCESS;
  });
}

/// Returns the blocks of one multiprocessor; 0 for what cannot be launched.
static uint32_t activeBlocks(const KernelAttributes &attributes,
                             uint64_t threads, uint64_t dynamicBytes) {
  uint64_t sharedBytes = attributes.sharedBytes + dynamicBytes;
  if (threads == 0 || threads > attributes.maxThreads ||
      threads > h100::threadsPerBlock ||
      sharedBytes > h100::sharedBytesPerBlockOptIn)
    return 0;
  return blocksPerMultiprocessor(attributes, static_cast<uint32_t>(threads),
                                 sharedBytes);
}

static CUresult maxActiveBlocks(int *result, CUfunction handle, int threads,
                                size_t dynamicBytes, unsigned flags,
                                const char *name = __builtin_FUNCTION()) {
  if (!result || threads <= 0 || flags > 1)
    return CUDA_ERROR_INVALID_VALUE;
  KernelAttributes attributes;
  FunctionSettings settings;
  CUresult found = getKernel(handle, attributes, settings);
  if (found != CUDA_SUCCESS)
    return found;
  return giveResult(
      result,
      static_cast<int>(activeBlocks(attributes, static_cast<uint64_t>(threads),
                                    dynamicBytes)),
      name);
}

PTXSIM_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *result,
                                                       CUfunction function,
                                                       int threads,
                                                       size_t dynamicBytes) {
  return maxActiveBlocks(result, function, threads, dynamicBytes, 0);
}

PTXSIM_API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *result, CUfunction function, int threads, size_t dynamicBytes,
    unsigned flags) {
  return maxActiveBlocks(result, function, threads, dynamicBytes, flags);
}

static CUresult maxPotentialBlock(int *gridResult, int *blockResult,
                                  CUfunction handle, CUoccupancyB2DSize toBytes,
                                  size_t dynamicBytes, int limit,
                                  unsigned flags,
                                  const char *name = __builtin_FUNCTION()) {
  if (!gridResult || !blockResult || limit < 0 || flags > 1)
    return CUDA_ERROR_INVALID_VALUE;
  KernelAttributes attributes;
  FunctionSettings settings;
  CUresult found = getKernel(handle, attributes, settings);
  if (found != CUDA_SUCCESS)
    return found;
  int largest =
      static_cast<int>(std::min(attributes.maxThreads, h100::threadsPerBlock));
  if (limit != 0)
    largest = std::min(largest, limit);
  // Whole warps, from the largest down; the first of the best wins. The
  // function of the caller runs here, with the driver unlocked.
  uint64_t best = 0;
  int bestGrid = 0, bestBlock = 0;
  for (int threads = (largest + 31) / 32 * 32; threads > 0; threads -= 32) {
    int block = std::min(threads, largest);
    uint64_t blocks = activeBlocks(attributes, static_cast<uint64_t>(block),
                                   toBytes ? toBytes(block) : dynamicBytes);
    if (blocks * static_cast<uint64_t>(block) <= best)
      continue;
    best = blocks * static_cast<uint64_t>(block);
    bestBlock = block;
    bestGrid = static_cast<int>(blocks * h100::multiprocessors);
  }
  CUresult given = giveResult(blockResult, bestBlock, name);
  return given == CUDA_SUCCESS ? giveResult(gridResult, bestGrid, name) : given;
}

PTXSIM_API cuOccupancyMaxPotentialBlockSize(int *grid, int *block,
                                            CUfunction function,
                                            CUoccupancyB2DSize toBytes,
                                            size_t dynamicBytes, int limit) {
  return maxPotentialBlock(grid, block, function, toBytes, dynamicBytes, limit,
                           0);
}

PTXSIM_API cuOccupancyMaxPotentialBlockSizeWithFlags(
    int *grid, int *block, CUfunction function, CUoccupancyB2DSize toBytes,
    size_t dynamicBytes, int limit, unsigned flags) {
  return maxPotentialBlock(grid, block, function, toBytes, dynamicBytes, limit,
                           flags);
}

PTXSIM_API cuOccupancyAvailableDynamicSMemPerBlock(size_t *result,
                                                   CUfunction handle,
                                                   int blocks, int threads) {
  if (!result || blocks <= 0 || threads <= 0)
    return CUDA_ERROR_INVALID_VALUE;
  KernelAttributes attributes;
  FunctionSettings settings;
  CUresult found = getKernel(handle, attributes, settings);
  if (found != CUDA_SUCCESS)
    return found;
  if (activeBlocks(attributes, static_cast<uint64_t>(threads), 0) <
      static_cast<uint32_t>(blocks))
    return CUDA_ERROR_INVALID_VALUE;
  // Shared memory is given out in units of 128 bytes.
  uint64_t each = h100::sharedBytesPerMultiprocessor /
                  static_cast<uint64_t>(blocks) / 128 * 128;
  uint64_t taken = attributes.sharedBytes + h100::reservedSharedBytesPerBlock;
  uint64_t most = h100::sharedBytesPerBlockOptIn - attributes.sharedBytes;
  return giveResult<size_t>(result,
                            each < taken ? 0 : std::min(each - taken, most));
}

/// What a launch with a cluster looks like to occupancy.
struct ClusterQuery {
  KernelAttributes attributes;
  FunctionSettings settings;
  uint64_t clusterSize = 1;
  uint64_t blocks = 0; ///< Of one multiprocessor.
};

static CUresult readConfig(const char *name, CUfunction handle,
                           const CUlaunchConfig *config, ClusterQuery &query) {
  if (!isReadable(config, name))
    return CUDA_ERROR_INVALID_VALUE;
  CUresult found = getKernel(handle, query.attributes, query.settings);
  if (found != CUDA_SUCCESS)
    return found;
  LaunchRequest request;
  found = withDriver(name, [&](Call &call) {
    return applyAttributes(call.driver, name, *config, request);
  });
  if (found != CUDA_SUCCESS)
    return found;
  const uint32_t *fixed = query.attributes.requiredCluster[0] != 0
                              ? query.attributes.requiredCluster
                              : query.settings.cluster;
  std::array<uint32_t, 3> cluster = {
      std::max(fixed[0], 1u), std::max(fixed[1], 1u), std::max(fixed[2], 1u)};
  if (request.cluster)
    cluster = *request.cluster;
  query.clusterSize = uint64_t(cluster[0]) * cluster[1] * cluster[2];
  uint64_t threads =
      uint64_t(config->blockDimX) * config->blockDimY * config->blockDimZ;
  query.blocks =
      activeBlocks(query.attributes, threads, config->sharedMemBytes);
  return CUDA_SUCCESS;
}

static uint32_t largestCluster(const FunctionSettings &settings) {
  return settings.nonPortableCluster ? h100::maxClusterSize
                                     : h100::portableClusterSize;
}

PTXSIM_API cuOccupancyMaxPotentialClusterSize(int *result, CUfunction function,
                                              const CUlaunchConfig *config) {
  if (!result)
    return CUDA_ERROR_INVALID_VALUE;
  ClusterQuery query;
  CUresult found = readConfig(__func__, function, config, query);
  if (found != CUDA_SUCCESS)
    return found;
  uint64_t most = largestCluster(query.settings);
  if (query.attributes.maxClusterRank != 0)
    most = std::min<uint64_t>(most, query.attributes.maxClusterRank);
  if (query.blocks == 0)
    return CUDA_ERROR_INVALID_VALUE;
  return giveResult(result, static_cast<int>(std::min<uint64_t>(
                                most, query.blocks * groupSizes[0])));
}

PTXSIM_API cuOccupancyMaxActiveClusters(int *result, CUfunction function,
                                        const CUlaunchConfig *config) {
  if (!result)
    return CUDA_ERROR_INVALID_VALUE;
  ClusterQuery query;
  CUresult found = readConfig(__func__, function, config, query);
  if (found != CUDA_SUCCESS)
    return found;
  if (query.clusterSize == 0 ||
      query.clusterSize > largestCluster(query.settings))
    return CUDA_ERROR_INVALID_CLUSTER_SIZE;
  uint64_t clusters = 0;
  for (uint32_t multiprocessors : groupSizes)
    clusters += multiprocessors * query.blocks / query.clusterSize;
  return giveResult(result, static_cast<int>(clusters));
}

} // namespace ptxsim::driver
