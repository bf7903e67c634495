// Advice about managed memory, prefetches of it, and what of that is known.
//
// Nothing is moved: the memory is one for the host and the device.

#include "tools/ptxsim/driver/Memory.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>
#include <cstring>

namespace ptxsim::driver {

namespace {
/// CUmem_advise.
enum Advice : uint32_t {
  SetReadMostly = 1,
  UnsetReadMostly,
  SetPreferred,
  UnsetPreferred,
  SetAccessedBy,
  UnsetAccessedBy,
};

/// CUmem_range_attribute.
enum Attribute : uint32_t {
  ReadMostly = 1,
  Preferred,
  AccessedBy,
  LastPrefetch,
  PreferredType,
  PreferredId,
  LastPrefetchType,
  LastPrefetchId,
};

/// What is known of the pages of a part of managed memory.
class AdvisedRange {
public:
  /// Fails unless all of it is managed memory.
  CUresult find(Call &call, CUdeviceptr address, size_t bytes) {
    Allocation allocation;
    if (bytes == 0 || !call.driver.memory().contains(address, bytes) ||
        !call.driver.memory().find(address, allocation) ||
        allocation.kind != MemoryKind::Managed)
      return CUDA_ERROR_INVALID_VALUE;
    parts = &call.driver.extras[allocation.address].advice;
    parts->try_emplace(0);
    begin = address & ~(pageBytes - 1);
    end = (address + bytes + pageBytes - 1) & ~(pageBytes - 1);
    return CUDA_SUCCESS;
  }

  template <typename Change> void change(Change change) {
    auto first = split(begin), last = split(end);
    for (; first != last; ++first)
      change(first->second);
  }

  /// True if `test` holds for all of it.
  template <typename Test> bool all(Test test) const {
    auto part = std::prev(parts->upper_bound(begin));
    for (; part != parts->end() && part->first < end; ++part)
      if (!test(part->second))
        return false;
    return true;
  }

  /// Returns the location that all of it has; an invalid one if there is none.
  CUmemLocation common(CUmemLocation RangeAdvice::*member) const {
    CUmemLocation first = std::prev(parts->upper_bound(begin))->second.*member;
    bool isCommon = all([&](const RangeAdvice &part) {
      const CUmemLocation &other = part.*member;
      return other.type == first.type && other.id == first.id;
    });
    return isCommon ? first : CUmemLocation{CU_MEM_LOCATION_TYPE_INVALID, 0};
  }

private:
  static constexpr uint64_t pageBytes = 4096;
  using Parts = std::map<uint64_t, RangeAdvice>;

  /// Lets a part begin at `address`.
  Parts::iterator split(uint64_t address) {
    RangeAdvice before = std::prev(parts->upper_bound(address))->second;
    return parts->emplace(address, before).first;
  }

  Parts *parts = nullptr;
  uint64_t begin = 0, end = 0;
};
} // namespace

static void apply(Advice advice, const CUmemLocation &location,
                  RangeAdvice &part) {
  bool isDevice = location.type == CU_MEM_LOCATION_TYPE_DEVICE;
  switch (advice) {
  case SetReadMostly:
  case UnsetReadMostly:
    part.readMostly = advice == SetReadMostly;
    return;
  case SetPreferred:
    part.preferred = location;
    return;
  case UnsetPreferred:
    part.preferred = {CU_MEM_LOCATION_TYPE_INVALID, 0};
    return;
  case SetAccessedBy:
  case UnsetAccessedBy:
    (isDevice ? part.byDevice : part.byHost) = advice == SetAccessedBy;
    return;
  }
}

/// Checks a location and clears what its type leaves open.
static CUresult check(CUmemLocation &location) {
  switch (location.type) {
  case CU_MEM_LOCATION_TYPE_DEVICE:
    return location.id == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
  case CU_MEM_LOCATION_TYPE_HOST:
  case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
    location.id = 0;
    return CUDA_SUCCESS;
  case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    return location.id >= 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

static CUresult advise(CUdeviceptr address, size_t bytes, uint32_t advice,
                       CUmemLocation location,
                       const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (advice < SetReadMostly || advice > UnsetAccessedBy)
      return CUDA_ERROR_INVALID_VALUE;
    bool hasLocation = advice == SetPreferred || advice == SetAccessedBy ||
                       advice == UnsetAccessedBy;
    CUresult result = hasLocation ? check(location) : CUDA_SUCCESS;
    AdvisedRange range;
    if (result == CUDA_SUCCESS)
      result = range.find(call, address, bytes);
    if (result == CUDA_SUCCESS)
      range.change([&](RangeAdvice &part) {
        apply(static_cast<Advice>(advice), location, part);
      });
    return result;
  });
}

/// The location that the older calls mean by a device.
static CUmemLocation locationOf(CUdevice device) {
  if (device == deviceCpu)
    return {CU_MEM_LOCATION_TYPE_HOST, 0};
  return {CU_MEM_LOCATION_TYPE_DEVICE, device};
}

PTXSIM_API cuMemAdvise(CUdeviceptr address, size_t bytes, uint32_t advice,
                       CUdevice device) {
  return advise(address, bytes, advice, locationOf(device));
}

PTXSIM_API cuMemAdvise_v2(CUdeviceptr address, size_t bytes, uint32_t advice,
                          CUmemLocation location) {
  return advise(address, bytes, advice, location);
}

static CUresult prefetch(CUdeviceptr address, size_t bytes,
                         CUmemLocation location, CUstream handle,
                         const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    AdvisedRange range;
    CUresult result = findStream(call, handle, stream);
    if (result == CUDA_SUCCESS)
      result = check(location);
    if (result == CUDA_SUCCESS)
      result = range.find(call, address, bytes);
    if (result != CUDA_SUCCESS)
      return result;
    range.change([&](RangeAdvice &part) { part.lastPrefetch = location; });
    // It moves nothing, but what comes behind it waits for what is before.
    return submitWork(call, stream, std::make_shared<EmptyWork>());
  });
}

