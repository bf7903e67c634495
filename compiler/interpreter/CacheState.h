// The contents of paged key/value caches, in f64.

#ifndef TCC_COMPILER_INTERPRETER_CACHESTATE_H
#define TCC_COMPILER_INTERPRETER_CACHESTATE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace mlir::tcc {

/// Keys and values by cache, layer, page and place in the page. A page exists
/// from the first write to it.
class CacheState {
public:
  /// Key and value of one position; both empty if it was never written.
  struct Entry {
    std::vector<double> key, value;
  };

  explicit CacheState(int64_t pageSize) : pageSize(pageSize) {}

  int64_t getPageSize() const { return pageSize; }

  /// The entry at place `slot` of `page`, to be written.
  Entry &at(StringRef cache, int64_t layer, int64_t page, int64_t slot);

  /// The same, to be read; null if it was never written.
  const Entry *find(StringRef cache, int64_t layer, int64_t page,
                    int64_t slot) const;

private:
  using Page = std::vector<Entry>;

  int64_t pageSize;
  std::map<std::tuple<std::string, int64_t, int64_t>, Page> pages;
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_CACHESTATE_H
