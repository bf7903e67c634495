#include "compiler/target/h100/CostModel.h"

#include "compiler/target/h100/Device.h"
#include "compiler/target/h100/GemmTile.h"
#include "compiler/target/h100/SkinnyShape.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

// Gate and value of a gated unit are sums of one thread.
static constexpr int64_t pairRows = accumulatorColumns;

// Lanes of a warp.
static constexpr int64_t warpLanes = 32;

// A thread keeps 4 x 4 sums in registers: for each element of K it reads 8
// numbers and makes 16 products.
static constexpr int64_t threadSums = 4 * 4;
static constexpr int64_t linearTileRows = 64;
static constexpr int64_t largestTileColumns = 64, smallestTileColumns = 16;

// Positions in a page: 16 KiB of keys of 128 elements of bf16, a tile of
// attention.
static constexpr int64_t pageTokens = 64;

// Warps that share the query heads of a key/value head, or positions.
static constexpr int64_t attentionThreads = 128;

// Positions that a warp takes at once where positions are split.
static constexpr int64_t splitPositions = 16;

// Attention of prompts: two warpgroups that multiply 64 query rows each, one
// that copies, and two pieces of keys and values. Keys and values are as long
// as tensor cores take them.
static constexpr int64_t promptThreads = 384, promptTileRows = 128,
                         promptStages = 2, largestHead = 256;
// Sums of more positions and of such heads are too many for registers.
static constexpr int64_t longHead = 128;

// Blocks of a cluster on any GPU that has them.
static constexpr int64_t largestCluster = 8;

// Ranks of logits, 32 bits and those of an id, are exact in f64.
static constexpr int64_t largestSampledVocabulary = 1 << 20;

// A thread computes two exponentials at once, whose operations take turns, a
// few times over. Blocks of a cluster are in different multiprocessors, and 15
// sums of f64 leave a thread less than 128 registers.
static constexpr int64_t threadLogits = 8, largestSampleBlock = 512,
                         largestSampleCluster = 8, warpThreads = 32;

namespace {
class H100CostModel : public CostModel {
public:
  LogicalResult verify(Operation *op) const override;
  Type chooseOperand(Type given, Type stored, bool quantises) const override;
  kernel::PackingAttrInterface choosePacking(RankedTensorType weight,
                                             bool paired) const override;
  kernel::LinearConfigAttrInterface
  chooseLinear(RankedTensorType weight, Type operand,
               kernel::PackingAttrInterface packing) const override;
  kernel::LinearConfigAttrInterface
  choosePromptLinear(RankedTensorType weight, RankedTensorType input,
                     Type operand,
                     kernel::PackingAttrInterface packing) const override;
  int64_t chooseRowAlignment(RankedTensorType activation) const override;
  kernel::CacheAttr chooseCache(transformer::CacheOp cache) const override;
  kernel::AttentionConfigAttrInterface
  chooseAttention(kernel::CacheAttr cache,
                  RankedTensorType query) const override;
  kernel::AttentionConfigAttrInterface
  choosePromptAttention(kernel::CacheAttr cache,
                        RankedTensorType query) const override;
  kernel::GpuSampleConfigAttr
  chooseSampling(RankedTensorType logits) const override;
  kernel::LatentCacheAttr
  chooseLatentCache(transformer::CacheOp cache) const override;
  kernel::LatentConfigAttr
  chooseLatentAttention(kernel::LatentCacheAttr cache,
                        RankedTensorType result) const override;
  ExpandedAttentionChoice
  chooseExpandedAttention(RankedTensorType weight, Type operand,
                          RankedTensorType result) const override;
};
} // namespace

std::unique_ptr<CostModel> h100::createCostModel() {
  return std::make_unique<H100CostModel>();
}

//===----------------------------------------------------------------------===//
// What has kernels
//===----------------------------------------------------------------------===//

/// Whether the cache of `attention` is one of latents.
static bool isLatent(transformer::PagedAttentionOp attention) {
  auto cache = SymbolTable::lookupNearestSymbolFrom<transformer::CacheOp>(
      attention, attention.getCacheAttr());
  return cache && cache.getLatent();
}

