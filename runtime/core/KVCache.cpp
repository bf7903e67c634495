#include "runtime/core/KVCache.h"

using namespace tcc;
using namespace tcc::rt;

int64_t KVCache::bytesFor(const Plan &plan, int64_t pages) {
  int64_t sum = 0;
  for (const CachePlan &cache : plan.caches) {
    int64_t bytes;
    if (__builtin_mul_overflow(cache.layers * cache.pageBytes, pages, &bytes) ||
        __builtin_add_overflow(sum, bytes, &sum))
      return INT64_MAX;
  }
  return sum;
}

Status KVCache::create(Device &device, const Plan &plan, int64_t pages,
                       std::unique_ptr<KVCache> &result) {
  std::unique_ptr<KVCache> cache(new KVCache(device));
  // Pages have 32-bit numbers.
  int64_t bytes = pages > INT32_MAX ? INT64_MAX : bytesFor(plan, pages);
  if (Status status = device.reserve(bytes, "the key/value cache",
                                     "lower --max-tokens", cache->memory);
      !status.ok())
    return status;
  cache->caches = plan.caches;
  cache->pageTokens = plan.pageTokens();
  cache->pageCount = pages;
  int64_t offset = 0;
  for (const CachePlan &each : plan.caches) {
    cache->offsets.push_back(offset);
    offset += each.layers * each.pageBytes * pages;
  }
  cache->wasUsed.assign(static_cast<size_t>(pages), false);
  for (int64_t page = pages; page-- > 0;)
    cache->unused.push_back(static_cast<int32_t>(page));
  result = std::move(cache);
  return {};
}

Status KVCache::grow(PageList &list, int64_t positions) {
  if (caches.empty())
    return {};
  while (static_cast<int64_t>(list.size()) * pageTokens < positions) {
    if (unused.empty())
      return {Status::Code::Internal,
              "the key/value cache has no page left of " +
                  std::to_string(pageCount)};
    int32_t page = unused.back();
    unused.pop_back();
    list.push_back(page);
    if (wasUsed[static_cast<size_t>(page)])
      if (Status status = zero(page); !status.ok())
        return status;
    wasUsed[static_cast<size_t>(page)] = true;
  }
  return {};
}

void KVCache::release(PageList &list) {
  // Backwards, so that the same requests get the same pages again.
  while (!list.empty()) {
    unused.push_back(list.back());
    list.pop_back();
  }
}

Status KVCache::zero(int32_t page) {
  for (size_t i = 0; i < caches.size(); ++i)
    for (int64_t l = 0; l < caches[i].layers; ++l)
      if (Status status = device.zero(layer(i, l) + page * caches[i].pageBytes,
                                      caches[i].pageBytes);
          !status.ok())
        return status;
  return {};
}

uint8_t *KVCache::layer(size_t cache, int64_t layer) const {
  return memory.get() + offsets[cache] +
         layer * pageCount * caches[cache].pageBytes;
}
