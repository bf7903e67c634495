#include "frontends/model/Architecture.h"

#include "frontends/model/DeepSeekTensors.h"
#include "frontends/model/LlamaTensors.h"
#include "frontends/model/Message.h"

#include <cassert>

using namespace tcc;

template <typename T>
static DecoderSizes sizesOf(const T &model, int64_t predictionLayers) {
  return {model.hidden_size,   model.layers,       model.vocabulary,
          model.max_positions, model.norm_epsilon, model.tied_embeddings,
          predictionLayers};
}

DecoderSizes tcc::decoderSizes(const schema::ModelT &model) {
  if (const schema::LlamaT *llama = model.architecture.AsLlama())
    return sizesOf(*llama, 0);
  const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek();
  assert(deepSeek && "whoever makes a description sets its architecture");
  return sizesOf(*deepSeek, deepSeek->prediction_layers);
}

bool tcc::isOfPrediction(const schema::ModelT &model,
                         const std::string &tensor) {
  const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek();
  return deepSeek && tensor.rfind(predictionPrefix(*deepSeek), 0) == 0;
}

RoutedExperts tcc::routedExperts(const schema::ModelT &model) {
  const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek();
  if (!deepSeek)
    return {};
  return {deepSeek->experts, deepSeek->experts_per_token};
}

bool tcc::isOfRoutedExpert(const schema::ModelT &model,
                           const std::string &tensor) {
  return model.architecture.AsDeepSeek() &&
         tensor.find(".mlp.experts.") != std::string::npos;
}

const char *tcc::architectureName(const schema::ModelT &model) {
  return schema::EnumNameArchitecture(model.architecture.type);
}

Status tcc::checkArchitecture(const std::string &path,
                              const schema::ModelT &model) {
  if (const schema::LlamaT *llama = model.architecture.AsLlama())
    return checkLlama(path, *llama);
  if (const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek())
    return checkDeepSeek(path, *deepSeek);
  return unsupportedData(
      path + ": architecture: expected Llama or DeepSeek, got another one");
}

Status tcc::visitTensors(const schema::ModelT &model,
                         const TensorVisitor &visit) {
  if (const schema::DeepSeekT *deepSeek = model.architecture.AsDeepSeek())
    return visitDeepSeekTensors(*deepSeek, visit);
  return visitLlamaTensors(*model.architecture.AsLlama(), visit);
}
