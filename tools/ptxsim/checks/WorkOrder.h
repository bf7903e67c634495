// What comes before a piece of work that the host asked for.
//
// Works - grids, copies, sets, and what only orders others - form chains, in
// each of which every work comes after the one before it: a stream is one as
// long as it waits for nothing else. So one position for each chain says all
// that comes before a work.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_WORKORDER_H
#define TCC_TOOLS_PTXSIM_CHECKS_WORKORDER_H

#include "tools/ptxsim/checks/Clock.h"

#include <string>

namespace ptxsim {

struct WorkOrder {
  uint32_t chain = 0;
  Epoch position = 0; ///< In the chain.
  Clock before;       ///< Of each chain, the last position that comes before.
  uint64_t graph =
      0; ///< The launch of the graph that it is a node of; 0 if none.

  bool isBefore(const WorkOrder &later) const {
    return later.before[chain] >= position;
  }
};

/// Rows of memory of the device that a copy or a set reads or writes.
struct TransferSide {
  uint64_t address = 0, pitch = 0, slice = 0;
  bool isWrite = false;
};

/// A copy, a set, or a free, which is a write that nothing may come after.
struct HostTransfer {
  std::string name; ///< "a copy", …
  WorkOrder order;
  uint64_t width = 0, height = 1, depth = 1; ///< In bytes, rows and layers.
  std::vector<TransferSide> sides;
  bool isLast = false;  ///< Nothing that is unordered with it can come later.
  bool isValue = false; ///< A value that a stream writes for others to see.

  /// Bytes of one that may be a flag or a counter, by which the host and a
  /// grid, or the other way round, signal each other.
  static constexpr uint64_t signalBytes = 8;
  bool isSignal() const { return width * height * depth <= signalBytes; }
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_WORKORDER_H
