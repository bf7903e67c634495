#include "runtime/core/Plan.h"

#include <algorithm>

using namespace tcc::rt;

Expression tcc::rt::operator-(const Expression &left, const Expression &right) {
  return {left.constant - right.constant,
          left.tokens - right.tokens,
          left.sequences - right.sequences,
          left.logitRows - right.logitRows,
          left.expandedTokens - right.expandedTokens,
          left.absorbedTokens - right.absorbedTokens,
          left.expandedSequences - right.expandedSequences};
}

/// The least and the greatest value over all steps up to `limits`.
///
/// For a fixed T an expression takes its extremes where B is 1 or min(T,
/// limit), R is 0 or min(T, limit), E is 0 or B and X is E or T; along T these
/// are straight lines with a bend only at the limits of B and R. So it is
/// enough to look there.
static std::pair<int64_t, int64_t> range(const Expression &expression,
                                         const StepLimits &limits) {
  int64_t least = INT64_MAX, greatest = INT64_MIN;
  auto look = [&](const StepSizes &sizes) {
    int64_t value = expression.evaluate(sizes);
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  };
  for (int64_t bend :
       {int64_t(1), limits.sequences, limits.logitRows, limits.tokens}) {
    int64_t tokens = std::clamp(bend, int64_t(1), limits.tokens);
    for (int64_t sequences : {int64_t(1), std::min(tokens, limits.sequences)})
      for (int64_t rows : {int64_t(0), std::min(tokens, limits.logitRows)})
        for (int64_t expanded : {int64_t(0), sequences})
          for (int64_t expandedTokens : {expanded, tokens})
            look({tokens, sequences, rows, expandedTokens, expanded});
  }
  return {least, greatest};
}

int64_t tcc::rt::minimum(const Expression &expression,
                         const StepLimits &limits) {
  return range(expression, limits).first;
}

int64_t tcc::rt::maximum(const Expression &expression,
                         const StepLimits &limits) {
  return range(expression, limits).second;
}

int64_t Plan::pageBytesOfAllLayers() const {
  int64_t bytes = 0;
  for (const CachePlan &cache : caches)
    bytes += cache.layers * cache.pageBytes;
  return bytes;
}
