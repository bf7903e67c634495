// config.json and generation_config.json of Hugging Face.

#ifndef TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H
#define TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H

#include "frontends/checkpoint/Json.h"
#include "frontends/checkpoint/RotaryFrequencies.h"
#include "frontends/model/Model_generated.h"

#include <optional>

namespace tcc {

/// What config.json says.
struct HuggingFaceConfig {
  schema::LlamaT llama;
  std::string name; ///< Of the model, "Llama" if unknown.
  schema::Storage storage =
      schema::Storage::F32; ///< Of weights that are not there.
  std::vector<int32_t> endIds;
};

/// Reads the `config` of a LlamaForCausalLM; `path` is the file it comes from.
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

/// Refuses fields that change the result and are not supported
/// (RefusedFields.cpp).
Status refuseUnsupportedFields(const std::string &path, const Json &config);

/// Reads base and scaling in their old (`rope_theta`, `rope_scaling`) or new
/// (`rope_parameters`) spelling (RotaryConfig.cpp).
Status readRotaryConfig(const std::string &path, const Json &config,
                        uint32_t maximumPositions, double &theta,
                        RotaryScaling &scaling);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_HUGGINGFACECONFIG_H
