#include "compiler/target/h100/CostModel.h"

#include "compiler/target/h100/Device.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

// Gate and value of a gated unit are sums of one thread.
static constexpr int64_t pairRows = accumulatorColumns;

// A thread keeps 4 x 4 sums in registers: for each element of K it reads 8
// numbers and makes 16 products.
static constexpr int64_t threadSums = 4 * 4;
static constexpr int64_t linearTileRows = 64;
static constexpr int64_t largestTileColumns = 64, smallestTileColumns = 16;

// Positions in a page: 16 KiB of keys of 128 elements of bf16, a tile of
// attention.
static constexpr int64_t pageTokens = 64;

// Warps that share the query heads of a key/value head.
static constexpr int64_t attentionThreads = 128;

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

/// Narrow tiles where wide ones would leave multiprocessors without one.
kernel::LinearConfigAttrInterface
H100CostModel::chooseLinear(RankedTensorType weight, Type operand,
                            kernel::PackingAttrInterface packing) const {
  int64_t rows =
      cast<kernel::RowPackingAttr>(packing).getPackedRows(weight.getDimSize(0));
  int64_t columns = largestTileColumns;
  while (columns > smallestTileColumns &&
         llvm::divideCeil(rows, columns) < multiprocessors)
    columns /= 2;
  return kernel::GpuLinearConfigAttr::get(
      weight.getContext(), kernel::GpuKind::Simt, linearTileRows, columns,
      linearTileRows * columns / threadSums, /*stages=*/1, /*cluster=*/1,
      /*split=*/1);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

kernel::CacheAttr H100CostModel::chooseCache(transformer::CacheOp cache) const {
  return kernel::CacheAttr::get(
      cache.getContext(), pageTokens, cache.getHeads(), cache.getKeySize(),
      cache.getValueSize(), cache.getElement(), kernel::CacheOrder::Rows);
}

kernel::AttentionConfigAttrInterface
H100CostModel::chooseAttention(kernel::CacheAttr cache,
                               RankedTensorType query) const {
  // The query heads of one token.
  int64_t group = query.getDimSize(1) / cache.getHeads();
  return kernel::GpuAttentionConfigAttr::get(
      query.getContext(), kernel::GpuKind::Simt, group, pageTokens,
      attentionThreads, /*stages=*/1, /*cluster=*/1, /*split=*/1);
}

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
