#include "compiler/interpreter/Sequences.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

/// Whether `type` is a tensor of i32 of `rank`.
static bool isIntegers(Type type, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isInteger(32) &&
         tensor.getRank() == rank;
}

std::optional<ModelSignature>
tcc::modelSignature(FunctionOpInterface function) {
  ArrayRef<Type> arguments = function.getArgumentTypes();
  size_t count = arguments.size();
  bool isBatched = count >= 4 && isIntegers(arguments[3], 2);
  bool selectsRows = count == (isBatched ? 5u : 3u);
  if (count != (isBatched ? 4u : 2u) + (selectsRows ? 1u : 0u))
    return std::nullopt;
  for (auto [index, argument] : llvm::enumerate(arguments))
    if (!isIntegers(argument, isBatched && index == 3 ? 2 : 1))
      return std::nullopt;

  ArrayRef<Type> results = function.getResultTypes();
  auto logits = results.size() == 1 ? dyn_cast<RankedTensorType>(results[0])
                                    : RankedTensorType();
  if (!logits || logits.getRank() != 2 || logits.isDynamicDim(1) ||
      logits.getDimSize(1) == 0)
    return std::nullopt;
  return ModelSignature{isBatched, selectsRows, logits.getDimSize(1)};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {
/// The tokens of one call of the entry, of one sequence after the other.
struct Step {
  std::vector<double> tokens, positions, sequences;

  void add(const TokenSequence &sequence, int64_t number, int64_t position) {
    tokens.push_back(sequence[position]);
    positions.push_back(static_cast<double>(position));
    sequences.push_back(static_cast<double>(number));
  }
};
} // namespace

/// New tokens of sequence `number` in step `step`: a pattern in which prefills of
/// several lengths, decode steps and pauses meet.
static int64_t newTokens(int64_t number, int64_t step) {
  static constexpr int64_t pattern[] = {3, 1, 0, 2, 1, 1, 4};
  return pattern[(3 * number + step) % 7];
}

/// Cuts `sequences` into steps.
static std::vector<Step> stepsOf(ArrayRef<TokenSequence> sequences) {
  std::vector<Step> steps;
  SmallVector<int64_t> done(sequences.size(), 0);
  bool isLeft = true;
  for (int64_t number = 0; isLeft; ++number) {
    Step step;
    isLeft = false;
    for (auto [index, sequence] : llvm::enumerate(sequences)) {
      int64_t length = static_cast<int64_t>(sequence.size());
      int64_t end = std::min(length, done[index] + newTokens(index, number));
      while (done[index] < end)
        step.add(sequence, index, done[index]++);
      isLeft |= end < length;
    }
    if (!step.tokens.empty())
      steps.push_back(std::move(step));
  }
  return steps;
}

/// The whole of `sequence` as one step.
static Step stepOf(const TokenSequence &sequence) {
  Step step;
  for (size_t position = 0; position < sequence.size(); ++position)
    step.add(sequence, 0, position);
  return step;
}

/// A table in which neighbouring pages of a sequence lie apart and backwards.
static Tensor pageTableOf(ArrayRef<TokenSequence> sequences, int64_t pageSize) {
  size_t longest = 1;
  for (const TokenSequence &sequence : sequences)
    longest = std::max(longest, sequence.size());
  int64_t count = static_cast<int64_t>(sequences.size());
  int64_t pages = (static_cast<int64_t>(longest) + pageSize - 1) / pageSize;
  std::vector<double> table;
  for (int64_t sequence = 0; sequence < count; ++sequence)
    for (int64_t page = 0; page < pages; ++page)
      table.push_back(static_cast<double>((pages - 1 - page) * count + sequence));
  return Tensor({count, pages}, std::move(table));
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

namespace {
/// Calls the entry step by step and collects its logits.
class SequenceRun {
public:
  SequenceRun(Interpreter &interpreter, FunctionOpInterface entry,
              const ModelSignature &signature)
      : interpreter(interpreter), entry(entry), signature(signature) {}

  /// Calls the entry with `step` and copies the row of each token to its place
  /// in `logits`, by sequence.
  LogicalResult call(const Step &step, const Tensor &pageTable,
                     MutableArrayRef<Tensor> logits);

private:
  SmallVector<Tensor> argumentsOf(const Step &step,
                                  const Tensor &pageTable) const;

  /// The row of the result that belongs to token `t` of `tokens`.
  int64_t rowOf(int64_t t, int64_t tokens) const {
    return signature.selectsRows ? tokens - 1 - t : t;
  }

  Interpreter &interpreter;
  FunctionOpInterface entry;
  ModelSignature signature;
};
} // namespace

SmallVector<Tensor> SequenceRun::argumentsOf(const Step &step,
                                             const Tensor &pageTable) const {
  int64_t tokens = static_cast<int64_t>(step.tokens.size());
  SmallVector<Tensor> arguments = {Tensor({tokens}, step.tokens),
                                   Tensor({tokens}, step.positions)};
  if (signature.isBatched) {
    arguments.push_back(Tensor({tokens}, step.sequences));
    arguments.push_back(pageTable);
  }
  if (signature.selectsRows) {
    std::vector<double> rows;
    for (int64_t t = 0; t < tokens; ++t)
      rows.push_back(static_cast<double>(tokens - 1 - t));
    arguments.push_back(Tensor({tokens}, std::move(rows)));
  }
  return arguments;
}

LogicalResult SequenceRun::call(const Step &step, const Tensor &pageTable,
                                MutableArrayRef<Tensor> logits) {
  FailureOr<SmallVector<Tensor>> results =
      interpreter.run(entry.getName(), argumentsOf(step, pageTable));
  if (failed(results))
    return failure();
  const Tensor &rows = results->front();
  int64_t tokens = static_cast<int64_t>(step.tokens.size());
  if (rows.shape.front() != tokens)
    return entry.emitOpError("expected logits of ")
           << tokens << " rows, got " << rows.shape.front();
  int64_t columns = signature.vocabulary;
  for (int64_t t = 0; t < tokens; ++t) {
    Tensor &target = logits[static_cast<size_t>(step.sequences[t])];
    std::copy_n(rows.values.begin() + rowOf(t, tokens) * columns, columns,
                target.values.begin() +
                    static_cast<int64_t>(step.positions[t]) * columns);
  }
  return success();
}

FailureOr<SmallVector<Tensor>>
tcc::runSequences(Interpreter &interpreter, FunctionOpInterface entry,
                  ArrayRef<TokenSequence> sequences) {
  std::optional<ModelSignature> signature = modelSignature(entry);
  if (!signature)
    return entry.emitOpError("expected the entry of a model, got ")
           << entry.getFunctionType();
  SmallVector<Tensor> logits;
  for (const TokenSequence &sequence : sequences) {
    int64_t length = static_cast<int64_t>(sequence.size());
    logits.push_back(
        Tensor({length, signature->vocabulary},
               std::vector<double>(length * signature->vocabulary)));
  }

  SequenceRun run(interpreter, entry, *signature);
  if (signature->isBatched) {
    Tensor pageTable =
        pageTableOf(sequences, interpreter.getOptions().pageSize);
    for (const Step &step : stepsOf(sequences))
      if (failed(run.call(step, pageTable, logits)))
        return failure();
    return logits;
  }
  for (auto [sequence, target] : llvm::zip_equal(sequences, logits))
    if (failed(run.call(stepOf(sequence), {}, target)))
      return failure();
  return logits;
}
