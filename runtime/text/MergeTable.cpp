#include "runtime/text/MergeTable.h"

#include <algorithm>
#include <random>
#include <xxhash.h>

using namespace tcc::rt;

/// Never the key of two symbols: ids are below 2^31.
static constexpr uint64_t noKey = ~uint64_t{0};

MergeTable::MergeTable(size_t merges) : seed(std::random_device()()) {
  size_t slots = 2;
  while (slots < 2 * merges)
    slots *= 2;
  entries.assign(slots, {noKey, 0, 0});
}

/// Where `key` is, or where it would be put.
size_t MergeTable::slotOf(uint64_t key) const {
  size_t slot =
      XXH3_64bits_withSeed(&key, sizeof(key), seed) & (entries.size() - 1);
  while (entries[slot].key != key && entries[slot].key != noKey)
    slot = (slot + 1) & (entries.size() - 1);
  return slot;
}

void MergeTable::add(uint32_t left, uint32_t right, uint32_t rank,
                     uint32_t result) {
  uint64_t key = uint64_t{left} << 32 | right;
  entries[slotOf(key)] = {key, rank, result};
}

const MergeTable::Entry *MergeTable::find(uint32_t left, uint32_t right) const {
  const Entry &entry = entries[slotOf(uint64_t{left} << 32 | right)];
  return entry.key == noKey ? nullptr : &entry;
}

/// The symbols of one piece while they are merged: a doubly linked list in an
/// array, and a heap of the merges that were possible when they were found.
struct MergeTable::Word {
  struct Symbol {
    uint32_t id;
    int32_t previous, next; // -1 at the ends.
    bool removed;
  };
  struct Candidate {
    uint32_t rank;
    int32_t position;
    uint32_t result;
    // std::push_heap keeps the greatest on top; on top belongs the best.
    bool operator<(const Candidate &other) const {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };
  const MergeTable &table;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;

  explicit Word(const MergeTable &table) : table(table) {}
  void load(const std::vector<int32_t> &ids);
  void offer(int32_t left, int32_t right);
  void apply(const Candidate &candidate);
};

/// Starts with `ids` and all merges that are possible in them.
void MergeTable::Word::load(const std::vector<int32_t> &ids) {
  int32_t count = static_cast<int32_t>(ids.size());
  symbols.reserve(ids.size());
  for (int32_t i = 0; i < count; ++i)
    symbols.push_back({static_cast<uint32_t>(ids[static_cast<size_t>(i)]),
                       i - 1, i + 1 < count ? i + 1 : -1, false});
  for (int32_t i = 0; i + 1 < count; ++i)
    offer(i, i + 1);
}

/// Adds the merge of the symbols at `left` and `right`, if there is one.
void MergeTable::Word::offer(int32_t left, int32_t right) {
  const Entry *entry = table.find(symbols[static_cast<size_t>(left)].id,
                                  symbols[static_cast<size_t>(right)].id);
  if (!entry)
    return;
  heap.push_back({entry->rank, left, entry->result});
  std::push_heap(heap.begin(), heap.end());
}

/// Merges as `candidate` says, unless its symbols have changed since.
///
/// Whether they have is decided by the result alone, as `tokenizers` does: a
/// candidate may stand for other symbols now if they merge to the same.
void MergeTable::Word::apply(const Candidate &candidate) {
  Symbol &left = symbols[static_cast<size_t>(candidate.position)];
  if (left.removed || left.next < 0)
    return;
  int32_t nextPosition = left.next;
  Symbol &right = symbols[static_cast<size_t>(nextPosition)];
  const Entry *entry = table.find(left.id, right.id);
  if (!entry || entry->result != candidate.result)
    return;
  left.id = candidate.result;
  left.next = right.next;
  right.removed = true;
  if (right.next >= 0)
    symbols[static_cast<size_t>(right.next)].previous = candidate.position;
  if (left.previous >= 0)
    offer(left.previous, candidate.position);
  if (left.next >= 0)
    offer(candidate.position, left.next);
}

void MergeTable::merge(std::vector<int32_t> &ids) const {
  if (ids.size() < 2)
    return;
  Word word(*this);
  word.load(ids);
  while (!word.heap.empty()) {
    Word::Candidate best = word.heap.front();
    std::pop_heap(word.heap.begin(), word.heap.end());
    word.heap.pop_back();
    word.apply(best);
  }
  ids.clear();
  for (const Word::Symbol &symbol : word.symbols)
    if (!symbol.removed)
      ids.push_back(static_cast<int32_t>(symbol.id));
}
