// The rotary embedding in config.json.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/checkpoint/JsonFields.h"
#include "frontends/model/LlamaTensors.h"

using namespace tcc;

static Status readOriginalPositions(const JsonFields &fields,
                                    RotaryScaling &scaling) {
  auto positions = static_cast<uint32_t>(scaling.originalPositions);
  Status status = fields.integer("original_max_position_embeddings", 1,
                                 LlamaLimits::positions, positions);
  scaling.originalPositions = positions;
  return status;
}

static Status readLlama3(const JsonFields &fields, RotaryScaling &scaling) {
  for (const char *key : {"low_freq_factor", "high_freq_factor"})
    if (!fields.find(key))
      return fields.unexpected(key, "a number above 0");
  if (Status status =
          fields.positive("low_freq_factor", scaling.lowFrequencyFactor);
      !status.ok())
    return status;
  if (Status status =
          fields.positive("high_freq_factor", scaling.highFrequencyFactor);
      !status.ok())
    return status;
  if (scaling.highFrequencyFactor <= scaling.lowFrequencyFactor)
    return fields.unexpected("high_freq_factor",
                             "a number above low_freq_factor");
  return readOriginalPositions(fields, scaling);
}

/// The type in its old (`type`) or new (`rope_type`) spelling.
static Status readType(const JsonFields &fields, std::string &result) {
  std::string type, oldType;
  if (Status status = fields.string("rope_type", type); !status.ok())
    return status;
  if (Status status = fields.string("type", oldType); !status.ok())
    return status;
  if (!type.empty() && !oldType.empty() && type != oldType)
    return fields.unexpected("type", "the same as rope_type, '" + type + "'");
  if (!type.empty() || !oldType.empty())
    result = type.empty() ? oldType : type;
  return {};
}

static Status readScaling(const JsonFields &fields, std::string type,
                          RotaryScaling &scaling) {
  if (Status status = readType(fields, type); !status.ok())
    return status;
  // Where transformers 5 keeps it; transformers scales nothing by the other.
  for (const char *key : {"partial_rotary_factor", "attention_factor"})
    if (const Json *value = fields.find(key); value && *value != 1)
      return fields.unexpected(key, "1, the only value that is supported");
  if (type == "default")
    return {};
  if (type != "linear" && type != "llama3")
    return fields.unexpected(fields.find("rope_type") ? "rope_type" : "type",
                             "one of: default, linear, llama3");
  if (!fields.find("factor"))
    return fields.unexpected("factor", "a number above 0");
  if (Status status = fields.positive("factor", scaling.factor); !status.ok())
    return status;
  scaling.kind = type == "linear" ? RotaryScaling::Kind::Linear
                                  : RotaryScaling::Kind::Llama3;
  return type == "linear" ? Status() : readLlama3(fields, scaling);
}

Status tcc::readRotaryConfig(const std::string &path, const Json &config,
                             uint32_t maximumPositions, double &theta,
                             RotaryScaling &scaling) {
  JsonFields fields(config, path + ": ");
  theta = 10000;
  scaling.originalPositions = maximumPositions;
  if (Status status = fields.positive("rope_theta", theta); !status.ok())
    return status;
  const Json *oldForm = fields.find("rope_scaling");
  const Json *newForm = fields.find("rope_parameters");
  if (oldForm && newForm && *oldForm != *newForm)
    return fields.unexpected("rope_scaling", "nothing beside rope_parameters");
  const char *key = newForm ? "rope_parameters" : "rope_scaling";
  const Json *object = newForm ? newForm : oldForm;
  if (!object)
    return {};
  if (!object->is_object())
    return fields.unexpected(key, "an object");
  JsonFields inner(*object, path + ": " + key + ".");
  if (Status status = inner.positive("rope_theta", theta); !status.ok())
    return status;
  if (Status status = readScaling(inner, newForm ? "default" : "", scaling);
      !status.ok())
    return status;
  // Beside the object, where transformers prefers it.
  return readOriginalPositions(fields, scaling);
}
