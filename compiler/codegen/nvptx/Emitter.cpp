#include "compiler/codegen/nvptx/Emitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Value Emitter::widenRegister(Value value) {
  return arith::ExtUIOp::create(builder, location, i64(), value);
}

Value Emitter::threadNumber() {
  return widenRegister(NVVM::ThreadIdXOp::create(builder, location, i32()));
}

Value Emitter::laneNumber() {
  return widenRegister(NVVM::LaneIdOp::create(builder, location, i32()));
}

Value Emitter::warpNumber() { return divide(threadNumber(), warpLanes); }

Value Emitter::blockNumber() {
  return widenRegister(NVVM::BlockIdXOp::create(builder, location, i32()));
}

Value Emitter::blockCount() {
  return widenRegister(NVVM::GridDimXOp::create(builder, location, i32()));
}

void Emitter::forThreads(Value count, Body body) {
  loop(threadNumber(), count, threads, body);
}

void Emitter::forLanes(Value count, Body body) {
  loop(laneNumber(), count, warpLanes, body);
}

void Emitter::barrier() { NVVM::Barrier0Op::create(builder, location); }

void Emitter::warpBarrier() {
  NVVM::SyncWarpOp::create(builder, location, word(-1));
}

Value Emitter::exchange(Value value, int64_t mask) {
  return NVVM::ShflOp::create(builder, location, value.getType(), word(-1),
                              value, word(static_cast<int32_t>(mask)), word(31),
                              NVVM::ShflKind::bfly, UnitAttr());
}

Value Emitter::fromLane(Value value, Value lane) {
  return NVVM::ShflOp::create(builder, location, value.getType(), word(-1),
                              value, narrow(lane), word(31),
                              NVVM::ShflKind::idx, UnitAttr());
}

Value Emitter::reduceWarp(Value value,
                          llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t distance = warpLanes / 2; distance > 0; distance /= 2)
    value = combine(value, exchange(value, distance));
  return value;
}

Value Emitter::sumOfWarp(Value value) {
  return reduceWarp(value, [&](Value a, Value b) { return addFloats(a, b); });
}

Value Emitter::maximumOfWarp(Value value) {
  return reduceWarp(value, [&](Value a, Value b) { return maximum(a, b); });
}

Value Emitter::sumOfBlock(Value value) {
  value = sumOfWarp(value);
  int64_t warps = threads / warpLanes;
  if (warps == 1)
    return value;
  Value parts = sharedMemory(warps * 4);
  Value isFirst = compare(arith::CmpIPredicate::eq, laneNumber(), integer(0));
  when(isFirst,
       [&] { store(value, offset(parts, multiply(warpNumber(), 4)), 4); });
  barrier();
  Value total = load(f32(), parts, 4);
  for (int64_t warp = 1; warp < warps; ++warp)
    total = addFloats(total, load(f32(), offset(parts, warp * 4), 4));
  barrier(); // The next sum writes to the same place.
  return total;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Emitter::sharedMemory(int64_t bytes) {
  auto module =
      builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  OpBuilder atStart = OpBuilder::atBlockBegin(module.getBody());
  auto globals = module.getOps<LLVM::GlobalOp>();
  std::string name =
      "shared_" + std::to_string(std::distance(globals.begin(), globals.end()));
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(),
                                       static_cast<uint64_t>(bytes));
  LLVM::GlobalOp::create(atStart, location, type, /*isConstant=*/false,
                         LLVM::Linkage::Internal, name, Attribute(),
                         /*alignment=*/16, Shared);
  return LLVM::AddressOfOp::create(
      builder, location,
      LLVM::LLVMPointerType::get(builder.getContext(), Shared), name);
}

Value Emitter::dynamicSharedMemory() {
  // LLVM makes two different variables of one byte of a symbol that is not of
  // external linkage.
  constexpr StringLiteral name = "dynamic_shared_memory";
  auto module =
      builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder atStart = OpBuilder::atBlockBegin(module.getBody());
    LLVM::GlobalOp::create(
        atStart, location, LLVM::LLVMArrayType::get(builder.getI8Type(), 0),
        /*isConstant=*/false, LLVM::Linkage::External, name, Attribute(),
        /*alignment=*/1024, Shared);
  }
  return LLVM::AddressOfOp::create(
      builder, location,
      LLVM::LLVMPointerType::get(builder.getContext(), Shared), name);
}

