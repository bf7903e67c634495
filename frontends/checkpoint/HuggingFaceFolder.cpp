#include "frontends/checkpoint/HuggingFaceFolder.h"

#include "frontends/checkpoint/FileKind.h"
#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/checkpoint/Safetensors.h"
#include "frontends/checkpoint/TokenizerReader.h"
#include "frontends/model/Architecture.h"
#include "frontends/model/CheckModel.h"
#include "frontends/model/DeepSeekTensors.h"
#include "frontends/model/Hyperparameters.h"
#include "frontends/model/Message.h"
#include "frontends/model/Scales.h"
#include "frontends/model/Storage.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

using namespace tcc;
namespace fs = std::filesystem;

static std::string fileIn(const std::string &folder, const char *name) {
  return (fs::path(folder) / name).string();
}

static bool exists(const std::string &path) {
  std::error_code error;
  return fs::exists(path, error);
}

//===----------------------------------------------------------------------===//
// Folders that are no checkpoint
//===----------------------------------------------------------------------===//

/// The first of the names in `folder` that ends with one of `suffixes`, in
/// alphabetical order, or an empty string.
static std::string findFile(const std::string &folder,
                            std::initializer_list<const char *> suffixes) {
  std::string result;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::string extension = entry->path().extension().string();
    bool matches = std::find(suffixes.begin(), suffixes.end(), extension) !=
                   suffixes.end();
    if (matches && (result.empty() || name < result))
      result = name;
  }
  return result;
}

static Status checkFolder(const std::string &folder, bool withoutWeights) {
  auto noInput = [&](const std::string &text) {
    return Status(Status::Code::NoInput, folder + ": " + text);
  };
  std::error_code error;
  if (fs::is_empty(folder, error))
    return noInput("expected a checkpoint, got an empty directory; download "
                   "the checkpoint into it");
  if (!exists(fileIn(folder, "config.json"))) {
    std::string gguf = findFile(folder, {".gguf"});
    return gguf.empty()
               ? noInput("expected config.json in the checkpoint, got no such "
                         "file; download the whole checkpoint")
               : noInput("expected config.json in the checkpoint, got no such "
                         "file but " +
                         gguf + "; name that file instead of its folder");
  }
  if (withoutWeights)
    return {};
  if (!exists(fileIn(folder, "model.safetensors")) &&
      !exists(fileIn(folder, "model.safetensors.index.json"))) {
    std::string pickle = findFile(folder, {".bin", ".pth", ".pt"});
    if (!pickle.empty())
      return Status::badData(
          fileIn(folder, pickle.c_str()) +
          ": expected weights as model.safetensors, got a "
          "PyTorch pickle, which could execute code; convert "
          "it to safetensors");
    return noInput(
        "expected model.safetensors or model.safetensors.index.json, "
        "got neither; for a description alone, use --no-weights");
  }
  if (!exists(fileIn(folder, "tokenizer.json")))
    return noInput(
        "expected tokenizer.json in the checkpoint, got no such file; "
        "save it with transformers' AutoTokenizer");
  return {};
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

/// Reads `path` and begins the description of the model.
static Status readConfigFile(const std::string &path, ModelFile &file,
                             HuggingFaceConfig &config) {
  Json json;
  if (Status status = parseJsonFile(path, {}, json); !status.ok())
    return status;
  if (Status status = readConfig(path, json, config); !status.ok())
    return status;
  file.model.format_version = modelFormatVersion;
  file.model.name = std::move(config.name);
  file.model.provenance = "Hugging Face checkpoint";
  file.model.end_ids = std::move(config.endIds);
  file.model.architecture = std::move(config.architecture);
  file.inputs.push_back(path);
  return checkArchitecture(path, file.model);
}

static Status readGenerationConfig(const std::string &folder, ModelFile &file) {
  std::string path = fileIn(folder, "generation_config.json");
  if (!exists(path))
    return {};
  Json json;
  if (Status status = parseJsonFile(path, {}, json); !status.ok())
    return status;
  file.inputs.push_back(path);
  auto vocabulary = static_cast<uint32_t>(decoderSizes(file.model).vocabulary);
  return readEndIds(path, json, vocabulary, file.model.end_ids);
}

static Status readTokenizer(const std::string &folder, ModelFile &file) {
  std::string path = fileIn(folder, "tokenizer.json");
  if (!exists(path))
    return {}; // checkFolder has said so if it is needed.
  MappedFile mapped;
  if (Status status = MappedFile::open(path, mapped); !status.ok())
    return status;
  if (Status status = refuseForeignFile(path, mapped.data(), mapped.size());
      !status.ok())
    return status;
  file.inputs.push_back(path);
  file.model.tokenizer = std::make_unique<schema::TokenizerT>();
  return readTokenizerJson(path, mapped.data(), mapped.size(),
                           *file.model.tokenizer);
}

static void describeTensor(const std::string &name, schema::Storage storage,
                           std::vector<int64_t> shape, schema::ModelT &model) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = name;
  tensor->storage = storage;
  tensor->shape = std::move(shape);
  tensor->bytes = tensorBytes(storage, tensor->shape).value_or(0);
  model.tensors.push_back(std::move(tensor));
}

