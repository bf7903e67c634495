#include "compiler/codegen/x86/Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Emitter::loadFloats(Type element, Value pointer, Value mask) {
  // bf16 is read as integers: LLVM would call a library to round one.
  Type stored = element.isBF16() ? Type(builder.getI16Type()) : element;
  VectorType type = vectorOf(stored, target.lanes);
  int64_t alignment = stored.getIntOrFloatBitWidth() / 8;
  Value raw;
  if (mask) {
    Value zero =
        arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
    raw = LLVM::MaskedLoadOp::create(builder, location, type, pointer, mask,
                                     zero, static_cast<unsigned>(alignment));
  } else {
    raw = load(type, pointer, alignment);
  }
  if (element.isF32())
    return raw;
  if (element.isF16())
    return arith::ExtFOp::create(builder, location, floats(), raw);
  Value wide = arith::ExtUIOp::create(builder, location, integers(), raw);
  return bitcast(floats(), arith::ShLIOp::create(builder, location, wide,
                                                 constantBits(16)));
}

void Emitter::prefetch(Value pointer, int64_t distance, int64_t bytes) {
  constexpr int64_t lineBytes = 64;
  for (int64_t at = 0; at < bytes; at += lineBytes) {
    // Not `inbounds`: the end of what is read is near.
    Value address = LLVM::GEPOp::create(
        builder, location, pointer.getType(), builder.getI8Type(), pointer,
        ArrayRef<LLVM::GEPArg>(integer(distance + at)));
    LLVM::Prefetch::create(builder, location, address, /*rw=*/0, /*hint=*/3,
                           /*cache=*/1);
  }
}

Value Emitter::narrowFloats(Value value, Type element) {
  if (!element.isBF16())
    return value;
  // Not truncated: LLVM 22 stores 32 bits where a mask that it knows leaves
  // one lane of what was truncated.
  Type halves = vectorOf(builder.getI16Type(), 2 * target.lanes);
  Value bits = bitcast(halves, roundToBF16(value));
  SmallVector<int64_t> odd(target.lanes);
  for (int64_t lane = 0; lane < target.lanes; ++lane)
    odd[lane] = 2 * lane + 1;
  return vector::ShuffleOp::create(builder, location, bits, bits, odd);
}

void Emitter::storeFloats(Value value, Type element, Value pointer,
                          Value mask) {
  value = narrowFloats(value, element);
  int64_t alignment = element.getIntOrFloatBitWidth() / 8;
  if (mask)
    LLVM::MaskedStoreOp::create(builder, location, value, pointer, mask,
                                static_cast<unsigned>(alignment));
  else
    store(value, pointer, alignment);
}

Value Emitter::laneNumbers() {
  SmallVector<int32_t> numbers(target.lanes);
  std::iota(numbers.begin(), numbers.end(), 0);
  return arith::ConstantOp::create(
      builder, location, DenseElementsAttr::get(integers(), ArrayRef(numbers)));
}

Value Emitter::firstLanes(Value count) {
  Value bound = narrow(minimum(count, integer(target.lanes)));
  return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt,
                               laneNumbers(), broadcast(bound));
}

//===----------------------------------------------------------------------===//
// Vectors of f32
//===----------------------------------------------------------------------===//

VectorType Emitter::vectorOf(Type element, int64_t elements) {
  return VectorType::get({elements}, element);
}

Value Emitter::constant(float value) {
  return arith::ConstantOp::create(builder, location,
                                   DenseElementsAttr::get(floats(), value));
}

Value Emitter::constantBits(uint32_t value) {
  return arith::ConstantOp::create(
      builder, location,
      DenseElementsAttr::get(integers(), static_cast<int32_t>(value)));
}

Value Emitter::broadcast(Value scalar) {
  return vector::BroadcastOp::create(
      builder, location, vectorOf(scalar.getType(), target.lanes), scalar);
}

Value Emitter::bitcast(Type type, Value vector) {
  return vector::BitCastOp::create(builder, location, cast<VectorType>(type),
                                   vector);
}

Value Emitter::maximum(Value a, Value b) {
  if (getElementTypeOrSelf(a).isInteger())
    return arith::MaxSIOp::create(builder, location, a, b);
  Value isLarger =
      arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, location, isLarger, a, b);
}

Value Emitter::reduceLanes(Value vector,
                           llvm::function_ref<Value(Value, Value)> add) {
  int64_t lanes = target.lanes;
  while (lanes > 1) {
    lanes /= 2;
    SmallVector<int64_t> low(lanes), high(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      low[lane] = lane;
      high[lane] = lane + lanes;
    }
    Value a = vector::ShuffleOp::create(builder, location, vector, vector, low);
    Value b =
        vector::ShuffleOp::create(builder, location, vector, vector, high);
    vector = add(a, b);
  }
  return vector::ExtractOp::create(builder, location, vector,
                                   ArrayRef<int64_t>{0});
}

Value Emitter::sumOfLanes(Value vector) {
  bool isInteger = getElementTypeOrSelf(vector).isInteger();
  return reduceLanes(vector, [&](Value a, Value b) {
    return isInteger ? add(a, b) : addFloats(a, b);
  });
}

