// Offsets of buffers that share memory when they live at different times.

#ifndef TCC_COMPILER_SCHEDULE_BUFFERALLOCATOR_H
#define TCC_COMPILER_SCHEDULE_BUFFERALLOCATOR_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace mlir::tcc {

/// A buffer to place: `bytes`, from launch `first` to launch `last`.
struct Lifetime {
  int64_t bytes;
  int64_t first;
  int64_t last;
};

/// Places each buffer at a multiple of 64 so that no two that live at once
/// overlap: the largest first, each at the lowest place that is free.
///
/// \param [out] total The end of the highest.
///
/// \returns The offsets, in the order of `buffers`.
std::vector<int64_t> allocateBuffers(llvm::ArrayRef<Lifetime> buffers,
                                     int64_t &total);

} // namespace mlir::tcc

#endif // TCC_COMPILER_SCHEDULE_BUFFERALLOCATOR_H
