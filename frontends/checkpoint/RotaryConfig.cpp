// The rotary embedding in config.json.

#include "frontends/checkpoint/HuggingFaceConfig.h"
#include "frontends/model/Hyperparameters.h"

using namespace tcc;

static Status readOriginalPositions(const JsonFields &fields,
                                    RotaryScaling &scaling) {
  auto positions = static_cast<uint32_t>(scaling.originalPositions);
  Status status = fields.integer("original_max_position_embeddings", 1,
                                 ModelLimits::positions, positions);
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

static Status readYarn(const JsonFields &fields, RotaryScaling &scaling) {
  const struct {
    const char *key;
    double &value;
  } positives[] = {
      {"beta_fast", scaling.betaFast},
      {"beta_slow", scaling.betaSlow},
      {"attention_factor", scaling.attentionFactor},
  };
  for (const auto &positive : positives)
    if (Status status = fields.positive(positive.key, positive.value);
        !status.ok())
      return status;
  if (Status status = fields.notNegative("mscale", scaling.mscale);
      !status.ok())
    return status;
  if (Status status =
          fields.notNegative("mscale_all_dim", scaling.mscaleAllDim);
      !status.ok())
    return status;
  if (Status status = fields.boolean("truncate", scaling.truncate);
      !status.ok())
    return status;
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

/// The kind that is called `type`, if it is one of `types`.
static Status readKind(const JsonFields &fields, const std::string &type,
                       std::initializer_list<const char *> types,
                       RotaryScaling::Kind &result) {
  using Kind = RotaryScaling::Kind;
  const struct {
    const char *name;
    Kind kind;
  } kinds[] = {{"default", Kind::Default},
               {"linear", Kind::Linear},
               {"llama3", Kind::Llama3},
               {"yarn", Kind::Yarn}};
  bool isSupported = false;
  std::string list;
  for (const char *name : types) {
    isSupported |= type == name;
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  if (!isSupported)
    return fields.unexpected(fields.find("rope_type") ? "rope_type" : "type",
                             "one of: " + list);
  for (const auto &kind : kinds)
    if (type == kind.name)
      result = kind.kind;
  return {};
}

/// Reads the scaling of an object whose type, if it has none, is `type`.
static Status readScaling(const JsonFields &fields, std::string type,
                          std::initializer_list<const char *> types,
                          RotaryScaling &scaling) {
  using Kind = RotaryScaling::Kind;
  if (Status status = readType(fields, type); !status.ok())
    return status;
  // Where transformers 5 keeps it; transformers scales nothing by the other but
  // with Yarn.
  for (const char *key : {"partial_rotary_factor", "attention_factor"})
    if (const Json *value = fields.find(key);
        value && *value != 1 &&
        !(type == "yarn" && key == std::string("attention_factor")))
      return fields.unexpected(key, "1, the only value that is supported");
  if (Status status = readKind(fields, type, types, scaling.kind); !status.ok())
    return status;
  if (scaling.kind == Kind::Default)
    return {};
  if (!fields.find("factor"))
    return fields.unexpected("factor", "a number above 0");
  if (Status status = fields.positive("factor", scaling.factor); !status.ok())
    return status;
  if (scaling.kind == Kind::Yarn)
    return readYarn(fields, scaling);
  return scaling.kind == Kind::Llama3 ? readLlama3(fields, scaling) : Status();
}

Status tcc::readRotaryConfig(const std::string &path, const Json &config,
                             std::initializer_list<const char *> types,
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
  if (Status status = readScaling(inner, newForm ? "default" : "", types, scaling);
      !status.ok())
    return status;
  // Yarn divides by its logarithm.
  if (scaling.kind == RotaryScaling::Kind::Yarn && theta <= 1)
    return (inner.find("rope_theta") ? inner : fields)
        .unexpected("rope_theta", "a number above 1 beside yarn");
  // Beside the object, where transformers prefers it.
  return readOriginalPositions(fields, scaling);
}
