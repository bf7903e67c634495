// Interface methods of the `kernel` ops, and sizes that follow from attributes.

#include "dialects/kernel/KernelSupport.h"

using namespace mlir;
using namespace mlir::tcc::kernel;
using tcc::transformer::BlockFormat;
using tcc::transformer::BlockType;
using tcc::transformer::ScaledType;

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// Parses an attribute of the interface `Interface`, which is called `what`;
/// `Nameless`, one of those that have it, may lack its name.
template <typename Nameless, typename Interface>
static ParseResult parseAttribute(OpAsmParser &parser, StringRef what,
                                  Interface &result) {
  SMLoc location = parser.getCurrentLocation();
  Attribute attribute;
  auto parseNameless = [&](Attribute &parsed, Type type) -> ParseResult {
    parsed = Nameless::parse(parser, type);
    return success(parsed != Attribute());
  };
  if (parser.parseCustomAttributeWithFallback(attribute, Type(), parseNameless))
    return failure();
  result = dyn_cast<Interface>(attribute);
  if (!result)
    return parser.emitError(location, "expected ")
           << what << ", got " << attribute;
  return success();
}

template <typename Nameless>
static void printAttribute(OpAsmPrinter &printer, Attribute attribute) {
  if (auto nameless = dyn_cast<Nameless>(attribute))
    return printer.printStrippedAttrOrType(nameless);
  printer.printAttribute(attribute);
}

static ParseResult parsePacking(OpAsmParser &parser,
                                PackingAttrInterface &packing) {
  return parseAttribute<PackingAttr>(parser, "a packing", packing);
}

static void printPacking(OpAsmPrinter &printer, Operation *,
                         PackingAttrInterface packing) {
  printAttribute<PackingAttr>(printer, packing);
}

static ParseResult parseLinearConfig(OpAsmParser &parser,
                                     LinearConfigAttrInterface &configuration) {
  return parseAttribute<LinearConfigAttr>(
      parser, "a configuration of a linear layer", configuration);
}

static void printLinearConfig(OpAsmPrinter &printer, Operation *,
                              LinearConfigAttrInterface configuration) {
  printAttribute<LinearConfigAttr>(printer, configuration);
}

static ParseResult
parseAttentionConfig(OpAsmParser &parser,
                     AttentionConfigAttrInterface &configuration) {
  return parseAttribute<AttentionConfigAttr>(
      parser, "a configuration of attention", configuration);
}

static void printAttentionConfig(OpAsmPrinter &printer, Operation *,
                                 AttentionConfigAttrInterface configuration) {
  printAttribute<AttentionConfigAttr>(printer, configuration);
}

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Bytes of 32 elements of a weight in a checkpoint.
static int64_t bytesOf32(Type storage) {
  auto block = dyn_cast<BlockType>(storage);
  if (!block)
    return 32 * storage.getIntOrFloatBitWidth() / 8;
  switch (block.getFormat()) {
  case BlockFormat::Q8_0:
    return 34;
  case BlockFormat::Q4_0:
    return 18;
  case BlockFormat::Q4_1:
    return 20;
  }
  llvm_unreachable("every format has a size");
}

int64_t mlir::tcc::kernel::weightBytes(int64_t rows, int64_t depth,
                                       Type storage) {
  if (auto scaled = dyn_cast<ScaledType>(storage)) {
    int64_t scales = llvm::divideCeil(rows, scaled.getRows()) *
                     llvm::divideCeil(depth, scaled.getColumns());
    return rows * depth + 4 * scales;
  }
  // Through bits, since depth need not be a multiple of 32.
  return rows * depth * bytesOf32(storage) / 32;
}

static int64_t elementBytes(Type type) {
  return cast<ShapedType>(type).getElementTypeBitWidth() / 8;
}

int64_t mlir::tcc::kernel::rowBytes(Type type, int64_t rows) {
  int64_t elements = rows;
  for (int64_t size : cast<ShapedType>(type).getShape().drop_front())
    elements *= size;
  return elements * elementBytes(type);
}

int64_t CacheAttr::getElementBytes() const {
  return getElement().getIntOrFloatBitWidth() / 8;
}

