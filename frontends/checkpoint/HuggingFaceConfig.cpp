#include "frontends/checkpoint/HuggingFaceConfig.h"

#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/Architecture.h"
#include "frontends/model/Hyperparameters.h"
#include "frontends/model/Message.h"

#include <algorithm>

using namespace tcc;

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

Status tcc::readSizes(const JsonFields &fields,
                      std::initializer_list<ConfigSize> sizes) {
  for (const ConfigSize &size : sizes) {
    if (Status status =
            fields.integer(size.key, size.minimum, size.limit, size.value);
        !status.ok())
      return status;
    if (!fields.find(size.key))
      return fields.unexpected(
          size.key, "an integer from " + std::to_string(size.minimum) + " to " +
                        std::to_string(size.limit));
  }
  return {};
}

Status tcc::readStackSizes(const JsonFields &fields, const StackSizes &sizes) {
  Status status = readSizes(
      fields, {{"hidden_size", ModelLimits::size, sizes.hidden},
               {"intermediate_size", ModelLimits::size, sizes.intermediate},
               {"num_hidden_layers", ModelLimits::layers, sizes.layers},
               {"num_attention_heads", ModelLimits::heads, sizes.heads},
               {"vocab_size", ModelLimits::size, sizes.vocabulary}});
  if (!status.ok())
    return status;
  sizes.maxPositions = 2048;
  return fields.integer("max_position_embeddings", 1, ModelLimits::positions,
                        sizes.maxPositions);
}

Status tcc::readEpsilon(const JsonFields &fields, double &result) {
  result = 1e-6;
  if (Status status = fields.positive("rms_norm_eps", result); !status.ok())
    return status;
  if (!ModelLimits::isEpsilon(result))
    return fields.unexpected("rms_norm_eps", ModelLimits::epsilons);
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
static Status readName(const JsonFields &fields, const char *unknown,
                       std::string &result) {
  std::string name;
  if (Status status = fields.string("_name_or_path", name); !status.ok())
    return status;
  while (!name.empty() && name.back() == '/')
    name.pop_back();
  name = name.substr(name.rfind('/') + 1);
  result = name.empty() || name == "." || name == ".." ? unknown : name;
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

/// Reads the hyperparameters of the architecture that `config` names.
static Status readArchitecture(const std::string &path, const Json &config,
                               HuggingFaceConfig &result) {
  JsonFields fields(config, path + ": ");
  ConfigFamily family;
  if (Status status = readFamily(path, config, family); !status.ok())
    return status;
  if (Status status = refuseUnsupportedFields(path, config, family);
      !status.ok())
    return status;
  if (family == ConfigFamily::Llama) {
    schema::LlamaT llama;
    Status status = readLlamaConfig(path, config, llama);
    result.architecture.Set(std::move(llama));
    return status;
  }
  schema::DeepSeekT deepSeek;
  Status status = readDeepSeekConfig(path, config, family, deepSeek);
  if (status.ok())
    status = readQuantization(path, config, result.hasScales);
  // In transformers an absent rank means 1536; in checkpoints it means none.
  result.queryRankFromTensors = !fields.has("q_lora_rank");
  result.predictionText =
      jsonText(findMember(config, "num_nextn_predict_layers"));
  result.architecture.Set(std::move(deepSeek));
  return status;
}

Status tcc::readConfig(const std::string &path, const Json &config,
                       HuggingFaceConfig &result) {
  JsonFields fields(config, path + ": ");
  HuggingFaceConfig read;
  if (Status status = readArchitecture(path, config, read); !status.ok())
    return status;
  schema::ModelT model;
  model.architecture = std::move(read.architecture);
  if (Status status = readStorage(fields, read.storage); !status.ok())
    return status;
  if (Status status = readName(fields, architectureName(model), read.name);
      !status.ok())
    return status;
  auto vocabulary = static_cast<uint32_t>(decoderSizes(model).vocabulary);
  if (Status status = readEndIds(path, config, vocabulary, read.endIds);
      !status.ok())
    return status;
  read.architecture = std::move(model.architecture);
  result = std::move(read);
  return {};
}