/// Of each part of `width` lanes of `a` and then of `b`, which may be null, the
/// lower half plus the upper half.
Value Emitter::addHalves(Value a, Value b, int64_t width) {
  int64_t lanes = cast<VectorType>(a.getType()).getNumElements();
  SmallVector<int64_t> low, high;
  for (int64_t part = 0; part < (b ? 2 * lanes : lanes); part += width)
    for (int64_t lane = part; lane < part + width / 2; ++lane) {
      low.push_back(lane);
      high.push_back(lane + width / 2);
    }
  if (!b)
    b = a;
  return addFloats(vector::ShuffleOp::create(builder, location, a, b, low),
                   vector::ShuffleOp::create(builder, location, a, b, high));
}

Value Emitter::sumsOfLanes(ArrayRef<Value> vectors) {
  SmallVector<Value> parts(vectors);
  int64_t width = target.lanes;
  for (; parts.size() > 1; width /= 2) {
    for (size_t i = 0; i < parts.size() / 2; ++i)
      parts[i] = addHalves(parts[2 * i], parts[2 * i + 1], width);
    parts.truncate(parts.size() / 2);
  }
  for (; width > 1; width /= 2)
    parts[0] = addHalves(parts[0], Value(), width);
  return parts[0];
}

Value Emitter::maximumOfLanes(Value vector) {
  return reduceLanes(vector, [&](Value a, Value b) { return maximum(a, b); });
}

Value Emitter::shiftRight(Value vector, uint32_t bits) {
  if (bits == 0)
    return vector;
  return arith::ShRUIOp::create(builder, location, vector, constantBits(bits));
}

Value Emitter::roundToBF16(Value vector) {
  // Adding just under half of the last place that stays, and one more if that
  // place is odd, carries exactly where the nearest value, or the even one of
  // two, lies above. A NaN keeps its high half and becomes quiet.
  Value bits = bitcast(integers(), vector);
  Value odd = both(shiftRight(bits, 16), constantBits(1));
  Value rounded = add(add(bits, constantBits(0x7FFF)), odd);
  Value quiet = either(bits, constantBits(0x00400000));
  Value isNan = arith::CmpFOp::create(
      builder, location, arith::CmpFPredicate::UNO, vector, vector);
  Value chosen =
      arith::SelectOp::create(builder, location, isNan, quiet, rounded);
  return bitcast(floats(), both(chosen, constantBits(0xFFFF0000)));
}

Value Emitter::roundToE4M3(Value vector) {
  // Three digits follow the first, which is at 2^-6 in subnormal numbers. A sum
  // with 1.5 * 2^(e + 20) has its last place at 2^(e - 3).
  constexpr uint32_t fractionBits = 23, smallestExponent = 127 - 6;
  Value exponent =
      maximum(both(bitcast(integers(), vector), constantBits(0x7F800000)),
              constantBits(smallestExponent << fractionBits));
  Value shift = bitcast(
      floats(), add(exponent, constantBits((20 << fractionBits) | 0x00400000)));
  return arith::SubFOp::create(builder, location, addFloats(vector, shift),
                               shift);
}

Value Emitter::exponential(Value vector) {
  // exp(x) = 2^n * exp(r) with n = round(x / ln 2) and |r| <= ln(2) / 2. Bounds
  // keep n between -124 and 128; comparisons are written so that NaN stays.
  auto select = [&](arith::CmpFPredicate predicate, Value a, Value b, Value yes,
                    Value no) -> Value {
    Value test = arith::CmpFOp::create(builder, location, predicate, a, b);
    return arith::SelectOp::create(builder, location, test, yes, no);
  };
  Value low = constant(-86.0f), high = constant(89.0f);
  Value x = select(arith::CmpFPredicate::OGT, vector, high, high, vector);
  x = select(arith::CmpFPredicate::OLT, x, low, low, x);
  Value n = math::RoundEvenOp::create(
      builder, location, multiplyFloats(x, constant(1.44269504088896341f)));
  // ln 2 in two parts, the first with few bits, so that n times it is exact.
  Value r = multiplyAdd(n, constant(-0.693359375f), x);
  r = multiplyAdd(n, constant(2.12194440e-4f), r);
  Value p = constant(1.9875691500e-4f);
  for (float coefficient :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
        5.0000001201e-1f})
    p = multiplyAdd(p, r, constant(coefficient));
  p = multiplyAdd(multiplyFloats(p, r), r, r);
  p = addFloats(p, constant(1.0f));
  // 2^(n - 2), since 2^n may be beyond the largest power that f32 has.
  Value exponent = arith::FPToSIOp::create(builder, location, integers(), n);
  Value scale = arith::ShLIOp::create(
      builder, location, add(exponent, constantBits(125)), constantBits(23));
  // 4 after the scale: overflow then gives infinity.
  Value y = multiplyFloats(multiplyFloats(p, constant(4.0f)),
                           bitcast(floats(), scale));
  return select(arith::CmpFPredicate::OLT, vector, low, constant(0.0f), y);
}

//===----------------------------------------------------------------------===//
// What only some CPUs have
//===----------------------------------------------------------------------===//

