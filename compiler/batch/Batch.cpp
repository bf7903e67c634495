// Makes one sequence a ragged batch of sequences with a paged cache.
//
// A server has many short sequences, each with one new token, and now and then
// a long prompt. All new tokens of a step lie one after another in one tensor,
// and two small tensors say to whom they belong: `sequences[t]`, and the table
// of each sequence's pages in the cache. Every op that works row by row stays
// as it is; attention becomes an append to the cache and a read of it. Prefill
// and decode are then one program.
//
// Source: Kwon et al., "Efficient Memory Management for Large Language Model
// Serving with PagedAttention", 2023, arXiv:2309.06180, section 4.

#include "compiler/batch/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_BATCHPASS
#include "compiler/batch/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

namespace {
/// What is found in a module before anything is changed.
struct Sequences {
  SmallVector<AttentionOp> attentions;
  /// Functions that need to know to whom a token belongs, and which of their
  /// arguments are the positions of the tokens.
  llvm::MapVector<func::FuncOp, unsigned> positions;
  SmallVector<func::CallOp> calls; ///< Of these functions.
};
} // namespace

//===----------------------------------------------------------------------===//
// What must hold
//===----------------------------------------------------------------------===//

/// Notes that `value`, which `op` reads, is the positions of its function.
static LogicalResult addPositions(Sequences &sequences, Operation *op,
                                  Value value) {
  auto func = op->getParentOfType<func::FuncOp>();
  auto argument = dyn_cast<BlockArgument>(value);
  if (!func || !argument || argument.getOwner() != &func.getBody().front())
    return op->emitOpError("expected the positions to be an argument of the "
                           "function");
  unsigned number = argument.getArgNumber();
  auto [known, isNew] = sequences.positions.try_emplace(func, number);
  if (known->second != number)
    return op->emitOpError("expected all positions to be one argument of the "
                           "function, got arguments ")
           << known->second << " and " << number;
  return success();
}

/// Finds the calls of every function in `sequences`, and so their callers.
static LogicalResult addCallers(Sequences &sequences, ModuleOp module) {
  for (size_t i = 0; i < sequences.positions.size(); ++i) {
    auto [func, positions] = *(sequences.positions.begin() + i);
    std::optional<SymbolTable::UseRange> uses = func.getSymbolUses(module);
    if (!uses)
      return func.emitOpError("expected all uses of its symbol to be known");
    for (SymbolTable::SymbolUse use : *uses) {
      auto call = dyn_cast<func::CallOp>(use.getUser());
      if (!call)
        return use.getUser()->emitOpError("expected nothing but calls of '")
               << func.getName() << "'";
      if (failed(addPositions(sequences, call, call.getOperand(positions))))
        return failure();
      sequences.calls.push_back(call);
    }
  }
  return success();
}

/// The argument of `attention`'s function that is the number of the layer.
static FailureOr<Value> findLayer(AttentionOp attention) {
  auto func = attention->getParentOfType<func::FuncOp>();
  auto isLayer = [](Value argument) { return argument.getType().isIndex(); };
  if (llvm::count_if(func.getArguments(), isLayer) != 1)
    return attention.emitOpError("expected one argument of type index in "
                                 "function '")
           << func.getName() << "', the number of the layer";
  return Value(*llvm::find_if(func.getArguments(), isLayer));
}

