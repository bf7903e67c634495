// tokenizer.json of the `tokenizers` package.

#include "frontends/checkpoint/Json.h"
#include "frontends/checkpoint/TokenizerReader.h"
#include "frontends/checkpoint/TokenizerTables.h"

#include <algorithm>
#include <unordered_map>

using namespace tcc;
using schema::SplitBehavior;
using schema::StepKind;
using schema::TokenKind;

// Vocabularies have a few hundred thousand entries; gaps between ids are small.
static constexpr uint64_t maxGap = 1 << 16;

namespace {
/// Reads one file into a table. Members return a Status; `place` is the path of
/// the value within the JSON, for messages.
class JsonReader {
public:
  JsonReader(const std::string &path, schema::TokenizerT &table)
      : path(path), table(table) {}

  Status read(const Json &root);

private:
  Status wrong(const std::string &place, const std::string &expected,
               const Json *got) const {
    return Status::badData(path + ": " + place + ": expected " + expected +
                           ", got " + jsonText(got));
  }
  Status readFlag(const Json &object, const std::string &place,
                  const std::string &key, bool absent, bool &result) const;
  Status readText(const Json &object, const std::string &place,
                  const std::string &key, std::string &result) const;
  Status readList(const Json &object, const std::string &place,
                  const std::string &key, const Json *&result) const;

  Status readModel(const Json &model);
  Status refuseOptions(const Json &model) const;
  Status readVocabulary(const Json &model);
  Status readMerges(const Json &model);
  Status readMerge(const Json &merge, const std::string &place);
  Status readAddedTokens(const Json &root);
  Status readAddedToken(const Json &token, const std::string &place);
  Status readNormalizer(const Json &step, const std::string &place);
  Status readPreTokenizer(const Json &step, const std::string &place);
  Status readSplit(const Json &step, const std::string &place);
  Status readMetaspace(const Json &step, const std::string &place);
  Status readDecoder(const Json &step, const std::string &place);
  Status readPostProcessor(const Json &step, const std::string &place);
  Status readTemplate(const Json &step, const std::string &place);
  schema::TokenT *tokenOf(uint64_t id);

  const std::string &path;
  schema::TokenizerT &table;
  std::unordered_map<std::string, uint32_t> ids;
  bool byteLevel = false;
};
} // namespace

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The member `key`, or null if it is absent or null.
static const Json *member(const Json &object, const std::string &key) {
  const Json *value = findMember(object, key);
  return value && !value->is_null() ? value : nullptr;
}

/// The member `type` of a component, or nothing.
static std::string typeOf(const Json &component) {
  const Json *type = member(component, "type");
  return type && type->is_string() ? type->get<std::string>() : "";
}

Status JsonReader::readFlag(const Json &object, const std::string &place,
                            const std::string &key, bool absent,
                            bool &result) const {
  const Json *value = member(object, key);
  if (value && !value->is_boolean())
    return wrong(place + "." + key, "true or false", value);
  result = value ? value->get<bool>() : absent;
  return {};
}

Status JsonReader::readText(const Json &object, const std::string &place,
                            const std::string &key, std::string &result) const {
  const Json *value = member(object, key);
  if (!value || !value->is_string())
    return wrong(place + "." + key, "a string", value);
  result = value->get<std::string>();
  return {};
}

Status JsonReader::readList(const Json &object, const std::string &place,
                            const std::string &key, const Json *&result) const {
  result = member(object, key);
  if (!result || !result->is_array())
    return wrong(place + "." + key, "an array", result);
  return {};
}

//===----------------------------------------------------------------------===//
// Vocabulary
//===----------------------------------------------------------------------===//

/// The token `id`, made if it is not there yet, or null if `id` is far away.
schema::TokenT *JsonReader::tokenOf(uint64_t id) {
  if (id > table.tokens.size() + maxGap)
    return nullptr;
  while (table.tokens.size() <= id) {
    table.tokens.push_back(std::make_unique<schema::TokenT>());
    table.tokens.back()->kind = TokenKind::Unused;
    table.tokens.back()->in_vocabulary = false;
  }
  return table.tokens[id].get();
}

