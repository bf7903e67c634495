// Encoding in cases that no tokenizer of test/fixtures/tokenizers has; the rest
// is compared with the `tokenizers` package in test/runtime/text/.

#include "test/unit/runtime/text/TinyTokenizer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

using namespace tcc;
using namespace tcc::rt;
using schema::TokenKind;

using Ids = std::vector<int32_t>;

TEST(Tokenizer, BytesThatAreNoUtf8) {
  EXPECT_EQ(encode(byteTable(), "a\xFF\xE2\x82"),
            (Ids{'a', 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD}));
  EXPECT_EQ(encode(pieceTable(), "\xC3"), (Ids{0xEF, 0xBF, 0xBD}));
}

TEST(Tokenizer, UnknownCharacters) {
  schema::TokenizerT table = pieceTable();
  table.byte_fallback = false;
  EXPECT_EQ(encode(table, "axxb"), (Ids{259})); // Nothing parts the two.
  table.unknown_id = 0;
  EXPECT_EQ(encode(table, "axxb"), (Ids{257, 0, 0, 258}));
  table.fuse_unknown = true;
  EXPECT_EQ(encode(table, "axxb\xC3\xA9"), (Ids{257, 0, 258, 0}));
}

// The package gives an unknown token when the next one is known, or is another
// unknown one: behind bytes that stand between.
TEST(Tokenizer, UnknownBehindBytes) {
  schema::TokenizerT table = pieceTable();
  table.merges.clear();
  table.unknown_id = 257;
  table.tokens['x']->bytes.assign({'?', '?'});
  EXPECT_EQ(encode(table, "xyb"), (Ids{'y', 257, 258}));
  EXPECT_EQ(encode(table, "xyx"), (Ids{'y', 257, 257}));
  table.fuse_unknown = true;
  EXPECT_EQ(encode(table, "xyx"), (Ids{'y', 257}));
}

// Only capital letters name a byte to fall back to.
TEST(Tokenizer, LowerCaseByteNames) {
  schema::TokenizerT table = pieceTable();
  std::string name = "<0xc3>";
  table.tokens[0xC3]->bytes.assign(name.begin(), name.end());
  EXPECT_EQ(encode(table, "\xC3\xA9x"), (Ids{'x'}));
}

// Unused ids are found in no text; of equal tokens the last one is.
TEST(Tokenizer, UnusedAndRepeatedTokens) {
  schema::TokenizerT table = pieceTable();
  addToken(table, "c", TokenKind::Unused);
  EXPECT_EQ(encode(table, "c"), (Ids{'c'}));
  addToken(table, "c");
  addToken(table, "c");
  EXPECT_EQ(encode(table, "c"), (Ids{262}));
}

TEST(Tokenizer, WholePiecesBeforeMerges) {
  schema::TokenizerT table = byteTable();
  addToken(table, "abc");
  EXPECT_EQ(encode(table, "abc"), (Ids{'a', 'b', 'c'}));
  table.ignore_merges = true;
  EXPECT_EQ(encode(table, "abc"), (Ids{256}));
  table.tokens.back()->in_vocabulary = false;
  EXPECT_EQ(encode(table, "abc"), (Ids{'a', 'b', 'c'}));
}

// An added token is matched by `match`, and decodes to `decoded`.
TEST(Tokenizer, MatchAndDecoded) {
  schema::TokenizerT table = byteTable();
  schema::TokenT &token = addToken(table, "x", TokenKind::Special);
  token.match = {'<', '>'};
  token.decoded = {'!'};
  EXPECT_EQ(encode(table, "<>a"), (Ids{256, 'a'}));
  std::unique_ptr<Tokenizer> tokenizer;
  ASSERT_TRUE(create(table, tokenizer).ok());
  EXPECT_EQ(tokenizer->decode({256, 'a'}, /*skipSpecial=*/false), "!a");
  EXPECT_EQ(tokenizer->decode({256, 'a'}, /*skipSpecial=*/true), "a");
}

// Only the first piece starts the text, also behind added tokens of both kinds.
TEST(Tokenizer, SpaceAtTheStartAlone) {
  schema::TokenizerT table = pieceTable();
  addStep(table.pre_tokenizer, schema::StepKind::PrependMissingAtStart,
          "\xE2\x96\x81");
  addToken(table, "<n>", TokenKind::Added).normalized = true;
  addToken(table, "<r>", TokenKind::Added);
  EXPECT_EQ(encode(table, "a<n>a<r>a"), (Ids{256, 257, 260, 257, 261, 257}));
  EXPECT_EQ(encode(table, "<n>a"), (Ids{260, 257}));
}

TEST(Tokenizer, NothingBeforeAText) {
  schema::TokenizerT table = byteTable();
  table.beginning_ids = {7};
  EXPECT_EQ(encode(table, "a"), (Ids{'a'}));
  std::unique_ptr<Tokenizer> tokenizer;
  ASSERT_TRUE(create(table, tokenizer).ok());
  EXPECT_EQ(tokenizer->beginningIds(), (Ids{7}));
}

TEST(Tokenizer, EndlessPattern) {
  schema::TokenizerT table = byteTable();
  addStep(table.pre_tokenizer, schema::StepKind::Split, "", "(?:a|a)+[bc]");
  std::unique_ptr<Tokenizer> tokenizer;
  ASSERT_TRUE(create(table, tokenizer).ok());
  Ids ids = {1};
  Status status = tokenizer->encode(std::string(60, 'a'), ids);
  EXPECT_EQ(
      status.message(),
      "t.bin: tokenizer: pre_tokenizer[0]: expected a pattern that matches "
      "within its limits, got the error 'match limit exceeded' in a piece "
      "of 60 bytes; split the text or simplify the pattern");
  EXPECT_EQ(ids, Ids{1});
}

// The text is address space alone: the message comes before anybody reads it.
TEST(Tokenizer, TooLongText) {
  std::unique_ptr<Tokenizer> tokenizer;
  ASSERT_TRUE(create(byteTable(), tokenizer).ok());
  size_t bytes = (size_t{512} << 20) + 1;
  void *memory = mmap(nullptr, bytes, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Ids ids;
  Status status =
      tokenizer->encode({static_cast<const char *>(memory), bytes}, ids);
  munmap(memory, bytes);
  EXPECT_EQ(status.exitCode(), 65);
  EXPECT_EQ(status.message(), "text: expected at most 512 MiB, got 536870913 "
                              "bytes; split the text");
}
