// Measures prefill and decode: one run to warm up, then the median, least and
// greatest of several, then one in which each launch is measured.

#include "runtime/core/Philox.h"
#include "runtime/support/Text.h"
#include "tools/tcc-run/Session.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

using namespace tcc;
using namespace tcc::run;

static constexpr int repetitions = 5;

using KernelUses = std::vector<rt::KernelUse>;

namespace {

/// Notes the time after the step in which all requests have their first token,
/// and after the last step. The generator reads all prompts first, so that
/// every step between the two is a full batch.
class Stopwatch : public rt::GenerationListener {
public:
  /// `uses` are those of the run so far.
  Stopwatch(size_t requests, const KernelUses &uses)
      : uses(uses), missing(requests), started(requests) {}

  bool onToken(size_t request, int32_t token) override {
    if (!started[request])
      --missing;
    else if (prefillSeconds > 0)
      ++decodeTokens;
    started[request] = true;
    return true;
  }

  bool wantsLogits() const override { return false; }

  void onDrafts(size_t request, int64_t draftedTokens,
                int64_t acceptedTokens) override {
    ++steps;
    drafted += draftedTokens;
    accepted += acceptedTokens;
  }

  void onProgress(int64_t done, int64_t total) override {
    double seconds = secondsSince(start);
    if (missing == 0 && prefillSeconds == 0) {
      prefillSeconds = seconds;
      prefillUses = uses;
    }
    decodeSeconds = seconds - prefillSeconds;
  }

  double prefillSeconds = 0, decodeSeconds = 0;
  KernelUses prefillUses;
  int64_t decodeTokens = 0;
  int64_t steps = 0, drafted = 0, accepted = 0; ///< Of each request.

private:
  const KernelUses &uses;
  size_t missing;
  std::vector<bool> started;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};

struct Summary {
  double median = 0, least = 0, greatest = 0;
};

} // namespace

