#include "frontends/model/GgufNames.h"

using namespace tcc;

namespace {
/// What stands before the last point of a name.
struct Stem {
  const char *gguf, *huggingFace;
};
} // namespace

static constexpr Stem stems[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
};

/// Behind the number of the layer.
static constexpr Stem layerStems[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

static constexpr Stem layerPrefix = {"blk.", "model.layers."};

/// Translates `name` from the names `from` to the names `to`.
static std::string translate(const std::string &name, const char *Stem::*from,
                             const char *Stem::*to) {
  size_t suffix = name.rfind('.');
  if (suffix == std::string::npos)
    return name;
  std::string stem = name.substr(0, suffix), prefix = layerPrefix.*from;
  if (name.compare(0, prefix.size(), prefix) != 0) {
    for (const Stem &candidate : stems)
      if (stem == candidate.*from)
        return candidate.*to + name.substr(suffix);
    return name;
  }
  size_t point = stem.find('.', prefix.size());
  for (const Stem &candidate : layerStems)
    if (point != std::string::npos &&
        stem.compare(point + 1, std::string::npos, candidate.*from) == 0)
      return layerPrefix.*to +
             stem.substr(prefix.size(), point + 1 - prefix.size()) +
             candidate.*to + name.substr(suffix);
  return name;
}

std::string tcc::huggingFaceName(const std::string &name) {
  return translate(name, &Stem::gguf, &Stem::huggingFace);
}

std::string tcc::ggufName(const std::string &name) {
  return translate(name, &Stem::huggingFace, &Stem::gguf);
}