Status JsonReader::readVocabulary(const Json &model) {
  const Json *vocabulary = member(model, "vocab");
  if (!vocabulary || !vocabulary->is_object())
    return wrong("model.vocab", "an object of tokens and ids", vocabulary);
  // Objects are sorted by key, ids are not: go through them in their order.
  std::vector<std::pair<uint64_t, const std::string *>> entries;
  for (auto entry = vocabulary->begin(); entry != vocabulary->end(); ++entry) {
    if (!entry->is_number_unsigned())
      return wrong("model.vocab: token '" + entry.key().substr(0, 100) + "'",
                   "an id", &*entry);
    entries.emplace_back(entry->get<uint64_t>(), &entry.key());
  }
  std::sort(entries.begin(), entries.end());
  for (auto [id, text] : entries) {
    schema::TokenT *token = tokenOf(id);
    if (!token || token->in_vocabulary) {
      Json value = id;
      return wrong("model.vocab: token '" + text->substr(0, 100) + "'",
                   "an id that follows the others and that no other token has",
                   &value);
    }
    token->kind = TokenKind::Normal;
    token->in_vocabulary = true;
    if (byteLevel)
      token->bytes = bytesOfPrintable(*text);
    else
      token->bytes.assign(text->begin(), text->end());
    ids.emplace(*text, static_cast<uint32_t>(id));
  }
  return {};
}

Status JsonReader::readMerge(const Json &merge, const std::string &place) {
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

Status JsonReader::readMerges(const Json &model) {
  const Json *merges = nullptr;
  if (Status status = readList(model, "model", "merges", merges); !status.ok())
    return status;
  for (size_t i = 0; i < merges->size(); ++i)
    if (Status status =
            readMerge((*merges)[i], "model.merges[" + std::to_string(i) + "]");
        !status.ok())
      return status;
  return {};
}

/// Refuses what would change the ids and is in no Llama's tokenizer.
Status JsonReader::refuseOptions(const Json &model) const {
  std::string type = typeOf(model);
  if (!type.empty() && type != "BPE")
    return wrong("model.type", "BPE", member(model, "type"));
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json *value = member(model, key);
    if (value && *value != "")
      return wrong(std::string("model.") + key, "null", value);
  }
  const Json *dropout = member(model, "dropout");
  if (dropout && (!dropout->is_number() || dropout->get<double>() != 0))
    return wrong("model.dropout", "null", dropout);
  return {};
}

Status JsonReader::readModel(const Json &model) {
  if (Status status = refuseOptions(model); !status.ok())
    return status;
  if (Status status = readVocabulary(model); !status.ok())
    return status;
  if (Status status = readMerges(model); !status.ok())
    return status;
  for (auto [key, flag] : {std::make_pair("byte_fallback", &table.byte_fallback),
                           std::make_pair("ignore_merges", &table.ignore_merges),
                           std::make_pair("fuse_unk", &table.fuse_unknown)})
    if (Status status = readFlag(model, "model", key, false, *flag);
        !status.ok())
      return status;
  if (const Json *unknown = member(model, "unk_token")) {
    auto id = unknown->is_string() ? ids.find(unknown->get<std::string>())
                                   : ids.end();
    if (id == ids.end())
      return wrong("model.unk_token", "a token of the vocabulary", unknown);
    table.unknown_id = static_cast<int32_t>(id->second);
  }
  return {};
}

Status JsonReader::readAddedToken(const Json &source,
                                  const std::string &place) {
  const Json *id = member(source, "id");
  schema::TokenT *token = id && id->is_number_unsigned()
                              ? tokenOf(id->get<uint64_t>())
                              : nullptr;
  if (!token)
    return wrong(place + ".id", "an id that follows the others", id);
  std::string text;
  if (Status status = readText(source, place, "content", text); !status.ok())
    return status;
  if (text.empty())
    return wrong(place + ".content", "a text", member(source, "content"));
  bool special = false;
  if (Status status = readFlag(source, place, "special", false, special);
      !status.ok())
    return status;
  for (auto [key, flag] : {std::make_pair("lstrip", &token->left_strip),
                           std::make_pair("rstrip", &token->right_strip),
                           std::make_pair("single_word", &token->single_word)})
    if (Status status = readFlag(source, place, key, false, *flag);
        !status.ok())
      return status;
  if (Status status = readFlag(source, place, "normalized", !special,
                               token->normalized);
      !status.ok())
    return status;
  token->kind = special ? TokenKind::Special : TokenKind::Added;
  std::vector<uint8_t> bytes(text.begin(), text.end());
  if (token->in_vocabulary && token->bytes != bytes)
    token->match = bytes;
  if (!token->in_vocabulary)
    token->bytes = bytes;
  ids.emplace(text, id->get<uint32_t>());
  return {};
}

