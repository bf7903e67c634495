// Element-wise reductions of cp.reduce.async.bulk and its tensor form.
//
// Source: PTX ISA 9.0, 9.7.9.25.4.2 (what each operation does) and 9.7.9.25.5.3
// (which types it has).

#include "tools/ptxsim/tensor/BulkTensor.h"
#include "tools/ptxsim/tensor/TensorMapRules.h"

#include <cmath>
#include <cstring>

using namespace ptxsim;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static bool isWord(TensorType type) {
  return type == TensorType::U32 || type == TensorType::S32 ||
         type == TensorType::U64 || type == TensorType::S64;
}

static bool isHalf(TensorType type) {
  return type == TensorType::F16 || type == TensorType::BF16;
}

std::string ptxsim::checkReduction(BulkReduction reduction, TensorType type) {
  switch (reduction) {
  case BulkReduction::Add:
    if ((isWord(type) && type != TensorType::S64) || isHalf(type) ||
        type == TensorType::F32 || type == TensorType::F32Ftz ||
        type == TensorType::F64)
      return "";
    return expected("elements of u32, s32, u64, f32, f64, f16 or bf16 for add",
                    nameOf(type));
  case BulkReduction::Min:
  case BulkReduction::Max:
    if (isWord(type) || isHalf(type))
      return "";
    return expected("elements of u32, s32, u64, s64, f16 or bf16 for min and "
                    "max",
                    nameOf(type));
  case BulkReduction::Inc:
  case BulkReduction::Dec:
    if (type == TensorType::U32)
      return "";
    return expected("elements of u32 for inc and dec", nameOf(type));
  case BulkReduction::And:
  case BulkReduction::Or:
  case BulkReduction::Xor:
    if (isWord(type))
      return "";
    return expected("elements of 32 or 64 bits for and, or and xor",
                    nameOf(type));
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

namespace {
struct Half {
  static float decode(uint16_t bits) {
    _Float16 value;
    std::memcpy(&value, &bits, 2);
    return float(value);
  }
  static uint16_t encode(float value) {
    _Float16 rounded = _Float16(value);
    uint16_t bits;
    std::memcpy(&bits, &rounded, 2);
    return bits;
  }
};

struct BFloat {
  static float decode(uint16_t bits) {
    uint32_t wide = uint32_t(bits) << 16;
    float value;
    std::memcpy(&value, &wide, 4);
    return value;
  }
  static uint16_t encode(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
};
} // namespace

/// Flushes subnormals to a zero of the same sign.
static float flush(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value)
                                                : value;
}

/// Reduces two numbers of a 16-bit format. Their sum is rounded once: f32 has
/// more than twice the bits.
template <typename Format>
static uint16_t combineHalf(BulkReduction reduction, uint16_t a, uint16_t b) {
  float x = Format::decode(a), y = Format::decode(b);
  if (reduction == BulkReduction::Add) {
    float sum = x + y;
    return std::isnan(sum) ? 0x7fff : Format::encode(sum);
  }
  if (std::isnan(x) || std::isnan(y))
    return !std::isnan(x) ? a : !std::isnan(y) ? b : 0x7fff;
  bool isLess = x < y || (x == y && std::signbit(x) && !std::signbit(y));
  return isLess == (reduction == BulkReduction::Min) ? a : b;
}

template <typename Integer>
static Integer combineInteger(BulkReduction reduction, Integer a, Integer b) {
  using Unsigned = std::make_unsigned_t<Integer>;
  switch (reduction) {
  case BulkReduction::Add:
    return Integer(Unsigned(a) + Unsigned(b));
  case BulkReduction::Min:
    return std::min(a, b);
  case BulkReduction::Max:
    return std::max(a, b);
  case BulkReduction::Inc:
    return Unsigned(a) >= Unsigned(b) ? 0 : Integer(a + 1);
  case BulkReduction::Dec:
    return a == 0 || Unsigned(a) > Unsigned(b) ? b : Integer(a - 1);
  case BulkReduction::And:
    return a & b;
  case BulkReduction::Or:
    return a | b;
  case BulkReduction::Xor:
    return a ^ b;
  }
  return a;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Replaces each element by what `combine` makes of it and the source's, each
/// as one atomic access of relaxed order.
template <typename Bits, typename Combine>
static void forEachElement(uint8_t *destination, const uint8_t *source,
                           uint64_t bytes, Combine &&combine) {
  auto *at = reinterpret_cast<Bits *>(destination);
  for (uint64_t i = 0; i < bytes / sizeof(Bits); ++i) {
    Bits value, old = __atomic_load_n(at + i, __ATOMIC_RELAXED);
    std::memcpy(&value, source + i * sizeof(Bits), sizeof(Bits));
    while (!__atomic_compare_exchange_n(at + i, &old, combine(old, value), true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
}

static uint32_t addF32(uint32_t a, uint32_t b) {
  float x, y;
  std::memcpy(&x, &a, 4);
  std::memcpy(&y, &b, 4);
  float sum = flush(flush(x) + flush(y));
  if (std::isnan(sum))
    return 0x7fffffff;
  uint32_t bits;
  std::memcpy(&bits, &sum, 4);
  return bits;
}

static uint64_t addF64(uint64_t a, uint64_t b) {
  double x, y;
  std::memcpy(&x, &a, 8);
  std::memcpy(&y, &b, 8);
  double sum = x + y;
  uint64_t bits;
  std::memcpy(&bits, &sum, 8);
  return bits;
}

void ptxsim::reduceElements(BulkReduction reduction, TensorType type,
                            uint8_t *destination, const uint8_t *source,
                            uint64_t bytes) {
  auto integers = [&](auto zero) {
    using Integer = decltype(zero);
    forEachElement<Integer>(destination, source, bytes,
                            [&](Integer a, Integer b) {
                              return combineInteger<Integer>(reduction, a, b);
                            });
  };
  switch (type) {
  case TensorType::U32:
    return integers(uint32_t(0));
  case TensorType::S32:
    return integers(int32_t(0));
  case TensorType::U64:
    return integers(uint64_t(0));
  case TensorType::S64:
    return integers(int64_t(0));
  case TensorType::F16:
    return forEachElement<uint16_t>(destination, source, bytes,
                                    [&](uint16_t a, uint16_t b) {
                                      return combineHalf<Half>(reduction, a, b);
                                    });
  case TensorType::BF16:
    return forEachElement<uint16_t>(
        destination, source, bytes, [&](uint16_t a, uint16_t b) {
          return combineHalf<BFloat>(reduction, a, b);
        });
  case TensorType::F32:
  case TensorType::F32Ftz:
    return forEachElement<uint32_t>(destination, source, bytes, addF32);
  case TensorType::F64:
    return forEachElement<uint64_t>(destination, source, bytes, addF64);
  default:
    return; // checkReduction refuses them.
  }
}
