// Prompts to text, or ids to ids, with logits if asked for.

#include "runtime/core/StopText.h"
#include "tools/tcc-run/Npy.h"
#include "tools/tcc-run/Session.h"

#include <algorithm>
#include <sys/stat.h>

using namespace tcc;
using namespace tcc::run;

/// Generated for each prompt where --max-tokens does not say.
static constexpr int64_t defaultMaxTokens = 256;

namespace {

/// The text of one request as it grows.
class TextOutput {
public:
  /// The decoder reads the prompt first, and what it gives for it is dropped,
  /// with what it held back: whether a text begins with a space depends on what
  /// stands before.
  TextOutput(const rt::Tokenizer &tokenizer, const std::vector<int32_t> &prompt,
             const std::vector<std::string> &stops)
      : decoder(tokenizer, /*skipSpecial=*/true), stop(stops) {
    for (int32_t token : prompt)
      decoder.add(token);
    decoder.finish();
  }

  /// The text that is certain after `token`.
  std::string add(int32_t token) { return stop.add(decoder.add(token)); }
  std::string finish() {
    std::string certain = stop.add(decoder.finish());
    return certain + stop.finish();
  }
  bool stopped() const { return stop.found(); }

private:
  rt::StreamingDecoder decoder;
  rt::StopText stop;
};

/// Collects what requests generate; the first one is streamed if it is alone.
class Listener : public rt::GenerationListener {
public:
  Listener(const rt::GenerationOptions &options, size_t requests)
      : options(options), results(requests), isStreamed(requests == 1) {}

  bool onToken(size_t request, int32_t token) override {
    progress.clear();
    ++generated;
    if (texts.empty())
      return emit(request,
                  (counts[request]++ ? " " : "") + std::to_string(token));
    bool isEnd =
        std::count(options.endIds.begin(), options.endIds.end(), token);
    if (isEnd)
      return false;
    return emit(request, texts[request].add(token)) &&
           !texts[request].stopped();
  }

  bool wantsLogits() const override { return !logitFiles.empty(); }

  Status onLogits(size_t request, int64_t position,
                  const float *logits) override {
    return logitFiles.empty() ? Status() : logitFiles[request]->append(logits);
  }

  Status onPredictionLogits(size_t request, int64_t position,
                            const float *logits) override {
    return mtpFiles[request]->append(logits);
  }

  void onProgress(int64_t done, int64_t total) override {
    if (done < total)
      progress.show("reading prompts: " + std::to_string(done) + " of " +
                    std::to_string(total) + " tokens");
    else if (!isStreamed)
      progress.show("generated " + std::to_string(generated) + " tokens");
  }

  /// Writes what is not written yet. After an interruption too.
  void finish() {
    progress.clear();
    for (size_t i = 0; i < results.size(); ++i) {
      if (!texts.empty())
        emit(i, texts[i].finish());
      writeOutput(results[i] + "\n", false);
    }
  }

  std::vector<TextOutput> texts; ///< Empty if ids are printed.
  /// One for each request, or none.
  std::vector<std::unique_ptr<NpyWriter>> logitFiles, mtpFiles;

private:
  /// False if the output is lost: then it is in vain to go on.
  bool emit(size_t request, const std::string &text) {
    if (isStreamed)
      return writeOutput(text, true);
    results[request] += text;
    return true;
  }

  const rt::GenerationOptions &options;
  std::vector<std::string> results;
  std::vector<int64_t> counts = std::vector<int64_t>(results.size());
  int64_t generated = 0;
  bool isStreamed;
  Progress progress{"tcc-run"};
};

} // namespace

/// The ids of `options.prompts` or `options.tokens`.
static Status readPrompts(const rt::Executable &executable,
                          const Options &options,
                          std::unique_ptr<rt::Tokenizer> &tokenizer,
                          std::vector<std::vector<int32_t>> &prompts) {
  prompts = options.tokens;
  if (options.prompts.empty())
    return {};
  if (Status status = loadTokenizer(executable, tokenizer); !status.ok())
    return status;
  for (const std::string &text : options.prompts) {
    prompts.push_back(tokenizer->beginningIds());
    if (Status status = tokenizer->encode(text, prompts.back()); !status.ok())
      return status;
  }
  return {};
}

