#include "runtime/core/PlanReader.h"

#include "runtime/core/PlanMessages.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace tcc;
using namespace tcc::rt;

/// No single size in a file may exceed this; sums of a few of them still fit.
static constexpr uint64_t byteLimit = uint64_t(1) << 50;
static constexpr uint32_t layerLimit = 1 << 16;
/// Kernels receive positions as int32.
static constexpr uint32_t positionLimit = 1 << 30;

/// `number`, or the greatest of 64 bits if it has more.
static std::string digits(unsigned __int128 number) {
  return std::to_string(
      static_cast<uint64_t>(std::min<unsigned __int128>(number, UINT64_MAX)));
}

static std::string describe(const Expression &expression) {
  return std::to_string(expression.constant) + " + " +
         std::to_string(expression.tokens) + " T + " +
         std::to_string(expression.sequences) + " B + " +
         std::to_string(expression.logitRows) + " R + " +
         std::to_string(expression.expandedTokens) + " X + " +
         std::to_string(expression.absorbedTokens) + " A + " +
         std::to_string(expression.expandedSequences) + " E";
}

bool PlanReader::error(const std::string &place, const std::string &what) {
  text = place + ": " + what;
  return false;
}

bool PlanReader::charge(uint64_t bytes, const std::string &place) {
  // A table takes at least that many bytes of an honest file.
  constexpr uint64_t tableBytes = 16;
  if (budget.take(tableBytes) && budget.take(bytes))
    return true;
  return error(place, "expected parts that no other part shares, got more than "
                      "the manifest could hold");
}

bool PlanReader::read(Plan &plan) {
  return readSizes(plan) && readKernels(plan) && readBuffers(plan) &&
         readWeights(plan) && readCaches(plan) && readRotaryTables(plan) &&
         readSteps(plan);
}

bool PlanReader::readSizes(Plan &plan) {
  plan.vocabulary = executable.vocabulary();
  plan.maxPositions = executable.max_positions();
  plan.hiddenSize = executable.hidden_size();
  if (plan.vocabulary < 1 || plan.vocabulary > (1 << 24))
    return error("vocabulary",
                 gotInstead("1 to 16777216", executable.vocabulary()));
  if (plan.maxPositions < 1 || plan.maxPositions > positionLimit)
    return error("max_positions",
                 gotInstead("1 to 1073741824", executable.max_positions()));
  if (plan.hiddenSize > (1 << 24))
    return error("hidden_size",
                 gotInstead("at most 16777216", executable.hidden_size()));
  return true;
}

bool PlanReader::readExpression(const schema::Expression *expression,
                                const std::string &place, Expression &result) {
  for (int64_t coefficient :
       {expression->constant(), expression->tokens(), expression->sequences(),
        expression->logit_rows(), expression->expanded_tokens(),
        expression->absorbed_tokens(), expression->expanded_sequences()})
    if (coefficient > coefficientLimit || coefficient < -coefficientLimit)
      return error(place, "expected coefficients up to 2^39, got " +
                              std::to_string(coefficient));
  result = {expression->constant(),          expression->tokens(),
            expression->sequences(),         expression->logit_rows(),
            expression->expanded_tokens(),   expression->absorbed_tokens(),
            expression->expanded_sequences()};
  if (minimum(result, largestStep) < 0)
    return error(place, "expected a value that is never negative, got " +
                            describe(result));
  return true;
}

/// Whether `offset` is a multiple of 64 in any step.
static bool isAligned(const Expression &offset) {
  for (int64_t term :
       {offset.constant, offset.tokens, offset.sequences, offset.logitRows,
        offset.expandedTokens, offset.absorbedTokens, offset.expandedSequences})
    if (term % 64 != 0)
      return false;
  return true;
}

bool PlanReader::readBuffers(Plan &plan) {
  for (const schema::Buffer *buffer : *target.buffers()) {
    std::string place = nameOf("buffer", *buffer->name());
    if (!charge(0, place))
      return false;
    BufferPlan read;
    if (!readExpression(buffer->offset(), place + ": offset", read.offset) ||
        !readExpression(buffer->bytes(), place + ": bytes", read.bytes))
      return false;
    if (!isAligned(read.offset))
      return error(place,
                   "expected an offset that is always a multiple of 64, got " +
                       describe(read.offset));
    plan.buffers.push_back(read);
  }
  return true;
}

