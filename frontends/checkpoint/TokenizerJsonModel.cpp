// tokenizer.json of the `tokenizers` package: the vocabulary, the merges and
// the added tokens.

#include "frontends/checkpoint/TokenizerJsonReader.h"
#include "frontends/checkpoint/TokenizerTables.h"
#include "frontends/model/Message.h"
#include "runtime/text/PreTokenizer.h"

#include <algorithm>

using namespace tcc;
using schema::TokenKind;

// Ids that no token has, all together: each would be a token of its own.
static constexpr uint64_t maxUnused = 1 << 16;

//===--- Vocabulary -------------------------------------------------------===//

/// The token `id`, made if it is not there yet, or null if that leaves too many
/// ids unused. Those below it have been read before.
schema::TokenT *TokenizerJsonReader::tokenOf(uint64_t id) {
  if (id > ids.size() + maxUnused)
    return nullptr;
  while (table.tokens.size() <= id) {
    table.tokens.push_back(std::make_unique<schema::TokenT>());
    table.tokens.back()->kind = TokenKind::Unused;
    table.tokens.back()->in_vocabulary = false;
  }
  return table.tokens[id].get();
}

Status TokenizerJsonReader::readVocabularyEntry(uint64_t id,
                                                const std::string &text) {
  schema::TokenT *token = tokenOf(id);
  if (!token || token->kind != TokenKind::Unused) {
    Json value = id;
    return wrong("model.vocab: token " + quoteText(text),
                 "an id that no other token has and that leaves at most " +
                     std::to_string(maxUnused) + " below it unused",
                 &value);
  }
  token->kind = TokenKind::Normal;
  // A token that is not spelled in GPT-2's alphabet is never found by its
  // bytes.
  token->in_vocabulary = !byteLevel || isPrintable(text);
  if (byteLevel)
    token->bytes = bytesOfPrintable(text);
  else
    token->bytes.assign(text.begin(), text.end());
  ids[text] = static_cast<uint32_t>(id);
  return {};
}

Status TokenizerJsonReader::readVocabulary(const Json &model) {
  const Json *vocabulary = presentMember(model, "vocab");
  if (!vocabulary || !vocabulary->is_object())
    return wrong("model.vocab", "an object of tokens and ids", vocabulary);
  // Objects are sorted by key, ids are not: go through them in their order.
  std::vector<std::pair<uint64_t, const std::string *>> entries;
  for (auto entry = vocabulary->begin(); entry != vocabulary->end(); ++entry) {
    if (!entry->is_number_unsigned())
      return wrong("model.vocab: token " + quoteText(entry.key()), "an id",
                   &*entry);
    entries.emplace_back(entry->get<uint64_t>(), &entry.key());
  }
  std::sort(entries.begin(), entries.end());
  for (auto [id, text] : entries)
    if (Status status = readVocabularyEntry(id, *text); !status.ok())
      return status;
  return {};
}

Status TokenizerJsonReader::readMerge(const Json &merge,
                                      const std::string &place) {
  std::string left, right;
  if (merge.is_string()) {
    std::string text = merge.get<std::string>();
    size_t space = text.find(' ');
    left = text.substr(0, space);
    right = space == std::string::npos ? "" : text.substr(space + 1);
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
  }
  auto leftId = ids.find(left), rightId = ids.find(right);
  auto whole = ids.find(left + right);
  if (leftId == ids.end() || rightId == ids.end() || whole == ids.end())
    return wrong(place, "two tokens that make a third", &merge);
  table.merges.emplace_back(leftId->second, rightId->second, whole->second);
  return {};
}

//===--- Options ----------------------------------------------------------===//

/// Refuses what would change the ids and is in no Llama's tokenizer.
Status TokenizerJsonReader::refuseOptions(const Json &model) const {
  std::string type = typeOf(model);
  if (presentMember(model, "type") && type != "BPE")
    return wrong("model.type", "'BPE'", presentMember(model, "type"));
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json *value = presentMember(model, key);
    if (value && *value != "")
      return wrong(std::string("model.") + key, "null", value);
  }
  const Json *dropout = presentMember(model, "dropout");
  if (dropout && (!dropout->is_number() || dropout->get<double>() != 0))
    return wrong("model.dropout", "null", dropout);
  return {};
}

Status TokenizerJsonReader::readUnknown(const Json &model) {
  const Json *unknown = presentMember(model, "unk_token");
  if (!unknown)
    return {};
  auto id =
      unknown->is_string() ? ids.find(unknown->get<std::string>()) : ids.end();
  if (id == ids.end())
    return wrong("model.unk_token", "a token of the vocabulary", unknown);
  table.unknown_id = static_cast<int32_t>(id->second);
  return {};
}

