#include "tools/tcc-run/Options.h"

#include "tools/support/Arguments.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <set>

using namespace tcc;
using namespace tcc::run;

static Status usage(const std::string &message) {
  return {Status::Code::Usage, message};
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static Status readSeed(const std::string &text, uint64_t &result) {
  errno = 0;
  char *end = nullptr;
  uint64_t value = strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || text[0] < '0' ||
      text[0] > '9')
    return usage("--seed: expected a whole number from 0 to 2^64 - 1, got '" +
                 text + "'");
  result = value;
  return {};
}

/// Reads a number in [least, greatest]; 0 too if `orZero`.
static Status readReal(const std::string &option, const std::string &text,
                       double least, double greatest, bool orZero,
                       double &result) {
  char *end = nullptr;
  double value = strtod(text.c_str(), &end);
  bool isNumber = !text.empty() && *end == '\0' && text[0] > ' ';
  bool fits = (value >= least && value <= greatest) || (orZero && value == 0);
  if (!isNumber || !fits) {
    std::ostringstream range;
    range << (orZero ? "0 or " : "") << "a number from " << least << " to "
          << greatest;
    return usage(option + ": expected " + range.str() + ", got '" + text + "'");
  }
  result = value;
  return {};
}

static Status readBench(const std::string &text, BenchOptions &result) {
  if (text == "true") // What CLI11 makes of the flag without a value.
    return {};
  std::vector<std::string> parts = splitAtCommas(text);
  if (parts.size() < 2 || parts.size() > 3)
    return usage("--bench: expected PROMPT,GENERATE or PROMPT,GENERATE,BATCH, "
                 "got '" +
                 text + "'");
  int64_t *values[] = {&result.promptTokens, &result.generatedTokens,
                       &result.batch};
  for (size_t i = 0; i < parts.size(); ++i)
    if (Status status =
            readInteger("--bench", parts[i], 1, 1 << 20, *values[i]);
        !status.ok())
      return status;
  return {};
}

static Status readDraft(const std::string &text, int64_t &result) {
  constexpr int64_t most = 16;
  result = 1;
  if (text == "mtp")
    return {};
  if (text.compare(0, 4, "mtp:") != 0)
    return usage("--draft: expected mtp or mtp:K, got '" + text + "'");
  return readInteger("--draft", text.substr(4), 1, most, result);
}

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

namespace {
/// Options as text: CLI11's own messages for bad numbers do not say what was
/// expected.
struct Texts {
  std::vector<std::string> tokens;
  std::optional<std::string> maxTokens, context, temperature, topK, topP, minP,
      repetitionPenalty, seed, threads;
  std::optional<std::string> tokenize, detokenize, draft, device;
  std::string bench;
  bool info = false;
};
} // namespace

static void declareGeneration(CLI::App &app, Options &options, Texts &texts) {
  app.add_option("--prompt", options.prompts,
                 "Continue this text; repeat it for a batch")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_option("--tokens", texts.tokens, "Continue these ids and print ids")
      ->type_name("ID,ID,...")
      ->allow_extra_args(false);
  app.add_option("--max-tokens", texts.maxTokens,
                 "Tokens to generate for each prompt (256; 0: none)")
      ->type_name("N");
  app.add_option("--context", texts.context,
                 "Most positions of a prompt and its continuation")
      ->type_name("N");
  app.add_option("--stop", options.stops,
                 "End before this text; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_option("--logits", options.logits,
                 "Write the logits of all tokens but the last; of several "
                 "prompts, repeat it for each")
      ->type_name("OUT.npy")
      ->allow_extra_args(false);
  app.add_option("--mtp-logits", options.mtpLogits,
                 "Write those of multi-token prediction, a row less")
      ->type_name("OUT.npy")
      ->allow_extra_args(false);
  app.add_option("--draft", texts.draft,
                 "Guess K tokens (1) by multi-token prediction and verify them "
                 "in one step")
      ->type_name("mtp[:K]");
}

