#include "frontends/model/LlamaTensors.h"

#include "frontends/model/Hyperparameters.h"
#include "frontends/model/Message.h"

using namespace tcc;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

namespace {
/// The sizes of one layer, in elements.
struct LayerSizes {
  explicit LayerSizes(const schema::LlamaT &llama)
      : hidden(llama.hidden_size), intermediate(llama.intermediate_size),
        query(int64_t{llama.query_heads} * llama.head_size),
        keyValue(int64_t{llama.key_value_heads} * llama.head_size) {}

  int64_t hidden, intermediate, query, keyValue;
};
} // namespace

static void appendAttention(const std::string &layer, const LayerSizes &sizes,
                            bool bias, std::vector<ExpectedTensor> &result) {
  std::string prefix = layer + "self_attn.";
  auto append = [&](const char *name, int64_t rows, int64_t columns,
                    const char *shape, const char *biasShape) {
    result.push_back({prefix + name + ".weight", {rows, columns}, shape});
    if (bias)
      result.push_back({prefix + name + ".bias", {rows}, biasShape});
  };
  append("q_proj", sizes.query, sizes.hidden,
         "[num_attention_heads * head_dim, hidden_size]",
         "[num_attention_heads * head_dim]");
  append("k_proj", sizes.keyValue, sizes.hidden,
         "[num_key_value_heads * head_dim, hidden_size]",
         "[num_key_value_heads * head_dim]");
  append("v_proj", sizes.keyValue, sizes.hidden,
         "[num_key_value_heads * head_dim, hidden_size]",
         "[num_key_value_heads * head_dim]");
  append("o_proj", sizes.hidden, sizes.query,
         "[hidden_size, num_attention_heads * head_dim]", "[hidden_size]");
}

static void appendMlp(const std::string &layer, const LayerSizes &sizes,
                      bool bias, std::vector<ExpectedTensor> &result) {
  std::string prefix = layer + "mlp.";
  for (const char *name : {"gate_proj", "up_proj"}) {
    result.push_back({prefix + name + ".weight",
                      {sizes.intermediate, sizes.hidden},
                      "[intermediate_size, hidden_size]"});
    if (bias)
      result.push_back({prefix + name + ".bias",
                        {sizes.intermediate},
                        "[intermediate_size]"});
  }
  result.push_back({prefix + "down_proj.weight",
                    {sizes.hidden, sizes.intermediate},
                    "[hidden_size, intermediate_size]"});
  if (bias)
    result.push_back(
        {prefix + "down_proj.bias", {sizes.hidden}, "[hidden_size]"});
}

/// The tensors of layer `number`.
static std::vector<ExpectedTensor> layerTensors(const schema::LlamaT &llama,
                                                uint32_t number) {
  LayerSizes sizes(llama);
  std::string layer = "model.layers." + std::to_string(number) + ".";
  std::vector<ExpectedTensor> result;
  result.push_back(
      {layer + "input_layernorm.weight", {sizes.hidden}, "[hidden_size]"});
  appendAttention(layer, sizes, llama.attention_bias, result);
  result.push_back({layer + "post_attention_layernorm.weight",
                    {sizes.hidden},
                    "[hidden_size]"});
  appendMlp(layer, sizes, llama.mlp_bias, result);
  return result;
}

Status tcc::visitLlamaTensors(const schema::LlamaT &llama,
                              const TensorVisitor &visit) {
  int64_t vocabulary = llama.vocabulary, hidden = llama.hidden_size;
  const char *formula = "[vocab_size, hidden_size]";
  Status status =
      visit({"model.embed_tokens.weight", {vocabulary, hidden}, formula});
  for (uint32_t i = 0; status.ok() && i < llama.layers; ++i)
    for (const ExpectedTensor &tensor : layerTensors(llama, i))
      if (status = visit(tensor); !status.ok())
        return status;
  if (status.ok())
    status = visit({"model.norm.weight", {hidden}, "[hidden_size]"});
  if (status.ok() && !llama.tied_embeddings)
    status = visit({"lm_head.weight", {vocabulary, hidden}, formula});
  return status;
}

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

Status tcc::checkLlama(const std::string &path, const schema::LlamaT &llama) {
  Status status = checkSizes(
      path, {{"hidden_size", llama.hidden_size, ModelLimits::size},
             {"intermediate_size", llama.intermediate_size, ModelLimits::size},
             {"layers", llama.layers, ModelLimits::layers},
             {"query_heads", llama.query_heads, ModelLimits::heads},
             {"key_value_heads", llama.key_value_heads, ModelLimits::heads},
             {"head_size", llama.head_size, ModelLimits::headSize},
             {"vocabulary", llama.vocabulary, ModelLimits::size},
             {"max_positions", llama.max_positions, ModelLimits::positions}});
  if (!status.ok())
    return status;
  if (llama.query_heads % llama.key_value_heads != 0)
    return unsupportedData(
        path + ": key_value_heads: expected a divisor of query_heads = " +
        std::to_string(llama.query_heads) + ", got " +
        std::to_string(llama.key_value_heads));
  if (status = checkEpsilon(path, llama.norm_epsilon); !status.ok())
    return status;
  return checkRotary(path, llama.rotary.get(), "head_size", llama.head_size);
}