/// True if every byte is a token.
static bool hasAllBytes(const schema::TokenizerT &table) {
  bool isToken[256] = {};
  for (const auto &token : table.tokens)
    if (token->in_vocabulary && token->bytes.size() == 1)
      isToken[token->bytes[0]] = true;
  return std::count(std::begin(isToken), std::end(isToken), true) == 256;
}

Status TokenizerJsonReader::readModel(const Json &model) {
  if (Status status = refuseOptions(model); !status.ok())
    return status;
  if (Status status = readVocabulary(model); !status.ok())
    return status;
  if (Status status = readEach(model, "model.merges", "merges",
                               &TokenizerJsonReader::readMerge);
      !status.ok())
    return status;
  struct Flag {
    const char *key;
    bool *value;
  };
  for (Flag flag : {Flag{"byte_fallback", &table.byte_fallback},
                    Flag{"ignore_merges", &table.ignore_merges},
                    Flag{"fuse_unk", &table.fuse_unknown}})
    if (Status status = readFlag(model, "model", flag.key, false, *flag.value);
        !status.ok())
      return status;
  if (byteLevel && table.byte_fallback && !hasAllBytes(table))
    return wrong("model.byte_fallback",
                 "false, since the pre-tokenizer is ByteLevel and not every "
                 "byte is a token",
                 presentMember(model, "byte_fallback"));
  return readUnknown(model);
}

//===--- Added tokens -----------------------------------------------------===//

Status TokenizerJsonReader::readAddedFlags(const Json &source,
                                           const std::string &place,
                                           schema::TokenT &token) const {
  bool special = false;
  if (Status status = readFlag(source, place, "special", false, special);
      !status.ok())
    return status;
  token.kind = special ? TokenKind::Special : TokenKind::Added;
  struct Flag {
    const char *key;
    bool absent;
    bool *value;
  };
  for (Flag flag : {Flag{"lstrip", false, &token.left_strip},
                    Flag{"rstrip", false, &token.right_strip},
                    Flag{"single_word", false, &token.single_word},
                    Flag{"normalized", !special, &token.normalized}})
    if (Status status =
            readFlag(source, place, flag.key, flag.absent, *flag.value);
        !status.ok())
      return status;
  return {};
}

/// Rewrites `text` as the normalizer does; \returns false if it becomes longer
/// than `limit` on the way.
bool TokenizerJsonReader::normalize(size_t limit, std::string &text) const {
  for (const auto &step : table.normalizer) {
    if (text.empty())
      return true;
    std::string rewritten;
    if (step->kind == schema::StepKind::Prepend)
      rewritten = step->text + text;
    else if (!rt::replaceAll(text, step->pattern, step->text, limit, rewritten))
      return false;
    text = std::move(rewritten);
    if (text.size() > limit)
      return false;
  }
  return true;
}

Status TokenizerJsonReader::readAddedToken(const Json &source,
                                           const std::string &place) {
  std::string text;
  if (Status status = readText(source, place, "content", text); !status.ok())
    return status;
  if (text.empty())
    return wrong(place + ".content", "a text",
                 presentMember(source, "content"));
  // The package gives this id, whatever the file says.
  auto known = ids.find(text);
  uint32_t expected = known == ids.end() ? nextId++ : known->second;
  const Json *id = presentMember(source, "id");
  schema::TokenT *token = tokenOf(expected);
  if (!id || *id != expected || !token)
    return wrong(place + ".id",
                 std::to_string(expected) +
                     ", the id of this text in the vocabulary or the next",
                 id);
  bool taken = known == ids.end() && token->kind != TokenKind::Unused;
  if (taken || token->kind == TokenKind::Added ||
      token->kind == TokenKind::Special)
    return wrong(place + ".content", "a text and an id of its own",
                 presentMember(source, "content"));
  ids[text] = expected;
  if (Status status = readAddedFlags(source, place, *token); !status.ok())
    return status;
  // The package decodes a normalized token to the form that it looks for.
  std::string found = text;
  size_t limit = rt::maxRewrittenBytes(text.size());
  if (token->normalized && !normalize(limit, found))
    return wrong(place + ".content",
                 "a text that the normalizer makes at most " +
                     std::to_string(limit) + " bytes of",
                 presentMember(source, "content"));
  if (found.empty() || !added[token->normalized].insert(found).second)
    return wrong(place + ".content",
                 "a text of its own that the normalizer leaves something of",
                 presentMember(source, "content"));
  token->match.assign(text.begin(), text.end());
  if (byteLevel)
    token->decoded = bytesOfPrintable(found);
  else
    token->decoded.assign(found.begin(), found.end());
  if (!token->in_vocabulary)
    token->bytes = token->decoded;
  if (token->match == token->bytes)
    token->match.clear();
  if (token->decoded == token->bytes)
    token->decoded.clear();
  return {};
}
