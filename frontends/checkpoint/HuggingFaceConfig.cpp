#include "frontends/checkpoint/HuggingFaceConfig.h"

#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/LlamaTensors.h"
#include "frontends/model/Message.h"

#include <algorithm>

using namespace tcc;

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

static Status readHeads(const JsonFields &fields, schema::LlamaT &llama) {
  llama.key_value_heads = llama.query_heads;
  if (Status status = fields.integer("num_key_value_heads", 1,
                                     LlamaLimits::heads, llama.key_value_heads);
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
          fields.integer("head_dim", 1, LlamaLimits::headSize, llama.head_size);
      !status.ok())
    return status;
  if (llama.head_size % 2 == 0)
    return {};
  return fields.find("head_dim")
             ? fields.unexpected("head_dim", "an even number")
             : fields.unexpected("num_attention_heads",
                                 "heads of an even size");
}

static Status readSizes(const JsonFields &fields, schema::LlamaT &llama) {
  struct {
    const char *key;
    int64_t limit;
    uint32_t &value;
  } sizes[] = {
      {"hidden_size", LlamaLimits::size, llama.hidden_size},
      {"intermediate_size", LlamaLimits::size, llama.intermediate_size},
      {"num_hidden_layers", LlamaLimits::layers, llama.layers},
      {"num_attention_heads", LlamaLimits::heads, llama.query_heads},
      {"vocab_size", LlamaLimits::size, llama.vocabulary},
      {"max_position_embeddings", LlamaLimits::positions, llama.max_positions},
  };
  llama.max_positions = 2048;
  for (auto &size : sizes) {
    if (Status status = fields.integer(size.key, 1, size.limit, size.value);
        !status.ok())
      return status;
    if (size.value == 0)
      return fields.unexpected(size.key, "an integer from 1 to " +
                                             std::to_string(size.limit));
  }
  return readHeads(fields, llama);
}

static Status readFlags(const JsonFields &fields, schema::LlamaT &llama) {
  bool attentionBias = false, mlpBias = false, tied = false;
  if (Status status = fields.boolean("attention_bias", attentionBias);
      !status.ok())
    return status;
  if (Status status = fields.boolean("mlp_bias", mlpBias); !status.ok())
    return status;
  if (Status status = fields.boolean("tie_word_embeddings", tied); !status.ok())
    return status;
  llama.attention_bias = attentionBias;
  llama.mlp_bias = mlpBias;
  llama.tied_embeddings = tied;
  return {};
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

/// The type of weights that are not there, by its name in PyTorch.
static Status readStorage(const JsonFields &fields, schema::Storage &result) {
  // transformers 5 renamed the field.
  const char *key = fields.find("dtype") ? "dtype" : "torch_dtype";
  std::string type = "float32";
  if (Status status = fields.string(key, type); !status.ok())
    return status;
  if (type == "float32")
    result = schema::Storage::F32;
  else if (type == "float16")
    result = schema::Storage::F16;
  else if (type == "bfloat16")
    result = schema::Storage::BF16;
  else
    return fields.unexpected(key, "'float32', 'float16' or 'bfloat16'");
  return {};
}

/// The last part of the name on the hub. It may have been a path on the machine
/// of the one who trained, of which no more than that should be kept either.
static Status readName(const JsonFields &fields, std::string &result) {
  std::string name;
  if (Status status = fields.string("_name_or_path", name); !status.ok())
    return status;
  while (!name.empty() && name.back() == '/')
    name.pop_back();
  name = name.substr(name.rfind('/') + 1);
  result = name.empty() || name == "." || name == ".." ? "Llama" : name;
  return {};
}

Status tcc::readEndIds(const std::string &path, const Json &config,
                       uint32_t vocabulary, std::vector<int32_t> &endIds) {
  JsonFields fields(config, path + ": ");
  const char *key = "eos_token_id";
  const Json *value = fields.find(key);
  if (!value)
    return {};
  std::vector<int32_t> result;
  Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json &element : list) {
    const auto *id = element.get_ptr<const Json::number_unsigned_t *>();
    if (!id || *id >= vocabulary)
      return unsupportedData(
          path + ": " + key + ": expected token ids from 0 to " +
          std::to_string(vocabulary - 1) + ", got " + jsonText(&element));
    auto token = static_cast<int32_t>(*id);
    if (std::find(result.begin(), result.end(), token) == result.end())
      result.push_back(token);
  }
  endIds = std::move(result);
  return {};
}

Status tcc::readConfig(const std::string &path, const Json &config,
                       HuggingFaceConfig &result) {
  if (Status status = refuseUnsupportedFields(path, config); !status.ok())
    return status;
  JsonFields fields(config, path + ": ");
  HuggingFaceConfig read;
  schema::LlamaT &llama = read.llama;
  if (Status status = readSizes(fields, llama); !status.ok())
    return status;
  llama.norm_epsilon = 1e-6;
  if (Status status = fields.positive("rms_norm_eps", llama.norm_epsilon);
      !status.ok())
    return status;
  if (!LlamaLimits::isEpsilon(llama.norm_epsilon))
    return fields.unexpected("rms_norm_eps", LlamaLimits::epsilons);
  if (Status status = readFlags(fields, llama); !status.ok())
    return status;
  double theta = 0;
  RotaryScaling scaling;
  if (Status status =
          readRotaryConfig(path, config, llama.max_positions, theta, scaling);
      !status.ok())
    return status;
  llama.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  llama.rotary->inverse_frequencies =
      inverseFrequencies(llama.head_size, theta, scaling);
  if (Status status = readStorage(fields, read.storage); !status.ok())
    return status;
  if (Status status = readName(fields, read.name); !status.ok())
    return status;
  if (Status status = readEndIds(path, config, llama.vocabulary, read.endIds);
      !status.ok())
    return status;
  result = std::move(read);
  return {};
}
