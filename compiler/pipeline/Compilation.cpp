#include "compiler/pipeline/Compilation.h"

#include "compiler/codegen/nvptx/CompilePtx.h"
#include "compiler/codegen/x86/CompileImage.h"
#include "compiler/interpreter/Sequences.h"
#include "compiler/pipeline/CheckpointWeights.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/target/CostModel.h"
#include "dialects/transformer/Transformer.h"
#include "frontends/deepseek/DeepSeekImporter.h"
#include "frontends/llama/LlamaImporter.h"
#include "frontends/model/Architecture.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "runtime/support/Npy.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::Status;

/// Where the IR and the pipeline go when a pass fails or crashes.
static constexpr const char *reproducerPath = "tcc-reproducer.mlir";

static std::string howToReproduce() {
  return std::string("to see it again: tcc-opt --run-reproducer ") +
         reproducerPath;
}

namespace {
/// The file of a reproducer, which appears when it is whole.
class ReproducerFile : public ReproducerStream {
public:
  Status create() { return file.create(reproducerPath); }
  ~ReproducerFile() override {
    if (file.writeAt(0, text.data(), text.size()).ok())
      (void)file.commit();
  }

  StringRef description() override { return reproducerPath; }
  llvm::raw_ostream &os() override { return stream; }

private:
  ::tcc::AtomicFile file;
  std::string text;
  llvm::raw_string_ostream stream{text};
};
} // namespace

ReproducerStreamFactory Compilation::makeReproducer() const {
  return [this](std::string &error) -> std::unique_ptr<ReproducerStream> {
    // Nobody asked for this file: it must not replace one that another name
    // leads to.
    if (llvm::sys::fs::is_symlink_file(reproducerPath)) {
      error = "it is a link";
      return nullptr;
    }
    auto file = std::make_unique<ReproducerFile>();
    Status status = checkOutput(reproducerPath);
    if (status.ok())
      status = file->create();
    error = status.message();
    return status.ok() ? std::move(file) : nullptr;
  };
}

Compilation::Compilation()
    : context([] {
        DialectRegistry registry;
        registerAllDialects(registry);
        return registry;
      }()) {
  context.getDiagEngine().registerHandler(
      [this](Diagnostic &diagnostic) { add(diagnostic); });
}

void Compilation::add(Diagnostic &diagnostic) {
  constexpr StringRef written = "reproducer generated at";
  std::string text = diagnostic.str();
  // A crash ends the process before anybody asks for the message.
  if (StringRef(text).starts_with("A signal was caught")) {
    if (StringRef(text).contains(written))
      llvm::errs() << "tcc: note: " << howToReproduce() << '\n';
    return;
  }
  // The failing pass has said why already.
  if (StringRef(text).starts_with("Failures have been detected")) {
    for (Diagnostic &note : diagnostic.getNotes())
      hasReproducer |= StringRef(note.str()).contains(written);
    return;
  }
  llvm::raw_string_ostream stream(diagnostics);
  if (!diagnostics.empty())
    stream << "; ";
  auto location = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>();
  if (location && location.getLine() > 0)
    stream << location.getFilename().getValue() << ':' << location.getLine()
           << ':' << location.getColumn() << ": ";
  stream << text;
}

Status Compilation::failure(const std::string &doing) const {
  std::string what = input + ": " + doing;
  if (hasReproducer)
    what += " (" + howToReproduce() + ")";
  // What fails says why.
  if (diagnostics.empty())
    return {Status::Code::Internal,
            what + ": a pass crashed or ran out of memory"};
  return {inputIsIr ? Status::Code::BadData : Status::Code::Internal,
          what + ": " + diagnostics};
}

/// The deepest nesting of IR. MLIR parses, rewrites and prints what is nested
/// by recursion, and its threads have stacks of 8 MiB, which suffice for 2000.
static constexpr size_t maxNesting = 512;

