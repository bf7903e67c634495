// Giving tasks places in chains.

#include "tools/ptxsim/driver/WorkOrders.h"

namespace ptxsim::driver {

/// Chains at most. Tasks beyond are put behind others as if these came before
/// them.
static constexpr ptxsim::Actor maxChains = 256;

static void add(ptxsim::Clock &clock, const WorkOrder &order) {
  clock.join(order.before);
  clock.set(order.chain, order.position);
}

void WorkOrders::place(Task &task,
                       const std::vector<Dependency> &dependencies) {
  WorkOrder &order = task.order;
  order.before = host;
  // Also of those that need not be done: griddepcontrol.wait is looked at by
  // the check itself.
  for (const Dependency &dependency : dependencies)
    add(order.before, dependency.task->order);
  auto isEnd = [&](ptxsim::Actor chain) {
    return last[chain] <= order.before[chain];
  };
  order.chain = ptxsim::Actor(task.serial % maxChains);
  ptxsim::Actor free = 0;
  while (free < last.size() && !isEnd(free))
    ++free;
  if (free < maxChains)
    order.chain = free;
  for (const Dependency &dependency : dependencies)
    if (isEnd(dependency.task->order.chain))
      order.chain = dependency.task->order.chain;
  order.position = last[order.chain] + 1;
  last.set(order.chain, order.position);
}

void WorkOrders::begin(Task &task) {
  for (const Dependency &dependency : task.dependencies)
    add(task.order.before, dependency.task->order);
  begun.set(task.order.chain, task.order.position);
}

void WorkOrders::learn(const ptxsim::Clock &done) {
  host.join(done);
  hasLearnt = true;
}

void WorkOrders::learn(const WorkOrder &done) {
  add(host, done);
  hasLearnt = true;
}

} // namespace ptxsim::driver
