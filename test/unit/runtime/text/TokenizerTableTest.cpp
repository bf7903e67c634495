// What is wrong with the table of a model.bin whose structure is right.

#include "test/unit/runtime/text/TinyTokenizer.h"

#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;
using schema::TokenKind;

static std::string message(const schema::TokenizerT &table) {
  std::unique_ptr<Tokenizer> tokenizer;
  Status status = create(table, tokenizer);
  EXPECT_EQ(status.exitCode(), 65);
  EXPECT_EQ(tokenizer, nullptr);
  return status.message();
}

TEST(TokenizerTable, UnknownValues) {
  schema::TokenizerT table = byteTable();
  table.tokens[3]->kind = static_cast<TokenKind>(8);
  EXPECT_EQ(message(table), "t.bin: tokenizer: token 3: expected a known kind, "
                            "got 8; make the file again with this version");
  table = byteTable();
  table.model = static_cast<schema::TokenizerModel>(5);
  EXPECT_EQ(
      message(table),
      "t.bin: tokenizer: expected a known model and decoder, got 5 and 0; "
      "make the file again with this version");
  table = byteTable();
  table.decoder = static_cast<schema::Decoder>(6);
  EXPECT_EQ(
      message(table),
      "t.bin: tokenizer: expected a known model and decoder, got 0 and 6; "
      "make the file again with this version");
}

TEST(TokenizerTable, IdsOutOfRange) {
  schema::TokenizerT table = byteTable();
  table.unknown_id = 256;
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: unknown_id: expected an id below "
            "256, got 256; the file is damaged");
  table.unknown_id = -2;
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: unknown_id: expected an id below "
            "256, got -2; the file is damaged");
  table = byteTable();
  table.beginning_ids = {0, 300};
  EXPECT_EQ(
      message(table),
      "t.bin: tokenizer: beginning_ids: expected an id below 256, got 300; "
      "the file is damaged");
  table = byteTable();
  table.merges.emplace_back(1, 2, 3);
  table.merges.emplace_back(1, 0xFFFFFFFF, 3);
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: merge 1: expected an id below 256, got "
            "4294967295; the file is damaged");
}

TEST(TokenizerTable, AddedTokens) {
  schema::TokenizerT table = byteTable();
  addToken(table, "\xFF", TokenKind::Added);
  EXPECT_EQ(
      message(table),
      "t.bin: tokenizer: token 256: expected an added token in UTF-8, got "
      "other bytes; the file is damaged");
  table = byteTable();
  addToken(table, "<x>", TokenKind::Special);
  addToken(table, "<x>", TokenKind::Added);
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: token 257: expected a text of its own, got that "
            "of token 256; use a model with another tokenizer");
  table = byteTable();
  addToken(table, "", TokenKind::Special);
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: token 256: expected a text that can be matched, "
            "got none; use a model with another tokenizer");
}

// Each is a few bytes of a file and would be gigabytes in memory.
TEST(TokenizerTable, AddedTokensThatAreLong) {
  schema::TokenizerT table = byteTable();
  addToken(table, std::string(1 << 20, 'x'), TokenKind::Added);
  addToken(table, "y", TokenKind::Added);
  EXPECT_EQ(message(table),
            "t.bin: tokenizer: token 257: expected at most 1048576 bytes of "
            "added tokens, got 1048577; use a model with another tokenizer");
  table = byteTable();
  for (int i = 0; i < 40; ++i)
    addStep(table.normalizer, schema::StepKind::Replace, "aa", "a");
  addToken(table, "a", TokenKind::Added).normalized = true;
  EXPECT_EQ(
      message(table),
      "t.bin: tokenizer: token 256: text: expected at most 80 bytes after "
      "normalisation, got more; use a model with another tokenizer");
}

// Tokens of a malicious file share what they stand for, or are all the same.
TEST(TokenizerTable, SharedTokens) {
  for (bool sharesTables : {false, true}) {
    flatbuffers::FlatBufferBuilder builder;
    auto bytes = builder.CreateVector(std::vector<uint8_t>(100));
    std::vector<flatbuffers::Offset<schema::Token>> tokens;
    for (int i = 0; i < 1000; ++i)
      tokens.push_back(sharesTables && i > 0
                           ? tokens.back()
                           : schema::CreateToken(builder, bytes));
    auto vector = builder.CreateVector(tokens);
    builder.Finish(schema::CreateTokenizer(
        builder, schema::TokenizerModel::ByteLevel, vector,
        builder.CreateVectorOfStructs(std::vector<schema::Merge>())));
    std::unique_ptr<Tokenizer> tokenizer;
    Status status = Tokenizer::create(
        *flatbuffers::GetRoot<schema::Tokenizer>(builder.GetBufferPointer()),
        "t.bin", tokenizer);
    EXPECT_EQ(status.message(),
              "t.bin: tokenizer: token " +
                  std::string(sharesTables ? "1" : "72") +
                  ": expected bytes that no other token has, got shared ones; "
                  "the file is damaged");
  }
}

TEST(TokenizerTable, Steps) {
  schema::TokenizerT table = byteTable();
  addStep(table.pre_tokenizer, schema::StepKind::Split, "");
  EXPECT_EQ(message(table), "t.bin: tokenizer: pre_tokenizer[0]: expected a "
                            "pattern, got none; the file is damaged");
  table = byteTable();
  addStep(table.normalizer, schema::StepKind::Prepend, "");
  EXPECT_EQ(message(table), "t.bin: tokenizer: normalizer[0]: expected a text, "
                            "got none; the file is damaged");
}

TEST(TokenizerTable, Empty) {
  std::unique_ptr<Tokenizer> tokenizer;
  ASSERT_TRUE(create({}, tokenizer).ok());
  std::vector<int32_t> ids;
  EXPECT_TRUE(tokenizer->encode("abc", ids).ok());
  EXPECT_TRUE(ids.empty());
  EXPECT_EQ(tokenizer->decode({0, 1}, false), "");
  EXPECT_EQ(tokenizer->vocabularySize(), 0);
}
