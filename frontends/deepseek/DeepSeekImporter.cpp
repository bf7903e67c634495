#include "frontends/deepseek/DeepSeekImporter.h"

#include "frontends/deepseek/DeepSeekLayer.h"
#include "frontends/importer/DecoderBuilder.h"
#include "frontends/model/DeepSeekTensors.h"

using namespace mlir;
using namespace mlir::tcc;
using ::tcc::schema::ModelT;

/// The tensors of a layer, of which none has all.
static constexpr StringRef layerParts[] = {
    "input_layernorm.weight",
    "self_attn.q_proj.weight",
    "self_attn.q_a_proj.weight",
    "self_attn.q_a_proj.bias",
    "self_attn.q_a_layernorm.weight",
    "self_attn.q_b_proj.weight",
    "self_attn.kv_a_proj_with_mqa.weight",
    "self_attn.kv_a_proj_with_mqa.bias",
    "self_attn.kv_a_layernorm.weight",
    "self_attn.kv_b_proj.weight",
    "self_attn.o_proj.weight",
    "self_attn.o_proj.bias",
    "post_attention_layernorm.weight",
    "mlp.gate_proj.weight",
    "mlp.up_proj.weight",
    "mlp.down_proj.weight",
    "mlp.gate.weight",
    "mlp.gate.e_score_correction_bias",
    "mlp.experts.{expert}.gate_proj.weight",
    "mlp.experts.{expert}.up_proj.weight",
    "mlp.experts.{expert}.down_proj.weight",
    "mlp.shared_experts.gate_proj.weight",
    "mlp.shared_experts.up_proj.weight",
    "mlp.shared_experts.down_proj.weight",
};

OwningOpRef<ModuleOp> mlir::tcc::importDeepSeek(const ModelT &model,
                                                MLIRContext &context) {
  const ::tcc::schema::DeepSeekT &deepSeek = *model.architecture.AsDeepSeek();
  ::tcc::DecoderSizes sizes = ::tcc::decoderSizes(model);
  auto kindPrefix = [&](int64_t layer) {
    return StringRef(::tcc::hasExperts(deepSeek, layer) ? "expert_layer"
                                                        : "dense_layer");
  };
  return buildDecoder(
      model, {layerParts, kindPrefix, deepSeek.experts},
      [&](ImplicitLocOpBuilder &builder, const WeightSymbols &weights,
          const LayerKind &kind) {
        return DeepSeekLayer(builder, deepSeek, sizes, weights, kind).build();
      },
      context);
}