Value Emitter::loadFloat(Type element, Value pointer) {
  Value value = load(element, pointer, element.getIntOrFloatBitWidth() / 8);
  return element.isF32()
             ? value
             : arith::ExtFOp::create(builder, location, f32(), value);
}

Value Emitter::loadElement(Type element, Value pointer, Value index) {
  return loadFloat(
      element,
      offset(pointer, multiply(index, element.getIntOrFloatBitWidth() / 8)));
}

SmallVector<Value> Emitter::loadVector(Type type, Value pointer,
                                       int64_t count) {
  int64_t bytes = count * type.getIntOrFloatBitWidth() / 8;
  if (count == 1)
    return {load(type, pointer, bytes)};
  Value vector = load(VectorType::get({count}, type), pointer, bytes);
  // LLVM makes scalars of the vector, and a vector of those of them that
  // nothing comes between: so all are taken out here.
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(extract(vector, i));
  return values;
}

SmallVector<Value> Emitter::loadFloats(Type element, Value pointer,
                                       int64_t count) {
  SmallVector<Value> values = loadVector(element, pointer, count);
  if (!element.isF32())
    for (Value &value : values)
      value = arith::ExtFOp::create(builder, location, f32(), value);
  return values;
}

SmallVector<Value> Emitter::loadWords(Value pointer, int64_t count) {
  SmallVector<Value> words;
  int64_t size = llvm::isPowerOf2_64(static_cast<uint64_t>(count)) ? count : 1;
  for (int64_t i = 0; i < count; i += size) {
    Value vector =
        load(VectorType::get({size}, i32()), offset(pointer, i * 4), size * 4);
    for (int64_t j = 0; j < size; ++j)
      words.push_back(LLVM::ExtractElementOp::create(
          builder, location, vector, word(static_cast<int32_t>(j))));
  }
  return words;
}

void Emitter::storeVector(ValueRange values, Value pointer) {
  auto count = static_cast<int64_t>(values.size());
  Value vector = LLVM::PoisonOp::create(
      builder, location, VectorType::get({count}, values[0].getType()));
  for (auto [i, value] : llvm::enumerate(values))
    vector = LLVM::InsertElementOp::create(builder, location, vector, value,
                                           word(static_cast<int32_t>(i)));
  store(vector, pointer,
        count * values[0].getType().getIntOrFloatBitWidth() / 8);
}

Value Emitter::permuteBytes(Value low, Value high, Value selector) {
  return callIntrinsic("llvm.nvvm.prmt", i32(), {low, high, selector});
}

void Emitter::storeFloat(Value value, Type element, Value pointer) {
  if (!element.isF32())
    value = arith::TruncFOp::create(builder, location, element, value);
  store(value, pointer, element.getIntOrFloatBitWidth() / 8);
}

void Emitter::storeElement(Value value, Type element, Value pointer,
                           Value index) {
  storeFloat(
      value, element,
      offset(pointer, multiply(index, element.getIntOrFloatBitWidth() / 8)));
}

void Emitter::storeFloats(ValueRange values, Type element, Value pointer,
                          Value index) {
  SmallVector<Value> elements(values);
  if (!element.isF32())
    for (Value &value : elements)
      value = arith::TruncFOp::create(builder, location, element, value);
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  storeVector(elements, offset(pointer, multiply(index, bytes)));
}

Value Emitter::round(Value value, Type element) {
  if (element.isF32())
    return value;
  value = arith::TruncFOp::create(builder, location, element, value);
  return arith::ExtFOp::create(builder, location, f32(), value);
}

