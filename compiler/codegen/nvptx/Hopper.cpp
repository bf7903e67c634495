#include "compiler/codegen/nvptx/Hopper.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tcc::nvptx;

/// The space of addresses of all blocks of a cluster.
static constexpr unsigned sharedCluster = 7;

/// `value`, which is that of lane 0 in all lanes.
static Value makeUniform(Emitter &emitter, Value value) {
  return emitter.fromLane(emitter.narrow(value), emitter.integer(0));
}

static Type sharedClusterPointer(OpBuilder &builder) {
  return LLVM::LLVMPointerType::get(builder.getContext(), sharedCluster);
}

/// One instruction in `text`, with `operands` after the results.
SmallVector<Value> Hopper::assemble(const Twine &text, StringRef constraints,
                                    TypeRange results, ValueRange operands) {
  Type type;
  if (results.size() == 1)
    type = results.front();
  else if (!results.empty())
    type = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                            llvm::to_vector(results));
  auto dialect =
      LLVM::AsmDialectAttr::get(builder.getContext(), LLVM::AsmDialect::AD_ATT);
  auto op = LLVM::InlineAsmOp::create(
      builder, location, type ? TypeRange(type) : TypeRange(), operands,
      text.str(), constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None, dialect,
      /*operand_attrs=*/ArrayAttr());
  if (results.size() <= 1)
    return SmallVector<Value>(op->getResults());
  SmallVector<Value> values;
  for (size_t i = 0; i < results.size(); ++i)
    values.push_back(LLVM::ExtractValueOp::create(
        builder, location, op.getRes(), static_cast<int64_t>(i)));
  return values;
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Value Hopper::uniformWarpNumber() {
  return arith::ExtUIOp::create(builder, location, emitter.i64(),
                                makeUniform(emitter, emitter.warpNumber()));
}

Value Hopper::uniformWarpgroupNumber() {
  return emitter.divide(uniformWarpNumber(), warpgroupThreads / warpLanes);
}

Value Hopper::isElected() {
  return NVVM::ElectSyncOp::create(builder, location, builder.getI1Type(),
                                   Value());
}

void Hopper::namedBarrier(int64_t number, int64_t threads) {
  NVVM::BarrierOp::create(builder, location, TypeRange(),
                          emitter.word(static_cast<int32_t>(number)),
                          emitter.word(static_cast<int32_t>(threads)),
                          NVVM::BarrierReductionAttr(), Value());
}

void Hopper::namedBarrier(Value number, int64_t threads) {
  NVVM::BarrierOp::create(builder, location, TypeRange(), number,
                          emitter.word(static_cast<int32_t>(threads)),
                          NVVM::BarrierReductionAttr(), Value());
}

void Hopper::arriveAtNamedBarrier(Value number, int64_t threads) {
  NVVM::BarrierArriveOp::create(builder, location, number,
                                emitter.word(static_cast<int32_t>(threads)));
}

void Hopper::giveUpRegisters(int64_t remaining) {
  NVVM::SetMaxRegisterOp::create(builder, location,
                                 static_cast<uint32_t>(remaining),
                                 NVVM::SetMaxRegisterAction::decrease);
}

void Hopper::takeRegisters(int64_t total) {
  NVVM::SetMaxRegisterOp::create(builder, location,
                                 static_cast<uint32_t>(total),
                                 NVVM::SetMaxRegisterAction::increase);
}

//===----------------------------------------------------------------------===//
// Clusters and grids
//===----------------------------------------------------------------------===//

Value Hopper::clusterRank() {
  Value rank = NVVM::ClusterId::create(builder, location, emitter.i32());
  return arith::ExtUIOp::create(builder, location, emitter.i64(), rank);
}

Value Hopper::inBlock(Value pointer, Value rank) {
  return NVVM::MapaOp::create(builder, location, sharedClusterPointer(builder),
                              pointer, emitter.narrow(rank));
}

