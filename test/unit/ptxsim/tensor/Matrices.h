// Matrices of small numbers and fragments of them by element, for the tests of
// matrix products.

#ifndef TCC_TEST_UNIT_PTXSIM_TENSOR_MATRICES_H
#define TCC_TEST_UNIT_PTXSIM_TENSOR_MATRICES_H

#include "tools/ptxsim/tensor/Mma.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace ptxsim::test {

/// A matrix by rows.
struct Matrix {
  unsigned rows = 0, columns = 0;
  std::vector<double> values;

  Matrix(unsigned rows, unsigned columns)
      : rows(rows), columns(columns), values(rows * columns) {}
  double &at(unsigned row, unsigned column) {
    return values[row * columns + column];
  }
  double at(unsigned row, unsigned column) const {
    return values[row * columns + column];
  }
};

/// Registers of a warp, of 64 bits each, so that they serve every type.
class Planes {
public:
  Planes(MmaType type, unsigned count);

  /// Sets element `index`, counted from the low bits of the first register.
  void set(unsigned lane, unsigned index, double value);
  double get(unsigned lane, unsigned index) const;
  uint32_t word(unsigned lane, unsigned plane) const {
    return words[plane * 64 + lane];
  }
  void setWord(unsigned lane, unsigned plane, uint32_t value) {
    words[plane * 64 + lane] = value;
  }

  /// Elements of a lane.
  unsigned elements() const;
  std::vector<const void *> pointers() const;
  std::vector<void *> pointers();

private:
  MmaType type;
  unsigned count;
  std::vector<uint32_t> words; ///< 64 for each plane; 32 unless f64.
};

/// Where element `index` of a lane lies in a matrix.
struct Place {
  unsigned row, column;
};
using Placement = std::function<Place(unsigned lane, unsigned index)>;

/// The fragments of mma.sync as the manual gives them, by lane and element.
Placement placementOfA(const MmaForm &form);
Placement placementOfB(const MmaForm &form);
Placement placementOfC(const MmaForm &form, MmaType type);

Planes distribute(const Matrix &matrix, MmaType type, unsigned count,
                  const Placement &place);
Matrix collect(const Planes &planes, unsigned rows, unsigned columns,
               const Placement &place);

/// Fills a matrix with small integers that every element of `type` can hold.
void fillSmall(Matrix &matrix, MmaType type, numerics::test::Random &random);

/// Returns a * b + c.
Matrix product(const Matrix &a, const Matrix &b, const Matrix &c);

/// Encodes and decodes an element; integers wrap.
uint64_t encode(MmaType type, double value);
double decode(MmaType type, uint64_t bits);

/// Executes a form on planes of its operands.
void run(const MmaForm &form, Planes &d, const Planes &a, const Planes &b,
         const Planes &c, const uint32_t *metadata = nullptr,
         uint32_t selector = 0);

} // namespace ptxsim::test

#endif // TCC_TEST_UNIT_PTXSIM_TENSOR_MATRICES_H
