#include "test/unit/runtime/text/TinyTokenizer.h"

#include <gtest/gtest.h>
#include <random>

using namespace tcc;
using namespace tcc::rt;
using schema::TokenKind;

static const std::string bad = "\xEF\xBF\xBD";

using Parts = std::vector<std::string>;

/// What each of `ids` gives out, and the end.
static Parts stream(const schema::TokenizerT &table,
                    const std::vector<int32_t> &ids, bool skipSpecial = false) {
  std::unique_ptr<Tokenizer> tokenizer;
  Status status = create(table, tokenizer);
  EXPECT_TRUE(status.ok()) << status.message();
  StreamingDecoder decoder(*tokenizer, skipSpecial);
  Parts parts;
  std::string joined;
  for (int32_t id : ids)
    joined += parts.emplace_back(decoder.add(id));
  joined += parts.emplace_back(decoder.finish());
  EXPECT_EQ(joined, tokenizer->decode(ids, skipSpecial));
  return parts;
}

// U+1F44D in four tokens comes out with the last one.
TEST(StreamingDecoder, CharacterOverTokens) {
  EXPECT_EQ(stream(byteTable(), {'a', 0xF0, 0x9F, 0x91, 0x8D, 'b'}),
            (Parts{"a", "", "", "", "\xF0\x9F\x91\x8D", "b", ""}));
}

TEST(StreamingDecoder, BytesThatAreNoUtf8) {
  EXPECT_EQ(stream(byteTable(), {0xFF, 'a'}), (Parts{bad, "a", ""}));
  EXPECT_EQ(stream(byteTable(), {0xF0, 0x9F, 'a'}),
            (Parts{"", "", bad + "a", ""}));
  EXPECT_EQ(stream(byteTable(), {0xE2, 0x82}), (Parts{"", "", bad}));
}

TEST(StreamingDecoder, SpecialTokensWithinACharacter) {
  schema::TokenizerT table = byteTable();
  addToken(table, "<s>", TokenKind::Special);
  addToken(table, "<a>", TokenKind::Added);
  std::vector<int32_t> ids = {0xC3, 256, 0xA9, 257};
  EXPECT_EQ(stream(table, ids), (Parts{"", bad + "<s>", bad, "<a>", ""}));
  EXPECT_EQ(stream(table, ids, /*skipSpecial=*/true),
            (Parts{"", "", "\xC3\xA9", "<a>", ""}));
}

TEST(StreamingDecoder, IdsWithoutText) {
  schema::TokenizerT table = byteTable();
  addToken(table, "x", TokenKind::Unused);
  EXPECT_EQ(stream(table, {-1, 256, 257, 'a'}), (Parts{"", "", "", "a", ""}));
}

// Llama 2: a run of <0xNN> tokens is UTF-8 as a whole, or a U+FFFD for each.
TEST(StreamingDecoder, RunsOfBytes) {
  const int32_t space = 256, a = 257;
  EXPECT_EQ(stream(pieceTable(), {a, 0xC3, 0xA9, a}), (Parts{"a", "", "",
                                                             "\xC3\xA9"
                                                             "a",
                                                             ""}));
  EXPECT_EQ(stream(pieceTable(), {a, 'x', 0xA9, a}),
            (Parts{"a", "", "", bad + bad + "a", ""}));
  EXPECT_EQ(stream(pieceTable(), {a, 0xC3}), (Parts{"a", "", bad}));
  // U+2581 that is made of bytes stays.
  EXPECT_EQ(stream(pieceTable(), {a, 0xE2, 0x96, 0x81, space}),
            (Parts{"a", "", "", "", "\xE2\x96\x81 ", ""}));
}

// The first space of the text is dropped, wherever it comes from; no other.
TEST(StreamingDecoder, FirstSpace) {
  const int32_t space = 256, a = 257;
  EXPECT_EQ(stream(pieceTable(), {space, space, a}), (Parts{"", " ", "a", ""}));
  EXPECT_EQ(stream(pieceTable(), {' ', a}), (Parts{"", "a", ""}));
  EXPECT_EQ(stream(pieceTable(), {a, space}), (Parts{"a", " ", ""}));
  schema::TokenizerT table = pieceTable();
  table.strip_decoded_space = false;
  EXPECT_EQ(stream(table, {space, a}), (Parts{" ", "a", ""}));
}

// Metaspace drops every U+2581 of the first token, and knows no bytes.
TEST(StreamingDecoder, Metaspace) {
  schema::TokenizerT table = pieceTable();
  table.decoder = schema::Decoder::Metaspace;
  addToken(table, "\xE2\x96\x81"
                  "a\xE2\x96\x81");
  EXPECT_EQ(stream(table, {260, 260, 'A'}), (Parts{"a", " a ", "<0x41>", ""}));
  table.strip_decoded_space = false;
  EXPECT_EQ(stream(table, {260, 260}), (Parts{" a ", " a ", ""}));
}

// "+5" is a number for Rust, whose reading the package uses; lower case is one.
TEST(StreamingDecoder, ByteNames) {
  schema::TokenizerT table = pieceTable();
  for (const char *text : {"<0x+5>", "<0x6a>", "<0x-5>", "<0x 5>", "<0x5G>"})
    addToken(table, text);
  EXPECT_EQ(stream(table, {260, 261, 262, 263, 264}),
            (Parts{"", "", "\x05j<0x-5>", "<0x 5>", "<0x5G>", ""}));
}

// Whatever the ids: all parts together are the text of all, and each is UTF-8.
TEST(StreamingDecoder, RandomIds) {
  std::mt19937 random(1);
  for (const schema::TokenizerT &table : {byteTable(), pieceTable()})
    for (int round = 0; round < 500; ++round) {
      std::vector<int32_t> ids(random() % 12);
      for (int32_t &id : ids)
        id = static_cast<int32_t>(random() % 262) - 1;
      for (const std::string &part : stream(table, ids))
        EXPECT_TRUE(isUtf8(part));
    }
}