Value Emitter::dotPairs(Value sums, Value a, Value b) {
  assert(target.hasDot && "only AVX512-BF16 has vdpbf16ps");
  if (target.isEmulated) {
    // The odd elements first, as the manual has it.
    for (bool odd : {true, false})
      sums = multiplyAdd(halfOfPairs(a, odd), halfOfPairs(b, odd), sums);
    return sums;
  }
  Type pairs = vectorOf(bf16(), 2 * target.lanes);
  return callIntrinsic("llvm.x86.avx512bf16.dpbf16ps.512", sums.getType(),
                       {sums, bitcast(pairs, a), bitcast(pairs, b)});
}

Value Emitter::halfOfPairs(Value words, bool odd) {
  Value bits = odd ? both(words, constantBits(0xFFFF0000))
                   : Value(arith::ShLIOp::create(builder, location, words,
                                                 constantBits(16)));
  return bitcast(floats(), bits);
}

Value Emitter::pairsOfHalves(Value low, Value high) {
  return either(shiftRight(bitcast(integers(), low), 16),
                bitcast(integers(), high));
}

SmallVector<Value> Emitter::decodeE4M3(Value bytes) {
  // The exponent of f16 has one bit more than that of e4m3, and its bias is 15,
  // not 7; subnormal numbers are what they are in both. CPUs convert those of
  // f16 as quickly as others.
  int64_t elements = cast<VectorType>(bytes.getType()).getNumElements();
  VectorType words = vectorOf(builder.getI16Type(), elements);
  auto constant = [&](int16_t value) -> Value {
    return arith::ConstantOp::create(builder, location,
                                     DenseElementsAttr::get(words, value));
  };
  Value wide = arith::ExtSIOp::create(builder, location, words, bytes);
  Value shifted = arith::ShLIOp::create(builder, location, wide, constant(7));
  Value halves = bitcast(vectorOf(builder.getF16Type(), elements),
                         both(shifted, constant(static_cast<int16_t>(0xBF80))));
  SmallVector<Value> vectors;
  for (int64_t first = 0; first < elements; first += target.lanes) {
    SmallVector<int64_t> lanes(target.lanes);
    std::iota(lanes.begin(), lanes.end(), first);
    Value part =
        vector::ShuffleOp::create(builder, location, halves, halves, lanes);
    vectors.push_back(arith::ExtFOp::create(builder, location, floats(), part));
  }
  return vectors;
}

Value Emitter::addProducts(Value sums, Value a, Value b) {
  auto multiply = [&](StringRef name, int64_t lanes, Value x, Value y) {
    Type halves = vectorOf(builder.getI16Type(), 2 * lanes);
    return callIntrinsic(name, vectorOf(i32(), lanes),
                         {bitcast(halves, x), bitcast(halves, y)});
  };
  if (target.lanes == 8)
    return add(sums, multiply("llvm.x86.avx2.pmadd.wd", 8, a, b));
  // As text: LLVM knows the instruction, but makes two of it again, since the
  // chain of additions alone is shorter; tiles have chains enough.
  if (target.hasIntegerDot)
    return LLVM::InlineAsmOp::create(
               builder, location, integers(), ValueRange{sums, a, b},
               "vpdpwssd $3, $2, $0", "=v,0,v,v", /*has_side_effects=*/false,
               /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
               LLVM::AsmDialectAttr::get(builder.getContext(),
                                         LLVM::AsmDialect::AD_ATT),
               /*operand_attrs=*/ArrayAttr())
        .getResult(0);
  if (!target.isEmulated)
    return add(sums, multiply("llvm.x86.avx512.pmaddw.d.512", 16, a, b));
  SmallVector<int64_t> numbers(16);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto part = [&](Value vector, int64_t first) -> Value {
    return vector::ShuffleOp::create(builder, location, vector, vector,
                                     ArrayRef(numbers).slice(first, 8));
  };
  Value low = multiply("llvm.x86.avx2.pmadd.wd", 8, part(a, 0), part(b, 0));
  Value high = multiply("llvm.x86.avx2.pmadd.wd", 8, part(a, 8), part(b, 8));
  return add(sums, vector::ShuffleOp::create(builder, location, low, high,
                                             ArrayRef(numbers)));
}

Value Emitter::bitsOfHalves(Value words, int64_t first, int64_t bits) {
  VectorType halves = vectorOf(builder.getI16Type(), 2 * target.lanes);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        builder, location,
        DenseElementsAttr::get(halves, static_cast<int16_t>(value)));
  };
  Value values = bitcast(halves, words);
  if (first != 0)
    values = arith::ShRUIOp::create(builder, location, values, constant(first));
  if (first + bits < 16)
    values = both(values, constant((1 << bits) - 1));
  return bitcast(integers(), values);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void Emitter::forVectors(int64_t count,
                         llvm::function_ref<void(Value, Value)> body) {
  int64_t rest = count % target.lanes;
  loop(integer(0), integer(count - rest), target.lanes,
       [&](Value first) { body(first, Value()); });
  if (rest != 0)
    body(integer(count - rest), firstLanes(integer(rest)));
}