int64_t CacheAttr::getPaddedValueSize() const {
  return roundUp(getValueSize(), widestVector);
}

int64_t CacheAttr::getPaddedKeySize() const {
  return roundUp(getKeySize(),
                 getOrder() == CacheOrder::Rows ? widestVector : 4);
}

int64_t RowPackingAttr::getPackedRows(int64_t rows) const {
  return getPaired() ? 2 * roundUp(rows / 2, getPairRows()) : rows;
}

int64_t CacheAttr::getKeyBytes() const {
  return getPageTokens() * getPaddedKeySize() * getElementBytes();
}

int64_t CacheAttr::getValueBytes() const {
  return getPageTokens() * getPaddedValueSize() * getElementBytes();
}

int64_t CacheAttr::getPageBytes() const {
  return roundUp(getHeads() * (getKeyBytes() + getValueBytes()), lineBytes);
}

//===----------------------------------------------------------------------===//
// Tiles and memory
//===----------------------------------------------------------------------===//

AffineMap mlir::tcc::kernel::perRow(MLIRContext *context, int64_t factor) {
  return AffineMap::get(1, 0, getAffineDimExpr(0, context) * factor);
}

AffineMap mlir::tcc::kernel::constant(MLIRContext *context, int64_t value) {
  return AffineMap::get(1, 0, getAffineConstantExpr(value, context));
}

AffineMap EmbeddingOp::getTiles() { return perRow(*this, 1); }
AffineMap RotaryAppendOp::getTiles() { return perRow(*this, 1); }
AffineMap GatherRowsOp::getTiles() { return perRow(*this, 1); }
AffineMap RMSNormOp::getTiles() { return perRow(*this, 1); }
AffineMap SampleOp::getTiles() {
  return perRow(*this, getConfiguration().getCluster());
}
AffineMap LinearOp::getTiles() {
  return getConfiguration().getTiles(getPacking(), getWeightRows());
}
AffineMap AttentionOp::getTiles() {
  auto gpu = dyn_cast<GpuAttentionConfigAttr>(getConfiguration());
  return perRow(*this, getCache().getHeads() * (gpu ? gpu.getSplit() : 1));
}

AffineMap EmbeddingOp::getScratchBytes() { return constant(*this, 0); }
AffineMap RotaryAppendOp::getScratchBytes() { return constant(*this, 0); }
AffineMap GatherRowsOp::getScratchBytes() { return constant(*this, 0); }
AffineMap RMSNormOp::getScratchBytes() { return constant(*this, 0); }
AffineMap SampleOp::getScratchBytes() { return constant(*this, 0); }
AffineMap LinearOp::getScratchBytes() {
  return constant(*this,
                  getConfiguration().getScratchBytes(getPacking(), getDepth()));
}
AffineMap AttentionOp::getScratchBytes() {
  return constant(*this,
                  getConfiguration().getScratchBytes(getCache(), getGroup()));
}

int64_t LinearOp::getWeightRows() {
  return cast<ShapedType>(getWeight().getType()).getDimSize(0);
}

int64_t LinearOp::getDepth() {
  return cast<ShapedType>(getWeight().getType()).getDimSize(1);
}

int64_t LinearOp::getOutputColumns() {
  return getPacking().getPaired() ? getWeightRows() / 2 : getWeightRows();
}

int64_t mlir::tcc::kernel::panelsOf(PackingAttrInterface packing,
                                    int64_t weightRows) {
  return llvm::divideCeil(weightRows, cast<PackingAttr>(packing).getColumns());
}

