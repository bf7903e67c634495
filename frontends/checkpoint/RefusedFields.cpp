// What config.json may not say.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/Message.h"

#include <algorithm>

using namespace tcc;

/// Accepts `LlamaForCausalLM` alone, or no architecture and model type `llama`.
static Status checkArchitecture(const std::string &path,
                                const JsonFields &fields) {
  const Json *architectures = fields.find("architectures");
  if (architectures) {
    if (!architectures->is_array() || architectures->size() != 1)
      return fields.unexpected("architectures", "an array of one name");
    if ((*architectures)[0] != "LlamaForCausalLM")
      return unsupportedData(
          path + ": architectures: expected one of: LlamaForCausalLM, got " +
          jsonText(&(*architectures)[0]));
  }
  const Json *type = fields.find("model_type");
  bool isLlama = type ? *type == "llama" : architectures != nullptr;
  return isLlama ? Status() : fields.unexpected("model_type", "'llama'");
}

static Status checkNeutralValues(const JsonFields &fields) {
  const struct {
    const char *key;
    Json neutral;
  } values[] = {
      {"pretraining_tp", 1},
      {"partial_rotary_factor", 1},
      {"rotary_pct", 1},
      {"use_sliding_window", false},
      {"rope_interleaved", false},
      {"rope_interleave", false},
      {"use_qk_norm", false},
      {"qk_norm", false},
      {"is_encoder_decoder", false},
      {"add_cross_attention", false},
      {"use_bidirectional_attention", false},
      {"alibi", false},
      {"embedding_multiplier", 1},
      {"residual_multiplier", 1},
      {"logits_scaling", 1},
      {"logit_scale", 1},
      {"num_local_experts", 0},
      {"num_experts", 0},
      {"n_routed_experts", 0},
  };
  for (const auto &value : values) {
    const Json *found = fields.find(value.key);
    // nlohmann compares 1 and 1.0 as equal.
    if (found && *found != value.neutral)
      return fields.unexpected(value.key,
                               value.neutral.dump() +
                                   ", the only value that is supported");
  }
  return {};
}

static Status checkAbsent(const JsonFields &fields) {
  for (const char *key :
       {"quantization_config", "compression_config", "attention_multiplier",
        "attention_scale", "attn_scale", "softmax_scale",
        "query_pre_attn_scalar", "attn_logit_softcapping",
        "final_logit_softcapping", "logits_soft_cap", "clip_qkv",
        "attention_chunk_size", "no_rope_layers", "layers_block_type"})
    if (fields.find(key))
      return fields.unexpected(key, "null: it is not supported");
  const Json *window = fields.find("sliding_window");
  const Json *usesWindow = fields.find("use_sliding_window");
  if (window && !(usesWindow && *usesWindow == false))
    return fields.unexpected("sliding_window", "null: it is not supported");
  return {};
}

Status tcc::refuseUnsupportedFields(const std::string &path,
                                    const Json &config) {
  JsonFields fields(config, path + ": ");
  if (Status status = checkArchitecture(path, fields); !status.ok())
    return status;
  for (const char *key : {"hidden_act", "hidden_activation"}) {
    const Json *activation = fields.find(key);
    if (activation && *activation != "silu" && *activation != "swish")
      return fields.unexpected(key, "'silu', the only one that is supported");
  }
  const Json *types = fields.find("layer_types");
  bool areFull =
      !types ||
      (types->is_array() &&
       std::all_of(types->begin(), types->end(),
                   [](const Json &type) { return type == "full_attention"; }));
  if (!areFull)
    return fields.unexpected("layer_types",
                             "'full_attention' only, which is supported");
  if (Status status = checkNeutralValues(fields); !status.ok())
    return status;
  return checkAbsent(fields);
}
