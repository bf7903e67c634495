#include "runtime/cuda/KernelLaunch.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;
using namespace tcc::rt::cuda;

static uint64_t elementBytes(ElementType type) {
  return type == ElementType::F32 || type == ElementType::I32 ? 4 : 2;
}

static TensorMapType typeOf(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return TensorMapType::F32;
  case ElementType::F16:
    return TensorMapType::F16;
  case ElementType::BF16:
    return TensorMapType::BF16;
  case ElementType::I32:
    return TensorMapType::I32;
  }
  return TensorMapType::F32;
}

static TensorMapSwizzle swizzleOf(int64_t bytes) {
  if (bytes == 0)
    return TensorMapSwizzle::None;
  if (bytes == 32)
    return TensorMapSwizzle::Bytes32;
  return bytes == 64 ? TensorMapSwizzle::Bytes64 : TensorMapSwizzle::Bytes128;
}

/// Encodes `plan` of the argument at `argument`.
static Status encode(const Driver &driver, const TensorMapPlan &plan,
                     void *argument, const StepSizes &sizes, TensorMap &map) {
  uint64_t dimensions[] = {static_cast<uint64_t>(plan.columns),
                           static_cast<uint64_t>(plan.rows.evaluate(sizes)),
                           static_cast<uint64_t>(plan.planes)};
  uint64_t strides[] = {static_cast<uint64_t>(plan.rowBytes),
                        static_cast<uint64_t>(plan.planeBytes)};
  uint32_t box[] = {plan.boxColumns, plan.boxRows, 1};
  uint32_t steps[] = {1, 1, 1};
  uint64_t rowBytes = plan.boxColumns * elementBytes(plan.element);
  // What brings whole lines to the second cache, where a box has some.
  TensorMapPromotion promotion =
      rowBytes >= 128 ? TensorMapPromotion::Bytes128 : TensorMapPromotion::None;
  return driver.statusOf(
      driver.encodeTensorMap(
          &map, typeOf(plan.element), plan.planes == 1 ? 2 : 3,
          static_cast<uint8_t *>(argument) + plan.offset, dimensions, strides,
          box, steps, /*interleave=*/0, swizzleOf(plan.swizzle), promotion,
          /*fill=*/0),
      "cuTensorMapEncodeTiled");
}

Status KernelParameters::set(const Driver &driver, const KernelPlan &kernel,
                             void *const *arguments, size_t count,
                             void *deviceSizes, int64_t tileCount,
                             const StepSizes &sizes) {
  values.assign(arguments, arguments + count);
  values.push_back(deviceSizes);
  tiles = tileCount;
  maps.resize(kernel.tensorMaps.size());
  for (size_t i = 0; i < maps.size(); ++i) {
    const TensorMapPlan &map = kernel.tensorMaps[i];
    if (Status status =
            encode(driver, map, values[map.argument], sizes, maps[i]);
        !status.ok())
      return status;
  }
  parameters.clear();
  for (void *&value : values)
    parameters.push_back(&value);
  parameters.push_back(&tiles);
  for (TensorMap &map : maps)
    parameters.push_back(&map);
  return {};
}

unsigned cuda::blocksOf(const KernelPlan &kernel, int64_t tiles) {
  // Blocks share out the tiles: there may be fewer.
  int64_t most = kernel.blocks == 0 ? INT32_MAX - 8 : kernel.blocks;
  int64_t blocks = std::min(tiles, most);
  return static_cast<unsigned>((blocks + kernel.cluster - 1) / kernel.cluster *
                               kernel.cluster);
}

Status cuda::prepare(const Driver &driver, Function function,
                     const KernelPlan &kernel) {
  if (kernel.sharedBytes == 0)
    return {};
  return driver.statusOf(
      driver.setFunctionAttribute(function, MaxDynamicSharedMemory,
                                  static_cast<int>(kernel.sharedBytes)),
      "cuFuncSetAttribute of " + std::to_string(kernel.sharedBytes) +
          " bytes of shared memory");
}

Status cuda::launch(const Driver &driver, Function function,
                    const KernelPlan &kernel, unsigned blocks, Stream stream,
                    void **parameters, bool isDependent) {
  LaunchConfig config = {};
  LaunchAttribute attributes[2] = {};
  config.attributes = attributes;
  if (kernel.cluster > 1) {
    LaunchAttribute &cluster = attributes[config.attributeCount++];
    cluster.id = LaunchAttributeId::ClusterDimension;
    cluster.value.cluster[0] = kernel.cluster;
    cluster.value.cluster[1] = cluster.value.cluster[2] = 1;
  }
  if (isDependent) {
    LaunchAttribute &overlap = attributes[config.attributeCount++];
    overlap.id = LaunchAttributeId::ProgrammaticStreamSerialization;
    overlap.value.isAllowed = 1;
  }
  config.grid[0] = blocks;
  config.grid[1] = config.grid[2] = 1;
  config.block[0] = kernel.threads;
  config.block[1] = config.block[2] = 1;
  config.sharedBytes = kernel.sharedBytes;
  config.stream = stream;
  return driver.statusOf(
      driver.launchKernelEx(&config, function, parameters, nullptr),
      "cuLaunchKernelEx");
}
