#include "runtime/core/Executor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

using namespace tcc;
using namespace tcc::rt;

/// From this many tokens on a launch is long enough for dynamic ranges; below,
/// each thread streams its own part of the weights.
static constexpr int64_t dynamicTokens = 32;

void Step::clear() {
  tokens.clear();
  positions.clear();
  sequences.clear();
  logitRows.clear();
  pages.clear();
  expandedSequences = 0;
  states.clear();
}

StepSizes Step::sizes() const {
  auto expandedTokens =
      std::lower_bound(sequences.begin(), sequences.end(), expandedSequences) -
      sequences.begin();
  return {static_cast<int64_t>(tokens.size()),
          static_cast<int64_t>(pages.size()),
          static_cast<int64_t>(logitRows.size()), expandedTokens,
          expandedSequences};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The arena of the larger of the plan's two steps.
static int64_t arenaFor(const Plan &plan, const StepLimits &limits) {
  int64_t bytes = maximum(plan.step.arenaBytes, limits);
  return plan.prediction
             ? std::max(bytes, maximum(plan.prediction->arenaBytes, limits))
             : bytes;
}

/// The most scratch that a launch of `step` needs for one thread.
static int64_t scratchFor(const StepPlan &step, const StepLimits &limits) {
  int64_t bytes = 0;
  for (const SectionPlan &section : step.sections)
    for (const LaunchPlan &launch : section.launches)
      bytes = std::max(bytes, maximum(launch.scratch, limits));
  return bytes;
}

/// The most scratch that a launch needs for one thread, a multiple of 4096 so
/// that threads share no cache line.
static int64_t scratchFor(const Plan &plan, const StepLimits &limits) {
  int64_t bytes = scratchFor(plan.step, limits);
  if (plan.prediction)
    bytes = std::max(bytes, scratchFor(*plan.prediction, limits));
  return (bytes + 4095) / 4096 * 4096;
}

int64_t Executor::bytesFor(const Plan &plan, const StepLimits &limits,
                           int threads) {
  int64_t bytes;
  if (__builtin_mul_overflow(scratchFor(plan, limits), int64_t(threads),
                             &bytes) ||
      __builtin_add_overflow(bytes, arenaFor(plan, limits), &bytes))
    return INT64_MAX;
  return bytes;
}

Status Executor::create(const Program &program, const StepLimits &limits,
                        KVCache &cache, ThreadPool &pool,
                        std::unique_ptr<Executor> &result) {
  const Plan &plan = *program.plan;
  std::unique_ptr<Executor> executor(
      new Executor(program, limits, cache, pool));
  executor->scratchBytes = scratchFor(plan, limits);
  int64_t bytes = bytesFor(plan, limits, pool.size());
  if (bytes == INT64_MAX ||
      !AnonymousMemory::reserve(static_cast<size_t>(arenaFor(plan, limits)),
                                executor->arena) ||
      !AnonymousMemory::reserve(
          static_cast<size_t>(executor->scratchBytes * pool.size()),
          executor->scratch))
    return {Status::Code::OutOfMemory,
            "memory: cannot reserve " + std::to_string(bytes) +
                " bytes for a step of " + std::to_string(limits.tokens) +
                " tokens; use fewer --threads or raise the limit of address "
                "space (ulimit -v)"};
  executor->rotaryTables.resize(plan.rotaryTables.size());
  result = std::move(executor);
  return {};
}

//===----------------------------------------------------------------------===//
// The step's inputs
//===----------------------------------------------------------------------===//

static Status internalError(const std::string &what) {
  return {Status::Code::Internal, "step: " + what};
}

/// Checks tokens, positions and sequences against the rules of Step.
static Status checkTokens(const Step &step, const Plan &plan) {
  for (size_t t = 0; t < step.tokens.size(); ++t) {
    if (step.tokens[t] < 0 || step.tokens[t] >= plan.vocabulary)
      return Status::badData("token: expected an id from 0 to " +
                             std::to_string(plan.vocabulary - 1) + ", got " +
                             std::to_string(step.tokens[t]));
    bool continues = t > 0 && step.sequences[t] == step.sequences[t - 1];
    int32_t before = t > 0 ? step.sequences[t - 1] : -1;
    if (!continues && step.sequences[t] != before + 1)
      return internalError("expected ascending sequences");
    if (continues && step.positions[t] != step.positions[t - 1] + 1)
      return internalError("expected positions ascending by 1");
    if (step.positions[t] < 0 || step.positions[t] >= plan.maxPositions)
      return internalError("position " + std::to_string(step.positions[t]) +
                           " is beyond the model's maximum");
  }
  return {};
}

Status Executor::check(const StepPlan &which, const Step &step) const {
  size_t tokens = step.tokens.size();
  if (tokens == 0 || step.positions.size() != tokens ||
      step.sequences.size() != tokens ||
      static_cast<size_t>(step.sequences.back()) + 1 != step.pages.size())
    return internalError("expected one position and one sequence a token");
  StepSizes sizes = step.sizes();
  if (sizes.tokens > limits.tokens || sizes.sequences > limits.sequences ||
      sizes.logitRows > limits.logitRows)
    return internalError("it is larger than the limits it was prepared for");
  if (Status status = checkTokens(step, plan()); !status.ok())
    return status;
  if (step.expandedSequences < 0 ||
      step.expandedSequences > (which.expansion ? sizes.sequences : 0))
    return internalError("expected no more sequences in expanded form than "
                         "there are, and none where the plan has no such form");
  bool isPrediction = &which != &plan().step;
  if (step.states.size() !=
      (isPrediction ? tokens * static_cast<size_t>(plan().hiddenSize) : 0))
    return internalError("expected a state a token of a prediction, and none "
                         "otherwise");
  int32_t before = -1;
  for (int32_t row : step.logitRows) {
    if (row <= before || row >= sizes.tokens)
      return internalError("expected ascending logit rows");
    before = row;
  }
  for (size_t t = 0; t < tokens && !plan().caches.empty(); ++t) {
    const PageList &pages = *step.pages[static_cast<size_t>(step.sequences[t])];
    if (step.positions[t] >=
        static_cast<int64_t>(pages.size()) * plan().pageTokens())
      return internalError("a sequence has too few pages");
  }
  return {};
}

void Executor::fillRotaryTables(const Step &step) {
  for (size_t i = 0; i < rotaryTables.size(); ++i) {
    const RotaryPlan &rotary = plan().rotaryTables[i];
    size_t frequencies = rotary.inverseFrequencies.size();
    rotaryTables[i].resize(step.tokens.size() * frequencies * 2);
    float *out = rotaryTables[i].data();
    for (size_t t = 0; t < step.tokens.size(); ++t) {
      size_t row = t * frequencies * 2;
      // Sequences of one length decode the same position.
      if (t > 0 && step.positions[t] == step.positions[t - 1]) {
        std::copy_n(out + row - frequencies * 2, frequencies * 2, out + row);
        continue;
      }
      for (size_t j = 0; j < frequencies; ++j) {
        double angle = step.positions[t] * rotary.inverseFrequencies[j];
        out[row + 2 * j] =
            static_cast<float>(rotary.multiplier * std::cos(angle));
        out[row + 2 * j + 1] =
            static_cast<float>(rotary.multiplier * std::sin(angle));
      }
    }
  }
}

void Executor::fillPageTable(const Step &step) {
  pageTableStride = 1;
  for (const PageList *pages : step.pages)
    pageTableStride =
        std::max(pageTableStride, static_cast<int64_t>(pages->size()));
  pageTable.assign(step.pages.size() * static_cast<size_t>(pageTableStride), 0);
  auto out = pageTable.begin();
  for (const PageList *pages : step.pages) {
    std::copy(pages->begin(), pages->end(), out);
    out += pageTableStride;
  }
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// Kernels take void * for inputs too; they do not write to them.
template <typename T>
static void *input(const T *data) {
  return const_cast<void *>(static_cast<const void *>(data));
}

uint8_t *Executor::buffer(uint32_t index) const {
  return arena.data() + plan().buffers[index].offset.evaluate(sizes);
}

void *Executor::resolve(const ArgumentPlan &argument, int64_t layer) const {
  switch (argument.kind) {
  case ArgumentKind::Buffer:
    return buffer(argument.index);
  case ArgumentKind::Weight: {
    const WeightPlan &weight = plan().weights[argument.index];
    int64_t skipped = weight.layers == 1 ? 0 : layer - weight.firstLayer;
    return input(program.weights + weight.offset + skipped * weight.stride);
  }
  case ArgumentKind::CacheLayer:
    return cache.layer(argument.index, layer);
  case ArgumentKind::Tokens:
    return input(current->tokens.data());
  case ArgumentKind::Positions:
    return input(current->positions.data());
  case ArgumentKind::Sequences:
    return input(current->sequences.data());
  case ArgumentKind::LogitRows:
    return input(current->logitRows.data());
  case ArgumentKind::PageTable:
    return input(pageTable.data());
  case ArgumentKind::RotaryTable:
    return input(rotaryTables[argument.index].data());
  case ArgumentKind::States:
    return input(current->states.data());
  }
  return nullptr;
}

namespace {
/// What the threads of one launch share.
struct LaunchContext {
  KernelFunction kernel;
  void *const *arguments;
  std::array<int64_t, 6> sizes; ///< T, B, R, page table stride, X, E.
  uint8_t *scratch;
  int64_t scratchBytes;
};
} // namespace

static void runTiles(const void *context, int64_t begin, int64_t end,
                     int thread) {
  const auto &launch = *static_cast<const LaunchContext *>(context);
  launch.kernel(launch.arguments, launch.sizes.data(), begin, end,
                launch.scratch + thread * launch.scratchBytes);
}

void Executor::runLaunch(const LaunchPlan &launch, int64_t layer) {
  int64_t tiles = launch.tiles.evaluate(sizes);
  if (tiles == 0)
    return;
  arguments.clear();
  for (const ArgumentPlan &argument : launch.arguments)
    arguments.push_back(resolve(argument, layer));
  LaunchContext context = {program.kernels[launch.kernel],
                           arguments.data(),
                           {sizes.tokens, sizes.sequences, sizes.logitRows,
                            pageTableStride, sizes.expandedTokens,
                            sizes.expandedSequences},
                           scratch.data(),
                           scratchBytes};
  pool.run(tiles, sizes.tokens < dynamicTokens ? Split::Static : Split::Dynamic,
           runTiles, &context);
}

Status Executor::run(const StepPlan &which, const Step &step,
                     const std::atomic<bool> *cancelled,
                     std::vector<double> *kernelSeconds) {
  if (Status status = check(which, step); !status.ok())
    return status;
  currentPlan = &which;
  current = &step;
  sizes = step.sizes();
  fillRotaryTables(step);
  fillPageTable(step);
  for (const SectionPlan &section : which.sections)
    for (int64_t layer = section.firstLayer;
         layer < section.firstLayer + section.layers; ++layer)
      for (const LaunchPlan &launch : section.launches) {
        if (cancelled && cancelled->load(std::memory_order_relaxed))
          return {Status::Code::Interrupted, "interrupted"};
        auto start = std::chrono::steady_clock::now();
        runLaunch(launch, layer);
        if (kernelSeconds)
          (*kernelSeconds)[launch.kernel] +=
              std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                            start)
                  .count();
      }
  return {};
}

const float *Executor::logits(int64_t row) const {
  return reinterpret_cast<const float *>(buffer(currentPlan->logits)) +
         row * plan().vocabulary;
}

const float *Executor::states(int64_t token) const {
  return reinterpret_cast<const float *>(buffer(*currentPlan->states)) +
         token * plan().hiddenSize;
}
