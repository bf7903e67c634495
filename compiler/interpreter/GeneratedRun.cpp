#include "compiler/interpreter/GeneratedRun.h"

#include "compiler/interpreter/Rounding.h"
#include "compiler/interpreter/Sequences.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;

/// The largest generated argument, in elements.
static constexpr int64_t maxElements = int64_t(1) << 28;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// Random tokens below `vocabulary` for sequence `number`.
static TokenSequence randomTokens(int64_t vocabulary, int64_t number,
                                  int64_t length, uint64_t seed) {
  TokenSequence tokens;
  for (int64_t t = 0; t < length; ++t) {
    // Uniform in [0, 1): the element has deviation 1, so its range is 2 sqrt 3.
    double uniform = randomElement(seed, ("tokens " + Twine(number)).str(), t) /
                         (2 * std::sqrt(3.0)) +
                     0.5;
    int64_t token = static_cast<int64_t>(uniform * double(vocabulary));
    tokens.push_back(
        static_cast<int32_t>(std::clamp<int64_t>(token, 0, vocabulary - 1)));
  }
  return tokens;
}

/// Random states [length, columns] for sequence `number`, in f32.
static Tensor randomStates(FunctionOpInterface entry, int64_t columns,
                           int64_t number, int64_t length, uint64_t seed) {
  std::vector<double> values;
  for (int64_t i = 0; i < length * columns; ++i)
    values.push_back(randomElement(seed, ("states " + Twine(number)).str(), i));
  roundAll(getElementTypeOrSelf(entry.getArgumentTypes().front()), values);
  return Tensor({length, columns}, std::move(values));
}

/// Random inputs. Sequence `b` is shorter by 3 b, so that lengths differ, and
/// has one token at least.
static SmallVector<InputSequence>
randomSequences(FunctionOpInterface entry, const ModelSignature &signature,
                const GeneratedInputs &inputs) {
  SmallVector<InputSequence> sequences;
  for (int64_t b = 0; b < inputs.sequences; ++b) {
    int64_t length = std::max<int64_t>(inputs.length - 3 * b, 1);
    sequences.push_back(
        {randomTokens(signature.vocabulary, b, length, inputs.seed), {}});
    if (signature.takesStates)
      sequences.back().states =
          randomStates(entry, signature.hidden, b, length, inputs.seed);
  }
  return sequences;
}

/// Checks that the logits, or states, of `inputs` are not too many to hold.
static LogicalResult verifyResults(FunctionOpInterface entry, StringRef name,
                                   int64_t columns,
                                   const GeneratedInputs &inputs) {
  int64_t elements = inputs.length * inputs.sequences;
  if (!llvm::MulOverflow(elements, columns, elements) &&
      elements <= maxElements)
    return success();
  return entry.emitOpError("expected at most ")
         << maxElements << ' ' << name << ", got " << inputs.sequences
         << " sequences of up to " << inputs.length << " tokens and " << columns
         << ' ' << name << " each";
}

static FailureOr<SmallVector<NamedTensor>>
runModel(Interpreter &interpreter, FunctionOpInterface entry,
         const ModelSignature &signature, const GeneratedInputs &inputs) {
  if (failed(verifyResults(entry, "logits", signature.vocabulary, inputs)) ||
      failed(verifyResults(entry, "states", signature.hidden, inputs)))
    return failure();
  FailureOr<SmallVector<OutputSequence>> outputs = runSequences(
      interpreter, entry, randomSequences(entry, signature, inputs));
  if (failed(outputs))
    return failure();
  SmallVector<NamedTensor> named;
  for (auto [index, output] : llvm::enumerate(*outputs)) {
    std::string name = "sequence " + std::to_string(index);
    named.push_back({name, std::move(output.logits)});
    if (signature.hidden)
      named.push_back({"states of " + name, std::move(output.states)});
  }
  return named;
}

//===----------------------------------------------------------------------===//
// Any function
//===----------------------------------------------------------------------===//

/// Makes argument `index` of `function`.
static FailureOr<Tensor> generateArgument(FunctionOpInterface function,
                                          unsigned index,
                                          const GeneratedInputs &inputs) {
  Type type = function.getArgumentTypes()[index];
  auto shaped = dyn_cast<RankedTensorType>(type);
  Tensor tensor;
  if (shaped)
    tensor.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  int64_t elements = 1;
  for (int64_t &size : tensor.shape) {
    if (ShapedType::isDynamic(size))
      size = inputs.length;
    if (llvm::MulOverflow(elements, size, elements) || elements > maxElements)
      return function.emitOpError("expected arguments of at most ")
             << maxElements << " elements, got " << type;
  }
  Type element = getElementTypeOrSelf(type);
  std::string stream = "argument " + std::to_string(index);
  for (int64_t i = 0; i < elements; ++i)
    tensor.values.push_back(element.isIntOrIndex()
                                ? static_cast<double>(i)
                                : randomElement(inputs.seed, stream, i));
  roundAll(element, tensor.values);
  return tensor;
}

static FailureOr<SmallVector<NamedTensor>>
runFunction(Interpreter &interpreter, FunctionOpInterface function,
            const GeneratedInputs &inputs) {
  SmallVector<Tensor> arguments;
  for (unsigned index = 0; index < function.getNumArguments(); ++index) {
    FailureOr<Tensor> argument = generateArgument(function, index, inputs);
    if (failed(argument))
      return failure();
    arguments.push_back(std::move(*argument));
  }
  FailureOr<SmallVector<Tensor>> results =
      interpreter.run(function.getName(), arguments);
  if (failed(results))
    return failure();
  SmallVector<NamedTensor> named;
  for (auto [index, tensor] : llvm::enumerate(*results))
    named.push_back({"result " + std::to_string(index), std::move(tensor)});
  return named;
}

/// Checks that an option called `name` is at least 1 and at most `most`.
static LogicalResult verifyOption(FunctionOpInterface function, StringRef name,
                                  int64_t value, int64_t most) {
  if (value >= 1 && value <= most)
    return success();
  return function.emitOpError("expected ")
         << name << " from 1 to " << most << ", got " << value;
}

FailureOr<SmallVector<NamedTensor>>
tcc::runGenerated(Interpreter &interpreter, FunctionOpInterface function,
                  const GeneratedInputs &inputs) {
  if (failed(verifyOption(function, "length", inputs.length, 1 << 20)) ||
      failed(verifyOption(function, "sequences", inputs.sequences, 1 << 20)) ||
      failed(verifyOption(function, "page-size",
                          interpreter.getOptions().pageSize, 1 << 16)))
    return failure();
  if (std::optional<ModelSignature> signature = modelSignature(function))
    return runModel(interpreter, function, *signature, inputs);
  return runFunction(interpreter, function, inputs);
}

FailureOr<SmallVector<FunctionOpInterface>>
tcc::functionsToRun(ModuleOp module, StringRef entry) {
  SmallVector<FunctionOpInterface> functions;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (entry.empty() ? function.isPublic() && !function.isExternal()
                      : function.getName() == entry)
      functions.push_back(function);
  if (!functions.empty())
    return functions;
  if (entry.empty())
    return module.emitError("expected a public function with a body, got none");
  return module.emitError("expected a function '") << entry << "', got none";
}
