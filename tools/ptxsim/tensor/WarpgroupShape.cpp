// Which wgmma instructions there are, and where their operands may lie.

#include "tools/ptxsim/tensor/TensorMapRules.h"
#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

using namespace ptxsim;

uint32_t WarpgroupShape::k() const { return columnBytesOfB() * 8 / bitsOf(b); }

const char *ptxsim::nameOf(WarpgroupType type) {
  static const char *const names[] = {"f16",  "bf16", "tf32", "e4m3",
                                      "e5m2", "s8",   "u8",   "b1"};
  return names[size_t(type)];
}

const char *ptxsim::nameOf(WarpgroupSum type) {
  static const char *const names[] = {"f32", "f16", "s32"};
  return names[size_t(type)];
}

static bool isFloat8(WarpgroupType type) {
  return type == WarpgroupType::E4M3 || type == WarpgroupType::E5M2;
}

static bool isInteger8(WarpgroupType type) {
  return type == WarpgroupType::S8 || type == WarpgroupType::U8;
}

static bool isHalf(WarpgroupType type) {
  return type == WarpgroupType::F16 || type == WarpgroupType::BF16;
}

std::string ptxsim::checkShape(const WarpgroupShape &shape) {
  bool isInteger = isInteger8(shape.a) || shape.a == WarpgroupType::B1;
  if (!(shape.a == shape.b || (isFloat8(shape.a) && isFloat8(shape.b)) ||
        (isInteger8(shape.a) && isInteger8(shape.b))))
    return expected("A and B of the same type, or both of 8-bit floats or "
                    "integers",
                    std::string(nameOf(shape.a)) + " and " + nameOf(shape.b));
  bool hasSum =
      isInteger ? shape.d == WarpgroupSum::S32
                : shape.d == WarpgroupSum::F32 ||
                      (shape.d == WarpgroupSum::F16 &&
                       (shape.a == WarpgroupType::F16 || isFloat8(shape.a)));
  if (!hasSum)
    return expected(std::string("accumulators of ") +
                        (isInteger ? "s32"
                         : shape.a == WarpgroupType::F16 || isFloat8(shape.a)
                             ? "f16 or f32"
                             : "f32") +
                        " for " + nameOf(shape.a),
                    nameOf(shape.d));
  if (shape.n < 8 || shape.n > 256 || shape.n % 8)
    return expected("N to be a multiple of 8 from 8 to 256",
                    std::to_string(shape.n));
  if (isInteger && shape.n > 32 && shape.n % 16)
    return expected("N of integers above 32 to be a multiple of 16",
                    std::to_string(shape.n));
  if (shape.isSparse && shape.a == WarpgroupType::B1)
    return expected("a type that .sp supports", nameOf(shape.a));
  if (shape.saturates && !isInteger8(shape.a))
    return expected("s8 or u8 for .satfinite", nameOf(shape.a));
  return "";
}

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

MatrixDescriptor ptxsim::decodeDescriptor(uint64_t bits) {
  static constexpr uint32_t spans[] = {0, 128, 64, 32};
  MatrixDescriptor result;
  result.start = uint32_t(bits & 0x3fff) << 4;
  result.leading = uint32_t(bits >> 16 & 0x3fff) << 4;
  result.stride = uint32_t(bits >> 32 & 0x3fff) << 4;
  result.baseOffset = uint32_t(bits >> 49 & 7);
  result.span = spans[bits >> 62];
  return result;
}

/// Returns the address before swizzling, from the canonical layouts of
/// 9.7.15.5.1.2.1.3, in which 16 bytes are the unit.
static uint32_t linearAddress(const MatrixDescriptor &descriptor,
                              bool isMNMajor, uint32_t mn, uint32_t k) {
  uint32_t group, row; // Groups of 8 rows of a span each.
  uint32_t address = descriptor.start;
  if (!descriptor.span) {
    // Eight rows are contiguous. Which offset steps along K depends on the
    // layout, and is not what the names suggest.
    if (isMNMajor)
      return address + mn * descriptor.stride + k / 8 * descriptor.leading +
             k % 8 * 16;
    return address + mn / 8 * descriptor.stride + mn % 8 * 16 +
           k * descriptor.leading;
  }
  if (isMNMajor) {
    uint32_t width = descriptor.span / 16;
    address += mn / width * descriptor.leading + mn % width * 16;
    group = k / 8;
    row = k % 8;
  } else {
    address += k * 16;
    group = mn / 8;
    row = mn % 8;
  }
  return address + group * descriptor.stride + row * descriptor.span;
}

