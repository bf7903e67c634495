#include "frontends/model/DeepSeekTensors.h"

#include "frontends/model/Hyperparameters.h"
#include "frontends/model/Message.h"

#include <cmath>

using namespace tcc;
using schema::DeepSeekT;
using Kind = ExpectedTensor::Kind;

bool tcc::hasExperts(const DeepSeekT &deepSeek, int64_t layer) {
  return layer >= deepSeek.dense_layers && layer % deepSeek.expert_stride == 0;
}

std::string tcc::predictionPrefix(const DeepSeekT &deepSeek) {
  return "model.layers." + std::to_string(deepSeek.layers) + ".";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

namespace {
/// Visits tensors until one fails.
class Visit {
public:
  Visit(const DeepSeekT &deepSeek, const TensorVisitor &visitor)
      : deepSeek(deepSeek), visitor(visitor), hidden(deepSeek.hidden_size) {}

  Status all();

private:
  void layer(int64_t number);
  void prediction();
  void attention(const std::string &prefix);
  void experts(const std::string &prefix);
  void mlp(const std::string &prefix, int64_t size, const char *wide,
           const char *narrow, const std::string &stack = {});

  void tensor(const std::string &name, std::vector<int64_t> shape,
              const char *formula, Kind kind = Kind::Plain,
              const std::string &stack = {}) {
    if (status.ok())
      status = visitor({name, std::move(shape), formula, kind, stack});
  }
  void matrix(const std::string &name, int64_t rows, int64_t columns,
              const char *formula, const std::string &stack = {}) {
    tensor(name + ".weight", {rows, columns}, formula, Kind::Scalable, stack);
  }

  const DeepSeekT &deepSeek;
  const TensorVisitor &visitor;
  int64_t hidden;
  Status status;
};
} // namespace

void Visit::attention(const std::string &prefix) {
  int64_t heads = deepSeek.heads, rank = deepSeek.query_rank;
  int64_t latent = deepSeek.latent_size, plain = deepSeek.plain_size;
  int64_t rotary = deepSeek.rotary_size, value = deepSeek.value_size;
  auto bias = [&](const char *name, int64_t rows, const char *formula) {
    if (deepSeek.attention_bias)
      tensor(prefix + name + ".bias", {rows}, formula);
  };
  if (rank) {
    matrix(prefix + "q_a_proj", rank, hidden, "[q_lora_rank, hidden_size]");
    bias("q_a_proj", rank, "[q_lora_rank]");
    tensor(prefix + "q_a_layernorm.weight", {rank}, "[q_lora_rank]");
    matrix(prefix + "q_b_proj", heads * (plain + rotary), rank,
           "[num_attention_heads * (qk_nope_head_dim + qk_rope_head_dim), "
           "q_lora_rank]");
  } else {
    matrix(prefix + "q_proj", heads * (plain + rotary), hidden,
           "[num_attention_heads * (qk_nope_head_dim + qk_rope_head_dim), "
           "hidden_size]");
  }
  matrix(prefix + "kv_a_proj_with_mqa", latent + rotary, hidden,
         "[kv_lora_rank + qk_rope_head_dim, hidden_size]");
  bias("kv_a_proj_with_mqa", latent + rotary,
       "[kv_lora_rank + qk_rope_head_dim]");
  tensor(prefix + "kv_a_layernorm.weight", {latent}, "[kv_lora_rank]");
  matrix(prefix + "kv_b_proj", heads * (plain + value), latent,
         "[num_attention_heads * (qk_nope_head_dim + v_head_dim), "
         "kv_lora_rank]");
  matrix(prefix + "o_proj", hidden, heads * value,
         "[hidden_size, num_attention_heads * v_head_dim]");
  bias("o_proj", hidden, "[hidden_size]");
}

void Visit::mlp(const std::string &prefix, int64_t size, const char *wide,
                const char *narrow, const std::string &stack) {
  auto stackOf = [&](const char *name) {
    return stack.empty() ? stack : stack + name;
  };
  matrix(prefix + "gate_proj", size, hidden, wide, stackOf("gate_proj"));
  matrix(prefix + "up_proj", size, hidden, wide, stackOf("up_proj"));
  matrix(prefix + "down_proj", hidden, size, narrow, stackOf("down_proj"));
}

void Visit::experts(const std::string &prefix) {
  tensor(prefix + "gate.weight", {deepSeek.experts, hidden},
         "[n_routed_experts, hidden_size]");
  if (deepSeek.selection_bias)
    tensor(prefix + "gate.e_score_correction_bias", {deepSeek.experts},
           "[n_routed_experts]", Kind::Bias);
  for (uint32_t i = 0; i < deepSeek.experts && status.ok(); ++i)
    mlp(prefix + "experts." + std::to_string(i) + ".", deepSeek.expert_size,
        "[moe_intermediate_size, hidden_size]",
        "[hidden_size, moe_intermediate_size]", prefix + "experts.");
  if (deepSeek.shared_experts)
    mlp(prefix + "shared_experts.",
        int64_t{deepSeek.shared_experts} * deepSeek.expert_size,
        "[n_shared_experts * moe_intermediate_size, hidden_size]",
        "[hidden_size, n_shared_experts * moe_intermediate_size]");
}

void Visit::layer(int64_t number) {
  std::string prefix = "model.layers." + std::to_string(number) + ".";
  tensor(prefix + "input_layernorm.weight", {hidden}, "[hidden_size]");
  attention(prefix + "self_attn.");
  tensor(prefix + "post_attention_layernorm.weight", {hidden}, "[hidden_size]");
  if (hasExperts(deepSeek, number))
    experts(prefix + "mlp.");
  else
    mlp(prefix + "mlp.", deepSeek.intermediate_size,
        "[intermediate_size, hidden_size]", "[hidden_size, intermediate_size]");
}

/// What the module for multi-token prediction has beside a layer.
void Visit::prediction() {
  std::string prefix = predictionPrefix(deepSeek);
  for (const char *norm : {"enorm", "hnorm", "shared_head.norm"})
    tensor(prefix + norm + ".weight", {hidden}, "[hidden_size]");
  // Not scaled in what is published.
  tensor(prefix + "eh_proj.weight", {hidden, 2 * hidden},
         "[hidden_size, 2 * hidden_size]");
}

Status Visit::all() {
  int64_t vocabulary = deepSeek.vocabulary;
  tensor("model.embed_tokens.weight", {vocabulary, hidden},
         "[vocab_size, hidden_size]");
  int64_t layers = int64_t{deepSeek.layers} + deepSeek.prediction_layers;
  for (int64_t i = 0; i < layers && status.ok(); ++i)
    layer(i);
  if (deepSeek.prediction_layers)
    prediction();
  tensor("model.norm.weight", {hidden}, "[hidden_size]");
  if (!deepSeek.tied_embeddings)
    tensor("lm_head.weight", {vocabulary, hidden}, "[vocab_size, hidden_size]");
  return status;
}

Status tcc::visitDeepSeekTensors(const DeepSeekT &deepSeek,
                                 const TensorVisitor &visit) {
  return Visit(deepSeek, visit).all();
}

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

static Status checkDeepSeekSizes(const std::string &path,
                                 const DeepSeekT &deepSeek) {
  constexpr int64_t size = ModelLimits::size;
  constexpr int64_t headSize = ModelLimits::headSize;
  constexpr int64_t experts = DeepSeekLimits::experts;
  return checkSizes(
      path,
      {{"hidden_size", deepSeek.hidden_size, size},
       {"intermediate_size", deepSeek.intermediate_size, size},
       {"layers", deepSeek.layers, ModelLimits::layers},
       {"heads", deepSeek.heads, ModelLimits::heads},
       {"vocabulary", deepSeek.vocabulary, size},
       {"max_positions", deepSeek.max_positions, ModelLimits::positions},
       {"query_rank", deepSeek.query_rank, size, 0},
       {"latent_size", deepSeek.latent_size, DeepSeekLimits::latentSize},
       {"plain_size", deepSeek.plain_size, headSize},
       {"rotary_size", deepSeek.rotary_size, headSize},
       {"value_size", deepSeek.value_size, headSize},
       {"dense_layers", deepSeek.dense_layers, deepSeek.layers, 0},
       {"expert_stride", deepSeek.expert_stride, ModelLimits::layers},
       {"experts", deepSeek.experts, experts},
       {"experts_per_token", deepSeek.experts_per_token, deepSeek.experts},
       {"expert_size", deepSeek.expert_size, size},
       {"shared_experts", deepSeek.shared_experts, experts, 0},
       {"groups", deepSeek.groups, deepSeek.experts},
       {"kept_groups", deepSeek.kept_groups, deepSeek.groups},
       {"group_top", deepSeek.group_top, deepSeek.experts},
       {"prediction_layers", deepSeek.prediction_layers, 1, 0}});
}

static Status checkRouter(const std::string &path, const DeepSeekT &deepSeek) {
  if (deepSeek.experts % deepSeek.groups != 0)
    return unsupportedData(path + ": groups: expected a divisor of experts = " +
                           std::to_string(deepSeek.experts) + ", got " +
                           std::to_string(deepSeek.groups));
  int64_t groupSize = deepSeek.experts / deepSeek.groups;
  int64_t kept = deepSeek.kept_groups * groupSize;
  if (deepSeek.experts_per_token > kept)
    return unsupportedData(path + ": experts_per_token: expected at most " +
                           std::to_string(kept) + ", which the kept groups " +
                           "have, got " +
                           std::to_string(deepSeek.experts_per_token));
  if (deepSeek.group_top > groupSize)
    return unsupportedData(
        path + ": group_top: expected at most " + std::to_string(groupSize) +
        ", the experts of a group, got " + std::to_string(deepSeek.group_top));
  if (deepSeek.scoring > schema::Scoring::MAX)
    return unsupportedData(path + ": scoring: expected a known one, got " +
                           std::to_string(static_cast<int>(deepSeek.scoring)));
  return {};
}

static Status checkPositive(const std::string &path, const char *name,
                            double value) {
  if (std::isfinite(value) && value > 0)
    return {};
  return unsupportedData(path + ": " + name +
                         ": expected a positive number, got " +
                         std::to_string(value));
}

Status tcc::checkDeepSeek(const std::string &path, const DeepSeekT &deepSeek) {
  if (Status status = checkDeepSeekSizes(path, deepSeek); !status.ok())
    return status;
  int64_t all = int64_t{deepSeek.layers} * deepSeek.experts;
  if (all > DeepSeekLimits::allExperts)
    return unsupportedData(path + ": experts: expected at most " +
                           std::to_string(DeepSeekLimits::allExperts) +
                           " in all layers, got " + std::to_string(all));
  if (Status status = checkRouter(path, deepSeek); !status.ok())
    return status;
  for (double epsilon : {deepSeek.norm_epsilon, deepSeek.latent_norm_epsilon})
    if (Status status = checkEpsilon(path, epsilon); !status.ok())
      return status;
  if (Status status =
          checkPositive(path, "softmax_scale", deepSeek.softmax_scale);
      !status.ok())
    return status;
  if (Status status =
          checkPositive(path, "weight_scale", deepSeek.weight_scale);
      !status.ok())
    return status;
  return checkRotary(path, deepSeek.rotary.get(), "rotary_size",
                     deepSeek.rotary_size);
}
