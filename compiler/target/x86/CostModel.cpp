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

namespace {
class X86CostModel : public CostModel {
public:
  explicit X86CostModel(const TargetDescription &target) : target(target) {}

  LogicalResult verify(Operation *op) const override { return success(); }
  Type chooseOperand(Type given, Type stored, bool quantises) const override;
  kernel::PackingAttrInterface choosePacking(RankedTensorType weight,
                                             bool paired) const override;
  kernel::LinearConfigAttrInterface
  chooseLinear(RankedTensorType weight, Type operand,
               kernel::PackingAttrInterface packing) const override;
  kernel::CacheAttr chooseCache(transformer::CacheOp cache) const override;
  kernel::AttentionConfigAttrInterface
  chooseAttention(kernel::CacheAttr cache,
                  RankedTensorType query) const override;
  kernel::LatentCacheAttr
  chooseLatentCache(transformer::CacheOp cache) const override;
  kernel::LatentConfigAttr
  chooseLatentAttention(kernel::LatentCacheAttr cache,
                        RankedTensorType result) const override;
  ExpandedAttentionChoice
  chooseExpandedAttention(RankedTensorType weight, Type operand,
                          RankedTensorType result) const override;

private:
  kernel::PackingAttr choosePanels(RankedTensorType weight, bool paired) const;
  kernel::LinearConfigAttr chooseBlocks(RankedTensorType weight, Type operand,
                                        kernel::PackingAttr packing) const;
  int64_t widestTile() const {
    return target.lanes *
           (target.registers == 32 ? tileVectors : tileVectorsNarrow);
  }

  TargetDescription target;
};
} // namespace

std::unique_ptr<CostModel>
x86::createCostModel(const TargetDescription &target) {
  return std::make_unique<X86CostModel>(target);
}

Type X86CostModel::chooseOperand(Type given, Type stored,
                                 bool quantises) const {
  if (isa<transformer::BlockType>(stored))
    return IntegerType::get(stored.getContext(), 16);
  if (auto scaled = dyn_cast<transformer::ScaledType>(stored);
      scaled && quantises)
    return scaled.getStorage();
  bool needsF32 = stored.isF32() || stored.isF16() || !given.isBF16();
  return needsF32 ? Type(Float32Type::get(stored.getContext())) : given;
}

kernel::PackingAttr X86CostModel::choosePanels(RankedTensorType weight,
                                               bool paired) const {
  int64_t columns = target.lanes == 16 ? panelColumns : panelColumnsNarrow;
  return kernel::PackingAttr::get(weight.getContext(), columns, paired);
}

kernel::PackingAttrInterface
X86CostModel::choosePacking(RankedTensorType weight, bool paired) const {
  return choosePanels(weight, paired);
}

kernel::LinearConfigAttr
X86CostModel::chooseBlocks(RankedTensorType weight, Type operand,
                           kernel::PackingAttr packing) const {
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
      std::min(widestTile(), packing.getColumns()),
      blockRows / tileRows * tileRows, blockDepth);
}

kernel::LinearConfigAttrInterface
X86CostModel::chooseLinear(RankedTensorType weight, Type operand,
                           kernel::PackingAttrInterface packing) const {
  return chooseBlocks(weight, operand, cast<kernel::PackingAttr>(packing));
}

kernel::CacheAttr X86CostModel::chooseCache(transformer::CacheOp cache) const {
  Type element = cache.getElement();
  return kernel::CacheAttr::get(cache.getContext(), pageTokens,
                                cache.getHeads(), cache.getKeySize(),
                                cache.getValueSize(), element,
                                kernel::CacheOrder::Vectors);
}

kernel::AttentionConfigAttrInterface
X86CostModel::chooseAttention(kernel::CacheAttr cache,
                              RankedTensorType query) const {
  int64_t group = query.getDimSize(1) / cache.getHeads();
  return kernel::AttentionConfigAttr::get(
      query.getContext(), std::max<int64_t>(1, attentionRows / group), tileRows,
      widestTile());
}

kernel::LatentCacheAttr
X86CostModel::chooseLatentCache(transformer::CacheOp cache) const {
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
X86CostModel::chooseLatentAttention(kernel::LatentCacheAttr cache,
                                    RankedTensorType result) const {
  bool isDot = target.dotIsFaster && cache.getElement().isBF16();
  int64_t heads = latentHeads(result.getDimSize(1));
  return kernel::LatentConfigAttr::get(
      result.getContext(),
      isDot ? kernel::Arithmetic::Dot : kernel::Arithmetic::Fma,
      std::max<int64_t>(1, attentionRows / heads), heads, tileRows,
      widestTile());
}

ExpandedAttentionChoice
X86CostModel::chooseExpandedAttention(RankedTensorType weight, Type operand,
                                      RankedTensorType result) const {
  kernel::PackingAttr packing = choosePanels(weight, /*paired=*/false);
  return {packing, chooseBlocks(weight, operand, packing),
          kernel::AttentionConfigAttr::get(result.getContext(), expandedTokens,
                                           tileRows, widestTile())};
}