uint32_t ptxsim::chunkAddress(const MatrixDescriptor &descriptor,
                              bool isMNMajor, uint32_t mn, uint32_t k) {
  uint32_t address = linearAddress(descriptor, isMNMajor, mn, k);
  if (!descriptor.span)
    return address;
  // The base offset is the line, modulo 8, with which the pattern begins.
  uint32_t line = (address >> 7) - descriptor.baseOffset;
  return address ^ ((line & (descriptor.span / 16 - 1)) << 4);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Checks a matrix of `mn` rows or columns of `rowBytes` along K.
static std::string checkMatrix(const char *name, uint64_t bits,
                               WarpgroupType type, bool isMNMajor, uint32_t mn,
                               uint32_t rowBytes, uint32_t sharedBytes) {
  MatrixDescriptor descriptor = decodeDescriptor(bits);
  std::string prefix = std::string("the descriptor of ") + name;
  if (isMNMajor && !isHalf(type))
    return expected(std::string("f16 or bf16 for a transposed ") + name,
                    nameOf(type));
  if (descriptor.baseOffset && !descriptor.span)
    return expected(prefix + " to have base offset 0 without a swizzle",
                    std::to_string(descriptor.baseOffset));
  if (descriptor.span && !isMNMajor && descriptor.span < rowBytes)
    return expected(prefix + " to have a swizzle of at least the " +
                        std::to_string(rowBytes) + " bytes along K",
                    std::to_string(descriptor.span));
  uint32_t k = rowBytes * 8 / bitsOf(type);
  uint32_t last =
      isMNMajor ? linearAddress(descriptor, true, mn / 8 - 1, k - 1)
                : linearAddress(descriptor, false, mn - 1, rowBytes / 16 - 1);
  // Offsets are not negative and the swizzle stays within lines, so that this
  // is enough but at the end of shared memory.
  if ((last | 127) < sharedBytes)
    return "";
  uint32_t highest = 0;
  forEachMatrixChunk(
      descriptor, isMNMajor, mn, k, bitsOf(type),
      [&](uint32_t address) { highest = std::max(highest, address); });
  if (highest + 16 > sharedBytes)
    return expected(prefix + " to stay within the " +
                        std::to_string(sharedBytes) + " bytes of shared memory",
                    "start " + inHex(descriptor.start) + ", leading offset " +
                        std::to_string(descriptor.leading) +
                        ", stride offset " + std::to_string(descriptor.stride) +
                        " and last address " + inHex(highest));
  return "";
}

/// Returns the lanes of each group of four that give metadata, as a mask.
static uint32_t metadataLanes(const WarpgroupShape &shape, uint32_t selector) {
  return bitsOf(shape.a) == 8 ? 0xf : 3 << (2 * selector);
}

static std::string checkMetadata(const WarpgroupShape &shape,
                                 const WarpgroupStep &step) {
  uint32_t bits = bitsOf(shape.a);
  uint32_t selectors = bits == 8 ? 1 : 2;
  if (step.selector >= selectors)
    return expected(bits == 8 ? "sparsity selector 0"
                              : "sparsity selector 0 or 1",
                    std::to_string(step.selector));
  uint32_t lanes = metadataLanes(shape, step.selector);
  for (uint32_t warp = 0; warp < 4; ++warp)
    for (uint32_t lane = 0; lane < 32; ++lane) {
      if (step.metadata[warp] == nullptr || !(lanes >> lane % 4 & 1))
        continue;
      for (uint32_t i = 0; i < 8; ++i) {
        uint32_t pair = step.metadata[warp][lane] >> (4 * i) & 15;
        bool isValid = bits == 32 ? pair == 0b0100 || pair == 0b1110
                                  : (pair & 3) != pair >> 2;
        if (!isValid)
          return expected(bits == 32 ? "metadata of 0b0100 or 0b1110"
                                     : "metadata of two different positions",
                          inHex(pair) + " in bits " + std::to_string(4 * i) +
                              " to " + std::to_string(4 * i + 3) + " of lane " +
                              std::to_string(lane) + " of warp " +
                              std::to_string(warp) + " of the warpgroup");
      }
    }
  return "";
}

std::string ptxsim::checkStep(const WarpgroupShape &shape,
                              const WarpgroupStep &step, uint32_t sharedBytes) {
  if (!step.isAInRegisters)
    if (std::string message =
            checkMatrix("A", step.descriptorA, shape.a, step.isATransposed, 64,
                        WarpgroupShape::rowBytesOfA, sharedBytes);
        !message.empty())
      return message;
  if (std::string message =
          checkMatrix("B", step.descriptorB, shape.b, step.isBTransposed,
                      shape.n, shape.columnBytesOfB(), sharedBytes);
      !message.empty())
    return message;
  return shape.isSparse ? checkMetadata(shape, step) : "";
}