void Emitter::copyAsync(Value shared, Value global, int64_t bytes,
                        Value isInside) {
  Value count;
  if (isInside)
    count = select(isInside, word(static_cast<int32_t>(bytes)), word(0));
  // Copies of 16 bytes pass by L1; narrower ones cannot.
  NVVM::CpAsyncOp::create(builder, location, shared, global,
                          static_cast<uint32_t>(bytes),
                          bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                                      : NVVM::LoadCacheModifierKind::CA,
                          count);
}

void Emitter::commitCopies() {
  NVVM::CpAsyncCommitGroupOp::create(builder, location);
}

void Emitter::waitForCopies(int64_t groups) {
  NVVM::CpAsyncWaitGroupOp::create(builder, location,
                                   static_cast<uint32_t>(groups));
}

//===----------------------------------------------------------------------===//
// Pairs of 16 bits in words
//===----------------------------------------------------------------------===//

/// `value` with the same bits as `type`.
static Value reinterpret(Emitter &emitter, Type type, Value value) {
  return value.getType() == type
             ? value
             : LLVM::BitcastOp::create(emitter.builder, emitter.location, type,
                                       value);
}

Value Emitter::subtractPairs(Value a, Value b) {
  Type pair = VectorType::get({2}, bf16());
  Value difference =
      subtractFloats(reinterpret(*this, pair, a), reinterpret(*this, pair, b));
  return reinterpret(*this, i32(), difference);
}

SmallVector<Value> Emitter::floatsOfPair(Value pair) {
  Value low = builder.createOrFold<arith::ShLIOp>(location, pair, word(16));
  Value high = both(pair, word(static_cast<int32_t>(0xFFFF0000)));
  return {reinterpret(*this, f32(), low), reinterpret(*this, f32(), high)};
}

SmallVector<Value> Emitter::multiplyTiles(Type element, ValueRange left,
                                          ValueRange right, ValueRange sums) {
  bool isHalf = element.isF16();
  Type operand = isHalf ? Type(VectorType::get({2}, element)) : Type(i32());
  auto as = [&](ValueRange words) {
    return llvm::map_to_vector(
        words, [&](Value value) { return reinterpret(*this, operand, value); });
  };
  auto kind = isHalf ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
  Type result = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), SmallVector<Type>(sums.size(), f32()));
  Value product = NVVM::MmaOp::create(
      builder, location, result, as(left), as(right), sums,
      ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt,
      std::array<NVVM::MMATypes, 2>{kind, kind},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  SmallVector<Value> values;
  for (size_t i = 0; i < sums.size(); ++i)
    values.push_back(LLVM::ExtractValueOp::create(builder, location, product,
                                                  static_cast<int64_t>(i)));
  return values;
}

//===----------------------------------------------------------------------===//
// Scalars of f32
//===----------------------------------------------------------------------===//

Value Emitter::squareRoot(Value value) {
  return math::SqrtOp::create(builder, location, value);
}

Value Emitter::maximum(Value a, Value b) {
  return arith::MaxNumFOp::create(builder, location, a, b);
}

Value Emitter::powerOfTwo(Value value) {
  return callIntrinsic("llvm.nvvm.ex2.approx.ftz.f", f32(), {value});
}

Value Emitter::exponential(Value value) {
  // exp(x) = 2^t * 2^r with t = x / ln 2 rounded and r what the rounding left,
  // which is so small that 2^r is 1 + r ln 2.
  Value scale = scalar(1.44269504088896341f);
  Value power = multiplyFloats(value, scale);
  Value rest = multiplyAdd(value, scale,
                           arith::NegFOp::create(builder, location, power));
  // What 1 / ln 2 has beyond f32.
  rest = multiplyAdd(value, scalar(1.92596299e-8f), rest);
  Value result = powerOfTwo(power);
  Value correction = multiplyFloats(rest, scalar(0.693147181f));
  Value corrected = multiplyAdd(result, correction, result);
  // Neither infinity nor 0 has a rest.
  Value isFinite = arith::CmpFOp::create(
      builder, location, arith::CmpFPredicate::OLT,
      math::AbsFOp::create(builder, location, power), scalar(126.0f));
  return select(isFinite, corrected, result);
}
