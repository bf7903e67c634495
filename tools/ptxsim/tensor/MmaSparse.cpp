// Matrix products with a sparse A.
//
// Source: PTX ISA 9.0, sections 9.7.14.6.1 and 9.7.14.6.2. A row of A is cut
// into chunks of which half the elements are stored, and four bits of metadata
// for each chunk say which: two positions of two bits. Which lane holds them
// follows the figures of 9.7.14.6.2, which CUTLASS states as layouts
// (ELayout_64x64 and its kin, of one warp).

#include "tools/ptxsim/tensor/MmaTile.h"
#include "tools/ptxsim/tensor/MmaVectors.h"

namespace ptxsim {

namespace {

/// How rows of A are cut.
struct Chunking {
  unsigned width = 0;  ///< Columns of a chunk.
  unsigned count = 0;  ///< Chunks of a row.
  bool isWide = false; ///< A lane holds 8 chunks of one row, not 4 of two rows.
};

} // namespace

static Chunking chunkingOf(const MmaForm &form) {
  unsigned bits = elementBits(form.a);
  unsigned width = bits == 32 ? 2 : bits == 4 ? 8 : 4;
  return {width, form.k / width, bits <= 8};
}

unsigned selectorsOf(const MmaForm &form) {
  return 16 / chunkingOf(form).count; // A lane holds eight of 2 * count.
}

/// Returns the four bits of a chunk, and which lane holds them.
static uint32_t codeOf(const Chunking &chunking, const uint32_t *metadata,
                       uint32_t selector, unsigned row, unsigned chunk,
                       unsigned &lane) {
  unsigned half = row / 8;
  unsigned lanes = chunking.count / 4; // Of a group of four that hold any.
  unsigned inGroup, index;
  if (chunking.isWide) {
    inGroup = chunk / 8 * 2 + half;
    index = chunk % 8;
  } else {
    inGroup = chunk / 4;
    index = 4 * half + chunk % 4;
  }
  lane = 4 * (row % 8) + selector * lanes + inGroup;
  return metadata[lane] >> (4 * index) & 15;
}

/// Returns the column, within its chunk, of a stored element.
static unsigned columnOf(const Chunking &chunking, uint32_t code,
                         unsigned element) {
  if (chunking.width == 2) // tf32 has the codes of the halves of an element.
    return (code & 3) >> 1;
  if (chunking.width == 8) // Elements of 4 bits come in pairs.
    return 2 * (code >> (2 * (element / 2)) & 3) + element % 2;
  return code >> (2 * element) & 3;
}

int findInvalidMetadata(const MmaForm &form, const uint32_t *metadata,
                        uint32_t selector, uint32_t &bits) {
  Chunking chunking = chunkingOf(form);
  for (unsigned row = 0; row != 16; ++row)
    for (unsigned chunk = 0; chunk != chunking.count; ++chunk) {
      unsigned lane = 0;
      bits = codeOf(chunking, metadata, selector, row, chunk, lane);
      uint32_t first = bits & 3, second = bits >> 2;
      bool isValid = form.isOrdered ? first < second : first != second;
      if (chunking.width == 2)
        isValid = bits == 0b0100 || bits == 0b1110;
      if (!isValid)
        return int(lane);
    }
  return -1;
}

/// Finds the columns of all stored elements: [stored][16 rows].
static void findColumns(const MmaForm &form, const MmaOperands &operands,
                        uint8_t *columns) {
  Chunking chunking = chunkingOf(form);
  unsigned stored = chunking.width / 2;
  for (unsigned row = 0; row != 16; ++row)
    for (unsigned chunk = 0; chunk != chunking.count; ++chunk) {
      unsigned lane = 0;
      uint32_t code = codeOf(chunking, operands.metadata, operands.selector,
                             row, chunk, lane);
      for (unsigned i = 0; i != stored; ++i)
        columns[(chunk * stored + i) * 16 + row] =
            uint8_t(chunk * chunking.width + columnOf(chunking, code, i));
    }
}

void multiplySparse(const MmaForm &form, const MmaOperands &operands,
                    const FactorTile &a, const FactorTile &b,
                    AccumulatorTile &sum) {
  // As many rows at a time as hide how long an addition takes.
  constexpr unsigned together = 8;
  uint8_t columns[mmaMaxK / 2 * 16];
  findColumns(form, operands, columns);
  for (unsigned first = 0; first != 16; first += together) {
    Floats8 sums[together];
    for (unsigned row = 0; row != together; ++row)
      for (unsigned column = 0; column != 8; ++column)
        sums[row][column] = sum.values[16 * column + first + row];
    for (unsigned i = 0; i != form.k / 2u; ++i)
      for (unsigned row = 0; row != together; ++row) {
        unsigned at = 16 * i + first + row;
        Floats8 factor = a.values[at];
        Floats8 other = loadFloats(b.values + 8 * columns[at]);
        sums[row] = __builtin_elementwise_fma(factor, other, sums[row]);
      }
    for (unsigned row = 0; row != together; ++row)
      for (unsigned column = 0; column != 8; ++column)
        sum.values[16 * column + first + row] = sums[row][column];
  }
}

} // namespace ptxsim
