#include "test/unit/frontends/TinyModel.h"

#include <gtest/gtest.h>
#include <set>

using namespace tcc;

/// Hidden, intermediate, layers, query heads, key/value heads, head size.
static schema::LlamaT makeLlama(uint32_t hidden, uint32_t intermediate,
                                uint32_t layers, uint32_t queryHeads,
                                uint32_t keyValueHeads, uint32_t headSize) {
  schema::LlamaT llama;
  llama.hidden_size = hidden;
  llama.intermediate_size = intermediate;
  llama.layers = layers;
  llama.query_heads = queryHeads;
  llama.key_value_heads = keyValueHeads;
  llama.head_size = headSize;
  llama.vocabulary = 128256;
  return llama;
}

static int64_t parameters(const schema::LlamaT &llama) {
  int64_t total = 0;
  for (const ExpectedTensor &tensor : llamaTensors(llama)) {
    int64_t elements = 1;
    for (int64_t size : tensor.shape)
      elements *= size;
    total += elements;
  }
  return total;
}

// The counts of the published models.
TEST(LlamaTensors, ParametersOfPublishedModels) {
  EXPECT_EQ(parameters(makeLlama(4096, 14336, 32, 32, 8, 128)), 8030261248);
  EXPECT_EQ(parameters(makeLlama(8192, 28672, 80, 64, 8, 128)), 70553706496);
  EXPECT_EQ(parameters(makeLlama(16384, 53248, 126, 128, 8, 128)),
            405853388800);
  schema::LlamaT oneBillion = makeLlama(2048, 8192, 16, 32, 8, 64);
  oneBillion.tied_embeddings = true;
  EXPECT_EQ(parameters(oneBillion), 1235814400);
  schema::LlamaT threeBillion = makeLlama(3072, 8192, 28, 24, 8, 128);
  threeBillion.tied_embeddings = true;
  EXPECT_EQ(parameters(threeBillion), 3212749824);
}

TEST(LlamaTensors, NamesAreDistinct) {
  schema::LlamaT llama = makeLlama(64, 96, 12, 4, 2, 16);
  llama.attention_bias = llama.mlp_bias = true;
  std::set<std::string> names;
  for (const ExpectedTensor &tensor : llamaTensors(llama))
    EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
  EXPECT_EQ(names.size(), 12u * (9 + 7) + 3);
  EXPECT_EQ(names.count("model.layers.11.mlp.down_proj.bias"), 1u);
  EXPECT_EQ(names.count("model.layers.0.self_attn.o_proj.bias"), 1u);
}

TEST(LlamaTensors, ShapesFollowTheHeads) {
  for (const ExpectedTensor &tensor :
       llamaTensors(makeLlama(60, 96, 1, 4, 2, 8))) {
    if (tensor.name == "model.layers.0.self_attn.q_proj.weight")
      EXPECT_EQ(tensor.shape, (std::vector<int64_t>{32, 60}));
    if (tensor.name == "model.layers.0.self_attn.v_proj.weight")
      EXPECT_EQ(tensor.shape, (std::vector<int64_t>{16, 60}));
    if (tensor.name == "model.layers.0.self_attn.o_proj.weight")
      EXPECT_EQ(tensor.shape, (std::vector<int64_t>{60, 32}));
  }
}
