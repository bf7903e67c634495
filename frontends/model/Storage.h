// How elements are stored, as far as sizes go.

#ifndef TCC_FRONTENDS_MODEL_STORAGE_H
#define TCC_FRONTENDS_MODEL_STORAGE_H

#include "frontends/model/Model_generated.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tcc {

/// A storage type as blocks of consecutive elements of the last dimension.
struct StorageInfo {
  const char *name;
  int64_t blockElements;
  int64_t blockBytes;
};

/// What is known of `storage`, or null if it is no member of the enumeration.
const StorageInfo *storageInfo(schema::Storage storage);

/// The bytes of a tensor of `shape`. Nothing if a dimension is negative, the
/// last is no multiple of the block, or the size does not fit in int64_t.
std::optional<uint64_t> tensorBytes(schema::Storage storage,
                                    const std::vector<int64_t> &shape);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_STORAGE_H
