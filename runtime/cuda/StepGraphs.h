// Steps that come again as graphs of the driver: one call launches all kernels.
//
// A decode step has the launches of the one before it, with the same arguments:
// what differs, its inputs and sizes, lies in the same memory of the device. A
// graph is made when a step comes for the second time, launched as it is while
// equal steps follow, and updated rather than built anew for a step of another
// shape.

#ifndef TCC_RUNTIME_CUDA_STEPGRAPHS_H
#define TCC_RUNTIME_CUDA_STEPGRAPHS_H

#include "runtime/core/Device.h"
#include "runtime/core/Plan.h"
#include "runtime/cuda/Driver.h"

#include <functional>
#include <vector>

namespace tcc::rt::cuda {

/// The launches of one step, as they were asked for.
class StepRecord {
public:
  StepRecord() = default;
  /// Of a step of `sizes`, which lie at `deviceSizes`.
  StepRecord(const StepSizes &sizes, const void *deviceSizes)
      : sizes(sizes), deviceSizes(deviceSizes) {}

  void add(const Launch &launch);
  size_t size() const { return launches.size(); }
  /// Launch `index`, valid until the next `add`.
  Launch launch(size_t index) const;
  /// Whether it takes the very same launches.
  bool operator==(const StepRecord &other) const;

private:
  StepSizes sizes;
  const void *deviceSizes = nullptr;
  std::vector<Launch> launches; ///< Without their arguments, and
  std::vector<size_t> begins;   ///< where these begin in
  std::vector<void *> arguments;
};

/// Not thread-safe.
class StepGraphs {
public:
  StepGraphs(const Driver &driver, Stream stream)
      : driver(driver), stream(stream) {}
  ~StepGraphs();
  StepGraphs(const StepGraphs &) = delete;
  StepGraphs &operator=(const StepGraphs &) = delete;

  /// Runs `record` in the stream.
  ///
  /// \param launchAll Puts its launches into the stream, one by one.
  Status run(const StepRecord &record,
             const std::function<Status()> &launchAll);

private:
  /// A step that came, the latest first.
  struct Entry {
    StepRecord record;
    GraphExec exec = nullptr; ///< Of this step, if `isBuilt`, or of another.
    bool isBuilt = false;
  };

  /// The entry of `record`, in front; true if it came before.
  bool find(const StepRecord &record);
  Status capture(const std::function<Status()> &launchAll, Graph &graph);
  /// Makes `exec` run `graph`.
  Status update(GraphExec &exec, Graph graph);

  const Driver &driver;
  Stream stream;
  std::vector<Entry> entries;
};

} // namespace tcc::rt::cuda

#endif // TCC_RUNTIME_CUDA_STEPGRAPHS_H
