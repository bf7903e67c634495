// What the bodies of decoder layers share, whatever their architecture.

#ifndef TCC_FRONTENDS_IMPORTER_LAYERBUILDER_H
#define TCC_FRONTENDS_IMPORTER_LAYERBUILDER_H

#include "frontends/importer/WeightSymbols.h"
#include "frontends/model/Architecture.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tcc {

/// Normalises `input` by the weight `weight`, to `operandType`.
Value buildNorm(ImplicitLocOpBuilder &builder, Value input, Value weight,
                double epsilon, Type operandType);

/// Rounds an f32 tensor to `operandType`.
Value buildRounding(ImplicitLocOpBuilder &builder, Value input,
                    Type operandType);

/// Multiplies `input` by a weight, to f32; `bias` may be null.
Value buildLinear(ImplicitLocOpBuilder &builder, Value input, Value weight,
                  Value bias);

/// The type of `value` with other dimensions or another element type.
RankedTensorType tensorLike(Value value, llvm::ArrayRef<int64_t> shape);
RankedTensorType tensorLike(Value value, Type element);

/// Writes the body of one kind of layer: an attention and an MLP, each added to
/// the residual stream.
class LayerBuilder {
public:
  LayerBuilder(ImplicitLocOpBuilder &builder, const ::tcc::DecoderSizes &sizes,
               const WeightSymbols &weights, const LayerKind &kind)
      : builder(builder), sizes(sizes), weights(weights), kind(kind),
        operandType(weights.operandType(builder.getContext())) {}
  virtual ~LayerBuilder() = default;

  /// Declares the private function of the layers of the kind at the insertion
  /// point of the builder:
  ///
  ///   @<kind>(x [T, N] f32, positions [T], layer) -> [T, N] f32
  func::FuncOp build();

protected:
  /// Adds the attention, or the MLP, of `stream` [T, N] to it.
  virtual Value addAttention(Value stream) = 0;
  virtual Value addMlp(Value stream) = 0;

  /// The value of the tensor `part` of the layer at hand, or null if it is
  /// absent.
  Value weight(StringRef part);
  Value linear(Value input, const std::string &projection);
  Value norm(Value input, StringRef part);

  /// Rounds an f32 tensor to the operand type.
  Value round(Value input) {
    return buildRounding(builder, input, operandType);
  }

  Value add(Value left, Value right);

  /// Sets `tokens`, which heads and slices need, to the rows of `stream`.
  void countTokens(Value stream);

  /// Splits the columns of `input` [T, count * size] into heads
  /// [T, count, size].
  Value splitHeads(Value input, int64_t count, int64_t size);
  /// The reverse.
  Value mergeHeads(Value input);

  /// Rotates `input` [T, H, D], to the operand type.
  Value rotate(Value input, const ::tcc::schema::RotaryEmbeddingT &rotary);

  /// Repeats each head of `input` until there are `count`.
  Value repeatHeads(Value input, int64_t count);

  /// Causal attention of queries [T, H, D] over keys [T, H, D] and values
  /// [T, H, E], to [T, H, E].
  Value attention(Value query, Value key, Value value, double scale);

  /// The MLP whose weights are called `prefix` and the usual names, of `input`
  /// [T, N].
  Value gatedMlp(Value input, const std::string &prefix);

  ImplicitLocOpBuilder &builder;
  const ::tcc::DecoderSizes &sizes;
  const WeightSymbols &weights;
  const LayerKind &kind;
  Type operandType;
  Value positions, layer;
  Value tokens; ///< How many there are.
};

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_IMPORTER_LAYERBUILDER_H
