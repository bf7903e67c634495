// wgmma.mma_async: the product of a 64 x K and a K x N matrix, added to the
// accumulators of a warpgroup.
//
// Products are exact and are added in f32, k by k in rising order, however the
// steps of an accumulation are grouped into calls. Integers are exact. Source
// of shapes, fragments, descriptors and layouts: PTX ISA 9.0, section 9.7.15.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPMULTIPLY_H
#define TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPMULTIPLY_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace ptxsim {

/// Types of A and B.
enum class WarpgroupType : uint8_t { F16, BF16, TF32, E4M3, E5M2, S8, U8, B1 };

/// Types of D.
enum class WarpgroupSum : uint8_t { F32, F16, S32 };

/// What an instruction's name says.
struct WarpgroupShape {
  WarpgroupType a = WarpgroupType::BF16;
  WarpgroupType b = WarpgroupType::BF16;
  WarpgroupSum d = WarpgroupSum::F32;
  uint32_t n = 64;
  bool isSparse = false;  ///< `.sp`: A holds every second element.
  bool saturates = false; ///< `.satfinite`

  /// Bytes of a row of A in memory, and of a column of B.
  static constexpr uint32_t rowBytesOfA = 32;
  uint32_t columnBytesOfB() const { return isSparse ? 64 : 32; }

  uint32_t k() const; ///< As in the name; that of B.
  /// Registers of a thread.
  uint32_t registersOfD() const {
    return d == WarpgroupSum::F16 ? n / 4 : n / 2;
  }
};

/// Returns the bits of an element.
constexpr uint32_t bitsOf(WarpgroupType type) {
  switch (type) {
  case WarpgroupType::B1:
    return 1;
  case WarpgroupType::E4M3:
  case WarpgroupType::E5M2:
  case WarpgroupType::S8:
  case WarpgroupType::U8:
    return 8;
  case WarpgroupType::F16:
  case WarpgroupType::BF16:
    return 16;
  case WarpgroupType::TF32:
    return 32;
  }
  return 0;
}

const char *nameOf(WarpgroupType type);
const char *nameOf(WarpgroupSum type);

/// Checks that there is such an instruction.
///
/// \returns empty, or what is wrong.
[[nodiscard]] std::string checkShape(const WarpgroupShape &shape);

/// A matrix descriptor in words; offsets are in bytes.
struct MatrixDescriptor {
  uint32_t start = 0;
  uint32_t leading = 0;    ///< Leading dimension byte offset.
  uint32_t stride = 0;     ///< Stride dimension byte offset.
  uint32_t baseOffset = 0; ///< Of the swizzle's pattern, in lines of 128 bytes.
  uint32_t span = 0;       ///< Bytes of the swizzle, or 0.
};

MatrixDescriptor decodeDescriptor(uint64_t bits);

/// Returns the address of 16 bytes of a matrix in shared memory. If K is the
/// contiguous dimension they are chunk `k` of row (or column) `mn`; else they
/// are chunk `mn` of the rows (or columns) for one `k`.
uint32_t chunkAddress(const MatrixDescriptor &descriptor, bool isMNMajor,
                      uint32_t mn, uint32_t k);

/// The operands of one instruction. Planes of registers are [warp][register]
/// and point to 32 lanes.
struct WarpgroupStep {
  bool isAInRegisters = false;
  uint64_t descriptorA = 0;
  const uint32_t *a[4][4] = {}; ///< If A is in registers.
  uint64_t descriptorB = 0;
  bool scaleD = true; ///< False: D is not read.
  bool isANegated = false, isBNegated = false;
  bool isATransposed = false, isBTransposed = false; ///< 16-bit types only.
  const uint32_t *metadata[4] = {};                  ///< [warp], if sparse.
  uint32_t selector = 0;                             ///< If sparse.
};

/// Checks the operands that can be wrong: that all of A and B lies within the
/// block's shared memory, and what the manual demands of transposition,
/// descriptors, selector, and the metadata of the warps that give theirs.
///
/// \returns empty, or what is wrong.
[[nodiscard]] std::string checkStep(const WarpgroupShape &shape,
                                    const WarpgroupStep &step,
                                    uint32_t sharedBytes);

/// Calls `function(address)` for each 16 bytes of a matrix in shared memory
/// with `mn` rows or columns of `k` elements of `bits` bits.
template <typename Function>
void forEachMatrixChunk(const MatrixDescriptor &descriptor, bool isMNMajor,
                        uint32_t mn, uint32_t k, uint32_t bits,
                        Function &&function) {
  uint32_t outer = isMNMajor ? mn * bits / 128 : mn;
  uint32_t inner = isMNMajor ? k : k * bits / 128;
  for (uint32_t i = 0; i < outer; ++i)
    for (uint32_t j = 0; j < inner; ++j)
      function(chunkAddress(descriptor, isMNMajor, i, j));
}

/// Calls `function(address)` for each 16 bytes of shared memory that the step
/// reads, A before B.
template <typename Function>
void forEachChunk(const WarpgroupShape &shape, const WarpgroupStep &step,
                  Function &&function) {
  uint32_t k = shape.k();
  if (!step.isAInRegisters)
    forEachMatrixChunk(decodeDescriptor(step.descriptorA), step.isATransposed,
                       64, shape.isSparse ? k / 2 : k, bitsOf(shape.a),
                       function);
  forEachMatrixChunk(decodeDescriptor(step.descriptorB), step.isBTransposed,
                     shape.n, k, bitsOf(shape.b), function);
}

/// Performs steps. Holds buffers, so that one object serves one host thread.
class WarpgroupMultiplier {
public:
  WarpgroupMultiplier();
  ~WarpgroupMultiplier();
  WarpgroupMultiplier(const WarpgroupMultiplier &) = delete;
  WarpgroupMultiplier &operator=(const WarpgroupMultiplier &) = delete;

  /// Adds the products of `count` steps of one shape, which must have been
  /// checked, to the accumulators. Giving all steps of a group at once saves
  /// time and changes nothing else.
  ///
  /// \param shared the block's shared memory, of which address 0 is the first
  /// byte.
  /// \param d planes of [warp][register]; `registersOfD` of a warp are used.
  /// \param isHopper models the accumulators of Hopper for 8-bit floats, see
  /// WarpgroupKernel.cpp.
  void multiply(const WarpgroupShape &shape, const WarpgroupStep *steps,
                size_t count, const uint8_t *shared,
                uint32_t *const *const d[4], bool isHopper = false);

private:
  struct Buffers;
  /// Performs steps whose sums are rounded only at the end.
  void multiplyTogether(const WarpgroupShape &shape, const WarpgroupStep *steps,
                        uint32_t count, const uint8_t *shared,
                        uint32_t *const *const d[4], bool isHopper,
                        bool scaleD);

  std::unique_ptr<Buffers> buffers;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPMULTIPLY_H
