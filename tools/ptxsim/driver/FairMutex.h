// A mutex that is given to the thread that has waited longest.
//
// Whoever executes the device's work holds the driver's mutex for long and
// takes it again at once; with a plain mutex the other threads would starve.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_FAIRMUTEX_H
#define TCC_TOOLS_PTXSIM_DRIVER_FAIRMUTEX_H

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace ptxsim::driver {

class FairMutex {
public:
  void lock() {
    std::unique_lock<std::mutex> guard(mutex);
    uint64_t ticket = nextTicket++;
    turn.wait(guard, [&] { return ticket == serving; });
  }

  bool try_lock() {
    std::lock_guard<std::mutex> guard(mutex);
    if (nextTicket != serving)
      return false;
    ++nextTicket;
    return true;
  }

  void unlock() {
    {
      std::lock_guard<std::mutex> guard(mutex);
      ++serving;
    }
    turn.notify_all();
  }

  /// True if another thread waits; called by the holder.
  bool isContended() {
    std::lock_guard<std::mutex> guard(mutex);
    return nextTicket - serving > 1;
  }

private:
  std::mutex mutex;
  std::condition_variable turn;
  uint64_t nextTicket = 0, serving = 0;
};

using Lock = std::unique_lock<FairMutex>;

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_FAIRMUTEX_H
