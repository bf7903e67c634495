// The counters that a report has of a line, a launch and a kernel.

#ifndef TCC_TOOLS_PTXSIM_COUNT_COUNTS_H
#define TCC_TOOLS_PTXSIM_COUNT_COUNTS_H

#include <array>
#include <cstdint>

namespace ptxsim {

enum class Count : uint8_t {
#define PTXSIM_COUNT(identifier, group, name, meaning) identifier,
#include "tools/ptxsim/count/Counts.def"
#undef PTXSIM_COUNT
};

/// Where a counter stands in a report.
struct CountName {
  const char *group;
  const char *name;
};

constexpr CountName countNames[] = {
#define PTXSIM_COUNT(identifier, group, name, meaning) {group, name},
#include "tools/ptxsim/count/Counts.def"
#undef PTXSIM_COUNT
};
constexpr unsigned countCount = sizeof(countNames) / sizeof(countNames[0]);

struct Counts {
  std::array<uint64_t, countCount> values = {};

  uint64_t &operator[](Count count) { return values[unsigned(count)]; }
  uint64_t operator[](Count count) const { return values[unsigned(count)]; }

  Counts &operator+=(const Counts &other) {
    for (unsigned i = 0; i < countCount; ++i)
      values[i] += other.values[i];
    return *this;
  }
  bool operator==(const Counts &other) const { return values == other.values; }
};

/// A bulk operation between global memory and shared memory, or between blocks.
struct BulkCount {
  Count kind = Count::BulkLoads;
  uint64_t bytes = 0;
  uint32_t deliveries = 0; ///< Shared memories that it writes.
  bool takes = false;      ///< Reads shared memory.
  bool isBox = false;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_COUNTS_H