LinearScratch
mlir::tcc::kernel::linearScratch(LinearConfigAttrInterface attribute,
                                 PackingAttrInterface packing,
                                 int64_t inputColumns) {
  auto configuration = cast<LinearConfigAttr>(attribute);
  int64_t columns = cast<PackingAttr>(packing).getColumns();
  bool isInteger = configuration.getArithmetic() == Arithmetic::Integer;
  int64_t operandBytes =
      configuration.getArithmetic() == Arithmetic::Fma ? 4 : 2;
  int64_t blocksBytes =
      isInteger ? roundUp(llvm::divideCeil(inputColumns, 32) * 4, lineBytes)
                : 0;
  int64_t depth = std::min(configuration.getBlockDepth(),
                           roundUp(inputColumns, 4));
  LinearScratch scratch;
  scratch.blockScales =
      roundUp(roundUp(inputColumns, widestVector) * operandBytes, lineBytes);
  scratch.blockSums = scratch.blockScales + blocksBytes;
  // One line more than the row, so that the rows of a tile do not all fall into
  // the same set of the first cache.
  scratch.inputStride = scratch.blockSums + blocksBytes + lineBytes;
  scratch.input = 0;
  scratch.weights = configuration.getBlockRows() * scratch.inputStride;
  scratch.sums =
      scratch.weights + roundUp(depth * columns * operandBytes, lineBytes);
  scratch.bytes = scratch.sums + configuration.getBlockRows() * columns * 4;
  return scratch;
}

bool LinearConfigAttr::takesPrologue() const { return true; }

// Tensor cores read what copies of tiles bring.
bool GpuLinearConfigAttr::takesPrologue() const {
  return getKind() != GpuKind::Wgmma;
}

AffineMap LinearConfigAttr::getTiles(PackingAttrInterface packing,
                                     int64_t weightRows) const {
  return constant(getContext(), panelsOf(packing, weightRows));
}

int64_t LinearConfigAttr::getScratchBytes(PackingAttrInterface packing,
                                          int64_t depth) const {
  return linearScratch(*this, packing, depth).bytes;
}

AffineMap GpuLinearConfigAttr::getTiles(PackingAttrInterface packing,
                                        int64_t weightRows) const {
  int64_t rows = cast<RowPackingAttr>(packing).getPackedRows(weightRows);
  return perRow(getContext(),
                llvm::divideCeil(rows, getTileColumns()) * getSplit());
}

// A thread has registers, and what a block shares the kernel declares.
int64_t GpuLinearConfigAttr::getScratchBytes(PackingAttrInterface packing,
                                             int64_t depth) const {
  return 0;
}

int64_t GpuAttentionConfigAttr::getScratchBytes(const CacheAttr &cache,
                                                int64_t group) const {
  return 0;
}

LinearScratch LinearOp::getScratch() {
  return linearScratch(getConfiguration(), getPacking(), getDepth());
}

int64_t AttentionOp::getGroup() {
  return cast<ShapedType>(getQuery().getType()).getDimSize(1) /
         getCache().getHeads();
}

AttentionScratch mlir::tcc::kernel::attentionScratch(int64_t rows,
                                                     int64_t queryBytes,
                                                     int64_t pageTokens,
                                                     int64_t valueSize) {
  AttentionScratch scratch;
  scratch.query = 0;
  scratch.scores = roundUp(rows * queryBytes, lineBytes);
  scratch.outputs = scratch.scores + roundUp(rows * pageTokens * 4, lineBytes);
  scratch.maxima = scratch.outputs + roundUp(rows * valueSize * 4, lineBytes);
  scratch.sums = scratch.maxima + roundUp(rows * 4, lineBytes);
  scratch.bytes = scratch.sums + roundUp(rows * 4, lineBytes);
  return scratch;
}

/// Where the parts of a thread's memory are in attention over pages of `cache`
/// whose heads serve `group` query heads each.
static AttentionScratch scratchOf(AttentionConfigAttr configuration,
                                  CacheAttr cache, int64_t group) {
  return attentionScratch(configuration.getBlockTokens() * group,
                          cache.getPaddedKeySize() * 4, cache.getPageTokens(),
                          cache.getPaddedValueSize());
}

int64_t AttentionConfigAttr::getScratchBytes(const CacheAttr &cache,
                                             int64_t group) const {
  return scratchOf(*this, cache, group).bytes;
}

