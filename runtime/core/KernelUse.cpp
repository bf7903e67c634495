#include "runtime/core/KernelUse.h"

#include "runtime/core/Executor.h"

using namespace tcc::rt;

StepCounts tcc::rt::countRows(const Step &step) {
  StepCounts counts;
  auto countsOf = [&](Rows rows) -> RowCounts & {
    return counts[static_cast<size_t>(rows)];
  };
  for (size_t t = 0; t < step.tokens.size(); ++t) {
    double attended = step.positions[t] + 1;
    bool isLast = t + 1 == step.tokens.size() ||
                  step.sequences[t + 1] != step.sequences[t];
    Rows form = step.sequences[t] < step.expandedSequences ? Rows::Expanded
                                                           : Rows::Absorbed;
    for (Rows rows : {Rows::Tokens, form}) {
      ++countsOf(rows).rows;
      countsOf(rows).pairs += attended;
      countsOf(rows).positions += isLast ? attended : 0;
    }
  }
  countsOf(Rows::LogitRows).rows = static_cast<double>(step.logitRows.size());
  return counts;
}

void tcc::rt::addLaunch(const KernelPlan &kernel, const StepCounts &counts,
                        KernelUse &use) {
  ++use.launches;
  if (!kernel.work)
    return;
  const WorkPlan &work = *kernel.work;
  const RowCounts &count = counts[static_cast<size_t>(work.rows)];
  use.bytes += work.bytes + work.bytesOfRow * count.rows +
               work.bytesOfPosition * count.positions;
  use.flops += work.flopsOfRow * count.rows + work.flopsOfPair * count.pairs;
}
