// tokenizer.json of the `tokenizers` package: the whole, and single values.

#include "frontends/checkpoint/TokenizerJsonReader.h"
#include "frontends/checkpoint/TokenizerReader.h"
#include "frontends/model/Message.h"

using namespace tcc;

// The largest known, of 256,000 tokens, has 33 MB.
static constexpr size_t maxBytes = size_t{256} << 20;

//===--- Values -----------------------------------------------------------===//

const Json *tcc::presentMember(const Json &object, const std::string &key) {
  const Json *value = findMember(object, key);
  return value && !value->is_null() ? value : nullptr;
}

std::string tcc::typeOf(const Json &component) {
  const Json *type = presentMember(component, "type");
  return type && type->is_string() ? type->get<std::string>() : "";
}

Status TokenizerJsonReader::wrong(const std::string &place,
                                  const std::string &expected,
                                  const Json *got) const {
  return unsupportedData(path + ": " + place + ": expected " + expected +
                         ", got " + jsonText(got));
}

Status TokenizerJsonReader::readFlag(const Json &object,
                                     const std::string &place,
                                     const std::string &key, bool absent,
                                     bool &result) const {
  const Json *value = presentMember(object, key);
  if (value && !value->is_boolean())
    return wrong(place + "." + key, "true or false", value);
  result = value ? value->get<bool>() : absent;
  return {};
}

Status TokenizerJsonReader::readText(const Json &object,
                                     const std::string &place,
                                     const std::string &key,
                                     std::string &result) const {
  const Json *value = presentMember(object, key);
  if (!value || !value->is_string())
    return wrong(place + "." + key, "a string", value);
  result = value->get<std::string>();
  return {};
}

Status TokenizerJsonReader::readList(const Json &object,
                                     const std::string &place,
                                     const std::string &key,
                                     const Json *&result) const {
  result = presentMember(object, key);
  if (!result || !result->is_array())
    return wrong(place, "an array", result);
  return {};
}

/// Calls `read` for each element of the list `key`, which is at `place`.
Status TokenizerJsonReader::readEach(const Json &object,
                                     const std::string &place,
                                     const std::string &key, Read read) {
  const Json *list = nullptr;
  if (Status status = readList(object, place, key, list); !status.ok())
    return status;
  for (size_t i = 0; i < list->size(); ++i)
    if (Status status =
            (this->*read)((*list)[i], place + "[" + std::to_string(i) + "]");
        !status.ok())
      return status;
  return {};
}

//===--- The whole --------------------------------------------------------===//

Status TokenizerJsonReader::read(const Json &root) {
  if (!root.is_object())
    return unsupportedData(path + ": expected a JSON object, got " +
                           jsonText(&root));
  const Json *model = presentMember(root, "model");
  if (!model || !model->is_object())
    return wrong("model", "an object", model);
  if (const Json *step = presentMember(root, "normalizer"))
    if (Status status = readNormalizer(*step, "normalizer"); !status.ok())
      return status;
  if (const Json *step = presentMember(root, "pre_tokenizer"))
    if (Status status = readPreTokenizer(*step, "pre_tokenizer"); !status.ok())
      return status;
  table.model = byteLevel ? schema::TokenizerModel::ByteLevel
                          : schema::TokenizerModel::SentencePiece;
  if (Status status = readModel(*model); !status.ok())
    return status;
  nextId = static_cast<uint32_t>(ids.size());
  if (presentMember(root, "added_tokens"))
    if (Status status = readEach(root, "added_tokens", "added_tokens",
                                 &TokenizerJsonReader::readAddedToken);
        !status.ok())
      return status;
  table.decoder =
      byteLevel ? schema::Decoder::ByteLevel : schema::Decoder::ByteFallback;
  if (const Json *step = presentMember(root, "decoder"))
    if (Status status = readDecoder(*step, "decoder"); !status.ok())
      return status;
  if (const Json *step = presentMember(root, "post_processor"))
    return readPostProcessor(*step, "post_processor");
  return {};
}

Status tcc::readTokenizerJson(const std::string &path, const uint8_t *data,
                              size_t size, schema::TokenizerT &result) {
  JsonLimits limits;
  limits.bytes = maxBytes;
  Json root;
  if (Status status = parseJson(path, data, size, limits, root); !status.ok())
    return status;
  schema::TokenizerT table;
  if (Status status = TokenizerJsonReader(path, table).read(root); !status.ok())
    return status;
  result = std::move(table);
  return {};
}
