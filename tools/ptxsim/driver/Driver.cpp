// The driver of the process.

#include "tools/ptxsim/driver/Driver.h"

#include "tools/ptxsim/driver/Report.h"
#include "tools/ptxsim/driver/baseline/Baseline.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <pthread.h>

namespace ptxsim::driver {

// The driver lives as long as the process: calls may come from destructors of
// static objects and from threads that still run.
static std::atomic<Driver *> theDriver{nullptr};
static std::atomic<bool> hasEnded{false};
/// A child of the process that initialised it has no driver: the threads and
/// locks of this one are not there.
static std::atomic<bool> isChild{false};

Driver::Driver(const Config &config)
    : settings(config), machine(Engine::create(config.engine)),
      scheduler(*this) {}

CUresult Driver::initialise() {
  if (isChild)
    return CUDA_ERROR_NOT_INITIALIZED;
  static std::mutex mutex;
  std::lock_guard<std::mutex> guard(mutex);
  if (hasEnded)
    return CUDA_ERROR_DEINITIALIZED;
  if (theDriver.load())
    return CUDA_SUCCESS;
  Config config;
  std::string message;
  auto environment = [](const char *name) -> const char * {
    return std::getenv(name);
  };
  if (!readConfig(environment, config, message)) {
    std::fprintf(stderr, "ptxsim: %s\n", message.c_str());
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto driver = std::make_unique<Driver>(config);
  if (!driver->machine) {
    std::fprintf(stderr, "ptxsim: expected memory for the simulator, got none "
                         "from the host\n");
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  theDriver = driver.release();
  pthread_atfork(nullptr, nullptr, [] { isChild = true; });
  return CUDA_SUCCESS;
}

Driver *Driver::get(CUresult &result) {
  if (hasEnded) {
    result = CUDA_ERROR_DEINITIALIZED;
    return nullptr;
  }
  Driver *driver = isChild ? nullptr : theDriver.load();
  if (!driver)
    result = CUDA_ERROR_NOT_INITIALIZED;
  return driver;
}

/// Names what the program never freed.
static void warnOfLeaks(Driver &driver) {
  if (driver.config().engine.checks != CheckLevel::All)
    return;
  for (const std::shared_ptr<Context> &context : driver.contexts.all()) {
    // Who fails does not clean up.
    if (context->error != CUDA_SUCCESS)
      continue;
    for (const Allocation &allocation : driver.memory().live(context->id)) {
      // What has a name belongs to a module or to a graph.
      bool isOfProgram = allocation.kind == MemoryKind::Device ||
                         allocation.kind == MemoryKind::Managed ||
                         allocation.kind == MemoryKind::Pinned;
      if (!isOfProgram || (!allocation.name.empty() &&
                           driver.graphMemory.count(allocation.address) == 0))
        continue;
      driver.complain(
          "warning: leak: allocation " + std::to_string(allocation.serial) +
          " of " + std::to_string(allocation.bytes) + " bytes was never freed");
    }
  }
}

void Driver::shutDown() {
  Driver *driver = theDriver.load();
  if (!driver || isChild || hasEnded.exchange(true))
    return;
  driver->stopping = true;
  driver->scheduler.stop();
  // A thread that still executes work keeps the lock; then nothing is safe to
  // look at.
  if (!driver->mutex.try_lock()) {
    if (!driver->settings.reportPath.empty())
      driver->complain("PTXSIM_REPORT: expected all threads to have left the "
                       "driver at exit, got one that executes work: what it "
                       "runs is not in '" +
                       driver->settings.reportPath + "'");
    return;
  }
  warnOfLeaks(*driver);
  writeReport(*driver);
  driver->mutex.unlock();
}

void Driver::complain(const std::string &text) {
  std::string lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    lines += "ptxsim: " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  std::fwrite(lines.data(), 1, lines.size(), stderr);
}

void Driver::complain(const Fault &fault) {
  std::string report = render(fault);
  std::fwrite(report.data(), 1, report.size(), stderr);
}

bool Driver::isOnlyThread() const {
  DIR *folder = opendir("/proc/self/task");
  if (!folder)
    return false;
  unsigned count = 0;
  while (dirent *entry = readdir(folder)) {
    if (!std::isdigit(static_cast<unsigned char>(entry->d_name[0])))
      continue;
    std::string path =
        std::string("/proc/self/task/") + entry->d_name + "/comm";
    char name[8] = {};
    if (FILE *file = std::fopen(path.c_str(), "r")) {
      size_t length = std::fread(name, 1, sizeof(name) - 1, file);
      (void)length;
      std::fclose(file);
      count += std::strncmp(name, "ptxsim-", 7) != 0;
    }
  }
  closedir(folder);
  return count <= 1;
}

CUresult initialiseDriver() { return Driver::initialise(); }
void shutDownDriver() { Driver::shutDown(); }

static thread_local bool perThreadDefault = false;

PerThreadDefault::PerThreadDefault() : before(perThreadDefault) {
  perThreadDefault = true;
}
PerThreadDefault::~PerThreadDefault() { perThreadDefault = before; }
bool PerThreadDefault::isActive() { return perThreadDefault; }

uint64_t threadNumber() {
  static std::atomic<uint64_t> count{0};
  static thread_local uint64_t number = ++count;
  return number;
}

static thread_local ContextStack currentStack = {};

ContextStack &contextStack() { return currentStack; }

bool ContextStack::push(CUcontext context) {
  if (depth == capacity)
    return false;
  entries[depth++] = context;
  return true;
}

bool ContextStack::set(CUcontext context) {
  pop();
  return !context || push(context);
}

CUresult findCurrent(Driver &driver, std::shared_ptr<Context> &context) {
  CUcontext handle = contextStack().top();
  if (!handle)
    return CUDA_ERROR_INVALID_CONTEXT;
  context = driver.contexts.find(handle);
  if (!context)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return context->error;
}

} // namespace ptxsim::driver
