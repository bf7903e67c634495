#include "compiler/codegen/ScalarEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value ScalarEmitter::integer(int64_t value) {
  return arith::ConstantOp::create(builder, location,
                                   builder.getI64IntegerAttr(value));
}

Value ScalarEmitter::integerLike(Value other, int64_t value) {
  return arith::ConstantOp::create(
      builder, location, builder.getIntegerAttr(other.getType(), value));
}

Value ScalarEmitter::add(Value a, Value b) {
  return builder.createOrFold<arith::AddIOp>(location, a, b);
}

Value ScalarEmitter::subtract(Value a, Value b) {
  return builder.createOrFold<arith::SubIOp>(location, a, b);
}

Value ScalarEmitter::multiply(Value a, Value b) {
  return builder.createOrFold<arith::MulIOp>(location, a, b);
}

Value ScalarEmitter::divide(Value a, Value b) {
  return builder.createOrFold<arith::DivUIOp>(location, a, b);
}

Value ScalarEmitter::modulo(Value a, Value b) {
  return builder.createOrFold<arith::RemUIOp>(location, a, b);
}

Value ScalarEmitter::minimum(Value a, Value b) {
  return builder.createOrFold<arith::MinSIOp>(location, a, b);
}

Value ScalarEmitter::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(location, predicate, a, b);
}

Value ScalarEmitter::both(Value a, Value b) {
  return builder.createOrFold<arith::AndIOp>(location, a, b);
}

Value ScalarEmitter::either(Value a, Value b) {
  return builder.createOrFold<arith::OrIOp>(location, a, b);
}

Value ScalarEmitter::exclusive(Value a, Value b) {
  return builder.createOrFold<arith::XOrIOp>(location, a, b);
}

Value ScalarEmitter::shiftRight(Value value, int64_t bits) {
  return builder.createOrFold<arith::ShRUIOp>(location, value,
                                              word(static_cast<int32_t>(bits)));
}

Value ScalarEmitter::word(int32_t value) {
  return arith::ConstantOp::create(builder, location,
                                   builder.getI32IntegerAttr(value));
}

Value ScalarEmitter::truth(bool value) {
  return arith::ConstantOp::create(builder, location,
                                   builder.getBoolAttr(value));
}

Value ScalarEmitter::widen(Value value) {
  return arith::ExtSIOp::create(builder, location, i64(), value);
}

Value ScalarEmitter::narrow(Value value) {
  return arith::TruncIOp::create(builder, location, i32(), value);
}

//===----------------------------------------------------------------------===//
// Floating point
//===----------------------------------------------------------------------===//

Value ScalarEmitter::scalar(float value) {
  return arith::ConstantOp::create(builder, location,
                                   builder.getF32FloatAttr(value));
}

Value ScalarEmitter::addFloats(Value a, Value b) {
  return arith::AddFOp::create(builder, location, a, b);
}

Value ScalarEmitter::subtractFloats(Value a, Value b) {
  return arith::SubFOp::create(builder, location, a, b);
}

Value ScalarEmitter::multiplyFloats(Value a, Value b) {
  return arith::MulFOp::create(builder, location, a, b);
}

Value ScalarEmitter::divideFloats(Value a, Value b) {
  return arith::DivFOp::create(builder, location, a, b);
}

Value ScalarEmitter::multiplyAdd(Value a, Value b, Value c) {
  return math::FmaOp::create(builder, location, a, b, c);
}

