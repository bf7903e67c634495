// Handing on what fence.sc order.

#include "tools/ptxsim/checks/FenceOrder.h"

using namespace ptxsim;

using Shared = std::shared_ptr<const Knowledge>;

static bool covers(const RemoteClock &clock, const RemoteClock &other) {
  return std::all_of(other.begin(), other.end(), [&](const auto &entry) {
    auto known = clock.find(entry.first);
    return known != clock.end() && known->second >= entry.second;
  });
}

static bool covers(const Knowledge &knowledge, const Knowledge &other) {
  return knowledge.known.covers(other.known) &&
         knowledge.proxied.covers(other.proxied) &&
         knowledge.proxiedGlobal.covers(other.proxiedGlobal) &&
         covers(knowledge.remote, other.remote) &&
         knowledge.seen.covers(other.seen);
}

/// What both say. Mostly one of them says it alone, or they are one.
static Shared joined(const Shared &a, const Shared &b) {
  if (b == nullptr || a == b)
    return a;
  if (a == nullptr || covers(*b, *a))
    return b;
  if (covers(*a, *b))
    return a;
  auto both = std::make_shared<Knowledge>(*a);
  both->join(*b);
  return both;
}

/// The same for all scopes, which mostly have the same.
static void joinEach(const Shared (&a)[scopes], const Shared (&b)[scopes],
                     Shared (&result)[scopes]) {
  for (unsigned scope = 0; scope < scopes; ++scope) {
    bool again = scope != 0 && a[scope] == a[scope - 1] && b[scope] == b[scope - 1];
    result[scope] = again ? result[scope - 1] : joined(a[scope], b[scope]);
  }
}

static bool isSame(const FenceOrder &a, const FenceOrder &b) {
  return std::equal(a.shown, a.shown + scopes, b.shown) &&
         std::equal(a.seen, a.seen + scopes, b.seen);
}

void ptxsim::joinFences(FenceOrderPointer &order,
                        const FenceOrderPointer &other) {
  if (other == nullptr || order == other)
    return;
  if (order == nullptr) {
    order = other;
    return;
  }
  FenceOrder both;
  joinEach(order->shown, other->shown, both.shown);
  joinEach(order->seen, other->seen, both.seen);
  if (isSame(both, *other))
    order = other;
  else if (!isSame(both, *order))
    order = std::make_shared<FenceOrder>(both);
}

void ptxsim::passFences(Knowledge &knowledge, unsigned end) {
  const FenceOrderPointer order = knowledge.fences;
  for (unsigned scope = 0; order != nullptr && scope < end; ++scope)
    if (order->seen[scope] != nullptr &&
        (scope == 0 || order->seen[scope] != order->seen[scope - 1]))
      knowledge.join(*order->seen[scope]);
}

FenceOrderPointer ptxsim::showFences(const FenceOrderPointer &order,
                                     const Shared &now, unsigned end) {
  auto result = order == nullptr ? std::make_shared<FenceOrder>()
                                 : std::make_shared<FenceOrder>(*order);
  for (unsigned scope = 0; scope < end; ++scope) {
    result->shown[scope] = now;
    result->seen[scope] = nullptr;
  }
  return result;
}

void ptxsim::seeFences(FenceOrderPointer &order, unsigned scope,
                       const Shared &shown) {
  if (shown == nullptr)
    return;
  FenceOrder more;
  more.seen[scope] = shown;
  joinFences(order, std::make_shared<FenceOrder>(more));
}
