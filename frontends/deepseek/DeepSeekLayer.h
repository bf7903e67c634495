// The body of one kind of DeepSeek layer.

#ifndef TCC_FRONTENDS_DEEPSEEK_DEEPSEEKLAYER_H
#define TCC_FRONTENDS_DEEPSEEK_DEEPSEEKLAYER_H

#include "frontends/importer/LayerBuilder.h"

namespace mlir::tcc {

/// Queries through a low rank or at once, keys and values through a latent; an
/// MLP, or a router, its experts and those that all tokens share.
class DeepSeekLayer : public LayerBuilder {
public:
  DeepSeekLayer(ImplicitLocOpBuilder &builder,
                const ::tcc::schema::DeepSeekT &deepSeek,
                const ::tcc::DecoderSizes &sizes, const WeightSymbols &weights,
                const LayerKind &kind)
      : LayerBuilder(builder, sizes, weights, kind), deepSeek(deepSeek) {}

private:
  Value addAttention(Value stream) override;
  Value addMlp(Value stream) override;

  /// Columns [first, first + count) of the last dimension.
  Value columns(Value input, int64_t first, int64_t count);
  Value concatenate(Value left, Value right);
  Value latentNorm(Value input, StringRef part);
  Value query(Value normed);
  std::pair<Value, Value> keyAndValue(Value normed);

  /// The scores of all experts [T, E], from logits.
  Value score(Value logits);
  Value selectionBias();
  /// The weights [T, J] of the experts that were chosen.
  Value weigh(Value scores, Value experts);
  Value expertLinear(Value input, Value experts, StringRef projection);
  /// What the chosen experts make of `input` [T, N], by their weights.
  Value mixExperts(Value input, Value experts, Value expertWeights);

  const ::tcc::schema::DeepSeekT &deepSeek;
};

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_DEEPSEEK_DEEPSEEKLAYER_H