/// What is wrong with the sizes of `weight`, or nothing.
static std::string weightError(const schema::Weight &weight,
                               uint64_t available) {
  if (weight.layers() < 1 || weight.layers() > layerLimit)
    return gotInstead("1 to 65536 layers", weight.layers());
  if (weight.first_layer() > layerLimit)
    return gotInstead("a first layer up to 65536", weight.first_layer());
  if (weight.offset() % 64 != 0 || weight.stride() % 64 != 0)
    return gotInstead("offset and stride to be multiples of 64",
                      weight.offset()) +
           " and " + std::to_string(weight.stride());
  for (uint64_t bytes : {weight.offset(), weight.stride(), weight.bytes()})
    if (bytes > byteLimit)
      return gotInstead("sizes up to 2^50 bytes", bytes);
  if (weight.layers() > 1 && weight.stride() < weight.bytes())
    return gotInstead("a stride of at least the " +
                          std::to_string(weight.bytes()) + " bytes of a layer",
                      weight.stride());
  unsigned __int128 end =
      static_cast<unsigned __int128>(weight.stride()) * (weight.layers() - 1) +
      weight.offset() + weight.bytes();
  if (end > available)
    return "expected it to end within the " + std::to_string(available) +
           " bytes of the weights, got an end at " + digits(end);
  return {};
}

bool PlanReader::readWeights(Plan &plan) {
  uint64_t available = target.weights() ? target.weights()->bytes() : byteLimit;
  for (const schema::Weight *weight : *target.packed()) {
    std::string place = nameOf("weight", *weight->name());
    if (!charge(0, place))
      return false;
    if (std::string wrong = weightError(*weight, available); !wrong.empty())
      return error(place, wrong);
    plan.weights.push_back({weight->first_layer(), weight->layers(),
                            static_cast<int64_t>(weight->offset()),
                            static_cast<int64_t>(weight->stride()),
                            static_cast<int64_t>(weight->bytes())});
  }
  return true;
}

static uint64_t elementBytes(schema::ElementType type) {
  switch (type) {
  case schema::ElementType::F32:
    return 4;
  case schema::ElementType::F16:
  case schema::ElementType::BF16:
    return 2;
  default:
    return 0;
  }
}

bool PlanReader::readCaches(Plan &plan) {
  uint64_t pageBytes = 0; // Of all layers of all caches.
  for (const schema::Cache *cache : *target.caches()) {
    std::string place = number("cache", plan.caches.size());
    if (!charge(0, place))
      return false;
    if (cache->layers() < 1 || cache->layers() > layerLimit)
      return error(place, gotInstead("1 to 65536 layers", cache->layers()));
    if (cache->page_tokens() < 1 || cache->page_tokens() > positionLimit)
      return error(place, gotInstead("1 to 1073741824 positions a page",
                                     cache->page_tokens()));
    if (!plan.caches.empty() && plan.pageTokens() != cache->page_tokens())
      return error(place,
                   gotInstead("pages of " + std::to_string(plan.pageTokens()) +
                                  " positions, like the first cache",
                              cache->page_tokens()));
    uint64_t element = elementBytes(cache->element());
    if (element == 0)
      return error(place, gotInstead("elements of type F32, F16 or BF16",
                                     static_cast<uint64_t>(cache->element())));
    if (cache->page_bytes() % 64 != 0 ||
        cache->page_bytes() > static_cast<uint64_t>(coefficientLimit))
      return error(place,
                   gotInstead("a multiple of 64 bytes a page, up to 2^39",
                              cache->page_bytes()));
    if (cache->latent() && cache->value_size() > cache->key_size())
      return error(place, gotInstead("values that are a part of the keys of " +
                                         std::to_string(cache->key_size()),
                                     cache->value_size()));
    uint64_t elements = uint64_t(cache->key_size()) +
                        (cache->latent() ? 0 : cache->value_size());
    unsigned __int128 needed = static_cast<unsigned __int128>(cache->heads()) *
                               cache->page_tokens() * elements * element;
    if (needed == 0 || needed > cache->page_bytes())
      return error(place,
                   gotInstead("pages that hold heads * page_tokens * " +
                                  std::string(cache->latent() ? "key_size"
                                                              : "(key_size + "
                                                                "value_size)") +
                                  " elements, " + digits(needed) +
                                  " bytes and more than none",
                              cache->page_bytes()));
    pageBytes += cache->layers() * cache->page_bytes();
    if (pageBytes > byteLimit)
      return error(place,
                   gotInstead("at most 2^50 bytes a page in all layers of all "
                              "caches",
                              pageBytes));
    plan.caches.push_back({cache->layers(), cache->page_tokens(),
                           static_cast<int64_t>(cache->page_bytes()),
                           cache->latent()});
  }
  return true;
}