/// The place in `ir` where it nests deeper than `maxNesting`, or npos.
///
/// Brackets nest, so do the operators of an affine expression, and an alias may
/// hold every alias before it. Where `ir` is malformed the parser stops, so
/// that what is counted beyond does not matter.
static size_t findTooDeep(StringRef ir) {
  std::string open; // Brackets, and '+' for any operator.
  size_t aliases = 0, deepest = 0;
  auto closeOperators = [&] {
    while (!open.empty() && open.back() == '+')
      open.pop_back();
  };
  for (size_t i = 0; i < ir.size(); ++i) {
    char next = i + 1 < ir.size() ? ir[i + 1] : '\0';
    switch (ir[i]) {
    case '"':
      while (++i < ir.size() && ir[i] != '"')
        i += ir[i] == '\\';
      break;
    case '/':
      if (next == '/')
        i = std::min(ir.find('\n', i), ir.size());
      break;
    case '#':
    case '!':
      if (open.empty())
        aliases = deepest + 1;
      break;
    case '-':
    case '+':
    case '*':
      if (next == '>')
        ++i; // An arrow.
      else if (!open.empty() && StringRef("([+").contains(open.back()))
        open += '+';
      break;
    case '<':
      if (next == '=')
        break;
      [[fallthrough]];
    case '(':
    case '[':
    case '{':
      open += ir[i];
      break;
    case '>':
      if (next == '=')
        break;
      [[fallthrough]];
    case ')':
    case ']':
    case '}':
      closeOperators();
      if (!open.empty())
        open.pop_back();
      break;
    case ',':
      closeOperators();
      break;
    }
    deepest = std::max(deepest, aliases + open.size());
    if (deepest > maxNesting)
      return i;
  }
  return StringRef::npos;
}

Status Compilation::parse(const std::string &path) {
  ::tcc::MappedFile file;
  if (Status status = ::tcc::MappedFile::open(path, file); !status.ok())
    return status;
  model.inputs.push_back(path);
  // The parser wants a NUL behind it.
  std::string ir(reinterpret_cast<const char *>(file.data()), file.size());
  // MLIR trusts its own bytecode.
  if (StringRef(ir).starts_with("ML\xEFR"))
    return Status::badData(path + ": expected IR as text, got MLIR bytecode");
  if (size_t place = findTooDeep(ir); place != StringRef::npos) {
    StringRef before = StringRef(ir).take_front(place);
    size_t line = before.count('\n') + 1;
    size_t column = place - (before.rfind('\n') + 1) + 1;
    emitError(FileLineColLoc::get(&context, path, line, column))
        << "expected brackets, operators and aliases that nest at most "
        << maxNesting << " deep, got more";
  } else {
    imported = parseSourceString<ModuleOp>(ir, &context, path);
  }
  return imported ? Status() : failure("cannot be parsed");
}

Status Compilation::load(const std::string &path, bool noWeights) {
  input = path;
  withoutWeights = noWeights;
  inputIsIr = StringRef(path).ends_with(".mlir");
  if (inputIsIr)
    return parse(path);
  if (Status status = ::tcc::loadModel(path, withoutWeights, model);
      !status.ok())
    return status;
  imported = model.model.architecture.AsDeepSeek()
                 ? importDeepSeek(model.model, context)
                 : importLlama(model.model, context);
  return {};
}

/// Whether a weight of `module` has scales, as those in FP8 do.
static bool hasFp8(ModuleOp module) {
  return llvm::any_of(module.getOps<transformer::WeightOp>(),
                      [](transformer::WeightOp weight) {
                        return weight.getScales().has_value();
                      });
}

Status Compilation::runPasses(Phase last, const std::string &march,
                              bool fp8Activations) {
  if (!createCostModel(march, *imported))
    return {Status::Code::Usage, diagnostics};
  if (fp8Activations && !hasFp8(*imported))
    return {Status::Code::Usage, input +
                                     ": expected a model with FP8 weights for "
                                     "--fp8-activations, got one without"};
  PassManager manager(&context);
  manager.enableCrashReproducerGeneration(makeReproducer());
  PipelineOptions options;
  options.stopAfter = last;
  options.march = march;
  options.fp8Activations = fp8Activations;
  buildPipeline(manager, options);
  module = OwningOpRef<ModuleOp>(imported->clone());
  if (mlir::succeeded(manager.run(*module)))
    return {};
  return failure("cannot be compiled");
}

/// Checks that all of `tokens` are in the vocabulary.
static Status checkTokens(ArrayRef<int32_t> tokens, int64_t vocabulary) {
  for (int32_t token : tokens)
    if (token < 0 || token >= vocabulary)
      return Status::badData("--tokens: expected ids from 0 to " +
                             std::to_string(vocabulary - 1) + ", got " +
                             std::to_string(token));
  return {};
}