void Hopper::clusterBarrier() {
  NVVM::ClusterArriveOp::create(builder, location, builder.getUnitAttr());
  NVVM::ClusterWaitOp::create(builder, location, builder.getUnitAttr());
}

void Hopper::waitForGridsBefore() {
  // LLVM takes the intrinsic for one that touches no memory, and moves loads
  // across it.
  assemble("griddepcontrol.wait;", "~{memory}", {}, {});
}

void Hopper::letNextGridStart() {
  assemble("griddepcontrol.launch_dependents;", "~{memory}", {}, {});
}

//===----------------------------------------------------------------------===//
// Barriers in shared memory
//===----------------------------------------------------------------------===//

void Hopper::initializeBarrier(Value barrier, int64_t arrivals) {
  NVVM::MBarrierInitOp::create(builder, location, barrier,
                               emitter.word(static_cast<int32_t>(arrivals)),
                               Value());
}

void Hopper::publishBarriers() {
  NVVM::FenceMbarrierInitOp::create(builder, location);
}

void Hopper::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(builder, location, Type(), barrier, Value(),
                                 NVVM::MemScopeKind::CTA, /*relaxed=*/false);
}

void Hopper::arriveWhere(Value condition, Value barrier) {
  Value address =
      LLVM::PtrToIntOp::create(builder, location, emitter.i32(), barrier);
  Value predicate =
      arith::ExtUIOp::create(builder, location, emitter.i32(), condition);
  assemble("{ .reg .pred p; setp.ne.b32 p, $1, 0; "
           "@p mbarrier.arrive.shared::cta.b64 _, [$0]; }",
           "r,r,~{memory}", {}, {address, predicate});
}

void Hopper::arriveInBlock(Value barrier, Value rank) {
  NVVM::MBarrierArriveOp::create(
      builder, location, Type(), inBlock(barrier, rank), Value(),
      NVVM::MemScopeKind::CLUSTER, /*relaxed=*/false);
}

void Hopper::arriveExpecting(Value barrier, Value bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(
      builder, location, Type(), barrier, emitter.narrow(bytes),
      NVVM::MemScopeKind::CTA, /*relaxed=*/false, Value());
}

void Hopper::waitFor(Value barrier, Value parity, BarrierScope scope) {
  auto memoryScope = scope == BarrierScope::Block ? NVVM::MemScopeKind::CTA
                                                  : NVVM::MemScopeKind::CLUSTER;
  scf::WhileOp::create(
      builder, location, TypeRange(), ValueRange(),
      [&](OpBuilder &, Location, ValueRange) {
        Value isDone = NVVM::MBarrierTryWaitOp::create(
            builder, location, builder.getI1Type(), barrier, parity, Value(),
            memoryScope, /*relaxed=*/false);
        Value truth = arith::ConstantOp::create(builder, location,
                                                builder.getBoolAttr(true));
        Value isLeft = arith::XOrIOp::create(builder, location, isDone, truth);
        scf::ConditionOp::create(builder, location, isLeft, ValueRange());
      },
      [&](OpBuilder &, Location, ValueRange) {
        scf::YieldOp::create(builder, location);
      });
}

//===----------------------------------------------------------------------===//
// Copies of tiles
//===----------------------------------------------------------------------===//

void Hopper::prefetchTensorMap(Value map) {
  assemble("prefetch.tensormap [$0];", "l,~{memory}", {}, map);
}

static void loadTileTo(OpBuilder &builder, Location location, Value map,
                       ValueRange coordinates, Value shared, Value barrier,
                       Value blocks) {
  Value target = LLVM::AddrSpaceCastOp::create(
      builder, location, sharedClusterPointer(builder), shared);
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      builder, location, target, map, coordinates, barrier,
      /*im2colOffsets=*/ValueRange(), blocks, /*l2CacheHint=*/Value(),
      NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false, NVVM::CTAGroupKindAttr(),
      /*predicate=*/Value());
}

