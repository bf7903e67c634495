#include "runtime/core/Generator.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

Status Generator::create(const Program &program,
                         const Requirements &requirements, ThreadPool &pool,
                         std::unique_ptr<Generator> &result) {
  std::unique_ptr<Generator> generator(new Generator(requirements));
  if (Status status =
          KVCache::create(*program.plan, requirements.pages, generator->cache);
      !status.ok())
    return status;
  if (Status status =
          Executor::create(program, requirements.limits, *generator->cache,
                           pool, generator->executor);
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

Status Generator::feed(Request &request, int64_t count,
                       const GenerationOptions &options) {
  auto sequence = static_cast<int32_t>(step.pages.size());
  auto known = static_cast<int64_t>(request.tokens.size());
  if (Status status = cache->grow(request.pages, request.fed + count);
      !status.ok())
    return status;
  for (int64_t i = request.fed; i < request.fed + count; ++i) {
    bool generates = i + 1 == known && options.maxTokens > 0;
    if (options.allLogits || generates)
      step.logitRows.push_back(static_cast<int32_t>(step.tokens.size()));
    step.tokens.push_back(request.tokens[static_cast<size_t>(i)]);
    step.positions.push_back(static_cast<int32_t>(i));
    step.sequences.push_back(sequence);
  }
  step.pages.push_back(&request.pages);
  request.fedThisStep = count;
  return {};
}

Status Generator::buildStep(const GenerationOptions &options) {
  step.clear();
  bool isReading = false;
  for (const Request &request : requests)
    isReading = isReading || request.isReading();
  bool promptsOnly = options.promptsFirst && isReading;
  // Those that generate come first in the budget, so that a long prompt does
  // not hold them up; the order in the step is that of the requests.
  int64_t budget = requirements.limits.tokens;
  for (const Request &request : requests)
    if (!request.finished && !request.isReading() && !promptsOnly)
      --budget;
  for (Request &request : requests) {
    request.fedThisStep = 0;
    if (request.finished || (promptsOnly && !request.isReading()))
      continue;
    int64_t count = 1;
    if (request.isReading()) {
      count = std::min(request.promptTokens - request.fed, budget);
      budget -= count;
    }
    if (count <= 0)
      continue;
    if (Status status = feed(request, count, options); !status.ok())
      return status;
  }
  return {};
}

Status Generator::consumeLogits(size_t index, int64_t position,
                                const float *logits,
                                const GenerationOptions &options,
                                GenerationListener &listener) {
  if (Status status = listener.onLogits(index, position, logits); !status.ok())
    return status;
  Request &request = requests[index];
  if (position + 1 < static_cast<int64_t>(request.tokens.size()) ||
      options.maxTokens == 0)
    return {};
  int32_t token;
  if (Status status = request.sampler->sample(
          logits, static_cast<uint64_t>(position) + 1, token);
      !status.ok())
    return status;
  request.tokens.push_back(token);
  request.sampler->observe(token);
  bool goesOn = listener.onToken(index, token);
  bool isEnd = std::count(options.endIds.begin(), options.endIds.end(), token);
  int64_t generated =
      static_cast<int64_t>(request.tokens.size()) - request.promptTokens;
  request.finished = !goesOn || isEnd || generated >= options.maxTokens;
  return {};
}

Status Generator::consumeStep(const GenerationOptions &options,
                              GenerationListener &listener) {
  int64_t row = 0;
  size_t first = 0; // Of the request's tokens in the step.
  for (size_t index = 0; index < requests.size(); ++index) {
    Request &request = requests[index];
    size_t end = first + static_cast<size_t>(request.fedThisStep);
    int64_t before = request.fed;
    request.fed += request.fedThisStep;
    while (row < step.sizes().logitRows &&
           static_cast<size_t>(step.logitRows[static_cast<size_t>(row)]) <
               end) {
      auto token =
          static_cast<size_t>(step.logitRows[static_cast<size_t>(row)]);
      if (Status status =
              consumeLogits(index, before + static_cast<int64_t>(token - first),
                            executor->logits(row), options, listener);
          !status.ok())
        return status;
      ++row;
    }
    if (options.maxTokens == 0 && request.fed == request.promptTokens)
      request.finished = true;
    if (request.finished)
      cache->release(request.pages);
    first = end;
  }
  return {};
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
  for (;;) {
    if (Status status = buildStep(options); !status.ok())
      return status;
    if (step.tokens.empty())
      return {};
    if (Status status =
            executor->run(executor->plan().step, step, options.cancelled);
        !status.ok())
      return status;
    if (Status status = consumeStep(options, listener); !status.ok())
      return status;
    reportProgress(listener);
  }
}