AttentionScratch AttentionOp::getScratch() {
  return scratchOf(cast<AttentionConfigAttr>(getConfiguration()), getCache(),
                   getGroup());
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

int64_t EmbeddingOp::getFlops(int64_t rows, int64_t cached) { return 0; }
int64_t GatherRowsOp::getFlops(int64_t rows, int64_t cached) { return 0; }

int64_t RMSNormOp::getFlops(int64_t rows, int64_t cached) {
  // Squares and their sum, then two products.
  return 4 * rows * shapedType(getInit()).getDimSize(1);
}

// The greatest is found by comparisons; how much else a row takes, its
// parameters say.
int64_t SampleOp::getFlops(int64_t rows, int64_t cached) { return 0; }

int64_t RotaryAppendOp::getFlops(int64_t rows, int64_t cached) {
  int64_t queryHeads = cast<ShapedType>(getInit().getType()).getDimSize(1);
  // Four multiplications and two additions for each pair.
  return rows * (queryHeads + getCache().getHeads()) *
         (getCache().getKeySize() / 2) * 6;
}

int64_t LinearOp::getFlops(int64_t rows, int64_t cached) {
  return 2 * rows * getWeightRows() * getDepth();
}

int64_t AttentionOp::getFlops(int64_t rows, int64_t cached) {
  int64_t heads = cast<ShapedType>(getQuery().getType()).getDimSize(1);
  return 2 * heads * countPairs(rows, cached) *
         (getCache().getKeySize() + getCache().getValueSize());
}

int64_t EmbeddingOp::getBytes(int64_t rows, int64_t cached) {
  auto table = cast<ShapedType>(getTable().getType());
  return weightBytes(rows, table.getDimSize(1), table.getElementType()) +
         rowBytes(getInit().getType(), rows);
}

int64_t GatherRowsOp::getBytes(int64_t rows, int64_t cached) {
  return 2 * rowBytes(getInit().getType(), rows);
}

int64_t RMSNormOp::getBytes(int64_t rows, int64_t cached) {
  int64_t bytes = rowBytes(getInit().getType(), rows);
  for (Value input : getInputs())
    bytes += rowBytes(input.getType(), rows);
  return bytes;
}

int64_t SampleOp::getBytes(int64_t rows, int64_t cached) {
  return rowBytes(getLogits().getType(), rows) +
         rowBytes(getParameters().getType(), rows) +
         rowBytes(getInit().getType(), rows);
}

int64_t RotaryAppendOp::getBytes(int64_t rows, int64_t cached) {
  int64_t bytes = rowBytes(getRotary().getType(), rows) +
                  rowBytes(getInit().getType(), rows) +
                  rows * getCache().getHeads() *
                      (getCache().getKeySize() + getCache().getValueSize()) *
                      getCache().getElementBytes();
  for (Value input : getInputs())
    bytes += rowBytes(input.getType(), rows);
  return bytes;
}

int64_t LinearOp::getBytes(int64_t rows, int64_t cached) {
  auto weight = cast<ShapedType>(getWeight().getType());
  int64_t bytes =
      weightBytes(getWeightRows(), getDepth(), weight.getElementType()) +
      rowBytes(getInput().getType(), rows) + rowBytes(getInit().getType(), rows);
  for (Value operand : getEpilogueOperands())
    if (cast<ShapedType>(operand.getType()).getRank() == 2)
      bytes += rowBytes(operand.getType(), rows);
  return bytes;
}

int64_t AttentionOp::getBytes(int64_t rows, int64_t cached) {
  return rowBytes(getQuery().getType(), rows) +
         rowBytes(getInit().getType(), rows) +
         (cached + rows) * getCache().getHeads() *
             (getCache().getKeySize() + getCache().getValueSize()) *
             getCache().getElementBytes();
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

void mlir::tcc::kernel::addEffects(DestinationStyleOpInterface op, Effects &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void EmbeddingOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void LinearOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void AttentionOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void GatherRowsOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void RMSNormOp::getEffects(Effects &effects) { addEffects(*this, effects); }
void SampleOp::getEffects(Effects &effects) { addEffects(*this, effects); }

void RotaryAppendOp::getEffects(Effects &effects) {
  addEffects(*this, effects);
  effects.emplace_back(MemoryEffects::Write::get(), &getPagesMutable());
}
