// A model.bin, up to where its code would run: header, manifest and plan; then
// steps of the plan with kernels that only look at what they are given.

#include "runtime/core/Generator.h"
#include "runtime/core/Manifest.h"
#include "runtime/cpu/CpuDevice.h"
#include "test/fuzz/AllocationLimit.h"

#include <algorithm>
#include <vector>

using namespace tcc;
using namespace tcc::rt;

/// Segments lie in a file of this size, whatever the input's: the manifest
/// alone is enough for an input.
static constexpr uint64_t fileBytes = uint64_t(1) << 36;

static void check(bool condition) {
  if (!condition)
    __builtin_trap();
}

static void noKernel(void *const *, const int64_t *sizes, int64_t begin,
                     int64_t end, void *scratch) {
  check(begin >= 0 && begin < end && sizes[0] > 0 && sizes[1] > 0);
  check(sizes[4] >= sizes[5] && sizes[4] <= sizes[0] && sizes[5] <= sizes[1]);
  check(reinterpret_cast<uintptr_t>(scratch) % 64 == 0);
}

/// Checks that buffer `index` lies within the arena of `step` and returns its
/// bytes.
static int64_t checkBuffer(const Plan &plan, const StepPlan &step,
                           uint32_t index, const StepSizes &sizes) {
  const BufferPlan &buffer = plan.buffers[index];
  int64_t arena = step.arenaBytes.evaluate(sizes);
  int64_t offset = buffer.offset.evaluate(sizes);
  int64_t bytes = buffer.bytes.evaluate(sizes);
  check(offset >= 0 && offset % 64 == 0 && bytes >= 0);
  check(offset <= arena && bytes <= arena - offset);
  return bytes;
}

/// What the reader promises for every step.
static void checkStep(const Plan &plan, const StepPlan &step) {
  for (StepSizes sizes : {StepSizes{1, 1, 0, 0, 0},
                          {1, 1, 1, 1, 1},
                          {17, 3, 5, 9, 2},
                          {512, 512, 512, 511, 511},
                          {1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20}}) {
    check(checkBuffer(plan, step, step.logits, sizes) / 4 >=
          plan.vocabulary * sizes.logitRows);
    if (step.states)
      check(checkBuffer(plan, step, *step.states, sizes) / 4 >=
            plan.hiddenSize * sizes.tokens);
    for (const SectionPlan &section : step.sections)
      for (const LaunchPlan &launch : section.launches)
        for (const ArgumentPlan &argument : launch.arguments)
          if (argument.kind == ArgumentKind::Buffer)
            checkBuffer(plan, step, argument.index, sizes);
  }
}

static void checkPlan(const Plan &plan, uint64_t codeBytes,
                      uint64_t weightBytes) {
  checkStep(plan, plan.step);
  if (plan.prediction) {
    checkStep(plan, *plan.prediction);
    check(plan.step.states && plan.prediction->states);
  }
  for (const KernelPlan &kernel : plan.kernels)
    check(kernel.entry < codeBytes);
  for (const WeightPlan &weight : plan.weights)
    check(weight.offset + weight.stride * (weight.layers - 1) + weight.bytes <=
          static_cast<int64_t>(weightBytes));
}

static int64_t launchesOf(const StepPlan &step) {
  int64_t launches = 0;
  for (const SectionPlan &section : step.sections)
    launches +=
        section.layers * (1 + static_cast<int64_t>(section.launches.size()));
  return launches;
}

/// Generates a few tokens with kernels that compute nothing.
static void run(const Plan &plan, uint64_t weightBytes) {
  CpuDevice device(1);
  std::vector<std::vector<int32_t>> prompts = {{0}, {0, 0, 0, 0, 0}};
  GenerationOptions options;
  options.maxTokens = 6;
  options.stepTokens = 4;
  options.draftTokens = plan.prediction ? 2 : 0;
  options.predictionLogits = plan.prediction.has_value();
  Requirements needed;
  AnonymousMemory weights;
  device.start(std::vector<KernelFunction>(plan.kernels.size(), noKernel));
  std::unique_ptr<Generator> generator;
  if (launchesOf(plan.step) > 1000 ||
      (plan.prediction && launchesOf(*plan.prediction) > 1000) ||
      !planRequests(plan, prompts, options,
                    {device.workers(), int64_t(16) << 20}, needed)
           .ok() ||
      !AnonymousMemory::reserve(weightBytes, weights))
    return;
  Program program = {&plan, weights.data()};
  if (!Generator::create(program, needed, device, generator).ok())
    return;
  struct : GenerationListener {
    bool onToken(size_t, int32_t) override { return true; }
  } listener;
  check(generator->run(prompts, options, listener).ok());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A mapped file is aligned, libFuzzer's data is not.
  std::vector<uint8_t> file(data, data + size);
  FileHeader header;
  if (decodeHeader(file.data(), size, "m.bin", header).ok())
    check(header.manifestBytes <= size - headerBytes &&
          header.fileBytes == size);
  if (size < headerBytes)
    return 0;
  // As if the digest were right: whoever damages a manifest can compute it.
  Manifest manifest;
  {
    AllocationLimit limit(size);
    if (!readManifest(file.data() + headerBytes, size - headerBytes, fileBytes,
                      "m.bin", CpuDevice::targetKind, manifest)
             .ok())
      return 0;
  }
  uint64_t weightBytes = manifest.weights ? manifest.weights->bytes : 0;
  check(manifest.code.offset + manifest.code.bytes <= fileBytes);
  check(!manifest.weights ||
        manifest.weights->offset + weightBytes <= fileBytes);
  checkPlan(manifest.plan, manifest.code.bytes,
            manifest.weights ? weightBytes : uint64_t(1) << 50);
  if (manifest.weights)
    run(manifest.plan, weightBytes);
  return 0;
}
