#include "runtime/core/Generator.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

Status Generator::create(const Program &program,
                         const Requirements &requirements, Device &device,
                         std::unique_ptr<Generator> &result) {
  std::unique_ptr<Generator> generator(new Generator(requirements));
  if (Status status = KVCache::create(device, *program.plan, requirements.pages,
                                      generator->cache);
      !status.ok())
    return status;
  if (Status status =
          Executor::create(program, requirements.limits, *generator->cache,
                           device, generator->executor);
      !status.ok())
    return status;
  result = std::move(generator);
  return {};
}

void Generator::start(const std::vector<std::vector<int32_t>> &prompts,
                      const GenerationOptions &options) {
  // An earlier run may have ended with an error and left pages behind.
  for (Request &request : requests)
    cache->release(request.pages);
  requests.clear();
  for (const std::vector<int32_t> &prompt : prompts) {
    Request request;
    request.tokens = prompt;
    request.promptTokens = static_cast<int64_t>(prompt.size());
    request.sampler = std::make_unique<Sampler>(
        options.sampling, executor->plan().vocabulary, requests.size());
    for (int32_t token : prompt)
      request.sampler->observe(token);
    requests.push_back(std::move(request));
  }
}

bool Generator::canSample(const GenerationOptions &options,
                          const GenerationListener &listener) const {
  return plan().step.samples && Sampler::isForDevices(options.sampling) &&
         options.maxTokens > 0 && options.draftTokens == 0 &&
         !options.allLogits && !options.predictionLogits &&
         !listener.wantsLogits();
}

void Generator::reportProgress(GenerationListener &listener) const {
  int64_t done = 0, total = 0;
  for (const Request &request : requests) {
    done += std::min(request.fed, request.promptTokens);
    total += request.promptTokens;
  }
  listener.onProgress(done, total);
}

