// Hyperparameters and tensors of a DeepSeek, as a model.fbs may have them.

#include "frontends/model/DeepSeekTensors.h"

#include <functional>
#include <gtest/gtest.h>
#include <set>

using namespace tcc;
using schema::DeepSeekT;

static DeepSeekT makeDeepSeek() {
  DeepSeekT model;
  model.hidden_size = 20;
  model.intermediate_size = 24;
  model.layers = 3;
  model.heads = 2;
  model.vocabulary = 11;
  model.max_positions = 16;
  model.norm_epsilon = model.latent_norm_epsilon = 1e-6;
  model.query_rank = 6;
  model.latent_size = 5;
  model.plain_size = 3;
  model.rotary_size = 4;
  model.value_size = 7;
  model.softmax_scale = 0.3;
  model.rotary = std::make_unique<schema::RotaryEmbeddingT>();
  model.rotary->inverse_frequencies = {1, 0.01};
  model.dense_layers = 1;
  model.expert_stride = 1;
  model.experts = 8;
  model.experts_per_token = 3;
  model.expert_size = 9;
  model.shared_experts = 1;
  model.groups = 4;
  model.kept_groups = 2;
  model.group_top = 2;
  model.weight_scale = 2.5;
  return model;
}

static std::set<std::string> namesOf(const DeepSeekT &model) {
  std::set<std::string> names;
  Status status =
      visitDeepSeekTensors(model, [&](const ExpectedTensor &tensor) {
        EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
        return Status();
      });
  EXPECT_TRUE(status.ok());
  return names;
}

/// The message after `change`, or an empty string.
static std::string
messageAfter(const std::function<void(DeepSeekT &)> &change) {
  DeepSeekT model = makeDeepSeek();
  change(model);
  return checkDeepSeek("m.fbs", model).message();
}

TEST(DeepSeekTensors, Names) {
  DeepSeekT model = makeDeepSeek();
  // Three layers with 2 norms, 4 matrices of queries, keys and values, 2 norms
  // of latents and o_proj less; one MLP; two routers with 8 + 1 experts.
  EXPECT_EQ(namesOf(model).size(), 3 + 3 * 9 + 3 + 2 * (1 + 3 * 9u));
  model.selection_bias = model.attention_bias = true;
  EXPECT_EQ(namesOf(model).size(), 3 + 3 * 12 + 3 + 2 * (2 + 3 * 9u));
  model.prediction_layers = 1;
  std::set<std::string> names = namesOf(model);
  EXPECT_EQ(names.count("model.layers.3.mlp.experts.7.up_proj.weight"), 1u);
  EXPECT_EQ(names.count("model.layers.3.shared_head.norm.weight"), 1u);
}

TEST(DeepSeekTensors, NamesWithoutQueryRankAndSharedExperts) {
  DeepSeekT model = makeDeepSeek();
  model.query_rank = model.shared_experts = 0;
  std::set<std::string> names = namesOf(model);
  EXPECT_EQ(names.count("model.layers.1.self_attn.q_proj.weight"), 1u);
  EXPECT_EQ(names.count("model.layers.1.self_attn.q_a_proj.weight"), 0u);
  EXPECT_EQ(names.count("model.layers.1.mlp.shared_experts.up_proj.weight"),
            0u);
}

// A list of all tensors may be far larger than the file that asks for it.
TEST(DeepSeekTensors, VisitsStopAtTheFirstFailure) {
  DeepSeekT model = makeDeepSeek();
  int visits = 0;
  Status status = visitDeepSeekTensors(model, [&](const ExpectedTensor &) {
    return ++visits < 40 ? Status() : Status::badData("enough");
  });
  EXPECT_EQ(status.message(), "enough");
  EXPECT_EQ(visits, 40);
}

TEST(DeepSeekTensors, Valid) {
  EXPECT_EQ(messageAfter([](DeepSeekT &) {}), "");
}

TEST(DeepSeekTensors, Sizes) {
  std::string advice = "; correct it, or use another model";
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.latent_size = 0; }),
            "m.fbs: latent_size: expected an integer from 1 to 8192, got "
            "0" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.dense_layers = 4; }),
            "m.fbs: dense_layers: expected an integer from 0 to 3, got 4" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.expert_stride = 0; }),
            "m.fbs: expert_stride: expected an integer from 1 to 4096, got 0" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) {
              m.layers = 4096;
              m.experts = 4096;
            }),
            "m.fbs: experts: expected at most 65536 in all layers, got "
            "16777216" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.prediction_layers = 2; }),
            "m.fbs: prediction_layers: expected an integer from 0 to 1, got "
            "2" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.rotary_size = 6; }),
            "m.fbs: rotary.inverse_frequencies: expected rotary_size / 2 = 3 "
            "of them, got 2" +
                advice);
}

TEST(DeepSeekTensors, Router) {
  std::string advice = "; correct it, or use another model";
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.groups = 3; }),
            "m.fbs: groups: expected a divisor of experts = 8, got 3" + advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.kept_groups = 5; }),
            "m.fbs: kept_groups: expected an integer from 1 to 4, got 5" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.kept_groups = 1; }),
            "m.fbs: experts_per_token: expected at most 2, which the kept "
            "groups have, got 3" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.group_top = 3; }),
            "m.fbs: group_top: expected at most 2, the experts of a group, got "
            "3" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) {
              m.scoring = static_cast<schema::Scoring>(2);
            }),
            "m.fbs: scoring: expected a known one, got 2" + advice);
}

TEST(DeepSeekTensors, Numbers) {
  std::string advice = "; correct it, or use another model";
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.softmax_scale = 0; }),
            "m.fbs: softmax_scale: expected a positive number, got 0.000000" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.weight_scale = -1; }),
            "m.fbs: weight_scale: expected a positive number, got -1.000000" +
                advice);
  EXPECT_EQ(messageAfter([](DeepSeekT &m) { m.latent_norm_epsilon = 2; }),
            "m.fbs: norm_epsilon: expected a number from 1.2e-38 to 1, got "
            "2.000000" +
                advice);
}
