// Text to token ids and back.

#ifndef TCC_RUNTIME_TEXT_TOKENIZER_H
#define TCC_RUNTIME_TEXT_TOKENIZER_H

#include "runtime/schema/Tokenizer_generated.h"
#include "runtime/support/Status.h"
#include "runtime/text/AddedTokens.h"
#include "runtime/text/MergeTable.h"
#include "runtime/text/PreTokenizer.h"
#include "runtime/text/Utf8.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tcc::rt {

/// The tokenizer of a model.
///
/// Ids and texts equal those of the `tokenizers` package, on any text.
/// Thread-safe: nothing changes after `create`.
class Tokenizer {
public:
  /// Checks `table` and builds what encoding needs. Nothing of `table` is kept.
  ///
  /// \param table A table whose structure a flatbuffers::Verifier has accepted;
  ///              its contents need not make sense.
  /// \param file  For messages.
  ///
  /// \returns BadData if ids are out of range, kinds unknown, patterns do not
  ///          compile, …; the message names the field.
  static Status create(const schema::Tokenizer &table, const std::string &file,
                       std::unique_ptr<Tokenizer> &result);

  /// Appends the ids of `text` to `ids`, without BOS.
  ///
  /// Texts of special tokens become their ids. Each maximal sequence of bytes
  /// that is not UTF-8 counts as one U+FFFD, as with Python's errors="replace".
  /// Takes O(n log n) time for n bytes.
  ///
  /// \returns BadData if matching a pattern exceeds its limits or `text` is
  ///          longer than 512 MiB; `ids` is then unchanged.
  Status encode(std::string_view text, std::vector<int32_t> &ids) const;

  /// What stands before the ids of a prompt: BOS, or nothing.
  const std::vector<int32_t> &beginningIds() const { return beginning; }

  /// The text of `ids`, always UTF-8; ids outside the vocabulary have none.
  ///
  /// \param skipSpecial Special tokens have no text.
  std::string decode(const std::vector<int32_t> &ids, bool skipSpecial) const;

  /// Ids are below this.
  int64_t vocabularySize() const { return static_cast<int64_t>(tokens.size()); }

private:
  friend class StreamingDecoder;

  struct Range {
    size_t begin, bytes; // In `storage`.
  };
  struct Token {
    Range bytes, decoded;
    schema::TokenKind kind;
    bool inVocabulary;
    int16_t byteValue; // Of a <0xNN> token, or -1.
  };

  std::string file;
  schema::TokenizerModel model = schema::TokenizerModel::ByteLevel;
  schema::Decoder decoder = schema::Decoder::ByteLevel;
  bool byteFallback = false, ignoreMerges = false, fuseUnknown = false,
       stripDecodedSpace = false;
  int32_t unknownId = -1;
  std::vector<int32_t> beginning;
  std::string storage; // What all tokens stand for, one after the other.
  std::vector<Token> tokens;
  std::unordered_map<std::string_view, int32_t> idOf; // Into `storage`.
  int32_t byteIds[256];         // Ids of tokens of one byte (ByteLevel).
  int32_t fallbackByteIds[256]; // Ids of <0xNN> tokens.
  MergeTable merges;
  AddedTokenSet rawTokens, normalizedTokens;
  StepList normalizer, preTokenizer;

  Tokenizer() = default;
  std::string_view textOf(Range range) const {
    return std::string_view(storage).substr(range.begin, range.bytes);
  }

  Status readTokens(const schema::Tokenizer &table);
  Status readToken(const schema::Token &source, int32_t id);
  Status readAddedTokens(const schema::Tokenizer &table);
  Status readMerges(const schema::Tokenizer &table);
  Status readOptions(const schema::Tokenizer &table);
  void indexTokens();
  Status checkId(const std::string &place, int64_t id) const;

  Status normalize(std::string_view text, bool startsInput,
                   PieceList &result) const;
  Status encodeStretch(std::string_view text, bool startsInput,
                       std::vector<int32_t> &ids) const;
  Status encodePieces(std::string_view text, bool startsInput,
                      std::vector<int32_t> &ids) const;
  void encodePiece(std::string_view piece, std::vector<int32_t> &symbols,
                   std::vector<int32_t> &ids) const;
  void bytesToSymbols(std::string_view piece,
                      std::vector<int32_t> &symbols) const;
  void charactersToSymbols(std::string_view piece,
                           std::vector<int32_t> &symbols) const;
  bool fallBackToBytes(std::string_view character,
                       std::vector<int32_t> &symbols) const;
};

/// Decodes ids one at a time. What it has given out so far is always UTF-8, and
/// all of it together equals `Tokenizer::decode` of all ids.
///
/// A text is held back as long as a later id could change it: a character until
/// its last byte, and with <0xNN> tokens a run of them until it ends, since one
/// that is no UTF-8 turns all of the run into U+FFFD.
class StreamingDecoder {
public:
  /// \param tokenizer Must outlive this.
  StreamingDecoder(const Tokenizer &tokenizer, bool skipSpecial)
      : tokenizer(tokenizer), skipSpecial(skipSpecial) {}

  /// The text that is certain after `id` and was not before.
  std::string add(int32_t id);

  /// Ends the text: what was held back.
  std::string finish();

private:
  const Tokenizer &tokenizer;
  bool skipSpecial;
  bool started = false; // ByteFallback: text was given out; Metaspace: a token.
  Utf8Repairer repairer;
  std::string byteRun;

  void addBytes(std::string_view text, int16_t byteValue, std::string &result);
  void endByteRun(std::string &result);
  void addMetaspace(std::string_view text, std::string &result);
  void strip(std::string &result);
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_TOKENIZER_H
