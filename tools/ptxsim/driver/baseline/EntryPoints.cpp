// Finding functions by name and version, and refusing those that are missing.

#include "tools/ptxsim/driver/baseline/Baseline.h"

#include <cstdio>
#include <cstring>

// Only their addresses are of interest here.
#define PTXSIM_ENTRY(SYMBOL, NAME, VERSION, TWIN)                              \
  extern "C" ptxsim::CUresult SYMBOL();
#include "tools/ptxsim/driver/Entries.def"
#undef PTXSIM_ENTRY

namespace ptxsim::driver {

/// Names a call that is not supported, the first time.
static CUresult refuse(const char *name, bool &told) {
  if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
    std::fprintf(stderr, "ptxsim: %s is not supported\n", name);
  return CUDA_ERROR_NOT_SUPPORTED;
}

#define PTXSIM_MISSING(SYMBOL, NAME, VERSION, TWIN)                            \
  PTXSIM_BASELINE_API SYMBOL() {                                               \
    static bool told = false;                                                  \
    return refuse(#SYMBOL, told);                                              \
  }
#include "tools/ptxsim/driver/Missing.def"
#undef PTXSIM_MISSING

/// A function and what it is asked for by.
struct EntryPoint {
  const char *name;
  int version;      ///< Of CUDA, since which it is there.
  bool isPerThread; ///< The null stream is that of the thread.
  const char *symbol;
  CUresult (*function)();
};

static const EntryPoint entryPoints[] = {
#define PTXSIM_ENTRY(SYMBOL, NAME, VERSION, TWIN)                              \
  {NAME, VERSION, TWIN, #SYMBOL, ::SYMBOL},
#include "tools/ptxsim/driver/Entries.def"
#undef PTXSIM_ENTRY
#define PTXSIM_MISSING(SYMBOL, NAME, VERSION, TWIN)                            \
  {NAME, VERSION, TWIN, #SYMBOL, SYMBOL},
#include "tools/ptxsim/driver/Missing.def"
#undef PTXSIM_MISSING
};

SearchResult findEntryPoint(const char *name, int version, bool isPerThread,
                            void *&function) {
  const EntryPoint *result = nullptr;
  SearchResult outcome = SearchResult::NotFound;
  for (const EntryPoint &entry : entryPoints) {
    // The full name of a version is understood, too.
    bool isExact = std::strcmp(entry.symbol, name) == 0 &&
                   std::strcmp(entry.name, name) != 0;
    if (isExact) {
      function = reinterpret_cast<void *>(entry.function);
      return SearchResult::Found;
    }
    if (std::strcmp(entry.name, name) != 0 ||
        (entry.isPerThread && !isPerThread))
      continue;
    if (entry.version > version) {
      if (!result)
        outcome = SearchResult::TooOld;
      continue;
    }
    bool isBetter = !result || (entry.isPerThread && !result->isPerThread) ||
                    (entry.isPerThread == result->isPerThread &&
                     entry.version > result->version);
    if (isBetter)
      result = &entry;
    outcome = SearchResult::Found;
  }
  function = result ? reinterpret_cast<void *>(result->function) : nullptr;
  return outcome;
}

} // namespace ptxsim::driver