bool PlanReader::readRotaryTables(Plan &plan) {
  for (const schema::RotaryTable *table : *target.rotary_tables()) {
    std::string place = number("rotary table", plan.rotaryTables.size());
    if (!charge(table->inverse_frequencies()->size() * sizeof(double), place))
      return false;
    const auto &frequencies = *table->inverse_frequencies();
    if (frequencies.size() == 0 || frequencies.size() > 65536)
      return error(place,
                   gotInstead("1 to 65536 frequencies", frequencies.size()));
    RotaryPlan read;
    read.multiplier = table->multiplier();
    // The verifier does not see to it that they are aligned.
    read.inverseFrequencies.resize(frequencies.size());
    memcpy(read.inverseFrequencies.data(), frequencies.Data(),
           frequencies.size() * sizeof(double));
    if (!std::isfinite(read.multiplier))
      return error(place, "expected a finite multiplier, got " +
                              std::to_string(read.multiplier));
    for (double frequency : read.inverseFrequencies)
      if (!std::isfinite(frequency))
        return error(place, "expected finite frequencies, got " +
                                std::to_string(frequency));
    plan.rotaryTables.push_back(std::move(read));
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

bool PlanReader::readSteps(Plan &plan) {
  if (!readStep(*target.step(), "step", plan, plan.step))
    return false;
  if (!target.prediction())
    return true;
  if (!readStep(*target.prediction(), "prediction", plan,
                plan.prediction.emplace()))
    return false;
  if (!plan.step.states || !plan.prediction->states)
    return error("prediction", std::string("expected states of it and of the "
                                           "step, got none of the ") +
                                   (plan.step.states ? "prediction" : "step"));
  return true;
}

bool PlanReader::readStep(const schema::StepPlan &table,
                          const std::string &place, const Plan &plan,
                          StepPlan &step) {
  if (!charge(0, place) ||
      !readExpression(table.arena(), place + ": arena", step.arenaBytes) ||
      !readResults(table, place, plan, step) ||
      !readExpansion(table, place, step))
    return false;
  for (const schema::StepEntry *entry : *table.entries())
    if (!readEntry(*entry, place + ": " + number("entry", step.sections.size()),
                   plan, step))
      return false;
  if (step.sections.empty())
    return error(place, "expected at least one entry, got none");
  return true;
}

bool PlanReader::checkBuffer(uint32_t index, const std::string &place,
                             const Plan &plan, const StepPlan &step) {
  if (index >= plan.buffers.size())
    return error(place, gotInstead("an index below " +
                                       std::to_string(plan.buffers.size()),
                                   index));
  const BufferPlan &buffer = plan.buffers[index];
  int64_t left =
      minimum(step.arenaBytes - buffer.offset - buffer.bytes, largestStep);
  if (left < 0)
    return error(place + ": " +
                     nameOf("buffer", *target.buffers()->Get(index)->name()),
                 gotInstead("it to lie within the arena in every step",
                            static_cast<uint64_t>(-left)) +
                     " bytes beyond its end");
  return true;
}

bool PlanReader::checkResult(uint32_t index, const Expression &needed,
                             const std::string &place, const Plan &plan,
                             const StepPlan &step) {
  if (!checkBuffer(index, place, plan, step))
    return false;
  if (minimum(plan.buffers[index].bytes - needed, largestStep) < 0)
    return error(place, "expected a buffer of at least " +
                            std::to_string(needed.tokens + needed.logitRows) +
                            " bytes a row, got " +
                            describe(plan.buffers[index].bytes));
  return true;
}

bool PlanReader::readResults(const schema::StepPlan &table,
                             const std::string &place, const Plan &plan,
                             StepPlan &step) {
  step.logits = table.logits();
  Expression needed;
  needed.logitRows = plan.vocabulary * 4;
  if (!checkResult(step.logits, needed, place + ": logits", plan, step))
    return false;
  if (table.samples()) {
    step.samples = *table.samples();
    needed.logitRows = 4;
    if (!checkResult(*step.samples, needed, place + ": samples", plan, step))
      return false;
  }
  if (!table.states())
    return true;
  if (plan.hiddenSize < 1)
    return error(place + ": states", "expected a hidden_size, got none");
  step.states = *table.states();
  needed = {};
  needed.tokens = plan.hiddenSize * 4;
  return checkResult(*step.states, needed, place + ": states", plan, step);
}

bool PlanReader::readExpansion(const schema::StepPlan &table,
                               const std::string &place, StepPlan &step) {
  if (!table.expansion())
    return true;
  step.expansion = {table.expansion()->pair_saving(),
                    table.expansion()->expansion_cost(),
                    static_cast<int64_t>(table.expansion()->chunk())};
  for (uint64_t count :
       {step.expansion->pairSaving, step.expansion->expansionCost})
    if (count > static_cast<uint64_t>(coefficientLimit))
      return error(place + ": expansion", gotInstead("at most 2^39", count));
  uint64_t chunk = table.expansion()->chunk();
  if (chunk < 1 || chunk > static_cast<uint64_t>(largestStep.tokens))
    return error(
        place + ": expansion: chunk",
        gotInstead("1 to " + std::to_string(largestStep.tokens), chunk));
  return true;
}

bool PlanReader::readEntry(const schema::StepEntry &entry,
                           const std::string &place, const Plan &plan,
                           StepPlan &step) {
  if (!charge(0, place))
    return false;
  if (const schema::Loop *loop = entry.body_as_Loop())
    return readLoop(*loop, place, plan, step);
  const schema::Launch *launch = entry.body_as_Launch();
  if (!launch)
    return error(place, gotInstead("a launch or a loop",
                                   static_cast<uint64_t>(entry.body_type())));
  SectionPlan section;
  if (!readLaunch(*launch, place, plan, step, section))
    return false;
  step.sections.push_back(std::move(section));
  return true;
}

bool PlanReader::readLoop(const schema::Loop &loop, const std::string &place,
                          const Plan &plan, StepPlan &step) {
  if (loop.layers() < 1 || loop.layers() > layerLimit)
    return error(place,
                 gotInstead("a loop of 1 to 65536 layers", loop.layers()));
  if (loop.first_layer() > layerLimit)
    return error(place,
                 gotInstead("a first layer up to 65536", loop.first_layer()));
  SectionPlan section;
  section.isLoop = true;
  section.firstLayer = loop.first_layer();
  section.layers = loop.layers();
  for (const schema::Launch *launch : *loop.launches())
    if (!readLaunch(*launch,
                    place + ": " + number("launch", section.launches.size()),
                    plan, step, section))
      return false;
  step.sections.push_back(std::move(section));
  return true;
}

bool PlanReader::readLaunch(const schema::Launch &launch,
                            const std::string &place, const Plan &plan,
                            const StepPlan &step, SectionPlan &section) {
  if (!charge(launch.arguments()->size() * sizeof(schema::Argument), place))
    return false;
  LaunchPlan read;
  read.kernel = launch.kernel();
  if (read.kernel >= plan.kernels.size())
    return error(place, gotInstead("a kernel below " +
                                       std::to_string(plan.kernels.size()),
                                   read.kernel));
  if (!readExpression(launch.tiles(), place + ": tiles", read.tiles) ||
      !readExpression(launch.scratch(), place + ": scratch", read.scratch))
    return false;
  // The pool multiplies tiles by threads.
  if (maximum(read.tiles, largestStep) > coefficientLimit)
    return error(place, "expected at most 2^39 tiles in any step, got " +
                            describe(read.tiles));
  for (const schema::Argument *argument : *launch.arguments())
    if (!readArgument(*argument,
                      place + ": " + number("argument", read.arguments.size()),
                      plan, step, section, read))
      return false;
  for (const TensorMapPlan &map : plan.kernels[read.kernel].tensorMaps)
    if (map.argument >= read.arguments.size())
      return error(place, gotInstead("tensor maps of arguments below " +
                                         std::to_string(read.arguments.size()),
                                     map.argument));
  section.launches.push_back(std::move(read));
  return true;
}

bool PlanReader::readArgument(const schema::Argument &argument,
                              const std::string &place, const Plan &plan,
                              const StepPlan &step, const SectionPlan &section,
                              LaunchPlan &result) {
  static_assert(static_cast<int>(ArgumentKind::Sampling) ==
                    static_cast<int>(schema::ArgumentKind::MAX),
                "the two lists of argument kinds differ");
  if (argument.kind() > schema::ArgumentKind::MAX)
    return error(place, gotInstead("a known kind of argument",
                                   static_cast<uint64_t>(argument.kind())));
  ArgumentPlan read = {static_cast<ArgumentKind>(argument.kind()),
                       argument.index()};
  size_t count = 1;
  if (read.kind == ArgumentKind::Buffer)
    count = plan.buffers.size();
  else if (read.kind == ArgumentKind::Weight)
    count = plan.weights.size();
  else if (read.kind == ArgumentKind::CacheLayer)
    count = plan.caches.size();
  else if (read.kind == ArgumentKind::RotaryTable)
    count = plan.rotaryTables.size();
  if (read.index >= count)
    return error(place, gotInstead("an index below " + std::to_string(count),
                                   read.index));
  if (read.kind == ArgumentKind::States && &step == &plan.step)
    return error(place, "expected states in a prediction, got them in a step");
  if (read.kind == ArgumentKind::Sampling && !step.samples)
    return error(place, "expected samples of a step that samples, got none");
  result.samples = result.samples || read.kind == ArgumentKind::Sampling;
  if (read.kind == ArgumentKind::Buffer &&
      !checkBuffer(read.index, place, plan, step))
    return false;
  if (!checkLayers(read, place, plan, section))
    return false;
  result.arguments.push_back(read);
  return true;
}

/// Says that a loop over layers [first, end) leaves [least, greatest).
static std::string layersInstead(const char *what, int64_t least,
                                 int64_t greatest, int64_t first, int64_t end) {
  return std::string("expected a loop within the layers ") +
         std::to_string(least) + " to " + std::to_string(greatest - 1) +
         " of " + what + ", got " + std::to_string(first) + " to " +
         std::to_string(end - 1);
}

bool PlanReader::checkLayers(const ArgumentPlan &argument,
                             const std::string &place, const Plan &plan,
                             const SectionPlan &section) {
  int64_t end = section.firstLayer + section.layers;
  if (argument.kind == ArgumentKind::CacheLayer) {
    int64_t layers = plan.caches[argument.index].layers;
    if (!section.isLoop)
      return error(place,
                   "expected a loop around a layer of a cache, got none");
    if (end > layers)
      return error(place, layersInstead("the cache", 0, layers,
                                        section.firstLayer, end));
  }
  if (argument.kind == ArgumentKind::Weight) {
    const WeightPlan &weight = plan.weights[argument.index];
    int64_t weightEnd = weight.firstLayer + weight.layers;
    if (!section.isLoop && weight.layers != 1)
      return error(place, "expected a loop around a weight of " +
                              std::to_string(weight.layers) +
                              " layers, got none");
    if (section.isLoop &&
        (section.firstLayer < weight.firstLayer || end > weightEnd))
      return error(place, layersInstead("the weight", weight.firstLayer,
                                        weightEnd, section.firstLayer, end));
  }
  return true;
}