/// What is generated where --max-tokens does not say: as much as fits behind
/// the longest prompt, up to `defaultMaxTokens`.
static int64_t maxTokensFor(const std::vector<std::vector<int32_t>> &prompts,
                            int64_t context) {
  int64_t longest = 0;
  for (const std::vector<int32_t> &prompt : prompts)
    longest = std::max(longest, static_cast<int64_t>(prompt.size()));
  return std::clamp(context - longest, int64_t(1), defaultMaxTokens);
}

static rt::GenerationOptions
generationOptions(const rt::Executable &executable, const Options &options,
                  const std::vector<std::vector<int32_t>> &prompts) {
  int64_t maximum = executable.plan().maxPositions;
  rt::GenerationOptions result;
  result.context = options.context;
  result.maxTokens = options.maxTokens.value_or(maxTokensFor(
      prompts, options.context ? std::min(options.context, maximum) : maximum));
  result.allLogits = !options.logits.empty();
  result.predictionLogits = !options.mtpLogits.empty();
  result.draftTokens = options.draftTokens;
  if (const auto *ids = executable.root().end_ids())
    result.endIds.assign(ids->begin(), ids->end());
  result.sampling = options.sampling;
  result.cancelled = installInterrupt();
  return result;
}

/// Checks that `path` is another file than the model.
static Status checkOutput(const rt::Executable &executable,
                          const std::string &path) {
  struct stat input, output;
  if (stat(executable.path().c_str(), &input) == 0 &&
      stat(path.c_str(), &output) == 0 && input.st_dev == output.st_dev &&
      input.st_ino == output.st_ino)
    return {Status::Code::CannotWrite,
            path + ": cannot write: it is the model that is run; choose "
                   "another name"};
  return {};
}

/// Creates the files for the logits.
static Status createLogits(const rt::Executable &executable,
                           const std::vector<std::string> &paths,
                           std::vector<std::unique_ptr<NpyWriter>> &result) {
  for (const std::string &path : paths) {
    if (Status status = checkOutput(executable, path); !status.ok())
      return status;
    result.push_back(std::make_unique<NpyWriter>());
    if (Status status =
            result.back()->create(path, executable.plan().vocabulary);
        !status.ok())
      return status;
  }
  return {};
}

/// Runs the prompts and writes what they give.
static Status runPrompts(rt::Generator &generator,
                         const std::vector<std::vector<int32_t>> &prompts,
                         const rt::GenerationOptions &generation,
                         Listener &listener) {
  Status status = generator.run(prompts, generation, listener);
  if (status.ok() || status.code() == Status::Code::Interrupted)
    listener.finish();
  Status written = finishOutput();
  if (status.ok())
    status = written;
  for (const auto *files : {&listener.logitFiles, &listener.mtpFiles})
    for (const std::unique_ptr<NpyWriter> &file : *files)
      if (status.ok())
        status = file->commit();
  return status;
}

Status tcc::run::generate(rt::Executable &executable, const Options &options) {
  std::unique_ptr<rt::Tokenizer> tokenizer;
  std::vector<std::vector<int32_t>> prompts;
  if (Status status = readPrompts(executable, options, tokenizer, prompts);
      !status.ok())
    return status;
  rt::GenerationOptions generation =
      generationOptions(executable, options, prompts);
  std::unique_ptr<rt::Device> device;
  std::unique_ptr<rt::Generator> generator;
  if (Status status = startGenerator(executable, options, prompts, generation,
                                     device, generator);
      !status.ok())
    return status;
  Listener listener(generation, prompts.size());
  if (tokenizer)
    for (const std::vector<int32_t> &prompt : prompts)
      listener.texts.emplace_back(*tokenizer, prompt, options.stops);
  if (Status status =
          createLogits(executable, options.logits, listener.logitFiles);
      !status.ok())
    return status;
  if (Status status =
          createLogits(executable, options.mtpLogits, listener.mtpFiles);
      !status.ok())
    return status;
  Status status = runPrompts(*generator, prompts, generation, listener);
  return status.code() == Status::Code::BadData ? inFile(executable, status)
                                                : status;
}
