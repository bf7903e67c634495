// Planes as vectors of rows, and elements as numbers.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_MMAVECTORS_H
#define TCC_TOOLS_PTXSIM_TENSOR_MMAVECTORS_H

#include "tools/ptxsim/tensor/Mma.h"

#include <cstring>

namespace ptxsim {

template <class Element, unsigned Count>
using Vector = Element __attribute__((ext_vector_type(Count)));

using Words8 = Vector<uint32_t, 8>;
using Floats8 = Vector<float, 8>;

// Wide vectors pass by reference: by value they have no fixed convention.

/// Reads or writes a vector at an address of any alignment.
template <class V>
inline void load(V &result, const void *address) {
  std::memcpy(&result, address, sizeof result);
}
template <class V>
inline void store(void *address, const V &value) {
  std::memcpy(address, &value, sizeof value);
}

/// Reads eight f32.
inline Floats8 loadFloats(const float *address) {
  Floats8 result;
  load(result, address);
  return result;
}

/// A plane with its rows as columns: four registers of a row, for 8 rows each.
/// Word is uint32_t, or double for planes of f64.
template <class Word>
struct Columns {
  Vector<Word, 8> of[4];
};

template <class Word, int First>
inline void takeEveryFourth(const Vector<Word, 32> &v, Columns<Word> &result) {
  result.of[First] =
      __builtin_shufflevector(v, v, First, First + 4, First + 8, First + 12,
                              First + 16, First + 20, First + 24, First + 28);
}

template <class Word>
inline Columns<Word> columnsOf(const void *plane) {
  Vector<Word, 32> words;
  load(words, plane);
  Columns<Word> result;
  takeEveryFourth<Word, 0>(words, result);
  takeEveryFourth<Word, 1>(words, result);
  takeEveryFourth<Word, 2>(words, result);
  takeEveryFourth<Word, 3>(words, result);
  return result;
}

/// Writes a plane back from its columns.
template <class Word>
inline void storeColumns(const Columns<Word> &columns, void *plane) {
  auto low = __builtin_shufflevector(columns.of[0], columns.of[1], 0, 1, 2, 3,
                                     4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  auto high = __builtin_shufflevector(columns.of[2], columns.of[3], 0, 1, 2, 3,
                                      4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  Vector<Word, 32> words = __builtin_shufflevector(
      low, high, 0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27, 4,
      12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
  store(plane, words);
}

/// Replaces the words where `isNan`, a comparison, is true.
template <class Mask>
inline Words8 orNan(Words8 words, Mask isNan, uint32_t nan) {
  auto mask = numerics::bitCast<Words8>(isNan); // All ones where true.
  return (words & ~mask) | (mask & nan);
}

/// Widens f16 in the lower halves of words.
inline Floats8 widenF16(Words8 words) {
  auto bits = __builtin_convertvector(words, Vector<uint16_t, 8>);
  auto halves = numerics::bitCast<Vector<_Float16, 8>>(bits);
  return __builtin_convertvector(halves, Floats8);
}

/// Narrows to f16 in the lower halves of words; NaN is canonical.
inline Words8 narrowF16(Floats8 values) {
  auto halves = __builtin_convertvector(values, Vector<_Float16, 8>);
  auto bits = numerics::bitCast<Vector<uint16_t, 8>>(halves);
  Words8 words = __builtin_convertvector(bits, Words8);
  return orNan(words, (words & 0x7FFF) > 0x7C00, numerics::canonicalNanHalf);
}

/// Returns the bits of f32 values, any NaN as the canonical one.
inline Words8 canonicalBits(Floats8 values) {
  auto bits = numerics::bitCast<Words8>(values);
  return orNan(bits, (bits & ~numerics::signF32) > 0x7F800000,
               numerics::canonicalNanF32);
}

/// Reads part `part`, from the low bits, of each word as a number.
template <MmaType Type>
inline Floats8 numbersIn(Words8 words, unsigned part) {
  constexpr unsigned bits = elementBits(Type);
  Words8 low = words >> (bits * part);
  // The part in the highest bits, to copy its sign down.
  auto high =
      numerics::bitCast<Vector<int32_t, 8>>(words << (32 - bits - bits * part));
  if constexpr (Type == MmaType::F16)
    return widenF16(low & 0xFFFF);
  if constexpr (Type == MmaType::BF16)
    return numerics::bitCast<Floats8>(low << 16);
  if constexpr (Type == MmaType::TF32)
    return numerics::bitCast<Floats8>(words & ~uint32_t(0x1FFF));
  if constexpr (Type == MmaType::E5M2)
    return widenF16((low & 0xFF) << 8);
  if constexpr (Type == MmaType::E4M3) {
    // As f16 the exponent is 8 too small; all ones are NaN.
    Words8 magnitude = low & 0x7F;
    Floats8 value = widenF16(magnitude << 7) * 256.0f;
    auto bits = numerics::bitCast<Words8>(value);
    bits = orNan(bits, magnitude == 0x7F, numerics::canonicalNanF32);
    return numerics::bitCast<Floats8>(bits | (low & 0x80) << 24);
  }
  if constexpr (Type == MmaType::U8 || Type == MmaType::U4)
    return __builtin_convertvector(
        numerics::bitCast<Vector<int32_t, 8>>(low & ((1u << bits) - 1)),
        Floats8);
  if constexpr (Type == MmaType::S8 || Type == MmaType::S4)
    return __builtin_convertvector(high >> (32 - bits), Floats8);
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_MMAVECTORS_H
