#include "compiler/interpreter/Difference.h"

#include <cassert>
#include <cmath>
#include <limits>

using namespace mlir::tcc;

namespace {
/// Sums of squares of some elements.
struct Squares {
  double expected = 0, difference = 0;

  void add(double wanted, double got) {
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    bool bothNaN = std::isnan(wanted) && std::isnan(got);
    if (std::isfinite(wanted))
      expected += wanted * wanted;
    if (wanted == got || bothNaN)
      return;
    double squared = (got - wanted) * (got - wanted);
    difference += std::isnan(squared) ? infinity : squared;
  }

  void add(const Squares &other) {
    expected += other.expected;
    difference += other.difference;
  }

  /// Any difference from zero is infinite.
  double relative() const {
    return difference == 0 ? 0 : std::sqrt(difference / expected);
  }
};
} // namespace

Difference mlir::tcc::differenceOf(const Tensor &expected,
                                   const Tensor &actual) {
  assert(expected.shape == actual.shape && "the caller compares shapes");
  Difference result;
  Squares all;
  int64_t columns = expected.columns();
  for (int64_t row = 0; row < expected.rows(); ++row) {
    Squares squares;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i)
      squares.add(expected.values[i], actual.values[i]);
    if (squares.relative() > result.worst) {
      result.worst = squares.relative();
      result.worstRow = row;
    }
    all.add(squares);
  }
  result.whole = all.relative();
  return result;
}