Status Generator::run(const std::vector<std::vector<int32_t>> &prompts,
                      const GenerationOptions &options,
                      GenerationListener &listener) {
  start(prompts, options);
  samplesOnDevice = canSample(options, listener);
  for (;;) {
    std::vector<Feed> feeds = chooseFeeds(options);
    if (feeds.empty())
      return {};
    if (Status status = runFeeds(plan().step, feeds, options); !status.ok())
      return status;
    for (const Feed &feed : feeds)
      if (Status status = consume(feed, options, listener); !status.ok())
        return status;
    if (Status status = predict(feeds, options, listener); !status.ok())
      return status;
    for (const Feed &feed : feeds)
      if (requests[feed.request].finished)
        cache->release(requests[feed.request].pages);
    reportProgress(listener);
  }
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

int32_t Generator::Request::tokenAt(int64_t index) const {
  return index < known() ? tokens[static_cast<size_t>(index)]
                         : drafts[static_cast<size_t>(index - known())].token;
}

// All positions of a chunk of a prompt have one form, whichever steps they are
// in, so that bits do not depend on how the prompt was cut. What is generated
// has absorbed form, so that a verified token has the bits of one that was not
// drafted.
bool Generator::isExpanded(const StepPlan &which, const Request &request,
                           int64_t position) const {
  if (!which.expansion || position >= request.promptTokens)
    return false;
  int64_t chunk = which.expansion->chunk, cached = position / chunk * chunk;
  int64_t count = std::min(chunk, request.promptTokens - cached);
  return which.expansion->isCheaper(count, cached);
}

int64_t Generator::readable(const Request &request) const {
  int64_t count = request.promptTokens - request.fed;
  auto endWithChunk = [&](const StepPlan &which) {
    if (which.expansion)
      count = std::min(count, which.expansion->chunk -
                                  request.fed % which.expansion->chunk);
  };
  endWithChunk(plan().step);
  if (plan().prediction)
    endWithChunk(*plan().prediction);
  return count;
}

std::vector<Generator::Feed>
Generator::chooseFeeds(const GenerationOptions &options) const {
  bool isReading = false;
  for (const Request &request : requests)
    isReading = isReading || request.isReading();
  bool promptsOnly = options.promptsFirst && isReading;
  auto generates = [&](const Request &request) {
    return !request.finished && !request.isReading() && !promptsOnly;
  };
  // Those that generate come first in the budget, so that a long prompt does
  // not hold them up.
  int64_t budget = requirements.limits.tokens;
  for (const Request &request : requests)
    if (generates(request))
      budget -= 1 + static_cast<int64_t>(request.drafts.size());
  const int64_t room = budget;
  std::vector<Feed> feeds;
  for (size_t index = 0; index < requests.size(); ++index) {
    const Request &request = requests[index];
    Feed feed = {index, request.fed, 0,
                 options.allLogits ? 0 : request.known() - 1};
    if (generates(request))
      feed.count = 1 + static_cast<int64_t>(request.drafts.size());
    else if (!request.finished && request.isReading()) {
      int64_t count = readable(request);
      feed.count = std::min(count, budget);
      // A chunk that another step can take whole waits for it, where what is
      // cached would be expanded for each part.
      if (feed.count < count && count <= room &&
          isExpanded(plan().step, request, feed.first) &&
          plan().step.expansion->expansionCost > 0)
        feed.count = 0;
      budget -= feed.count;
    }
    if (!options.allLogits && options.maxTokens == 0)
      feed.logitsFrom = feed.end();
    feed.isExpanded = isExpanded(plan().step, request, feed.first);
    if (feed.count > 0)
      feeds.push_back(feed);
  }
  return feeds;
}

Status Generator::runFeeds(const StepPlan &which, std::vector<Feed> &feeds,
                           const GenerationOptions &options) {
  step.clear();
  for (bool expanded : {true, false})
    for (Feed &feed : feeds)
      if (feed.isExpanded == expanded)
        if (Status status = append(which, feed); !status.ok())
          return status;
  return executor->run(which, step, options.cancelled, options.kernelUses);
}

Status Generator::append(const StepPlan &which, Feed &feed) {
  Request &request = requests[feed.request];
  if (Status status = cache->grow(request.pages, feed.end()); !status.ok())
    return status;
  feed.firstToken = step.sizes().tokens;
  feed.firstLogitRow = step.sizes().logitRows;
  feed.logitsFrom = std::max(feed.logitsFrom, feed.first);
  auto sequence = static_cast<int32_t>(step.pages.size());
  // A prediction takes the token after the position.
  int64_t ahead = &which == &plan().step ? 0 : 1;
  for (int64_t position = feed.first; position < feed.end(); ++position) {
    if (position >= feed.logitsFrom) {
      step.logitRows.push_back(static_cast<int32_t>(step.tokens.size()));
      if (samplesOnDevice)
        step.sampling.push_back(
            request.sampler->parametersAt(static_cast<uint64_t>(position + 1)));
    }
    step.tokens.push_back(request.tokenAt(position + ahead));
    step.positions.push_back(static_cast<int32_t>(position));
    step.sequences.push_back(sequence);
  }
  if (feed.states)
    step.states.insert(step.states.end(), feed.states,
                       feed.states + feed.count * plan().hiddenSize);
  step.pages.push_back(&request.pages);
  step.expandedSequences += feed.isExpanded;
  return {};
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

Status Generator::chooseToken(size_t index, int64_t row, const Draft *draft,
                              const GenerationOptions &options,
                              GenerationListener &listener) {
  Request &request = requests[index];
  auto position = static_cast<uint64_t>(request.known());
  int32_t token;
  Status status;
  if (samplesOnDevice)
    status = request.sampler->take(executor->sample(row), position, token);
  else if (draft)
    status =
        request.sampler->verify(executor->logits(row), position, *draft, token);
  else
    status = request.sampler->sample(executor->logits(row), position, token);
  if (!status.ok())
    return status;
  request.tokens.push_back(token);
  request.sampler->observe(token);
  bool goesOn = listener.onToken(index, token);
  bool isEnd = std::count(options.endIds.begin(), options.endIds.end(), token);
  int64_t generated = request.known() - request.promptTokens;
  request.finished = !goesOn || isEnd || generated >= options.maxTokens;
  return {};
}

Status Generator::consume(const Feed &feed, const GenerationOptions &options,
                          GenerationListener &listener) {
  Request &request = requests[feed.request];
  bool generates = !request.isReading();
  std::vector<Draft> drafts = std::move(request.drafts);
  request.drafts.clear();
  size_t accepted = 0;
  bool goesOn = true;
  for (int64_t position = feed.first; position < feed.end() && goesOn;
       ++position) {
    ++request.fed;
    if (position < feed.logitsFrom)
      continue;
    int64_t row = feed.firstLogitRow + position - feed.logitsFrom;
    if (!samplesOnDevice)
      if (Status status =
              listener.onLogits(feed.request, position, executor->logits(row));
          !status.ok())
        return status;
    if (request.fed < request.known() || options.maxTokens == 0)
      continue;
    const Draft *draft = accepted < drafts.size() ? &drafts[accepted] : nullptr;
    if (Status status =
            chooseToken(feed.request, row, draft, options, listener);
        !status.ok())
      return status;
    bool isAccepted = draft && request.tokens.back() == draft->token;
    accepted += isAccepted;
    goesOn = isAccepted && !request.finished;
  }
  if (options.maxTokens == 0 && !request.isReading())
    request.finished = true;
  if (generates)
    listener.onDrafts(feed.request, static_cast<int64_t>(drafts.size()),
                      static_cast<int64_t>(accepted));
  return {};
}

//===----------------------------------------------------------------------===//
// Predictions and drafts
//===----------------------------------------------------------------------===//

int64_t Generator::draftsFor(const Request &request,
                             const GenerationOptions &options) const {
  if (request.finished)
    return 0;
  // The step gives one token more than it has drafts.
  int64_t generated =
      std::max<int64_t>(request.known() - request.promptTokens, 1);
  return std::clamp<int64_t>(options.maxTokens - generated - 1, 0,
                             options.draftTokens);
}

std::vector<Generator::Feed>
Generator::choosePredictions(const std::vector<Feed> &fed,
                             const GenerationOptions &options) const {
  std::vector<Feed> predictions;
  for (const Feed &from : fed) {
    const Request &request = requests[from.request];
    bool drafts = draftsFor(request, options) > 0;
    if (!drafts && !options.predictionLogits)
      continue;
    // The token after the position is known; of a request that has ended, it is
    // one that was fed.
    int64_t end = request.finished ? request.fed - 1
                                   : std::min(request.fed, request.known() - 1);
    Feed feed = {from.request, from.first, end - from.first, end};
    if (drafts && !request.isReading())
      feed.logitsFrom = end - 1;
    if (options.predictionLogits)
      feed.logitsFrom = from.first;
    feed.isExpanded = isExpanded(*plan().prediction, request, from.first);
    feed.states = executor->states(from.firstToken);
    if (feed.count > 0)
      predictions.push_back(feed);
  }
  return predictions;
}

Status Generator::predict(const std::vector<Feed> &fed,
                          const GenerationOptions &options,
                          GenerationListener &listener) {
  if (options.draftTokens == 0 && !options.predictionLogits)
    return {};
  std::vector<Feed> feeds = choosePredictions(fed, options);
  for (bool isFirst = true; !feeds.empty(); isFirst = false) {
    if (Status status = runFeeds(*plan().prediction, feeds, options);
        !status.ok())
      return status;
    std::vector<Feed> next;
    for (const Feed &feed : feeds) {
      if (Status status = consumePrediction(feed, isFirst, options, listener);
          !status.ok())
        return status;
      const Request &request = requests[feed.request];
      auto drafts = static_cast<int64_t>(request.drafts.size());
      if (drafts > 0 && drafts < draftsFor(request, options))
        next.push_back({feed.request, feed.end(), 1, feed.end(), false,
                        executor->states(feed.firstToken + feed.count - 1)});
    }
    feeds = std::move(next);
  }
  return {};
}

Status Generator::consumePrediction(const Feed &feed, bool isCertain,
                                    const GenerationOptions &options,
                                    GenerationListener &listener) {
  Request &request = requests[feed.request];
  int64_t row = feed.firstLogitRow;
  if (options.predictionLogits && isCertain)
    for (int64_t position = feed.first; position < feed.end(); ++position)
      if (Status status = listener.onPredictionLogits(feed.request, position,
                                                      executor->logits(row++));
          !status.ok())
        return status;
  if (request.isReading() || draftsFor(request, options) == 0)
    return {};
  int64_t last = feed.firstLogitRow + feed.end() - 1 - feed.logitsFrom;
  return propose(request, executor->logits(last));
}

Status Generator::propose(Request &request, const float *logits) {
  auto position =
      static_cast<uint64_t>(request.known()) + request.drafts.size();
  // The penalty sees all tokens before the position.
  for (const Draft &draft : request.drafts)
    request.sampler->observe(draft.token);
  Draft draft;
  Status status = request.sampler->propose(logits, position, draft);
  for (const Draft &earlier : request.drafts)
    request.sampler->forget(earlier.token);
  request.drafts.push_back(std::move(draft));
  if (!status.ok())
    return {status.code(), "multi-token prediction: " + status.message() +
                               "; run without --draft"};
  return {};
}
