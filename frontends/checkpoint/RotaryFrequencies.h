// Inverse frequencies of rotary embeddings, with context extension applied.

#ifndef TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H
#define TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H

#include <cstdint>
#include <vector>

namespace tcc {

/// How the frequencies of a longer context come from those of training.
struct RotaryScaling {
  enum class Kind { Default, Linear, Llama3 };

  Kind kind = Kind::Default;
  double factor = 1;
  double lowFrequencyFactor = 1; ///< Llama3 only, as the two below.
  double highFrequencyFactor = 4;
  double originalPositions = 8192;
};

/// `theta^(-2j / headSize)` for j = 0 … headSize / 2 - 1, scaled, in f64.
///
/// Source: modeling_rope_utils.py of huggingface/transformers.
std::vector<double> inverseFrequencies(int64_t headSize, double theta,
                                       const RotaryScaling &scaling);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_ROTARYFREQUENCIES_H
