// The description of a tiny Llama, for tests.

#ifndef TCC_TEST_UNIT_FRONTENDS_TINYMODEL_H
#define TCC_TEST_UNIT_FRONTENDS_TINYMODEL_H

#include "frontends/model/CheckModel.h"
#include "frontends/model/LlamaTensors.h"
#include "frontends/model/ModelFile.h"
#include "frontends/model/Storage.h"

#include <cassert>

namespace tcc {

/// All tensors of `llama`.
inline std::vector<ExpectedTensor> llamaTensors(const schema::LlamaT &llama) {
  std::vector<ExpectedTensor> result;
  Status status =
      visitLlamaTensors(llama, [&](const ExpectedTensor &tensor) -> Status {
        result.push_back(tensor);
        return {};
      });
  assert(status.ok());
  return result;
}

/// A model of one layer whose weights fill the file "weights.bin".
inline schema::ModelT makeTinyModel() {
  schema::LlamaT llama;
  llama.hidden_size = 8;
  llama.intermediate_size = 12;
  llama.layers = 1;
  llama.query_heads = 2;
  llama.key_value_heads = 1;
  llama.head_size = 4;
  llama.vocabulary = 5;
  llama.max_positions = 16;
  llama.norm_epsilon = 1e-5;
  llama.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  llama.rotary->inverse_frequencies = {1, 0.01};
  schema::ModelT model;
  model.format_version = modelFormatVersion;
  model.name = "Tiny";
  model.files.push_back(std::make_unique<schema::FileT>());
  model.files[0]->path = "weights.bin";
  for (const ExpectedTensor &expected : llamaTensors(llama)) {
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = expected.name;
    tensor->shape = expected.shape;
    tensor->file = 0;
    tensor->offset = model.files[0]->bytes;
    tensor->bytes = *tensorBytes(tensor->storage, tensor->shape);
    model.files[0]->bytes += tensor->bytes;
    model.tensors.push_back(std::move(tensor));
  }
  sortTensors(model);
  model.architecture.Set(std::move(llama));
  model.end_ids = {2};
  model.tokenizer = std::make_unique<schema::TokenizerT>();
  for (const char *text : {"a", "b", "ab"}) {
    auto token = std::make_unique<schema::TokenT>();
    token->bytes.assign(text, text + std::char_traits<char>::length(text));
    model.tokenizer->tokens.push_back(std::move(token));
  }
  model.tokenizer->merges.emplace_back(0, 1, 2);
  return model;
}

/// The bytes of a model.fbs, as writeModel writes them.
inline std::vector<uint8_t> packModel(const schema::ModelT &model) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model));
  return {builder.GetBufferPointer(),
          builder.GetBufferPointer() + builder.GetSize()};
}

} // namespace tcc

#endif // TCC_TEST_UNIT_FRONTENDS_TINYMODEL_H
