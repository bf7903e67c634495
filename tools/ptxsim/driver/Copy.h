// Copies and sets of memory.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_COPY_H
#define TCC_TOOLS_PTXSIM_DRIVER_COPY_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// One side of a copy: rows of a box in memory.
struct CopySide {
  uint64_t address = 0; ///< Of the first byte that is copied.
  uint64_t pitch = 0;   ///< Bytes from row to row.
  uint64_t slice = 0;   ///< Bytes from layer to layer.
  /// True for memory of the host that the driver knows nothing of.
  bool isPageable = false;
  MemoryKind kind = MemoryKind::Device; ///< Unless it is pageable.
};

/// A copy of `width` bytes in each of `height` rows of `depth` layers.
struct CopyShape {
  CopySide destination, source;
  uint64_t width = 0, height = 1, depth = 1;

  bool isEmpty() const { return width == 0 || height == 0 || depth == 0; }
};

/// What kind of memory a caller says that an address is in.
enum class Where : uint8_t { Host, Device, Either };

/// Fails `task` with a report if what `side` covers is no longer allocated.
bool isStillThere(Task &task, Driver &driver, const CopySide &side,
                  const CopyShape &shape);

/// Finds out what `side` is, whose rows `shape` gives. Complaints begin with
/// `name`.
CUresult resolveSide(Call &call, const char *name, Where where,
                     const CopyShape &shape, CopySide &side);

/// Compares what a task does to memory of the device with what nothing orders
/// with it, and fails it with a report if it is a race.
bool isOrdered(Task &task, Driver &driver, const HostTransfer &transfer);

class CopyWork : public Work {
public:
  CopyWork(const char *name, const CopyShape &shape)
      : name(name), shape(shape) {}
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMCPY; }
  Progress start(Task &task, Driver &driver) const override;
  bool tellsHost() const override;

  const char *name; ///< Of the call that asked for it.
  CopyShape shape;
  bool isAwaited = false; ///< That call waits for it and tells the result.
  /// The bytes of a source that the caller may change before the copy runs.
  std::vector<uint8_t> staged;
};

/// How far a copy has come when the call returns.
enum class CopyMode : uint8_t { Sync, Async };

/// A copy as a program asks for it.
struct CopyRequest {
  CopyShape shape;
  Where destination = Where::Either, source = Where::Either;
};

/// Resolves both sides of a copy.
CUresult resolveCopy(Call &call, const char *name, CopyRequest &request);

/// Resolves a copy and puts it into the stream that `handle` means.
CUresult submitCopy(Call &call, const char *name, CopyRequest request,
                    CUstream handle, CopyMode mode);

/// Reads what describes a copy of a box. Arrays are refused.
CUresult readCopy(Call &call, const char *name, const CUDA_MEMCPY3D &parameters,
                  CopyRequest &request);

/// Describes a copy as a program would have.
CUDA_MEMCPY3D describeCopy(const CopyShape &shape);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_COPY_H
