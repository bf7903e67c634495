// config.json of a DeepseekV2ForCausalLM or DeepseekV3ForCausalLM.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/model/DeepSeekTensors.h"
#include "frontends/model/Hyperparameters.h"
#include "frontends/model/Scales.h"

#include <cmath>

using namespace tcc;
using schema::DeepSeekT;

/// The rank of queries of transformers' default configurations.
static constexpr uint32_t defaultQueryRank = 1536;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static Status readHeads(const JsonFields &fields, DeepSeekT &deepSeek) {
  Status status = readSizes(
      fields,
      {{"kv_lora_rank", DeepSeekLimits::latentSize, deepSeek.latent_size},
       {"qk_nope_head_dim", ModelLimits::headSize, deepSeek.plain_size},
       {"qk_rope_head_dim", ModelLimits::headSize, deepSeek.rotary_size},
       {"v_head_dim", ModelLimits::headSize, deepSeek.value_size}});
  if (!status.ok())
    return status;
  if (deepSeek.rotary_size % 2 != 0)
    return fields.unexpected("qk_rope_head_dim", "an even number");
  // Latents are shared by all heads; the field says nothing else.
  uint32_t keyHeads = deepSeek.heads;
  status =
      fields.integer("num_key_value_heads", 1, ModelLimits::heads, keyHeads);
  if (!status.ok())
    return status;
  if (keyHeads != deepSeek.heads)
    return fields.unexpected("num_key_value_heads",
                             "num_attention_heads = " +
                                 std::to_string(deepSeek.heads));
  // Null and 0 mean none.
  deepSeek.query_rank = fields.has("q_lora_rank") ? 0 : defaultQueryRank;
  return fields.integer("q_lora_rank", 0, ModelLimits::size,
                        deepSeek.query_rank);
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

static Status readExperts(const JsonFields &fields, ConfigFamily family,
                          DeepSeekT &deepSeek) {
  constexpr int64_t limit = DeepSeekLimits::experts;
  Status status = readSizes(
      fields,
      {{"n_routed_experts", limit, deepSeek.experts},
       {"n_shared_experts", limit, deepSeek.shared_experts, 0},
       {"num_experts_per_tok", limit, deepSeek.experts_per_token},
       {"moe_intermediate_size", ModelLimits::size, deepSeek.expert_size}});
  if (!status.ok())
    return status;
  int64_t all = int64_t{deepSeek.layers} * deepSeek.experts;
  constexpr int64_t allLimit = DeepSeekLimits::allExperts;
  if (all > allLimit)
    return fields.unexpected("n_routed_experts",
                             "at most " + std::to_string(allLimit) +
                                 " in all layers, " +
                                 std::to_string(allLimit / deepSeek.layers) +
                                 " in each of num_hidden_layers = " +
                                 std::to_string(deepSeek.layers));
  deepSeek.dense_layers = family == ConfigFamily::DeepSeekV3 ? 3 : 0;
  status = fields.integer("first_k_dense_replace", 0, ModelLimits::layers,
                          deepSeek.dense_layers);
  if (!status.ok())
    return status;
  if (deepSeek.dense_layers > deepSeek.layers)
    return fields.unexpected("first_k_dense_replace",
                             "an integer from 0 to num_hidden_layers = " +
                                 std::to_string(deepSeek.layers));
  deepSeek.expert_stride = 1;
  return fields.integer("moe_layer_freq", 1, ModelLimits::layers,
                        deepSeek.expert_stride);
}

/// Reads the groups of a router that has some.
static Status readGroups(const JsonFields &fields, uint32_t top,
                         DeepSeekT &deepSeek) {
  int64_t experts = deepSeek.experts;
  Status status = readSizes(fields, {{"n_group", experts, deepSeek.groups}});
  if (!status.ok())
    return status;
  if (experts % deepSeek.groups != 0)
    return fields.unexpected("n_group", "a divisor of n_routed_experts = " +
                                            std::to_string(experts));
  status = readSizes(fields,
                     {{"topk_group", deepSeek.groups, deepSeek.kept_groups}});
  if (!status.ok())
    return status;
  deepSeek.group_top = top;
  if (experts / deepSeek.groups >= top)
    return {};
  return fields.unexpected(
      "n_group", "groups of at least " + std::to_string(top) +
                     " of n_routed_experts = " + std::to_string(experts));
}

/// Reads how scores are made and compared. Published models have no other
/// combinations.
static Status readScoring(const JsonFields &fields, ConfigFamily family,
                          DeepSeekT &deepSeek) {
  bool isThird = family == ConfigFamily::DeepSeekV3;
  std::string scoring = isThird ? "sigmoid" : "softmax";
  std::string method = isThird ? "noaux_tc" : "greedy";
  if (Status status = fields.string("scoring_func", scoring); !status.ok())
    return status;
  if (Status status = fields.string("topk_method", method); !status.ok())
    return status;
  bool isSigmoid = scoring == "sigmoid";
  if (!isSigmoid && (isThird || scoring != "softmax"))
    return fields.unexpected("scoring_func",
                             isThird ? "'sigmoid', the only one that is "
                                       "supported for this architecture"
                                     : "'softmax' or 'sigmoid'");
  deepSeek.scoring =
      isSigmoid ? schema::Scoring::Sigmoid : schema::Scoring::Softmax;
  deepSeek.selection_bias = isSigmoid;
  deepSeek.groups = deepSeek.kept_groups = deepSeek.group_top = 1;
  if (isSigmoid && method == "noaux_tc")
    return readGroups(fields, 2, deepSeek);
  if (!isSigmoid && method == "greedy")
    return {};
  if (!isSigmoid && method == "group_limited_greedy")
    return readGroups(fields, 1, deepSeek);
  return fields.unexpected(
      "topk_method", isSigmoid ? "'noaux_tc' beside sigmoid scores"
                               : "'greedy' or 'group_limited_greedy' beside "
                                 "softmax scores");
}

static Status readRouter(const JsonFields &fields, ConfigFamily family,
                         DeepSeekT &deepSeek) {
  if (Status status = readScoring(fields, family, deepSeek); !status.ok())
    return status;
  int64_t kept =
      int64_t{deepSeek.kept_groups} * (deepSeek.experts / deepSeek.groups);
  if (deepSeek.experts_per_token > kept)
    return fields.unexpected("num_experts_per_tok",
                             "at most " + std::to_string(kept) +
                                 ", the experts in topk_group groups");
  bool isThird = family == ConfigFamily::DeepSeekV3;
  deepSeek.normalised = isThird;
  if (Status status = fields.boolean("norm_topk_prob", deepSeek.normalised);
      !status.ok())
    return status;
  deepSeek.weight_scale = isThird ? 2.5 : 1;
  if (Status status =
          fields.positive("routed_scaling_factor", deepSeek.weight_scale);
      !status.ok())
    return status;
  // DeepSeek's own code of V2 does not scale what it has normalised, others do.
  bool isSoftmax = deepSeek.scoring == schema::Scoring::Softmax;
  if (isSoftmax && deepSeek.normalised && deepSeek.weight_scale != 1)
    return fields.unexpected("routed_scaling_factor",
                             "1 beside norm_topk_prob and softmax scores");
  return {};
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

static Status readRotation(const std::string &path, const Json &config,
                           ConfigFamily family, DeepSeekT &deepSeek) {
  JsonFields fields(config, path + ": ");
  double theta = 0;
  RotaryScaling scaling;
  if (Status status = readRotaryConfig(path, config, {"default", "yarn"},
                                       deepSeek.max_positions, theta, scaling);
      !status.ok())
    return status;
  bool interleaved = true;
  if (Status status = fields.boolean("rope_interleave", interleaved);
      !status.ok())
    return status;
  if (!interleaved && family == ConfigFamily::DeepSeekV2)
    return fields.unexpected("rope_interleave",
                             "true, the only value that is supported for this "
                             "architecture");
  deepSeek.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  deepSeek.rotary->inverse_frequencies =
      inverseFrequencies(deepSeek.rotary_size, theta, scaling);
  deepSeek.rotary->multiplier = rotaryMultiplier(scaling);
  deepSeek.rotary->interleaved = interleaved;
  double size = deepSeek.plain_size + deepSeek.rotary_size;
  deepSeek.softmax_scale = softmaxMultiplier(scaling) / std::sqrt(size);
  return {};
}

Status tcc::readQuantization(const std::string &path, const Json &config,
                             bool &hasScales) {
  JsonFields outer(config, path + ": ");
  const Json *object = outer.find("quantization_config");
  hasScales = object != nullptr;
  if (!object)
    return {};
  if (!object->is_object())
    return outer.unexpected("quantization_config", "an object");
  JsonFields fields(*object, path + ": quantization_config.");
  const struct {
    const char *key;
    Json value;
    bool isNeeded;
  } values[] = {
      {"quant_method", "fp8", true},
      {"fmt", "e4m3", false},
      {"activation_scheme", "dynamic", false},
      {"weight_block_size", Json::array({scaleBlock, scaleBlock}), true},
  };
  for (const auto &value : values) {
    const Json *found = fields.find(value.key);
    if (found ? *found != value.value : value.isNeeded)
      return fields.unexpected(value.key, jsonText(&value.value) +
                                              ", the only value that is "
                                              "supported");
  }
  return {};
}

Status tcc::readDeepSeekConfig(const std::string &path, const Json &config,
                               ConfigFamily family, DeepSeekT &deepSeek) {
  JsonFields fields(config, path + ": ");
  if (Status status = readStackSizes(
          fields, {deepSeek.hidden_size, deepSeek.intermediate_size,
                   deepSeek.layers, deepSeek.heads, deepSeek.vocabulary,
                   deepSeek.max_positions});
      !status.ok())
    return status;
  if (Status status = readHeads(fields, deepSeek); !status.ok())
    return status;
  if (Status status = readExperts(fields, family, deepSeek); !status.ok())
    return status;
  if (Status status = readRouter(fields, family, deepSeek); !status.ok())
    return status;
  if (Status status = readEpsilon(fields, deepSeek.norm_epsilon); !status.ok())
    return status;
  // transformers gives the norms of low ranks no epsilon but its default.
  deepSeek.latent_norm_epsilon = 1e-6;
  if (Status status = fields.boolean("attention_bias", deepSeek.attention_bias);
      !status.ok())
    return status;
  if (Status status =
          fields.boolean("tie_word_embeddings", deepSeek.tied_embeddings);
      !status.ok())
    return status;
  if (Status status = fields.integer("num_nextn_predict_layers", 0, 1,
                                     deepSeek.prediction_layers);
      !status.ok())
    return status;
  return readRotation(path, config, family, deepSeek);
}
