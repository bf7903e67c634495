// Tokenizers of checkpoints, as the table that the runtime reads.

#ifndef TCC_FRONTENDS_CHECKPOINT_TOKENIZERREADER_H
#define TCC_FRONTENDS_CHECKPOINT_TOKENIZERREADER_H

#include "runtime/schema/Tokenizer_generated.h"
#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tcc {

/// Translates a tokenizer.json of the `tokenizers` package: byte-level or
/// SentencePiece-style BPE.
///
/// \param path For messages.
/// \param data The `size` bytes of the file.
///
/// `truncation` and `padding` are not read: whoever calls the package sets them
/// anew for each text.
///
/// \returns BadData for what is malformed and, by name, for every component
///          that would change the ids and is not supported.
Status readTokenizerJson(const std::string &path, const uint8_t *data,
                         size_t size, schema::TokenizerT &result);

/// The keys `tokenizer.ggml.*` of a GGUF file.
struct GgufVocabulary {
  std::string model; ///< gpt2 or llama.
  std::string pre;   ///< The pre-tokenizer of a gpt2 model.
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;  ///< One for each token of a llama model.
  std::vector<int32_t> types; ///< One for each token, or none.
  int64_t bos = -1, eos = -1, unknown = -1;
  bool addBos = false;
  bool addSpacePrefix = true;
};

/// Translates the vocabulary of the GGUF file `path`.
///
/// \returns BadData as above.
Status convertGgufVocabulary(const std::string &path,
                             const GgufVocabulary &vocabulary,
                             schema::TokenizerT &result);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_TOKENIZERREADER_H
