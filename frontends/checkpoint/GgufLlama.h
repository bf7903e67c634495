// A Llama in a GGUF file.

#ifndef TCC_FRONTENDS_CHECKPOINT_GGUFLLAMA_H
#define TCC_FRONTENDS_CHECKPOINT_GGUFLLAMA_H

#include "frontends/model/ModelFile.h"

namespace tcc {

/// Describes the GGUF file `path`, whose `size` bytes lie at `data`. Tensors
/// get the names of Hugging Face. Rows of query and key stay in GGUF's order,
/// so that the rotation is interleaved; `rope_freqs.weight` goes into the
/// frequencies.
///
/// Without weights, the vocabulary may be absent.
///
/// The result is not yet held against the architecture (`checkModel`).
Status readGgufLlama(const std::string &path, const uint8_t *data, size_t size,
                     bool withoutWeights, schema::ModelT &result);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_GGUFLLAMA_H
