// model.fbs as untrusted input: one test for each message.

#include "test/unit/frontends/TinyModel.h"

#include <functional>
#include <gtest/gtest.h>

using namespace tcc;
using schema::ModelT;

static std::string messageOf(const std::vector<uint8_t> &bytes) {
  ModelFile file;
  Status status = readModel("m.fbs", bytes.data(), bytes.size(), file);
  return status.message();
}

/// The message after `change`, or an empty string.
static std::string messageAfter(const std::function<void(ModelT &)> &change) {
  ModelT model = makeTinyModel();
  change(model);
  return messageOf(packModel(model));
}

static schema::LlamaT &llamaOf(ModelT &model) {
  return *model.architecture.AsLlama();
}

static schema::TensorT &tensorOf(ModelT &model, const std::string &name) {
  for (auto &tensor : model.tensors)
    if (tensor->name == name)
      return *tensor;
  return *model.tensors[0];
}

TEST(ReadModel, Valid) {
  EXPECT_EQ(messageAfter([](ModelT &) {}), "");
}

TEST(ReadModel, SortsTensors) {
  ModelT model = makeTinyModel();
  std::swap(model.tensors[0], model.tensors[3]);
  std::vector<uint8_t> bytes = packModel(model);
  ModelFile file;
  ASSERT_TRUE(readModel("x/m.fbs", bytes.data(), bytes.size(), file).ok());
  EXPECT_EQ(packModel(file.model), packModel(makeTinyModel()));
  EXPECT_EQ(file.folder, "x");
}

TEST(ReadModel, NoFlatBuffer) {
  std::vector<uint8_t> bytes = packModel(makeTinyModel());
  bytes[4] = 'X';
  EXPECT_EQ(messageOf(bytes), "m.fbs: not a model.fbs: expected the identifier "
                              "'TCCM'; import the checkpoint first");
  EXPECT_EQ(messageOf({}), "m.fbs: not a model.fbs: expected the identifier "
                           "'TCCM'; import the checkpoint first");
}

// Wherever it ends, it is refused, and nothing beyond the end is read (asan).
// The last three bytes are padding.
TEST(ReadModel, Truncated) {
  std::vector<uint8_t> bytes = packModel(makeTinyModel());
  for (size_t size = 8; size < bytes.size() - 3; ++size) {
    std::string message = messageOf({bytes.begin(), bytes.begin() + size});
    EXPECT_NE(message, "") << size;
  }
  EXPECT_EQ(messageOf({bytes.begin(), bytes.begin() + 100}),
            "m.fbs: not a valid FlatBuffer; the file is truncated or damaged: "
            "import the checkpoint again");
}

// Whatever byte changes, reading ends, and nothing outside is read (asan).
TEST(ReadModel, FlippedBytes) {
  std::vector<uint8_t> bytes = packModel(makeTinyModel());
  for (uint8_t mask : {0x01, 0x80, 0xff})
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] ^= mask;
      messageOf(bytes);
      bytes[i] ^= mask;
    }
}

// A thousand offsets to one string of a million bytes are a gigabyte in memory.
TEST(ReadModel, SharedStrings) {
  ModelT model = makeTinyModel();
  flatbuffers::FlatBufferBuilder builder;
  auto path = builder.CreateString(std::string(1000000, 'x'));
  std::vector<flatbuffers::Offset<schema::File>> files(
      1000, schema::CreateFile(builder, path));
  auto fileVector = builder.CreateVector(files);
  auto architecture = model.architecture.Pack(builder);
  auto tensors =
      builder.CreateVector(std::vector<flatbuffers::Offset<schema::Tensor>>());
  schema::FinishModelBuffer(
      builder, schema::CreateModel(builder, 2, 0, schema::Architecture::Llama,
                                   architecture, fileVector, tensors));
  std::vector<uint8_t> bytes(builder.GetBufferPointer(),
                             builder.GetBufferPointer() + builder.GetSize());
  EXPECT_EQ(messageOf(bytes),
            "m.fbs: expected every string and vector to be used once, got "
            "1000016016 bytes in a file of 1004200; the file is truncated or "
            "damaged: import the checkpoint again");
}

