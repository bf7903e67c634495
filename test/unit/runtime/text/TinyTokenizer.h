// Tables of tokenizers, to be changed by tests.

#ifndef TCC_TEST_UNIT_RUNTIME_TEXT_TINYTOKENIZER_H
#define TCC_TEST_UNIT_RUNTIME_TEXT_TINYTOKENIZER_H

#include "runtime/text/Tokenizer.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

/// Appends a token; \returns it.
inline tcc::schema::TokenT &
addToken(tcc::schema::TokenizerT &table, const std::string &text,
         tcc::schema::TokenKind kind = tcc::schema::TokenKind::Normal) {
  table.tokens.push_back(std::make_unique<tcc::schema::TokenT>());
  table.tokens.back()->bytes.assign(text.begin(), text.end());
  table.tokens.back()->kind = kind;
  return *table.tokens.back();
}

/// Appends a step to `steps`; \returns it.
inline tcc::schema::StepT &
addStep(std::vector<std::unique_ptr<tcc::schema::StepT>> &steps,
        tcc::schema::StepKind kind, const std::string &text,
        const std::string &pattern = {}) {
  steps.push_back(std::make_unique<tcc::schema::StepT>());
  steps.back()->kind = kind;
  steps.back()->text = text;
  steps.back()->pattern = pattern;
  return *steps.back();
}

/// Byte level: a token for each byte, of its value.
inline tcc::schema::TokenizerT byteTable() {
  tcc::schema::TokenizerT table;
  for (int byte = 0; byte < 256; ++byte)
    addToken(table, std::string(1, static_cast<char>(byte)));
  return table;
}

/// Llama 2's way: <0xNN> of each byte, of its value, then U+2581, a, b and ab.
inline tcc::schema::TokenizerT pieceTable() {
  tcc::schema::TokenizerT table;
  table.model = tcc::schema::TokenizerModel::SentencePiece;
  table.decoder = tcc::schema::Decoder::ByteFallback;
  table.byte_fallback = table.strip_decoded_space = true;
  for (int byte = 0; byte < 256; ++byte) {
    const char *digits = "0123456789ABCDEF";
    addToken(table,
             std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">");
  }
  for (const char *text : {"\xE2\x96\x81", "a", "b", "ab"})
    addToken(table, text);
  table.merges.emplace_back(257, 258, 259);
  return table;
}

/// Creates a tokenizer of `table`, the contents of t.bin.
inline tcc::Status create(const tcc::schema::TokenizerT &table,
                          std::unique_ptr<tcc::rt::Tokenizer> &result) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tcc::schema::Tokenizer::Pack(builder, &table));
  return tcc::rt::Tokenizer::create(
      *flatbuffers::GetRoot<tcc::schema::Tokenizer>(builder.GetBufferPointer()),
      "t.bin", result);
}

/// The ids of `text`, or {-1} and a failed test.
inline std::vector<int32_t> encode(const tcc::schema::TokenizerT &table,
                                   std::string_view text) {
  std::unique_ptr<tcc::rt::Tokenizer> tokenizer;
  tcc::Status status = create(table, tokenizer);
  std::vector<int32_t> ids;
  if (status.ok())
    status = tokenizer->encode(text, ids);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? ids : std::vector<int32_t>{-1};
}

#endif // TCC_TEST_UNIT_RUNTIME_TEXT_TINYTOKENIZER_H
