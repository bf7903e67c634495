#include "frontends/model/CheckModel.h"

#include "frontends/model/Architecture.h"
#include "frontends/model/GgufNames.h"
#include "frontends/model/Message.h"
#include "frontends/model/Scales.h"
#include "frontends/model/Storage.h"

#include <algorithm>
#include <unordered_map>

using namespace tcc;
using schema::TensorT;

namespace {
/// How messages about the tensors of `file`, read from `path`, name them.
struct Places {
  const std::string &path;
  const ModelFile &file;

  bool isGguf() const {
    return file.model.provenance.compare(0, 4, "GGUF") == 0;
  }

  /// The file that holds `tensor`, or `path` if the description has no weights.
  std::string fileOf(const TensorT &tensor) const {
    return tensor.file < 0 ? path
                           : file.weightPath(static_cast<size_t>(tensor.file));
  }

  /// `name` as that file has it.
  std::string quoted(const std::string &name) const {
    return quoteText(isGguf() ? ggufName(name) : name);
  }

  std::string of(const std::string &where, const std::string &name) const {
    return where + ": tensor " + quoted(name) + ": ";
  }
  std::string of(const TensorT &tensor) const {
    return of(fileOf(tensor), tensor.name);
  }

  /// The shape of `expected`, and in a folder how config.json gives it.
  std::string shapeOf(const ExpectedTensor &expected) const {
    return (isGguf() ? "" : expected.formula + std::string(" = ")) +
           shapeText(expected.shape);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Files and byte ranges
//===----------------------------------------------------------------------===//

static Status checkFiles(const Places &places) {
  for (const auto &file : places.file.model.files)
    if (file->path.empty() || file->path[0] == '/' ||
        file->path.find('\0') != std::string::npos)
      return damagedData(places.path +
                         ": files: expected a relative path, got " +
                         quoteText(file->path));
  return {};
}

/// Checks storage, file and bytes of one tensor, whose shape is right.
static Status checkRange(const Places &places, const TensorT &tensor) {
  std::string place = places.of(tensor);
  std::optional<uint64_t> bytes = tensorBytes(tensor.storage, tensor.shape);
  if (!bytes)
    return damagedData(
        place + "expected rows in whole blocks of " +
        std::to_string(storageInfo(tensor.storage)->blockElements) +
        " elements, got shape " + shapeText(tensor.shape));
  if (tensor.bytes != *bytes)
    return damagedData(place + "expected " + std::to_string(*bytes) +
                       " bytes for shape " + shapeText(tensor.shape) + " in " +
                       storageInfo(tensor.storage)->name + ", got " +
                       std::to_string(tensor.bytes));
  if (tensor.file < 0)
    return {};
  uint64_t fileBytes =
      places.file.model.files[static_cast<size_t>(tensor.file)]->bytes;
  if (tensor.offset > fileBytes || tensor.bytes > fileBytes - tensor.offset)
    return damagedData(place + "expected bytes within the file of " +
                       std::to_string(fileBytes) + " bytes, got " +
                       std::to_string(tensor.bytes) + " bytes at offset " +
                       std::to_string(tensor.offset));
  return {};
}

static Status checkOverlaps(const Places &places) {
  std::vector<const TensorT *> tensors;
  for (const auto &tensor : places.file.model.tensors)
    if (tensor->file >= 0)
      tensors.push_back(tensor.get());
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorT *left, const TensorT *right) {
              return std::tie(left->file, left->offset, left->name) <
                     std::tie(right->file, right->offset, right->name);
            });
  for (size_t i = 1; i < tensors.size(); ++i) {
    const TensorT &previous = *tensors[i - 1], &next = *tensors[i];
    if (previous.file == next.file &&
        next.offset < previous.offset + previous.bytes)
      return damagedData(
          places.of(next) +
          "expected bytes of its own, got an overlap with tensor " +
          places.quoted(previous.name));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Checks what can be said of each tensor alone. Beyond this, storage types and
/// files are valid.
static Status checkIndices(const Places &places) {
  const schema::ModelT &model = places.file.model;
  for (const auto &tensor : model.tensors) {
    if (!storageInfo(tensor->storage))
      return damagedData(places.of(places.path, tensor->name) +
                         "expected a known storage type, got " +
                         std::to_string(static_cast<int>(tensor->storage)));
    if (tensor->file < -1 ||
        tensor->file >= static_cast<int64_t>(model.files.size()))
      return damagedData(places.of(places.path, tensor->name) +
                         "expected one of " +
                         std::to_string(model.files.size()) +
                         " files, got file " + std::to_string(tensor->file));
    if ((tensor->file < 0) != (model.tensors[0]->file < 0))
      return damagedData(
          places.of(places.path, tensor->name) +
          "expected weights for all tensors or for none, got both");
  }
  return {};
}

using TensorsByName = std::unordered_map<std::string, const TensorT *>;

static Status collectTensors(const Places &places, TensorsByName &result) {
  for (const auto &tensor : places.file.model.tensors) {
    auto [entry, isNew] = result.emplace(tensor->name, tensor.get());
    if (!isNew)
      return damagedData(
          places.of(*tensor) +
          "expected every tensor once, got a second one; the first is in " +
          places.fileOf(*entry->second));
  }
  return {};
}

/// Checks the tensor that `expected` describes and takes it from `tensors`.
/// Returns it in `found`.
static Status takeTensor(const Places &places, const ExpectedTensor &expected,
                         TensorsByName &tensors, const TensorT *&found) {
  auto entry = tensors.find(expected.name);
  if (entry == tensors.end())
    return unsupportedData(places.of(places.path, expected.name) + "expected " +
                           places.shapeOf(expected) +
                           ", got no tensor of this name");
  found = entry->second;
  if (found->shape != expected.shape)
    return unsupportedData(places.of(*found) + "expected shape " +
                           places.shapeOf(expected) + ", got " +
                           shapeText(found->shape));
  tensors.erase(entry);
  return checkRange(places, *found);
}

/// Checks that `tensor` may be stored as it is, and takes its scales from
/// `tensors` if it needs some.
static Status takeScales(const Places &places, const TensorT &tensor,
                         ExpectedTensor::Kind kind, TensorsByName &tensors) {
  bool isScaled = tensor.storage == schema::Storage::F8_E4M3;
  std::string name = scalesName(tensor.name);
  if (isScaled && kind != ExpectedTensor::Kind::Scalable)
    return unsupportedData(places.of(tensor) +
                           "expected F32, F16 or BF16, got F8_E4M3");
  if (!isScaled && tensors.count(name))
    return unsupportedData(places.of(*tensors[name]) +
                           "expected no scales, since " +
                           places.quoted(tensor.name) + " is in " +
                           storageInfo(tensor.storage)->name + ", got some");
  if (!isScaled)
    return {};
  ExpectedTensor expected{name, scalesShape(tensor.shape),
                          "one for each block of 128 by 128"};
  const TensorT *scales = nullptr;
  if (Status status = takeTensor(places, expected, tensors, scales);
      !status.ok())
    return status;
  if (scales->storage == schema::Storage::F32)
    return {};
  return unsupportedData(places.of(*scales) + "expected F32, got " +
                         storageInfo(scales->storage)->name);
}

/// Checks that `tensor` is stored as the first one of its stack, which `firsts`
/// has by the name of the stack.
static Status checkStack(const Places &places, const TensorT &tensor,
                         const std::string &stack, TensorsByName &firsts) {
  if (stack.empty())
    return {};
  const TensorT &first = *firsts.emplace(stack, &tensor).first->second;
  if (tensor.storage == first.storage)
    return {};
  return unsupportedData(places.of(tensor) + "expected " +
                         storageInfo(first.storage)->name + " as " +
                         places.quoted(first.name) + ", got " +
                         storageInfo(tensor.storage)->name);
}

/// Checks that `model` has the tensors of its architecture and no others.
static Status checkTensors(const Places &places) {
  const schema::ModelT &model = places.file.model;
  TensorsByName tensors, firsts;
  if (Status status = collectTensors(places, tensors); !status.ok())
    return status;
  Status status = visitTensors(model, [&](const ExpectedTensor &expected) {
    const TensorT *tensor = nullptr;
    Status taken = takeTensor(places, expected, tensors, tensor);
    if (taken.ok())
      taken = takeScales(places, *tensor, expected.kind, tensors);
    return taken.ok() ? checkStack(places, *tensor, expected.stack, firsts)
                      : taken;
  });
  if (!status.ok())
    return status;
  for (const auto &tensor : model.tensors)
    if (tensors.count(tensor->name))
      return unsupportedData(
          places.of(*tensor) + "expected only tensors of a " +
          architectureName(model) + ", got one that it does not have");
  return {};
}

//===----------------------------------------------------------------------===//
// Tokenizer
//===----------------------------------------------------------------------===//

static Status checkId(const std::string &place, int64_t id, int64_t end) {
  if (id >= 0 && id < end)
    return {};
  return unsupportedData(place + ": expected a token id from 0 to " +
                         std::to_string(end - 1) + ", got " +
                         std::to_string(id));
}

static Status checkTokenizer(const std::string &path,
                             const schema::TokenizerT &tokenizer,
                             int64_t vocabulary) {
  auto tokens = static_cast<int64_t>(tokenizer.tokens.size());
  if (tokens == 0 || tokens > vocabulary)
    return unsupportedData(path + ": tokenizer: expected 1 to vocab_size = " +
                           std::to_string(vocabulary) + " tokens, got " +
                           std::to_string(tokens));
  if (tokenizer.model > schema::TokenizerModel::MAX)
    return unsupportedData(path + ": tokenizer: expected a known model, got " +
                           std::to_string(static_cast<int>(tokenizer.model)));
  for (const auto &token : tokenizer.tokens)
    if (token->kind > schema::TokenKind::MAX)
      return unsupportedData(
          path + ": tokenizer: expected a known kind of token, got " +
          std::to_string(static_cast<int>(token->kind)));
  for (const schema::Merge &merge : tokenizer.merges)
    for (uint32_t id : {merge.left(), merge.right(), merge.result()})
      if (Status status = checkId(path + ": tokenizer: merges", id, tokens);
          !status.ok())
        return status;
  for (int32_t id : tokenizer.beginning_ids)
    if (Status status =
            checkId(path + ": tokenizer: beginning_ids", id, tokens);
        !status.ok())
      return status;
  if (tokenizer.unknown_id == -1)
    return {};
  return checkId(path + ": tokenizer: unknown_id", tokenizer.unknown_id,
                 tokens);
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

Status tcc::checkModel(const std::string &path, const ModelFile &file) {
  const schema::ModelT &model = file.model;
  if (model.format_version != modelFormatVersion)
    return Status::badData(path + ": format_version: expected " +
                           std::to_string(modelFormatVersion) + ", got " +
                           std::to_string(model.format_version) +
                           "; import the checkpoint again");
  if (Status status = checkArchitecture(path, model); !status.ok())
    return status;
  for (auto check : {checkFiles, checkIndices, checkTensors, checkOverlaps})
    if (Status status = check({path, file}); !status.ok())
      return status;
  int64_t vocabulary = decoderSizes(model).vocabulary;
  for (int32_t id : model.end_ids)
    if (Status status = checkId(path + ": end_ids", id, vocabulary);
        !status.ok())
      return status;
  if (!model.tokenizer)
    return {};
  return checkTokenizer(path, *model.tokenizer, vocabulary);
}

void tcc::sortTensors(schema::ModelT &model) {
  std::sort(model.tensors.begin(), model.tensors.end(),
            [](const auto &left, const auto &right) {
              return left->name < right->name;
            });
}