LogicalResult H100CostModel::verify(Operation *op) const {
  if (isa<transformer::RouteOp, transformer::DispatchOp,
          transformer::GroupedLinearOp, transformer::CombineOp,
          transformer::HeadLinearOp>(op))
    return op->emitOpError("has no kernel on sm_90a");
  if (auto attention = dyn_cast<transformer::PagedAttentionOp>(op);
      attention && isLatent(attention))
    return op->emitOpError("has no kernel on sm_90a for a cache of latents");
  if (!isa<transformer::LinearOp, transformer::EmbeddingOp>(op))
    return success();
  for (Type type : op->getOperandTypes())
    if (auto shaped = dyn_cast<ShapedType>(type);
        shaped && isa<transformer::ScaledType>(shaped.getElementType()))
      return op->emitOpError("has no kernel on sm_90a for weights with scales, "
                             "got ")
             << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

Type H100CostModel::chooseOperand(Type given, Type stored,
                                  bool quantises) const {
  bool needsF32 = stored.isF32() || stored.isF16() || !given.isBF16();
  return needsF32 ? Type(Float32Type::get(stored.getContext())) : given;
}

kernel::PackingAttrInterface
H100CostModel::choosePacking(RankedTensorType weight, bool paired) const {
  return kernel::RowPackingAttr::get(weight.getContext(),
                                     paired ? pairRows : 0);
}

/// A configuration without stages or clusters: narrow tiles where wide ones
/// would leave multiprocessors without one.
static kernel::GpuLinearConfigAttr chooseSimt(RankedTensorType weight,
                                              const RowLayout &layout) {
  int64_t columns = largestTileColumns;
  while (columns > smallestTileColumns &&
         llvm::divideCeil(layout.packedRows, columns) < multiprocessors)
    columns /= 2;
  return kernel::GpuLinearConfigAttr::get(
      weight.getContext(), kernel::GpuKind::Simt, linearTileRows, columns,
      linearTileRows * columns / threadSums, /*stages=*/1, /*cluster=*/1,
      /*split=*/1);
}

/// Whether few rows are computed in another way than many.
static bool hasTwoForms(Type operand) { return !operand.isF32(); }

kernel::LinearConfigAttrInterface
H100CostModel::chooseLinear(RankedTensorType weight, Type operand,
                            kernel::PackingAttrInterface packing) const {
  RowLayout layout(weight, cast<kernel::RowPackingAttr>(packing));
  if (!hasTwoForms(operand))
    return chooseSimt(weight, layout);
  SkinnyTile tile = chooseSkinnyTile(layout, operand);
  return kernel::GpuLinearConfigAttr::get(
      weight.getContext(), kernel::GpuKind::Skinny, tile.rows, tile.columns,
      tile.threads, tile.stages, tile.cluster, tile.cluster);
}

/// Whether tensor cores multiply elements of `input`, which copies bring to
/// them as they are.
static bool fitsTensorCores(RankedTensorType input, Type operand) {
  return input.getElementType() == operand && !operand.isF32();
}

kernel::LinearConfigAttrInterface
H100CostModel::choosePromptLinear(RankedTensorType weight,
                                  RankedTensorType input, Type operand,
                                  kernel::PackingAttrInterface packing) const {
  if (!hasTwoForms(operand))
    return {};
  RowLayout layout(weight, cast<kernel::RowPackingAttr>(packing));
  if (!fitsTensorCores(input, operand))
    return chooseSimt(weight, layout);
  GemmTile tile = chooseGemmTile(layout);
  return kernel::GpuLinearConfigAttr::get(
      weight.getContext(), kernel::GpuKind::Wgmma, tile.rows, tile.columns,
      gemmThreads, tile.stages, tile.cluster, /*split=*/1);
}

int64_t H100CostModel::chooseRowAlignment(RankedTensorType activation) const {
  // Copies of tiles begin at such places, and bring matrices of 16-bit
  // elements.
  bool isCopied = activation.getRank() == 2 && activation.isDynamicDim(0) &&
                  activation.getElementTypeBitWidth() == 16;
  return isCopied ? tensorAlignment : 1;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

kernel::CacheAttr H100CostModel::chooseCache(transformer::CacheOp cache) const {
  return kernel::CacheAttr::get(
      cache.getContext(), pageTokens, cache.getHeads(), cache.getKeySize(),
      cache.getValueSize(), cache.getElement(), kernel::CacheOrder::Rows);
}

/// Whether tensor cores multiply queries and keys, weights and values.
static bool fitsTensorCores(kernel::CacheAttr cache, RankedTensorType query) {
  return cache.getElement().isBF16() && query.getElementType().isBF16() &&
         cache.getPaddedKeySize() <= largestHead &&
         cache.getPaddedValueSize() <= largestHead;
}

/// The query heads of a key/value head.
static int64_t groupOf(kernel::CacheAttr cache, RankedTensorType query) {
  return query.getDimSize(1) / cache.getHeads();
}

/// Blocks among which the positions of a context are split: as many as keep one
/// sequence from leaving multiprocessors without work.
static int64_t chooseSplit(kernel::CacheAttr cache) {
  int64_t split = 1;
  while (split < largestCluster &&
         2 * split * cache.getHeads() <= multiprocessors)
    split *= 2;
  return split;
}

kernel::AttentionConfigAttrInterface
H100CostModel::chooseAttention(kernel::CacheAttr cache,
                               RankedTensorType query) const {
  // A block has the query heads of one token.
  int64_t group = groupOf(cache, query);
  if (!fitsTensorCores(cache, query))
    return kernel::GpuAttentionConfigAttr::get(
        query.getContext(), kernel::GpuKind::Simt, group, pageTokens,
        attentionThreads, /*stages=*/1, /*cluster=*/1, /*split=*/1);
  int64_t split = chooseSplit(cache);
  return kernel::GpuAttentionConfigAttr::get(
      query.getContext(), kernel::GpuKind::Split, group,
      attentionThreads / warpLanes * splitPositions, attentionThreads,
      /*stages=*/1, split, split);
}

kernel::AttentionConfigAttrInterface
H100CostModel::choosePromptAttention(kernel::CacheAttr cache,
                                     RankedTensorType query) const {
  if (!fitsTensorCores(cache, query) || groupOf(cache, query) > promptTileRows)
    return {};
  bool isLong =
      std::max(cache.getPaddedKeySize(), cache.getPaddedValueSize()) > longHead;
  return kernel::GpuAttentionConfigAttr::get(
      query.getContext(), kernel::GpuKind::Wgmma, promptTileRows,
      isLong ? pageTokens : 2 * pageTokens, promptThreads, promptStages,
      /*cluster=*/1, /*split=*/1);
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

/// As few blocks as leave a thread `threadLogits` logits, up to a cluster.
kernel::GpuSampleConfigAttr
H100CostModel::chooseSampling(RankedTensorType logits) const {
  int64_t vocabulary = logits.getDimSize(1);
  if (vocabulary > largestSampledVocabulary)
    return {};
  int64_t wanted = llvm::divideCeil(vocabulary, threadLogits), cluster = 1;
  while (cluster < largestSampleCluster &&
         cluster * largestSampleBlock < wanted)
    cluster *= 2;
  int64_t threads =
      std::min(kernel::roundUp(wanted, warpThreads), largestSampleBlock);
  return kernel::GpuSampleConfigAttr::get(logits.getContext(), threads,
                                          cluster);
}

//===----------------------------------------------------------------------===//
// Latents
//===----------------------------------------------------------------------===//

kernel::LatentCacheAttr
H100CostModel::chooseLatentCache(transformer::CacheOp cache) const {
  llvm_unreachable("verify refuses attention over latents");
}

kernel::LatentConfigAttr
H100CostModel::chooseLatentAttention(kernel::LatentCacheAttr cache,
                                     RankedTensorType result) const {
  llvm_unreachable("verify refuses attention over latents");
}

ExpandedAttentionChoice
H100CostModel::chooseExpandedAttention(RankedTensorType weight, Type operand,
                                       RankedTensorType result) const {
  llvm_unreachable("verify refuses attention over latents");
}
