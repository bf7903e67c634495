#include "test/unit/compiler/Router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir::tcc;

using Numbers = std::vector<double>;

/// The indices of the `count` largest values; of equal ones the lowest index,
/// or the highest; NaN is smaller than any number.
static std::vector<int32_t> largest(const Numbers &values, int64_t count,
                                    bool highestOfEqual) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    bool aIsNaN = std::isnan(values[a]), bIsNaN = std::isnan(values[b]);
    if (aIsNaN != bIsNaN)
      return bIsNaN;
    if (!aIsNaN && values[a] != values[b])
      return values[a] > values[b];
    return highestOfEqual ? a > b : a < b;
  });
  order.resize(count);
  return order;
}

static Numbers softmax(const Numbers &logits) {
  double top = *std::max_element(logits.begin(), logits.end()), sum = 0;
  Numbers result;
  for (double logit : logits)
    result.push_back(std::exp(logit - top));
  for (double power : result)
    sum += power;
  for (double &power : result)
    power /= sum;
  return result;
}

static Numbers sigmoid(const Numbers &logits) {
  Numbers result;
  for (double logit : logits)
    result.push_back(1 / (1 + std::exp(-logit)));
  return result;
}

/// The experts that may be chosen.
static std::vector<bool> keptExperts(const Router &router,
                                     const Numbers &choice,
                                     const std::string &mistake) {
  auto size = static_cast<int64_t>(choice.size()) / router.groups;
  int64_t top = mistake == "group-maximum" ? 1
                : mistake == "group-sum"   ? 2
                                           : router.top;
  bool highest = mistake == "ties-highest";
  Numbers values;
  for (int64_t group = 0; group < router.groups; ++group) {
    Numbers members(choice.begin() + group * size,
                    choice.begin() + (group + 1) * size);
    double value = 0;
    for (int32_t member : largest(members, top, highest))
      value += members[member];
    values.push_back(value);
  }
  std::vector<bool> kept(choice.size());
  for (int32_t group : largest(values, router.keep, highest))
    std::fill_n(kept.begin() + group * size, size, true);
  return kept;
}

static std::vector<int32_t> chooseExperts(const Router &router,
                                          const Numbers &choice,
                                          const std::string &mistake) {
  bool highest = mistake == "ties-highest";
  std::vector<bool> kept = keptExperts(router, choice, mistake);
  auto count = static_cast<int64_t>(choice.size());
  if (mistake == "mask-zero") {
    Numbers masked = choice;
    for (int64_t expert = 0; expert < count; ++expert)
      masked[expert] = kept[expert] ? choice[expert] : 0;
    return largest(masked, router.chosen, highest);
  }
  std::vector<int32_t> experts;
  for (int32_t expert : largest(choice, count, highest))
    if (kept[expert])
      experts.push_back(expert);
  experts.resize(router.chosen);
  return experts;
}

Routing mlir::tcc::route(const Router &router, const Numbers &logits,
                         const Numbers &bias, const std::string &mistake) {
  Numbers scores = router.usesSoftmax ? softmax(logits) : sigmoid(logits);
  Numbers choice = scores;
  if (!bias.empty() && mistake != "no-bias")
    for (size_t expert = 0; expert < choice.size(); ++expert)
      choice[expert] += bias[expert];
  Routing routing = {chooseExperts(router, choice, mistake), {}};
  Numbers &weights = routing.weights;
  Numbers logitsOfChosen;
  for (int32_t expert : routing.experts) {
    weights.push_back((mistake == "biased-weights" ? choice : scores)[expert]);
    logitsOfChosen.push_back(logits[expert]);
  }
  if (mistake == "softmax-of-chosen")
    weights = softmax(logitsOfChosen);
  bool scalesFirst = mistake == "scaled-before-norm";
  double sum = std::accumulate(weights.begin(), weights.end(), 0.0) *
               (scalesFirst ? router.scale : 1);
  for (double &weight : weights) {
    if (scalesFirst)
      weight *= router.scale;
    if (router.normalize)
      weight /= sum + (mistake == "no-epsilon" ? 0 : *router.normalize);
    if (!scalesFirst && mistake != "not-scaled")
      weight *= router.scale;
  }
  return routing;
}

bool mlir::tcc::agrees(const Routing &actual, const Routing &expected,
                       double tolerance) {
  if (actual.experts != expected.experts)
    return false;
  return std::equal(
      actual.weights.begin(), actual.weights.end(), expected.weights.begin(),
      expected.weights.end(), [&](double got, double wanted) {
        if (std::isnan(got) || std::isnan(wanted))
          return std::isnan(got) && std::isnan(wanted);
        // Below the smallest normal f32 there is no relative precision.
        return std::abs(got - wanted) <= tolerance * std::abs(wanted) + 2e-38;
      });
}
