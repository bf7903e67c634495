// What every form of attention over pages has in common: which tokens share
// pages, and a softmax that rows carry from page to page.
//
// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax",
// arXiv:1805.02867; Dao, "FlashAttention-2", arXiv:2307.08691.

#ifndef TCC_COMPILER_CODEGEN_X86_ATTENTIONROWS_H
#define TCC_COMPILER_CODEGEN_X86_ATTENTIONROWS_H

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/Product.h"

namespace mlir::tcc::x86 {

/// A page that the tokens of a block read.
struct BlockPage {
  Value begin; ///< Where its bytes are.
  Value next;  ///< Those of the page after it; of the last page its own.
  Value first; ///< The position that it begins with.
  Value used;  ///< Positions that are read: whole steps of products.
};

/// Where the new tokens of a step are, and their blocks: neighbouring tokens of
/// one sequence whose positions, divided by the size of a block, are equal.
class TokenBlocks {
public:
  /// Positions, sequences, page table and pages are operands of the kernel, one
  /// after another from number `operand` on.
  TokenBlocks(Emitter &emitter, const KernelFrame &frame, unsigned operand,
              int64_t size, int64_t pageTokens, int64_t pageBytes)
      : emitter(emitter), frame(frame),
        places(ArrayRef(frame.operands).slice(operand, 4)), size(size),
        pageTokens(pageTokens), pageBytes(pageBytes) {}

  Value positionOf(Value token) const {
    return emitter.loadIndex(places[0], token);
  }
  Value sequenceOf(Value token) const {
    return emitter.loadIndex(places[1], token);
  }

  /// Whether a block begins with `token`.
  Value begins(Value token) const;

  /// How many tokens the block that begins with `token` has.
  Value count(Value token) const;

  /// Calls `body` for each page that `tokens` tokens from `token` on read.
  void forPages(Value token, Value tokens,
                llvm::function_ref<void(const BlockPage &)> body) const;

private:
  Emitter &emitter;
  const KernelFrame &frame;
  ArrayRef<Value> places;
  int64_t size, pageTokens, pageBytes;
};

/// What rows of attention are like.
struct AttentionShape {
  int64_t pageTokens;
  int64_t queryBytes; ///< From one row of queries to the next.
  int64_t valueSize;  ///< Of a row of outputs: whole vectors.
  float scale;
  /// Whether keys and values are bf16: probabilities are rounded to it.
  bool rounds;
  /// Whether queries and probabilities are bf16 for dot products, else f32.
  bool dot;
  /// Whether queries are rounded to bf16.
  bool roundsQueries = false;
};

/// Rows in scratch: each a query, its scores for one page, and what it has
/// added up so far, relative to its largest score.
///
/// What a row computes depends on its own position alone: it takes page after
/// page from the first, masked positions count exactly nothing, and a page that
/// is masked as a whole multiplies its sums by one. So a row has the same bits
/// in a prefill, in a chunk of it, and in a decode step.
class AttentionRows {
public:
  AttentionRows(Emitter &emitter, const AttentionShape &shape,
                const kernel::AttentionScratch &parts, Value scratch)
      : emitter(emitter), shape(shape), parts(parts), scratch(scratch) {}

  /// Copies `size` elements at `source` to the query of `row`, from element
  /// `first` on, and adds zeros up to `padded` elements.
  void loadQuery(Value row, int64_t first, Value source, Type element,
                 int64_t size, int64_t padded) const;

  /// Begins the softmax of the first `rows` rows.
  void clear(Value rows) const;

  Value queries() const { return at(parts.query); }
  Value scores() const { return at(parts.scores); }
  int64_t scoreBytes() const { return shape.pageTokens * 4; } ///< Of a row.

  /// Turns the scores of the rows `firstRow` to `rows` into probabilities
  /// relative to the largest score so far. Positions beyond that of a row do
  /// not count; the page begins with position `first`.
  void addScores(Value first, Value firstRow, Value rows,
                 llvm::function_ref<Value(Value row)> positionOf) const;

  /// The product that adds the first `used` values of a page, weighted with
  /// what `addScores` left. What the values are is for the caller to say.
  Product outputs(Value used) const;

  /// Divides the outputs of `row` by its sum and stores `size` of them.
  void storeOutput(Value row, Value target, Type element, int64_t size) const;

private:
  Value at(int64_t offset) const { return emitter.offset(scratch, offset); }
  Value at(int64_t offset, Value row, int64_t bytes) const {
    return emitter.offset(at(offset), emitter.multiply(row, bytes));
  }
  void softmax(Value row, Value visible) const;
  void scaleOutput(Value row, Value factor) const;

  Emitter &emitter;
  AttentionShape shape;
  kernel::AttentionScratch parts;
  Value scratch;
};

/// Where head `head` of token `token` begins in operand `operand` of `op`, of
/// shape [T, H, ...].
Value emitHead(Emitter &emitter, const KernelFrame &frame, Operation *op,
               unsigned operand, Value token, Value head);

/// Calls `body` with `part` and `token` for each tile `part * T + token`.
void emitTokenTiles(Emitter &emitter, const KernelFrame &frame,
                    llvm::function_ref<void(Value part, Value token)> body);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_ATTENTIONROWS_H
