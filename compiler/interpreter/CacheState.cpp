#include "compiler/interpreter/CacheState.h"

using namespace mlir::tcc;

CacheState::Entry &CacheState::at(StringRef cache, int64_t layer, int64_t page,
                                  int64_t slot) {
  Page &entries = pages[{cache.str(), layer, page}];
  entries.resize(pageSize);
  return entries[slot];
}

const CacheState::Entry *CacheState::find(StringRef cache, int64_t layer,
                                          int64_t page, int64_t slot) const {
  auto found = pages.find({cache.str(), layer, page});
  if (found == pages.end() || found->second[slot].key.empty())
    return nullptr;
  return &found->second[slot];
}
