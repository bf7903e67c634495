// Matrices of small numbers and fragments of them.

#include "test/unit/ptxsim/tensor/Matrices.h"

#include <cmath>
#include <cstring>

using ptxsim::numerics::test::Random;
using ptxsim::numerics::test::Table;

namespace ptxsim::test {

static const Table &tableOf(MmaType type) {
  static const Table f16(5, 10, true), bf16(8, 7, true), tf32(8, 10, true),
      e4m3(4, 3, false), e5m2(5, 2, true);
  switch (type) {
  case MmaType::F16:
    return f16;
  case MmaType::BF16:
    return bf16;
  case MmaType::TF32:
    return tf32;
  case MmaType::E4M3:
    return e4m3;
  default:
    return e5m2;
  }
}

uint64_t encode(MmaType type, double value) {
  switch (type) {
  case MmaType::F64:
    return numerics::bitsOf(value);
  case MmaType::F32:
    return numerics::bitsOf(float(value));
  case MmaType::TF32:
    // Low bits that the tensor core must not see.
    return uint64_t(
               tableOf(type).round(value, numerics::Rounding::Nearest, false))
               << 13 |
           0x155;
  case MmaType::F16:
  case MmaType::BF16:
  case MmaType::E4M3:
  case MmaType::E5M2:
    return std::isnan(value)
               ? uint64_t(elementBits(type) == 16 ? 0x7FFF : 0x7F)
               : tableOf(type).round(value, numerics::Rounding::Nearest, false);
  default:
    return uint64_t(int64_t(value)) & ((uint64_t(1) << elementBits(type)) - 1);
  }
}

double decode(MmaType type, uint64_t bits) {
  switch (type) {
  case MmaType::F64:
    return numerics::doubleOf(bits);
  case MmaType::F32:
    return double(numerics::floatOf(uint32_t(bits)));
  case MmaType::TF32:
    return tableOf(type).valueOf(uint32_t(bits) >> 13);
  case MmaType::S32:
    return int32_t(uint32_t(bits));
  case MmaType::S8:
    return int8_t(uint8_t(bits));
  case MmaType::S4:
    return double(bits & 8 ? int64_t(bits) - 16 : int64_t(bits));
  case MmaType::U8:
  case MmaType::U4:
  case MmaType::B1:
    return double(bits);
  default:
    return tableOf(type).valueOf(uint32_t(bits));
  }
}

Planes::Planes(MmaType type, unsigned count)
    : type(type), count(count), words(64 * count) {}

unsigned Planes::elements() const {
  return count * (type == MmaType::F64 ? 1 : 32 / elementBits(type));
}

void Planes::set(unsigned lane, unsigned index, double value) {
  uint64_t bits = encode(type, value);
  if (type == MmaType::F64) {
    std::memcpy(&words[64 * index + 2 * lane], &bits, 8);
    return;
  }
  unsigned width = elementBits(type), parts = 32 / width;
  uint32_t &word = words[64 * (index / parts) + lane];
  uint32_t shift = index % parts * width;
  uint32_t mask = uint32_t((uint64_t(1) << width) - 1) << shift;
  word = (word & ~mask) | uint32_t(bits) << shift;
}

double Planes::get(unsigned lane, unsigned index) const {
  if (type == MmaType::F64) {
    uint64_t bits;
    std::memcpy(&bits, &words[64 * index + 2 * lane], 8);
    return decode(type, bits);
  }
  unsigned width = elementBits(type), parts = 32 / width;
  uint64_t word = words[64 * (index / parts) + lane];
  return decode(type,
                word >> (index % parts * width) & ((uint64_t(1) << width) - 1));
}

std::vector<const void *> Planes::pointers() const {
  std::vector<const void *> result;
  for (unsigned plane = 0; plane != count; ++plane)
    result.push_back(&words[64 * plane]);
  return result;
}

std::vector<void *> Planes::pointers() {
  std::vector<void *> result;
  for (unsigned plane = 0; plane != count; ++plane)
    result.push_back(&words[64 * plane]);
  return result;
}

// PTX ISA 9.0, section 9.7.14.5: groupID is lane / 4, threadID_in_group lane %
// 4; elements of one register follow each other along k, and registers
// alternate between rows 0-7 and 8-15 where there are 16.

Placement placementOfA(const MmaForm &form) {
  unsigned parts = form.a == MmaType::F64 ? 1 : 32 / elementBits(form.a);
  bool isTall = form.m == 16;
  return [=](unsigned lane, unsigned index) -> Place {
    unsigned group = lane >> 2, inGroup = lane % 4;
    unsigned row = group, block = index / parts;
    if (isTall) {
      row += block % 2 ? 8 : 0;
      block /= 2;
    }
    return {row, inGroup * parts + index % parts + block * 4 * parts};
  };
}

Placement placementOfB(const MmaForm &form) {
  unsigned parts = form.b == MmaType::F64 ? 1 : 32 / elementBits(form.b);
  return [=](unsigned lane, unsigned index) -> Place {
    unsigned group = lane >> 2, inGroup = lane % 4;
    return {inGroup * parts + index % parts + index / parts * 4 * parts, group};
  };
}

Placement placementOfC(const MmaForm &, MmaType) {
  return [](unsigned lane, unsigned index) -> Place {
    return {(lane >> 2) + (index < 2 ? 0 : 8), lane % 4 * 2 + (index & 1)};
  };
}

Planes distribute(const Matrix &matrix, MmaType type, unsigned count,
                  const Placement &place) {
  Planes planes(type, count);
  for (unsigned lane = 0; lane != 32; ++lane)
    for (unsigned i = 0; i != planes.elements(); ++i) {
      Place at = place(lane, i);
      planes.set(lane, i, matrix.at(at.row, at.column));
    }
  return planes;
}

Matrix collect(const Planes &planes, unsigned rows, unsigned columns,
               const Placement &place) {
  Matrix matrix(rows, columns);
  for (unsigned lane = 0; lane != 32; ++lane)
    for (unsigned i = 0; i != planes.elements(); ++i) {
      Place at = place(lane, i);
      matrix.at(at.row, at.column) = planes.get(lane, i);
    }
  return matrix;
}

void fillSmall(Matrix &matrix, MmaType type, Random &random) {
  for (double &value : matrix.values) {
    int64_t small = int64_t(random.next() % 7) - 3;
    bool isUnsigned = type == MmaType::U8 || type == MmaType::U4;
    value = double(isUnsigned ? small + 3 : small);
    if (type == MmaType::B1)
      value = double(small & 1);
  }
}

Matrix product(const Matrix &a, const Matrix &b, const Matrix &c) {
  Matrix result = c;
  for (unsigned row = 0; row != a.rows; ++row)
    for (unsigned column = 0; column != b.columns; ++column)
      for (unsigned k = 0; k != a.columns; ++k)
        result.at(row, column) += a.at(row, k) * b.at(k, column);
  return result;
}

void run(const MmaForm &form, Planes &d, const Planes &a, const Planes &b,
         const Planes &c, const uint32_t *metadata, uint32_t selector) {
  std::vector<void *> dPointers = d.pointers();
  std::vector<const void *> aPointers = a.pointers(), bPointers = b.pointers(),
                            cPointers = c.pointers();
  MmaOperands operands;
  operands.d = dPointers.data();
  operands.a = aPointers.data();
  operands.b = bPointers.data();
  operands.c = cPointers.data();
  operands.metadata = metadata;
  operands.selector = selector;
  multiply(form, operands);
}

} // namespace ptxsim::test
