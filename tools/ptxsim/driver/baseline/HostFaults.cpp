// Survives addresses of the host that nothing is at; see HostFaults.h.

#include "tools/ptxsim/driver/baseline/HostFaults.h"

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>

namespace ptxsim::driver {

namespace {
/// One `surviveFaults` that runs.
struct Survivor {
  sigjmp_buf target;
  Survivor *outer;
  uint64_t address;
};
} // namespace

static constexpr int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction before[2];

/// Does what the program had asked for before.
static void passOn(int number, siginfo_t *info, void *context) {
  const struct sigaction &action = before[number == SIGSEGV ? 0 : 1];
  if (action.sa_flags & SA_SIGINFO)
    action.sa_sigaction(number, info, context);
  else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
    action.sa_handler(number);
  else
    sigaction(number, &action, nullptr); // The fault comes again.
}

/// Of the innermost survivor of each thread. A handler may read it in any
/// thread, where a thread_local variable might have to be allocated first.
static pthread_key_t key;

static void handle(int number, siginfo_t *info, void *context) {
  auto *survivor = static_cast<Survivor *>(pthread_getspecific(key));
  // A signal that somebody sent is no fault.
  bool isFault = info->si_code > 0;
  if (!survivor || !isFault) {
    passOn(number, info, context);
    return;
  }
  bool hasAddress = info->si_code != SI_KERNEL;
  survivor->address =
      hasAddress ? reinterpret_cast<uint64_t>(info->si_addr) : 0;
  siglongjmp(survivor->target, 1);
}

static bool installHandlers() {
  if (pthread_key_create(&key, nullptr) != 0)
    std::abort();
  struct sigaction action = {};
  action.sa_sigaction = handle;
  // It is left by a jump, after which the signal must not stay blocked.
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  for (int i = 0; i < 2; ++i)
    sigaction(signals[i], &action, &before[i]);
  return true;
}

static Survivor *innermost() {
  static const bool installed = installHandlers();
  (void)installed;
  return static_cast<Survivor *>(pthread_getspecific(key));
}

bool surviveFaults(void (*body)(void *), void *argument, uint64_t &address) {
  Survivor survivor;
  survivor.outer = innermost();
  if (sigsetjmp(survivor.target, 0) != 0) {
    pthread_setspecific(key, survivor.outer);
    address = survivor.address;
    return false;
  }
  pthread_setspecific(key, &survivor);
  body(argument);
  pthread_setspecific(key, survivor.outer);
  return true;
}

CUresult refuseAddress(const char *name, uint64_t address) {
  // Without the version, as everywhere. Functions of the runtime that share
  // their code may not know which of them it is.
  bool isCall = std::strncmp(name, "cu", 2) == 0;
  const char *call = isCall ? name : "a call of the runtime";
  std::fprintf(stderr,
               "ptxsim: %.*s: expected addresses of the host that can be read "
               "or written, got ",
               static_cast<int>(std::strcspn(call, "_")), call);
  if (address != 0)
    std::fprintf(stderr, "0x%llx\n", static_cast<unsigned long long>(address));
  else
    std::fputs("one that no memory can have\n", stderr);
  return CUDA_ERROR_INVALID_VALUE;
}

NoSurvival::NoSurvival() : suspended(innermost()) {
  pthread_setspecific(key, nullptr);
}
NoSurvival::~NoSurvival() { pthread_setspecific(key, suspended); }

} // namespace ptxsim::driver
