// Vocabularies of GGUF files.

#include "frontends/checkpoint/TokenizerPattern.h"
#include "frontends/checkpoint/TokenizerReader.h"
#include "frontends/checkpoint/TokenizerTables.h"
#include "frontends/model/Message.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_map>

using namespace tcc;
using schema::TokenKind;

// GGUF's numbers for the kinds of tokens.
enum : int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  userDefined = 4,
  unused = 5
};

// Every way to cut a token is looked at, and may be a merge of 12 bytes; real
// ones have at most a hundred bytes.
static constexpr size_t maxTokenBytes = 512;

static Status wrong(const std::string &path, const std::string &message) {
  return unsupportedData(path + ": " + message);
}

using IdMap = std::unordered_map<std::string, uint32_t>;

static TokenKind kindOf(int32_t type) {
  switch (type) {
  case unknown:
  case control:
    return TokenKind::Special;
  case userDefined:
    return TokenKind::Added;
  case unused:
    return TokenKind::Unused;
  default:
    return TokenKind::Normal;
  }
}

static Status addTokens(const std::string &path, const GgufVocabulary &source,
                        bool printable, schema::TokenizerT &result,
                        IdMap &ids) {
  if (!source.types.empty() && source.types.size() != source.tokens.size())
    return wrong(path, "tokenizer.ggml.token_type: expected one for each of " +
                           std::to_string(source.tokens.size()) +
                           " tokens, got " +
                           std::to_string(source.types.size()));
  for (size_t id = 0; id < source.tokens.size(); ++id) {
    const std::string &text = source.tokens[id];
    auto token = std::make_unique<schema::TokenT>();
    token->kind =
        source.types.empty() ? TokenKind::Normal : kindOf(source.types[id]);
    bool isText = token->kind == TokenKind::Normal;
    // What GPT-2's alphabet does not spell is never found by its bytes.
    token->in_vocabulary = !printable || (isText && isPrintable(text));
    if (printable && isText)
      token->bytes = bytesOfPrintable(text);
    else
      token->bytes.assign(text.begin(), text.end());
    if (text.empty())
      token->kind = TokenKind::Unused;
    // Of two tokens with the same text, the later one counts.
    ids[text] = static_cast<uint32_t>(id);
    result.tokens.push_back(std::move(token));
  }
  return {};
}

static Status addMerges(const std::string &path, const GgufVocabulary &source,
                        const IdMap &ids, schema::TokenizerT &result) {
  for (size_t rank = 0; rank < source.merges.size(); ++rank) {
    const std::string &merge = source.merges[rank];
    size_t space = merge.find(' ', 1);
    auto left = ids.find(merge.substr(0, space));
    auto right = space == std::string::npos ? ids.end()
                                            : ids.find(merge.substr(space + 1));
    auto whole = left == ids.end() || right == ids.end()
                     ? ids.end()
                     : ids.find(left->first + right->first);
    if (whole == ids.end())
      return wrong(path, "tokenizer.ggml.merges: entry " +
                             std::to_string(rank) +
                             ": expected two tokens that make a third, got " +
                             quoteText(merge));
    result.merges.emplace_back(left->second, right->second, whole->second);
  }
  return {};
}

/// Cuts `text` into characters.
static std::vector<size_t> characterStarts(const std::string &text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i)
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80)
      starts.push_back(i);
  return starts;
}

/// Derives merges from scores: every way to make a token of two, the best token
/// first. Ties go as in transformers' generate_merges, so that ids are the
/// same.
static void deriveMerges(const GgufVocabulary &source, const IdMap &ids,
                         schema::TokenizerT &result) {
  std::vector<uint16_t> lengths; // In characters, of each token.
  for (const std::string &text : source.tokens)
    lengths.push_back(static_cast<uint16_t>(characterStarts(text).size()));
  for (size_t id = 0; id < source.tokens.size(); ++id) {
    const std::string &text = source.tokens[id];
    if (!source.types.empty() && source.types[id] != normal)
      continue;
    std::vector<size_t> starts = characterStarts(text);
    for (size_t i = 1; i < starts.size(); ++i) {
      auto left = ids.find(text.substr(0, starts[i]));
      auto right = left == ids.end() ? left : ids.find(text.substr(starts[i]));
      if (right != ids.end())
        result.merges.emplace_back(left->second, right->second,
                                   static_cast<uint32_t>(id));
    }
  }
  auto rank = [&](const schema::Merge &merge) {
    return std::make_tuple(-source.scores[merge.result()],
                           -lengths[merge.left()], -lengths[merge.right()],
                           merge.result(), merge.left(), merge.right());
  };
  std::sort(result.merges.begin(), result.merges.end(),
            [&](const schema::Merge &a, const schema::Merge &b) {
              return rank(a) < rank(b);
            });
}

