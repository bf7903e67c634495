#include "frontends/llama/LlamaImporter.h"

#include "frontends/importer/DecoderBuilder.h"
#include "frontends/importer/LayerBuilder.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::schema::LlamaT;
using ::tcc::schema::ModelT;

/// The tensors of a layer. Biases may be absent.
static constexpr StringRef layerParts[] = {
    "input_layernorm.weight",  "self_attn.q_proj.weight",
    "self_attn.k_proj.weight", "self_attn.v_proj.weight",
    "self_attn.o_proj.weight", "post_attention_layernorm.weight",
    "mlp.gate_proj.weight",    "mlp.up_proj.weight",
    "mlp.down_proj.weight",    "self_attn.q_proj.bias",
    "self_attn.k_proj.bias",   "self_attn.v_proj.bias",
    "self_attn.o_proj.bias",   "mlp.gate_proj.bias",
    "mlp.up_proj.bias",        "mlp.down_proj.bias",
};

namespace {
class LlamaLayer : public LayerBuilder {
public:
  LlamaLayer(ImplicitLocOpBuilder &builder, const LlamaT &llama,
             const ::tcc::DecoderSizes &sizes, const WeightSymbols &weights,
             const LayerKind &kind)
      : LayerBuilder(builder, sizes, weights, kind), llama(llama) {}

private:
  Value addAttention(Value stream) override;
  Value addMlp(Value stream) override;

  const LlamaT &llama;
};
} // namespace

Value LlamaLayer::addAttention(Value stream) {
  Value normed = norm(stream, "input_layernorm.weight");
  Value query = linear(normed, "self_attn.q_proj");
  Value key = linear(normed, "self_attn.k_proj");
  Value value = linear(normed, "self_attn.v_proj");

  countTokens(stream);
  int64_t heads = llama.query_heads, keyHeads = llama.key_value_heads;
  query = rotate(splitHeads(query, heads, llama.head_size), *llama.rotary);
  key = rotate(splitHeads(key, keyHeads, llama.head_size), *llama.rotary);
  value = round(splitHeads(value, keyHeads, llama.head_size));
  key = repeatHeads(key, heads);
  value = repeatHeads(value, heads);
  Value mixed =
      attention(query, key, value, 1.0 / std::sqrt(double(llama.head_size)));
  return add(stream, linear(mergeHeads(mixed), "self_attn.o_proj"));
}

Value LlamaLayer::addMlp(Value stream) {
  Value normed = norm(stream, "post_attention_layernorm.weight");
  return add(stream, gatedMlp(normed, "mlp."));
}

OwningOpRef<ModuleOp> mlir::tcc::importLlama(const ModelT &model,
                                             MLIRContext &context) {
  const LlamaT &llama = *model.architecture.AsLlama();
  ::tcc::DecoderSizes sizes = ::tcc::decoderSizes(model);
  auto kindPrefix = [](int64_t) { return StringRef("layer"); };
  return buildDecoder(
      model, {layerParts, kindPrefix},
      [&](ImplicitLocOpBuilder &builder, const WeightSymbols &weights,
          const LayerKind &kind) {
        return LlamaLayer(builder, llama, sizes, weights, kind).build();
      },
      context);
}
