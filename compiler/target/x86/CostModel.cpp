#include "compiler/target/x86/CostModel.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

// Columns of a panel: enough for eight vectors of AVX2 or four of AVX-512, so that
// the latency of the multiply-adds of one row (four clocks, two a clock) is
// covered when a single row is multiplied.
static constexpr int64_t panelColumns = 64;
static constexpr int64_t panelColumnsNarrow = 32;

// Tiles of registers, by the number of registers: what is left holds weights and
// broadcast elements of the input. Of 32: 6 x 4 sums, 4 weights, 1 element; of 16:
// 6 x 2 sums, 2 weights, 1 element.
static constexpr int64_t tileRows = 6;
static constexpr int64_t tileVectors = 4;
static constexpr int64_t tileVectorsNarrow = 2;

// Elements of K that are decoded at once: 128 x 64 weights in f32 are 32 KiB, which
// stay in the first cache. (On Emerald Rapids 512 are slower in e4m3, and not faster
// in blocks of integers.)
static constexpr int64_t blockDepth = 128;

// Rows whose prepared elements take at most half of the second cache are
// multiplied by one panel before the next; not fewer than the smallest number,
// or reading the weights again from memory would cost more than it saves.
static constexpr int64_t smallestBlockRows = 24;
static constexpr int64_t largestBlockRows = 192;

// Positions in a page: a vector of scores fills four registers of AVX-512.
static constexpr int64_t pageTokens = 64;

// Query rows (tokens times heads of a group) that share a page while it is in the
// first cache: 96 rows of 64 queries, scores and outputs are 72 KiB.
static constexpr int64_t attentionRows = 96;

// Heads that share a page of latents once it is in the form that products read; more
// would leave a single token with too few tiles.
static constexpr int64_t largestBlockHeads = 16;

// Tokens that share a page of expanded latents. The runtime cuts prompts into so many,
// and a step has room for them.
static constexpr int64_t expandedTokens = 512;

kernel::PackingAttr x86::choosePacking(const TargetDescription &target,
                                       RankedTensorType weight, bool paired) {
  int64_t columns = target.lanes == 16 ? panelColumns : panelColumnsNarrow;
  return kernel::PackingAttr::get(weight.getContext(), columns, paired);
}

static int64_t widestTile(const TargetDescription &target) {
  return target.lanes *
         (target.registers == 32 ? tileVectors : tileVectorsNarrow);
}

kernel::LinearConfigAttr x86::chooseLinear(const TargetDescription &target,
                                           RankedTensorType weight,
                                           Type operand,
                                           kernel::PackingAttr packing) {
  auto arithmetic = kernel::Arithmetic::Fma;
  if (operand.isInteger(16))
    arithmetic = kernel::Arithmetic::Integer;
  else if (target.dotIsFaster && operand.isBF16())
    arithmetic = kernel::Arithmetic::Dot;
  int64_t operandBytes = arithmetic == kernel::Arithmetic::Fma ? 4 : 2;
  int64_t rowBytes = weight.getDimSize(1) * operandBytes;
  int64_t blockRows = target.cacheBytes / 2 / std::max<int64_t>(rowBytes, 1);
  blockRows = std::clamp(blockRows, smallestBlockRows, largestBlockRows);
  return kernel::LinearConfigAttr::get(
      weight.getContext(), arithmetic, tileRows,
      std::min(widestTile(target), packing.getColumns()),
      blockRows / tileRows * tileRows, blockDepth);
}

kernel::CacheAttr x86::chooseCache(const TargetDescription &target,
                                   transformer::CacheOp cache) {
  Type element = cache.getElement();
  return kernel::CacheAttr::get(cache.getContext(), pageTokens,
                                cache.getHeads(), cache.getKeySize(),
                                cache.getValueSize(), element);
}

kernel::AttentionConfigAttr
x86::chooseAttention(const TargetDescription &target, kernel::CacheAttr cache,
                     RankedTensorType query) {
  int64_t group = query.getDimSize(1) / cache.getHeads();
  return kernel::AttentionConfigAttr::get(
      query.getContext(), std::max<int64_t>(1, attentionRows / group), tileRows,
      widestTile(target));
}

kernel::LatentCacheAttr x86::chooseLatentCache(const TargetDescription &target,
                                               transformer::CacheOp cache) {
  return kernel::LatentCacheAttr::get(
      cache.getContext(), pageTokens, cache.getValueSize(),
      cache.getKeySize() - cache.getValueSize(), cache.getElement());
}

/// Heads that share what a page is made of: as many as leave several tiles for a
/// single token.
static int64_t latentHeads(int64_t heads) {
  int64_t most = std::clamp<int64_t>(heads / 2, 1, largestBlockHeads);
  while (heads % most != 0)
    --most;
  return most;
}

kernel::LatentConfigAttr
x86::chooseLatentAttention(const TargetDescription &target,
                           kernel::LatentCacheAttr cache,
                           RankedTensorType result) {
  bool isDot = target.dotIsFaster && cache.getElement().isBF16();
  int64_t heads = latentHeads(result.getDimSize(1));
  return kernel::LatentConfigAttr::get(
      result.getContext(),
      isDot ? kernel::Arithmetic::Dot : kernel::Arithmetic::Fma,
      std::max<int64_t>(1, attentionRows / heads), heads, tileRows,
      widestTile(target));
}

kernel::AttentionConfigAttr
x86::chooseExpandedAttention(const TargetDescription &target,
                             RankedTensorType result) {
  return kernel::AttentionConfigAttr::get(result.getContext(), expandedTokens,
                                          tileRows, widestTile(target));
}
