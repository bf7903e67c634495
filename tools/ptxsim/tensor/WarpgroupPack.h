// Operands of wgmma rearranged for the kernels, as f32.
//
// A zmm register (or two of AVX2) holds one register of 16 lanes: 4 rows of D
// by 4 columns that are two apart. So A is packed with each element four times
// and B with the 4 columns side by side; a kernel adds a[row] * b[column] with
// one load of A and one load of B, which it repeats for each row.
//
// For vdpbf16ps the same with two elements of bf16 in the place of one f32.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPPACK_H
#define TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPPACK_H

#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

namespace ptxsim::warpgroup {

/// Addresses of a matrix in shared memory. The swizzle repeats from group to
/// group if these are multiples of 8 spans apart, as they nearly always are.
class SharedMatrix {
public:
  SharedMatrix() = default;
  /// \param chunks the 16-byte chunks along K.
  SharedMatrix(const uint8_t *shared, uint64_t bits, bool isMNMajor,
               uint32_t chunks);

  bool isMNMajor() const { return isMNMajorLayout; }

  /// The chunk of K with this number, of a row or column.
  const uint8_t *alongK(uint32_t mn, uint32_t chunk) const {
    return shared + (isPeriodic
                         ? table[mn % 8][chunk] + mn / 8 * descriptor.stride
                         : chunkAddress(descriptor, false, mn, chunk));
  }

  /// Eight rows or columns from `8 * group` on, for one k.
  const uint8_t *alongMN(uint32_t group, uint32_t k) const {
    if (!isPeriodic)
      return shared + chunkAddress(descriptor, true, group, k);
    if (!descriptor.span)
      return shared + table[k % 8][0] + group * descriptor.stride +
             k / 8 * descriptor.leading;
    uint32_t width = descriptor.span / 16;
    return shared + table[k % 8][group % width] +
           group / width * descriptor.leading + k / 8 * descriptor.stride;
  }

private:
  const uint8_t *shared = nullptr;
  MatrixDescriptor descriptor;
  bool isMNMajorLayout = false;
  bool isPeriodic = false;
  uint32_t table[8][8]; ///< [row or k][chunk]
};

/// A of one step, ready to be packed warp by warp.
struct OperandA {
  const WarpgroupStep *step = nullptr;
  SharedMatrix matrix;           ///< Unless in registers or sparse.
  uint8_t (*full)[64] = nullptr; ///< If sparse: 64 rows with all zeros.
};

/// Prepares A; `full` takes it if it is sparse.
OperandA prepareA(const WarpgroupShape &shape, const WarpgroupStep &step,
                  const uint8_t *shared, uint8_t (*full)[64]);

/// Where the k of a step go among those of all steps that fill the buffers.
struct PackPlace {
  uint32_t firstChunk = 0; ///< The 16-byte chunks along K that are packed,
  uint32_t endChunk = 0;   ///< up to this one.
  uint32_t firstUnit = 0;  ///< The unit with which they begin in the buffers.
  uint32_t units = 0;      ///< All units of the buffers.
};

/// What the buffers hold for one place: an element, as f32, or two of bf16, of
/// which the one of the lower k is in the upper half, since vdpbf16ps adds that
/// first.
enum class PackUnit { Element, Pair };

/// How many units 16 bytes along K of elements of `type` are.
constexpr uint32_t unitsOfChunk(WarpgroupType type, PackUnit unit) {
  return 128 / (unit == PackUnit::Pair ? 32 : bitsOf(type));
}

// Both return whether no element is so small that vdpbf16ps, which takes
// subnormal numbers for zeros, could lose it or its products; only for pairs.

/// Packs 16 rows of A as [unit][4 quads of rows][4 rows][4 copies].
template <PackUnit unit>
bool packA(const WarpgroupShape &shape, const OperandA &operand, uint32_t warp,
           const PackPlace &place, float *packed);

/// Packs B as [column / 8][column % 2][unit][column % 8 / 2].
template <PackUnit unit>
bool packB(const WarpgroupShape &shape, const WarpgroupStep &step,
           const uint8_t *shared, const PackPlace &place, float *packed);

/// What the kernels need to know.
struct Product {
  const float *a = nullptr; ///< As `packA` made it.
  const float *b = nullptr; ///< As `packB` made it.
  uint32_t units = 0;
  uint32_t n = 0;
  bool scaleD = true;
  bool saturates = false;
  /// The exponents that subnormals of A and B have, as bits of an f32; for
  /// `addProductLikeHopper`.
  uint32_t leastExponentA = 0, leastExponentB = 0;
};

/// Adds the product to the accumulators of one warp.
void addProduct(const Product &product, WarpgroupSum sum, uint32_t *const *d);

/// Whether this library and this CPU have vdpbf16ps.
bool hasDot();

/// Whether it is there and faster than f32 FMA. Measures it once.
bool isDotFaster();

/// Whether no accumulator is so small that vdpbf16ps could lose it.
bool canDot(const Product &product, uint32_t *const *d);

/// Like `addProduct` in f32, for pairs, by vdpbf16ps: the same bits if
/// `packA`, `packB` and `canDot` say yes.
void addDotProduct(const Product &product, uint32_t *const *d);

/// Adds the product of one instruction with 8-bit floats as Hopper does.
void addProductLikeHopper(const Product &product, WarpgroupSum sum,
                          uint32_t *const *d);

} // namespace ptxsim::warpgroup

#endif // TCC_TOOLS_PTXSIM_TENSOR_WARPGROUPPACK_H