static void declareSampling(CLI::App &app, Texts &texts) {
  app.add_option("--temperature", texts.temperature,
                 "Divides the logits; 0 takes the most probable token (0)")
      ->type_name("T");
  app.add_option("--top-k", texts.topK, "Draw from the K best (0: all)")
      ->type_name("K");
  app.add_option("--top-p", texts.topP,
                 "Draw from the fewest that are P probable together (1)")
      ->type_name("P");
  app.add_option("--min-p", texts.minP,
                 "Draw from those at least P times as probable as the best (0)")
      ->type_name("P");
  app.add_option("--repetition-penalty", texts.repetitionPenalty,
                 "Makes tokens that occurred less probable (1)")
      ->type_name("R");
  app.add_option("--seed", texts.seed, "Of the random numbers (0)")
      ->type_name("S");
}

static void declareModes(CLI::App &app, Options &options, Texts &texts) {
  app.add_option("model", options.model, "What tcc wrote")
      ->type_name("model.bin");
  app.add_flag("--info", texts.info, "Say what the file holds");
  app.add_flag("--bench", texts.bench,
               "Measure; --bench=PROMPT,GENERATE[,BATCH] says how many tokens");
  app.add_option("--tokenize", texts.tokenize,
                 "One JSON string a line in, one array of ids a line out")
      ->type_name("FILE");
  app.add_option("--detokenize", texts.detokenize, "The reverse")
      ->type_name("FILE");
  app.add_flag("--json", options.json, "Report as JSON");
  app.add_option("--threads", texts.threads, "Threads (all allowed CPUs)")
      ->type_name("N");
  app.add_option("--device", texts.device,
                 "What computes: cpu, cuda, cuda:N or h100-sim (cpu)")
      ->type_name("DEVICE");
  app.add_flag("--check-launches", options.checksLaunches,
               "Wait for each launch on a GPU: errors then name theirs");
}

/// CLI11's message in the form of ours.
static Status usageFrom(const CLI::ParseError &error) {
  std::string message = error.what();
  std::string before = message.substr(0, message.find(": "));
  auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  if (code == CLI::ExitCodes::ArgumentMismatch) {
    bool isMissing = message.find("missing") != std::string::npos;
    message = before + ": expected one value, got " +
              (isMissing ? "none" : "several");
  } else if (code == CLI::ExitCodes::ExtrasError &&
             before.size() + 2 <= message.size()) {
    message = "expected a model.bin and options, got '" +
              message.substr(before.size() + 2) + "'";
  } else if (message.size() > 1 && message[1] >= 'a' && message[1] <= 'z') {
    message[0] = static_cast<char>(tolower(message[0]));
  }
  while (!message.empty() && (message.back() == '.' || message.back() == '\n'))
    message.pop_back();
  return usage(message + "; see 'tcc-run --help'");
}

/// The first error among `steps`.
static Status firstError(std::initializer_list<Status> steps) {
  for (const Status &status : steps)
    if (!status.ok())
      return status;
  return {};
}

static Status readNumbers(const Texts &texts, Options &options) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  int64_t maxTokens = 0, threads = 0;
  rt::SamplingOptions &sampling = options.sampling;
  auto integer = [](const char *name, const std::optional<std::string> &text,
                    int64_t least, int64_t greatest, int64_t &result) {
    return text ? readInteger(name, *text, least, greatest, result) : Status();
  };
  auto real = [](const char *name, const std::optional<std::string> &text,
                 double least, double greatest, bool orZero, double &result) {
    return text ? readReal(name, *text, least, greatest, orZero, result)
                : Status();
  };
  Status status = firstError(
      {integer("--max-tokens", texts.maxTokens, 0, most, maxTokens),
       integer("--context", texts.context, 1, most, options.context),
       integer("--threads", texts.threads, 1, 1024, threads),
       integer("--top-k", texts.topK, 0, most, sampling.topK),
       real("--temperature", texts.temperature, 0.001, 1000, true,
            sampling.temperature),
       real("--top-p", texts.topP, 1e-9, 1, false, sampling.topP),
       real("--min-p", texts.minP, 0, 1, false, sampling.minP),
       real("--repetition-penalty", texts.repetitionPenalty, 0.01, 100, false,
            sampling.repetitionPenalty),
       texts.seed ? readSeed(*texts.seed, sampling.seed) : Status(),
       texts.draft ? readDraft(*texts.draft, options.draftTokens) : Status()});
  if (texts.maxTokens)
    options.maxTokens = maxTokens;
  options.threads = static_cast<int>(threads);
  return status;
}