static Status setPreTokenizer(const std::string &path, const std::string &pre,
                              schema::TokenizerT &result) {
  if (pre == "smollm") {
    result.pre_tokenizer.push_back(makeSplit(digitsPattern()));
    result.pre_tokenizer.push_back(makeGpt2Split());
    return {};
  }
  if (pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3") {
    result.pre_tokenizer.push_back(makeLlama3Split());
    result.ignore_merges = true;
    return {};
  }
  if (pre.empty() || pre == "gpt-2" || pre == "default") {
    result.pre_tokenizer.push_back(makeGpt2Split());
    return {};
  }
  return wrong(path, "tokenizer.ggml.pre: expected gpt-2, smollm or llama-bpe, "
                     "got " +
                         quoteText(pre));
}

static Status convertGpt2(const std::string &path, const GgufVocabulary &source,
                          schema::TokenizerT &result) {
  IdMap ids;
  result.model = schema::TokenizerModel::ByteLevel;
  result.decoder = schema::Decoder::ByteLevel;
  if (Status status = addTokens(path, source, true, result, ids); !status.ok())
    return status;
  if (Status status = addMerges(path, source, ids, result); !status.ok())
    return status;
  return setPreTokenizer(path, source.pre, result);
}

static Status convertLlama(const std::string &path,
                           const GgufVocabulary &source,
                           schema::TokenizerT &result) {
  IdMap ids;
  result.model = schema::TokenizerModel::SentencePiece;
  result.decoder = schema::Decoder::ByteFallback;
  result.byte_fallback = result.fuse_unknown = true;
  result.strip_decoded_space = source.addSpacePrefix;
  if (source.scores.size() != source.tokens.size())
    return wrong(path, "tokenizer.ggml.scores: expected one for each of " +
                           std::to_string(source.tokens.size()) +
                           " tokens, got " +
                           std::to_string(source.scores.size()));
  for (size_t id = 0; id < source.tokens.size(); ++id)
    if (!std::isfinite(source.scores[id]) ||
        source.tokens[id].size() > maxTokenBytes)
      return wrong(
          path, "token " + std::to_string(id) +
                    ": expected a finite score and at most " +
                    std::to_string(maxTokenBytes) + " bytes, got a score of " +
                    std::to_string(source.scores[id]) + " and " +
                    std::to_string(source.tokens[id].size()) + " bytes");
  if (Status status = addTokens(path, source, false, result, ids); !status.ok())
    return status;
  deriveMerges(source, ids, result);
  if (source.addSpacePrefix)
    result.normalizer.push_back(
        makeStep(schema::StepKind::Prepend, visibleSpace));
  result.normalizer.push_back(
      makeStep(schema::StepKind::Replace, visibleSpace, " "));
  result.unknown_id = static_cast<int32_t>(source.unknown);
  return {};
}

Status tcc::convertGgufVocabulary(const std::string &path,
                                  const GgufVocabulary &source,
                                  schema::TokenizerT &result) {
  auto count = static_cast<int64_t>(source.tokens.size());
  for (int64_t id : {source.bos, source.eos, source.unknown})
    if (id < -1 || id >= count)
      return wrong(path, "tokenizer.ggml: expected ids below " +
                             std::to_string(count) + ", got " +
                             std::to_string(id));
  schema::TokenizerT table;
  if (source.model != "gpt2" && source.model != "llama")
    return wrong(path, "tokenizer.ggml.model: expected gpt2 or llama, got " +
                           quoteText(source.model));
  Status status = source.model == "gpt2" ? convertGpt2(path, source, table)
                                         : convertLlama(path, source, table);
  if (!status.ok())
    return status;
  if (source.addBos && source.bos >= 0)
    table.beginning_ids.push_back(static_cast<int32_t>(source.bos));
  result = std::move(table);
  return {};
}
