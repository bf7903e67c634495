// A step over a paged cache: sequences with cached and new tokens on shuffled
// pages.

#ifndef TCC_TEST_UNIT_COMPILER_PAGEDSTEP_H
#define TCC_TEST_UNIT_COMPILER_PAGEDSTEP_H

#include "test/unit/compiler/KernelRunner.h"

#include <random>

namespace mlir::tcc::x86 {

/// How many tokens of a sequence are in the cache before a step, and how many
/// the step adds.
struct SequenceLengths {
  int32_t cached, added;
};

/// What a step tells kernels of its tokens.
struct PagedStep {
  static constexpr int64_t pageTokens = 64;

  PagedStep(std::vector<SequenceLengths> lengths, std::mt19937 &random)
      : lengths(std::move(lengths)) {
    int64_t pages = 0;
    for (size_t s = 0; s < this->lengths.size(); ++s) {
      auto [cached, added] = this->lengths[s];
      for (int32_t i = 0; i < added; ++i) {
        positions.push_back(cached + i);
        sequences.push_back(static_cast<int32_t>(s));
      }
      int64_t count = (cached + added + pageTokens - 1) / pageTokens;
      stride = std::max(stride, count);
      pages += count;
    }
    std::vector<int32_t> order(pages);
    for (int64_t page = 0; page < pages; ++page)
      order[page] = static_cast<int32_t>(page);
    std::shuffle(order.begin(), order.end(), random);
    pageTable.assign(stride * this->lengths.size(), -1);
    for (size_t s = 0; s < this->lengths.size(); ++s) {
      int32_t all = this->lengths[s].cached + this->lengths[s].added;
      for (int64_t page = 0; page * pageTokens < all; ++page) {
        pageTable[s * stride + page] = order.back();
        order.pop_back();
      }
    }
    pageCount = pages;
  }

  int64_t tokens() const { return static_cast<int64_t>(positions.size()); }

  /// The place of a position among the rows of all pages.
  int64_t rowOf(int64_t sequence, int64_t position) const {
    return pageTable[sequence * stride + position / pageTokens] * pageTokens +
           position % pageTokens;
  }

  /// The same step with one new token, number `token`, alone.
  PagedStep single(int64_t token) const {
    PagedStep step = *this;
    step.positions = {positions[token]};
    step.sequences = {sequences[token]};
    return step;
  }

  StepSizes sizes() const {
    StepSizes sizes;
    sizes.tokens = tokens();
    sizes.sequences = static_cast<int64_t>(lengths.size());
    sizes.pageTableStride = stride;
    sizes.expandedTokens = expandedTokens;
    return sizes;
  }

  std::vector<SequenceLengths> lengths;
  std::vector<int32_t> positions, sequences, pageTable;
  int64_t stride = 0, pageCount = 0;
  int64_t expandedTokens = 0; ///< Computed in expanded form: the first of all.
};

/// Expects `run(step, token)` to give each token of `step` alone its row of
/// `together`.
template <typename Run>
void expectRowsAlone(const PagedStep &step, const std::vector<float> &together,
                     Run run) {
  int64_t size = static_cast<int64_t>(together.size()) / step.tokens();
  for (int64_t token = 0; token < step.tokens(); ++token) {
    std::vector<float> alone = run(step.single(token), token);
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), together.begin() + token * size))
        << "token " << token;
  }
}

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_PAGEDSTEP_H
