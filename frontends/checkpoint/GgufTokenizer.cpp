#include "frontends/checkpoint/GgufTokenizer.h"

#include "frontends/checkpoint/TokenizerReader.h"

using namespace tcc;

/// Whether llama.cpp puts BOS before a prompt if the file does not say.
static bool addsBos(const GgufVocabulary &vocabulary) {
  return vocabulary.model == "llama" || vocabulary.pre == "llama-bpe" ||
         vocabulary.pre == "llama3" || vocabulary.pre == "llama-v3";
}

static Status readIds(const GgufFile &file, GgufVocabulary &vocabulary) {
  struct {
    const char *key;
    int64_t &id;
  } ids[] = {{"tokenizer.ggml.bos_token_id", vocabulary.bos},
             {"tokenizer.ggml.eos_token_id", vocabulary.eos},
             {"tokenizer.ggml.unknown_token_id", vocabulary.unknown}};
  auto last = static_cast<int64_t>(vocabulary.tokens.size()) - 1;
  for (auto &id : ids)
    if (Status status = file.getInteger(id.key, 0, last, id.id); !status.ok())
      return status;
  return {};
}

static Status readVocabulary(const GgufFile &file, GgufVocabulary &vocabulary) {
  if (Status status =
          file.getStrings("tokenizer.ggml.tokens", vocabulary.tokens);
      !status.ok())
    return status;
  if (vocabulary.tokens.empty())
    return file.unexpected("tokenizer.ggml.tokens", "at least one token");
  if (Status status =
          file.getStrings("tokenizer.ggml.merges", vocabulary.merges);
      !status.ok())
    return status;
  if (Status status =
          file.getFloats("tokenizer.ggml.scores", vocabulary.scores);
      !status.ok())
    return status;
  return file.getIntegers("tokenizer.ggml.token_type", vocabulary.types);
}

Status tcc::readGgufTokenizer(const GgufFile &file,
                              std::unique_ptr<schema::TokenizerT> &result) {
  GgufVocabulary vocabulary;
  if (Status status = file.getString("tokenizer.ggml.model", vocabulary.model);
      !status.ok())
    return status;
  if (vocabulary.model != "gpt2" && vocabulary.model != "llama")
    return file.unexpected("tokenizer.ggml.model", "'gpt2' or 'llama'");
  if (Status status = file.getString("tokenizer.ggml.pre", vocabulary.pre);
      !status.ok())
    return status;
  if (Status status = readVocabulary(file, vocabulary); !status.ok())
    return status;
  if (vocabulary.model == "llama") {
    vocabulary.bos = 1;
    vocabulary.eos = 2;
    vocabulary.unknown = 0;
  }
  if (Status status = readIds(file, vocabulary); !status.ok())
    return status;
  vocabulary.addBos = addsBos(vocabulary);
  vocabulary.addSpacePrefix = vocabulary.model == "llama";
  if (Status status =
          file.getBool("tokenizer.ggml.add_bos_token", vocabulary.addBos);
      !status.ok())
    return status;
  if (Status status = file.getBool("tokenizer.ggml.add_space_prefix",
                                   vocabulary.addSpacePrefix);
      !status.ok())
    return status;
  // The sources of the ids of prompts put nothing behind them.
  bool addEos = false;
  if (Status status = file.getBool("tokenizer.ggml.add_eos_token", addEos);
      !status.ok())
    return status;
  if (addEos)
    return file.unexpected("tokenizer.ggml.add_eos_token",
                           "false, the only value that is supported");
  auto tokenizer = std::make_unique<schema::TokenizerT>();
  if (Status status =
          convertGgufVocabulary(file.path(), vocabulary, *tokenizer);
      !status.ok())
    return status;
  result = std::move(tokenizer);
  return {};
}
