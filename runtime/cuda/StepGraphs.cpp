#include "runtime/cuda/StepGraphs.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;
using namespace tcc::rt::cuda;

/// Steps that take turns: that of the model and those of a prediction.
static constexpr size_t mostGraphs = 4;

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

void StepRecord::add(const Launch &launch) {
  launches.push_back(launch);
  begins.push_back(arguments.size());
  arguments.insert(arguments.end(), launch.arguments,
                   launch.arguments + launch.argumentCount);
}

Launch StepRecord::launch(size_t index) const {
  Launch launch = launches[index];
  launch.arguments = arguments.data() + begins[index];
  return launch;
}

static bool areEqual(const StepSizes &left, const StepSizes &right) {
  return left.tokens == right.tokens && left.sequences == right.sequences &&
         left.logitRows == right.logitRows &&
         left.expandedTokens == right.expandedTokens &&
         left.expandedSequences == right.expandedSequences;
}

bool StepRecord::operator==(const StepRecord &other) const {
  return areEqual(sizes, other.sizes) && deviceSizes == other.deviceSizes &&
         begins == other.begins && arguments == other.arguments &&
         std::equal(
             launches.begin(), launches.end(), other.launches.begin(),
             other.launches.end(), [](const Launch &left, const Launch &right) {
               return left.kernel == right.kernel && left.tiles == right.tiles;
             });
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

StepGraphs::~StepGraphs() {
  for (const Entry &entry : entries)
    if (entry.exec)
      (void)driver.destroyGraphExec(entry.exec);
}

bool StepGraphs::find(const StepRecord &record) {
  auto found =
      std::find_if(entries.begin(), entries.end(),
                   [&](const Entry &entry) { return entry.record == record; });
  bool isKnown = found != entries.end();
  if (!isKnown) {
    // The graph of the step that came longest ago is updated for this one.
    if (entries.size() < mostGraphs)
      entries.emplace_back();
    found = entries.end() - 1;
    found->record = record;
    found->isBuilt = false;
  }
  std::rotate(entries.begin(), found, found + 1);
  return isKnown;
}

Status StepGraphs::capture(const std::function<Status()> &launchAll,
                           Graph &graph) {
  if (Status status =
          driver.statusOf(driver.beginCapture(stream, CaptureMode::ThreadLocal),
                          "cuStreamBeginCapture");
      !status.ok())
    return status;
  Status launched = launchAll();
  Status ended =
      driver.statusOf(driver.endCapture(stream, &graph), "cuStreamEndCapture");
  if (launched.ok())
    return ended;
  if (ended.ok() && graph)
    (void)driver.destroyGraph(graph);
  return launched;
}

Status StepGraphs::update(GraphExec &exec, Graph graph) {
  if (exec) {
    GraphUpdateInfo info = {};
    Result result = driver.updateGraphExec(exec, graph, &info);
    if (result != graphUpdateFailed)
      return driver.statusOf(result, "cuGraphExecUpdate");
    // It has other nodes.
    result = driver.destroyGraphExec(exec);
    exec = nullptr;
    if (result != success)
      return driver.statusOf(result, "cuGraphExecDestroy");
  }
  GraphExec created = nullptr;
  Status status = driver.statusOf(driver.instantiateGraph(&created, graph, 0),
                                  "cuGraphInstantiateWithFlags");
  if (status.ok())
    exec = created;
  return status;
}

Status StepGraphs::run(const StepRecord &record,
                       const std::function<Status()> &launchAll) {
  // A step that does not come again is not worth a graph.
  if (!find(record))
    return launchAll();
  Entry &entry = entries.front();
  if (!entry.isBuilt) {
    Graph graph = nullptr;
    if (Status status = capture(launchAll, graph); !status.ok())
      return status;
    Status status = update(entry.exec, graph);
    (void)driver.destroyGraph(graph);
    if (!status.ok())
      return status;
    entry.isBuilt = true;
  }
  return driver.statusOf(driver.launchGraph(entry.exec, stream),
                         "cuGraphLaunch of the " +
                             std::to_string(record.size()) +
                             " launches of a step");
}
