// Bit patterns of floating-point values, rounding modes, and what PTX does to
// a result besides rounding it.
//
// Everything in this folder is a pure function of scalars, written without
// branches where a loop over the lanes of a warp is to be vectorised. Modifiers
// of an instruction are template arguments.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_BITS_H
#define TCC_TOOLS_PTXSIM_NUMERICS_BITS_H

#include <cstdint>
#include <cstring>

// An inline function that exists for two instruction sets is linked only once.
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile users of ptxsim/numerics for x86-64-v3 or above"
#endif

namespace ptxsim::numerics {

/// `.rn`, `.rna`, `.rz`, `.rm`, `.rp`, and with an `i` the same to integers.
/// Odd is no mode of PTX: it keeps what a second rounding to at least two bits
/// less needs to know, so that the two round as one.
enum class Rounding : uint8_t {
  Nearest, ///< Ties to even.
  NearestAway,
  Zero,
  Down,
  Up,
  Odd,
};

/// `.sat` clamps to [0, 1], `.relu` below at 0.
enum class Clamp : uint8_t { None, Saturate, Relu };

/// What NVIDIA's hardware makes of every NaN of these types.
constexpr uint32_t canonicalNanF32 = 0x7FFFFFFF;
constexpr uint16_t canonicalNanHalf = 0x7FFF; ///< f16 and bf16.
/// The NaN with which a tensor map fills what is out of bounds, and which
/// `fma.oob` reads as zero. The manual has no encoding; this is what others
/// report of hardware for f16 and bf16.
constexpr uint16_t outOfBoundsNanHalf = 0x7FF7;
constexpr uint8_t canonicalNanF8 = 0x7F; ///< e4m3 and e5m2.

constexpr uint32_t signF32 = 0x80000000;
constexpr uint64_t signF64 = 0x8000000000000000;
constexpr uint16_t signHalf = 0x8000;

/// Reads `value` as another type of the same size.
template <class To, class From>
inline To bitCast(From value) {
  static_assert(sizeof(To) == sizeof(From), "bits neither come nor go");
  To result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

inline uint32_t bitsOf(float value) { return bitCast<uint32_t>(value); }
inline uint64_t bitsOf(double value) { return bitCast<uint64_t>(value); }
inline float floatOf(uint32_t bits) { return bitCast<float>(bits); }
inline double doubleOf(uint64_t bits) { return bitCast<double>(bits); }

inline bool isNan(float value) { return value != value; }
inline bool isNan(double value) { return value != value; }

/// Returns `value`, any NaN as the one that hardware gives. As integers: among
/// floats LLVM takes one NaN for another and drops the choice.
inline float canonical(float value) {
  uint32_t bits = bitsOf(value);
  return floatOf((bits & ~signF32) > 0x7F800000 ? canonicalNanF32 : bits);
}

/// With `.ftz`: returns subnormals as zeros of the same sign.
template <bool Ftz>
inline float flush(float value) {
  if constexpr (!Ftz)
    return value;
  uint32_t bits = bitsOf(value);
  return floatOf((bits & 0x7F800000) ? bits : bits & signF32);
}

/// Clamps a result. NaN becomes +0 by `.sat`; it stays NaN by `.relu`. Neither
/// returns -0.
template <Clamp C, class Float>
inline Float clamp(Float value) {
  if constexpr (C == Clamp::Saturate)
    return value > 0 ? (value < 1 ? value : Float(1)) : Float(0);
  if constexpr (C == Clamp::Relu)
    return value <= 0 ? Float(0) : value;
  return value;
}

/// Makes the result of an f32 instruction of a rounded value.
template <bool Ftz, Clamp C = Clamp::None>
inline float finish(float value) {
  return clamp<C>(flush<Ftz>(canonical(value)));
}

/// Applies `operation` to the lower and to the upper halves of its arguments.
template <class Operation, class... Words>
inline uint32_t mapHalves(Operation operation, Words... words) {
  uint16_t low = operation(uint16_t(words)...);
  uint16_t high = operation(uint16_t(words >> 16)...);
  return low | uint32_t(high) << 16;
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_BITS_H