Status JsonReader::readAddedTokens(const Json &root) {
  if (!member(root, "added_tokens"))
    return {};
  const Json *tokens = nullptr;
  if (Status status = readList(root, "", "added_tokens", tokens); !status.ok())
    return status;
  for (size_t i = 0; i < tokens->size(); ++i)
    if (Status status = readAddedToken(
            (*tokens)[i], "added_tokens[" + std::to_string(i) + "]");
        !status.ok())
      return status;
  return {};
}

//===----------------------------------------------------------------------===//
// Normalizer and pre-tokenizer
//===----------------------------------------------------------------------===//

Status JsonReader::readNormalizer(const Json &step, const std::string &place) {
  std::string type = typeOf(step);
  if (type == "Sequence") {
    const Json *steps = nullptr;
    if (Status status = readList(step, place, "normalizers", steps);
        !status.ok())
      return status;
    for (size_t i = 0; i < steps->size(); ++i)
      if (Status status = readNormalizer(
              (*steps)[i], place + ".normalizers[" + std::to_string(i) + "]");
          !status.ok())
        return status;
    return {};
  }
  std::string text, pattern;
  if (type == "Prepend") {
    if (Status status = readText(step, place, "prepend", text); !status.ok())
      return status;
    table.normalizer.push_back(makeStep(StepKind::Prepend, text));
    return {};
  }
  if (type == "Replace") {
    const Json *what = member(step, "pattern");
    if (!what || !member(*what, "String"))
      return wrong(place + ".pattern", "a pattern of kind String", what);
    if (Status status = readText(*what, place, "String", pattern); !status.ok())
      return status;
    if (Status status = readText(step, place, "content", text); !status.ok())
      return status;
    table.normalizer.push_back(makeStep(StepKind::Replace, text, pattern));
    return {};
  }
  return wrong(place + ".type", "Sequence, Prepend or Replace",
               member(step, "type"));
}

/// A pattern that matches `text` and nothing else.
static std::string escapePattern(const std::string &text) {
  std::string pattern;
  for (char character : text) {
    if (std::string_view("\\^$.[]|()?*+{}#-").find(character) !=
        std::string_view::npos)
      pattern += '\\';
    pattern += character;
  }
  return pattern;
}

Status JsonReader::readSplit(const Json &step, const std::string &place) {
  const Json *what = member(step, "pattern");
  std::string pattern, behavior;
  if (what && member(*what, "Regex")) {
    if (Status status = readText(*what, place + ".pattern", "Regex", pattern);
        !status.ok())
      return status;
  } else if (what && member(*what, "String")) {
    if (Status status = readText(*what, place + ".pattern", "String", pattern);
        !status.ok())
      return status;
    pattern = escapePattern(pattern);
  } else {
    return wrong(place + ".pattern", "a Regex or a String", what);
  }
  bool inverted = false;
  if (Status status = readFlag(step, place, "invert", false, inverted);
      !status.ok())
    return status;
  if (Status status = readText(step, place, "behavior", behavior); !status.ok())
    return status;
  for (auto [name, value] :
       {std::make_pair("Isolated", SplitBehavior::Isolated),
        std::make_pair("Removed", SplitBehavior::Removed),
        std::make_pair("MergedWithPrevious", SplitBehavior::MergedWithPrevious),
        std::make_pair("MergedWithNext", SplitBehavior::MergedWithNext),
        std::make_pair("Contiguous", SplitBehavior::Contiguous)})
    if (behavior == name) {
      table.pre_tokenizer.push_back(makeSplit(pattern, value, inverted));
      return {};
    }
  return wrong(place + ".behavior", "a behavior of Split",
               member(step, "behavior"));
}

