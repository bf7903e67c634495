// What every architecture has. Here, and nowhere else in what reads and checks
// descriptions, they are told apart.

#ifndef TCC_FRONTENDS_MODEL_ARCHITECTURE_H
#define TCC_FRONTENDS_MODEL_ARCHITECTURE_H

#include "frontends/model/ExpectedTensor.h"
#include "frontends/model/Model_generated.h"

namespace tcc {

/// What a stack of decoder layers has between its tokens and its logits.
struct DecoderSizes {
  int64_t hidden, layers, vocabulary, maxPositions;
  double normEpsilon;
  bool tiedEmbeddings;
  int64_t predictionLayers; ///< Behind the others; 0 or 1.
};

/// The sizes of `model`, whose architecture is one of the union's members.
DecoderSizes decoderSizes(const schema::ModelT &model);

/// "Llama" or "DeepSeek".
const char *architectureName(const schema::ModelT &model);

/// Checks that the architecture of `model` is a known one and its
/// hyperparameters are in range and fit together; `path` is where they come
/// from.
Status checkArchitecture(const std::string &path, const schema::ModelT &model);

/// Whether `tensor` is of the module for multi-token prediction.
bool isOfPrediction(const schema::ModelT &model, const std::string &tensor);

/// The experts of a layer from which a router chooses; none if no layer has
/// any.
struct RoutedExperts {
  uint64_t count = 0;
  uint64_t perToken = 0;
};
RoutedExperts routedExperts(const schema::ModelT &model);

/// Whether `tensor` is of one of these experts.
bool isOfRoutedExpert(const schema::ModelT &model, const std::string &tensor);

/// Visits every tensor that `model` needs but scales, in no particular order.
/// `checkArchitecture` accepts the model.
Status visitTensors(const schema::ModelT &model, const TensorVisitor &visit);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_ARCHITECTURE_H
