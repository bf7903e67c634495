// The paged cache: what is appended to it, and the attention over it.

#include "compiler/interpreter/Attend.h"
#include "compiler/interpreter/Interpretations.h"
#include "compiler/interpreter/Rounding.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

namespace {
/// Where the tokens of a batch stand: the operands that both ops have.
class Places {
public:
  /// Reads and checks `positions`, `sequences` and `pageTable`; binds T, B, P.
  template <typename OpT>
  static FailureOr<Places> of(OpT op, Execution &execution, Shapes &sizes);

  /// The position of token `t` in its sequence.
  int64_t position(int64_t t) const { return integer((*positions).values[t]); }

  /// The number of the page that holds `position` of the sequence of token `t`.
  int64_t page(int64_t t, int64_t position) const {
    int64_t sequence = integer(sequences->values[t]);
    return integer(
        pageTable->values[sequence * pages + position / pageSize]);
  }

  int64_t slot(int64_t position) const { return position % pageSize; }

private:
  static int64_t integer(double value) { return static_cast<int64_t>(value); }

  LogicalResult verify(Operation *op, const Shapes &sizes) const;

  const Tensor *positions, *sequences, *pageTable;
  int64_t pages, pageSize;
};
} // namespace

template <typename OpT>
FailureOr<Places> Places::of(OpT op, Execution &execution, Shapes &sizes) {
  Places places;
  places.positions = &execution.get(op.getPositions());
  places.sequences = &execution.get(op.getSequences());
  places.pageTable = &execution.get(op.getPageTable());
  if (failed(sizes.bind("positions", "T", places.positions->shape)) ||
      failed(sizes.bind("sequences", "T", places.sequences->shape)) ||
      failed(sizes.bind("page_table", "BP", places.pageTable->shape)))
    return failure();
  places.pages = sizes['P'];
  places.pageSize = execution.getCaches().getPageSize();
  if (failed(places.verify(op, sizes)))
    return failure();
  return places;
}

LogicalResult Places::verify(Operation *op, const Shapes &sizes) const {
  double previous = 0;
  for (int64_t t = 0; t < sizes['T']; ++t) {
    double sequence = sequences->values[t];
    if (failed(verifyIndices(op, "sequences", sequence, sizes['B'])))
      return failure();
    if (sequence < previous)
      return op->emitOpError("expected ascending sequences, got ")
             << integer(sequence) << " after " << integer(previous);
    previous = sequence;
    double position = positions->values[t];
    if (!(position >= 0 && position < pages * pageSize))
      return op->emitOpError("expected positions within ")
             << pages << " pages of " << pageSize << ", got "
             << integer(position);
    if (page(t, integer(position)) < 0)
      return op->emitOpError("expected a page for position ")
             << integer(position) << " of sequence " << integer(sequence)
             << ", got " << page(t, integer(position));
  }
  return success();
}

/// The layer that an op works on.
template <typename OpT>
static FailureOr<int64_t> layerOf(OpT op, CacheOp cache, Execution &execution) {
  int64_t layer = execution.getInteger(op.getLayer());
  if (failed(verifyIndices(op, "a layer", static_cast<double>(layer),
                           static_cast<int64_t>(cache.getLayers()))))
    return failure();
  return layer;
}

static CacheOp cacheOf(Operation *op, FlatSymbolRefAttr name) {
  return SymbolTable::lookupNearestSymbolFrom<CacheOp>(op, name);
}

//===----------------------------------------------------------------------===//
// cache_append
//===----------------------------------------------------------------------===//

/// Row `t` of `tensor`, as the cache holds it.
static std::vector<double> rowOf(const Tensor &tensor, int64_t t, Type element,
                                 const Execution &execution) {
  int64_t width = tensor.shape[1] * tensor.shape[2];
  auto begin = tensor.values.begin() + t * width;
  std::vector<double> row(begin, begin + width);
  if (execution.getOptions().round)
    roundAll(element, row);
  return row;
}

static LogicalResult interpretCacheAppend(CacheAppendOp op,
                                          Execution &execution) {
  const Tensor &key = execution.get(op.getKey());
  Shapes sizes(op);
  if (failed(sizes.bind("key", "TGD", key.shape)))
    return failure();
  if (op.getValue() &&
      failed(sizes.bind("value", "TGE", execution.get(op.getValue()).shape)))
    return failure();
  CacheOp cache = cacheOf(op, op.getCacheAttr());
  FailureOr<int64_t> layer = layerOf(op, cache, execution);
  FailureOr<Places> places = Places::of(op, execution, sizes);
  if (failed(layer) || failed(places))
    return failure();
  for (int64_t t = 0; t < sizes['T']; ++t) {
    int64_t position = places->position(t);
    CacheState::Entry &entry =
        execution.getCaches().at(op.getCache(), *layer,
                                 places->page(t, position),
                                 places->slot(position));
    entry.key = rowOf(key, t, cache.getElement(), execution);
    if (op.getValue())
      entry.value = rowOf(execution.get(op.getValue()), t, cache.getElement(),
                          execution);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// paged_attention
//===----------------------------------------------------------------------===//

namespace {
/// Keys and values that one token attends to.
struct Cached {
  SmallVector<const double *> keys, values;
};
} // namespace

/// Positions 0 to that of token `t` of its sequence.
static FailureOr<Cached> cachedOf(PagedAttentionOp op, int64_t layer,
                                  const Places &places, int64_t t,
                                  Execution &execution) {
  Cached cached;
  for (int64_t position = 0; position <= places.position(t); ++position) {
    const CacheState::Entry *entry = execution.getCaches().find(
        op.getCache(), layer, places.page(t, position), places.slot(position));
    if (!entry)
      return op.emitOpError("expected every position up to ")
             << places.position(t) << " in the cache, got none at " << position;
    cached.keys.push_back(entry->key.data());
    // The value of a latent is its beginning.
    cached.values.push_back(entry->value.empty() ? entry->key.data()
                                                 : entry->value.data());
  }
  return cached;
}

static LogicalResult interpretPagedAttention(PagedAttentionOp op,
                                             Execution &execution) {
  const Tensor &query = execution.get(op.getQuery());
  CacheOp cache = cacheOf(op, op.getCacheAttr());
  Shapes sizes(op);
  if (failed(sizes.bind("query", "THD", query.shape)))
    return failure();
  FailureOr<int64_t> layer = layerOf(op, cache, execution);
  FailureOr<Places> places = Places::of(op, execution, sizes);
  if (failed(layer) || failed(places))
    return failure();

  int64_t H = sizes['H'], D = sizes['D'];
  int64_t G = static_cast<int64_t>(cache.getHeads());
  int64_t E = static_cast<int64_t>(cache.getValueSize());
  AttentionShape shape = {H, G, D, E, op.getScale().convertToDouble()};
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], H, E});
  if (failed(result))
    return failure();
  LogicalResult attended = failableParallelForEachN(
      op.getContext(), 0, sizes['T'], [&](size_t t) {
        FailureOr<Cached> cached = cachedOf(op, *layer, *places, t, execution);
        if (failed(cached))
          return failure();
        attend(shape, query.values.data() + t * H * D, cached->keys,
               cached->values, result->values.data() + t * H * E);
        return success();
      });
  if (failed(attended))
    return failure();
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachCacheInterpretations(MLIRContext *context) {
  attach<CacheAppendOp, interpretCacheAppend>(context);
  attach<PagedAttentionOp, interpretPagedAttention>(context);
}