static Status writeLogits(const std::string &path, const Tensor &rows) {
  return ::tcc::writeNpy(path, {rows.rows(), rows.columns()},
                         rows.values.data());
}

/// Runs the module for multi-token prediction over `tokens`: the state of each
/// but the last, and the token behind it. Returns logits [T - 1, V].
static FailureOr<Tensor> predictSecond(Interpreter &interpreter,
                                       ArrayRef<int32_t> tokens,
                                       Tensor states) {
  states.shape.front() -= 1;
  states.values.resize(states.shape.front() * states.columns());
  auto entry =
      interpreter.getModule().lookupSymbol<FunctionOpInterface>("predict");
  FailureOr<SmallVector<OutputSequence>> outputs =
      runSequences(interpreter, entry,
                   InputSequence{TokenSequence(tokens.drop_front()), states});
  if (mlir::failed(outputs))
    return mlir::failure();
  return std::move(outputs->front().logits);
}

Status Compilation::checkInterpretation(size_t tokens, bool predicts) {
  if (inputIsIr || withoutWeights)
    return {Status::Code::Usage,
            input + ": expected a checkpoint with weights to interpret"};
  if (predicts && !imported->lookupSymbol("predict"))
    return {Status::Code::Usage,
            input + ": expected a model with multi-token prediction for "
                    "--mtp-logits, got one without"};
  if (predicts && tokens < 2)
    return {Status::Code::Usage,
            "--tokens: expected at least 2 for --mtp-logits, got " +
                std::to_string(tokens)};
  return {};
}

Status Compilation::interpret(ArrayRef<int32_t> tokens, const std::string &path,
                              const std::string &predictionPath) {
  if (Status status =
          checkInterpretation(tokens.size(), !predictionPath.empty());
      !status.ok())
    return status;
  auto entry = imported->lookupSymbol<FunctionOpInterface>("forward");
  std::optional<ModelSignature> signature = modelSignature(entry);
  assert(signature && "importers write the entry of a model");
  auto positions =
      static_cast<size_t>(::tcc::decoderSizes(model.model).maxPositions);
  if (tokens.size() > positions)
    return Status::badData("--tokens: expected at most " +
                           std::to_string(positions) +
                           " ids, the positions of the model, got " +
                           std::to_string(tokens.size()));
  if (Status status = checkTokens(tokens, signature->vocabulary); !status.ok())
    return status;
  ::tcc::ModelWeights mapped;
  if (Status status = ::tcc::ModelWeights::open(model, mapped); !status.ok())
    return status;
  CheckpointWeights weights(model, mapped);
  Interpreter interpreter(*imported, weights);
  FailureOr<SmallVector<OutputSequence>> outputs = runSequences(
      interpreter, entry, InputSequence{TokenSequence(tokens), {}});
  if (mlir::failed(outputs))
    return failure("cannot be interpreted");
  OutputSequence &output = outputs->front();
  if (predictionPath.empty())
    return writeLogits(path, output.logits);
  FailureOr<Tensor> second =
      predictSecond(interpreter, tokens, std::move(output.states));
  if (mlir::failed(second))
    return failure("cannot be interpreted");
  if (Status status = writeLogits(path, output.logits); !status.ok())
    return status;
  return writeLogits(predictionPath, *second);
}

Status Compilation::generateCode(const std::string &march, ImageText text) {
  FailureOr<CompiledImage> image =
      march == h100March
          ? nvptx::compilePtx(*module, makeReproducer(), text)
          : x86::compileImage(*module, march, makeReproducer(), text);
  if (mlir::failed(image))
    return failure("cannot generate code");
  compiled.push_back({std::move(module), std::move(*image)});
  return {};
}

Status Compilation::emit(const std::string &path,
                         const EmitProgress &progress) {
  if (inputIsIr)
    return {Status::Code::Usage,
            input + ": expected a checkpoint to make a model.bin from, got IR"};
  ::tcc::ModelWeights weights;
  if (!withoutWeights)
    if (Status status = ::tcc::ModelWeights::open(model, weights); !status.ok())
      return status;
  SmallVector<TargetCode> targets;
  for (Compiled &target : compiled)
    targets.push_back({*target.module, &target.image});
  return emitExecutable(targets, model, withoutWeights ? nullptr : &weights,
                        path, progress);
}