/// Adds the tensors that the checkpoint has elsewhere.
static void describeTensors(const HuggingFaceConfig &config,
                            schema::ModelT &model) {
  using Kind = ExpectedTensor::Kind;
  Status status = visitTensors(model, [&](const ExpectedTensor &expected) {
    bool isScaled = config.hasScales && expected.kind == Kind::Scalable;
    schema::Storage storage = isScaled ? schema::Storage::F8_E4M3
                              : expected.kind == Kind::Bias
                                  ? schema::Storage::F32
                                  : config.storage;
    describeTensor(expected.name, storage, expected.shape, model);
    if (isScaled)
      describeTensor(scalesName(expected.name), schema::Storage::F32,
                     scalesShape(expected.shape), model);
    return Status();
  });
  assert(status.ok() && "the visitor never fails");
  (void)status;
}

/// Takes the rank of queries from the tensors, where there is one.
static void readQueryRank(ModelFile &file) {
  schema::DeepSeekT &deepSeek = *file.model.architecture.AsDeepSeek();
  for (const auto &tensor : file.model.tensors) {
    if (tensor->name == "model.layers.0.self_attn.q_proj.weight")
      deepSeek.query_rank = 0;
    if (tensor->name == "model.layers.0.self_attn.q_a_layernorm.weight" &&
        tensor->shape.size() == 1 && tensor->shape[0] > 0 &&
        tensor->shape[0] <= ModelLimits::size)
      deepSeek.query_rank = static_cast<uint32_t>(tensor->shape[0]);
  }
}

//===----------------------------------------------------------------------===//
// Tensors that are not used
//===----------------------------------------------------------------------===//

/// Buffers that old versions of transformers stored; the frequencies come from
/// the configuration.
static bool isInverseFrequency(const std::string &name) {
  constexpr std::string_view suffix = ".rotary_emb.inv_freq";
  return name.size() > suffix.size() &&
         name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}

namespace {
/// A tensor that may be stored though it is another one again.
struct Duplicate {
  std::string name;
  const char *original;
  const char *reason; ///< What says so.
  const char *advice; ///< What to do if it is not.
};
} // namespace

static std::vector<Duplicate> duplicatesOf(const schema::ModelT &model) {
  constexpr const char *embedding = "model.embed_tokens.weight";
  std::vector<Duplicate> result;
  bool tied = decoderSizes(model).tiedEmbeddings;
  if (tied)
    result.push_back({"lm_head.weight", embedding,
                      ", since config.json says tie_word_embeddings",
                      "set tie_word_embeddings to false if it should be used"});
  if (const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek()) {
    std::string prefix = predictionPrefix(*deepSeek);
    const char *head = tied ? embedding : "lm_head.weight";
    const char *advice = "correct it, or use another model";
    result.push_back({prefix + "embed_tokens.weight", embedding, "", advice});
    result.push_back({prefix + "shared_head.head.weight", head, "", advice});
  }
  return result;
}

static const schema::TensorT *findUnsorted(const schema::ModelT &model,
                                           const std::string &name) {
  for (const auto &tensor : model.tensors)
    if (tensor->name == name)
      return tensor.get();
  return nullptr;
}

/// Checks that a stored `duplicate` is its original again. If it is not, one of
/// two statements of the checkpoint is wrong.
static Status checkDuplicate(const ModelFile &file,
                             const Duplicate &duplicate) {
  const schema::TensorT *copy = findUnsorted(file.model, duplicate.name);
  const schema::TensorT *original =
      findUnsorted(file.model, duplicate.original);
  if (!copy || !original)
    return {}; // checkModel says if one is missing.
  bool isEqual =
      original->shape == copy->shape && original->storage == copy->storage;
  if (isEqual) {
    ModelWeights weights;
    if (Status status = ModelWeights::open(file, weights); !status.ok())
      return status;
    isEqual =
        memcmp(weights.data(*original), weights.data(*copy), copy->bytes) == 0;
  }
  if (isEqual)
    return {};
  return Status::badData(
      file.weightPath(static_cast<size_t>(copy->file)) + ": tensor '" +
      duplicate.name + "': expected the same as " + duplicate.original +
      duplicate.reason + ", got another tensor; " + duplicate.advice);
}

static void
eraseTensors(schema::ModelT &model,
             const std::function<bool(const std::string &name)> &isUnused) {
  auto &tensors = model.tensors;
  auto isErased = [&](const auto &tensor) { return isUnused(tensor->name); };
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), isErased),
                tensors.end());
}

