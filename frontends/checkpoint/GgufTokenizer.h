// The vocabulary of a GGUF file.

#ifndef TCC_FRONTENDS_CHECKPOINT_GGUFTOKENIZER_H
#define TCC_FRONTENDS_CHECKPOINT_GGUFTOKENIZER_H

#include "frontends/checkpoint/Gguf.h"

#include <memory>

namespace tcc {

/// Translates the keys `tokenizer.ggml.*`; absent ones have the values that
/// llama.cpp gives them.
Status readGgufTokenizer(const GgufFile &file,
                         std::unique_ptr<schema::TokenizerT> &result);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_GGUFTOKENIZER_H
