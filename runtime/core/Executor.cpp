#include "runtime/core/Executor.h"

#include <algorithm>
#include <cmath>

using namespace tcc;
using namespace tcc::rt;

void Step::clear() {
  tokens.clear();
  positions.clear();
  sequences.clear();
  logitRows.clear();
  pages.clear();
  expandedSequences = 0;
  states.clear();
  sampling.clear();
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

/// The most scratch that a launch of `step` needs for one worker.
static int64_t scratchFor(const StepPlan &step, const StepLimits &limits) {
  int64_t bytes = 0;
  for (const SectionPlan &section : step.sections)
    for (const LaunchPlan &launch : section.launches)
      bytes = std::max(bytes, maximum(launch.scratch, limits));
  return bytes;
}

/// The most scratch that a launch needs for one worker, a multiple of 4096 so
/// that workers share no cache line.
static int64_t scratchFor(const Plan &plan, const StepLimits &limits) {
  int64_t bytes = scratchFor(plan.step, limits);
  if (plan.prediction)
    bytes = std::max(bytes, scratchFor(*plan.prediction, limits));
  return (bytes + 4095) / 4096 * 4096;
}

/// What `begin` brings to the device, each part aligned.
static int64_t inputsFor(const Plan &plan, const StepLimits &limits) {
  constexpr int64_t wordBytes = 4;
  auto aligned = [](int64_t words) {
    return (words * wordBytes + inputAlignment - 1) / inputAlignment *
           inputAlignment;
  };
  int64_t bytes = aligned(2 * static_cast<int64_t>(KernelSizes().size())) +
                  3 * aligned(limits.tokens) + aligned(limits.logitRows) +
                  aligned(limits.sequences * limits.pages);
  if (plan.prediction)
    bytes += aligned(limits.tokens * plan.hiddenSize);
  if (plan.step.samples)
    bytes +=
        aligned(limits.logitRows *
                static_cast<int64_t>(sizeof(SampleParameters)) / wordBytes);
  for (const RotaryPlan &rotary : plan.rotaryTables)
    bytes += aligned(2 * limits.tokens *
                     static_cast<int64_t>(rotary.inverseFrequencies.size()));
  return bytes;
}

static WorkBytes workFor(const Plan &plan, const StepLimits &limits) {
  return {arenaFor(plan, limits), scratchFor(plan, limits),
          inputsFor(plan, limits)};
}

int64_t Executor::bytesFor(const Plan &plan, const StepLimits &limits,
                           int64_t workers) {
  return workFor(plan, limits).total(workers);
}

Status Executor::create(const Program &program, const StepLimits &limits,
                        KVCache &cache, Device &device,
                        std::unique_ptr<Executor> &result) {
  const Plan &plan = *program.plan;
  std::unique_ptr<Executor> executor(
      new Executor(program, limits, cache, device));
  if (Status status = device.reserveWork(workFor(plan, limits), limits.tokens,
                                         executor->arena);
      !status.ok())
    return status;
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
  if (!step.sampling.empty() &&
      (!which.samples || step.sampling.size() != step.logitRows.size()))
    return internalError("expected sampling of each row of logits, where the "
                         "plan has it, or none");
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

template <typename T>
static ByteRange rangeOf(const std::vector<T> &values) {
  return {values.data(), static_cast<int64_t>(values.size() * sizeof(T))};
}

namespace {
/// Where kinds of arguments lie among the inputs of a step. The page table
/// comes after the rotary tables: where only contexts grow, the places of the
/// others stay.
enum Input : size_t {
  Tokens,
  Positions,
  Sequences,
  LogitRows,
  States,
  Sampling,
  Rotary
};
} // namespace

Status Executor::begin(const Step &step) {
  fillRotaryTables(step);
  fillPageTable(step);
  inputs = {rangeOf(step.tokens),    rangeOf(step.positions),
            rangeOf(step.sequences), rangeOf(step.logitRows),
            rangeOf(step.states),    rangeOf(step.sampling)};
  for (const std::vector<float> &table : rotaryTables)
    inputs.push_back(rangeOf(table));
  inputs.push_back(rangeOf(pageTable));
  return device.begin({sizes.tokens, sizes.sequences, sizes.logitRows,
                       pageTableStride, sizes.expandedTokens,
                       sizes.expandedSequences},
                      inputs, inputAddresses);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

uint8_t *Executor::buffer(uint32_t index) const {
  return arena.get() + plan().buffers[index].offset.evaluate(sizes);
}

void *Executor::resolve(const ArgumentPlan &argument, int64_t layer) const {
  switch (argument.kind) {
  case ArgumentKind::Buffer:
    return buffer(argument.index);
  case ArgumentKind::Weight: {
    const WeightPlan &weight = plan().weights[argument.index];
    int64_t skipped = weight.layers == 1 ? 0 : layer - weight.firstLayer;
    // Kernels take void * for what they only read, too.
    return const_cast<uint8_t *>(program.weights + weight.offset +
                                 skipped * weight.stride);
  }
  case ArgumentKind::CacheLayer:
    return cache.layer(argument.index, layer);
  case ArgumentKind::Tokens:
    return inputAddresses[Input::Tokens];
  case ArgumentKind::Positions:
    return inputAddresses[Input::Positions];
  case ArgumentKind::Sequences:
    return inputAddresses[Input::Sequences];
  case ArgumentKind::LogitRows:
    return inputAddresses[Input::LogitRows];
  case ArgumentKind::PageTable:
    return inputAddresses.back();
  case ArgumentKind::RotaryTable:
    return inputAddresses[Input::Rotary + argument.index];
  case ArgumentKind::States:
    return inputAddresses[Input::States];
  case ArgumentKind::Sampling:
    return inputAddresses[Input::Sampling];
  }
  return nullptr;
}

Status Executor::runLaunch(const LaunchPlan &launch, Launch place,
                           KernelUse *use) {
  place.tiles = launch.tiles.evaluate(sizes);
  if (place.tiles == 0 || (launch.samples && !isSampling))
    return {};
  if (use) {
    addLaunch(plan().kernels[launch.kernel], counts, *use);
    place.seconds = &use->seconds;
  }
  arguments.clear();
  for (const ArgumentPlan &argument : launch.arguments)
    arguments.push_back(resolve(argument, place.layer));
  place.arguments = arguments.data();
  place.argumentCount = arguments.size();
  return device.launch(place);
}

Status Executor::finish(const StepPlan &which) {
  if (isSampling)
    results = {{buffer(*which.samples),
                sizes.logitRows * static_cast<int64_t>(sizeof(int32_t))}};
  else
    results = {{buffer(which.logits), sizes.logitRows * plan().vocabulary *
                                          static_cast<int64_t>(sizeof(float))}};
  if (which.states)
    results.push_back(
        {buffer(*which.states), sizes.tokens * plan().hiddenSize *
                                    static_cast<int64_t>(sizeof(float))});
  return device.finish(results, resultsOnHost);
}

Status Executor::run(const StepPlan &which, const Step &step,
                     const std::atomic<bool> *cancelled,
                     std::vector<KernelUse> *uses) {
  if (Status status = check(which, step); !status.ok())
    return status;
  sizes = step.sizes();
  isSampling = !step.sampling.empty();
  if (Status status = begin(step); !status.ok())
    return status;
  if (uses)
    counts = countRows(step);
  Launch place;
  for (const SectionPlan &section : which.sections)
    for (int64_t i = 0; i < section.layers; ++i)
      for (const LaunchPlan &launch : section.launches) {
        if (cancelled && cancelled->load(std::memory_order_relaxed))
          return {Status::Code::Interrupted, "interrupted"};
        place.kernel = launch.kernel;
        place.layer = section.isLoop ? section.firstLayer + i : -1;
        ++place.number;
        KernelUse *use = uses ? &(*uses)[launch.kernel] : nullptr;
        if (Status status = runLaunch(launch, place, use); !status.ok())
          return status;
      }
  return finish(which);
}

const float *Executor::logits(int64_t row) const {
  return static_cast<const float *>(resultsOnHost[0]) + row * plan().vocabulary;
}

int32_t Executor::sample(int64_t row) const {
  return static_cast<const int32_t *>(resultsOnHost[0])[row];
}

const float *Executor::states(int64_t token) const {
  return static_cast<const float *>(resultsOnHost[1]) +
         token * plan().hiddenSize;
}