void Hopper::loadTile(Value map, ValueRange coordinates, Value shared,
                      Value barrier) {
  loadTileTo(builder, location, map, coordinates, shared, barrier, Value());
}

void Hopper::loadTileForBlocks(Value map, ValueRange coordinates, Value shared,
                               Value barrier, Value blocks) {
  loadTileTo(builder, location, map, coordinates, shared, barrier, blocks);
}

void Hopper::storeTile(Value map, ValueRange coordinates, Value shared) {
  NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(
      builder, location, map, shared, coordinates, /*l2CacheHint=*/Value(),
      NVVM::TMAStoreMode::TILE, /*predicate=*/Value());
}

void Hopper::commitStores() {
  NVVM::CpAsyncBulkCommitGroupOp::create(builder, location);
}

void Hopper::waitUntilStoresRead(int64_t groups) {
  NVVM::CpAsyncBulkWaitGroupOp::create(
      builder, location, static_cast<uint32_t>(groups), builder.getUnitAttr());
}

void Hopper::waitForStores(int64_t groups) {
  NVVM::CpAsyncBulkWaitGroupOp::create(
      builder, location, static_cast<uint32_t>(groups), UnitAttr());
}

void Hopper::fenceSharedForCopies() {
  NVVM::FenceProxyOp::create(
      builder, location, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(builder.getContext(),
                                 NVVM::SharedSpace::shared_cta));
}

//===----------------------------------------------------------------------===//
// Products of warpgroups
//===----------------------------------------------------------------------===//

// Fields of a descriptor count units of 16 bytes (PTX ISA 9.0, 9.7.15.5.1.2).
static constexpr int64_t descriptorUnit = 16;

/// The descriptor of an operand at `shared` in swizzled rows of 128 bytes.
static Value makeDescriptor(Emitter &emitter, Value shared,
                            int64_t leadingBytes) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  Value address =
      LLVM::PtrToIntOp::create(builder, location, emitter.i64(), shared);
  Value start = emitter.divide(emitter.both(address, emitter.integer(0x3FFFF)),
                               descriptorUnit);
  int64_t rest = leadingBytes / descriptorUnit << 16 |
                 swizzlePeriodBytes / descriptorUnit << 32 |
                 int64_t(1) << 62; // A swizzle of 128 bytes.
  return arith::OrIOp::create(builder, location, start, emitter.integer(rest));
}

Value Hopper::describeTile(Value shared) {
  // One swizzled row holds all of K that a product reads: no leading offset.
  return makeDescriptor(emitter, shared, descriptorUnit);
}

Value Hopper::describeTileByDepth(Value shared, int64_t columnsBytes) {
  return makeDescriptor(emitter, shared, columnsBytes);
}

Value Hopper::advance(Value descriptor, int64_t bytes) {
  return bytes == 0 ? descriptor
                    : emitter.add(descriptor, bytes / descriptorUnit);
}

Value Hopper::copyDescriptor(Value descriptor) {
  return assemble("mov.b64 $0, $1;", "=l,l", emitter.i64(), descriptor)[0];
}

void Hopper::fenceProducts() {
  NVVM::WgmmaFenceAlignedOp::create(builder, location);
}

/// "$first, $first+1, ..." in braces.
static std::string registerList(size_t first, size_t count) {
  std::string list;
  for (size_t i = first; i < first + count; ++i)
    list += (list.empty() ? "{$" : ", $") + std::to_string(i);
  return list + "}";
}

/// Constraints of results in registers of `types`, of `inputs`, and of the same
/// registers as inputs after those.
static std::string tiedConstraints(TypeRange types, StringRef inputs) {
  std::string results, ties;
  for (auto [index, type] : llvm::enumerate(types)) {
    results += type.isF32() ? "=f," : "=r,";
    ties += std::to_string(index) + ",";
  }
  return results + inputs.str() + ties + "~{memory}";
}