// The same with what tokens stand for, and with the tokens themselves.
TEST(ReadModel, SharedTokens) {
  for (size_t size : {size_t{100000}, size_t{0}}) {
    ModelT model = makeTinyModel();
    flatbuffers::FlatBufferBuilder builder;
    std::vector<flatbuffers::Offset<schema::Token>> tokens;
    auto bytes = builder.CreateVector(std::vector<uint8_t>(1));
    auto shared = builder.CreateVector(std::vector<uint8_t>(size));
    for (int i = 0; i < 1000; ++i) {
      if (size || tokens.empty())
        tokens.push_back(
            schema::CreateToken(builder, bytes, 0, schema::TokenKind::Normal,
                                true, false, false, false, false, shared));
      else
        tokens.push_back(tokens.back());
    }
    auto tokenizer = schema::CreateTokenizer(
        builder, schema::TokenizerModel::ByteLevel,
        builder.CreateVector(tokens),
        builder.CreateVectorOfStructs(std::vector<schema::Merge>()));
    auto architecture = model.architecture.Pack(builder);
    auto files =
        builder.CreateVector(std::vector<flatbuffers::Offset<schema::File>>());
    auto tensors = builder.CreateVector(
        std::vector<flatbuffers::Offset<schema::Tensor>>());
    schema::FinishModelBuffer(
        builder, schema::CreateModel(builder, 2, 0, schema::Architecture::Llama,
                                     architecture, files, tensors, tokenizer));
    std::string message =
        messageOf({builder.GetBufferPointer(),
                   builder.GetBufferPointer() + builder.GetSize()});
    EXPECT_NE(message.find("expected every string and vector to be used once"),
              std::string::npos)
        << message;
  }
}

// The bytes of a mapped file are aligned; numbers may be put elsewhere.
TEST(ReadModel, MisalignedNumbers) {
  std::vector<uint8_t> bytes = packModel(makeTinyModel());
  bytes.insert(bytes.begin(), 4, 0);
  ModelFile file;
  EXPECT_EQ(
      readModel("m.fbs", bytes.data() + 4, bytes.size() - 4, file).message(),
      "m.fbs: expected every number at a multiple of its size; the file is "
      "truncated or damaged: import the checkpoint again");
}

TEST(ReadModel, Version) {
  EXPECT_EQ(messageAfter([](ModelT &model) { model.format_version = 1; }),
            "m.fbs: format_version: expected 2, got 1; import the checkpoint "
            "again");
}

TEST(ReadModel, Architecture) {
  std::vector<uint8_t> bytes = packModel(makeTinyModel());
  schema::Model *model = flatbuffers::GetMutableRoot<schema::Model>(
      static_cast<void *>(bytes.data()));
  auto *table = reinterpret_cast<flatbuffers::Table *>(model);
  ASSERT_TRUE(
      table->SetField<uint8_t>(schema::Model::VT_ARCHITECTURE_TYPE, 3, 0));
  EXPECT_EQ(messageOf(bytes), "m.fbs: architecture: expected Llama or DeepSeek, got "
                              "another one; correct it, or use another model");
}

TEST(ReadModel, Hyperparameters) {
  EXPECT_EQ(messageAfter([](ModelT &model) { llamaOf(model).layers = 0; }),
            "m.fbs: layers: expected an integer from 1 to 4096, got 0; correct "
            "it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) { llamaOf(model).layers = 4000000000; }),
      "m.fbs: layers: expected an integer from 1 to 4096, got 4000000000; "
      "correct it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) { llamaOf(model).key_value_heads = 3; }),
      "m.fbs: key_value_heads: expected a divisor of query_heads = 2, got 3; "
      "correct it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) { llamaOf(model).norm_epsilon = 0; }),
      "m.fbs: norm_epsilon: expected a number from 1.2e-38 to 1, got 0.000000; "
      "correct it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) { llamaOf(model).norm_epsilon = 2; }),
      "m.fbs: norm_epsilon: expected a number from 1.2e-38 to 1, got 2.000000; "
      "correct it, or use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) { llamaOf(model).head_size = 3; }),
            "m.fbs: head_size: expected an even number, got 3; correct it, or "
            "use another model");
}

TEST(ReadModel, Rotary) {
  auto rotary = [](ModelT &model) -> schema::RotaryEmbeddingT & {
    return *llamaOf(model).rotary;
  };
  EXPECT_EQ(messageAfter([&](ModelT &model) {
              rotary(model).inverse_frequencies = {1};
            }),
            "m.fbs: rotary.inverse_frequencies: expected head_size / 2 = 2 of "
            "them, got 1; correct it, or use another model");
  EXPECT_EQ(messageAfter([&](ModelT &model) {
              rotary(model).inverse_frequencies[1] = -1;
            }),
            "m.fbs: rotary.inverse_frequencies: expected positive numbers, got "
            "-1.000000; correct it, or use another model");
  EXPECT_EQ(messageAfter([&](ModelT &model) { rotary(model).multiplier = 0; }),
            "m.fbs: rotary.multiplier: expected a positive number, got "
            "0.000000; correct it, or use another model");
}

TEST(ReadModel, Files) {
  for (std::string path :
       {std::string(), std::string("/etc/passwd"), std::string("a\0b", 3)}) {
    std::string message =
        messageAfter([&](ModelT &model) { model.files[0]->path = path; });
    EXPECT_EQ(message.substr(0, 44),
              "m.fbs: files: expected a relative path, got ");
  }
}

