// What config.json may not say.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/Message.h"

#include <algorithm>

using namespace tcc;

namespace {
/// The two names of a family in config.json.
struct FamilyNames {
  ConfigFamily family;
  const char *architecture, *modelType;
};
} // namespace

static constexpr FamilyNames families[] = {
    {ConfigFamily::Llama, "LlamaForCausalLM", "llama"},
    {ConfigFamily::DeepSeekV2, "DeepseekV2ForCausalLM", "deepseek_v2"},
    {ConfigFamily::DeepSeekV3, "DeepseekV3ForCausalLM", "deepseek_v3"},
};

/// "one of: " and the `name` of every family.
static std::string oneOf(const char *FamilyNames::*name) {
  std::string text = "one of: ";
  for (const FamilyNames &names : families)
    text += (&names == families ? "" : ", ") + std::string(names.*name);
  return text;
}

/// The family whose `name` is `value`, or null.
static const FamilyNames *findFamily(const char *FamilyNames::*name,
                                     const Json &value) {
  for (const FamilyNames &names : families)
    if (value == names.*name)
      return &names;
  return nullptr;
}

Status tcc::readFamily(const std::string &path, const Json &config,
                       ConfigFamily &result) {
  JsonFields fields(config, path + ": ");
  const Json *architectures = fields.find("architectures");
  const Json *type = fields.find("model_type");
  const FamilyNames *names = nullptr;
  if (architectures) {
    if (!architectures->is_array() || architectures->size() != 1)
      return fields.unexpected("architectures", "an array of one name");
    names = findFamily(&FamilyNames::architecture, (*architectures)[0]);
    if (!names)
      return unsupportedData(path + ": architectures: expected " +
                             oneOf(&FamilyNames::architecture) + ", got " +
                             jsonText(&(*architectures)[0]));
    if (type && *type != names->modelType)
      return fields.unexpected("model_type",
                               "'" + std::string(names->modelType) + "'");
  } else {
    names = type ? findFamily(&FamilyNames::modelType, *type) : nullptr;
    if (!names)
      return fields.unexpected("model_type", oneOf(&FamilyNames::modelType));
  }
  result = names->family;
  return {};
}

namespace {
/// A field that may have one value only.
struct NeutralValue {
  const char *key;
  Json neutral;
};
} // namespace

static Status checkNeutralValues(const JsonFields &fields,
                                 std::initializer_list<NeutralValue> values) {
  for (const NeutralValue &value : values) {
    const Json *found = fields.find(value.key);
    // nlohmann compares 1 and 1.0 as equal.
    if (found && *found != value.neutral)
      return fields.unexpected(value.key,
                               value.neutral.dump() +
                                   ", the only value that is supported");
  }
  return {};
}

static Status checkNeutralValues(const JsonFields &fields,
                                 ConfigFamily family) {
  Status status =
      checkNeutralValues(fields, {
                                     {"pretraining_tp", 1},
                                     {"partial_rotary_factor", 1},
                                     {"rotary_pct", 1},
                                     {"use_sliding_window", false},
                                     {"rope_interleaved", false},
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
                                 });
  if (!status.ok())
    return status;
  if (family == ConfigFamily::Llama)
    return checkNeutralValues(
        fields, {{"rope_interleave", false}, {"n_routed_experts", 0}});
  return checkNeutralValues(fields, {{"mlp_bias", false}});
}

static Status checkAbsent(const JsonFields &fields, ConfigFamily family) {
  if (family == ConfigFamily::Llama && fields.find("quantization_config"))
    return fields.unexpected("quantization_config",
                             "null: it is not supported");
  for (const char *key :
       {"compression_config", "attention_multiplier", "attention_scale",
        "attn_scale", "softmax_scale", "query_pre_attn_scalar",
        "attn_logit_softcapping", "final_logit_softcapping", "logits_soft_cap",
        "clip_qkv", "attention_chunk_size", "no_rope_layers",
        "layers_block_type"})
    if (fields.find(key))
      return fields.unexpected(key, "null: it is not supported");
  const Json *window = fields.find("sliding_window");
  const Json *usesWindow = fields.find("use_sliding_window");
  if (window && !(usesWindow && *usesWindow == false))
    return fields.unexpected("sliding_window", "null: it is not supported");
  return {};
}

Status tcc::refuseUnsupportedFields(const std::string &path, const Json &config,
                                    ConfigFamily family) {
  JsonFields fields(config, path + ": ");
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
  if (Status status = checkNeutralValues(fields, family); !status.ok())
    return status;
  return checkAbsent(fields, family);
}
