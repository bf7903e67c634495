// Tokenizers from tokenizer.json, GGUF files and tables, and what they make of any
// bytes: what is accepted encodes to ids of the vocabulary and decodes to UTF-8.
//
// An input is one byte that says which, a text without 0xFF, 0xFF, and the file.

#include "frontends/checkpoint/GgufTokenizer.h"
#include "frontends/checkpoint/TokenizerReader.h"
#include "runtime/text/Tokenizer.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

static void check(bool condition) {
  if (!condition)
    __builtin_trap();
}

/// Reads `file` as a checkpoint's tokenizer; \returns false if it is refused.
static bool readTable(uint8_t kind, const std::vector<uint8_t> &file,
                      schema::TokenizerT &result) {
  if (kind == 0)
    return readTokenizerJson("t.json", file.data(), file.size(), result).ok();
  GgufFile gguf;
  std::unique_ptr<schema::TokenizerT> table;
  if (!GgufFile::parse("t.gguf", file.data(), file.size(), gguf).ok() ||
      !readGgufTokenizer(gguf, table).ok())
    return false;
  result = std::move(*table);
  return true;
}

/// Decodes `ids` at once and one by one.
static void decode(const rt::Tokenizer &tokenizer,
                   const std::vector<int32_t> &ids) {
  std::string text = tokenizer.decode(ids, /*skipSpecial=*/false);
  check(rt::isUtf8(text));
  rt::StreamingDecoder stream(tokenizer, /*skipSpecial=*/false);
  std::string joined;
  for (int32_t id : ids) {
    std::string part = stream.add(id);
    check(rt::isUtf8(part));
    joined += part;
  }
  check(joined + stream.finish() == text);
  check(rt::isUtf8(tokenizer.decode(ids, /*skipSpecial=*/true)));
}

static void useTokenizer(const uint8_t *table, std::string_view text) {
  std::unique_ptr<rt::Tokenizer> tokenizer;
  if (!rt::Tokenizer::create(*flatbuffers::GetRoot<schema::Tokenizer>(table),
                             "t", tokenizer)
           .ok())
    return;
  std::vector<int32_t> ids;
  if (tokenizer->encode(text, ids).ok())
    for (int32_t id : ids)
      check(id >= 0 && id < tokenizer->vocabularySize());
  decode(*tokenizer, ids);
  // Ids as they come, some of them outside the vocabulary.
  ids.clear();
  for (char byte : text)
    ids.push_back(static_cast<int32_t>(static_cast<uint8_t>(byte)) - 2);
  decode(*tokenizer, ids);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  AllocationLimit limit(size);
  std::string_view rest(reinterpret_cast<const char *>(data) + 1, size - 1);
  size_t end = std::min(rest.find('\xFF'), rest.size());
  std::string_view text = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  // A mapped file is aligned, libFuzzer's data is not.
  std::vector<uint8_t> file(rest.begin(), rest.end());
  if (data[0] % 3 == 2) {
    flatbuffers::Verifier verifier(file.data(), file.size());
    if (verifier.VerifyBuffer<schema::Tokenizer>(nullptr))
      useTokenizer(file.data(), text);
    return 0;
  }
  schema::TokenizerT table;
  if (!readTable(data[0] % 3, file, table))
    return 0;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::Tokenizer::Pack(builder, &table));
  useTokenizer(builder.GetBufferPointer(), text);
  return 0;
}
