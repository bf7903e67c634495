// Reads that flags say are over; see ReadFlags.h.

#include "tools/ptxsim/checks/ReadFlags.h"

#include <algorithm>
#include <queue>
#include <unordered_set>

using namespace ptxsim;

uint32_t ReadFlags::add(uint32_t firstWarp, std::vector<Epoch> epochs,
                        const SeenFlags &seen, uint32_t last) {
  bool saysNothing = std::all_of(epochs.begin(), epochs.end(),
                                 [](Epoch epoch) { return epoch == 0; });
  if (saysNothing && seen.numbers.empty())
    return 0;
  std::lock_guard<std::mutex> lock(mutex);
  bool isSame = last != 0 && seen.numbers.size() == 1 &&
                seen.numbers[0] == last && said[last - 1].epochs == epochs;
  if (isSame)
    return last;
  if (said.size() == limit)
    return 0;
  said.push_back({firstWarp, std::move(epochs), seen.numbers});
  return uint32_t(said.size());
}

void ReadFlags::put(uint64_t address, uint32_t number) {
  std::lock_guard<std::mutex> lock(mutex);
  if (number == 0 || (flags.size() == limit && flags.count(address) == 0)) {
    flags.erase(address);
    return;
  }
  flags[address] = number;
  hasAny = true;
}

uint32_t ReadFlags::at(uint64_t address) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto flag = flags.find(address);
  return flag == flags.end() ? 0 : flag->second;
}

bool ReadFlags::tells(const SeenFlags &seen, uint32_t warp,
                      Epoch epoch) const {
  std::lock_guard<std::mutex> lock(mutex);
  // The newest first: mostly it is one of them.
  std::priority_queue<uint32_t> open(seen.numbers.begin(), seen.numbers.end());
  std::unordered_set<uint32_t> known(seen.numbers.begin(), seen.numbers.end());
  while (!open.empty()) {
    const Said &next = said[open.top() - 1];
    open.pop();
    uint32_t index = warp - next.firstWarp;
    if (index < next.epochs.size() && next.epochs[index] >= epoch)
      return true;
    for (uint32_t before : next.before)
      if (known.insert(before).second)
        open.push(before);
  }
  return false;
}

void ReadFlags::clear() {
  std::lock_guard<std::mutex> lock(mutex);
  said.clear();
  flags.clear();
  hasAny = false;
}
