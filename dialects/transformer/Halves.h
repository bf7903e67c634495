// An order of the rows of a weight that is not that of the checkpoint.

#ifndef TCC_DIALECTS_TRANSFORMER_HALVES_H
#define TCC_DIALECTS_TRANSFORMER_HALVES_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>

namespace mlir::tcc::transformer {

/// Of every `of` rows the `count` rows from `first` on lie in two halves: those
/// that are even among them, then those that are odd. Without numbers, no row
/// moves.
struct Halves {
  int64_t first = 0, count = 0, of = 1;

  Halves() = default;
  /// From `numbers` that are `areValid`, or none.
  explicit Halves(ArrayRef<int64_t> numbers) {
    if (!numbers.empty())
      *this = Halves(numbers[0], numbers[1], numbers[2]);
  }

  /// Whether `numbers` are first, count and of, and the halves rows of `of`.
  static bool areValid(ArrayRef<int64_t> numbers) {
    return numbers.size() == 3 && numbers[1] > 0 && numbers[1] % 2 == 0 &&
           numbers[2] >= numbers[1] && numbers[0] >= 0 &&
           numbers[0] <= numbers[2] - numbers[1];
  }

  bool areNone() const { return count == 0; }

  /// The row of the checkpoint that is row `row` in this order.
  int64_t storedRow(int64_t row) const {
    int64_t place = row % of - first, half = count / 2;
    if (place < 0 || place >= count)
      return row;
    return row - place + (place < half ? 2 * place : 2 * (place - half) + 1);
  }

private:
  Halves(int64_t first, int64_t count, int64_t of)
      : first(first), count(count), of(of) {}
};

} // namespace mlir::tcc::transformer

#endif // TCC_DIALECTS_TRANSFORMER_HALVES_H
