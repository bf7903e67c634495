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

/// The columns of `type` if it is a tensor of floating-point rows, or 0.
static int64_t columnsOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  bool isRows = tensor && tensor.getRank() == 2 && !tensor.isDynamicDim(1) &&
                isa<FloatType>(tensor.getElementType());
  return isRows ? tensor.getDimSize(1) : 0;
}

std::optional<ModelSignature>
tcc::modelSignature(FunctionOpInterface function) {
  ArrayRef<Type> results = function.getResultTypes();
  if (results.empty() || results.size() > 2)
    return std::nullopt;
  ModelSignature signature = {};
  signature.vocabulary = columnsOf(results[0]);
  signature.hidden = results.size() == 2 ? columnsOf(results[1]) : 0;

  ArrayRef<Type> arguments = function.getArgumentTypes();
  signature.takesStates = signature.hidden > 0 && !arguments.empty() &&
                          columnsOf(arguments[0]) == signature.hidden;
  if (signature.takesStates)
    arguments = arguments.drop_front();
  size_t count = arguments.size();
  signature.isBatched = count >= 4 && isIntegers(arguments[3], 2);
  signature.selectsRows = count == (signature.isBatched ? 5u : 3u);
  if (count != (signature.isBatched ? 4u : 2u) + signature.selectsRows ||
      signature.vocabulary == 0 ||
      (results.size() == 2 && signature.hidden == 0))
    return std::nullopt;
  for (auto [index, argument] : llvm::enumerate(arguments))
    if (!isIntegers(argument, signature.isBatched && index == 3 ? 2 : 1))
      return std::nullopt;
  return signature;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {
/// The tokens of one call of the entry, of one sequence after the other.
struct Step {
  std::vector<double> states, tokens, positions, sequences;

  void add(const InputSequence &sequence, int64_t number, int64_t position) {
    tokens.push_back(sequence.tokens[position]);
    positions.push_back(static_cast<double>(position));
    sequences.push_back(static_cast<double>(number));
    if (sequence.states.rank() == 0)
      return;
    auto row =
        sequence.states.values.begin() + position * sequence.states.columns();
    states.insert(states.end(), row, row + sequence.states.columns());
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
static std::vector<Step> stepsOf(ArrayRef<InputSequence> sequences) {
  std::vector<Step> steps;
  SmallVector<int64_t> done(sequences.size(), 0);
  bool isLeft = true;
  for (int64_t number = 0; isLeft; ++number) {
    Step step;
    isLeft = false;
    for (auto [index, sequence] : llvm::enumerate(sequences)) {
      int64_t length = static_cast<int64_t>(sequence.tokens.size());
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
static Step stepOf(const InputSequence &sequence) {
  Step step;
  for (size_t position = 0; position < sequence.tokens.size(); ++position)
    step.add(sequence, 0, position);
  return step;
}

/// A table in which neighbouring pages of a sequence lie apart and backwards.
static Tensor pageTableOf(ArrayRef<InputSequence> sequences, int64_t pageSize) {
  size_t longest = 1;
  for (const InputSequence &sequence : sequences)
    longest = std::max(longest, sequence.tokens.size());
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
/// Calls the entry step by step and collects its results.
class SequenceRun {
public:
  SequenceRun(Interpreter &interpreter, FunctionOpInterface entry,
              const ModelSignature &signature)
      : interpreter(interpreter), entry(entry), signature(signature) {}

  /// Calls the entry with `step` and copies the rows of each token to their
  /// places in `outputs`, by sequence.
  LogicalResult call(const Step &step, const Tensor &pageTable,
                     MutableArrayRef<OutputSequence> outputs);

private:
  SmallVector<Tensor> argumentsOf(const Step &step,
                                  const Tensor &pageTable) const;

  LogicalResult verifyRows(const Tensor &rows, StringRef name, int64_t tokens);

  /// The row of the logits that belongs to token `t` of `tokens`.
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
  SmallVector<Tensor> arguments;
  if (signature.takesStates)
    arguments.push_back(Tensor({tokens, signature.hidden}, step.states));
  arguments.push_back(Tensor({tokens}, step.tokens));
  arguments.push_back(Tensor({tokens}, step.positions));
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

LogicalResult SequenceRun::verifyRows(const Tensor &rows, StringRef name,
                                      int64_t tokens) {
  if (rows.shape.front() == tokens)
    return success();
  return entry.emitOpError("expected ")
         << name << " of " << tokens << " rows, got " << rows.shape.front();
}

/// Copies row `from` of `source` to row `to` of `target`.
static void copyRow(const Tensor &source, int64_t from, Tensor &target,
                    int64_t to) {
  int64_t columns = source.columns();
  std::copy_n(source.values.begin() + from * columns, columns,
              target.values.begin() + to * columns);
}

LogicalResult SequenceRun::call(const Step &step, const Tensor &pageTable,
                                MutableArrayRef<OutputSequence> outputs) {
  FailureOr<SmallVector<Tensor>> results =
      interpreter.run(entry.getName(), argumentsOf(step, pageTable));
  if (failed(results))
    return failure();
  int64_t tokens = static_cast<int64_t>(step.tokens.size());
  if (failed(verifyRows(results->front(), "logits", tokens)) ||
      failed(verifyRows(results->back(), "states", tokens)))
    return failure();
  for (int64_t t = 0; t < tokens; ++t) {
    OutputSequence &output = outputs[static_cast<size_t>(step.sequences[t])];
    auto position = static_cast<int64_t>(step.positions[t]);
    copyRow(results->front(), rowOf(t, tokens), output.logits, position);
    if (signature.hidden)
      copyRow(results->back(), t, output.states, position);
  }
  return success();
}

/// The results of `length` tokens, all zero.
static OutputSequence allocateOutput(const ModelSignature &signature,
                                     size_t length) {
  auto zeros = [&](int64_t columns) {
    return Tensor({static_cast<int64_t>(length), columns},
                  std::vector<double>(length * columns));
  };
  return {zeros(signature.vocabulary), zeros(signature.hidden)};
}

FailureOr<SmallVector<OutputSequence>>
tcc::runSequences(Interpreter &interpreter, FunctionOpInterface entry,
                  ArrayRef<InputSequence> sequences) {
  std::optional<ModelSignature> signature = modelSignature(entry);
  if (!signature)
    return entry.emitOpError("expected the entry of a model, got ")
           << entry.getFunctionType();
  SmallVector<OutputSequence> outputs;
  for (const InputSequence &sequence : sequences)
    outputs.push_back(allocateOutput(*signature, sequence.tokens.size()));

  SequenceRun run(interpreter, entry, *signature);
  if (signature->isBatched) {
    Tensor pageTable =
        pageTableOf(sequences, interpreter.getOptions().pageSize);
    for (const Step &step : stepsOf(sequences))
      if (failed(run.call(step, pageTable, outputs)))
        return failure();
    return outputs;
  }
  for (size_t i = 0; i < sequences.size(); ++i)
    if (failed(run.call(stepOf(sequences[i]), {},
                        MutableArrayRef(outputs).slice(i, 1))))
      return failure();
  return outputs;
}