static Summary summarise(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

/// Chooses what was not asked for, and refuses what does not fit.
static Status chooseTokens(const rt::Plan &plan, const Options &options,
                           BenchOptions &bench) {
  constexpr int64_t usualPrompt = 512, usualGenerated = 128;
  constexpr int64_t mostTokens = 1 << 24; // Of all prompts: 64 MiB.
  int64_t context = options.context
                        ? std::min(options.context, plan.maxPositions)
                        : plan.maxPositions;
  if (bench.promptTokens == 0) {
    bench.generatedTokens = std::clamp<int64_t>(context / 5, 1, usualGenerated);
    bench.promptTokens = std::clamp<int64_t>(
        context - bench.generatedTokens - 1, 1, usualPrompt);
  }
  // The first token that is generated belongs to the prefill.
  if (bench.promptTokens + bench.generatedTokens + 1 > context)
    return {Status::Code::Usage,
            "--bench: expected fewer tokens together than the " +
                std::to_string(context) + " positions of the context, got " +
                std::to_string(bench.promptTokens) + " to read and " +
                std::to_string(bench.generatedTokens) +
                " to generate; ask for less"};
  if (bench.batch > mostTokens / bench.promptTokens)
    return {Status::Code::Usage,
            "--bench: expected at most " + std::to_string(mostTokens) +
                " tokens in all prompts, got " + std::to_string(bench.batch) +
                " prompts of " + std::to_string(bench.promptTokens) +
                "; ask for less"};
  return {};
}

/// Prompts of ids that look random and are always the same.
static std::vector<std::vector<int32_t>> benchPrompts(const BenchOptions &bench,
                                                      int64_t vocabulary) {
  std::vector<std::vector<int32_t>> prompts(static_cast<size_t>(bench.batch));
  for (size_t b = 0; b < prompts.size(); ++b)
    for (int64_t t = 0; t < bench.promptTokens; ++t)
      prompts[b].push_back(
          static_cast<int32_t>(rt::uniformAt(1, b, static_cast<uint64_t>(t)) *
                               static_cast<double>(vocabulary)));
  return prompts;
}

static nlohmann::ordered_json describe(int64_t tokens, const Summary &seconds) {
  return {{"tokens", tokens},
          {"seconds", seconds.median},
          {"seconds_minimum", seconds.least},
          {"seconds_maximum", seconds.greatest},
          {"tokens_per_second", static_cast<double>(tokens) / seconds.median}};
}

/// How many drafts were accepted, and what a step gave one request.
static nlohmann::ordered_json describeDrafts(const Stopwatch &watch) {
  auto ratio = [](int64_t part, int64_t whole) {
    return whole == 0 ? 0.0
                      : static_cast<double>(part) / static_cast<double>(whole);
  };
  return {
      {"drafted", watch.drafted},
      {"accepted", watch.accepted},
      {"acceptance", ratio(watch.accepted, watch.drafted)},
      {"tokens_per_step", ratio(watch.steps + watch.accepted, watch.steps)}};
}

/// What the launches of one kernel took and did, and how much of what the
/// device can do at most that is.
static nlohmann::ordered_json describeUse(const rt::KernelPlan &kernel,
                                          const rt::KernelUse &use,
                                          const rt::DevicePeaks &peaks) {
  nlohmann::ordered_json part = {{"launches", use.launches},
                                 {"seconds", use.seconds}};
  if (!kernel.work)
    return part;
  part["bytes"] = use.bytes;
  part["flops"] = use.flops;
  auto share = [&](double done, double peak) {
    return use.seconds > 0 ? done / use.seconds / peak : 0.0;
  };
  if (peaks.bytesPerSecond > 0)
    part["share_of_peak_bytes"] = share(use.bytes, peaks.bytesPerSecond);
  if (peaks.flopsPerSecond > 0)
    part["share_of_peak_flops"] = share(use.flops, peaks.flopsPerSecond);
  return part;
}

/// What each kernel did in one run, of which `prefill` is the first part.
static nlohmann::ordered_json describeKernels(const rt::Plan &plan,
                                              const KernelUses &prefill,
                                              const KernelUses &whole,
                                              const rt::DevicePeaks &peaks) {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (size_t i = 0; i < plan.kernels.size(); ++i) {
    const rt::KernelPlan &kernel = plan.kernels[i];
    rt::KernelUse decode = whole[i];
    decode.launches -= prefill[i].launches;
    decode.seconds -= prefill[i].seconds;
    decode.bytes -= prefill[i].bytes;
    decode.flops -= prefill[i].flops;
    kernels.push_back({{"name", rt::printable(kernel.name)},
                       {"prefill", describeUse(kernel, prefill[i], peaks)},
                       {"decode", describeUse(kernel, decode, peaks)}});
  }
  return kernels;
}

static int64_t peakBytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

/// Writes what each kernel did in `part` of the run.
static void printKernels(const nlohmann::ordered_json &kernels,
                         const char *part) {
  for (const nlohmann::ordered_json &kernel : kernels) {
    const nlohmann::ordered_json &use = kernel[part];
    if (use["launches"].get<int64_t>() == 0)
      continue;
    char text[300];
    int length =
        snprintf(text, sizeof(text), "%-8s %-32s %7lld launches %10.6f s", part,
                 kernel["name"].get<std::string>().c_str(),
                 static_cast<long long>(use["launches"].get<int64_t>()),
                 use["seconds"].get<double>());
    std::string line(text, static_cast<size_t>(length));
    if (use.contains("bytes")) {
      snprintf(text, sizeof(text),
               " %10.3f MB (%5.1f %%) %12.3f MFLOP (%5.1f %%)",
               use["bytes"].get<double>() / 1e6,
               100 * use["share_of_peak_bytes"].get<double>(),
               use["flops"].get<double>() / 1e6,
               100 * use["share_of_peak_flops"].get<double>());
      line += text;
    } else {
      line += "  bytes and operations: not in the file";
    }
    writeOutput(line + "\n", false);
  }
}

static void print(const nlohmann::ordered_json &report,
                  const rt::DevicePeaks &peaks) {
  auto line = [&](const char *name) {
    const nlohmann::ordered_json &part = report[name];
    char text[200];
    snprintf(text, sizeof(text),
             "%-8s %6lld tokens  %10.4f s (%.4f to %.4f)  %10.2f tokens/s\n",
             name, static_cast<long long>(part["tokens"].get<int64_t>()),
             part["seconds"].get<double>(),
             part["seconds_minimum"].get<double>(),
             part["seconds_maximum"].get<double>(),
             part["tokens_per_second"].get<double>());
    writeOutput(text, false);
  };
  line("prefill");
  line("decode");
  char text[200];
  if (report.contains("draft")) {
    snprintf(text, sizeof(text),
             "draft    %6lld accepted of %lld (%.4f), %.4f tokens a step\n",
             static_cast<long long>(report["draft"]["accepted"].get<int64_t>()),
             static_cast<long long>(report["draft"]["drafted"].get<int64_t>()),
             report["draft"]["acceptance"].get<double>(),
             report["draft"]["tokens_per_step"].get<double>());
    writeOutput(text, false);
  }
  snprintf(text, sizeof(text),
           "load %.4f s, first token after %.4f s, peak memory %.1f MB; median "
           "(least to greatest) of %d runs\n",
           report["load_seconds"].get<double>(),
           report["first_token_seconds"].get<double>(),
           static_cast<double>(report["peak_rss_bytes"].get<int64_t>()) / 1e6,
           repetitions);
  writeOutput(text, false);
  if (peaks.bytesPerSecond == 0 || peaks.flopsPerSecond == 0)
    return;
  for (const char *part : {"prefill", "decode"})
    printKernels(report["kernels"], part);
  snprintf(text, sizeof(text),
           "shares are of %.1f GB/s and %.1f TFLOP/s; launches were measured "
           "alone, in a run of their own\n",
           peaks.bytesPerSecond / 1e9, peaks.flopsPerSecond / 1e12);
  writeOutput(text, false);
}

namespace {
/// What the runs gave.
struct Measurements {
  double firstTokenSeconds = 0;        ///< After the start of the program.
  std::vector<double> prefill, decode; ///< Seconds of each run.
  int64_t decodeTokens = 0;
  nlohmann::ordered_json drafts, kernels;
};
} // namespace

/// Runs `prompts` once to warm up, `repetitions` times, and once more to
/// measure launches.
static Status measure(const rt::Plan &plan, const rt::Device &device,
                      rt::Generator &generator,
                      const std::vector<std::vector<int32_t>> &prompts,
                      rt::GenerationOptions generation, Measurements &result) {
  KernelUses uses;
  Progress progress("tcc-run");
  for (int i = 0; i <= repetitions + 1; ++i) {
    double begin = secondsSince(startTime());
    uses.assign(plan.kernels.size(), {});
    generation.kernelUses = i > repetitions ? &uses : nullptr;
    Stopwatch watch(prompts.size(), uses);
    if (Status status = generator.run(prompts, generation, watch); !status.ok())
      return status;
    progress.show("run " + std::to_string(i) + " of " +
                  std::to_string(repetitions + 1));
    if (i == 0) {
      result.firstTokenSeconds = begin + watch.prefillSeconds;
      continue;
    }
    if (i > repetitions) {
      result.kernels =
          describeKernels(plan, watch.prefillUses, uses, device.peaks());
      continue;
    }
    result.prefill.push_back(watch.prefillSeconds);
    result.decode.push_back(watch.decodeSeconds);
    result.decodeTokens = watch.decodeTokens;
    result.drafts = describeDrafts(watch);
  }
  progress.clear();
  return {};
}

static rt::GenerationOptions generationOptions(const Options &options,
                                               const BenchOptions &bench) {
  rt::GenerationOptions generation;
  generation.maxTokens = bench.generatedTokens + 1;
  generation.context = options.context;
  generation.promptsFirst = true;
  generation.draftTokens = options.draftTokens;
  generation.sampling = options.sampling;
  generation.cancelled = installInterrupt();
  return generation;
}

Status tcc::run::bench(rt::Executable &executable, const Options &options) {
  BenchOptions bench = options.bench;
  if (Status status = chooseTokens(executable.plan(), options, bench);
      !status.ok())
    return status;
  std::vector<std::vector<int32_t>> prompts =
      benchPrompts(bench, executable.plan().vocabulary);
  rt::GenerationOptions generation = generationOptions(options, bench);
  std::unique_ptr<rt::Device> device;
  std::unique_ptr<rt::Generator> generator;
  if (Status status = startGenerator(executable, options, prompts, generation,
                                     device, generator);
      !status.ok())
    return status;
  double loadSeconds = secondsSince(startTime());
  Measurements measured;
  if (Status status = measure(executable.plan(), *device, *generator, prompts,
                              generation, measured);
      !status.ok())
    return status;
  nlohmann::ordered_json report;
  report["prefill"] =
      describe(bench.promptTokens * bench.batch, summarise(measured.prefill));
  report["decode"] =
      describe(measured.decodeTokens, summarise(measured.decode));
  report["decode"]["batch"] = bench.batch;
  if (options.draftTokens > 0)
    report["draft"] = measured.drafts;
  report["load_seconds"] = loadSeconds;
  report["first_token_seconds"] = measured.firstTokenSeconds;
  report["peak_rss_bytes"] = peakBytes();
  report["kernels"] = measured.kernels;
  if (options.json)
    writeOutput(report.dump() + "\n", false);
  else
    print(report, device->peaks());
  return finishOutput();
}
