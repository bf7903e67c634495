// What all launches of a process were counted to do, and its JSON.
//
// A launch has its totals, a kernel those of all its launches and of each line of
// PTX. The members are named in Counts.def; one that is missing is 0.

#ifndef TCC_TOOLS_PTXSIM_COUNT_REPORT_H
#define TCC_TOOLS_PTXSIM_COUNT_REPORT_H

#include "tools/ptxsim/core/Op.h"
#include "tools/ptxsim/count/Counters.h"
#include "tools/ptxsim/machine/Engine.h"

#include <map>
#include <string>
#include <vector>

namespace ptxsim {

struct GridRun;
class JsonWriter;

/// Sums over lines.
struct CountTotals {
  Counts counts;
  struct ClassCounts {
    uint64_t issued = 0, lanes = 0;
  };
  std::array<ClassCounts, opClasses> classes = {};
  std::map<std::string, uint64_t> tensor; ///< Operations by type.
  std::map<std::string, uint64_t> scalar;

  void operator+=(const CountTotals &other);
};

class CountReport {
public:
  /// Launches beyond so many are only part of their kernel's sums.
  static constexpr size_t listedLaunches = 10000;

  /// Adds a launch that has ended.
  void add(const GridRun &run, const Counters &counters,
           const Occupancy &occupancy, uint64_t l1Bytes, bool hasFailed);

  bool isEmpty() const { return kernels.empty(); }
  std::string json(const EngineOptions &options) const;

private:
  /// An instruction that was executed.
  struct LineRecord {
    std::string function, text, sourceFile;
    uint32_t line = 0, sourceLine = 0;
    OpClass opClass = OpClass::Other;
    Counts counts;
    BarrierWaits barriers;
  };
  struct KernelRecord {
    std::string name, module;
    uint64_t launches = 0;
    CountTotals totals;
    /// By function and instruction.
    std::map<std::pair<uint32_t, uint32_t>, LineRecord> lines;
  };
  struct LaunchRecord {
    size_t kernel = 0;
    LaunchParameters launch; ///< Without the parameters.
    uint32_t registers = 0;
    uint64_t staticSharedBytes = 0;
    uint64_t l1Bytes = 0; ///< Of a block.
    Occupancy occupancy;
    bool hasFailed = false;
    CountTotals totals;
  };

  size_t kernelOf(const GridRun &run);
  void addOps(KernelRecord &kernel, const GridRun &run,
              const Counters::CodeCounts &function, CountTotals &totals);
  static void write(JsonWriter &json, const Counts &counts);
  static void write(JsonWriter &json, const CountTotals &totals);
  static void write(JsonWriter &json, const LaunchRecord &launch);
  static void write(JsonWriter &json, const LineRecord &line);

  std::vector<KernelRecord> kernels;
  std::map<std::pair<std::string, uint64_t>, size_t> kernelIndex;
  std::vector<LaunchRecord> launches;
  uint64_t notListed = 0;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_REPORT_H
