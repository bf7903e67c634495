#include "runtime/text/Tokenizer.h"

using namespace tcc;
using namespace tcc::rt;
using schema::TokenKind;

Status Tokenizer::create(const schema::Tokenizer &table,
                         const std::string &file,
                         std::unique_ptr<Tokenizer> &result) {
  std::unique_ptr<Tokenizer> tokenizer(new Tokenizer());
  tokenizer->file = file;
  if (Status status = tokenizer->readTokens(table); !status.ok())
    return status;
  if (Status status = tokenizer->readOptions(table); !status.ok())
    return status;
  if (Status status = tokenizer->readMerges(table); !status.ok())
    return status;
  if (Status status = tokenizer->readAddedTokens(table); !status.ok())
    return status;
  tokenizer->indexTokens();
  result = std::move(tokenizer);
  return {};
}

//===--- Encoding ---------------------------------------------------------===//

Status Tokenizer::encode(std::string_view text,
                         std::vector<int32_t> &ids) const {
  if (text.size() > size_t{1} << 29) // A byte becomes at most three.
    return Status::badData("text: expected at most 512 MiB, got " +
                           std::to_string(text.size()) +
                           " bytes; split the text");
  std::string repaired = repairUtf8(text);
  std::vector<Stretch> stretches;
  if (Status status = rawTokens.split(repaired, stretches); !status.ok())
    return status;
  std::vector<int32_t> encoded;
  for (const Stretch &stretch : stretches) {
    if (stretch.id >= 0) {
      encoded.push_back(stretch.id);
      continue;
    }
    std::string_view view = std::string_view(repaired).substr(
        stretch.begin, stretch.end - stretch.begin);
    if (Status status = encodeStretch(view, stretch.begin == 0, encoded);
        !status.ok())
      return status;
  }
  ids.insert(ids.end(), encoded.begin(), encoded.end());
  return {};
}

/// Runs the normalizer on `text`.
Status Tokenizer::normalize(std::string_view text, bool startsInput,
                            PieceList &result) const {
  result.text = text;
  result.pieces.clear();
  if (!text.empty())
    result.pieces.push_back({0, text.size(), startsInput});
  return normalizer.apply(result);
}

/// Encodes what lies between added tokens that are not normalized.
Status Tokenizer::encodeStretch(std::string_view text, bool startsInput,
                                std::vector<int32_t> &ids) const {
  if (normalizer.empty() && normalizedTokens.empty())
    return encodePieces(text, startsInput, ids);
  PieceList normalized;
  if (Status status = normalize(text, startsInput, normalized); !status.ok())
    return status;
  std::vector<Stretch> stretches;
  if (Status status = normalizedTokens.split(normalized.text, stretches);
      !status.ok())
    return status;
  for (const Stretch &stretch : stretches) {
    if (stretch.id >= 0) {
      ids.push_back(stretch.id);
      continue;
    }
    std::string_view view =
        std::string_view(normalized.text)
            .substr(stretch.begin, stretch.end - stretch.begin);
    if (Status status =
            encodePieces(view, startsInput && stretch.begin == 0, ids);
        !status.ok())
      return status;
  }
  return {};
}

/// Encodes what lies between added tokens.
Status Tokenizer::encodePieces(std::string_view text, bool startsInput,
                               std::vector<int32_t> &ids) const {
  PieceList list{std::string(text), {{0, text.size(), startsInput}}};
  if (Status status = preTokenizer.apply(list); !status.ok())
    return status;
  std::vector<int32_t> symbols;
  for (const Piece &piece : list.pieces)
    encodePiece(list.view(piece), symbols, ids);
  return {};
}

/// Encodes one piece; `symbols` is memory to work in.
void Tokenizer::encodePiece(std::string_view piece,
                            std::vector<int32_t> &symbols,
                            std::vector<int32_t> &ids) const {
  if (ignoreMerges) {
    auto whole = idOf.find(piece);
    if (whole != idOf.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  symbols.clear();
  if (model == schema::TokenizerModel::ByteLevel)
    bytesToSymbols(piece, symbols);
  else
    charactersToSymbols(piece, symbols);
  merges.merge(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

namespace {
/// The unknown tokens among the symbols of one piece. The package holds each
/// back until the next one, which may be fused with it, a known symbol or the
/// end: not until bytes that another character falls back to.
class PendingUnknown {
public:
  PendingUnknown(int32_t id, bool fuse, std::vector<int32_t> &symbols)
      : id(id), fuse(fuse), symbols(symbols) {}

  void add() {
    if (!fuse)
      flush();
    isPending = id >= 0;
  }
  void flush() {
    if (isPending)
      symbols.push_back(id);
    isPending = false;
  }

private:
  int32_t id;
  bool fuse, isPending = false;
  std::vector<int32_t> &symbols;
};
} // namespace

void Tokenizer::bytesToSymbols(std::string_view piece,
                               std::vector<int32_t> &symbols) const {
  PendingUnknown unknown(unknownId, fuseUnknown, symbols);
  for (char byte : piece) {
    int32_t id = byteIds[static_cast<uint8_t>(byte)];
    if (id < 0) {
      unknown.add();
      continue;
    }
    unknown.flush();
    symbols.push_back(id);
  }
  unknown.flush();
}

void Tokenizer::charactersToSymbols(std::string_view piece,
                                    std::vector<int32_t> &symbols) const {
  PendingUnknown unknown(unknownId, fuseUnknown, symbols);
  for (size_t position = 0; position < piece.size();) {
    std::string_view character =
        piece.substr(position, characterBytes(piece[position]));
    position += character.size();
    auto known = idOf.find(character);
    if (known != idOf.end()) {
      unknown.flush();
      symbols.push_back(known->second);
    } else if (!byteFallback || !fallBackToBytes(character, symbols)) {
      unknown.add();
    }
  }
  unknown.flush();
}

/// Appends the <0xNN> tokens of `character`, if all exist.
bool Tokenizer::fallBackToBytes(std::string_view character,
                                std::vector<int32_t> &symbols) const {
  for (char byte : character)
    if (fallbackByteIds[static_cast<uint8_t>(byte)] < 0)
      return false;
  for (char byte : character)
    symbols.push_back(fallbackByteIds[static_cast<uint8_t>(byte)]);
  return true;
}

//===--- Decoding ---------------------------------------------------------===//

std::string Tokenizer::decode(const std::vector<int32_t> &ids,
                              bool skipSpecial) const {
  StreamingDecoder stream(*this, skipSpecial);
  std::string text;
  for (int32_t id : ids)
    text += stream.add(id);
  return text + stream.finish();
}
