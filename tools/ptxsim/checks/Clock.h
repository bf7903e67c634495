// Vector clocks: what an actor knows of the others.
//
// An actor is whatever accesses memory at its own pace: a warp, the bulk copies
// of a warp, the copies that end in one mbarrier. Each counts epochs; an access
// carries the epoch of its actor. Somebody whose clock holds at least that epoch
// comes after the access, everybody else is unordered with it.
//
// Source: Flanagan and Freund, "FastTrack: Efficient and Precise Dynamic Race
// Detection", PLDI 2009.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_CLOCK_H
#define TCC_TOOLS_PTXSIM_CHECKS_CLOCK_H

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <unordered_map>
#include <vector>

namespace ptxsim {

using Actor = uint32_t;
using Epoch = uint32_t;

class Clock {
public:
  Epoch operator[](Actor actor) const {
    return actor < entries.size() ? entries[actor] : 0;
  }

  void set(Actor actor, Epoch epoch) {
    if (actor >= entries.size())
      entries.resize(actor + 1, 0);
    entries[actor] = std::max(entries[actor], epoch);
  }

  void join(const Clock &other) {
    if (other.entries.size() > entries.size())
      entries.resize(other.entries.size(), 0);
    for (size_t i = 0; i < other.entries.size(); ++i)
      entries[i] = std::max(entries[i], other.entries[i]);
  }

  /// True if it holds all that `other` does.
  bool covers(const Clock &other) const {
    for (Actor actor = 0; actor < other.size(); ++actor)
      if ((*this)[actor] < other[actor])
        return false;
    return true;
  }

  /// Keeps what `other` knows, too.
  void intersect(const Clock &other) {
    if (other.entries.size() < entries.size())
      entries.resize(other.entries.size());
    for (size_t i = 0; i < entries.size(); ++i)
      entries[i] = std::min(entries[i], other.entries[i]);
  }

  void clear() { entries.clear(); }

  /// All actors from here on are at 0.
  Actor size() const { return Actor(entries.size()); }

private:
  std::vector<Epoch> entries;
};

/// What is known of warps of other clusters, which only meet through global
/// memory: their number among all running warps, and the epoch.
using RemoteClock = std::unordered_map<uint32_t, Epoch>;

/// Added to the number of a warp: the groups of its bulk copies whose writes are
/// done, and what of the warp the async proxy may see.
constexpr uint32_t remoteBulk = 1u << 24, remoteProxied = 1u << 25;
/// Added to these: not known yet, but shown or seen as in FenceOrder.h.
constexpr uint32_t remoteShown = 1u << 27, remoteSeen = 1u << 28;

inline void join(RemoteClock &clock, const RemoteClock &other) {
  for (auto [warp, epoch] : other) {
    Epoch &known = clock[warp];
    known = std::max(known, epoch);
  }
}

/// Keeps what `other` knows, too.
inline void intersect(RemoteClock &clock, const RemoteClock &other) {
  for (auto entry = clock.begin(); entry != clock.end();) {
    auto found = other.find(entry->first);
    if (found == other.end()) {
      entry = clock.erase(entry);
      continue;
    }
    entry->second = std::min(entry->second, found->second);
    ++entry;
  }
}

/// Numbers of what flags have said about reads, in ascending order; see
/// ReadFlags.h. The newest ones count: they tell of those before.
struct SeenFlags {
  static constexpr size_t limit = 64;
  std::vector<uint32_t> numbers;

  void join(const SeenFlags &other) {
    if (other.numbers.empty() || other.numbers == numbers)
      return;
    std::vector<uint32_t> both;
    std::set_union(numbers.begin(), numbers.end(), other.numbers.begin(),
                   other.numbers.end(), std::back_inserter(both));
    if (both.size() > limit)
      both.erase(both.begin(), both.end() - limit);
    numbers = std::move(both);
  }
  bool covers(const SeenFlags &other) const {
    return std::includes(numbers.begin(), numbers.end(), other.numbers.begin(),
                         other.numbers.end());
  }
  /// Keeps what `other` has seen, too.
  void intersect(const SeenFlags &other) {
    std::vector<uint32_t> both;
    std::set_intersection(numbers.begin(), numbers.end(), other.numbers.begin(),
                          other.numbers.end(), std::back_inserter(both));
    numbers = std::move(both);
  }
};

struct FenceOrder;
using FenceOrderPointer = std::shared_ptr<const FenceOrder>;
/// Adds what `other` says to `order`; null says nothing.
void joinFences(FenceOrderPointer &order, const FenceOrderPointer &other);

/// What is handed on at a synchronisation: what is known, and what of it the
/// async proxy may see, because a proxy fence stands in between.
struct Knowledge {
  Clock known;
  Clock proxied;       ///< In shared memory.
  Clock proxiedGlobal; ///< In global memory.
  RemoteClock remote;
  SeenFlags seen;
  FenceOrderPointer fences; ///< What fence.sc adds to it; see FenceOrder.h.

  void join(const Knowledge &other) {
    known.join(other.known);
    proxied.join(other.proxied);
    proxiedGlobal.join(other.proxiedGlobal);
    ptxsim::join(remote, other.remote);
    seen.join(other.seen);
    joinFences(fences, other.fences);
  }
  void intersect(const Knowledge &other) {
    known.intersect(other.known);
    proxied.intersect(other.proxied);
    proxiedGlobal.intersect(other.proxiedGlobal);
    ptxsim::intersect(remote, other.remote);
    seen.intersect(other.seen);
    fences.reset();
  }
  void clear() {
    known.clear();
    proxied.clear();
    proxiedGlobal.clear();
    remote.clear();
    seen.numbers.clear();
    fences.reset();
  }
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_CLOCK_H