/// `left` are operands of PTX type `type`: a descriptor, or registers.
SmallVector<Value> Hopper::multiply(const WarpgroupProduct &product,
                                    StringRef type, ValueRange left,
                                    Value right, Value accumulate,
                                    ValueRange sums) {
  size_t count = sums.size();
  bool inRegisters = left.size() > 1;
  std::string element = product.element.isF16() ? "f16" : "bf16";
  std::string leftText = inRegisters ? registerList(count, left.size())
                                     : "$" + std::to_string(count);
  size_t next = count + left.size();
  std::string text =
      "{ .reg .pred p; setp.ne.b32 p, $" + std::to_string(next + 1) +
      ", 0; wgmma.mma_async.sync.aligned.m64n" +
      std::to_string(product.columns) + "k16.f32." + element + "." + element +
      " " + registerList(0, count) + ", " + leftText + ", $" +
      std::to_string(next) + ", p, 1, 1, " + (inRegisters ? "" : "0, ") +
      (product.rightByDepth ? "1" : "0") + "; }";
  std::string inputs;
  for (size_t i = 0; i < left.size(); ++i)
    inputs += type.str() + ",";
  SmallVector<Value> operands(left);
  operands.push_back(right);
  operands.push_back(
      arith::ExtUIOp::create(builder, location, emitter.i32(), accumulate));
  llvm::append_range(operands, sums);
  return assemble(text, tiedConstraints(sums.getTypes(), inputs + "l,r,"),
                  sums.getTypes(), operands);
}

SmallVector<Value> Hopper::multiply(const WarpgroupProduct &product, Value left,
                                    Value right, Value accumulate,
                                    ValueRange sums) {
  return multiply(product, "l", left, right, accumulate, sums);
}

SmallVector<Value> Hopper::multiplyRegisters(const WarpgroupProduct &product,
                                             ValueRange left, Value right,
                                             Value accumulate,
                                             ValueRange sums) {
  return multiply(product, "r", left, right, accumulate, sums);
}

SmallVector<Value> Hopper::fenceProducts(ValueRange registers) {
  return assemble("wgmma.fence.sync.aligned;",
                  tiedConstraints(registers.getTypes(), ""),
                  registers.getTypes(), registers);
}

void Hopper::commitProducts() {
  NVVM::WgmmaGroupSyncAlignedOp::create(builder, location);
}

SmallVector<Value> Hopper::waitForProducts(int64_t groups,
                                           ValueRange registers) {
  return assemble("wgmma.wait_group.sync.aligned " + Twine(groups) + ";",
                  tiedConstraints(registers.getTypes(), ""),
                  registers.getTypes(), registers);
}

//===----------------------------------------------------------------------===//
// Pairs of 16 bits
//===----------------------------------------------------------------------===//

Value Hopper::packPair(Type element, Value low, Value high) {
  Value pair;
  Type type = VectorType::get({2}, element);
  if (element.isF16())
    pair = NVVM::ConvertF32x2ToF16x2Op::create(
        builder, location, type, high, low, Value(), NVVM::FPRoundingMode::RN);
  else
    pair = NVVM::ConvertF32x2ToBF16x2Op::create(
        builder, location, type, high, low, Value(), NVVM::FPRoundingMode::RN);
  return LLVM::BitcastOp::create(builder, location, emitter.i32(), pair);
}

void Hopper::storeMatrices(ValueRange registers, Value shared) {
  MLIRContext *context = builder.getContext();
  NVVM::StMatrixOp::create(
      builder, location, shared, registers,
      NVVM::MMALayoutAttr::get(context, NVVM::MMALayout::row),
      NVVM::LdStMatrixShapeAttr::get(context, 8, 8),
      NVVM::LdStMatrixEltTypeAttr::get(context, NVVM::LdStMatrixEltType::B16));
}
