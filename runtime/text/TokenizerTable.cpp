// Reading the untrusted table of a model.bin.

#include "runtime/text/Tokenizer.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;
using schema::TokenKind;

/// More than any vocabulary has; ids are kept in 31 bits.
static constexpr uint32_t maxTokens = 1u << 28;

/// The bytes of a field that may be absent.
static std::string_view viewOf(const flatbuffers::Vector<uint8_t> *bytes) {
  if (!bytes)
    return {};
  return {reinterpret_cast<const char *>(bytes->data()), bytes->size()};
}

/// What a token takes of a table beside its text: the offsets of its vtable and
/// its bytes, and the length of these.
static constexpr size_t tokenBytes = 12;

/// The bytes of `table` from the first token to the last. Tokens share nothing,
/// so that all together take no more than this.
static size_t bytesOfTokens(const schema::Tokenizer &table) {
  uintptr_t begin = UINTPTR_MAX, end = 0;
  auto cover = [&](const void *data, size_t size) {
    begin = std::min(begin, reinterpret_cast<uintptr_t>(data));
    end = std::max(end, reinterpret_cast<uintptr_t>(data) + size);
  };
  for (const schema::Token *token : *table.tokens()) {
    cover(token, tokenBytes);
    for (const auto *field : {token->bytes(), token->decoded()})
      if (field)
        cover(field->data(), field->size());
  }
  return table.tokens()->size() == 0 ? 0 : end - begin;
}

/// The value of one hexadecimal digit, or -1.
static int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/// The value of the byte that `text` names as <0xNN>, or -1. The package reads
/// the two characters as Rust reads a number: "+5" is one.
static int16_t byteValue(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>')
    return -1;
  int high = text[3] == '+' ? 0 : hexadecimal(text[3]);
  int low = hexadecimal(text[4]);
  return high < 0 || low < 0 ? -1 : static_cast<int16_t>(high * 16 + low);
}

/// True if `text` names a byte as encoding looks for it, in capital letters.
static bool isFallback(std::string_view text) {
  return text[3] != '+' && (text[3] < 'a' || text[3] > 'f') &&
         (text[4] < 'a' || text[4] > 'f');
}

Status Tokenizer::checkId(const std::string &place, int64_t id) const {
  if (id >= 0 && id < vocabularySize())
    return {};
  return Status::badData(file + ": tokenizer: " + place +
                         ": expected an id below " +
                         std::to_string(tokens.size()) + ", got " +
                         std::to_string(id) + "; the file is damaged");
}

Status Tokenizer::readTokens(const schema::Tokenizer &table) {
  if (table.tokens()->size() > maxTokens)
    return Status::badData(file + ": tokenizer: expected at most " +
                           std::to_string(maxTokens) + " tokens, got " +
                           std::to_string(table.tokens()->size()) +
                           "; the file is damaged");
  // In a malicious file several tokens may share their bytes, or be one.
  size_t left = bytesOfTokens(table);
  for (const schema::Token *token : *table.tokens()) {
    auto id = static_cast<int32_t>(tokens.size());
    size_t bytes = tokenBytes + viewOf(token->bytes()).size() +
                   viewOf(token->decoded()).size();
    if (bytes > left)
      return Status::badData(file + ": tokenizer: token " + std::to_string(id) +
                             ": expected bytes that no other token has, got "
                             "shared ones; the file is damaged");
    left -= bytes;
    if (Status status = readToken(*token, id); !status.ok())
      return status;
  }
  return {};
}

Status Tokenizer::readToken(const schema::Token &source, int32_t id) {
  std::string_view bytes = viewOf(source.bytes());
  if (source.kind() > TokenKind::MAX)
    return Status::badData(file + ": tokenizer: token " + std::to_string(id) +
                           ": expected a known kind, got " +
                           std::to_string(static_cast<int>(source.kind())) +
                           "; make the file again with this version");
  std::string_view decoded =
      source.decoded() ? viewOf(source.decoded()) : bytes;
  Token token;
  token.bytes = {storage.size(), bytes.size()};
  storage += bytes;
  token.decoded = token.bytes;
  if (source.decoded()) {
    token.decoded = {storage.size(), decoded.size()};
    storage += decoded;
  }
  token.kind = source.kind();
  token.inVocabulary =
      source.in_vocabulary() && source.kind() != TokenKind::Unused;
  token.byteValue = byteValue(decoded);
  tokens.push_back(token);
  return {};
}

