// The command line of tcc-run.

#ifndef TCC_TOOLS_TCC_RUN_OPTIONS_H
#define TCC_TOOLS_TCC_RUN_OPTIONS_H

#include "runtime/core/Sampler.h"
#include "runtime/support/Status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcc::run {

/// What is asked for; one of these and no other.
enum class Mode { Generate, Info, Bench, Tokenize, Detokenize };

/// What `--bench` measures.
struct BenchOptions {
  int64_t promptTokens = 0; ///< 0: as many as suit the model.
  int64_t generatedTokens = 0;
  int64_t batch = 1;
};

/// What the user asked for, checked: each value is within its limits.
struct Options {
  Mode mode = Mode::Generate;
  std::string model;                        ///< Path of the model.bin.
  std::vector<std::string> prompts;         ///< Texts, or
  std::vector<std::vector<int32_t>> tokens; ///< ids.
  std::optional<int64_t> maxTokens;         ///< As given.
  int64_t context = 0;                      ///< 0: the model's maximum.
  rt::SamplingOptions sampling;
  std::vector<std::string> stops;
  std::vector<std::string> logits;    ///< A .npy for each prompt, or none.
  std::vector<std::string> mtpLogits; ///< Likewise.
  int64_t draftTokens = 0;            ///< For each step; 0: none.
  int threads = 0;                    ///< 0: what the machine allows.
  enum class Device { Cpu, Cuda, Simulator } device = Device::Cpu;
  bool isDeviceGiven = false;  ///< Rather than the default.
  int ordinal = 0;             ///< Of the GPU.
  bool checksLaunches = false; ///< Wait for each on a GPU.
  bool json = false;
  std::string lines; ///< FILE of --tokenize, --detokenize.
  BenchOptions bench;
};

/// Reads the command line. With `--help` or `--version`, prints the text to
/// stdout and sets `done`.
///
/// \returns Usage for anything that is wrong with it.
Status parseOptions(int argc, char **argv, Options &result, bool &done);

} // namespace tcc::run

#endif // TCC_TOOLS_TCC_RUN_OPTIONS_H