Value ScalarEmitter::callIntrinsic(StringRef name, Type type,
                                   ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(builder, location, type,
                                       builder.getStringAttr(name), operands)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value ScalarEmitter::offset(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(
      builder, location, pointer.getType(), builder.getI8Type(), pointer,
      ArrayRef<LLVM::GEPArg>(bytes), LLVM::GEPNoWrapFlags::inbounds);
}

Value ScalarEmitter::offset(Value pointer, int64_t bytes) {
  return bytes == 0 ? pointer : offset(pointer, integer(bytes));
}

Value ScalarEmitter::load(Type type, Value pointer, int64_t alignment) {
  return LLVM::LoadOp::create(builder, location, type, pointer,
                              static_cast<unsigned>(alignment));
}

void ScalarEmitter::store(Value value, Value pointer, int64_t alignment) {
  LLVM::StoreOp::create(builder, location, value, pointer,
                        static_cast<unsigned>(alignment));
}

Value ScalarEmitter::extract(Value vector, int64_t index) {
  return LLVM::ExtractElementOp::create(builder, location, vector,
                                        word(static_cast<int32_t>(index)));
}

Value ScalarEmitter::loadIndex(Value pointer, Value index) {
  return widen(load(i32(), offset(pointer, multiply(index, 4)), 4));
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void ScalarEmitter::loop(Value from, Value to, Value step, Body body) {
  auto loopOp = scf::ForOp::create(builder, location, from, to, step);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loopOp.getBody());
  body(loopOp.getInductionVar());
}

SmallVector<Value> ScalarEmitter::loop(Value from, Value to, Value step,
                                       ValueRange initial, ReducingBody body) {
  auto loopOp = scf::ForOp::create(builder, location, from, to, step, initial);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loopOp.getBody());
  SmallVector<Value> results =
      body(loopOp.getInductionVar(), loopOp.getRegionIterArgs());
  if (!initial.empty()) // Else the loop has its terminator already.
    scf::YieldOp::create(builder, location, results);
  return loopOp.getResults();
}

SmallVector<Value> ScalarEmitter::loopWhile(
    ValueRange initial, llvm::function_ref<Value(ValueRange)> condition,
    llvm::function_ref<SmallVector<Value>(ValueRange)> body) {
  auto loopOp = scf::WhileOp::create(
      builder, location, initial.getTypes(), initial,
      [&](OpBuilder &, Location, ValueRange values) {
        Value goesOn = condition(values);
        scf::ConditionOp::create(builder, location, goesOn, values);
      },
      [&](OpBuilder &, Location, ValueRange values) {
        scf::YieldOp::create(builder, location, body(values));
      });
  return loopOp.getResults();
}

Value ScalarEmitter::select(Value condition, Value a, Value b) {
  return builder.createOrFold<arith::SelectOp>(location, condition, a, b);
}

void ScalarEmitter::when(Value condition, llvm::function_ref<void()> then,
                         llvm::function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(builder, location, condition,
                                  /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  then();
  if (!otherwise)
    return;
  builder.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

SmallVector<Value>
ScalarEmitter::evaluate(Value condition,
                        llvm::function_ref<SmallVector<Value>()> then,
                        llvm::function_ref<SmallVector<Value>()> otherwise) {
  auto branch = scf::IfOp::create(
      builder, location, condition,
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(builder, location, then());
      },
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(builder, location, otherwise());
      });
  return branch.getResults();
}

Value ScalarEmitter::evaluate(Value condition, llvm::function_ref<Value()> then,
                              llvm::function_ref<Value()> otherwise) {
  using Values = SmallVector<Value>;
  return evaluate(
      condition, [&] { return Values{then()}; },
      [&] { return Values{otherwise()}; })[0];
}

void ScalarEmitter::choose(Value value, int64_t first, int64_t last,
                           llvm::function_ref<void(int64_t)> body) {
  if (first > last)
    return;
  SmallVector<int64_t> cases;
  for (int64_t number = first; number <= last; ++number)
    cases.push_back(number);
  Value index = arith::IndexCastOp::create(builder, location,
                                           builder.getIndexType(), value);
  auto branches =
      scf::IndexSwitchOp::create(builder, location, TypeRange(), index, cases,
                                 static_cast<int>(cases.size()));
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&branches.getDefaultRegion());
  scf::YieldOp::create(builder, location);
  for (auto [number, region] : llvm::zip(cases, branches.getCaseRegions())) {
    builder.createBlock(&region);
    body(number);
    scf::YieldOp::create(builder, location);
  }
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

Value tcc::emitPage(ScalarEmitter &emitter, int64_t pageBytes, Value pages,
                    Value pageTable, Value pageTableStride, Value sequence,
                    Value pageNumber) {
  Value entry =
      emitter.add(emitter.multiply(sequence, pageTableStride), pageNumber);
  Value page = emitter.loadIndex(pageTable, entry);
  return emitter.offset(pages, emitter.multiply(page, pageBytes));
}
