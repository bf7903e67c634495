// Runs functions of the host that were put into streams, on a thread of its
// own.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_HOSTRUNNER_H
#define TCC_TOOLS_PTXSIM_DRIVER_HOSTRUNNER_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace ptxsim::driver {

class HostRunner {
public:
  /// One call; `done` is guarded by the runner.
  struct Call {
    std::function<void()> function;
    bool done = false;
  };

  ~HostRunner();

  /// Lets `function` run after those that were given before.
  std::shared_ptr<Call> run(std::function<void()> function);

  bool isDone(const Call &call);

  /// Waits until `call` is done.
  ///
  /// \returns false if it is not by `deadline`.
  bool waitUntil(const Call &call,
                 std::chrono::steady_clock::time_point deadline);

  /// Ends the thread after the call that runs; drops the others. A call that
  /// never returns keeps the thread.
  void stop();

  /// True on the thread that runs the functions, which may not call the driver.
  static bool isCurrent();

private:
  void loop();

  std::mutex mutex;
  std::condition_variable wake, finished;
  std::deque<std::shared_ptr<Call>> queue;
  std::thread thread;
  bool stopping = false;
  bool isBusy = false;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_HOSTRUNNER_H
