// Byte-pair merging.

#ifndef TCC_RUNTIME_TEXT_MERGETABLE_H
#define TCC_RUNTIME_TEXT_MERGETABLE_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcc::rt {

/// Which two neighbouring symbols become which, and in which order.
///
/// A hash table with open addressing: Llama 3 has 280,147 merges, and building
/// a std::unordered_map of them would take most of the time until the first
/// token.
class MergeTable {
public:
  MergeTable() : MergeTable(0) {}

  /// An empty table with room for `merges`.
  explicit MergeTable(size_t merges);

  /// Adds the merge of rank `rank`; it takes the place of one of the same
  /// symbols.
  void add(uint32_t left, uint32_t right, uint32_t rank, uint32_t result);

  /// Merges neighbours in `symbols` until no merge applies: always the one of
  /// lowest rank, and of those the leftmost.
  ///
  /// Takes O(n log n) time for n symbols. \p symbols has less than 2^31 of
  /// them.
  void merge(std::vector<int32_t> &symbols) const;

private:
  struct Entry {
    uint64_t key; // Both symbols; `noKey` if the entry is free.
    uint32_t rank, result;
  };
  struct Word;
  // Random, so that no file can have symbols that meet in one place.
  uint64_t seed;
  std::vector<Entry> entries; // A power of two of them, at most half in use.

  const Entry *find(uint32_t left, uint32_t right) const;
  size_t slotOf(uint64_t key) const;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_MERGETABLE_H
