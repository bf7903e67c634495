#include "compiler/schedule/BufferAllocator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir::tcc;

static constexpr int64_t alignment = 64;

/// The lowest offset at which `bytes` fit between the `taken` ranges.
static int64_t findGap(std::vector<std::pair<int64_t, int64_t>> taken,
                       int64_t bytes) {
  llvm::sort(taken);
  int64_t offset = 0;
  for (auto [begin, end] : taken) {
    if (offset + bytes <= begin)
      break;
    offset = std::max(offset, end);
  }
  return offset;
}

std::vector<int64_t>
mlir::tcc::allocateBuffers(llvm::ArrayRef<Lifetime> buffers, int64_t &total) {
  std::vector<size_t> order(llvm::seq<size_t>(0, buffers.size()).begin(),
                            llvm::seq<size_t>(0, buffers.size()).end());
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(buffers[b].bytes, a) <
           std::make_pair(buffers[a].bytes, b);
  });
  std::vector<int64_t> offsets(buffers.size(), 0);
  std::vector<size_t> placed;
  total = 0;
  for (size_t index : order) {
    const Lifetime &buffer = buffers[index];
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t other : placed)
      if (buffers[other].first <= buffer.last &&
          buffer.first <= buffers[other].last)
        taken.emplace_back(
            offsets[other],
            offsets[other] +
                static_cast<int64_t>(llvm::alignTo(
                    static_cast<uint64_t>(buffers[other].bytes), alignment)));
    offsets[index] = findGap(std::move(taken), buffer.bytes);
    placed.push_back(index);
    total = std::max(
        total, offsets[index] +
                   static_cast<int64_t>(llvm::alignTo(
                       static_cast<uint64_t>(buffer.bytes), alignment)));
  }
  return offsets;
}
