// What the readers of tokenizers share.

#ifndef TCC_FRONTENDS_CHECKPOINT_TOKENIZERTABLES_H
#define TCC_FRONTENDS_CHECKPOINT_TOKENIZERTABLES_H

#include "runtime/schema/Tokenizer_generated.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcc {

/// U+2581, the visible space of SentencePiece vocabularies.
constexpr const char *visibleSpace = "\xE2\x96\x81";

/// True if every character of `text` is in GPT-2's printable alphabet.
bool isPrintable(const std::string &text);

/// The bytes that `text` stands for in GPT-2's printable alphabet; the bytes of
/// `text` itself if a character is not in it.
std::vector<uint8_t> bytesOfPrintable(const std::string &text);

/// A step that cuts at the matches of `pattern`, for PCRE2.
std::unique_ptr<schema::StepT>
makeSplit(const std::string &pattern,
          schema::SplitBehavior behavior = schema::SplitBehavior::Isolated,
          bool inverted = false);

/// The step by which GPT-2 cuts a text into pieces.
std::unique_ptr<schema::StepT> makeGpt2Split();

/// The step of Llama 3.
std::unique_ptr<schema::StepT> makeLlama3Split();

/// A step of another kind.
std::unique_ptr<schema::StepT> makeStep(schema::StepKind kind,
                                        const std::string &text,
                                        const std::string &pattern = {});

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_TOKENIZERTABLES_H