static Status dropUnusedTensors(ModelFile &file) {
  std::vector<Duplicate> duplicates = duplicatesOf(file.model);
  for (const Duplicate &duplicate : duplicates)
    if (Status status = checkDuplicate(file, duplicate); !status.ok())
      return status;
  eraseTensors(file.model, [&](const std::string &name) {
    auto isIt = [&](const Duplicate &duplicate) {
      return duplicate.name == name;
    };
    return isInverseFrequency(name) ||
           std::any_of(duplicates.begin(), duplicates.end(), isIt);
  });
  return {};
}

//===----------------------------------------------------------------------===//
// Layers that config.json does not count
//===----------------------------------------------------------------------===//

using Names = std::set<std::string>;

static bool hasPrefix(const Names &names, const std::string &prefix) {
  auto entry = names.lower_bound(prefix);
  return entry != names.end() && entry->rfind(prefix, 0) == 0;
}

/// Whether there is layer `number`, and not as the module for multi-token
/// prediction.
static bool hasPlainLayer(const Names &names, int64_t number) {
  std::string prefix = "model.layers." + std::to_string(number) + ".";
  if (!hasPrefix(names, prefix))
    return false;
  for (const char *part : {"eh_proj.", "enorm.", "hnorm."})
    if (hasPrefix(names, prefix + part))
      return false;
  return true;
}

/// Refuses layers beyond num_hidden_layers: without them the model would
/// compute something else.
static Status checkLayers(const ModelFile &file, const Names &names) {
  const schema::DeepSeekT &deepSeek = *file.model.architecture.AsDeepSeek();
  int64_t layers = deepSeek.layers;
  while (hasPlainLayer(names, layers))
    ++layers;
  if (layers == deepSeek.layers)
    return {};
  return unsupportedData(
      fileIn(file.folder, "config.json") + ": num_hidden_layers: expected " +
      std::to_string(layers) + ", since there are tensors '" +
      predictionPrefix(deepSeek) + "*', got " +
      std::to_string(deepSeek.layers));
}

/// Leaves the module for multi-token prediction away if config.json and the
/// tensors do not agree on it: the model works without.
static void reconcilePrediction(const HuggingFaceConfig &config, bool isThere,
                                ModelFile &file) {
  schema::DeepSeekT &deepSeek = *file.model.architecture.AsDeepSeek();
  if (isThere == (deepSeek.prediction_layers != 0))
    return;
  std::string place =
      fileIn(file.folder, "config.json") + ": num_nextn_predict_layers: ";
  std::string tensors = "tensors '" + predictionPrefix(deepSeek) + "*'";
  file.notes.push_back(
      place + "expected " +
      (isThere ? "1, since there are " + tensors + ", got " +
                     config.predictionText + "; they are ignored"
               : tensors + ", got none; the model works without multi-token "
                           "prediction"));
  deepSeek.prediction_layers = 0;
  eraseTensors(file.model, [&](const std::string &name) {
    return isOfPrediction(file.model, name);
  });
}

/// Compares the layers of a DeepSeek that the tensors and config.json have.
static Status reconcileLayers(const HuggingFaceConfig &config,
                              ModelFile &file) {
  const schema::DeepSeekT *deepSeek = file.model.architecture.AsDeepSeek();
  if (!deepSeek)
    return {};
  Names names;
  for (const auto &tensor : file.model.tensors)
    names.insert(tensor->name);
  if (Status status = checkLayers(file, names); !status.ok())
    return status;
  reconcilePrediction(config, hasPrefix(names, predictionPrefix(*deepSeek)),
                      file);
  return {};
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

Status tcc::readHuggingFaceConfig(const std::string &path, ModelFile &result) {
  ModelFile file;
  HuggingFaceConfig config;
  if (Status status = readConfigFile(path, file, config); !status.ok())
    return status;
  describeTensors(config, file.model);
  result = std::move(file);
  return {};
}

/// Describes the weights in `folder`.
static Status readWeights(const std::string &folder,
                          const HuggingFaceConfig &config, ModelFile &file) {
  if (Status status = readSafetensorsFolder(folder, file); !status.ok())
    return status;
  if (config.queryRankFromTensors)
    readQueryRank(file);
  if (Status status = reconcileLayers(config, file); !status.ok())
    return status;
  return dropUnusedTensors(file);
}

Status tcc::readHuggingFaceFolder(const std::string &folder,
                                  bool withoutWeights, ModelFile &result) {
  if (Status status = checkFolder(folder, withoutWeights); !status.ok())
    return status;
  ModelFile file;
  HuggingFaceConfig config;
  if (Status status =
          readConfigFile(fileIn(folder, "config.json"), file, config);
      !status.ok())
    return status;
  if (Status status = readGenerationConfig(folder, file); !status.ok())
    return status;
  if (Status status = readTokenizer(folder, file); !status.ok())
    return status;
  file.folder = folder;
  if (withoutWeights)
    describeTensors(config, file.model);
  else if (Status status = readWeights(folder, config, file); !status.ok())
    return status;
  result = std::move(file);
  return {};
}
