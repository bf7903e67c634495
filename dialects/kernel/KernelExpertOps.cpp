// Interface methods of the `kernel` ops of experts and latent attention.

#include "dialects/kernel/KernelSupport.h"

using namespace mlir;
using namespace mlir::tcc::kernel;

static int64_t dimension(Value value, int64_t index) {
  return shapedType(value).getDimSize(index);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

int64_t LatentCacheAttr::getElementBytes() const {
  return getElement().getIntOrFloatBitWidth() / 8;
}

// Pairs of bf16 in the widest vector.
static constexpr int64_t widestPairs = 2 * widestVector;

int64_t LatentCacheAttr::getPaddedLatentSize() const {
  return roundUp(getLatentSize(), widestPairs);
}

int64_t LatentCacheAttr::getPaddedRowSize() const {
  return roundUp(getRowSize(), widestPairs);
}

int64_t LatentCacheAttr::getRowBytes() const {
  return getPaddedRowSize() * getElementBytes();
}

int64_t LatentCacheAttr::getPageBytes() const {
  return getPageTokens() * getRowBytes();
}

int64_t GroupedLinearOp::getExperts() { return dimension(getWeight(), 0); }
int64_t GroupedLinearOp::getWeightRows() { return dimension(getWeight(), 1); }
int64_t GroupedLinearOp::getDepth() { return dimension(getWeight(), 2); }

int64_t GroupedLinearOp::getOutputColumns() {
  return getPacking().getPaired() ? getWeightRows() / 2 : getWeightRows();
}

int64_t GroupedLinearOp::getPanels() {
  return panelsOf(getPacking(), getWeightRows());
}

LinearScratch GroupedLinearOp::getScratch() {
  return linearScratch(getConfiguration(), getPacking(), getDepth());
}

int64_t HeadLinearOp::getHeads() { return dimension(getWeight(), 0); }

int64_t HeadLinearOp::getOutputColumns() {
  return dimension(getWeight(), getTransposed() ? 2 : 1);
}

int64_t HeadLinearOp::getDepth() {
  return dimension(getWeight(), getTransposed() ? 1 : 2);
}

int64_t HeadLinearOp::getPanels() {
  return panelsOf(getPacking(), getOutputColumns());
}

LinearScratch HeadLinearOp::getScratch() {
  return linearScratch(getConfiguration(), getPacking(), getDepth());
}

RouteScratch RouteOp::getScratch() {
  int64_t row = roundUp(dimension(getLogits(), 1) * 4, lineBytes);
  RouteScratch scratch;
  scratch.scores = 0;
  scratch.keys = row;
  scratch.groupKeys = 2 * row;
  scratch.bytes = scratch.groupKeys +
                  roundUp(static_cast<int64_t>(getGroups()) * 4, lineBytes);
  return scratch;
}

int64_t LatentAttentionOp::getHeads() { return dimension(getLatentQuery(), 1); }

LatentScratch LatentAttentionOp::getScratch() {
  LatentCacheAttr cache = getCache();
  LatentConfigAttr configuration = getConfiguration();
  bool isDot = configuration.getArithmetic() == Arithmetic::Dot;
  int64_t rows = configuration.getBlockTokens() * configuration.getBlockHeads();
  LatentScratch scratch = {
      attentionScratch(rows, cache.getPaddedRowSize() * (isDot ? 2 : 4),
                       cache.getPageTokens(), cache.getPaddedLatentSize()),
      /*slice=*/0};
  scratch.slice = scratch.bytes;
  if (cache.getElementBytes() == 2)
    scratch.bytes += std::max(latentSliceRows * cache.getPaddedRowSize(),
                              latentSliceColumns * cache.getPageTokens()) *
                     4;
  return scratch;
}

int64_t ExpandedAttentionOp::getHeads() { return dimension(getWeight(), 0); }
int64_t ExpandedAttentionOp::getNopeSize() {
  return dimension(getNopeQuery(), 2);
}
int64_t ExpandedAttentionOp::getValueSize() { return dimension(getInit(), 2); }

int64_t ExpandedAttentionOp::getPaddedNopeSize() {
  return roundUp(getNopeSize(), widestPairs);
}
int64_t ExpandedAttentionOp::getPaddedKeySize() {
  return getPaddedNopeSize() + roundUp(getCache().getRotarySize(), widestPairs);
}
int64_t ExpandedAttentionOp::getPaddedValueSize() {
  return roundUp(getValueSize(), widestPairs);
}

bool ExpandedAttentionOp::usesDot() {
  return getConfiguration().getArithmetic() == Arithmetic::Dot;
}

ExpandedScratch ExpandedAttentionOp::getScratch() {
  LatentCacheAttr cache = getCache();
  int64_t operandBytes = usesDot() ? 2 : 4, positions = cache.getPageTokens();
  int64_t keySize = getPaddedKeySize(), valueSize = getPaddedValueSize();
  ExpandedScratch scratch;
  static_cast<AttentionScratch &>(scratch) =
      attentionScratch(getAttention().getBlockTokens(), keySize * operandBytes,
                       positions, valueSize);
  scratch.linear = linearScratch(getConfiguration(), getPacking(),
                                 cache.getLatentSize());
  scratch.expansion = scratch.bytes;
  scratch.rows = scratch.expansion + roundUp(scratch.linear.bytes, lineBytes);
  scratch.rowBytes =
      roundUp((getNopeSize() + valueSize) * cache.getElementBytes(), lineBytes);
  scratch.keys = scratch.rows + positions * scratch.rowBytes;
  scratch.values = scratch.keys + keySize * positions * operandBytes;
  // Values in f32 are read where they are.
  scratch.bytes =
      scratch.values +
      (cache.getElementBytes() == 4 ? 0 : positions * valueSize * operandBytes);
  return scratch;
}

//===----------------------------------------------------------------------===//
// Tiles and memory
//===----------------------------------------------------------------------===//

/// The map `(rows) -> (factor * tiles)`, where `tiles` is `(rows) -> (tiles)`.
static AffineMap times(AffineMap tiles, int64_t factor) {
  return AffineMap::get(1, 0, tiles.getResult(0) * factor);
}

AffineMap RouteOp::getTiles() { return perRow(*this, 1); }
AffineMap DispatchOp::getTiles() { return constant(*this, 1); }
AffineMap CombineOp::getTiles() { return perRow(*this, 1); }
AffineMap LatentAppendOp::getTiles() { return perRow(*this, 1); }
AffineMap LatentAttentionOp::getTiles() {
  return perRow(*this, getHeads() / getConfiguration().getBlockHeads());
}
AffineMap ExpandedAttentionOp::getTiles() { return perRow(*this, getHeads()); }
AffineMap GroupedLinearOp::getTiles() {
  return times(getConfiguration().getTiles(getPacking(), getWeightRows()),
               getExperts());
}
AffineMap HeadLinearOp::getTiles() {
  return times(getConfiguration().getTiles(getPacking(), getOutputColumns()),
               getHeads());
}

AffineMap DispatchOp::getScratchBytes() { return constant(*this, 0); }
AffineMap CombineOp::getScratchBytes() { return constant(*this, 0); }
AffineMap LatentAppendOp::getScratchBytes() { return constant(*this, 0); }
AffineMap RouteOp::getScratchBytes() {
  return constant(*this, getScratch().bytes);
}
AffineMap GroupedLinearOp::getScratchBytes() {
  return constant(*this,
                  getConfiguration().getScratchBytes(getPacking(), getDepth()));
}
AffineMap HeadLinearOp::getScratchBytes() {
  return constant(*this,
                  getConfiguration().getScratchBytes(getPacking(), getDepth()));
}
AffineMap LatentAttentionOp::getScratchBytes() {
  return constant(*this, getScratch().bytes);
}
AffineMap ExpandedAttentionOp::getScratchBytes() {
  return constant(*this, getScratch().bytes);
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

int64_t RouteOp::getFlops(int64_t rows, int64_t cached) { return 0; }
int64_t DispatchOp::getFlops(int64_t rows, int64_t cached) { return 0; }

int64_t CombineOp::getFlops(int64_t rows, int64_t cached) {
  auto addends = static_cast<int64_t>(getAddends().size());
  return rows * dimension(getInit(), 1) *
         (2 * dimension(getPlaces(), 1) + addends);
}

int64_t GroupedLinearOp::getFlops(int64_t rows, int64_t cached) {
  return 2 * rows * getWeightRows() * getDepth();
}

int64_t HeadLinearOp::getFlops(int64_t rows, int64_t cached) {
  return 2 * rows * getHeads() * getOutputColumns() * getDepth();
}

int64_t LatentAppendOp::getFlops(int64_t rows, int64_t cached) {
  int64_t heads = dimension(getQuery(), 1);
  // Four multiplications and two additions for each pair; squares and products.
  return rows * ((heads + 1) * (getCache().getRotarySize() / 2) * 6 +
                 4 * getCache().getLatentSize());
}

int64_t LatentAttentionOp::getFlops(int64_t rows, int64_t cached) {
  return 2 * getHeads() * countPairs(rows, cached) *
         (getCache().getRowSize() + getCache().getLatentSize());
}

int64_t ExpandedAttentionOp::getFlops(int64_t rows, int64_t cached) {
  int64_t expanded = getNopeSize() + getValueSize();
  // Each block of tokens expands the positions up to its last.
  int64_t blockTokens = getAttention().getBlockTokens(), positions = 0;
  for (int64_t first = 0; first < rows; first += blockTokens)
    positions += cached + std::min(first + blockTokens, rows);
  return 2 * getHeads() *
         (positions * expanded * getCache().getLatentSize() +
          countPairs(rows, cached) * (expanded + getCache().getRotarySize()));
}

int64_t RouteOp::getBytes(int64_t rows, int64_t cached) {
  return rowBytes(getLogits().getType(), rows) +
         rowBytes(getExpertsInit().getType(), rows) +
         rowBytes(getWeightsInit().getType(), rows);
}

int64_t DispatchOp::getBytes(int64_t rows, int64_t cached) {
  // Experts are read twice; rows, places and offsets are written.
  return 4 * rowBytes(getExperts().getType(), rows) +
         4 * dimension(getOffsetsInit(), 0);
}

int64_t CombineOp::getBytes(int64_t rows, int64_t cached) {
  int64_t summands =
      dimension(getPlaces(), 1) + static_cast<int64_t>(getAddends().size()) + 1;
  return summands * rowBytes(getInit().getType(), rows) +
         rowBytes(getPlaces().getType(), rows) +
         rowBytes(getWeights().getType(), rows);
}

int64_t GroupedLinearOp::getBytes(int64_t rows, int64_t cached) {
  // No more experts are read than there are rows.
  int64_t experts = std::min(rows, getExperts());
  return experts * weightBytes(getWeightRows(), getDepth(),
                               shapedType(getWeight()).getElementType()) +
         rowBytes(getInput().getType(), rows) +
         rowBytes(getInit().getType(), rows);
}

int64_t HeadLinearOp::getBytes(int64_t rows, int64_t cached) {
  return getHeads() * weightBytes(getOutputColumns(), getDepth(),
                                  shapedType(getWeight()).getElementType()) +
         rowBytes(getInput().getType(), rows) +
         rowBytes(getInit().getType(), rows);
}

int64_t LatentAppendOp::getBytes(int64_t rows, int64_t cached) {
  return rowBytes(getLatents().getType(), rows) +
         rowBytes(getRotary().getType(), rows) +
         2 * rowBytes(getInit().getType(), rows) +
         rows * getCache().getRowSize() * getCache().getElementBytes();
}

int64_t LatentAttentionOp::getBytes(int64_t rows, int64_t cached) {
  return rowBytes(getLatentQuery().getType(), rows) +
         rowBytes(getRotatedQuery().getType(), rows) +
         rowBytes(getInit().getType(), rows) +
         (cached + rows) * getCache().getRowSize() *
             getCache().getElementBytes();
}

int64_t ExpandedAttentionOp::getBytes(int64_t rows, int64_t cached) {
  auto weight = shapedType(getWeight());
  return rowBytes(getNopeQuery().getType(), rows) +
         rowBytes(getRotatedQuery().getType(), rows) +
         rowBytes(getInit().getType(), rows) +
         getHeads() * weightBytes(weight.getDimSize(1), weight.getDimSize(2),
                                  weight.getElementType()) +
         (cached + rows) * getCache().getRowSize() *
             getCache().getElementBytes();
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

void RouteOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void DispatchOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void CombineOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void GroupedLinearOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
}
void HeadLinearOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void LatentAttentionOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
}
void ExpandedAttentionOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
}

void LatentAppendOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
  effects.emplace_back(MemoryEffects::Write::get(), &getPagesMutable());
}
