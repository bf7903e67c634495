// Sums of products over named dimensions.

#include "compiler/interpreter/Interpretations.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

namespace {
/// One letter of an equation: its size, and how far a step along it moves in
/// each operand. An operand without the letter does not move.
struct Letter {
  int64_t size, leftStride, rightStride;
};

/// An equation with the sizes of its operands.
struct Einsum {
  SmallVector<Letter> kept, summed;
  const double *left, *right;

  /// The element of the result that is number `index` in row-major order.
  double element(int64_t index) const;
};
} // namespace

/// Splits `index` into the places of `letters`, the last the fastest, and moves
/// the offsets into both operands accordingly.
static void moveTo(ArrayRef<Letter> letters, int64_t index, int64_t &left,
                   int64_t &right) {
  for (const Letter &letter : llvm::reverse(letters)) {
    int64_t place = index % letter.size;
    index /= letter.size;
    left += place * letter.leftStride;
    right += place * letter.rightStride;
  }
}

double Einsum::element(int64_t index) const {
  int64_t left0 = 0, right0 = 0;
  moveTo(kept, index, left0, right0);
  if (summed.empty())
    return left[left0] * right[right0];

  // The last letter is the inner loop; the others are counted through.
  Letter inner = summed.back();
  int64_t outer = 1;
  for (const Letter &letter : ArrayRef(summed).drop_back())
    outer *= letter.size;
  double sum = 0;
  for (int64_t i = 0; i < outer; ++i) {
    int64_t l = left0, r = right0;
    moveTo(ArrayRef(summed).drop_back(), i, l, r);
    for (int64_t k = 0; k < inner.size; ++k)
      sum += left[l + k * inner.leftStride] * right[r + k * inner.rightStride];
  }
  return sum;
}

/// The distance of neighbours along `letter` in a tensor whose dimensions are
/// `letters`; 0 if it has no such dimension.
static int64_t strideOf(char letter, StringRef letters, const Shapes &sizes) {
  size_t place = letters.find(letter);
  if (place == StringRef::npos)
    return 0;
  int64_t stride = 1;
  for (char inner : letters.drop_front(place + 1))
    stride *= sizes[inner];
  return stride;
}

static LogicalResult interpretEinsum(EinsumOp op, Execution &execution) {
  const Tensor &lhs = execution.get(op.getLhs());
  const Tensor &rhs = execution.get(op.getRhs());
  auto [operands, output] = op.getEquation().split("->");
  auto [left, right] = operands.split(',');
  Shapes sizes(op);
  if (failed(sizes.bind("lhs", left, lhs.shape)) ||
      failed(sizes.bind("rhs", right, rhs.shape)))
    return failure();

  Einsum einsum = {{}, {}, lhs.values.data(), rhs.values.data()};
  auto letterOf = [&, left = left, right = right](char letter) {
    return Letter{sizes[letter], strideOf(letter, left, sizes),
                  strideOf(letter, right, sizes)};
  };
  SmallVector<int64_t> shape;
  for (char letter : output) {
    einsum.kept.push_back(letterOf(letter));
    shape.push_back(sizes[letter]);
  }
  std::string seen = output.str();
  for (char letter : (left + right).str()) {
    if (StringRef(seen).contains(letter))
      continue;
    seen += letter;
    einsum.summed.push_back(letterOf(letter));
  }

  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  int64_t columns = result->columns();
  parallelFor(op.getContext(), 0, columns == 0 ? 0 : result->rows(),
              [&](int64_t row) {
                for (int64_t i = row * columns; i < (row + 1) * columns; ++i)
                  result->values[i] = einsum.element(i);
              });
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachEinsumInterpretation(MLIRContext *context) {
  attach<EinsumOp, interpretEinsum>(context);
}
