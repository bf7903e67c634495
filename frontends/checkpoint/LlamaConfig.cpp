// config.json of a LlamaForCausalLM.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/Hyperparameters.h"

using namespace tcc;

static Status readHeads(const JsonFields &fields, schema::LlamaT &llama) {
  llama.key_value_heads = llama.query_heads;
  if (Status status = fields.integer("num_key_value_heads", 1,
                                     ModelLimits::heads, llama.key_value_heads);
      !status.ok())
    return status;
  if (llama.query_heads % llama.key_value_heads != 0)
    return fields.unexpected("num_key_value_heads",
                             "a divisor of num_attention_heads = " +
                                 std::to_string(llama.query_heads));
  if (!fields.find("head_dim") && llama.hidden_size % llama.query_heads != 0)
    return fields.unexpected(
        "num_attention_heads",
        "a divisor of hidden_size = " + std::to_string(llama.hidden_size) +
            ", since there is no head_dim");
  llama.head_size = llama.hidden_size / llama.query_heads;
  if (Status status =
          fields.integer("head_dim", 1, ModelLimits::headSize, llama.head_size);
      !status.ok())
    return status;
  if (llama.head_size > ModelLimits::headSize)
    return fields.unexpected("num_attention_heads",
                             "heads of at most " +
                                 std::to_string(ModelLimits::headSize) +
                                 " elements");
  if (llama.head_size % 2 == 0)
    return {};
  return fields.find("head_dim")
             ? fields.unexpected("head_dim", "an even number")
             : fields.unexpected("num_attention_heads",
                                 "heads of an even size");
}

Status tcc::readLlamaConfig(const std::string &path, const Json &config,
                            schema::LlamaT &llama) {
  JsonFields fields(config, path + ": ");
  if (Status status = readStackSizes(
          fields, {llama.hidden_size, llama.intermediate_size, llama.layers,
                   llama.query_heads, llama.vocabulary, llama.max_positions});
      !status.ok())
    return status;
  if (Status status = readHeads(fields, llama); !status.ok())
    return status;
  if (Status status = readEpsilon(fields, llama.norm_epsilon); !status.ok())
    return status;
  for (auto [key, flag] :
       {std::pair{"attention_bias", &llama.attention_bias},
        std::pair{"mlp_bias", &llama.mlp_bias},
        std::pair{"tie_word_embeddings", &llama.tied_embeddings}})
    if (Status status = fields.boolean(key, *flag); !status.ok())
      return status;
  double theta = 0;
  RotaryScaling scaling;
  if (Status status =
          readRotaryConfig(path, config, {"default", "linear", "llama3"},
                           llama.max_positions, theta, scaling);
      !status.ok())
    return status;
  llama.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  llama.rotary->inverse_frequencies =
      inverseFrequencies(llama.head_size, theta, scaling);
  return {};
}