Status JsonReader::readMetaspace(const Json &step, const std::string &place) {
  std::string space = visibleSpace, scheme = "always";
  if (member(step, "replacement"))
    if (Status status = readText(step, place, "replacement", space);
        !status.ok())
      return status;
  if (space != visibleSpace)
    return wrong(place + ".replacement", "U+2581", member(step, "replacement"));
  bool prefix = true, split = true;
  if (Status status = readFlag(step, place, "add_prefix_space", true, prefix);
      !status.ok())
    return status;
  if (Status status = readFlag(step, place, "split", true, split); !status.ok())
    return status;
  if (member(step, "prepend_scheme")) {
    if (Status status = readText(step, place, "prepend_scheme", scheme);
        !status.ok())
      return status;
  } else if (!prefix) {
    scheme = "never";
  }
  table.pre_tokenizer.push_back(makeStep(StepKind::Replace, space, " "));
  if (scheme == "always")
    table.pre_tokenizer.push_back(makeStep(StepKind::PrependMissing, space));
  else if (scheme == "first")
    table.pre_tokenizer.push_back(
        makeStep(StepKind::PrependMissingAtStart, space));
  else if (scheme != "never")
    return wrong(place + ".prepend_scheme", "always, first or never",
                 member(step, "prepend_scheme"));
  if (split)
    table.pre_tokenizer.push_back(
        makeSplit(space, SplitBehavior::MergedWithNext));
  return {};
}

Status JsonReader::readPreTokenizer(const Json &step,
                                    const std::string &place) {
  std::string type = typeOf(step);
  if (type == "Sequence") {
    const Json *steps = nullptr;
    if (Status status = readList(step, place, "pretokenizers", steps);
        !status.ok())
      return status;
    for (size_t i = 0; i < steps->size(); ++i)
      if (Status status = readPreTokenizer(
              (*steps)[i], place + ".pretokenizers[" + std::to_string(i) + "]");
          !status.ok())
        return status;
    return {};
  }
  if (type == "Split")
    return readSplit(step, place);
  if (type == "Metaspace")
    return readMetaspace(step, place);
  bool flag = false;
  if (type == "Digits") {
    if (Status status = readFlag(step, place, "individual_digits", false, flag);
        !status.ok())
      return status;
    table.pre_tokenizer.push_back(makeSplit(
        "\\p{N}", flag ? SplitBehavior::Isolated : SplitBehavior::Contiguous));
    return {};
  }
  if (type != "ByteLevel")
    return wrong(place + ".type",
                 "Sequence, Split, Digits, ByteLevel or Metaspace",
                 member(step, "type"));
  byteLevel = true;
  if (Status status = readFlag(step, place, "add_prefix_space", true, flag);
      !status.ok())
    return status;
  if (flag)
    table.pre_tokenizer.push_back(makeStep(StepKind::PrependMissing, " "));
  if (Status status = readFlag(step, place, "use_regex", true, flag);
      !status.ok())
    return status;
  if (flag)
    table.pre_tokenizer.push_back(makeSplit(gpt2Pattern));
  return {};
}

//===----------------------------------------------------------------------===//
// Decoder and post-processor
//===----------------------------------------------------------------------===//

