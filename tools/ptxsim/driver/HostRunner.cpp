// The thread that runs functions of the host.

#include "tools/ptxsim/driver/HostRunner.h"

#include <pthread.h>

namespace ptxsim::driver {

static thread_local bool onHostThread = false;

bool HostRunner::isCurrent() { return onHostThread; }

HostRunner::~HostRunner() { stop(); }

std::shared_ptr<HostRunner::Call>
HostRunner::run(std::function<void()> function) {
  auto call = std::make_shared<Call>();
  call->function = std::move(function);
  std::lock_guard<std::mutex> lock(mutex);
  if (stopping) {
    call->done = true;
    return call;
  }
  queue.push_back(call);
  if (!thread.joinable()) {
    thread = std::thread([this] { loop(); });
    pthread_setname_np(thread.native_handle(), "ptxsim-host");
  }
  wake.notify_one();
  return call;
}

bool HostRunner::isDone(const Call &call) {
  std::lock_guard<std::mutex> lock(mutex);
  return call.done;
}

bool HostRunner::waitUntil(const Call &call,
                           std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mutex);
  return finished.wait_until(lock, deadline, [&] { return call.done; });
}

void HostRunner::stop() {
  std::unique_lock<std::mutex> lock(mutex);
  stopping = true;
  queue.clear();
  wake.notify_all();
  if (!thread.joinable())
    return;
  // A function that blocks forever must not keep the process from ending, nor
  // may one that ends the process wait for itself.
  bool isBlocked =
      onHostThread || !finished.wait_for(lock, std::chrono::seconds(1),
                                         [&] { return !isBusy; });
  lock.unlock();
  if (isBlocked)
    thread.detach();
  else
    thread.join();
}

void HostRunner::loop() {
  onHostThread = true;
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return stopping || !queue.empty(); });
    if (stopping)
      return;
    std::shared_ptr<Call> call = std::move(queue.front());
    queue.pop_front();
    isBusy = true;
    lock.unlock();
    call->function();
    lock.lock();
    isBusy = false;
    call->done = true;
    finished.notify_all();
  }
}

} // namespace ptxsim::driver
