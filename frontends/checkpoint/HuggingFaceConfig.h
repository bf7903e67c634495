// config.json and generation_config.json of Hugging Face.

#ifndef TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H
#define TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H

#include "frontends/checkpoint/Json.h"
#include "frontends/checkpoint/JsonFields.h"
#include "frontends/checkpoint/RotaryFrequencies.h"
#include "frontends/model/Model_generated.h"

#include <initializer_list>

namespace tcc {

/// What config.json says.
struct HuggingFaceConfig {
  schema::ArchitectureUnion architecture;
  std::string name; ///< Of the model, its architecture if unknown.
  schema::Storage storage =
      schema::Storage::F32; ///< Of weights that are not there.
  bool hasScales = false;   ///< Of linear layers that are not there: e4m3.
  std::vector<int32_t> endIds;
  // Of a DeepSeek.
  bool queryRankFromTensors = false; ///< Absent in the config.
  std::string predictionText; ///< num_nextn_predict_layers, for messages.
};

/// Reads the `config` of a model; `path` is the file it comes from.
///
/// Absent fields have the values that transformers 5 gives them. Fields that
/// would change what the model computes and are not supported are errors that
/// name them; others are ignored.
Status readConfig(const std::string &path, const Json &config,
                  HuggingFaceConfig &result);

/// Replaces `endIds` by those of generation_config.json, if it has any: it is
/// what transformers stops at. A token may be named twice; it is kept once.
Status readEndIds(const std::string &path, const Json &config,
                  uint32_t vocabulary, std::vector<int32_t> &endIds);

//===----------------------------------------------------------------------===//
// Parts of it
//===----------------------------------------------------------------------===//

/// Configurations that have fields and defaults of their own.
enum class ConfigFamily { Llama, DeepSeekV2, DeepSeekV3 };

/// Reads which of them `config` is of (RefusedFields.cpp).
Status readFamily(const std::string &path, const Json &config,
                  ConfigFamily &result);

/// Refuses fields that change the result and are not supported
/// (RefusedFields.cpp).
Status refuseUnsupportedFields(const std::string &path, const Json &config,
                               ConfigFamily family);

Status readLlamaConfig(const std::string &path, const Json &config,
                       schema::LlamaT &llama);
Status readDeepSeekConfig(const std::string &path, const Json &config,
                          ConfigFamily family, schema::DeepSeekT &deepSeek);

/// Sets `hasScales` if `quantization_config` is there; it may only be that of
/// DeepSeek V3 (DeepSeekConfig.cpp).
Status readQuantization(const std::string &path, const Json &config,
                        bool &hasScales);

/// A field that must be there, an integer from `minimum` to `limit`.
struct ConfigSize {
  const char *key;
  int64_t limit;
  uint32_t &value;
  int64_t minimum = 1;
};
Status readSizes(const JsonFields &fields,
                 std::initializer_list<ConfigSize> sizes);

/// What every stack of decoder layers has.
struct StackSizes {
  uint32_t &hidden, &intermediate, &layers, &heads, &vocabulary, &maxPositions;
};
Status readStackSizes(const JsonFields &fields, const StackSizes &sizes);

/// Reads `rms_norm_eps`.
Status readEpsilon(const JsonFields &fields, double &result);

/// Reads base and scaling in their old (`rope_theta`, `rope_scaling`) or new
/// (`rope_parameters`) spelling; `types` are the names of those that are
/// supported (RotaryConfig.cpp).
Status readRotaryConfig(const std::string &path, const Json &config,
                        std::initializer_list<const char *> types,
                        uint32_t maximumPositions, double &theta,
                        RotaryScaling &scaling);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H