Status JsonReader::readDecoder(const Json &step, const std::string &place) {
  std::string type = typeOf(step);
  if (type == "ByteLevel") {
    table.decoder = schema::Decoder::ByteLevel;
    return {};
  }
  if (type == "Metaspace") {
    table.decoder = schema::Decoder::Metaspace;
    std::string scheme = "always";
    bool prefix = true;
    if (Status status = readFlag(step, place, "add_prefix_space", true, prefix);
        !status.ok())
      return status;
    if (member(step, "prepend_scheme"))
      if (Status status = readText(step, place, "prepend_scheme", scheme);
          !status.ok())
        return status;
    table.strip_decoded_space = prefix && scheme != "never";
    return {};
  }
  const Json *steps = nullptr;
  if (type != "Sequence")
    return wrong(place + ".type", "ByteLevel, Metaspace or Sequence",
                 member(step, "type"));
  if (Status status = readList(step, place, "decoders", steps); !status.ok())
    return status;
  // Llama 2: spaces, then bytes, then one space less at the start.
  const char *const expected[] = {"Replace", "ByteFallback", "Fuse", "Strip"};
  bool isLlama = steps->size() == 3 || steps->size() == 4;
  for (size_t i = 0; isLlama && i < steps->size(); ++i)
    isLlama = typeOf((*steps)[i]) == expected[i];
  if (!isLlama)
    return wrong(place + ".decoders",
                 "Replace, ByteFallback, Fuse and perhaps Strip", steps);
  table.decoder = schema::Decoder::ByteFallback;
  table.strip_decoded_space = steps->size() == 4;
  return {};
}

/// Reads which special tokens stand before a single text.
Status JsonReader::readTemplate(const Json &step, const std::string &place) {
  const Json *single = nullptr;
  if (Status status = readList(step, place, "single", single); !status.ok())
    return status;
  bool afterText = false;
  for (const Json &part : *single) {
    if (member(part, "Sequence")) {
      afterText = true;
      continue;
    }
    const Json *special = member(part, "SpecialToken");
    std::string text;
    if (!special || afterText)
      return wrong(place + ".single", "special tokens before the text only",
                   &part);
    if (Status status = readText(*special, place + ".single", "id", text);
        !status.ok())
      return status;
    auto id = ids.find(text);
    if (id == ids.end())
      return wrong(place + ".single", "a token of the vocabulary",
                   member(*special, "id"));
    table.beginning_ids.push_back(static_cast<int32_t>(id->second));
  }
  return {};
}

Status JsonReader::readPostProcessor(const Json &step,
                                     const std::string &place) {
  std::string type = typeOf(step);
  if (type == "TemplateProcessing")
    return readTemplate(step, place);
  if (type == "ByteLevel") // It changes offsets, not ids.
    return {};
  const Json *steps = nullptr;
  if (type != "Sequence")
    return wrong(place + ".type", "Sequence, TemplateProcessing or ByteLevel",
                 member(step, "type"));
  if (Status status = readList(step, place, "processors", steps); !status.ok())
    return status;
  for (size_t i = 0; i < steps->size(); ++i)
    if (Status status = readPostProcessor(
            (*steps)[i], place + ".processors[" + std::to_string(i) + "]");
        !status.ok())
      return status;
  return {};
}

Status JsonReader::read(const Json &root) {
  const Json *model = member(root, "model");
  if (!model || !model->is_object())
    return wrong("model", "an object", model);
  if (const Json *step = member(root, "normalizer"))
    if (Status status = readNormalizer(*step, "normalizer"); !status.ok())
      return status;
  if (const Json *step = member(root, "pre_tokenizer"))
    if (Status status = readPreTokenizer(*step, "pre_tokenizer"); !status.ok())
      return status;
  table.model = byteLevel ? schema::TokenizerModel::ByteLevel
                          : schema::TokenizerModel::SentencePiece;
  if (Status status = readModel(*model); !status.ok())
    return status;
  if (Status status = readAddedTokens(root); !status.ok())
    return status;
  table.decoder = byteLevel ? schema::Decoder::ByteLevel
                            : schema::Decoder::ByteFallback;
  if (const Json *step = member(root, "decoder"))
    if (Status status = readDecoder(*step, "decoder"); !status.ok())
      return status;
  if (const Json *step = member(root, "post_processor"))
    return readPostProcessor(*step, "post_processor");
  return {};
}

Status tcc::readTokenizerJson(const std::string &path, const uint8_t *data,
                              size_t size, schema::TokenizerT &result) {
  JsonLimits limits;
  limits.bytes = size_t{256} << 20;
  Json root;
  if (Status status = parseJson(path, data, size, limits, root); !status.ok())
    return status;
  schema::TokenizerT table;
  if (Status status = JsonReader(path, table).read(root); !status.ok())
    return status;
  result = std::move(table);
  return {};
}
