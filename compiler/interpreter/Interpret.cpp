// Runs functions on generated inputs and prints their results.

#include "compiler/interpreter/GeneratedRun.h"
#include "compiler/interpreter/Passes.h"
#include "runtime/support/Npy.h"
#include "llvm/Support/Format.h"

#include <cmath>

namespace mlir::tcc {
#define GEN_PASS_DEF_INTERPRETPASS
#include "compiler/interpreter/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

/// Tensors of more elements are summarised.
static constexpr size_t maxPrintedElements = 64;

/// Prints `value`; what is no number has no sign.
static void printNumber(raw_ostream &os, double value) {
  if (std::isnan(value))
    os << "nan";
  else
    os << llvm::format("%.9g", value);
}

/// Prints every element, each dimension in brackets.
static void printElements(raw_ostream &os, const Tensor &tensor) {
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    // How many dimensions begin at this element, and how many end after it.
    int64_t begun = 0, ended = 0, block = 1;
    for (int64_t size : llvm::reverse(tensor.shape)) {
      block *= size;
      begun += static_cast<int64_t>(i) % block == 0;
      ended += static_cast<int64_t>(i + 1) % block == 0;
    }
    os << (i == 0 ? "" : ", ") << std::string(begun, '[');
    printNumber(os, tensor.values[i]);
    os << std::string(ended, ']');
  }
}

static void printShape(raw_ostream &os, const Tensor &tensor) {
  os << "shape [";
  llvm::interleaveComma(tensor.shape, os);
  os << ']';
}

static void printSummary(raw_ostream &os, const Tensor &tensor) {
  double squares = 0;
  for (double value : tensor.values)
    squares += value * value;
  auto [smallest, largest] =
      std::minmax_element(tensor.values.begin(), tensor.values.end());
  printShape(os, tensor);
  os << llvm::format(", L2 %.9g, from %.9g to %.9g", std::sqrt(squares),
                     *smallest, *largest);
}

static void print(raw_ostream &os, StringRef function,
                  const NamedTensor &result) {
  os << '@' << function << ' ' << result.name << ": ";
  if (result.tensor.values.empty()) {
    printShape(os, result.tensor);
    os << ", empty";
  } else if (result.tensor.values.size() <= maxPrintedElements)
    printElements(os, result.tensor);
  else
    printSummary(os, result.tensor);
  os << '\n';
}

namespace {
struct Interpret : mlir::tcc::impl::InterpretPassBase<Interpret> {
  using InterpretPassBase::InterpretPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    FailureOr<SmallVector<FunctionOpInterface>> functions =
        functionsToRun(getOperation(), entry);
    if (failed(functions))
      return signalPassFailure();

    RandomWeights weights(seed);
    SmallVector<NamedTensor> all;
    for (FunctionOpInterface function : *functions) {
      Interpreter interpreter(getOperation(), weights, {round, pageSize});
      FailureOr<SmallVector<NamedTensor>> results =
          runGenerated(interpreter, function, {length, sequences, seed});
      if (failed(results))
        return signalPassFailure();
      for (NamedTensor &result : *results) {
        print(llvm::outs(), function.getName(), result);
        all.push_back(std::move(result));
      }
    }
    if (!output.empty() && failed(write(all)))
      signalPassFailure();
  }

  /// Writes `results` below each other.
  LogicalResult write(ArrayRef<NamedTensor> results) {
    std::vector<double> values;
    int64_t rows = 0;
    for (const NamedTensor &result : results) {
      if (result.tensor.columns() != results.front().tensor.columns())
        return getOperation().emitError("expected results that agree in "
                                        "columns, got ")
               << results.front().tensor.columns() << " and "
               << result.tensor.columns();
      rows += result.tensor.rows();
      values.insert(values.end(), result.tensor.values.begin(),
                    result.tensor.values.end());
    }
    int64_t columns = results.empty() ? 0 : results.front().tensor.columns();
    ::tcc::Status status =
        ::tcc::writeNpy(output, {rows, columns}, values.data());
    if (!status.ok())
      return getOperation().emitError(status.message());
    return success();
  }
};
} // namespace