Status Tokenizer::readMerges(const schema::Tokenizer &table) {
  merges = MergeTable(table.merges()->size());
  for (uint32_t rank = 0; rank < table.merges()->size(); ++rank) {
    const schema::Merge &merge = *table.merges()->Get(rank);
    for (uint32_t id : {merge.left(), merge.right(), merge.result()})
      if (Status status = checkId("merge " + std::to_string(rank), id);
          !status.ok())
        return status;
    merges.add(merge.left(), merge.right(), rank, merge.result());
  }
  return {};
}

Status Tokenizer::readOptions(const schema::Tokenizer &table) {
  if (table.model() > schema::TokenizerModel::MAX ||
      table.decoder() > schema::Decoder::MAX)
    return Status::badData(file +
                           ": tokenizer: expected a known model and "
                           "decoder, got " +
                           std::to_string(static_cast<int>(table.model())) +
                           " and " +
                           std::to_string(static_cast<int>(table.decoder())) +
                           "; make the file again with this version");
  model = table.model();
  decoder = table.decoder();
  byteFallback = table.byte_fallback();
  ignoreMerges = table.ignore_merges();
  fuseUnknown = table.fuse_unknown();
  stripDecodedSpace = table.strip_decoded_space();
  unknownId = table.unknown_id();
  if (unknownId != -1)
    if (Status status = checkId("unknown_id", unknownId); !status.ok())
      return status;
  if (table.beginning_ids())
    beginning.assign(table.beginning_ids()->begin(),
                     table.beginning_ids()->end());
  for (int32_t id : beginning)
    if (Status status = checkId("beginning_ids", id); !status.ok())
      return status;
  if (Status status = StepList::create(file + ": tokenizer: normalizer",
                                       table.normalizer(), normalizer);
      !status.ok())
    return status;
  return StepList::create(file + ": tokenizer: pre_tokenizer",
                          table.pre_tokenizer(), preTokenizer);
}

Status Tokenizer::readAddedTokens(const schema::Tokenizer &table) {
  for (uint32_t id = 0; id < table.tokens()->size(); ++id) {
    const schema::Token &source = *table.tokens()->Get(id);
    if (source.kind() != TokenKind::Added &&
        source.kind() != TokenKind::Special)
      continue;
    AddedToken token;
    token.id = static_cast<int32_t>(id);
    token.text = viewOf(source.match() ? source.match() : source.bytes());
    token.leftStrip = source.left_strip();
    token.rightStrip = source.right_strip();
    token.singleWord = source.single_word();
    std::string place = file + ": tokenizer: token " + std::to_string(id);
    if (!isUtf8(token.text))
      return Status::badData(place + ": expected an added token in UTF-8, got "
                                     "other bytes; the file is damaged");
    if (source.normalized()) {
      PieceList normalized;
      if (Status status = normalize(token.text, true, normalized); !status.ok())
        return Status::badData(place + ": " + status.message());
      token.text = normalized.text;
    }
    AddedTokenSet &set = source.normalized() ? normalizedTokens : rawTokens;
    if (Status status = set.add(std::move(token)); !status.ok())
      return Status::badData(place + ": " + status.message() + otherTokenizer);
  }
  return {};
}

/// Fills the maps from texts to ids. `storage` must not grow any more.
void Tokenizer::indexTokens() {
  std::fill(std::begin(byteIds), std::end(byteIds), -1);
  std::fill(std::begin(fallbackByteIds), std::end(fallbackByteIds), -1);
  idOf.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    const Token &token = tokens[id];
    if (!token.inVocabulary)
      continue;
    std::string_view bytes = textOf(token.bytes);
    auto value = static_cast<int32_t>(id);
    idOf[bytes] = value; // The later one counts, as in readers of GGUF.
    if (bytes.size() == 1)
      byteIds[static_cast<uint8_t>(bytes[0])] = value;
    if (int16_t named = byteValue(bytes); named >= 0 && isFallback(bytes))
      fallbackByteIds[named] = value;
  }
}