PTXSIM_STREAM_API(cuMemPrefetchAsync, cuMemPrefetchAsync_ptsz,
                  (CUdeviceptr address, size_t bytes, CUdevice device,
                   CUstream stream),
                  (address, bytes, device, stream)) {
  return prefetch(address, bytes, locationOf(device), stream);
}

PTXSIM_STREAM_API(cuMemPrefetchAsync_v2, cuMemPrefetchAsync_v2_ptsz,
                  (CUdeviceptr address, size_t bytes, CUmemLocation location,
                   unsigned flags, CUstream stream),
                  (address, bytes, location, flags, stream)) {
  if (flags != 0)
    return CUDA_ERROR_INVALID_VALUE;
  return prefetch(address, bytes, location, stream);
}

/// Returns a location as the older attributes give it.
static CUdevice deviceOf(const CUmemLocation &location) {
  if (location.type == CU_MEM_LOCATION_TYPE_DEVICE)
    return location.id;
  return location.type == CU_MEM_LOCATION_TYPE_INVALID ? deviceInvalid
                                                       : deviceCpu;
}

/// Writes who accesses all of a range, and fills up with no device.
static CUresult readAccessedBy(const AdvisedRange &range, void *data,
                               size_t bytes) {
  if (bytes == 0 || bytes % sizeof(CUdevice) != 0)
    return CUDA_ERROR_INVALID_VALUE;
  std::vector<CUdevice> devices;
  if (range.all([](const RangeAdvice &part) { return part.byDevice; }))
    devices.push_back(0);
  if (range.all([](const RangeAdvice &part) { return part.byHost; }))
    devices.push_back(deviceCpu);
  size_t count = bytes / sizeof(CUdevice);
  for (size_t i = 0; i < count; ++i) {
    CUdevice device = i < devices.size() ? devices[i] : deviceInvalid;
    std::memcpy(static_cast<CUdevice *>(data) + i, &device, sizeof(device));
  }
  return CUDA_SUCCESS;
}

static CUresult readAttribute(const AdvisedRange &range, uint32_t attribute,
                              void *data, size_t bytes) {
  if (!data || attribute < ReadMostly || attribute > LastPrefetchId)
    return CUDA_ERROR_INVALID_VALUE;
  if (attribute == AccessedBy)
    return readAccessedBy(range, data, bytes);
  if (bytes != sizeof(int))
    return CUDA_ERROR_INVALID_VALUE;
  CUmemLocation location =
      range.common(attribute == LastPrefetch || attribute >= LastPrefetchType
                       ? &RangeAdvice::lastPrefetch
                       : &RangeAdvice::preferred);
  int value = 0;
  if (attribute == ReadMostly)
    value = range.all([](const RangeAdvice &part) { return part.readMostly; });
  else if (attribute == Preferred || attribute == LastPrefetch)
    value = deviceOf(location);
  else if (attribute == PreferredType || attribute == LastPrefetchType)
    value = static_cast<int>(location.type);
  else
    value = location.id;
  std::memcpy(data, &value, sizeof(value));
  return CUDA_SUCCESS;
}

PTXSIM_API cuMemRangeGetAttribute(void *data, size_t dataBytes,
                                  uint32_t attribute, CUdeviceptr address,
                                  size_t bytes) {
  return withContext([&](Call &call) -> CUresult {
    AdvisedRange range;
    CUresult result = range.find(call, address, bytes);
    return result == CUDA_SUCCESS
               ? readAttribute(range, attribute, data, dataBytes)
               : result;
  });
}

PTXSIM_API cuMemRangeGetAttributes(void **data, size_t *dataBytes,
                                   uint32_t *attributes, size_t count,
                                   CUdeviceptr address, size_t bytes) {
  return withContext([&](Call &call) -> CUresult {
    if (!data || !dataBytes || !attributes || count == 0)
      return CUDA_ERROR_INVALID_VALUE;
    AdvisedRange range;
    CUresult result = range.find(call, address, bytes);
    for (size_t i = 0; i < count && result == CUDA_SUCCESS; ++i)
      result = readAttribute(range, attributes[i], data[i], dataBytes[i]);
    return result;
  });
}

} // namespace ptxsim::driver
