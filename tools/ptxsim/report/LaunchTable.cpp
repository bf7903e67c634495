// One row for each launch.

#include "tools/ptxsim/report/Table.h"
#include "tools/ptxsim/report/Tables.h"

#include <cstdio>

namespace ptxreport {

/// "(4, 2, 1)" as "4x2", without trailing ones.
static std::string sizeOf(const Json &size) {
  std::string result, ones;
  if (!size.is_array())
    return "-";
  for (const Json &value : size) {
    uint64_t number =
        value.is_number_unsigned() ? value.get<uint64_t>() : uint64_t(0);
    ones += (result.empty() && ones.empty() ? "" : "x") + std::to_string(number);
    if (number == 1 && !result.empty())
      continue;
    result += ones;
    ones.clear();
  }
  return result;
}

static std::string nameOfKernel(const Json &report, const Json &launch) {
  const Json &kernels = member(report, "kernels");
  uint64_t index = numberOf(launch, "kernel");
  if (!kernels.is_array() || index >= kernels.size())
    return "?";
  return textOf(kernels[index], "name");
}

void printLaunches(const Json &report) {
  std::printf("schedule %s, checks %s\n\n", textOf(report, "schedule").c_str(),
              textOf(report, "checks").c_str());
  Table table({"launch", "grid", "cluster", "block", "registers", "blocks/SM",
               "limit", "waves", "instructions", "lanes", "L2", "L2 hits", "HBM",
               "compulsory", "conflicts", "not ready", "kernel"});
  for (const Json &launch : member(report, "launches")) {
    const Json &totals = member(launch, "totals");
    const Json &occupancy = member(launch, "occupancy");
    uint64_t issued = numberOf(totals, "issued");
    uint64_t reads = numberOf(totals, "l2", "readSectors") +
                     numberOf(totals, "l2", "atomicSectors");
    uint64_t compulsory = numberOf(totals, "compulsory", "readSectors") +
                          numberOf(totals, "compulsory", "writeSectors");
    bool hasFailed = textOf(launch, "result") == "failed";
    table.add({std::to_string(numberOf(launch, "launch")),
               sizeOf(member(launch, "grid")),
               sizeOf(member(launch, "cluster")),
               sizeOf(member(launch, "block")),
               std::to_string(numberOf(launch, "registers")),
               std::to_string(numberOf(occupancy, "blocksPerMultiprocessor")),
               textOf(occupancy, "limit"),
               std::to_string(numberOf(occupancy, "waves")), shortNumber(issued),
               percent(numberOf(totals, "lanes"), issued * 32),
               shortBytes(l2Bytes(totals)),
               percent(numberOf(totals, "l2", "hitSectors"), reads),
               shortBytes(hbmBytes(totals)),
               shortBytes(compulsory * sectorBytes),
               percent(conflicts(totals), wavefronts(totals)),
               percent(numberOf(totals, "wait", "notReady"),
                       numberOf(totals, "wait", "waits")),
               nameOfKernel(report, launch) + (hasFailed ? " (failed)" : "")});
  }
  table.print(0);
  if (uint64_t more = numberOf(report, "launchesNotListed"))
    std::printf("and %llu more, which are part of their kernels' sums\n",
                static_cast<unsigned long long>(more));
}

} // namespace ptxreport
