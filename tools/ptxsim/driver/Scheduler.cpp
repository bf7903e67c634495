// Executes tasks one step after the other; see Scheduler.h.

#include "tools/ptxsim/driver/Scheduler.h"

#include "tools/ptxsim/driver/Driver.h"

#include <algorithm>
#include <pthread.h>

namespace ptxsim::driver {

/// Longest queue of work that lazy and random schedules leave waiting.
static constexpr size_t maxBacklog = 16384;
/// How long a call waits for a function of the host that it started.
static constexpr std::chrono::milliseconds hostPatience{200};
/// How long work may wait for other threads of the program when one of them
/// waits for it.
static constexpr std::chrono::seconds stallPatience{10};
static constexpr std::chrono::microseconds pollInterval{500};
/// After which time without a call the watchdog executes work.
static constexpr std::chrono::seconds watchDelay{1};

bool Task::has(EdgeKind kind) const {
  switch (kind) {
  case EdgeKind::Full:
    return isDone();
  case EdgeKind::Triggered:
    return isDone() || isTriggered;
  case EdgeKind::Started:
    return state != State::Waiting;
  }
  return false;
}

Scheduler::Scheduler(Driver &driver)
    : driver(driver), random(driver.config().engine.schedule.seed) {}

Scheduler::~Scheduler() { stop(); }

static Schedule::Kind kindOf(Driver &driver) {
  return driver.config().engine.schedule.kind;
}

static bool haveAll(const std::vector<std::shared_ptr<Task>> &tasks,
                    EdgeKind kind) {
  return std::all_of(tasks.begin(), tasks.end(),
                     [&](const auto &task) { return task->has(kind); });
}

void Scheduler::noteCall() {
  calls.fetch_add(1, std::memory_order_relaxed);
  lastCall.store(Clock::now().time_since_epoch().count(),
                 std::memory_order_relaxed);
}

/// True if a task must know what it depends on although that is met: it stands
/// for grids that are not done, or the program cannot know that it is done.
bool Scheduler::matters(const Dependency &dependency) const {
  const Task &before = *dependency.task;
  return !before.isDone() || !before.prerequisites.empty() ||
         (dependency.kind != EdgeKind::Full && before.grid &&
          before.submittedAt == waits);
}

std::shared_ptr<Task> Scheduler::submit(std::shared_ptr<Context> context,
                                        WorkRef work,
                                        std::vector<Dependency> dependencies,
                                        int priority) {
  auto task = std::make_shared<Task>();
  task->serial = nextSerial++;
  task->submittedAt = waits;
  task->context = std::move(context);
  task->work = std::move(work);
  task->priority = priority;
  task->work->addDependencies(dependencies);
  for (const WorkOrder &met : driver.engine().takeMeetings())
    orders.learn(met);
  orders.place(*task, dependencies);
  task->context->submitted.set(task->order.chain, task->order.position);
  for (Dependency &dependency : dependencies) {
    if (!dependency.task->has(dependency.kind)) {
      ++task->unmet;
      dependency.task->dependents.push_back({task, dependency.kind});
    }
    if (matters(dependency))
      task->dependencies.push_back(std::move(dependency));
  }
  pending.emplace(task->serial, task);
  if (task->unmet == 0)
    ready.emplace(Key(task->priority, task->serial), task);
  task->work->noteSubmitted(task);
  return task;
}

/// Collects the grids that a kernel started now must be able to wait for: those
/// of dependencies, directly, or behind an event if they are not done.
static void collectPrerequisites(Task &task) {
  for (const Dependency &dependency : task.dependencies) {
    const Task &before = *dependency.task;
    if (before.grid && dependency.kind != EdgeKind::Full && dependency.isDirect)
      task.prerequisites.push_back(before.grid);
    if (!before.grid)
      for (const std::shared_ptr<Grid> &grid : before.prerequisites)
        if (!grid->isFinished())
          task.prerequisites.push_back(grid);
  }
  task.dependencies.clear();
}

/// Lets the checks forget what comes before all that is pending or comes later.
void Scheduler::forgetOrdered() {
  if (!orders.takeLearnt())
    return;
  ptxsim::Clock before = orders.ofHost();
  for (const auto &entry : pending)
    before.intersect(entry.second->order.before);
  driver.engine().noteOrdered(before);
}

void Scheduler::noteKnown(const Task &task, EdgeKind kind) {
  if (kind == EdgeKind::Full)
    orders.learn(task.order);
  else
    orders.learn(task.order.before);
}

bool Scheduler::isAlone(const Task &task) const {
  return pending.size() == 1 && pending.count(task.serial) != 0;
}

void Scheduler::start(Lock &lock, const std::shared_ptr<Task> &task) {
  ready.erase(Key(task->priority, task->serial));
  task->state = Task::State::Running;
  task->begun = Clock::now();
  orders.begin(*task);
  forgetOrdered();
  if (task->work->tellsHost())
    orders.learn(task->order.before);
  collectPrerequisites(*task);
  task->progress = task->work->start(*task, driver);
  if (task->progress == Progress::Done) {
    finish(task);
    return;
  }
  running.push_back(task);
  notify(task);
  if (task->progress == Progress::InHost) {
    awaitHost(lock, *task);
    if (!task->isDone())
      update(task);
  }
}

/// Gives a function of the host time to end, so that what follows does not
/// depend on how fast the threads are.
void Scheduler::awaitHost(Lock &lock, const Task &task) {
  auto call = std::static_pointer_cast<HostRunner::Call>(task.progressState);
  lock.unlock();
  host.waitUntil(*call, Clock::now() + hostPatience);
  lock.lock();
}

/// Starts tasks whose dependencies `task` has just met.
void Scheduler::notify(const std::shared_ptr<Task> &task) {
  std::vector<Dependency> rest;
  for (Dependency &dependent : task->dependents) {
    if (!task->has(dependent.kind)) {
      rest.push_back(std::move(dependent));
      continue;
    }
    Task &next = *dependent.task;
    if (--next.unmet == 0 && next.state == Task::State::Waiting)
      ready.emplace(Key(next.priority, next.serial), dependent.task);
  }
  task->dependents = std::move(rest);
}

void Scheduler::finish(const std::shared_ptr<Task> &task) {
  task->state = Task::State::Done;
  task->finished = Clock::now();
  if (task->grid)
    task->order.before.join(task->grid->heard());
  if (task->work->waitsForMemory() || (task->grid && task->grid->meetsHost()))
    orders.joinBegun(*task);
  task->context->submitted.join(task->order.before);
  if (task->work->tellsHost())
    orders.learn(task->order);
  running.erase(std::remove(running.begin(), running.end(), task),
                running.end());
  pending.erase(task->serial);
  notify(task);
  task->progressState.reset();
  if (task->grid)
    task->prerequisites.clear();
  // An event that it recorded holds the task in turn.
  task->work.reset();
  // A wrong argument is not the context's fault; a call waits for the result.
  if (task->result != CUDA_SUCCESS &&
      task->result != CUDA_ERROR_INVALID_VALUE) {
    if (task->context->error == CUDA_SUCCESS)
      task->context->error = task->result;
    cancel(*task->context);
  }
  changed.notify_all();
}

void Scheduler::cancel(Context &context) {
  std::vector<std::shared_ptr<Task>> waiting;
  for (const auto &entry : pending)
    if (entry.second->context.get() == &context &&
        entry.second->state == Task::State::Waiting &&
        !entry.second->work->runsAfterFailure())
      waiting.push_back(entry.second);
  for (const std::shared_ptr<Task> &task : waiting) {
    ready.erase(Key(task->priority, task->serial));
    pending.erase(task->serial);
    task->state = Task::State::Done;
    task->finished = Clock::now();
    task->result = context.error;
    task->dependencies.clear();
    task->work.reset();
    notify(task);
  }
  changed.notify_all();
}

/// Looks whether `task`, which runs, has gone on.
bool Scheduler::update(const std::shared_ptr<Task> &task) {
  if (task->work->poll(*task, driver) == Progress::Done) {
    finish(task);
    return true;
  }
  if (!task->grid || task->isTriggered || !task->grid->isTriggered())
    return false;
  task->isTriggered = true;
  notify(task);
  return true;
}

Scheduler::Step Scheduler::runRunning(Lock &) {
  if (running.empty())
    return Step::Idle;
  bool inEngine = std::any_of(running.begin(), running.end(), [](auto &task) {
    return task->progress == Progress::InEngine;
  });
  EngineEvent event = EngineEvent::Idle;
  if (inEngine)
    event = driver.engine().run();
  bool moved =
      event == EngineEvent::Finished || event == EngineEvent::Triggered;
  // Finishing a task changes the list.
  for (const std::shared_ptr<Task> &task :
       std::vector<std::shared_ptr<Task>>(running))
    moved |= !task->isDone() && update(task);
  return moved ? Step::Progress : Step::Stalled;
}

std::shared_ptr<Task> Scheduler::pick(uint64_t need) {
  if (ready.empty())
    return nullptr;
  if (need != 0) {
    for (const auto &entry : ready)
      if (entry.second->neededBy == need)
        return entry.second;
    return nullptr;
  }
  auto it = ready.begin();
  if (kindOf(driver) == Schedule::Kind::Random)
    std::advance(it, random() % ready.size());
  return it->second;
}

/// Starts a task, of those that `need` marks unless it is 0, or lets those that
/// run go on.
Scheduler::Step Scheduler::step(Lock &lock, uint64_t need) {
  NoSurvival ofCaller; // Work is not what the call came for.
  bool runFirst = kindOf(driver) == Schedule::Kind::Random && random() % 2;
  if (runFirst && runRunning(lock) == Step::Progress)
    return Step::Progress;
  if (std::shared_ptr<Task> task = pick(need)) {
    start(lock, task);
    return Step::Progress;
  }
  return runRunning(lock);
}

/// Marks `tasks` and all that they wait for.
void Scheduler::markNeeded(const std::vector<std::shared_ptr<Task>> &tasks) {
  ++lastNeed;
  std::vector<std::shared_ptr<Task>> worklist = tasks;
  while (!worklist.empty()) {
    std::shared_ptr<Task> task = std::move(worklist.back());
    worklist.pop_back();
    if (task->isDone() || task->neededBy == lastNeed)
      continue;
    task->neededBy = lastNeed;
    for (const Dependency &dependency : task->dependencies)
      worklist.push_back(dependency.task);
  }
}

void Scheduler::wait(Lock &lock,
                     const std::vector<std::shared_ptr<Task>> &tasks,
                     EdgeKind kind) {
  ++waits;
  uint64_t need = 0;
  if (kindOf(driver) == Schedule::Kind::Lazy) {
    markNeeded(tasks);
    need = lastNeed;
  }
  uint64_t seenCalls = calls;
  Clock::time_point since = Clock::now();
  while (!haveAll(tasks, kind)) {
    Step outcome = step(lock, need);
    // What is not needed may be what the needed one polls for.
    if (outcome != Step::Progress && need != 0)
      outcome = step(lock, 0);
    bool moved = outcome == Step::Progress || calls != seenCalls;
    if (outcome != Step::Progress && !stall(lock, since))
      moved = true;
    noteCall();
    seenCalls = calls;
    if (moved)
      since = Clock::now();
    if (driver.mutex.isContended()) {
      lock.unlock();
      lock.lock();
    }
  }
  for (const std::shared_ptr<Task> &task : tasks)
    noteKnown(*task, kind);
}

void Scheduler::waitForContext(Lock &lock, const Context &context) {
  std::vector<std::shared_ptr<Task>> tasks;
  for (const auto &entry : pending)
    if (entry.second->context.get() == &context)
      tasks.push_back(entry.second);
  ptxsim::Clock submitted = context.submitted;
  wait(lock, tasks);
  orders.learn(submitted);
}

/// Lets other threads of the program change what the work waits for, which has
/// not gone on since `since`.
///
/// \returns false if it was ended because nobody can.
bool Scheduler::stall(Lock &lock, Clock::time_point since) {
  bool hostRuns = std::any_of(running.begin(), running.end(), [](auto &task) {
    return task->progress == Progress::InHost;
  });
  if (!hostRuns &&
      (driver.isOnlyThread() || Clock::now() - since > stallPatience)) {
    failStalled();
    return false;
  }
  changed.wait_for(lock, pollInterval);
  return true;
}

/// Ends what polls memory that nothing will change.
void Scheduler::failStalled() {
  driver.engine().failStalled();
  for (const std::shared_ptr<Task> &task :
       std::vector<std::shared_ptr<Task>>(running)) {
    if (task->progress != Progress::Polling)
      continue;
    driver.complain("a wait of a stream for a value in memory has no end: "
                    "expected work or a thread that writes it, got none");
    task->result = CUDA_ERROR_LAUNCH_TIMEOUT;
    finish(task);
  }
}

bool Scheduler::query(Lock &lock,
                      const std::vector<std::shared_ptr<Task>> &tasks) {
  ++waits;
  bool wasDone = haveAll(tasks, EdgeKind::Full);
  if (wasDone)
    for (const std::shared_ptr<Task> &task : tasks)
      noteKnown(*task);
  if (wasDone || kindOf(driver) != Schedule::Kind::Lazy)
    return wasDone;
  markNeeded(tasks);
  uint64_t need = lastNeed;
  while (
      !haveAll(tasks, EdgeKind::Full) &&
      (step(lock, need) == Step::Progress || step(lock, 0) == Step::Progress)) {
  }
  return false;
}

/// Bounds the memory of programs that never wait.
void Scheduler::drainBacklog(Lock &lock) {
  if (pending.size() <= maxBacklog)
    return;
  while (pending.size() > maxBacklog / 2 && step(lock, 0) == Step::Progress) {
  }
}

void Scheduler::advance(Lock &lock) {
  noteCall();
  if (pending.empty())
    return;
  switch (kindOf(driver)) {
  case Schedule::Kind::Eager:
    while (step(lock, 0) == Step::Progress) {
    }
    break;
  case Schedule::Kind::Lazy:
    if (!running.empty())
      runRunning(lock);
    drainBacklog(lock);
    break;
  case Schedule::Kind::Random:
    for (uint64_t count = random() % 4; count != 0; --count)
      if (step(lock, 0) != Step::Progress)
        break;
    drainBacklog(lock);
    break;
  }
  noteCall();
  if (!pending.empty() && !watchdog.joinable()) {
    watchdog = std::thread([this] { watch(); });
    pthread_setname_np(watchdog.native_handle(), "ptxsim-watch");
  }
}

/// Executes work when the program has not called for a while: it may poll
/// memory that the work is to write.
void Scheduler::watch() {
  auto isQuiet = [this] {
    Clock::time_point last{Clock::duration(lastCall.load())};
    return Clock::now() - last >= watchDelay;
  };
  std::unique_lock<std::mutex> guard(watchMutex);
  while (!stopping) {
    watchWake.wait_for(guard, watchDelay / 4);
    if (stopping || !isQuiet())
      continue;
    guard.unlock();
    {
      Lock lock(driver.mutex);
      while (isQuiet() && !pending.empty() && !driver.isStopping())
        if (step(lock, 0) != Step::Progress)
          changed.wait_for(lock, pollInterval);
    }
    guard.lock();
  }
}

void Scheduler::stop() {
  {
    std::lock_guard<std::mutex> guard(watchMutex);
    stopping = true;
  }
  watchWake.notify_all();
  if (watchdog.joinable())
    watchdog.join();
  host.stop();
}

} // namespace ptxsim::driver
