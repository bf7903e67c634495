// Copies and sets of memory.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_COPY_H
#define TCC_TOOLS_PTXSIM_DRIVER_COPY_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim {

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

/// Finds out what `side` is, whose rows `shape` gives.
CUresult resolveSide(Call &call, const char *name, Where where,
                     const CopyShape &shape, CopySide &side);

class CopyWork : public Work {
public:
  explicit CopyWork(const CopyShape &shape) : shape(shape) {}
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMCPY; }
  Progress start(Task &task, Driver &driver) const override;

  CopyShape shape;
  /// The bytes of a source that the caller may change before the copy runs.
  std::vector<uint8_t> staged;
};

/// How far a copy has come when the call returns.
enum class CopyMode : uint8_t { Sync, Async };

/// Resolves both sides of `shape` and puts the copy into `handle`.
CUresult submitCopy(Call &call, const char *name, CopyShape shape,
                    Where destination, Where source, CUstream handle,
                    CopyMode mode);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_DRIVER_COPY_H
