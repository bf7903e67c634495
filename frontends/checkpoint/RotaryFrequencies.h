// Inverse frequencies of rotary embeddings, with context extension applied.

#ifndef TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H
#define TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H

#include <cstdint>
#include <vector>

namespace tcc {

/// How the frequencies of a longer context come from those of training.
struct RotaryScaling {
  enum class Kind { Default, Linear, Llama3, Yarn };

  Kind kind = Kind::Default;
  double factor = 1;
  double lowFrequencyFactor = 1; ///< Llama3, as the two below.
  double highFrequencyFactor = 4;
  double originalPositions = 8192; ///< Yarn, too, as all below.
  double betaFast = 32;
  double betaSlow = 1;
  bool truncate = true; ///< Whether the ends of the ramp are whole indices.
  double mscale = 0;    ///< 0 if absent.
  double mscaleAllDim = 0;
  double attentionFactor = 0; ///< 0 if absent.
};

/// `theta^(-2j / headSize)` for j = 0 … headSize / 2 - 1, scaled, in f64.
///
/// Source: modeling_rope_utils.py of huggingface/transformers.
std::vector<double> inverseFrequencies(int64_t headSize, double theta,
                                       const RotaryScaling &scaling);

/// What cosine and sine are multiplied by, and the scores of an attention of
/// DeepSeek beside the root of its size: 1 but with Yarn.
///
/// Source: the same, and modeling_deepseek_v3.py.
double rotaryMultiplier(const RotaryScaling &scaling);
double softmaxMultiplier(const RotaryScaling &scaling);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H
