// The reader of tokenizer.json, which takes several files.

#ifndef TCC_FRONTENDS_CHECKPOINT_TOKENIZERJSONREADER_H
#define TCC_FRONTENDS_CHECKPOINT_TOKENIZERJSONREADER_H

#include "frontends/checkpoint/Json.h"
#include "runtime/schema/Tokenizer_generated.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace tcc {

/// Reads one tokenizer.json into a table. `place` is the path of the value
/// within the JSON, for messages.
class TokenizerJsonReader {
public:
  /// Keeps references to both.
  TokenizerJsonReader(const std::string &path, schema::TokenizerT &table)
      : path(path), table(table) {}

  Status read(const Json &root);

private:
  using Read = Status (TokenizerJsonReader::*)(const Json &,
                                               const std::string &);

  // Values, in TokenizerJson.cpp.
  Status wrong(const std::string &place, const std::string &expected,
               const Json *got) const;
  Status readFlag(const Json &object, const std::string &place,
                  const std::string &key, bool absent, bool &result) const;
  Status readText(const Json &object, const std::string &place,
                  const std::string &key, std::string &result) const;
  Status readList(const Json &object, const std::string &place,
                  const std::string &key, const Json *&result) const;
  Status readEach(const Json &object, const std::string &place,
                  const std::string &key, Read read);

  // The vocabulary, in TokenizerJsonModel.cpp.
  Status readModel(const Json &model);
  Status refuseOptions(const Json &model) const;
  Status readVocabulary(const Json &model);
  Status readVocabularyEntry(uint64_t id, const std::string &text);
  Status readMerge(const Json &merge, const std::string &place);
  Status readUnknown(const Json &model);
  Status readAddedToken(const Json &source, const std::string &place);
  Status readAddedFlags(const Json &source, const std::string &place,
                        schema::TokenT &token) const;
  bool normalize(size_t limit, std::string &text) const;
  schema::TokenT *tokenOf(uint64_t id);

  // What is done to a text, in TokenizerJsonSteps.cpp.
  Status readNormalizer(const Json &step, const std::string &place);
  Status readReplace(const Json &step, const std::string &place);
  Status readPreTokenizer(const Json &step, const std::string &place);
  Status readByteLevel(const Json &step, const std::string &place);
  Status readSplit(const Json &step, const std::string &place);
  Status readPattern(const Json &step, const std::string &place,
                     std::string &pattern) const;
  Status readMetaspace(const Json &step, const std::string &place);
  Status readScheme(const Json &step, const std::string &place,
                    std::string &scheme) const;
  Status readDecoder(const Json &step, const std::string &place);
  Status checkLlamaDecoder(const Json &steps, const std::string &place) const;
  Status readPostProcessor(const Json &step, const std::string &place);
  Status readTemplatePart(const Json &part, const std::string &place);

  const std::string &path;
  schema::TokenizerT &table;
  std::unordered_map<std::string, uint32_t> ids; // Of tokens, by their text.
  // What added tokens are found by: before [0] and after [1] the normalizer.
  std::unordered_set<std::string> added[2];
  uint32_t nextId = 0;    // Of an added token that is not in the vocabulary.
  bool byteLevel = false; // Set by the pre-tokenizer.
  bool afterText = false; // Of the template of the post-processor.
};

/// The member `key`, or null if it is absent or null.
const Json *presentMember(const Json &object, const std::string &key);

/// The member `type` of a component, or nothing.
std::string typeOf(const Json &component);

} // namespace tcc

#endif // TCC_FRONTENDS_CHECKPOINT_TOKENIZERJSONREADER_H
