#include "frontends/checkpoint/GgufLlama.h"

#include "frontends/checkpoint/Gguf.h"
#include "frontends/checkpoint/GgufTokenizer.h"
#include "frontends/checkpoint/RotaryFrequencies.h"
#include "frontends/model/CheckModel.h"
#include "frontends/model/GgufNames.h"
#include "frontends/model/Hyperparameters.h"
#include "frontends/model/LlamaTensors.h"
#include "frontends/model/Message.h"
#include "frontends/model/Storage.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

using namespace tcc;

//===----------------------------------------------------------------------===//
// What is refused
//===----------------------------------------------------------------------===//

/// Keys of the architecture that are read, or that change nothing.
static bool isKnownKey(std::string_view key) {
  static constexpr std::string_view keys[] = {
      "vocab_size", "context_length", "embedding_length", "block_count",
      "feed_forward_length", "attention.head_count", "attention.head_count_kv",
      "attention.layer_norm_rms_epsilon", "attention.key_length",
      "attention.value_length", "rope.dimension_count", "rope.freq_base",
      "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor",
      // Where the tensors came from, and how the context was extended.
      "tensor_data_layout", "rope.scaling.original_context_length",
      "rope.scaling.finetuned"};
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

/// Keys that change the result unless they have this value.
static Status checkNeutralKeys(const GgufFile &file) {
  static constexpr struct {
    const char *key;
    double neutral;
  } numbers[] = {
      {"llama.expert_count", 0},
      {"llama.expert_used_count", 0},
      {"llama.logit_scale", 1},
      {"llama.residual_scale", 1},
      {"llama.embedding_scale", 1},
      {"llama.rope.scaling.attn_factor", 1},
      {"llama.attention.clamp_kqv", 0},
      {"llama.attention.max_alibi_bias", 0},
      {"llama.attn_logit_softcapping", 0},
      {"llama.final_logit_softcapping", 0},
      {"llama.attention.sliding_window", 0},
      {"split.count", 1},
  };
  for (const auto &number : numbers) {
    double value = number.neutral;
    if (Status status = file.getNumber(number.key, value); !status.ok())
      return status;
    bool isUnsplit =
        value == 0 && number.key == std::string_view("split.count");
    if (value != number.neutral && !isUnsplit)
      return file.unexpected(number.key,
                             std::to_string(static_cast<int>(number.neutral)) +
                                 ", the only value that is supported");
  }
  for (auto [key, neutral] : {std::pair("llama.use_parallel_residual", false),
                              std::pair("llama.attention.causal", true)}) {
    bool value = neutral;
    if (Status status = file.getBool(key, value); !status.ok())
      return status;
    if (value != neutral)
      return file.unexpected(key, std::string(neutral ? "true" : "false") +
                                      ", the only value that is supported");
  }
  return {};
}

/// Refuses by name what would change the result and is not supported.
static Status checkSupported(const GgufFile &file) {
  std::string architecture, type = "model";
  if (Status status = file.getString("general.architecture", architecture);
      !status.ok())
    return status;
  if (architecture != "llama")
    return file.unexpected("general.architecture",
                           "'llama', the only one that is supported");
  if (Status status = file.getString("general.type", type); !status.ok())
    return status;
  if (type != "model")
    return file.unexpected("general.type", "'model'");
  if (Status status = checkNeutralKeys(file); !status.ok())
    return status;
  static constexpr std::string_view neutral[] = {"expert_count",
                                                 "expert_used_count",
                                                 "logit_scale",
                                                 "residual_scale",
                                                 "embedding_scale",
                                                 "rope.scaling.attn_factor",
                                                 "attention.clamp_kqv",
                                                 "attention.max_alibi_bias",
                                                 "attn_logit_softcapping",
                                                 "final_logit_softcapping",
                                                 "attention.sliding_window",
                                                 "use_parallel_residual",
                                                 "attention.causal"};
  constexpr std::string_view prefix = "llama.";
  for (const auto &[key, value] : file.metadata) {
    std::string_view rest = key;
    if (rest.substr(0, prefix.size()) != prefix)
      continue;
    rest.remove_prefix(prefix.size());
    if (!isKnownKey(rest) && std::find(std::begin(neutral), std::end(neutral),
                                       rest) == std::end(neutral))
      return file.unexpected(key, "no such key: it is not supported");
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Hyperparameters
//===----------------------------------------------------------------------===//

static Status readSize(const GgufFile &file, const std::string &key,
                       int64_t limit, uint32_t &result) {
  if (!file.has(key) && result == 0)
    return file.unexpected(key,
                           "an integer from 1 to " + std::to_string(limit));
  int64_t value = result;
  Status status = file.getInteger(key, 1, limit, value);
  result = static_cast<uint32_t>(value);
  return status;
}

static Status readHeads(const GgufFile &file, schema::LlamaT &llama) {
  if (Status status = readSize(file, "llama.attention.head_count",
                               ModelLimits::heads, llama.query_heads);
      !status.ok())
    return status;
  llama.key_value_heads = llama.query_heads;
  if (Status status = readSize(file, "llama.attention.head_count_kv",
                               ModelLimits::heads, llama.key_value_heads);
      !status.ok())
    return status;
  if (llama.query_heads % llama.key_value_heads != 0)
    return file.unexpected("llama.attention.head_count_kv",
                           "a divisor of llama.attention.head_count = " +
                               std::to_string(llama.query_heads));
  llama.head_size = llama.hidden_size / llama.query_heads;
  if (!file.has("llama.attention.key_length") &&
      llama.hidden_size % llama.query_heads != 0)
    return file.unexpected("llama.attention.head_count",
                           "a divisor of llama.embedding_length = " +
                               std::to_string(llama.hidden_size));
  if (Status status = readSize(file, "llama.attention.key_length",
                               ModelLimits::headSize, llama.head_size);
      !status.ok())
    return status;
  for (const char *key :
       {"llama.attention.value_length", "llama.rope.dimension_count"}) {
    int64_t value = llama.head_size;
    if (Status status = file.getInteger(key, 0, INT32_MAX, value); !status.ok())
      return status;
    if (value != llama.head_size)
      return file.unexpected(key, "the size of a head, " +
                                      std::to_string(llama.head_size));
  }
  if (llama.head_size > ModelLimits::headSize)
    return file.unexpected("llama.attention.head_count",
                           "heads of at most " +
                               std::to_string(ModelLimits::headSize) +
                               " elements");
  if (llama.head_size % 2 == 0)
    return {};
  return file.has("llama.attention.key_length")
             ? file.unexpected("llama.attention.key_length", "an even number")
             : file.unexpected("llama.attention.head_count",
                               "heads of an even size");
}

/// The vocabulary's size: the key, or else the number of its tokens.
static Status readVocabularySize(const GgufFile &file, schema::LlamaT &llama) {
  auto tokens = file.metadata.find("tokenizer.ggml.tokens");
  if (tokens != file.metadata.end() && tokens->second.isArray &&
      tokens->second.count <= ModelLimits::size)
    llama.vocabulary = static_cast<uint32_t>(tokens->second.count);
  return readSize(file, "llama.vocab_size", ModelLimits::size,
                  llama.vocabulary);
}

static Status readSizes(const GgufFile &file, schema::LlamaT &llama) {
  struct {
    const char *key;
    int64_t limit;
    uint32_t &value;
  } sizes[] = {
      {"llama.embedding_length", ModelLimits::size, llama.hidden_size},
      {"llama.feed_forward_length", ModelLimits::size, llama.intermediate_size},
      {"llama.block_count", ModelLimits::layers, llama.layers},
      {"llama.context_length", ModelLimits::positions, llama.max_positions},
  };
  for (auto &size : sizes)
    if (Status status = readSize(file, size.key, size.limit, size.value);
        !status.ok())
      return status;
  if (Status status = readHeads(file, llama); !status.ok())
    return status;
  if (Status status = readVocabularySize(file, llama); !status.ok())
    return status;
  std::string key = "llama.attention.layer_norm_rms_epsilon";
  if (Status status = file.getNumber(key, llama.norm_epsilon); !status.ok())
    return status;
  if (!ModelLimits::isEpsilon(llama.norm_epsilon))
    return file.unexpected(key, ModelLimits::epsilons);
  return {};
}

//===----------------------------------------------------------------------===//
// Rotary embedding
//===----------------------------------------------------------------------===//

static Status readPositive(const GgufFile &file, const std::string &key,
                           double &result) {
  if (Status status = file.getNumber(key, result); !status.ok())
    return status;
  if (!std::isfinite(result) || result <= 0)
    return file.unexpected(key, "a positive number");
  return {};
}

static Status readScaling(const GgufFile &file, RotaryScaling &scaling) {
  // Older files have only a factor, which llama.cpp takes to be linear.
  std::string key = "llama.rope.scaling.type", type = "linear";
  if (Status status = file.getString(key, type); !status.ok())
    return status;
  if (type == "none")
    return {};
  if (type != "linear")
    return file.unexpected(key, "'none' or 'linear'");
  key = "llama.rope.scaling.factor";
  if (!file.has(key))
    key = "llama.rope.scale_linear";
  if (Status status = readPositive(file, key, scaling.factor); !status.ok())
    return status;
  if (scaling.factor != 1)
    scaling.kind = RotaryScaling::Kind::Linear;
  return {};
}

/// Divides the frequencies by the values of `rope_freqs.weight`, with which
/// llama.cpp's converter expresses the scaling of Llama 3.1.
static Status divideFrequencies(const GgufFile &file, const GgufTensor &tensor,
                                const uint8_t *data, size_t size,
                                std::vector<double> &frequencies) {
  std::string place = file.path() + ": tensor 'rope_freqs.weight': ";
  auto count = static_cast<int64_t>(frequencies.size());
  if (tensor.storage != schema::Storage::F32 ||
      tensor.shape != std::vector<int64_t>{count})
    return unsupportedData(place + "expected shape " + shapeText({count}) +
                           " in F32, got " + shapeText(tensor.shape) + " in " +
                           storageInfo(tensor.storage)->name);
  if (frequencies.size() * sizeof(float) > size - tensor.offset)
    return damagedData(place + "expected bytes within the file of " +
                       std::to_string(size) + " bytes, got past its end");
  for (size_t j = 0; j < frequencies.size(); ++j) {
    float divisor;
    memcpy(&divisor, data + tensor.offset + j * sizeof(float), sizeof(float));
    if (!std::isfinite(divisor) || divisor <= 0)
      return unsupportedData(place + "expected positive numbers, got " +
                             std::to_string(divisor) + " at index " +
                             std::to_string(j));
    frequencies[j] /= static_cast<double>(divisor);
  }
  return {};
}

static Status readRotary(const GgufFile &file, const uint8_t *data, size_t size,
                         schema::LlamaT &llama) {
  double theta = 10000;
  RotaryScaling scaling;
  if (Status status = readPositive(file, "llama.rope.freq_base", theta);
      !status.ok())
    return status;
  if (Status status = readScaling(file, scaling); !status.ok())
    return status;
  llama.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  llama.rotary->interleaved = true;
  llama.rotary->inverse_frequencies =
      inverseFrequencies(llama.head_size, theta, scaling);
  for (const GgufTensor &tensor : file.tensors)
    if (tensor.name == "rope_freqs.weight")
      return divideFrequencies(file, tensor, data, size,
                               llama.rotary->inverse_frequencies);
  return {};
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

static Status appendTensors(const GgufFile &file, schema::ModelT &model) {
  for (const GgufTensor &source : file.tensors) {
    if (source.name == "rope_freqs.weight")
      continue;
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = huggingFaceName(source.name);
    tensor->storage = source.storage;
    tensor->shape = source.shape;
    tensor->file = 0;
    tensor->offset = source.offset;
    std::optional<uint64_t> bytes = tensorBytes(source.storage, source.shape);
    if (!bytes)
      return damagedData(
          file.path() + ": tensor " + quoteText(source.name) +
          ": expected less than 2^63 bytes in whole blocks of " +
          std::to_string(storageInfo(source.storage)->blockElements) +
          " elements, got shape " + shapeText(source.shape));
    tensor->bytes = *bytes;
    model.tensors.push_back(std::move(tensor));
  }
  return {};
}

static bool hasTensor(const GgufFile &file, std::string_view name) {
  return std::any_of(
      file.tensors.begin(), file.tensors.end(),
      [&](const GgufTensor &tensor) { return tensor.name == name; });
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

static Status readEndIds(const GgufFile &file, int64_t vocabulary,
                         std::vector<int32_t> &result) {
  for (const char *key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id"}) {
    int64_t id = -1;
    if (Status status = file.getInteger(key, 0, vocabulary - 1, id);
        !status.ok())
      return status;
    auto value = static_cast<int32_t>(id);
    if (id >= 0 &&
        std::find(result.begin(), result.end(), value) == result.end())
      result.push_back(value);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

Status tcc::readGgufLlama(const std::string &path, const uint8_t *data,
                          size_t size, bool withoutWeights,
                          schema::ModelT &result) {
  GgufFile file;
  if (Status status = GgufFile::parse(path, data, size, file); !status.ok())
    return status;
  if (Status status = checkSupported(file); !status.ok())
    return status;
  schema::LlamaT llama;
  if (Status status = readSizes(file, llama); !status.ok())
    return status;
  if (Status status = readRotary(file, data, size, llama); !status.ok())
    return status;
  llama.attention_bias = hasTensor(file, "blk.0.attn_q.bias");
  llama.mlp_bias = hasTensor(file, "blk.0.ffn_gate.bias");
  llama.tied_embeddings = !hasTensor(file, "output.weight");

  schema::ModelT model;
  model.format_version = modelFormatVersion;
  model.name = "Llama";
  model.provenance = "GGUF version 3";
  if (Status status = file.getString("general.name", model.name); !status.ok())
    return status;
  if (Status status = readEndIds(file, llama.vocabulary, model.end_ids);
      !status.ok())
    return status;
  if (!withoutWeights || file.has("tokenizer.ggml.model"))
    if (Status status = readGgufTokenizer(file, model.tokenizer); !status.ok())
      return status;
  model.files.push_back(std::make_unique<schema::FileT>());
  model.files[0]->path = std::filesystem::path(path).filename().string();
  model.files[0]->bytes = size;
  if (Status status = appendTensors(file, model); !status.ok())
    return status;
  model.architecture.Set(std::move(llama));
  result = std::move(model);
  return {};
}
