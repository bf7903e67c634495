#include "frontends/checkpoint/FiniteTensors.h"

#include "frontends/model/Architecture.h"
#include "frontends/model/Message.h"
#include "frontends/model/Scales.h"
#include "frontends/model/Storage.h"

#include <cstring>

using namespace tcc;
using schema::Storage;

/// The index of the first of `count` elements at `data` that is infinite or no
/// number, or -1. Their exponent has all bits set, in the `Word` that they are.
template <typename Word>
static int64_t findInfinite(const uint8_t *data, uint64_t count,
                            Word exponent) {
  for (uint64_t i = 0; i < count; ++i) {
    Word bits;
    memcpy(&bits, data + i * sizeof(bits), sizeof(bits));
    if ((bits & exponent) == exponent)
      return static_cast<int64_t>(i);
  }
  return -1;
}

static int64_t findInfinite(const schema::TensorT &tensor,
                            const uint8_t *data) {
  switch (tensor.storage) {
  case Storage::F32:
    return findInfinite<uint32_t>(data, tensor.bytes / 4, 0x7f800000);
  case Storage::BF16:
    return findInfinite<uint16_t>(data, tensor.bytes / 2, 0x7f80);
  case Storage::F16:
    return findInfinite<uint16_t>(data, tensor.bytes / 2, 0x7c00);
  default:
    return -1;
  }
}

static Status checkFinite(const ModelFile &file, const ModelWeights &weights,
                          const std::string &name) {
  const schema::TensorT *tensor = findTensor(file.model, name);
  if (!tensor)
    return {};
  int64_t index = findInfinite(*tensor, weights.data(*tensor));
  if (index < 0)
    return {};
  return damagedData(file.weightPath(static_cast<size_t>(tensor->file)) +
                     ": tensor " + quoteText(name) +
                     ": expected finite numbers, got another as element " +
                     std::to_string(index));
}

Status tcc::checkFiniteTensors(const ModelFile &file) {
  ModelWeights weights;
  if (Status status = ModelWeights::open(file, weights); !status.ok())
    return status;
  return visitTensors(file.model, [&](const ExpectedTensor &expected) {
    if (expected.kind == ExpectedTensor::Kind::Bias)
      return checkFinite(file, weights, expected.name);
    if (expected.kind == ExpectedTensor::Kind::Scalable)
      return checkFinite(file, weights, scalesName(expected.name));
    return Status();
  });
}
