// The paged key/value cache: memory for all layers and the pages each sequence
// holds.

#ifndef TCC_RUNTIME_CORE_KVCACHE_H
#define TCC_RUNTIME_CORE_KVCACHE_H

#include "runtime/core/Device.h"
#include "runtime/core/Plan.h"
#include "runtime/support/Status.h"

#include <memory>
#include <vector>

namespace tcc::rt {

/// The pages of one sequence, in the order of its positions.
using PageList = std::vector<int32_t>;

/// A fixed number of pages, each `pageTokens` positions of one sequence in
/// every layer of every cache. One range of memory; a cache lies in it as
/// [layers][pages][pageBytes], the caches one after another.
///
/// A page is all zeros when it is handed out, so that what kernels read beyond
/// a sequence's end is finite. Not thread-safe.
class KVCache {
public:
  /// Reserves `pages` pages of `device` for the caches of `plan`.
  ///
  /// \returns OutOfMemory if the device refuses them.
  static Status create(Device &device, const Plan &plan, int64_t pages,
                       std::unique_ptr<KVCache> &result);

  /// Bytes that `pages` pages take, or INT64_MAX if that overflows.
  static int64_t bytesFor(const Plan &plan, int64_t pages);

  /// Extends `list` until it holds `positions` positions.
  ///
  /// \returns Internal if no page is free: callers reserve what they need; or
  ///          what the device returns.
  Status grow(PageList &list, int64_t positions);

  /// Takes all pages of `list` back.
  void release(PageList &list);

  /// Page 0 of `layer` of cache `cache`.
  uint8_t *layer(size_t cache, int64_t layer) const;

  int64_t pages() const { return pageCount; }
  int64_t freePages() const { return static_cast<int64_t>(unused.size()); }

private:
  explicit KVCache(Device &device) : device(device) {}
  Status zero(int32_t page);

  Device &device;
  std::vector<CachePlan> caches;
  std::vector<int64_t> offsets; ///< Of each cache, in bytes.
  int64_t pageTokens = 0;
  int64_t pageCount = 0;
  DeviceMemory memory;
  std::vector<int32_t> unused; ///< Lowest number last.
  std::vector<bool> wasUsed;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_KVCACHE_H