static FailureOr<Sequences> findSequences(ModuleOp module) {
  Sequences sequences;
  module.walk([&](AttentionOp op) { sequences.attentions.push_back(op); });
  if (sequences.attentions.empty())
    return module.emitError("expected at least one 'transformer.attention': "
                            "phase 'graph' recognised none");
  for (AttentionOp attention : sequences.attentions) {
    if (attention.getQueryPositions() != attention.getKeyPositions())
      return attention.emitOpError(
          "expected queries and keys at the same positions");
    if (failed(addPositions(sequences, attention,
                            attention.getQueryPositions())) ||
        failed(findLayer(attention)))
      return failure();
  }
  if (failed(addCallers(sequences, module)))
    return failure();
  return sequences;
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

/// One more than the highest layer that a weight has, and at least 1.
static int64_t countLayers(ModuleOp module) {
  int64_t layers = 1;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (std::optional<ArrayRef<int64_t>> ranges = weight.getLayers())
      layers = std::max(layers, (*ranges)[ranges->size() - 2] + ranges->back());
  return layers;
}

/// Whether the value of `attention` is the beginning of its only key, so that
/// both are one entry of a cache.
static bool isLatent(AttentionOp attention) {
  auto slice = attention.getValue().getDefiningOp<tensor::ExtractSliceOp>();
  // All positions of the key are in the slice: the attention reads as many.
  return slice && slice.getSource() == attention.getKey() &&
         attention.getKey().getType().getDimSize(1) == 1 &&
         slice.getType().getRank() == 3 && slice.hasUnitStride() &&
         llvm::all_of(slice.getMixedOffsets(), [](OpFoldResult offset) {
           return isConstantIntValue(offset, 0);
         });
}

/// Checks that one cache can hold the keys and values of all `attentions`.
static LogicalResult verifyCacheable(ArrayRef<AttentionOp> attentions) {
  AttentionOp first = attentions.front();
  RankedTensorType key = first.getKey().getType();
  RankedTensorType value = first.getValue().getType();
  Type element = key.getElementType();
  if (!(element.isF32() || element.isF16() || element.isBF16()) ||
      value.getElementType() != element || value.isDynamicDim(2) ||
      key.isDynamicDim(2))
    return first.emitOpError("expected keys and values of static size that are "
                             "both f32, f16 or bf16, got ")
           << key << " and " << value;
  for (AttentionOp other : attentions) {
    RankedTensorType otherKey = other.getKey().getType();
    RankedTensorType otherValue = other.getValue().getType();
    if (otherKey == key && otherValue == value)
      continue;
    InFlightDiagnostic error =
        other.emitOpError("expected keys and values of the same types in all "
                          "layers, got ")
        << otherKey << " and " << otherValue;
    error.attachNote(first.getLoc())
        << "the first attention has " << key << " and " << value;
    return error;
  }
  return success();
}

/// Declares the cache at the start of `module`.
static CacheOp declareCache(ModuleOp module, AttentionOp attention,
                            bool latent) {
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  RankedTensorType key = attention.getKey().getType();
  auto cache =
      CacheOp::create(builder, attention.getLoc(), "cache", countLayers(module),
                      key.getDimSize(1), key.getDimSize(2),
                      attention.getValue().getType().getDimSize(2),
                      key.getElementType(), latent);
  SymbolTable(module).insert(cache);
  return cache;
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

/// Gives `func` the arguments `sequences` and `page_table` after `positions`.
static LogicalResult addArguments(func::FuncOp func, unsigned positions) {
  MLIRContext *context = func.getContext();
  Type i32 = IntegerType::get(context, 32);
  int64_t any = ShapedType::kDynamic;
  unsigned next = positions + 1;
  SmallVector<Type> types = {RankedTensorType::get({any}, i32),
                             RankedTensorType::get({any, any}, i32)};
  SmallVector<Location> locations = {
      NameLoc::get(StringAttr::get(context, "sequences")),
      NameLoc::get(StringAttr::get(context, "page_table"))};
  SmallVector<DictionaryAttr> noAttributes(2);
  return func.insertArguments({next, next}, types, noAttributes, locations);
}

/// Replaces `attention` by an append to `cache` and a read of it.
static void useCache(AttentionOp attention, CacheOp cache, unsigned positions) {
  auto func = attention->getParentOfType<func::FuncOp>();
  Value layer = *findLayer(attention);
  Value owners = func.getArgument(positions + 1);
  Value pages = func.getArgument(positions + 2);

  auto name = FlatSymbolRefAttr::get(cache);
  Value value = attention.getValue();

  IRRewriter rewriter(attention);
  CacheAppendOp::create(rewriter, attention.getLoc(), name, layer,
                        attention.getKey(), cache.getLatent() ? Value() : value,
                        func.getArgument(positions), owners, pages);
  rewriter.replaceOpWithNewOp<PagedAttentionOp>(
      attention, attention.getType(), name, layer, attention.getQuery(),
      func.getArgument(positions), owners, pages, attention.getScaleAttr());
  if (cache.getLatent() && value.use_empty())
    rewriter.eraseOp(value.getDefiningOp());
}

namespace {
struct Batch : tcc::impl::BatchPassBase<Batch> {
  void runOnOperation() override {
    FailureOr<Sequences> sequences = findSequences(getOperation());
    if (failed(sequences) || failed(verifyCacheable(sequences->attentions)))
      return signalPassFailure();
    CacheOp cache = declareCache(getOperation(), sequences->attentions.front(),
                                 llvm::all_of(sequences->attentions, isLatent));

    for (auto [func, positions] : sequences->positions)
      if (failed(addArguments(func, positions)))
        return signalPassFailure();

    for (func::CallOp call : sequences->calls) {
      auto callee = getOperation().lookupSymbol<func::FuncOp>(call.getCallee());
      auto caller = call->getParentOfType<func::FuncOp>();
      unsigned known = sequences->positions.lookup(caller);
      call->insertOperands(
          sequences->positions.lookup(callee) + 1,
          {caller.getArgument(known + 1), caller.getArgument(known + 2)});
    }

    for (AttentionOp attention : sequences->attentions) {
      auto func = attention->getParentOfType<func::FuncOp>();
      useCache(attention, cache, sequences->positions.lookup(func));
    }
  }
};
} // namespace
