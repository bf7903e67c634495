// What every way of running a model shares: the loaded file, the device and the
// interrupt.

#ifndef TCC_TOOLS_TCC_RUN_SESSION_H
#define TCC_TOOLS_TCC_RUN_SESSION_H

#include "runtime/core/Executable.h"
#include "runtime/core/Generator.h"
#include "runtime/text/Tokenizer.h"
#include "tools/support/Process.h"
#include "tools/support/Progress.h"
#include "tools/tcc-run/Options.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace tcc::run {

/// When the program started.
std::chrono::steady_clock::time_point startTime();

/// Seconds since `time`.
double secondsSince(std::chrono::steady_clock::time_point time);

/// Makes Ctrl-C set a flag that runs look at; a second one ends the program at
/// once and removes temporary files.
const std::atomic<bool> *installInterrupt();

/// The tokenizer of the file.
///
/// \returns BadData if it has none or it makes no sense.
Status loadTokenizer(const rt::Executable &executable,
                     std::unique_ptr<rt::Tokenizer> &result);

/// Loads the model from its file, with the target for the device that was asked
/// for; where nothing runs and none was, with any target.
///
/// \returns what rt::Executable::load does.
Status loadExecutable(const Options &options,
                      std::unique_ptr<rt::Executable> &result);

/// Prepares the device that was asked for and allocates a generator for
/// `prompts`.
///
/// \returns everything that rt::Executable::prepare, rt::planRequests and
///          rt::Generator::create do; messages about memory name the file.
Status startGenerator(rt::Executable &executable, const Options &options,
                      const std::vector<std::vector<int32_t>> &prompts,
                      const rt::GenerationOptions &generation,
                      std::unique_ptr<rt::Device> &device,
                      std::unique_ptr<rt::Generator> &result);

/// `status` with the name of the file before a message that lacks it.
Status inFile(const rt::Executable &executable, const Status &status);

/// The ways to use a model, each in a file of its name.
Status generate(rt::Executable &executable, const Options &options);
Status bench(rt::Executable &executable, const Options &options);
Status info(const rt::Executable &executable, const Options &options);
Status convertLines(const rt::Executable &executable, const Options &options);

} // namespace tcc::run

#endif // TCC_TOOLS_TCC_RUN_SESSION_H