TEST(ReadModel, TensorIndices) {
  EXPECT_EQ(
      messageAfter([](ModelT &model) {
        tensorOf(model, "lm_head.weight").storage =
            static_cast<schema::Storage>(9);
      }),
      "m.fbs: tensor 'lm_head.weight': expected a known storage type, got 9; "
      "the file is truncated or damaged: download or convert it again");
  EXPECT_EQ(
      messageAfter(
          [](ModelT &model) { tensorOf(model, "lm_head.weight").file = 1; }),
      "m.fbs: tensor 'lm_head.weight': expected one of 1 files, got file 1; "
      "the file is truncated or damaged: download or convert it again");
  EXPECT_EQ(
      messageAfter(
          [](ModelT &model) { tensorOf(model, "lm_head.weight").file = -2; }),
      "m.fbs: tensor 'lm_head.weight': expected one of 1 files, got file -2; "
      "the file is truncated or damaged: download or convert it again");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "model.norm.weight").file = -1;
            }),
            "m.fbs: tensor 'model.norm.weight': expected weights for all "
            "tensors or for none, got both; the file is truncated or damaged: "
            "download or convert it again");
}

TEST(ReadModel, TensorSet) {
  EXPECT_EQ(
      messageAfter(
          [](ModelT &model) { model.tensors.erase(model.tensors.begin()); }),
      "m.fbs: tensor 'lm_head.weight': expected [vocab_size, hidden_size] = "
      "[5, 8], got no tensor of this name; correct it, or use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "lm_head.weight").name = "model.norm.weight";
            }),
            "weights.bin: tensor 'model.norm.weight': expected every tensor "
            "once, got a second one; the first is in weights.bin; the file is "
            "truncated or damaged: download or convert it again");
  EXPECT_EQ(
      messageAfter(
          [](ModelT &model) { llamaOf(model).tied_embeddings = true; }),
      "weights.bin: tensor 'lm_head.weight': expected only tensors of a Llama, "
      "got one that it does not have; correct it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) {
        tensorOf(model, "lm_head.weight").shape = {8, 5};
      }),
      "weights.bin: tensor 'lm_head.weight': expected shape [vocab_size, "
      "hidden_size] = [5, 8], got [8, 5]; correct it, or use another model");
}

TEST(ReadModel, TensorBytes) {
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "lm_head.weight").bytes -= 1;
            }),
            "weights.bin: tensor 'lm_head.weight': expected 160 bytes for "
            "shape [5, 8] in F32, got 159; the file is truncated or damaged: "
            "download or convert it again");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "lm_head.weight").storage = schema::Storage::Q8_0;
            }),
            "weights.bin: tensor 'lm_head.weight': expected rows in whole "
            "blocks of 32 elements, got shape [5, 8]; the file is truncated or "
            "damaged: download or convert it again");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "lm_head.weight").offset = UINT64_MAX - 159;
            }),
            "weights.bin: tensor 'lm_head.weight': expected bytes within the "
            "file of 2336 bytes, got 160 bytes at offset 18446744073709551456; "
            "the file is truncated or damaged: download or convert it again");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              tensorOf(model, "lm_head.weight").offset = 100;
            }),
            "weights.bin: tensor 'lm_head.weight': expected bytes of its own, "
            "got an overlap with tensor 'model.embed_tokens.weight'; the file "
            "is truncated or damaged: download or convert it again");
}

TEST(ReadModel, Ids) {
  EXPECT_EQ(messageAfter([](ModelT &model) { model.end_ids = {5}; }),
            "m.fbs: end_ids: expected a token id from 0 to 4, got 5; correct "
            "it, or use another model");
  EXPECT_EQ(
      messageAfter([](ModelT &model) { model.tokenizer->unknown_id = 3; }),
      "m.fbs: tokenizer: unknown_id: expected a token id from 0 to 2, got 3; "
      "correct it, or use another model");
  EXPECT_EQ(messageAfter(
                [](ModelT &model) { model.tokenizer->beginning_ids = {-1}; }),
            "m.fbs: tokenizer: beginning_ids: expected a token id from 0 to 2, "
            "got -1; correct it, or use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              model.tokenizer->merges.emplace_back(0, 1, 3);
            }),
            "m.fbs: tokenizer: merges: expected a token id from 0 to 2, got 3; "
            "correct it, or use another model");
}

TEST(ReadModel, Tokenizer) {
  EXPECT_EQ(
      messageAfter([](ModelT &model) { model.tokenizer->tokens.clear(); }),
      "m.fbs: tokenizer: expected 1 to vocab_size = 5 tokens, got 0; correct "
      "it, or use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              for (int i = 0; i < 3; ++i)
                model.tokenizer->tokens.push_back(
                    std::make_unique<schema::TokenT>());
            }),
            "m.fbs: tokenizer: expected 1 to vocab_size = 5 tokens, got 6; "
            "correct it, or use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              model.tokenizer->model = static_cast<schema::TokenizerModel>(7);
            }),
            "m.fbs: tokenizer: expected a known model, got 7; correct it, or "
            "use another model");
  EXPECT_EQ(messageAfter([](ModelT &model) {
              model.tokenizer->tokens[0]->kind =
                  static_cast<schema::TokenKind>(9);
            }),
            "m.fbs: tokenizer: expected a known kind of token, got 9; correct "
            "it, or use another model");
}