static Status readMode(const Texts &texts, Options &options) {
  int modes = (options.prompts.empty() ? 0 : 1) +
              (texts.tokens.empty() ? 0 : 1) + (texts.info ? 1 : 0) +
              (texts.bench.empty() ? 0 : 1) + (texts.tokenize ? 1 : 0) +
              (texts.detokenize ? 1 : 0);
  if (modes != 1)
    return usage("expected one of --prompt, --tokens, --info, --bench, "
                 "--tokenize and --detokenize, got " +
                 std::string(modes ? "several" : "none") +
                 "; see 'tcc-run --help'");
  if (texts.info)
    options.mode = Mode::Info;
  if (texts.tokenize || texts.detokenize) {
    options.mode = texts.tokenize ? Mode::Tokenize : Mode::Detokenize;
    options.lines = texts.tokenize ? *texts.tokenize : *texts.detokenize;
  }
  if (!texts.bench.empty()) {
    options.mode = Mode::Bench;
    return readBench(texts.bench, options.bench);
  }
  return {};
}

static Status readDevice(const Texts &texts, Options &options) {
  const std::string text = texts.device.value_or("cpu");
  std::string number = "0";
  options.isDeviceGiven = texts.device.has_value();
  if (text == "cpu") {
    options.device = Options::Device::Cpu;
  } else if (text == "h100-sim") {
    options.device = Options::Device::Simulator;
  } else if (text == "cuda" || text.rfind("cuda:", 0) == 0) {
    options.device = Options::Device::Cuda;
    if (text != "cuda")
      number = text.substr(5);
  } else {
    number.clear();
  }
  if (number.empty() || number.size() > 4 ||
      number.find_first_not_of("0123456789") != std::string::npos)
    return usage("--device: expected cpu, cuda, cuda:N or h100-sim, got '" +
                 text + "'");
  options.ordinal = std::stoi(number);
  return {};
}

/// Refuses outputs that are not one for each prompt or not files of their own.
static Status checkOutputs(const Options &options) {
  size_t prompts = options.prompts.size() + options.tokens.size();
  std::set<std::filesystem::path> files;
  for (const auto &[option, names] :
       {std::pair("--logits", &options.logits),
        std::pair("--mtp-logits", &options.mtpLogits)}) {
    if (!names->empty() && names->size() != prompts)
      return usage(std::string(option) +
                   ": expected one for each --prompt or --tokens, got " +
                   std::to_string(names->size()) + " for " +
                   std::to_string(prompts));
    for (const std::string &name : *names)
      if (!files.insert(resolvePath(name)).second)
        return usage(std::string(option) +
                     ": expected another file for each prompt, got '" + name +
                     "' twice");
  }
  return {};
}

/// Refuses what makes no sense together.
static Status checkTogether(const Texts &texts, const Options &options) {
  if (options.model.empty())
    return usage("expected a model.bin, got none; see 'tcc-run --help'");
  if (Status status = checkOutputs(options); !status.ok())
    return status;
  if (options.json && options.mode != Mode::Info && options.mode != Mode::Bench)
    return usage("--json: expected --info or --bench with it, got neither");
  if (texts.draft && options.mode != Mode::Generate &&
      options.mode != Mode::Bench)
    return usage("--draft: expected --prompt, --tokens or --bench with it, got "
                 "none");
  if (options.checksLaunches && options.device == Options::Device::Cpu)
    return usage("--check-launches: expected --device=cuda or h100-sim with "
                 "it, got cpu");
  if (!options.stops.empty() && options.prompts.empty())
    return usage("--stop: expected --prompt with it, got none");
  return {};
}

Status tcc::run::parseOptions(int argc, char **argv, Options &result,
                              bool &done) {
  CLI::App app("Runs a model that tcc compiled.", "tcc-run");
  Options options;
  Texts texts;
  declareModes(app, options, texts);
  declareGeneration(app, options, texts);
  declareSampling(app, texts);
  app.set_version_flag("--version", "tcc-run " TCC_VERSION);
  done = false;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    app.exit(success, std::cout, std::cerr);
    done = true;
    return {};
  } catch (const CLI::ParseError &error) {
    return usageFrom(error);
  }
  for (const std::string &text : texts.tokens) {
    options.tokens.emplace_back();
    if (Status status = readTokens(text, options.tokens.back()); !status.ok())
      return status;
  }
  Status status =
      firstError({readNumbers(texts, options), readMode(texts, options),
                  readDevice(texts, options), checkTogether(texts, options)});
  if (status.ok())
    result = std::move(options);
  return status;
}
