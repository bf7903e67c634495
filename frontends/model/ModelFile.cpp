#include "frontends/model/ModelFile.h"

#include "frontends/model/Architecture.h"
#include "frontends/model/CheckModel.h"
#include "frontends/model/Scales.h"

#include <algorithm>
#include <filesystem>

using namespace tcc;
namespace fs = std::filesystem;

std::string ModelFile::weightPath(size_t index) const {
  const std::string &path = model.files[index]->path;
  return folder == "." ? path : (fs::path(folder) / path).string();
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// `path` with its folder free of links, so that ".." in a path made from it
/// means the parent folder. The last component stays: a weight file may be a
/// link whose name matters.
static fs::path resolveFolder(const fs::path &path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  fs::path folder = fs::weakly_canonical(absolute.parent_path(), error);
  return (error ? absolute.parent_path() : folder) / absolute.filename();
}

Status tcc::writeModel(const ModelFile &file, const std::string &path) {
  schema::ModelT model = file.model;
  fs::path folder = resolveFolder(path).parent_path();
  for (auto &weights : model.files)
    weights->path = resolveFolder(fs::path(file.folder) / weights->path)
                        .lexically_relative(folder)
                        .string();
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model));
  AtomicFile output;
  if (Status status = output.create(path); !status.ok())
    return status;
  Status status =
      output.writeAt(0, builder.GetBufferPointer(), builder.GetSize());
  return status.ok() ? output.commit() : status;
}

Status tcc::checkOutput(const ModelFile &file, const std::string &output) {
  std::error_code error;
  if (fs::is_directory(output, error))
    return {Status::Code::CannotWrite,
            output + ": cannot write: expected the name of a file, got a "
                     "directory"};
  std::vector<fs::path> inputs(file.inputs.begin(), file.inputs.end());
  for (size_t i = 0; i < file.model.files.size(); ++i)
    inputs.push_back(file.weightPath(i));
  for (const fs::path &input : inputs)
    if (fs::equivalent(input, output, error))
      return {Status::Code::CannotWrite,
              output + ": cannot write: it is the input " + input.string() +
                  "; choose another name"};
  return {};
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

Status ModelWeights::open(const ModelFile &file, ModelWeights &result) {
  ModelWeights weights;
  for (size_t i = 0; i < file.model.files.size(); ++i) {
    const schema::FileT *description = file.model.files[i].get();
    std::string path = file.weightPath(i);
    MappedFile mapped;
    if (Status status = MappedFile::open(path, mapped); !status.ok())
      return status;
    if (mapped.size() != description->bytes)
      return Status::badData(path + ": expected " +
                             std::to_string(description->bytes) +
                             " bytes, got " + std::to_string(mapped.size()) +
                             "; it has changed since it was imported: import "
                             "it again");
    weights.files.push_back(std::move(mapped));
  }
  result = std::move(weights);
  return {};
}

const schema::TensorT *tcc::findTensor(const schema::ModelT &model,
                                       const std::string &name) {
  auto entry =
      std::lower_bound(model.tensors.begin(), model.tensors.end(), name,
                       [](const auto &tensor, const std::string &key) {
                         return tensor->name < key;
                       });
  if (entry == model.tensors.end() || (*entry)->name != name)
    return nullptr;
  return entry->get();
}

Parameters tcc::countParameters(const schema::ModelT &model) {
  Parameters parameters;
  RoutedExperts experts = routedExperts(model);
  for (const auto &tensor : model.tensors) {
    if (isScales(tensor->name))
      continue;
    uint64_t elements = 1;
    for (int64_t size : tensor->shape)
      elements *= static_cast<uint64_t>(size);
    if (isOfPrediction(model, tensor->name)) {
      parameters.prediction += elements;
      continue;
    }
    parameters.model += elements;
    // All experts of a layer are alike: of `count`, a token uses `perToken`.
    parameters.active += isOfRoutedExpert(model, tensor->name)
                             ? elements * experts.perToken / experts.count
                             : elements;
  }
  return parameters;
}
